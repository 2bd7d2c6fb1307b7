"""
The ``.roads`` container: named arrays and facts in one file, checksummed and memory-mapped.

Layout: ``ROLLBYRD`` | version, uint32 | length of the head, uint32 | CRC-32 of those two and of all
that follows, uint32 | 4 bytes of zero | the head, JSON in UTF-8 (``facts``, and each array's dtype,
shape and offset) | the arrays, little-endian, each at a multiple of 64 bytes from the file's start.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from data.atomic import written
from data.errors import RoadFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAGIC = b"ROLLBYRD"
VERSION = 3
_START = struct.Struct("<8sIII4x")
_COUNTED = struct.Struct("<II")
_ALIGN = 64
_REMEDY = "build it again with `rollby roads build`"


def write_roads(
    path: Path | str, arrays: Mapping[str, npt.NDArray[Any]], facts: Mapping[str, object]
) -> None:
    """
    Write a ``.roads`` file, whole or not at all: to a temporary name beside it, then renamed.

    Parameters
    ----------
    path : Path or str
        Where to.
    arrays : mapping of str to ndarray
        Numbers or booleans of any shape.
    facts : mapping of str to JSON values
        What is to be known of them.
    """
    listed: dict[str, dict[str, object]] = {}
    offset = 0
    for name, array in arrays.items():
        listed[name] = {
            "dtype": array.dtype.newbyteorder("<").str,
            "shape": array.shape,
            "offset": offset,
        }
        offset += -(-array.nbytes // _ALIGN) * _ALIGN
    head = json.dumps({"facts": facts, "arrays": listed, "bytes": offset}).encode()
    head += b" " * (-(_START.size + len(head)) % _ALIGN)
    blocks = [head]
    for array in arrays.values():
        block = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        blocks += [block, b"\0" * (-len(block) % _ALIGN)]
    crc = zlib.crc32(_COUNTED.pack(VERSION, len(head)))
    for block in blocks:
        crc = zlib.crc32(block, crc)
    with written(Path(path)) as part, part.open("wb") as out:
        out.write(_START.pack(MAGIC, VERSION, len(head), crc))
        out.writelines(blocks)


def roads_checksum(path: Path | str) -> int:
    """
    Read which ``.roads`` file it is; `read_roads` tells whether it is whole.

    Parameters
    ----------
    path : Path or str
        The file.

    Returns
    -------
    checksum : int
        CRC-32 of what it holds, as written in it.

    Raises
    ------
    RoadFileError
        If it is missing or no ``.roads`` file.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(_START.size)
    except OSError as error:
        raise RoadFileError(f"{path}: cannot be read ({error.strerror}); {_REMEDY}") from error
    if len(start) < _START.size or not start.startswith(MAGIC):
        raise RoadFileError(f"{path}: must be a .roads file; {_REMEDY}")
    return int(_START.unpack(start)[3])


def read_roads(path: Path | str) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """
    Map a ``.roads`` file into memory, after checking that it is whole and unaltered.

    Parameters
    ----------
    path : Path or str
        The file.

    Returns
    -------
    arrays : dict of str to ndarray
        Read-only views of the file.
    facts : dict of str to JSON values
        What was written with them.

    Raises
    ------
    RoadFileError
        If it is missing, no ``.roads`` file, cut short, altered, or of a newer version.
    """
    try:
        size = Path(path).stat().st_size
        # As a plain array: each slice of a memmap pays for being one.
        mapped = np.asarray(np.memmap(path, np.uint8, "r")) if size else np.empty(0, np.uint8)
    except OSError as error:
        raise RoadFileError(f"{path}: cannot be read ({error.strerror}); {_REMEDY}") from error
    if size < _START.size or bytes(mapped[: len(MAGIC)]) != MAGIC:
        raise RoadFileError(f"{path}: must be a .roads file; {_REMEDY}")
    _, version, head_size, crc = _START.unpack(bytes(mapped[: _START.size]))
    if version > VERSION:
        raise RoadFileError(
            f"{path}: format {version} is newer than this rollby reads ({VERSION}); upgrade rollby"
        )
    if zlib.crc32(mapped[_START.size :].data, zlib.crc32(_COUNTED.pack(version, head_size))) != crc:
        raise RoadFileError(f"{path}: is cut short or altered (checksum differs); {_REMEDY}")
    data_start = _START.size + head_size
    head = json.loads(bytes(mapped[_START.size : data_start]))
    arrays = {}
    for name, entry in head["arrays"].items():
        dtype = np.dtype(entry["dtype"])
        count = int(np.prod(entry["shape"], dtype=np.int64))
        start = data_start + entry["offset"]
        array = mapped[start : start + count * dtype.itemsize].view(dtype).reshape(entry["shape"])
        arrays[name] = array if sys.byteorder == "little" else array.astype(dtype.newbyteorder("="))
    return arrays, head["facts"]
