"""A phone with ATAK, for tests and trials: the reader's opposite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from takproto.constants import TAKProtoVer
from takproto.functions import xml2proto

from data.feeds.cot_writing import element, write_event

if TYPE_CHECKING:
    from data.records import UnitFix

STALE_S = 75.0  # ATAK's own for a position that is sent at its constant rate


def write_cot(
    fix: UnitFix,
    *,
    uid: str,
    callsign: str = "",
    wire: str = "xml",
    kind: str = "a-f-G-U-C",
    how: str = "m-g",
    stale_s: float = STALE_S,
) -> bytes:
    """
    Write a position.

    Parameters
    ----------
    fix : UnitFix
        What to tell; to the millisecond, in UTC.
    uid, callsign : str
        What the device is called.
    wire : str
        ``xml``, or protobuf with the header of the ``mesh`` or of a ``stream``.
    kind, how : str
        The CoT type, and how the position is known.
    stale_s : float
        How long it holds.

    Returns
    -------
    event : bytes
        As it is sent.
    """
    detail = [element("contact", callsign=callsign, endpoint="*:-1:stcp")] if callsign else []
    detail.append(element("__group", name="Cyan", role="Team Member"))
    if fix.speed_mps is not None:
        course = "" if fix.heading_deg is None else f"{fix.heading_deg}"
        course_told = {"course": course} if course else {}
        detail.append(element("track", speed=f"{fix.speed_mps}", **course_told))
    xml = write_event(
        kind,
        uid,
        fix.fixed_at,
        stale_s=stale_s,
        how=how,
        point=(fix.lon_deg, fix.lat_deg),
        error_m=fix.accuracy_m,
        detail=detail,
    )
    if wire == "xml":
        return xml
    version = TAKProtoVer.MESH if wire == "mesh" else TAKProtoVer.STREAM
    return bytes(xml2proto(xml, version))
