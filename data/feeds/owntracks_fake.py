"""A phone with OwnTracks, for tests and trials: the reader's opposite."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from data.feeds.owntracks import KMH_MPS

if TYPE_CHECKING:
    from data.records import UnitFix


def write_owntracks(fix: UnitFix, *, tid: str = "") -> bytes:
    """
    Write a position as the app publishes it.

    Parameters
    ----------
    fix : UnitFix
        What to tell; the app sends whole seconds, and the speed in whole km/h.
    tid : str
        Tracker id; without one none is sent.

    Returns
    -------
    message : bytes
        JSON.
    """
    body = {
        "_type": "location",
        "tst": int(fix.fixed_at.timestamp()),
        "lat": fix.lat_deg,
        "lon": fix.lon_deg,
        "vel": None if fix.speed_mps is None else round(fix.speed_mps / KMH_MPS),
        "cog": fix.heading_deg,
        "acc": fix.accuracy_m,
        "tid": tid or None,
    }
    return json.dumps({key: value for key, value in body.items() if value is not None}).encode()
