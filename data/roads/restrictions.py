"""
What OpenStreetMap's relations say about turns: which of them bind a patrol car, and whom they name.

Where on the roads they hold is found by `data.roads.bans`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

BY_THE_HOUR = "turn restrictions by the hour"
MEMBERS_MISSING = "turn restrictions with members missing"
TOO_MANY_MEMBERS = "turn restrictions with too many members"
UNKNOWN_KIND = "turn restrictions of an unknown kind"
ONTO_UNDRIVEN = "turn restrictions that only allow a turn onto a road not driven"

_KEYS = (
    "restriction:motorcar",
    "restriction:motor_vehicle",
    "restriction:vehicle",
    "restriction",
)
_CONDITIONAL = tuple(f"{key}:conditional" for key in _KEYS)
RELATION_KEYS = (*_KEYS, *_CONDITIONAL)
"""Relations with one of these keys may be turn restrictions for cars."""
_HOURS = ("day_on", "day_off", "hour_on", "hour_off")
_EXEMPTS_US = {"motorcar", "motor_vehicle", "vehicle", "emergency"}
_LIFTED = {"", "no", "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """
    A turn that may not be driven, or the only one that may.

    Parameters
    ----------
    kind : str
        OSM's value: ``no_left_turn``, ``only_straight_on`` ...
    from_ways, to_ways : tuple of int
        OSM ids of the ways it leads from and to.
    via_nodes, via_ways : tuple of int
        OSM ids of what lies between.
    """

    kind: str
    from_ways: tuple[int, ...]
    via_nodes: tuple[int, ...]
    via_ways: tuple[int, ...]
    to_ways: tuple[int, ...]

    @property
    def ways(self) -> tuple[int, ...]:
        """All ways it names."""
        return self.from_ways + self.via_ways + self.to_ways


def read_restriction(
    tags: Mapping[str, str], members: Iterable[tuple[str, str, int]]
) -> Restriction | str:
    """
    Read a relation.

    Parameters
    ----------
    tags : mapping of str to str
        The relation's tags.
    members : iterable of tuple of (str, str, int)
        Role, type (``n``, ``w`` or ``r``) and OSM id of each.

    Returns
    -------
    restriction : Restriction or str
        What it says; why it cannot be honoured, in the plural, to be counted; "" for relations
        that do not bind a patrol car.
    """
    exempt = {part.strip() for part in tags.get("except", "").split(";")}
    if tags.get("type") != "restriction" or exempt & _EXEMPTS_US:
        return ""
    kind = next((tags[key] for key in _KEYS if key in tags), "")
    if any(key in tags for key in (_HOURS if kind else _CONDITIONAL)):
        return BY_THE_HOUR
    if kind in _LIFTED or kind.endswith("_on_red"):
        return ""
    if not kind.startswith(("no_", "only_")):
        return UNKNOWN_KIND
    named: dict[tuple[str, str], dict[int, None]] = {}
    for role, entity, ref in members:
        named.setdefault((role, entity), {})[ref] = None
    restriction = Restriction(
        kind=kind,
        from_ways=tuple(named.get(("from", "w"), ())),
        via_nodes=tuple(named.get(("via", "n"), ())),
        via_ways=tuple(named.get(("via", "w"), ())),
        to_ways=tuple(named.get(("to", "w"), ())),
    )
    return _fault(restriction) or restriction


def driven_part(restriction: Restriction, undriven: Container[int]) -> Restriction | str:
    """
    Forget the ways that are no roads of ours.

    Parameters
    ----------
    restriction : Restriction
        As it was mapped.
    undriven : container of int
        Ids of ways that a patrol car does not drive.

    Returns
    -------
    restriction : Restriction or str
        What is left of it; why it cannot be honoured, in the plural, to be counted; "" where it
        does not bind a patrol car.
    """
    from_ways = tuple(way for way in restriction.from_ways if way not in undriven)
    to_ways = tuple(way for way in restriction.to_ways if way not in undriven)
    if not from_ways or any(way in undriven for way in restriction.via_ways):
        return ""
    if not to_ways:
        return ONTO_UNDRIVEN if restriction.kind.startswith("only_") else ""
    return replace(restriction, from_ways=from_ways, to_ways=to_ways)


def _fault(restriction: Restriction) -> str:
    """
    Say why a restriction's members are not those that its kind has.

    Returns
    -------
    reason : str
        "" where they are.
    """
    via = restriction.via_ways or restriction.via_nodes
    if not (restriction.from_ways and via and restriction.to_ways):
        return MEMBERS_MISSING
    several = {
        "no_entry": len(restriction.from_ways),
        "no_exit": len(restriction.to_ways),
    }.get(restriction.kind, 1)
    many_ends = len(restriction.from_ways) + len(restriction.to_ways) > 1 + several
    many_nodes = not restriction.via_ways and len(restriction.via_nodes) > 1
    return TOO_MANY_MEMBERS if many_ends or many_nodes else ""
