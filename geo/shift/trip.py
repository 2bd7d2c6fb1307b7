"""Where a car is on its way: edges with the instants at which it enters and leaves them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.snap import position_on

if TYPE_CHECKING:
    from data.road_table import FloatArray, IntArray
    from geo.network import RoadNetwork
    from geo.snap import Position


@dataclass(slots=True)
class Trip:
    """
    A drive along edges; before it the car stands at its beginning, after it at its end.

    Attributes
    ----------
    edges : list of int
        In the order driven.
    enter_s : list of float
        When each is entered, seconds since the epoch; one more for the end of the drive.
    begin, end : float
        Shares of the first edge that lie behind at the start, and of the last at the end.
    """

    edges: list[int]
    enter_s: list[float]
    begin: float
    end: float

    @property
    def end_s(self) -> float:
        """When it ends."""
        return self.enter_s[-1]

    def at(self, now_s: float) -> tuple[int, float]:
        """
        Say where the car is.

        Returns
        -------
        edge : int
            The directed edge.
        fraction : float
            Of its length that lies behind.
        """
        i = min(max(bisect_right(self.enter_s, now_s) - 1, 0), len(self.edges) - 1)
        first = self.begin if i == 0 else 0.0
        last = self.end if i == len(self.edges) - 1 else 1.0
        took_s = self.enter_s[i + 1] - self.enter_s[i]
        part = min(max((now_s - self.enter_s[i]) / took_s, 0.0), 1.0) if took_s > 0 else 1.0
        return self.edges[i], first + part * (last - first)


def parked(edge: int, fraction: float, since_s: float, until_s: float) -> Trip:
    """
    Stand at a place.

    Returns
    -------
    trip : Trip
        That goes nowhere.
    """
    return Trip([edge], [since_s, until_s], fraction, fraction)


def driven(
    net: RoadNetwork, way: tuple[list[int], float, float], drive_time_s: float, start_s: float
) -> Trip:
    """
    Drive a way in a given time.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    way : (list of int, float, float)
        As `geo.router.Backward.way` gives it.
    drive_time_s : float
        What it takes in all; shared out over the edges as their own times are.
    start_s : float
        When it sets out.

    Returns
    -------
    trip : Trip
        From end to end.
    """
    edges, begin, end = way
    share = np.ones(len(edges))
    share[-1] = end
    share[0] -= begin
    took_s = np.maximum(share, 0.0) * net.edge_ms[edges] + 1e-6
    enter_s = start_s + np.concatenate([[0.0], np.cumsum(took_s) / took_s.sum() * drive_time_s])
    return Trip(list(edges), enter_s.tolist(), begin, end)


class Ground:
    """
    Places on edges as coordinates.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    """

    def __init__(self, net: RoadNetwork) -> None:
        self._net = net
        owner = np.repeat(np.arange(len(net.edge_ms)), np.diff(net.table.shape_start))
        self._key: FloatArray = owner.astype(np.float64) + np.minimum(net.shape_share, 0.9999)

    def places(
        self, edge: IntArray, fraction: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """
        Give coordinates and direction of travel.

        Parameters
        ----------
        edge : ndarray of int, shape (k,)
            Directed edges.
        fraction : ndarray of float64, shape (k,)
            Of each that lies behind.

        Returns
        -------
        lon_deg, lat_deg, heading_deg : ndarray of float64, shape (k,)
            On the line of the road.
        """
        table = self._net.table
        after = np.searchsorted(self._key, edge + np.minimum(fraction, 0.9999))
        after = np.clip(after, table.shape_start[edge] + 1, table.shape_start[edge + 1] - 1)
        share = self._net.shape_share
        span = np.maximum(share[after] - share[after - 1], 1e-12)
        part = np.clip((fraction - share[after - 1]) / span, 0, 1)
        lon, lat = table.shape_lon_deg, table.shape_lat_deg
        east, north = lon[after] - lon[after - 1], lat[after] - lat[after - 1]
        heading = np.degrees(np.arctan2(east * np.cos(np.radians(lat[after])), north)) % 360
        return lon[after - 1] + part * east, lat[after - 1] + part * north, heading

    def place(self, edge: int, fraction: float) -> tuple[Position, float]:
        """
        Give one place as a position, and the direction of travel.

        Returns
        -------
        position : Position
            On the line of the road.
        heading_deg : float
            Along it.
        """
        lon, lat, heading = self.places(np.array([edge]), np.array([fraction]))
        here = position_on(self._net, edge, fraction, float(lon[0]), float(lat[0]))
        return here, float(heading[0])


def edges_along(net: RoadNetwork, share: FloatArray) -> IntArray:
    """
    Give the edges at shares of all road, along the network's Hilbert curve.

    Returns
    -------
    edges : ndarray of int64, shape of `share`
        Directed, of the main part.
    """
    upto = np.cumsum(net.table.road_m * net.main)
    edges: IntArray = np.minimum(np.searchsorted(upto, share * upto[-1]), len(upto) - 1)
    return edges
