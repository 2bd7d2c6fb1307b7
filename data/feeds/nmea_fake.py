"""An in-car router that sends NMEA 0183, for tests and trials: the reader's opposite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.feeds.nmea import KNOT_TO_MPS, checksum

if TYPE_CHECKING:
    from data.records import UnitFix


def write_nmea(kind: str, fix: UnitFix) -> bytes:
    """
    Write one sentence as a receiver does, with its checksum.

    Parameters
    ----------
    kind : str
        ``RMC``, ``GGA`` or ``VTG``.
    fix : UnitFix
        What to tell; what is unknown is left empty.

    Returns
    -------
    sentence : bytes
        From ``$`` to the line's end.
    """
    time, date = f"{fix.fixed_at:%H%M%S.%f}"[:10], f"{fix.fixed_at:%d%m%y}"
    place = f"{_angle(fix.lat_deg, 2, 'NS')},{_angle(fix.lon_deg, 3, 'EW')}"
    speed_kn = "" if fix.speed_mps is None else f"{fix.speed_mps / KNOT_TO_MPS:.3f}"
    course_deg = "" if fix.heading_deg is None else f"{fix.heading_deg:.2f}"
    bodies = {
        "RMC": f"GPRMC,{time},A,{place},{speed_kn},{course_deg},{date},,,A",
        "GGA": f"GPGGA,{time},{place},1,09,0.9,1609.3,M,-17.0,M,,",
        "VTG": f"GPVTG,{course_deg},T,,M,{speed_kn},N,,K,A",
    }
    return f"${bodies[kind]}*{checksum(bodies[kind])}\r\n".encode("ascii")


def _angle(angle_deg: float, digits: int, signs: str) -> str:
    """Write degrees and minutes, and the hemisphere."""
    degrees, minutes = divmod(round(abs(angle_deg) * 60, 5), 60)
    return f"{degrees:0{digits}.0f}{minutes:08.5f},{signs[angle_deg < 0]}"
