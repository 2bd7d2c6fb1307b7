"""Places where an idle unit may stand, and how soon it would be where stops begin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geo.coverage import edge_within_s
from geo.demand import demand_points
from geo.posts import (
    Plan,
    cover_most,
    covered,
    expected_worth,
    greedily,
    mean_drive_s,
    nearest_on_average,
    net_cover,
    priced_mean_s,
)
from geo.router import many_to_many
from geo.snap import middle_of
from geo.starts import starts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.beats import Beat
    from data.road_table import BoolArray, FloatArray
    from geo.network import RoadNetwork
    from geo.snap import Position

Model = Literal["backup", "expected", "median"]
NOT_STOOD_ON = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
"""Classes of road on which no post is looked for: nobody stands there for an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPlaces:
    """
    What the models of `geo.posts` choose from.

    Parameters
    ----------
    place : tuple of Position, length p
        Where one may stand.
    time_s : ndarray of float64, shape (z, p)
        From each place to each point of the demand; inf where there is no way.
    share : ndarray of float64, shape (z,)
        Of the demand.
    within_s : ndarray of float64, shape (z,)
        T at each point.
    """

    place: tuple[Position, ...]
    time_s: FloatArray
    share: FloatArray
    within_s: FloatArray

    @property
    def reach(self) -> BoolArray:
        """Which point is within T of which place, shape (z, p)."""
        return self.time_s <= self.within_s[:, None]

    def covered_by(self, posts: Sequence[int]) -> Cover:
        """
        Sum up what some posts give.

        Parameters
        ----------
        posts : sequence of int
            Rows of `place`.

        Returns
        -------
        cover : Cover
            By plain drive times, all of them free.
        """
        rows = list(posts)
        reach = self.reach[:, rows]
        return Cover(
            first=covered(reach, self.share, [1.0]),
            second=covered(reach, self.share, [0.0, 1.0]),
            mean_drive_s=mean_drive_s(self.time_s[:, rows], self.share),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """
    What posts give to the demand.

    Parameters
    ----------
    first, second : float
        Share of it within T of one post, and of two.
    mean_drive_s : float
        From the nearest, an hour where nobody comes.
    """

    first: float
    second: float
    mean_drive_s: float


def post_places(
    net: RoadNetwork,
    *,
    given: Sequence[Position],
    weight: FloatArray,
    candidates: int,
    within_s: float,
    beats: Sequence[Beat] = (),
) -> PostPlaces:
    """
    Spread places to stand over the roads, and work out the way from each to the demand.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    given : sequence of Position
        Places that are always among them, and come first.
    weight : ndarray of float64, shape (m,)
        Where stops begin: how many on each edge, or its length.
    candidates : int
        How many places more, at most: the middles of edges, spread as the roads are.
    within_s : float
        T, seconds, where no beat has its own.
    beats : sequence of Beat
        With a T of their own.

    Returns
    -------
    places : PostPlaces
        The demand is `geo.demand.demand_points`.
    """
    barred = [row for row, text in enumerate(net.table.texts) if text in NOT_STOOD_ON]
    good = net.from_main & net.to_main & ~np.isin(net.table.highway, barred)
    stand = demand_points(np.where(good, net.table.road_m, 0.0), candidates)
    demand = demand_points(weight)
    place = (*given, *(middle_of(net, edge) for edge in stand.edge.tolist()))
    ends = [middle_of(net, edge) for edge in demand.edge.tolist()]
    return PostPlaces(
        place=place,
        time_s=many_to_many(net, starts_of(net, place), ends).T,
        share=demand.share,
        within_s=edge_within_s(net, beats, within_s)[demand.edge],
    )


def choose_posts(
    places: PostPlaces,
    count: int,
    model: Model,
    *,
    busy: float = 0.3,
    move_price: FloatArray,
    limit_s: float = 60.0,
) -> tuple[Plan, Plan]:
    """
    Choose posts by a model, and one by one beside it.

    Parameters
    ----------
    places : PostPlaces
        What to choose from.
    count : int
        How many posts.
    model : {"backup", "expected", "median"}
        What is to be best: the first and the second car within T, each half; as many free cars
        within T as further ones are worth while cars are busy; the mean drive time.
    busy : float
        Of the expected model: the share of time a car is busy.
    move_price : ndarray of float64, shape (p,)
        As `geo.posts.cover_most` and `geo.posts.nearest_on_average` have it.
    limit_s : float
        Time for the solver, seconds.

    Returns
    -------
    best, greedy : Plan
        The solver's; and what one by one gives, whose bound is the solver's.

    Raises
    ------
    InputError
        As the two raise it, and if `busy` is out of range.
    """
    share, reach = places.share, places.reach
    solver: dict[str, Any] = {"move_price": move_price, "limit_s": limit_s}
    if model == "median":
        value = partial(priced_mean_s, places.time_s, share, move_price)
        best, sign = nearest_on_average(places.time_s, share, count, **solver), -1
    else:
        worth = expected_worth(count, busy) if model == "expected" else np.array([0.5, 0.5])
        value = partial(net_cover, reach, share, worth, move_price)
        best, sign = cover_most(reach, share, count, worth, **solver), 1
    posts = greedily(len(places.place), count, lambda posts: sign * value(posts))
    return best, Plan(posts=posts, value=value(list(posts)), bound=best.bound)
