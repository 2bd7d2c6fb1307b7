"""Figures as people read them: minutes, miles, clock times. English, whatever the locale."""

from __future__ import annotations

import math
from datetime import UTC
from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import datetime

SpeedUnit = Literal["mph", "km/h"]

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_MILE_M: Final = 1609.344
_FOOT_M: Final = 0.3048
_SHORT_MILE: Final = 0.2
_KM_M: Final = 1000
_MPH_MPS: Final = 0.44704
_KMH_MPS: Final = 1 / 3.6
_MINUTE_S: Final = 60
_PERCENT: Final = "\N{NO-BREAK SPACE}%"
_IN_CLOCK_S: Final = 600
_WHOLE: Final = 100
_LEAST_SHARE: Final = 0.01
_COMPASS: Final = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def way(seconds: float, *, on_foot: bool) -> str:
    """
    Write how long a way takes: ``1:40 by road``, ``0:06 on foot``.

    Parameters
    ----------
    seconds : float
        As `drive` takes them.
    on_foot : bool
        Walked.

    Returns
    -------
    text : str
        Time and manner.
    """
    return f"{drive(seconds)} {'on foot' if on_foot else 'by road'}"


def drive(seconds: float) -> str:
    """
    Write a drive time: ``1:40``, or ``1:02:05`` from an hour on.

    Rounded up to whole seconds, so that no car is promised too soon; a tenth counts for nothing.

    Parameters
    ----------
    seconds : float
        Drive time; not finite = no way.

    Returns
    -------
    text : str
        "no way" where there is none.
    """
    if not 0 <= seconds < float("inf"):
        return "no way"
    minutes, rest = divmod(math.ceil(round(seconds, 1)), _MINUTE_S)
    hours, minutes = divmod(minutes, _MINUTE_S)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def age(seconds: float) -> str:
    """
    Write an age: ``12 s``, ``3:55 min``, ``16 min``, ``2 h 5 min``.

    Rounded up, so that nothing old looks fresh.

    Parameters
    ----------
    seconds : float
        Age.

    Returns
    -------
    text : str
        "age unknown" if it is not finite.
    """
    if not abs(seconds) < float("inf"):
        return "age unknown"
    whole = math.ceil(seconds)
    if whole < 2 * _MINUTE_S:
        return f"{whole} s"
    if whole < _IN_CLOCK_S:
        return f"{drive(whole)} min"
    minutes = math.ceil(whole / _MINUTE_S)
    if minutes < 2 * _MINUTE_S:
        return f"{minutes} min"
    return f"{minutes // _MINUTE_S} h {minutes % _MINUTE_S} min"


def distance(metres: float, unit: SpeedUnit) -> str:
    """
    Write a distance in the unit that goes with the agency's speeds.

    Parameters
    ----------
    metres : float
        Distance.
    unit : {"mph", "km/h"}
        Miles go with mph.

    Returns
    -------
    text : str
        ``0.8 mi`` or ``1.3 km``; ``260 ft`` or ``80 m`` where it is short; from a hundred on
        without decimals: ``1,191 mi``.
    """
    if unit == "mph" and metres < _SHORT_MILE * _MILE_M:
        return f"{round(metres / _FOOT_M, -1):.0f} ft"
    if unit == "km/h" and metres < _KM_M:
        return f"{metres:.0f} m"
    figure, name = (metres / _MILE_M, "mi") if unit == "mph" else (metres / _KM_M, "km")
    return f"{figure:,.0f} {name}" if figure >= _WHOLE else f"{figure:.1f} {name}"


def speed(mps: float, unit: SpeedUnit) -> str:
    """
    Write a speed.

    Parameters
    ----------
    mps : float
        Metres per second.
    unit : {"mph", "km/h"}
        The agency's unit.

    Returns
    -------
    text : str
        ``34 mph`` or ``55 km/h``.
    """
    return f"{mps / (_MPH_MPS if unit == 'mph' else _KMH_MPS):.0f} {unit}"


def heading(degrees: float) -> str:
    """
    Write a heading as the nearest of eight winds.

    Parameters
    ----------
    degrees : float
        Clockwise from north.

    Returns
    -------
    text : str
        ``NE``.
    """
    return _COMPASS[round(degrees / 45) % 8]


def percent(share: float) -> str:
    """
    Write a share in whole percent, never rounded up to certainty.

    Parameters
    ----------
    share : float
        From 0 to 1.

    Returns
    -------
    text : str
        ``42 %``, on one line; ``over 99 %`` just below 1, ``under 1 %`` just above 0, "unknown"
        for NaN.
    """
    if not 0 <= share <= 1:
        return "unknown"
    if 0 < share < _LEAST_SHARE:
        return f"under 1{_PERCENT}"
    if 1 - _LEAST_SHARE < share < 1:
        return f"over 99{_PERCENT}"
    return f"{100 * share:.0f}{_PERCENT}"


def points(share: float) -> str:
    """
    Write how far a share moved.

    Parameters
    ----------
    share : float
        From -1 to 1.

    Returns
    -------
    text : str
        In percentage points with a sign: ``+1.4 points``.
    """
    return f"{100 * share:+.1f} points".replace("-", "\N{MINUS SIGN}")


def chance(p: float | None) -> str:
    """
    Write what a test found.

    Parameters
    ----------
    p : float or None
        Chance of a difference as large by accident; None where there was too little to tell.

    Returns
    -------
    text : str
        ``p = 0.0312``, or that nobody can tell.
    """
    return "too few days to tell" if p is None else f"p = {p:.4f}"


def count(number: int, noun: str) -> str:
    """
    Write a number with its noun.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        Singular; an s makes its plural.

    Returns
    -------
    text : str
        ``1 stop``, ``2 stops``.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def clock(at: datetime, time_zone: str, *, day: bool = False) -> str:
    """
    Write an instant in a time zone.

    Parameters
    ----------
    at : datetime
        Timezone-aware.
    time_zone : str
        IANA name; the settings have checked it.
    day : bool
        With the day before it.

    Returns
    -------
    text : str
        ``02:15:07 MST`` or ``Sat 14 Feb 2026, 02:15:07 MST``.
    """
    local = at.astimezone(UTC if time_zone == "UTC" else ZoneInfo(time_zone))
    time = f"{local:%H:%M:%S} {local.tzname()}"
    if not day:
        return time
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}, {time}"


def week_hour(hour: int) -> str:
    """
    Write an hour of the week.

    Parameters
    ----------
    hour : int
        0 to 167; Monday's first is 0.

    Returns
    -------
    text : str
        ``Mon 02:00 to 03:00``.
    """
    begun = hour % 24
    return f"{_DAYS[hour // 24]} {begun:02}:00 to {begun + 1:02}:00"


def whole_characters(text: str) -> str:
    """
    Write what can neither be sent nor stored, halves of characters and the zero, as its escape.

    Returns
    -------
    text : str
        UTF-8 can hold it, and so can every database.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
