"""What of the live picture stands on TAK's maps, and for whom: pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data.cot_settings import EVERYBODY
from data.feeds.cot_writing import Marker
from data.words import count, drive
from rollby.service.callers import Caller
from rollby.service.rights import Role
from rollby.service.sharing import shared_picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from data.cot_settings import CotOut
    from data.settings import Agencies

ASKED, COMING, ALONE = 0xFFFFFF00, 0xFF00FF00, 0xFFFF0000  # yellow, green, red
LIMITS = "A suggestion, never an order; the dispatcher overrides."


def listener_of(name: str, out: CotOut) -> Caller:
    """
    Say whose eyes see what goes out.

    Returns
    -------
    listener : Caller
        Of an agency, and for units; it has no rights of its own.
    """
    agency = "" if out.agency == EVERYBODY else out.agency
    units = tuple(out.units)
    return Caller(name=f"cot {name}", role=Role.FEED, unit_ids=units, agency=agency, how="command")


def markers_of(
    name: str,
    out: CotOut,
    stops: Sequence[dict[str, Any]],
    agencies: Agencies,
    agency_of: Mapping[str, str],
    *,
    simulated: bool = False,
) -> dict[str, Marker]:
    """
    Say what stands on the maps of a TAK network.

    Parameters
    ----------
    name : str
        Of the settings' table; it is part of every marker's uid.
    out : CotOut
        That table.
    stops : sequence of dict
        Of ``rollby.live/1``: all that are open.
    agencies : Agencies
        What agencies show each other.
    agency_of : mapping of str to str
        Each unit's agency.
    simulated : bool
        Whether nobody is there; every label says so.

    Returns
    -------
    markers : dict of str to Marker
        By uid. None for a stop whose place is unknown, or is not shown to the table's agency.
    """
    listener = listener_of(name, out)
    picture = {"stops": list(stops)}
    shown = shared_picture(picture, listener.agency, agencies, agency_of=agency_of, stops=stops)
    found = {}
    for stop in shown["stops"]:
        if stop["lon"] is None:
            continue
        for uid, label, text, argb, to in _of_stop(stop, out, listener):
            callsigns = dict.fromkeys(out.callsigns.get(one, one) for one in to)
            found[f"rollby.{name}.{uid}"] = Marker(
                uid=f"rollby.{name}.{uid}",
                lon_deg=stop["lon"],
                lat_deg=stop["lat"],
                label=f"SIMULATED {label}" if simulated else label,
                text=text,
                argb=argb,
                to=() if out.audience == "all" else (*callsigns, *out.watchers),
            )
    return found


def _of_stop(
    stop: dict[str, Any], out: CotOut, listener: Caller
) -> Iterator[tuple[str, str, str, int, tuple[str, ...]]]:
    """Give uid, label, text, colour and the units concerned of what there is to say of a stop."""
    here, ours = stop["unit_id"], listener.speaks_for(stop["unit_id"])
    place = f"stop {stop['stop_id']}{', ' if stop['street'] else ''}{stop['street']}"
    if "suggestions" in out.tell:
        if (one := stop["asked"]) and (ours or listener.speaks_for(one["unit_id"])):
            who, way = one["unit_id"], drive(one["drive_time_s"])
            text = f"{who} is asked to roll by {here} at {place}; {way} by road. {LIMITS}"
            yield f"ask.{one['suggestion_id']}", f"{who}: roll by {here}?", text, ASKED, (who,)
        for one in stop["promised"]:
            who = one["unit_id"]
            if ours or listener.speaks_for(who):
                text = f"{who} is on its way to {here} at {place}."
                label = f"{who} on its way to {here}"
                yield f"ask.{one['suggestion_id']}", label, text, COMING, (who, here)
    if "flags" in out.tell and stop["alarm"] and ours:
        missing = count(stop["short"], "officer")
        text = f"{here} is alone at {place}: short of {missing}."
        yield f"alone.{stop['stop_id']}", f"{here} alone", text, ALONE, ()
