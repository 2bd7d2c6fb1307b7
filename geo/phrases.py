"""Figures as people say them: ``1:40``, ``12 s``, ``16 min``, ``0.9 km``."""

from __future__ import annotations

import math

MINUTE_S = 60
KILOMETRE_M = 1000
IN_SECONDS_S, IN_CLOCK_S = 120, 600


def clock(seconds: float) -> str:
    """
    Write a drive time as minutes and seconds.

    Returns
    -------
    text : str
        ``1:40``; whole seconds, rounded up, so that no car is promised too soon. A tenth counts
        for nothing.
    """
    whole = math.ceil(round(seconds, 1))
    return f"{whole // MINUTE_S}:{whole % MINUTE_S:02d}"


def ago(seconds: float) -> str:
    """
    Write an age.

    Returns
    -------
    text : str
        ``12 s`` below two minutes, then ``2:30 min``, from ten minutes ``16 min``; rounded up, so
        that nothing old looks fresh.
    """
    whole = math.ceil(seconds)
    if whole < IN_SECONDS_S:
        return f"{whole} s"
    return f"{clock(whole) if whole < IN_CLOCK_S else math.ceil(whole / MINUTE_S)} min"


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
