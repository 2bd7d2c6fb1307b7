"""What agencies that share a service see of each other: the settings' word, and pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from data.settings import Agencies

View = Literal["all", "status", "none"]
PLACE = ("lon", "lat", "heading_deg", "speed_mps", "accuracy_m")


def view_of(owner: str, viewer: str, agencies: Agencies, *, helping: bool) -> View:
    """
    Tell how much of a unit somebody may see.

    Parameters
    ----------
    owner, viewer : str
        The unit's agency, and the caller's; "" = not told, which hides nothing and sees all.
    agencies : Agencies
        The settings.
    helping : bool
        Whether the unit is asked for, on its way to or at a stop of the viewer's agency.

    Returns
    -------
    view : {'all', 'status', 'none'}
        ``status`` is without its place, but with how soon it could be at a stop.
    """
    if not owner or not viewer or owner == viewer:
        return "all"
    shows = agencies.shows.get(owner, "all")
    if shows == "helping":
        return "all" if helping else "none"
    return shows


def views_of(
    viewer: str,
    agencies: Agencies,
    *,
    agency_of: Mapping[str, str],
    stops: Sequence[dict[str, Any]],
) -> Callable[[str], View]:
    """
    Tell of each unit how much of it somebody may see.

    Parameters
    ----------
    viewer, agencies, agency_of, stops
        As for `shared_picture`.

    Returns
    -------
    view : callable
        Of a unit's name.
    """
    ours = [stop for stop in stops if agency_of.get(stop["unit_id"], "") in {"", viewer}]
    helpers = {unit_id for stop in ours for unit_id in _bound_for(stop)}

    def view(unit_id: str) -> View:
        owner = agency_of.get(unit_id, "")
        return view_of(owner, viewer, agencies, helping=unit_id in helpers)

    return view


def shared_picture(
    picture: dict[str, Any],
    viewer: str,
    agencies: Agencies,
    *,
    agency_of: Mapping[str, str],
    stops: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """
    Leave out of a picture what other agencies do not show.

    Parameters
    ----------
    picture : dict
        ``rollby.live/1``, or its ``stops`` or ``units`` alone; it is not changed.
    viewer : str
        The caller's agency; "" sees all.
    agencies : Agencies
        The settings.
    agency_of : mapping of str to str
        Each unit's agency, by unit_id.
    stops : sequence of dict
        All open stops, whether they are in the picture or not: by them it is known who helps whom.

    Returns
    -------
    picture : dict
        A stop that concerns a unit of the viewer's is whole: somebody is to find it.
    """
    if not viewer or not agencies.shows:
        return picture
    view = views_of(viewer, agencies, agency_of=agency_of, stops=stops)
    shared = dict(picture)
    if "units" in picture:
        shared["units"] = [
            one if view(one["unit_id"]) == "all" else {**one, **dict.fromkeys(PLACE)}
            for one in picture["units"]
            if view(one["unit_id"]) != "none"
        ]
    if "stops" in picture:
        shown = []
        for stop in picture["stops"]:
            sent = any(agency_of.get(unit_id) == viewer for unit_id in _bound_for(stop))
            seen = "all" if sent else view(stop["unit_id"])
            if seen != "none":
                hidden = (
                    {}
                    if seen == "all"
                    else {**dict.fromkeys(("lon", "lat")), "street": "", "beat": ""}
                )
                near = [one for one in stop["nearest"] if view(one["unit_id"]) != "none"]
                shown.append({**stop, **hidden, "nearest": near})
        shared["stops"] = shown
    return shared


def _bound_for(stop: dict[str, Any]) -> Iterable[str]:
    """Name the units that are asked for a stop, on their way to it or there."""
    asked = [stop["asked"]] if stop["asked"] else []
    yield from (one["unit_id"] for one in [*asked, *stop["promised"]])
    yield from stop["there"]
    yield from stop["backup"]
