"""When a fix was taken, of devices that tell the second of a day or of a GPS week only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from data.errors import FieldError

DAY_S = 86_400
AHEAD_S = 60.0
_WEEK_S = 7 * DAY_S
_ERA_S = 1024 * _WEEK_S  # receivers send the week modulo 1024, or wrongly by so much
_GPS_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)


def nearest_day(second: float, arrived_at: datetime) -> datetime:
    """
    Find the instant nearest to the arrival that is `second` seconds into a day (UTC).

    Parameters
    ----------
    second : float
        Of the day, 0 to 86400.
    arrived_at : datetime
        Timezone-aware.

    Returns
    -------
    instant : datetime
        In UTC; at most twelve hours before the arrival.

    Raises
    ------
    FieldError
        If it would be more than a minute after the arrival.
    """
    midnight = arrived_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return _nearest(midnight + timedelta(seconds=second), DAY_S, arrived_at)


def nearest_week(week: int, second: float, arrived_at: datetime) -> datetime:
    """
    Find the instant of a GPS week, of whichever 1024 weeks are nearest to the arrival.

    Parameters
    ----------
    week : int
        Since 1980-01-06, whole or modulo 1024.
    second : float
        Of the week, which begins on Sunday.
    arrived_at : datetime
        Timezone-aware.

    Returns
    -------
    instant : datetime
        In UTC.

    Raises
    ------
    FieldError
        If it would be more than a minute after the arrival.
    """
    return nearest_era(_GPS_EPOCH + timedelta(weeks=week, seconds=second), arrived_at)


def nearest_era(instant: datetime, arrived_at: datetime) -> datetime:
    """
    Mend the date of a receiver whose week count has rolled over, as it does every 1024 weeks.

    Parameters
    ----------
    instant, arrived_at : datetime
        As told, and when; timezone-aware.

    Returns
    -------
    instant : datetime
        In UTC; moved by as many times 1024 weeks as bring it nearest to the arrival.

    Raises
    ------
    FieldError
        If it would be more than a minute after the arrival.
    """
    return _nearest(instant, _ERA_S, arrived_at)


def _nearest(instant: datetime, period_s: int, arrived_at: datetime) -> datetime:
    """
    Move by whole periods to where it is nearest to the arrival.

    Raises
    ------
    FieldError
        If it would be more than a minute after the arrival.
    """
    late_s = (arrived_at - instant).total_seconds()
    nearest = instant + timedelta(seconds=period_s * round(late_s / period_s))
    ahead_s = (nearest - arrived_at).total_seconds()
    if not ahead_s <= AHEAD_S:
        rule = f"must not be {ahead_s:.0f} s after its arrival; set the device's clock to GPS"
        raise FieldError("fixed_at", nearest.isoformat(), rule)
    return nearest
