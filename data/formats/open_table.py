"""Rows out of files: the ending tells the format; CSV is read here."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from data.errors import TableError
from data.formats.json_rows import read_geojson, read_json_lines
from data.formats.raw import EMPTY, RawTable, bad_row, file_fault, is_text, text_lines, text_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from data.formats.raw import RawRow


@contextmanager
def open_table(path: Path) -> Iterator[RawTable]:
    """
    Open a file of rows; its ending tells the format.

    Parameters
    ----------
    path : Path
        ``.csv``; ``.geojson`` or ``.json``; ``.jsonl`` or ``.ndjson``; ``.parquet`` or
        ``.geoparquet``.

    Yields
    ------
    table : RawTable
        Its rows are read as they are asked for, while the file is open.

    Raises
    ------
    TableError
        If the file cannot be opened or read, has another ending, or is not what its ending says.
    """
    file = str(path)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        rule = f"must end in one of {', '.join(_READERS)}; save a spreadsheet as CSV UTF-8"
        raise TableError([file_fault(file, rule)])
    try:
        with path.open("rb") as stream:
            yield read(stream, file)
    except OSError as error:
        rule = f"cannot be read ({error.strerror or error}); check its name and rights"
        raise TableError([file_fault(file, rule)]) from error


def read_csv(stream: IO[bytes], file: str) -> RawTable:
    """
    Read comma-separated values under a header row.

    Parameters
    ----------
    stream : binary file
        UTF-8, with or without a byte order mark.
    file : str
        Its name, for messages.

    Returns
    -------
    table : RawTable
        Lines as a text editor counts them; a row is on the line on which it begins.

    Raises
    ------
    TableError
        If there is no header, it is not separated by commas, or a line or quote has no end.
    """
    records = _csv_records(stream, file)
    header = next(records, None)
    if header is None:
        rule = f"{EMPTY}; write the header row even if there are no rows"
        raise TableError([file_fault(file, rule)])
    line, names = header
    if isinstance(names, str) or not is_text(" ".join(names)):
        rule = "must have a header of UTF-8 text on a line of its own; save it as CSV UTF-8"
        raise TableError([file_fault(file, rule, line=line)])
    _refuse_other_separators(names, file)
    rows = (_csv_row(file, line, names, cells) for line, cells in records)
    return RawTable(columns=tuple(names), rows=rows)


def _refuse_other_separators(names: list[str], file: str) -> None:
    """
    Name the separator, where a header without a comma has another.

    Raises
    ------
    TableError
        If there are semicolons or tabs.
    """
    for separator, found in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and separator in names[0]:
            rule = f"must have commas between columns, has {found}; save it as CSV UTF-8"
            raise TableError([file_fault(file, f"{rule} (comma delimited), with decimal points")])


def _csv_records(stream: IO[bytes], file: str) -> Iterator[tuple[int, list[str] | str]]:
    """
    Split lines into cells; a text in their place says why a line cannot be split.

    Raises
    ------
    TableError
        If a quote is opened and not properly closed within its line: where the next row begins
        is then anyone's guess.
    """
    reader = csv.reader(text_lines(stream, file), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num > line:
                rule = "opens a quote that is not closed properly; the rest was not read"
                raise TableError([file_fault(file, rule, line=line)]) from error
            yield line, f"must be CSV ({error}); double a quote that is within quotes"
            continue
        if any(cell.strip() for cell in cells):
            yield line, cells


def _csv_row(file: str, line: int, names: list[str], cells: list[str] | str) -> RawRow:
    """Put names to cells."""
    if isinstance(cells, str):
        return bad_row(file, line, cells)
    if len(cells) != len(names):
        rule = (
            f"must have {len(names)} cells, as the header has, has {len(cells)}; "
            "quote a value that holds a comma"
        )
        return bad_row(file, line, rule)
    return text_row(file, line, dict(zip(names, cells, strict=True)))


def _read_parquet(stream: IO[bytes], file: str) -> RawTable:
    """Read Parquet; its library takes longer to import than other formats take to read."""
    from data.formats.parquet import read_parquet  # noqa: PLC0415 - see above

    return read_parquet(stream, file)


_READERS: dict[str, Callable[[IO[bytes], str], RawTable]] = {
    ".csv": read_csv,
    ".geojson": read_geojson,
    ".json": read_geojson,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".parquet": _read_parquet,
    ".geoparquet": _read_parquet,
}
