"""
Every error rollby raises on purpose. Each is also the builtin a caller would expect.

::

    RollbyError
    ├── InputError (ValueError)            exit 3: bad data
    │   ├── FieldError                     one value of a record: field, value, rule
    │   ├── TableError                     every fault of the files read, in `faults`
    │   ├── SettingError                   a setting's name, kind or range
    │   ├── RoadFileError                  a .roads file cut short, altered or too new
    │   └── RoadSourceError                road data that hold no usable road network
    ├── SourceUnreachableError (ConnectionError)  exit 4: a server that does not answer
    │   ├── data.roads.osmnx_session.ServerBusyError   it is busy; asked again
    │   └── data.store.opening.LedError                another process writes to this store
    ├── rollby.service.oidc.ProviderError (ConnectionError)  HTTP 503: a provider fails
    ├── maps.page.MissingAssetError (LookupError)  exit 1: a bug, a page lacks an asset
    ├── rollby.service.access.SignInError (PermissionError)  HTTP 401, 429: nobody we know
    └── rollby.service.problems.ProblemError  HTTP 4xx: a request that is refused
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class RollbyError(Exception):
    """Base of all errors that rollby raises on purpose."""


class InputError(RollbyError, ValueError):
    """Bad data: the message says what, where, and how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One thing wrong with one value of one row.

    Parameters
    ----------
    file : str
        The file's name as the user gave it.
    line : int or None
        Line in a text file (the header is line 1), row in a Parquet file and feature in
        GeoJSON (the first is 1), None where the whole file is meant.
    field : str
        Column or key; empty where the whole row or file is meant.
    value : str
        What was found, shortened to 80 characters.
    rule : str
        What is allowed, and what to do: ``must be >= 0; leave it empty if unknown``.
    """

    file: str
    line: int | None
    field: str
    value: str
    rule: str

    def __str__(self) -> str:
        """Write it as ``FILE:LINE field=value: rule; remedy``."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        if not self.field:
            return f"{place}: {self.rule}"
        return f"{place} {self.field}={self.value}: {self.rule}"


class TableError(InputError):
    """
    The files read hold faults; all of them are listed.

    Parameters
    ----------
    faults : sequence of Fault
        Every fault found, in the order of file and line.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class FieldError(InputError):
    """
    One value of a record is not allowed.

    Parameters
    ----------
    field : str
        Which value, by the name users know it under.
    value : object
        What it was; None where it is missing.
    rule : str
        What is allowed, and what to do.
    """

    def __init__(self, field: str, value: object, rule: str) -> None:
        self.field = field
        self.value = "" if value is None else str(value)[:80]
        self.rule = rule
        super().__init__(f"{field}={self.value}: {rule}")


class SettingError(InputError):
    """A setting that does not exist, is of the wrong kind, or is out of range."""


class RoadFileError(InputError):
    """A ``.roads`` file that is cut short, altered, or written by a newer rollby."""


class RoadSourceError(InputError):
    """Road data that hold no usable road network, or a place nobody knows."""


class SourceUnreachableError(RollbyError, ConnectionError):
    """A server or source did not answer, or kept refusing."""
