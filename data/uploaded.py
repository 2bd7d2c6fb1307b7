"""A history that somebody sends as files: which are taken, and how a .zip of them is opened."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from data.errors import InputError
from data.history import FACTS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES: Final = ("fixes", "statuses", "stops", "answers", "on_scene")
ENDINGS: Final = (".csv", ".jsonl", ".ndjson", ".parquet")
MOST_FILES: Final = 20_000
_STEP: Final = 1 << 20
_PART: Final = re.compile(r"[\w=.-]{1,120}")
_RULE: Final = (
    "must be a .zip of a history's folder, or one of its tables: "
    f"{', '.join(TABLES)}, each as {', '.join(ENDINGS)}"
)


def check_name(name: str) -> str:
    """
    Hold a file that is sent to those that are read.

    Parameters
    ----------
    name : str
        As its sender calls it.

    Returns
    -------
    name : str
        Safe to keep it by.

    Raises
    ------
    InputError
        If it is no table of a history and no ``.zip``.
    """
    path = PurePosixPath(name)
    known = path.stem in TABLES and path.suffix.lower() in ENDINGS
    if len(path.parts) == 1 and _PART.fullmatch(name) and name[0] != ".":
        if known or name == FACTS_FILE:
            return name
        if path.suffix.lower() == ".zip":
            return "history.zip"
    raise InputError(f"{name[:80]}: {_RULE}")


def unpack(archive: Path, folder: Path, *, most_bytes: int) -> int:
    """
    Take a history out of a ``.zip``; what is none of its files is passed over.

    Parameters
    ----------
    archive : Path
        The ``.zip``.
    folder : Path
        Where to; what it holds already is written over.
    most_bytes : int
        All files together, unpacked.

    Returns
    -------
    files : int
        How many were taken.

    Raises
    ------
    InputError
        If it is no ``.zip``, is damaged or locked, holds no file of a history, or more than may be.
    """
    left = most_bytes
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = list(_entries(opened))
            for entry, place in entries:
                target = folder.joinpath(*place)
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(entry) as source, target.open("wb") as out:
                    while data := source.read(_STEP):
                        left -= len(data)
                        if left < 0:
                            rule = f"is more than {most_bytes / 1e6:g} MB unpacked"
                            raise InputError(f"{archive.name}: {rule}; send a shorter period")
                        out.write(data)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise InputError(
            f"{archive.name}: is no .zip that can be read ({error}); pack the folder again"
        ) from error
    except RuntimeError as error:  # what zipfile raises for a password
        raise InputError(
            f"{archive.name}: is locked; pack the folder without a password"
        ) from error
    if not entries:
        raise InputError(f"{archive.name}: holds no file of a history; it {_RULE}")
    return len(entries)


def _entries(opened: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, tuple[str, ...]]]:
    """
    Find the files of a history, in the archive's first folder or in one within.

    Raises
    ------
    InputError
        If there are more than anybody keeps.
    """
    files = [one for one in opened.infolist() if not one.is_dir()]
    if len(files) > MOST_FILES:
        raise InputError(f"history.zip: must hold at most {MOST_FILES:,} files")
    for entry in files:
        parts = PurePosixPath(entry.filename).parts
        for first, part in enumerate(parts):
            if part in TABLES or PurePosixPath(part).stem in TABLES or part == FACTS_FILE:
                place = parts[first:]
                suffix = PurePosixPath(place[-1]).suffix.lower()
                wanted = suffix in ENDINGS or place == (FACTS_FILE,)
                if wanted and all(_PART.fullmatch(one) and one[0] != "." for one in place):
                    yield entry, place
                break
