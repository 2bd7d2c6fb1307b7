"""A simulated shift whose idle units stand at posts, and drive back to them along the roads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from data.errors import InputError
from geo.router import many_to_many
from geo.snap import position_on
from geo.starts import starts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geo.network import RoadNetwork
    from geo.shift.car import Car
    from geo.shift.world import World
    from geo.snap import Position

NO_WAY_S = 1e6  # counts as so far when posts are given out


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """
    What a shift is told beforehand.

    Parameters
    ----------
    places : mapping of int to Position
        Where the k-th stop begins: as `geo.shift.truth.Truth` of another shift has it. The nearest
        free unit by road drives there and makes it; a stop without a place is not made.
    posts : tuple of Position
        Where units stand while they are free, no more than there are units. Each is given to one,
        so that the ways from where they begin to patrol are shortest in all; the others patrol.
    """

    places: Mapping[int, Position]
    posts: tuple[Position, ...] = ()


def give_posts(net: RoadNetwork, cars: Sequence[Car], posts: Sequence[Position]) -> None:
    """
    Give each post to a car.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    cars : sequence of Car
        Where they begin.
    posts : sequence of Position
        Where to stand.

    Raises
    ------
    InputError
        If there are more posts than cars.
    """
    check_posts(len(posts), len(cars))
    drive_s = many_to_many(net, starts_of(net, [_begins(net, car) for car in cars]), posts)
    car_rows, post_rows = linear_sum_assignment(np.minimum(drive_s, NO_WAY_S))
    for car, post in zip(car_rows.tolist(), post_rows.tolist(), strict=True):
        cars[car].post = posts[post]


def check_posts(posts: int, units: int) -> None:
    """
    Refuse posts that nobody can stand at.

    Parameters
    ----------
    posts, units : int
        How many.

    Raises
    ------
    InputError
        If there are more posts than units.
    """
    if posts > units:
        raise InputError(f"{posts} posts for {units} units; give no more posts than units on duty")


def _begins(net: RoadNetwork, car: Car) -> Position:
    """Give the place where a car begins; its coordinates do not matter."""
    return position_on(net, *car.trip.at(car.trip.enter_s[0]), 0.0, 0.0)


@dataclass(slots=True)
class Reached:
    """
    Looks at every stop as it begins: how far the nearest free units really are.

    Attributes
    ----------
    nearest_s : dict of int to (float, float)
        By number of the stop: drive times of the nearest and the second nearest, inf for nobody.
    """

    nearest_s: dict[int, tuple[float, float]] = field(default_factory=dict)

    def __call__(self, world: World, at_s: float) -> None:
        """Look."""
        for number in world.truth.places.keys() - self.nearest_s.keys():
            place = world.truth.places[number]
            found = np.sort(world.fleet.drives_s(world.fleet.free(), place, at_s)).tolist()
            first, second = [*found, np.inf, np.inf][:2]
            self.nearest_s[number] = first, second
