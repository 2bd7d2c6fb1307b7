"""Figures as people say them: ``1:40``, ``12 s``, ``16 min``, ``0.9 km``."""

from __future__ import annotations

MINUTE_S = 60
KILOMETRE_M = 1000
AGO_IN_SECONDS_S = 120


def clock(seconds: float) -> str:
    """
    Write a drive time as minutes and seconds.

    Returns
    -------
    text : str
        ``1:40``; whole seconds, rounded up, so that no car is promised too soon.
    """
    whole = int(-(-seconds // 1))
    return f"{whole // MINUTE_S}:{whole % MINUTE_S:02d}"


def ago(seconds: float) -> str:
    """
    Write an age.

    Returns
    -------
    text : str
        ``12 s`` to two minutes, then ``16 min``.
    """
    if seconds <= AGO_IN_SECONDS_S:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE_S:.0f} min"


def distance(metres: float) -> str:
    """
    Write a distance.

    Returns
    -------
    text : str
        ``850 m`` to a kilometre, then ``1.2 km``.
    """
    if metres < KILOMETRE_M:
        return f"{metres:.0f} m"
    return f"{metres / KILOMETRE_M:.1f} km"


def share(fraction: float) -> str:
    """
    Write a share.

    Returns
    -------
    text : str
        ``30 %``; ``under 1 %`` rather than a nought that is none.
    """
    if 0 < fraction < 0.01:  # noqa: PLR2004 - the per cent itself
        return "under 1 %"
    return f"{fraction:.0%}".replace("%", " %")
