"""A fix -> the directed edge it is on, by distance, heading, accuracy and speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.errors import InputError
from geo.drive_model import RESPONSE, ROUTINE
from geo.kernels import snap as kernel
from geo.kernels.snap import FAR_M
from geo.snap_grid import ARRIVING, SETTING_OUT
from geo.starts import starts_at

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, Int32Array
    from geo.kernels.snap import Roads
    from geo.network import RoadNetwork
    from geo.starts import Starts

__all__ = [
    "FAR_M",
    "NEAR_M",
    "UNSURE",
    "Position",
    "Snapped",
    "opposite",
    "roads_of",
    "snap",
    "snap_all",
    "snap_batch",
]

NEAR_M = 50.0  # no road so near: the position is used with a note
UNSURE = 0.6  # less confidence than that: two roads are nearly as likely


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """
    A place on the road: a directed edge and a fraction of it.

    Parameters
    ----------
    lon_deg, lat_deg : float
        Where it was reported.
    snapped_lon_deg, snapped_lat_deg : float
        Where on the road that is.
    offset_m : float
        Between the two.
    edge : int
        The directed edge's row.
    fraction : float
        Of the edge's length, from its tail, 0 to 1.
    turn_round_s : float or None
        What it costs to set out on the same road the other way; None where there is no other way.
        0 where the heading is unknown.
    any_way : bool
        As in `Snapped`.
    passed_over : int or None
        A nearer edge that was not taken, because it is cut off from the main part.
    runner_up : int or None
        As in `Snapped`; None for none.
    confidence : float
        As in `Snapped`.
    """

    lon_deg: float
    lat_deg: float
    snapped_lon_deg: float
    snapped_lat_deg: float
    offset_m: float
    edge: int
    fraction: float
    turn_round_s: float | None
    any_way: bool = False
    passed_over: int | None = None
    runner_up: int | None = None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapped:
    """
    Many places on the road, column by column; each array of shape (k,).

    Parameters
    ----------
    lon_deg, lat_deg : ndarray of float64
        Where they were reported.
    edge : ndarray of int32
        The directed edge's row; -1 where no road lies within `FAR_M`, or the place is unknown.
    fraction : ndarray of float64
        Of the edge's length, from its tail, 0 to 1; NaN where there is no edge, as all that
        follows.
    offset_m : ndarray of float64
        From the report to the road.
    snapped_lon_deg, snapped_lat_deg : ndarray of float64
        Where on the road that is.
    runner_up : ndarray of int32
        The likeliest other road: neither the edge, nor its twin, nor one that only goes on from
        its end. -1 where none is a hundredth as likely.
    confidence : ndarray of float64
        How sure road and carriageway are, 0 to 1: the edge's likelihood against the runner-up's.
        0 where there is no edge.
    turn_round_ms : ndarray of int32
        What setting out the other way costs: 0 where the heading is unknown, -1 where there is no
        other way.
    any_way : ndarray of bool
        At an end of the edge, without a heading: it may set out on any road from there.
    passed_over : ndarray of int32
        A nearer edge that was not taken, because it is cut off from the main part; -1 for none.
    """

    lon_deg: FloatArray
    lat_deg: FloatArray
    edge: Int32Array
    fraction: FloatArray
    offset_m: FloatArray
    snapped_lon_deg: FloatArray
    snapped_lat_deg: FloatArray
    runner_up: Int32Array
    confidence: FloatArray
    turn_round_ms: Int32Array
    any_way: BoolArray
    passed_over: Int32Array

    def position(self, i: int) -> Position | None:
        """
        Pick one place.

        Returns
        -------
        position : Position or None
            None where there is no road.
        """
        edge, round_ms = int(self.edge[i]), int(self.turn_round_ms[i])
        runner_up, passed_over = int(self.runner_up[i]), int(self.passed_over[i])
        if edge < 0:
            return None
        return Position(
            lon_deg=float(self.lon_deg[i]),
            lat_deg=float(self.lat_deg[i]),
            snapped_lon_deg=float(self.snapped_lon_deg[i]),
            snapped_lat_deg=float(self.snapped_lat_deg[i]),
            offset_m=float(self.offset_m[i]),
            edge=edge,
            fraction=float(self.fraction[i]),
            turn_round_s=None if round_ms < 0 else round_ms / 1000,
            any_way=bool(self.any_way[i]),
            passed_over=None if passed_over < 0 else passed_over,
            runner_up=None if runner_up < 0 else runner_up,
            confidence=float(self.confidence[i]),
        )

    def starts(self, net: RoadNetwork) -> Starts:
        """
        List the edges on which the places lie, for searches.

        Parameters
        ----------
        net : RoadNetwork
            That they were snapped on, or a patched one of the same roads.

        Returns
        -------
        starts : Starts
            In the order given; no edge where there is no road.
        """
        fraction = np.where(self.edge < 0, 0.0, self.fraction)
        return starts_at(net, self.edge, fraction, self.turn_round_ms, self.any_way)


def middle_of(net: RoadNetwork, edge: int) -> Position:
    """
    Give the middle of an edge, reached from both sides where the road is two-way.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    edge : int
        The directed edge's row.

    Returns
    -------
    position : Position
        On it.
    """
    lon_deg, lat_deg = (float(figures[edge]) for figures in net.middle_deg)
    return position_on(net, edge, 0.5, lon_deg, lat_deg)


def position_on(
    net: RoadNetwork, edge: int, fraction: float, lon_deg: float, lat_deg: float
) -> Position:
    """
    Write a known place on an edge as a position, free to turn round.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    edge : int
        The directed edge's row.
    fraction : float
        Of its length, from its tail.
    lon_deg, lat_deg : float
        The place.

    Returns
    -------
    position : Position
        Without an offset.
    """
    return Position(
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        snapped_lon_deg=lon_deg,
        snapped_lat_deg=lat_deg,
        offset_m=0.0,
        edge=edge,
        fraction=fraction,
        turn_round_s=0.0 if net.twin[edge] >= 0 else None,
    )


def opposite(net: RoadNetwork, position: Position) -> bool:
    """
    Tell whether the other road that a position may be on is the opposite carriageway.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    position : Position
        On them.

    Returns
    -------
    opposite : bool
        Both are one-way, and they run against each other within 45 degrees.
    """
    if position.runner_up is None:
        return False
    pair = [position.edge, position.runner_up]
    there, back = (_toward(net, edge, position) for edge in pair)
    return bool(net.table.oneway[pair].all() and there @ back < -np.sqrt(0.5))


def _toward(net: RoadNetwork, edge: int, position: Position) -> FloatArray:
    """Give the direction in which an edge passes a place, as a vector of length 1."""
    lon, lat = net.table.shape(edge)
    scale = np.cos(np.radians(position.lat_deg))
    east = lon - position.lon_deg
    east -= 360 * np.rint(east / 360)  # the short way across the date line
    line = np.stack([east * scale, lat - position.lat_deg], axis=1)
    step = np.diff(line, axis=0)
    square = np.maximum((step**2).sum(axis=1), 1e-30)
    along = np.clip(-(line[:-1] * step).sum(axis=1) / square, 0, 1)
    nearest = np.argmin(((line[:-1] + along[:, None] * step) ** 2).sum(axis=1))
    toward: FloatArray = step[nearest] / np.sqrt(square[nearest])
    return toward


def snap(
    net: RoadNetwork,
    lon_deg: float,
    lat_deg: float,
    heading_deg: float | None = None,
    *,
    accuracy_m: float | None = None,
    speed_mps: float | None = None,
    arriving: bool = False,
) -> Position | None:
    """
    Find the road a position is on.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    lon_deg, lat_deg : float
        WGS 84.
    heading_deg : float or None
        Clockwise from north; chooses the carriageway and the side of the street.
    accuracy_m : float or None
        Radius of the fix's error.
    speed_mps : float or None
        Over ground; a fast car is not on a slow road beside.
    arriving : bool
        A place to get to (a stop), rather than one to set out from (a unit): which roads are cut
        off differs.

    Returns
    -------
    position : Position or None
        None where no road lies within `FAR_M`.
    """
    known = (lon_deg, lat_deg, heading_deg, accuracy_m, speed_mps)
    asked = np.array([[np.nan if figure is None else figure] for figure in known], np.float64)
    return _snap(net, asked, arriving=arriving).position(0)


def snap_all(
    net: RoadNetwork,
    lon_deg: FloatArray,
    lat_deg: FloatArray,
    heading_deg: FloatArray,
    *,
    accuracy_m: FloatArray | None = None,
    speed_mps: FloatArray | None = None,
    arriving: bool = False,
) -> list[Position | None]:
    """
    Find the roads many positions are on; each as `snap` would.

    Parameters
    ----------
    net, lon_deg, lat_deg, heading_deg, accuracy_m, speed_mps, arriving
        As in `snap_batch`.

    Returns
    -------
    positions : list of (Position or None), length k
        In the order given.
    """
    snapped = snap_batch(
        net, lon_deg, lat_deg, heading_deg, accuracy_m, speed_mps, arriving=arriving
    )
    return [snapped.position(i) for i in range(len(snapped.edge))]


def snap_batch(
    net: RoadNetwork,
    lon_deg: FloatArray,
    lat_deg: FloatArray,
    heading_deg: FloatArray,
    accuracy_m: FloatArray | None = None,
    speed_mps: FloatArray | None = None,
    *,
    arriving: bool = False,
) -> Snapped:
    """
    Find the roads many positions are on, as arrays.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    lon_deg, lat_deg : ndarray of float64, shape (k,)
        WGS 84.
    heading_deg : ndarray of float64, shape (k,)
        Clockwise from north, NaN where unknown.
    accuracy_m, speed_mps : ndarray of float64, shape (k,), or None
        Radius of each fix's error, and speed over ground; NaN where unknown.
    arriving : bool
        As in `snap`.

    Returns
    -------
    snapped : Snapped
        In the order given.

    Raises
    ------
    InputError
        If the arrays are not flat and of one length.

    Notes
    -----
    The road of the lowest score: metres away, and metres for what speaks against it
    (`geo.kernels.snap`). How sure that is follows from likelihoods as in Newson and Krumm (2009):
    a Gaussian of the distance, a von Mises law of the heading. A fix further off than it should
    err is taken to err by as much: on a parking lot, the nearest of two roads is a guess.
    """
    asked = np.full((kernel.ASKED, np.size(lon_deg)), np.nan)
    for column, figures in enumerate((lon_deg, lat_deg, heading_deg, accuracy_m, speed_mps)):
        if figures is not None:
            if np.shape(figures) != asked.shape[1:]:
                raise InputError(
                    "lon_deg, lat_deg, heading_deg, accuracy_m, speed_mps: "
                    "must be flat and of one length"
                )
            asked[column] = figures
    return _snap(net, asked, arriving=arriving)


def _snap(net: RoadNetwork, asked: FloatArray, *, arriving: bool) -> Snapped:
    """Snap fixes that are given as the kernel takes them."""
    whole, figures = _answers(net, asked, arriving=arriving)
    return Snapped(
        lon_deg=asked[kernel.LON],
        lat_deg=asked[kernel.LAT],
        edge=whole[kernel.ON],
        fraction=figures[kernel.FRACTION],
        offset_m=figures[kernel.OFFSET],
        snapped_lon_deg=figures[kernel.AT_LON],
        snapped_lat_deg=figures[kernel.AT_LAT],
        runner_up=whole[kernel.RUNNER_UP],
        confidence=figures[kernel.CONFIDENCE],
        turn_round_ms=whole[kernel.TURN_ROUND_MS],
        any_way=whole[kernel.ANY_WAY] > 0,
        passed_over=whole[kernel.PASSED_OVER],
    )


def _answers(
    net: RoadNetwork, asked: FloatArray, *, arriving: bool
) -> tuple[Int32Array, FloatArray]:
    """Run the kernel: whole numbers and figures, a column a fix."""
    grid, count = net.grid, asked.shape[1]
    whole = np.empty((kernel.WHOLE, count), np.int32)
    figures = np.empty((kernel.FIGURES, count))
    kernel.snap_fixes(
        grid.cells,
        roads_of(net),
        ARRIVING if arriving else SETTING_OUT,
        round((RESPONSE if net.response else ROUTINE).u_turn_s * 1000),
        asked,
        grid.order(asked[kernel.LON], asked[kernel.LAT]),
        whole,
        figures,
    )
    return whole, figures


def roads_of(net: RoadNetwork) -> Roads:
    """
    List what `geo.kernels.snap.snap_fixes` has to know of edges.

    Parameters
    ----------
    net : RoadNetwork
        The roads.

    Returns
    -------
    roads : tuple of ndarray
        How fast each is commonly driven, m/s; its length, m; the share of it that lies before each
        shape point; tail, head and twin; whether one may turn round on it.
    """
    table = net.table
    lengths = net.grid.road_mps, table.length_m, net.shape_share
    return *lengths, table.tail, table.head, net.twin, net.may_turn
