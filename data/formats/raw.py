"""What a file of rows holds before anyone has checked it: texts, with their lines."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType
from typing import IO, TYPE_CHECKING

from data.errors import Fault, TableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Cell = str | list[object] | dict[str, object]
"""A text, empty where nothing is given; a list or an object of JSON and Parquet as it is."""

SHOWN_CHARACTERS = 80
MAX_LINE_BYTES = 1 << 20
EMPTY = "must not be empty (an export that failed leaves 0 bytes)"

_NOT_TEXT = re.compile("[\0\ud800-\udfff]")  # surrogates stand for bytes that were not UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """
    One row as it stands in its file.

    Parameters
    ----------
    line : int
        Line it begins on (the header is line 1); the row's or feature's number, the first is 1,
        where the format has no lines.
    cells : dict of str to Cell
        By column, named as in the file.
    faults : tuple of Fault
        What kept the row, or where they name a field that field, from being read.
    """

    line: int
    cells: dict[str, Cell]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """
    A file that is open.

    Parameters
    ----------
    rows : iterator of RawRow
        In file order, read as they are asked for. It raises `TableError` where the rest of the
        file cannot be read.
    columns : tuple of str or None
        What the header names; None where every row names its own.
    unfit : mapping of str to str
        Columns that hold nothing usable in any row, and why; the rows leave them out.
    """

    rows: Iterator[RawRow]
    columns: tuple[str, ...] | None = None
    unfit: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def shown(value: str) -> str:
    """
    Make a value fit for a message on any terminal.

    Parameters
    ----------
    value : str
        As found.

    Returns
    -------
    text : str
        At most 80 characters, what cannot be printed escaped.
    """
    start = value[:SHOWN_CHARACTERS]
    printable = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in start)
    return printable[:SHOWN_CHARACTERS]


def is_text(value: str) -> bool:
    """
    Tell whether a text came from UTF-8 and can go back to it.

    Parameters
    ----------
    value : str
        As read by `text_lines`, or from JSON.

    Returns
    -------
    fit : bool
        False where a NUL or a lone surrogate is in it.
    """
    return not _NOT_TEXT.search(value)


def file_fault(file: str, rule: str, *, line: int | None = None) -> Fault:
    """
    Say why a file, a line of it, or the rest of it, cannot be read.

    Parameters
    ----------
    file : str
        Its name.
    rule : str
        What is allowed, and what to do.
    line : int or None
        Where; None for the whole file.

    Returns
    -------
    fault : Fault
        Without a field.
    """
    return Fault(file=file, line=line, field="", value="", rule=rule)


def bad_row(file: str, line: int, rule: str) -> RawRow:
    """
    Stand in for a row that cannot be read.

    Parameters
    ----------
    file : str
        Its file's name.
    line : int
        Where it begins.
    rule : str
        What is allowed, and what to do.

    Returns
    -------
    row : RawRow
        Without cells.
    """
    return RawRow(line=line, cells={}, faults=(file_fault(file, rule, line=line),))


def text_row(file: str, line: int, cells: dict[str, Cell], *faults: Fault) -> RawRow:
    """
    Make a row, after a look whether its texts are texts.

    Parameters
    ----------
    file : str
        Its file's name.
    line : int
        Where it begins.
    cells : dict of str to Cell
        By column.
    *faults : Fault
        Found so far.

    Returns
    -------
    row : RawRow
        With a fault more for every text that is not UTF-8 or holds a NUL.
    """
    texts = {name: cell for name, cell in cells.items() if isinstance(cell, str)}
    if is_text("".join([*texts, *texts.values()])):
        return RawRow(line=line, cells=cells, faults=faults)
    rule = "must be UTF-8 text without NUL; save the file as UTF-8"
    unfit = (
        Fault(file=file, line=line, field=shown(name), value=shown(text), rule=rule)
        for name, text in texts.items()
        if not is_text(name + text)
    )
    return RawRow(line=line, cells=cells, faults=(*faults, *unfit))


def text_lines(stream: IO[bytes], file: str) -> Iterator[str]:
    """
    Read lines; bytes that are not UTF-8 come as lone surrogates, for `text_row` to find.

    Parameters
    ----------
    stream : binary file
        UTF-8, with or without a byte order mark.
    file : str
        Its name, for messages.

    Yields
    ------
    line : str
        With its line end, at most 1 MiB.

    Raises
    ------
    TableError
        If a line is too long, or the file begins like UTF-16 or like no text.
    """
    for number in count(1):
        line = stream.readline(MAX_LINE_BYTES + 1)
        if number == 1:
            if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in line:
                raise TableError(
                    [file_fault(file, "must be UTF-8 text, looks like UTF-16; save it as UTF-8")]
                )
            line = line.removeprefix(codecs.BOM_UTF8)
        if not line:
            return
        if len(line) > MAX_LINE_BYTES:
            rule = "must not have a line longer than 1 MiB; the rest was not read"
            raise TableError([file_fault(file, rule, line=number)])
        yield line.decode("utf-8", "surrogateescape")
