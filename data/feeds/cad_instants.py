"""Instants as dispatch systems write them: ISO 8601, epochs, local time of the agency's zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from data.checking.cells import FUTURE, instant
from data.errors import FieldError

if TYPE_CHECKING:
    from datetime import tzinfo

EPOCHS = {"epoch_s": 1.0, "epoch_ms": 1000.0}
_DIGITS = re.compile(r"-?\d{1,16}(\.\d*)?", re.ASCII)
_LOCAL = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)", re.ASCII | re.IGNORECASE
)


def cad_instant(
    name: str,
    text: str,
    *,
    clock: datetime,
    near: datetime,
    zone: tzinfo | None,
    form: str = "",
    ahead: timedelta = FUTURE,
) -> datetime:
    """
    Read an instant.

    Parameters
    ----------
    name : str
        The column.
    text : str
        Not empty, without blanks around it.
    clock : datetime
        The wall clock, timezone-aware.
    near : datetime
        When it was written: of an hour that comes twice, the last that is not after it is meant.
    zone : tzinfo or None
        Of an instant without an offset; None refuses it.
    form : str
        Empty for ISO 8601; ``epoch_ms`` or ``epoch_s``, whose digits count beside ISO 8601; or as
        `strptime` has it.
    ahead : timedelta
        How far past `clock` it may be.

    Returns
    -------
    value : datetime
        UTC, from the year 2000 to `ahead` of `clock`.

    Raises
    ------
    FieldError
        If it is written in another way, has no offset and no zone, does not exist, or is out of
        that range.
    """
    if form in EPOCHS and _DIGITS.fullmatch(text):
        value = _of_epoch(name, text, EPOCHS[form])
    elif form and form not in EPOCHS:
        value = _as_told(name, text, form)
    elif found := _LOCAL.fullmatch(text):
        value = _as_iso(name, text, f"{found[1]}T{found[2]}")
    else:
        return instant(name, text, clock=clock, ahead=ahead)
    if value.utcoffset() is None:
        if zone is None:
            rule = "must have an offset or Z; or set `time_zone` of the feed"
            raise FieldError(name, text, rule)
        value = _placed(name, text, value, zone, near)
    return instant(name, value.astimezone(UTC).isoformat(), clock=clock, ahead=ahead)


def _of_epoch(name: str, text: str, per_s: float) -> datetime:
    """
    Count from 1970.

    Raises
    ------
    FieldError
        If no calendar has it.
    """
    try:
        return datetime.fromtimestamp(float(text) / per_s, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise FieldError(name, text, "must be an instant that exists") from error


def _as_told(name: str, text: str, form: str) -> datetime:
    """
    Read it as the settings say it is written.

    Raises
    ------
    FieldError
        If it is not.
    """
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - its zone is looked at afterwards
    except ValueError as error:
        raise FieldError(name, text, f"must be written as {form}; see `instants`") from error


def _as_iso(name: str, text: str, iso: str) -> datetime:
    """
    Read it as ISO 8601.

    Raises
    ------
    FieldError
        If there is no such date or time.
    """
    try:
        return datetime.fromisoformat(iso.replace(",", "."))
    except ValueError as error:
        raise FieldError(name, text, "must be a date and time that exist") from error


def _placed(name: str, text: str, local: datetime, zone: tzinfo, near: datetime) -> datetime:
    """
    Say which instant a local time is.

    Raises
    ------
    FieldError
        If clocks were put forward over it, or no calendar has it.
    """
    try:
        both = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        exists = any(one.astimezone(zone).replace(tzinfo=None) == local for one in both)
    except (ValueError, OverflowError):
        exists = False
    if not exists:
        raise FieldError(name, text, f"must exist in {zone}; clocks were put forward over it")
    return max((one for one in both if one <= near + FUTURE), default=min(both))
