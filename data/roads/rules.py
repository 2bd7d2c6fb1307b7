"""
Which ways a patrol car drives, which way round, and what it meets on them.

The one place for these rules: every source of roads asks here. Each rule, its reason and its test
are in docs/roads.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Direction = Literal["forward", "backward"]

ROAD_CLASSES = (
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "primary",
    "primary_link",
    "secondary",
    "secondary_link",
    "tertiary",
    "tertiary_link",
    "unclassified",
    "residential",
    "living_street",
    "road",
)
"""Classes a patrol car drives, from the fastest to the slowest."""
NOT_FOR_CARS = "ways not for cars"
SERVICE = "service"
SERVICE_ROADS = "service roads"
"""Alleys, car parks and driveways; on request all, else those of no kind that join streets."""

_UNBUILT = {"construction", "planned", "proposed"}
_GONE = ("abandoned", "disused")
_ACCESS = ("motorcar", "motor_vehicle", "vehicle", "access")
_ACCESS_TAGS = {f"{key}{way}" for key in _ACCESS for way in ("", ":forward", ":backward")}
_MAY_PASS = {
    "customers",
    "designated",
    "destination",
    "emergency",
    "permissive",
    "public",
    "yes",
}
_SAYS_NOTHING = {"", "unknown"}
_ONEWAY = ("oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway")
_ALONG = {"yes", "true", "1"}
_AGAINST = {"-1", "reverse"}
_BOTH = {"no", "false", "0", "alternating"}
_ONEWAY_CLASSES = {"motorway", "motorway_link"}
_ONEWAY_JUNCTIONS = {"roundabout", "circular"}
_BARRIERS = {
    "block",
    "bollard",
    "bus_trap",
    "chain",
    "cycle_barrier",
    "debris",
    "jersey_barrier",
    "kissing_gate",
    "log",
    "motorcycle_barrier",
    "planter",
    "stile",
    "sump_buster",
    "turnstile",
}

PASSABLE_BARRIERS = frozenset(
    {
        "border_control",
        "bump_gate",
        "cattle_grid",
        "checkpoint",
        "gate",
        "hampshire_gate",
        "lift_gate",
        "sally_port",
        "sliding_gate",
        "swing_gate",
        "toll_booth",
    }
)
"""What a car passes, slowly or after somebody has opened it, unless its access tags say no."""
_HALTING_SIGNS = {"give_way", "mini_roundabout", "stop", "traffic_signals"}
CUTTING_SIGNS = PASSABLE_BARRIERS | _HALTING_SIGNS
"""Nodes that a road is cut at, so that a drive over them can be charged."""
_OTHER_SIGNS = {"crossing", "turning_circle", "turning_loop"}
_FACES = {"forward": 1, "backward": -1}

WAY_TAGS = (
    "highway",
    "route",
    "area",
    "junction",
    "service",
    "emergency",
    *_GONE,
    *_ONEWAY,
    *sorted(_ACCESS_TAGS),
    "name",
    "ref",
    "lanes",
    "driving_side",
    "surface",
    "maxspeed",
    "maxspeed:forward",
    "maxspeed:backward",
)
"""Every tag of a way that a rule or a column reads."""
NODE_TAGS = ("highway", "direction", "traffic_signals:direction", "barrier", "emergency", *_ACCESS)
"""Every tag of a node that a rule or a column reads."""


def reason_left_out(tags: Mapping[str, str]) -> str:
    """
    Say why a patrol car does not drive a way.

    Parameters
    ----------
    tags : mapping of str to str
        The way's tags.

    Returns
    -------
    reason : str
        In the plural, to be counted: ``private roads``; "" where the way is a road to drive, or a
        service road that may be one (`data.roads.joining`).
    """
    highway = tags.get("highway", "")
    reasons = {
        "ferries": tags.get("route") == "ferry",
        "roads not built yet": highway in _UNBUILT,
        NOT_FOR_CARS: highway not in ROAD_CLASSES and highway != SERVICE,
        "abandoned roads": any(tags.get(key) == "yes" for key in _GONE),
        "areas": tags.get("area") == "yes",
        "reversible roads": _oneway(tags) == "reversible",
    }
    for reason, holds in reasons.items():
        if holds:
            return reason
    if True in directions(tags):
        return ""
    private = "private" in {_closed_by(tags, "forward"), _closed_by(tags, "backward")}
    return "private roads" if private else "closed roads"


def directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """
    Say which way round a road is driven.

    Parameters
    ----------
    tags : mapping of str to str
        The way's tags.

    Returns
    -------
    forward, backward : bool
        Along the way as it was drawn, and against it.
    """
    oneway = _oneway(tags)
    implied = (
        tags.get("highway") in _ONEWAY_CLASSES or tags.get("junction") in _ONEWAY_JUNCTIONS
    ) and oneway not in _BOTH
    forward = oneway not in _AGAINST
    backward = oneway in _AGAINST or not (oneway in _ALONG or implied)
    return (
        forward and not _closed_by(tags, "forward"),
        backward and not _closed_by(tags, "backward"),
    )


def directed(tags: Mapping[str, str], key: str, direction: Direction) -> str:
    """
    Read a tag that a way may give for each direction.

    Parameters
    ----------
    tags : mapping of str to str
        The way's tags.
    key : str
        The tag, such as ``maxspeed``.
    direction : {"forward", "backward"}
        Along the way as it was drawn, or against it.

    Returns
    -------
    text : str
        The direction's own, else the way's, else "".
    """
    return tags.get(f"{key}:{direction}") or tags.get(key, "")


def sign(tags: Mapping[str, str]) -> tuple[str, int]:
    """
    Read the signal, sign, passable barrier or crossing at a node.

    Parameters
    ----------
    tags : mapping of str to str
        The node's tags.

    Returns
    -------
    text : str
        OSM's value of ``highway``, or of ``barrier`` where cars pass it and no signal or sign
        makes them halt; "" where the node has nothing that matters to a drive.
    faces : int
        The traffic it is for, along the way as it was drawn: 1 forward, -1 backward, 0 both or
        unknown.
    """
    text = tags.get("highway", "")
    barrier = tags.get("barrier", "")
    if text not in _HALTING_SIGNS and barrier in PASSABLE_BARRIERS and not blocks(tags):
        return barrier, 0
    if text not in _HALTING_SIGNS and text not in _OTHER_SIGNS:
        return "", 0
    facing = tags.get("traffic_signals:direction") or tags.get("direction", "")
    return text, _FACES.get(facing, 0)


def blocks(tags: Mapping[str, str]) -> bool:
    """
    Say whether a barrier at a node stops a patrol car.

    Parameters
    ----------
    tags : mapping of str to str
        The node's tags.

    Returns
    -------
    blocked : bool
        True for what no car can pass, and for gates closed to cars.
    """
    barrier = tags.get("barrier", "")
    if not barrier:
        return False
    says = [tags[key] for key in (*_ACCESS, "emergency") if tags.get(key, "") not in _SAYS_NOTHING]
    return bool(_closed_by(tags, "forward")) if says else barrier in _BARRIERS


def count_left_out(left_out: Mapping[str, int]) -> str:
    """
    Write what was left out of a source, the most frequent first.

    Parameters
    ----------
    left_out : mapping of str to int
        How many for each reason.

    Returns
    -------
    text : str
        Such as ``service roads: 1,204; ferries: 1``; "" if nothing was left out.
    """
    by_count = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(f"{reason}: {count:,}" for reason, count in by_count)


def _oneway(tags: Mapping[str, str]) -> str:
    """Read the most particular of the ``oneway`` tags, "" if there is none."""
    return next((tags[key] for key in _ONEWAY if key in tags), "")


def _closed_by(tags: Mapping[str, str], direction: Direction) -> str:
    """
    Name the access value that closes a road to a patrol car in one direction.

    The most particular key decides: ``motorcar`` before ``motor_vehicle`` before ``vehicle``
    before ``access``, and each for the direction before the same for both.

    Returns
    -------
    value : str
        Such as ``private``; "" where the road is open.
    """
    if _ACCESS_TAGS.isdisjoint(tags) or tags.get("emergency") in {"yes", "designated"}:
        return ""
    for key in _ACCESS:
        value = directed(tags, key, direction)
        if value not in _SAYS_NOTHING:
            parts = {part.strip() for part in value.split(";")}
            return "" if parts & _MAY_PASS else value
    return ""
