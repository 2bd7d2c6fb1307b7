"""Files written whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from data.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """
    Give a temporary name beside a file, and rename it when all is written.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.

    Yields
    ------
    part : Path
        In the same folder, with the same ending.

    Raises
    ------
    InputError
        If it cannot be written; what was there before stays.
    """
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written, there is no folder {path.parent}; make it")
    part = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield part
        with part.open("rb+") as whole:
            os.fsync(whole.fileno())
        part.replace(path)
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"{path}: cannot be written ({why}); check the folder") from error
    finally:
        part.unlink(missing_ok=True)
