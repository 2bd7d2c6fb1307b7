"""An in-car router that sends TAIP, for tests and trials: the reader's opposite."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.feeds.instants import DAY_S
from data.feeds.taip import MPH_TO_MPS, checksum

if TYPE_CHECKING:
    from data.records import UnitFix

_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)


def write_taip(
    kind: str, fix: UnitFix, *, device: str = "", source: int = 1, age: int = 2
) -> bytes:
    """
    Write one sentence as a router does, with its checksum.

    Parameters
    ----------
    kind : str
        ``PV``, ``LN``, ``CP`` or ``EV``.
    fix : UnitFix
        What to tell; unknown speed and heading are sent as 0, as receivers do.
    device : str
        Vehicle id; without one no ``;ID=`` is sent.
    source, age : int
        The codes of where the fix is from and how old it is.

    Returns
    -------
    sentence : bytes
        From ``>`` to ``<``.
    """
    name = f";ID={device}" if device else ""
    text = f">R{kind}{_data(kind, fix)}{source}{age}{name};*"
    return f"{text}{checksum(text)}<".encode("ascii")


def _data(kind: str, fix: UnitFix) -> str:
    days, second = divmod((fix.fixed_at - _EPOCH).total_seconds(), DAY_S)
    mph, heading = (fix.speed_mps or 0) / MPH_TO_MPS, fix.heading_deg or 0
    if kind == "LN":
        return (
            f"{second * 1e3:08.0f}{fix.lat_deg * 1e7:+010.0f}{fix.lon_deg * 1e7:+011.0f}+00000000"
            f"{mph * 10:04.0f}+0000{heading * 10:04.0f}00{'0' * 10}"
        )
    if kind == "CP":
        return f"{second:05.0f}{fix.lat_deg * 1e4:+07.0f}{fix.lon_deg * 1e4:+08.0f}"
    event = f"00{days // 7:04.0f}{days % 7:.0f}" if kind == "EV" else ""
    place = f"{fix.lat_deg * 1e5:+08.0f}{fix.lon_deg * 1e5:+09.0f}"
    return f"{event}{second:05.0f}{place}{mph:03.0f}{heading:03.0f}"
