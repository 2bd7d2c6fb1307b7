"""A simulated car: how it patrols, and where it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from data.records import UnitStatus
from data.road_table import METRES_PER_DEG
from geo.shift.trip import Trip, parked

if TYPE_CHECKING:
    from data.road_table import FloatArray
    from geo.network import RoadNetwork
    from geo.snap import Position

LEG_S = 90.0  # a leg of patrol lasts about so long
PARKS = 0.15  # chance to park after a leg
PARKED_S = 240.0  # for so long, on average
PULL = 4.0  # how strongly a beat pulls back whoever is past its edge
LIKED = {"primary": 3.0, "secondary": 3.0, "tertiary": 2.5, "residential": 1.0, "motorway": 0.5}


class Doing(Enum):
    """What a car is up to."""

    PATROL = "patrol"
    STOP = "stop"
    CALL = "call"
    HELP = "help"


@dataclass(slots=True)
class Car:
    """
    One car.

    Attributes
    ----------
    unit_id, agency : str
        Who, and whose.
    row : int
        Its number.
    officers : int
        In it.
    home : (float, float)
        Middle of its beat, metres east and north.
    trip : Trip
        Where it is and goes.
    walk : numpy.random.Generator
        Chooses its patrol.
    skew_s : float
        How far its clock is ahead.
    doing : Doing
        What it is up to.
    status : UnitStatus
        What it shows.
    job : int
        Counts what it was given to do, so that what was planned for an earlier job is dropped.
    pending : str
        The suggestion it is asked with; "" for none.
    helping : str
        The stop it drives to or stands at as backup; "" for none.
    stored : list of tuple
        Fixes that wait for the end of a dead zone.
    last_fix_s : float
        When it last reported, seconds since the epoch.
    was_moving : bool
        It moved when it last did.
    post : Position or None
        Where it stands while it is free; None: it patrols.
    to_post : bool
        It stands there or drives there.
    """

    unit_id: str
    agency: str
    row: int
    officers: int
    home: tuple[float, float]
    trip: Trip
    walk: np.random.Generator
    skew_s: float
    doing: Doing = Doing.PATROL
    status: UnitStatus = UnitStatus.AVAILABLE
    job: int = 0
    pending: str = ""
    helping: str = ""
    stored: list[tuple[float, ...]] = field(default_factory=list)
    last_fix_s: float = -np.inf
    was_moving: bool = False
    post: Position | None = None
    to_post: bool = False

    def take_up(self, doing: Doing, at_s: float) -> None:
        """Do something else from where it stands; what was planned for another job is dropped."""
        self.trip = parked(*self.trip.at(at_s), at_s, at_s)
        self.doing, self.job, self.pending, self.to_post = doing, self.job + 1, "", False


class Patrol:
    """
    How cars drive when nobody calls: a walk along roads within their beats.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    units : int
        How many share them: sets the size of a beat.
    """

    def __init__(self, net: RoadNetwork, units: int) -> None:
        self._net, self._main = net, net.main
        table = net.table
        scale = np.cos(np.radians(table.lat_deg.mean()))
        self.node_m: FloatArray = (
            np.stack([table.lon_deg * scale, table.lat_deg], axis=1) * METRES_PER_DEG
        )
        span = np.ptp(self.node_m, axis=0)
        self.radius_m = float(np.sqrt(span.prod() / units)) / 2
        texts = [table.texts[row] for row in table.highway.tolist()]
        self._liked = np.array([LIKED.get(text, 1.0) for text in texts])
        self._onward = lru_cache(maxsize=None)(self._choices)

    def _choices(self, state: int) -> tuple[list[tuple[int, int, int]], FloatArray, FloatArray]:
        """List the ways on from a state, how liked each is, and where it leads."""
        ways = list(self._net.onward(state))
        twin = self._net.twin[self._net.edge_of(state)] if self._net.turns else -1
        # Nobody patrols where no way leads back, as past the edge of the map.
        back = [way for way in ways if self._main[way[0]]] or ways
        ahead = [way for way in back if way[0] != twin] or back
        edges = [way[0] for way in ahead]
        return ahead, self._liked[edges], self.node_m[self._net.table.head[edges]]

    def leg(self, car: Car, now_s: float) -> Trip:
        """
        Plan the next minute or two.

        Parameters
        ----------
        car : Car
            Where it stands now is where it sets out.
        now_s : float
            When.

        Returns
        -------
        trip : Trip
            Along roads, at their own drive times, turns included; or a while parked.
        """
        net = self._net
        edge, begin = car.trip.at(now_s)
        if car.walk.random() < PARKS:
            return parked(edge, begin, now_s, now_s + car.walk.exponential(PARKED_S))
        edges, enter_s = [edge], [now_s]
        at_s = now_s + (1 - begin) * float(net.edge_ms[edge]) / 1000
        state = net.left_in(edge)
        until_s = now_s + LEG_S
        while at_s < until_s:
            ways, liked, heads = self._onward(state)
            if not ways:
                break
            past = np.hypot(*(heads - car.home).T) / self.radius_m - 1
            weight = liked * np.exp(-PULL * np.maximum(past, 0))
            pick = np.searchsorted(np.cumsum(weight), car.walk.random() * weight.sum())
            edge, state, turn_ms = ways[min(int(pick), len(ways) - 1)]
            enter_s.append(at_s)
            edges.append(edge)
            at_s += (turn_ms + int(net.edge_ms[edge])) / 1000
        if len(edges) == 1 and at_s <= now_s:
            return parked(edge, 1.0, now_s, now_s + LEG_S)
        return Trip(edges, [*enter_s, at_s], begin, 1.0)
