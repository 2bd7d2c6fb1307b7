"""One text -> one value: every refusal names what is allowed and what to do."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from data.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

FUTURE = timedelta(seconds=60)
"""Clocks may be so far apart."""

OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before this a clock had never been set."""

ID_CHARACTERS = 100

NO_VALUES = frozenset({"nan", "null", "none", "nil", "n/a", "#n/a", "#ref!", "#name?", "#value!"})
"""What programs write where they have no value; as ids they would make strangers one."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = re.compile(r"\d{9,19}(\.\d*)?", re.ASCII)
_EXCEL_SERIAL = re.compile(r"\d{5}([.,]\d*)?", re.ASCII)
_EXCEL_DATE = re.compile(
    r"\d{1,4}[/.-](\d{1,2}|[A-Z]{3})[/.-]\d{1,4}( .*)?|\d{1,3}:\d\d([:.]\d+)?( [AP]M)?", re.ASCII
)

_ISO = "write ISO 8601 such as 2026-11-23T02:13:00Z"


def number(name: str, text: str) -> float:
    """
    Read a number in plain ASCII, with a decimal point.

    Parameters
    ----------
    name : str
        The column.
    text : str
        Not empty, without blanks around it.

    Returns
    -------
    value : float
        Finite.

    Raises
    ------
    FieldError
        If it is anything else: also NaN, a decimal comma, other digits than 0-9.
    """
    if _NUMBER.fullmatch(text):
        value = float(text)
        if math.isfinite(value):
            return value
    if _DECIMAL_COMMA.fullmatch(text):
        raise FieldError(name, text, "must have a decimal point, not a comma")
    raise FieldError(name, text, "must be a decimal number such as -104.9903")


def whole_number(name: str, text: str) -> int:
    """
    Read a whole number; ``2.0``, as some programs write it, is one.

    Parameters
    ----------
    name : str
        The column.
    text : str
        Not empty, without blanks around it.

    Returns
    -------
    value : int
        Exact.

    Raises
    ------
    FieldError
        If it is no number, or has a fraction.
    """
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not value.is_integer():
        raise FieldError(name, text, "must be a whole number such as 2")
    return int(value)


def instant(name: str, text: str, *, clock: datetime, ahead: timedelta = FUTURE) -> datetime:
    """
    Read an instant: ISO 8601, date and time, with an offset or ``Z``.

    Parameters
    ----------
    name : str
        The column.
    text : str
        Not empty, without blanks around it.
    clock : datetime
        The wall clock, timezone-aware.
    ahead : timedelta
        How far past it an instant may be.

    Returns
    -------
    value : datetime
        UTC, from the year 2000 to `ahead` of `clock`.

    Raises
    ------
    FieldError
        If it is written in another way, has no offset, or is out of that range.
    """
    match = _INSTANT.fullmatch(text.upper())
    if not match:
        raise FieldError(name, text, _instant_rule(text.upper()))
    if not match[2]:
        rule = "must have an offset or Z; add the time zone, such as 2026-11-23T02:13:00-07:00"
        raise FieldError(name, text, rule)
    try:
        value = datetime.fromisoformat(match[1] + match[2]).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise FieldError(name, text, f"must be a date and time that exist; {_ISO}") from error
    if not value <= clock + ahead:
        now = f"{clock.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        rule = f"must not be later than now ({now}); check that clock and its time zone"
        raise FieldError(name, text, rule)
    if not value >= OLDEST:
        rule = f"must not be before {OLDEST:%Y-%m-%d}; that clock was never set"
        raise FieldError(name, text, rule)
    return value


def _instant_rule(text: str) -> str:
    """Say how to mend an instant, by what it looks like."""
    if _DATE.fullmatch(text):
        return f"must have a time of day; {_ISO}"
    if _EPOCH.fullmatch(text):
        return f"must not be seconds since 1970; {_ISO}"
    if _EXCEL_SERIAL.fullmatch(text) or _EXCEL_DATE.fullmatch(text):
        return (
            f"must not be a date of Excel; format its cells as yyyy-mm-ddThh:mm:ssZ in UTC: {_ISO}"
        )
    return f"must be an instant with an offset or Z; {_ISO}"


def identifier(name: str, text: str) -> str:
    """
    Read a call sign or another id.

    Parameters
    ----------
    name : str
        The column.
    text : str
        Not empty, without blanks around it.

    Returns
    -------
    value : str
        In Unicode's composed form (NFC), so that equal ids compare equal.

    Raises
    ------
    FieldError
        If it is a word for none, too long, or holds a semicolon or what cannot be printed.
    """
    value = unicodedata.normalize("NFC", text)
    if value.casefold() in NO_VALUES:
        raise FieldError(name, text, "must be a name, not a word for none")
    if not (value.isprintable() and ";" not in value and len(value) <= ID_CHARACTERS):
        rule = f"must be one line of at most {ID_CHARACTERS} characters without semicolons"
        raise FieldError(name, text, rule)
    return value


def identifiers(name: str, text: str) -> tuple[str, ...]:
    """
    Read ids separated by semicolons.

    Parameters
    ----------
    name : str
        The column.
    text : str
        ``4A1; 4A2``.

    Returns
    -------
    values : tuple of str
        Each once, in the order given; nothing between two semicolons is no id.

    Raises
    ------
    FieldError
        If one of them is not allowed.
    """
    parts = (part.strip() for part in text.split(";"))
    return tuple(dict.fromkeys(identifier(name, part) for part in parts if part))


def word(name: str, text: str, *, words: Mapping[str, T], remedy: str = "") -> T:
    """
    Read one of a list of words: exactly, or else in capitals or small letters.

    Parameters
    ----------
    name : str
        The column.
    text : str
        Not empty, without blanks around it.
    words : mapping of str to value
        What each means.
    remedy : str
        What to do about an unknown one.

    Returns
    -------
    value : object
        Of `words`.

    Raises
    ------
    FieldError
        If it is not among them, or its small and capital letters would decide between two.
    """
    if text in words:
        return words[text]
    folded = text.casefold()
    found = [value for known, value in words.items() if known.casefold() == folded]
    if found and all(value == found[0] for value in found):
        return found[0]
    rule = f"must be one of {', '.join(words)}{'; ' + remedy if remedy else ''}"
    raise FieldError(name, text, rule)
