"""What a board remembers, as bytes for the store."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

from pydantic import ValidationError

from data.store.codec import adapter_of
from geo import alarms, asking, attendance, memory, sightings
from geo.memory import Memory, recall, remember

if TYPE_CHECKING:
    from geo.board import Board

_NAMES = {
    name: value
    for module in (alarms, asking, attendance, memory, sightings)
    for name, value in vars(module).items()
    if isinstance(value, type)
}
_ADAPTER = adapter_of(Memory, _NAMES)


def saved(board: Board) -> bytes:
    """
    Write down what a board remembers.

    Parameters
    ----------
    board : Board
        Just advanced.

    Returns
    -------
    body : bytes
        For `restore`.
    """
    plain = _ADAPTER.dump_python(remember(board), mode="json")
    return zlib.compress(json.dumps(plain).encode(), level=1)


def restore(board: Board, body: bytes) -> bool:
    """
    Bring a fresh board to where another one was.

    Parameters
    ----------
    board : Board
        It has been given nothing.
    body : bytes
        Of `saved`.

    Returns
    -------
    restored : bool
        False, and the board as it was, where another release wrote it in another layout.
    """
    try:
        found = _ADAPTER.validate_python(json.loads(zlib.decompress(body)))
    except (ValidationError, ValueError, zlib.error):
        return False
    recall(board, found)
    return True
