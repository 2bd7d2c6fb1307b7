"""What a table is before it is read, its columns; and after: rows, faults and notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from data.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from data.errors import Fault
    from data.formats.raw import Cell, RawRow

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)  # no slots: `Rows[Stop](...)` fails with them on 3.11
class Rows(Generic[T]):
    """
    What a file held.

    Parameters
    ----------
    rows : tuple of records
        The good rows, in file order.
    lines : tuple of int
        Where they begin: line (the header is line 1), feature or row; as long as `rows`.
    faults : tuple of Fault
        Everything wrong with the others, by line: one entry a value.
    notes : tuple of str
        What the reader should know, though it is no fault.
    file : str
        The file's name.
    complete : bool
        False where the file, one of its required columns, or the rest of it could not be read:
        nothing should be answered from it then, not even without the faulty rows.
    """

    rows: tuple[T, ...]
    lines: tuple[int, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    file: str
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Column:
    """
    A column that we know.

    Parameters
    ----------
    name : str
        As it should be in the file.
    parse : callable
        Makes a value of the column's name and a text; it raises `FieldError` with the rule.
    required : bool
        May not be empty.
    default : object
        The value of an empty cell.
    stand_in : object
        Put in the place of a refused value, so that the record can judge the others.
    many : bool
        May be a list, in formats that have lists.
    """

    name: str
    parse: Callable[[str, str], Any]
    required: bool = False
    default: Any = None
    stand_in: Any = None
    many: bool = False

    def read(self, cell: Cell) -> Any:
        """
        Make a value of a cell.

        Parameters
        ----------
        cell : Cell
            As in the file.

        Returns
        -------
        value : object
            Parsed, or the default.

        Raises
        ------
        FieldError
            If it is missing though required, a list or object, or refused by `parse`.
        """
        if self.many and isinstance(cell, list) and all(isinstance(item, str) for item in cell):
            cell = ";".join(map(str, cell))
        if not isinstance(cell, str):
            raise FieldError(self.name, "list or object", "must be a single value")
        text = cell.strip()
        if not text:
            if self.required:
                raise FieldError(self.name, None, "must be given")
            return self.default
        try:
            return self.parse(self.name, text)
        except FieldError as error:
            if self.required or ";" in error.rule:
                raise
            raise FieldError(self.name, text, f"{error.rule}; leave it empty if unknown") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Generic[T]):
    """
    How rows become records.

    Parameters
    ----------
    columns : tuple of Column
        Those that we know.
    build : callable
        Makes a record of the columns' values and the raw row, or raises `FieldError`.
    unique : tuple of str
        The columns that together name a row; empty if rows may be alike.
    subject : str
        The column by which several rows tell of one thing; empty if each row stands for itself.
    carries_others : bool
        Unknown columns are kept by the record, not passed over.
    """

    columns: tuple[Column, ...]
    build: Callable[[Mapping[str, Any], RawRow], T]
    unique: tuple[str, ...] = ()
    subject: str = ""
    carries_others: bool = False
