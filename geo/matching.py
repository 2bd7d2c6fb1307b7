"""
A track of fixes -> the edges driven: a hidden Markov model (Newson & Krumm 2009).

The states of a fix are the directed edges near it. What a fix shows of a state: its distance from
the edge and, where it moves and has a heading, how far that turns from the edge. What speaks for
going from one state to the next: a way by road not much longer than the crow flies. The likeliest
sequence is Viterbi's; where no way leads on, the track breaks in two.

Ways are measured on a network whose edges are all driven at `LEVEL_MPS`, by the one router that
there is: turn restrictions hold, and a turn counts as the metres that would be driven meanwhile,
which speaks for the simpler of two ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely

from data.road_table import METRES_PER_DEG
from geo.router import search_back
from geo.snap import Position
from geo.starts import starts_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data.road_table import FloatArray, Int32Array, IntArray
    from geo.network import RoadNetwork
    from geo.router import Backward
    from geo.starts import Starts

    Lines = NDArray[np.object_]

LEVEL_MPS = 10.0
SIGMA_M = 10.0  # of a fix about its road; Newson and Krumm found 4, between buildings it is more
BETA_M = 50.0  # how much longer than the crow's a way commonly is
NEAR_M = 60.0  # roads further than that are not looked at
CANDIDATES = 8
HEADING_DEG = 30.0  # sigma of a heading about the direction of its road
MOVING_MPS = 2.0  # slower, a heading means nothing
APART_M = 2 * SIGMA_M  # fixes nearer to the one before tell no movement from noise
SLIP_M = 2 * APART_M  # further back on its own road, it did drive round
DETOUR, DETOUR_M = 2.0, 500.0  # a way longer than so many crows and so many metres is none
GAP_S = 120.0  # a longer silence breaks the track: what was driven meanwhile is a guess
AT_END = 1e-6  # a position in the open edge, that only this edge leads to


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """
    Fixes of one vehicle, in the order in which they were taken; each array of shape (f,).

    Parameters
    ----------
    at_s : ndarray of float64
        When, seconds since the epoch; rising.
    lon_deg, lat_deg : ndarray of float64
        WGS 84.
    heading_deg, speed_mps : ndarray of float64
        NaN where unknown.
    """

    at_s: FloatArray
    lon_deg: FloatArray
    lat_deg: FloatArray
    heading_deg: FloatArray
    speed_mps: FloatArray

    def __len__(self) -> int:
        return len(self.at_s)

    def only(self, rows: IntArray) -> Track:
        """
        Pick some fixes.

        Returns
        -------
        track : Track
            Of those rows.
        """
        return Track(**{name: getattr(self, name)[rows] for name in self.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """
    An unbroken drive by road.

    Parameters
    ----------
    at_s : ndarray of float64, shape (k,)
        When it passed the places where it was matched, k >= 2.
    edge : ndarray of int32, shape (k,)
        The edge it was on at each.
    fraction : ndarray of float64, shape (k,)
        Of that edge's length, from its tail, that lies behind.
    way : tuple of (tuple of int), length k - 1
        The edges from each place to the next, both ends' included.
    """

    at_s: FloatArray
    edge: Int32Array
    fraction: FloatArray
    way: tuple[tuple[int, ...], ...]

    @property
    def edges(self) -> list[int]:
        """The edges in the order driven, each once for every time it was driven."""
        driven = [self.way[0][0]]
        for leg in self.way:
            driven += leg[1:]
        return driven


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """
    Edges near fixes, grouped by fix; each array but `start` of shape (c,).

    Parameters
    ----------
    start : ndarray of int64, shape (f + 1,)
        Fix i has the rows ``start[i]:start[i + 1]``.
    edge : ndarray of int32
        Directed edges.
    fraction : ndarray of float64
        Where on each, in the open interval from 0 to 1.
    log_odds : ndarray of float64
        What the fix shows of each.
    """

    start: IntArray
    edge: Int32Array
    fraction: FloatArray
    log_odds: FloatArray

    def rows(self, fix: int) -> slice:
        """
        Give the rows of a fix.

        Returns
        -------
        rows : slice
            Empty where no road is near.
        """
        return slice(int(self.start[fix]), int(self.start[fix + 1]))


class Matcher:
    """
    Puts tracks on a network; make one and use it for many.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    """

    def __init__(self, net: RoadNetwork) -> None:
        self.net = net
        self._level = net.retimed(net.table.length_m / LEVEL_MPS)
        self._lines = _lines(net)
        self._tree = shapely.STRtree(self._lines)

    def match(self, track: Track) -> list[Drive]:
        """
        Find the edges that were driven.

        Parameters
        ----------
        track : Track
            Any number of fixes.

        Returns
        -------
        drives : list of Drive
            In order. In none are fixes that moved less than `APART_M` from the one before, those
            with no road within `NEAR_M`, and those from and to which no way leads.
        """
        track = track.only(_moving(self._metres(track)))
        near = self.candidates(track)
        known = np.flatnonzero(np.diff(near.start) > 0)
        drives = []
        while len(known) > 1:
            drive, used = self._likeliest(track, near, known)
            drives += [drive] if drive else []
            known = known[used:]
        return drives

    def candidates(self, track: Track) -> Candidates:
        """
        List the edges near each fix, with what the fix shows of them.

        Parameters
        ----------
        track : Track
            Fixes.

        Returns
        -------
        candidates : Candidates
            At most `CANDIDATES` each, the likeliest.
        """
        points = shapely.points(self._metres(track))
        fix, edge = self._tree.query(points, predicate="dwithin", distance=NEAR_M)
        line, point = self._lines[edge], points[fix]
        along_m = shapely.line_locate_point(line, point)
        log_odds = -0.5 * (shapely.distance(line, point) / SIGMA_M) ** 2
        turned_deg = _turned_deg(line, along_m, track.heading_deg[fix])
        shown = np.isfinite(turned_deg) & ~(track.speed_mps[fix] < MOVING_MPS)
        log_odds -= np.where(shown, 0.5 * (turned_deg / HEADING_DEG) ** 2, 0.0)
        order = np.lexsort((edge, -log_odds, fix))
        rank = np.arange(len(order)) - np.searchsorted(fix[order], fix[order])
        order = order[rank < CANDIDATES]
        fraction = along_m[order] / np.maximum(shapely.length(line[order]), 1e-9)
        return Candidates(
            start=np.searchsorted(fix[order], np.arange(len(track) + 1)),
            edge=edge[order].astype(np.int32),
            fraction=np.clip(fraction, AT_END, 1 - AT_END),
            log_odds=log_odds[order],
        )

    def _likeliest(
        self, track: Track, near: Candidates, known: IntArray
    ) -> tuple[Drive | None, int]:
        """Drive from the first fix on until no way leads on (Viterbi); count the fixes used."""
        metres = self._metres(track)
        score = near.log_odds[near.rows(known[0])]
        came: list[IntArray] = []
        searches: list[list[Backward]] = []
        for before, here in pairwise(known.tolist()):
            if track.at_s[here] - track.at_s[before] > GAP_S:
                break
            crow_m = float(np.hypot(*(metres[here] - metres[before])))
            step, found = self._steps(near, before, here, crow_m)
            total = score[:, None] + step
            if not np.isfinite(total).any():
                break
            came.append(np.argmax(total, axis=0))
            searches.append(found)
            score = total.max(axis=0) + near.log_odds[near.rows(here)]
        if not came:
            return None, 1
        chosen = [int(np.argmax(score))]
        for best in reversed(came):
            chosen.insert(0, int(best[chosen[0]]))
        fixes = known[: len(chosen)]
        rows = near.start[fixes] + chosen
        way = [
            self._way(near, first, last, found[choice])
            for (first, last), found, choice in zip(
                pairwise(rows.tolist()), searches, chosen[1:], strict=True
            )
        ]
        at_s, edge, fraction = track.at_s[fixes], near.edge[rows], near.fraction[rows]
        return Drive(at_s=at_s, edge=edge, fraction=fraction, way=tuple(way)), len(fixes)

    def _steps(
        self, near: Candidates, before: int, here: int, crow_m: float
    ) -> tuple[FloatArray, list[Backward]]:
        """Give the log odds of each candidate after each other, and the searches they are from."""
        within_s = (DETOUR * crow_m + DETOUR_M) / LEVEL_MPS
        first, last = near.rows(before), near.rows(here)
        starts = self._starts(near, first)
        searches = [
            search_back(self._level, _place(int(edge), float(fraction)), within_s=within_s)
            for edge, fraction in zip(near.edge[last], near.fraction[last], strict=True)
        ]
        way_m = LEVEL_MPS * np.stack([one.drive_times_s(starts) for one in searches], axis=1)
        rows = np.arange(len(near.edge))
        slip_m = self._slip_m(near, rows[first, None], rows[None, last])
        return -np.abs(np.minimum(way_m, slip_m) - crow_m) / BETA_M, searches

    def _slip_m(self, near: Candidates, first: IntArray, last: IntArray) -> FloatArray:
        """Give the metres by which a fix slipped back on its edge; inf where it did not."""
        back = near.fraction[first] - near.fraction[last]
        slip_m = back * self.net.table.length_m[near.edge[first]]
        slipped = (near.edge[first] == near.edge[last]) & (back >= 0) & (slip_m <= SLIP_M)
        return np.where(slipped, slip_m, np.inf)

    def _way(self, near: Candidates, first: int, last: int, search: Backward) -> tuple[int, ...]:
        """List the edges from one candidate to another."""
        if np.isfinite(self._slip_m(near, np.array(first), np.array(last))):
            return (int(near.edge[first]),)
        return tuple(search.edges(self._starts(near, slice(first, first + 1))))

    def _starts(self, near: Candidates, rows: slice) -> Starts:
        """Set out on the candidates' own edges only."""
        edge = near.edge[rows]
        no_other_way = np.full(len(edge), -1, np.int32)
        return starts_at(self._level, edge, near.fraction[rows], no_other_way)

    def _metres(self, track: Track) -> FloatArray:
        """Give fixes in metres, shape (f, 2)."""
        return _metres(self.net, track.lon_deg, track.lat_deg)


