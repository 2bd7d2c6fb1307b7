"""Posts for idle units: what is wanted, what the solver chose, and what that gives."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data import words
from data.errors import InputError
from geo.as_json import number_json
from geo.nearest import NearestUnits
from geo.post_places import choose_posts, post_places
from geo.starts import starts_of
from rollby.inputs import far_rule, snap_places
from rollby.output import feature
from rollby.past import WHOLE, stops_of_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.beats import Beat
    from data.settings import Settings
    from geo.network import RoadNetwork
    from geo.post_places import Model, PostPlaces
    from geo.posts import Plan
    from geo.snap import Position
    from maps.page import Page
    from maps.style import Manner
    from rollby.past import Extent

    Place = tuple[float, float, float]

PROVEN = 1e-6  # what a solver counts as equal
PLANS = {
    "cover": "These posts",
    "greedy": "Chosen one by one",
    "present": "Today's",
    "by_hand": "By hand",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostsWish:
    """
    What posts are wanted.

    Parameters
    ----------
    count : int
        How many.
    model : {"backup", "expected", "median"}
        As in `geo.post_places.choose_posts`.
    busy : float
        Share of time that a unit is busy.
    present, by_hand : sequence of (lon_deg, lat_deg, heading_deg)
        Posts of today, and of a plan made by hand.
    move_price : float
        What a post must gain to be elsewhere than one of today's.
    candidates : int
        How many places more to choose from.
    solve_s : float
        Seconds for the solver.
    """

    count: int
    model: Model
    busy: float = 0.3
    present: Sequence[Place] = ()
    by_hand: Sequence[Place] = ()
    move_price: float = 0.0
    candidates: int = 200
    solve_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostsPlan:
    """
    Posts that were chosen.

    Parameters
    ----------
    answer : dict
        ``rollby.posts/1``.
    places : PostPlaces
        What they were chosen from.
    posts : tuple of int
        Rows of them.
    """

    answer: dict[str, Any]
    places: PostPlaces
    posts: tuple[int, ...]


def plan_posts(
    net: RoadNetwork,
    wish: PostsWish,
    *,
    settings: Settings,
    beats: Sequence[Beat],
    history: Path | None,
    extent: Extent = WHOLE,
) -> PostsPlan:
    """
    Choose posts, and say what they give beside other plans.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    wish : PostsWish
        What is wanted.
    settings : Settings
        With T.
    beats : sequence of Beat
        With a T of their own.
    history : Path or None
        Whose stops weigh the roads; None for their length.
    extent : Extent
        What of it counts.

    Returns
    -------
    plan : PostsPlan
        The solver's.

    Raises
    ------
    InputError
        If a place is far from any road, or the history holds no stop near one.
    """
    given = _snapped(net, {"present": wish.present, "by-hand": wish.by_hand})
    weight, stops, simulated = net.table.road_m, None, settings.units.simulated
    if history:
        weight, made_up = stops_of_folder(net, history, extent)
        stops, simulated = int(weight.sum()), simulated or made_up
        if not stops:
            raise InputError("the history holds no stop with a place near these roads")
    limit_s, present = settings.policy.within_s, len(wish.present)
    places = post_places(
        net, given=given, weight=weight, candidates=wish.candidates, within_s=limit_s, beats=beats
    )
    price = np.where(np.arange(len(places.place)) < present, 0.0, wish.move_price)
    best, greedy = choose_posts(
        places, wish.count, wish.model, busy=wish.busy, move_price=price, limit_s=wish.solve_s
    )
    answer: dict[str, Any] = {
        "schema": "rollby.posts/1",
        "simulated": simulated,
        "model": wish.model,
        "count": wish.count,
        "within_s": limit_s,
        "stops": stops,
        "candidates": len(places.place),
        "value": number_json(best.value, 6),
        "bound": number_json(best.bound, 6),
        "gap": number_json(best.gap, 6),
        "greedy_value": number_json(greedy.value, 6),
        "cover": _cover(places, best.posts),
        "greedy": _cover(places, greedy.posts),
        "present": _cover(places, range(present)),
        "by_hand": _cover(places, range(present, len(given))),
        "posts": _posts(net, places, best, present),
    }
    return PostsPlan(answer=answer, places=places, posts=best.posts)


def draw_posts(net: RoadNetwork, plan: PostsPlan, manner: Manner) -> Page:
    """
    Draw the posts, and how soon two cars would be anywhere from there.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    plan : PostsPlan
        What was chosen.
    manner : Manner
        How figures are written, and what the page offers.

    Returns
    -------
    page : Page
        Of `maps.posts_map`.
    """
    from maps.posts_map import posts_page  # noqa: PLC0415 - folium takes half a second

    answer, posts = plan.answer, [plan.places.place[row] for row in plan.posts]
    return posts_page(
        net.table,
        NearestUnits(net, starts_of(net, posts), k=2).at_middles()[1],
        answer["posts"],
        plans={title: answer[name] for name, title in PLANS.items() if answer[name]},
        where=weighed(answer),
        proof=proof(answer["gap"]),
        within_s=answer["within_s"],
        simulated=answer["simulated"],
        manner=manner,
    )


def _snapped(net: RoadNetwork, options: dict[str, Sequence[Place]]) -> list[Position]:
    """
    Put the places of options on the road.

    Raises
    ------
    InputError
        If some are far from any.
    """
    named = [(option, place) for option, places in options.items() for place in places]
    positions = snap_places(net, [place for _, place in named])
    far = [
        f"--{option} {lon},{lat}: {far_rule(net, lon, lat)}"
        for (option, (lon, lat, _)), position in zip(named, positions, strict=True)
        if position is None
    ]
    if far:
        raise InputError("\n".join(far))
    return [position for position in positions if position is not None]


def _cover(places: PostPlaces, posts: Sequence[int]) -> dict[str, float | None] | None:
    """Write what posts give; null where there are none."""
    if not posts:
        return None
    return {name: number_json(one, 4) for name, one in asdict(places.covered_by(posts)).items()}


def _posts(net: RoadNetwork, places: PostPlaces, plan: Plan, present: int) -> list[dict[str, Any]]:
    """List the posts of a plan."""
    return [
        {
            "post": f"P{number}",
            "lon": round(places.place[row].snapped_lon_deg, 7),
            "lat": round(places.place[row].snapped_lat_deg, 7),
            "street": net.table.street(places.place[row].edge),
            "present": row < present,
        }
        for number, row in enumerate(plan.posts, 1)
    ]


def posts_geojson(answer: dict[str, Any]) -> dict[str, Any]:
    """
    Write the posts for a GIS.

    Parameters
    ----------
    answer : dict
        ``rollby.posts/1``.

    Returns
    -------
    collection : dict
        GeoJSON.
    """
    features = [
        feature(
            {"type": "Point", "coordinates": [one["lon"], one["lat"]]},
            {"id": one["post"], **{name: one[name] for name in ("post", "street", "present")}}
            | {"simulated": answer["simulated"]},
        )
        for one in answer["posts"]
    ]
    return {"type": "FeatureCollection", "features": features}


def weighed(answer: dict[str, Any]) -> str:
    """Say what shares are of."""
    return f"{answer['stops']:,} stops" if answer["stops"] else "road"


def proof(gap: float) -> str:
    """
    Say how sure it is that no choice is better.

    Parameters
    ----------
    gap : float
        What may be left to gain, as a share.

    Returns
    -------
    sentence : str
        For the table and the map.
    """
    if gap < PROVEN:
        return "Proved: no choice of these places is better."
    share = words.percent(gap)
    return f"The solver's time was up: another choice may be better by up to {share}."