def _metres(net: RoadNetwork, lon_deg: FloatArray, lat_deg: FloatArray) -> FloatArray:
    """Lay places on a plane about the middle of the network: metres east and north of it."""
    lon, lat = np.median(net.table.lon_deg), np.median(net.table.lat_deg)
    east = lon_deg - lon
    east -= 360 * np.rint(east / 360)  # the short way across the date line
    scale = METRES_PER_DEG * np.array([np.cos(np.radians(lat)), 1.0])
    return np.stack([east, lat_deg - lat], axis=1) * scale


def _lines(net: RoadNetwork) -> Lines:
    """Draw each edge on that plane."""
    table = net.table
    points = _metres(net, table.shape_lon_deg, table.shape_lat_deg)
    owner = np.repeat(np.arange(table.edge_count), np.diff(table.shape_start))
    lines: Lines = shapely.linestrings(points, indices=owner)
    return lines


def _moving(metres: FloatArray) -> IntArray:
    """Keep the first fix and each that moved away from the one kept before it."""
    kept = [0] if len(metres) else []
    for row, moved in enumerate(metres):
        if np.hypot(*(moved - metres[kept[-1]])) >= APART_M:
            kept.append(row)
    return np.array(kept, np.int64)


def _turned_deg(line: Lines, along_m: FloatArray, heading_deg: FloatArray) -> FloatArray:
    """Give how far headings turn from the direction of lines, 0 to 180."""
    length_m = shapely.length(line)
    begin = np.clip(along_m - 1.0, 0, None)
    ends = [
        shapely.get_coordinates(shapely.line_interpolate_point(line, at_m))
        for at_m in (begin, np.minimum(begin + 2.0, length_m))
    ]
    east, north = (ends[1] - ends[0]).T
    turned = heading_deg - np.degrees(np.arctan2(east, north))
    turned_deg: FloatArray = np.abs((turned + 180) % 360 - 180)
    return turned_deg


def _place(edge: int, fraction: float) -> Position:
    """Name a place on an edge that no other edge leads to."""
    nan = float("nan")
    return Position(
        lon_deg=nan,
        lat_deg=nan,
        snapped_lon_deg=nan,
        snapped_lat_deg=nan,
        offset_m=nan,
        edge=edge,
        fraction=fraction,
        turn_round_s=None,
    )
