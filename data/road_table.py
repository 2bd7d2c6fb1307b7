"""The road network as it was mapped: nodes, directed edges and their shapes, as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.errors import RoadSourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]

EARTH_RADIUS_M = 6_371_009.0  # of the sphere that OSMnx measures lengths on
METRES_PER_DEG = np.pi / 180 * EARTH_RADIUS_M
OSM_LICENCE = "ODbL 1.0, (c) OpenStreetMap contributors"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadSource:
    """
    Where a road network comes from.

    Parameters
    ----------
    name : str
        The file, place or box it was read from, as the user gave it.
    date : str
        Instant of the data, ISO 8601; "" if the source does not say.
    licence : str
        Licence and attribution, to be shown wherever the data are.
    service_roads : bool
        All alleys and car parks are in it; else only service roads that join streets.
    left_out : str
        What was in the source and was not taken, with counts; "" if nothing.
    drives_left : bool
        Traffic keeps to the left.
    """

    name: str
    date: str = ""
    licence: str = OSM_LICENCE
    service_roads: bool = False
    left_out: str = ""
    drives_left: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadTable:
    """
    Nodes and directed edges of a road network. A two-way street is two edges.

    Text columns (`node_highway`, `highway`, `name`, `ref`, `maxspeed`, `lanes`, `junction`,
    `surface`, `service`) hold row numbers of `texts`, whose row 0 is "" for unknown; values are
    OSM's, untouched. Nodes follow a Hilbert curve, and edges their tails and heads, so neighbours
    in rows are neighbours on the ground (`data.roads.arrange`).

    Parameters
    ----------
    node_id : ndarray of int64, shape (n,)
        OSM node ids; edited files have negative ones.
    lon_deg, lat_deg : ndarray of float64, shape (n,)
        WGS 84.
    node_highway : ndarray of int32, shape (n,)
        Text: ``traffic_signals``, ``stop``, ``give_way``, ``crossing`` ...; where there is none,
        a barrier that cars pass: ``gate``, ``toll_booth`` ...
    node_direction : ndarray of int8, shape (n,)
        Which traffic that sign or signal faces, seen along its OSM way: 1 forward, -1 backward,
        0 both or unknown.
    tail, head : ndarray of int32, shape (m,)
        Node rows an edge leads from and to.
    way_id : ndarray of int64, shape (m,)
        OSM way id.
    length_m : ndarray of float64, shape (m,)
        Length along the shape, >= 0.
    oneway : ndarray of bool, shape (m,)
        No edge leads back along the same road.
    reversed : ndarray of bool, shape (m,)
        Runs against the direction its OSM way was drawn in.
    highway, name, ref, maxspeed, lanes, junction, surface, service : ndarray of int32, shape (m,)
        Texts. `maxspeed` is the one for this direction where the way tells them apart; `service`
        says what kind of ``highway=service`` it is.
    shape_start : ndarray of int64, shape (m + 1,)
        Edge i has the shape points ``shape_start[i]:shape_start[i + 1]``, both ends included.
    shape_lon_deg, shape_lat_deg : ndarray of float64, shape (k,)
        WGS 84.
    ban_start : ndarray of int64, shape (r + 1,)
        Ban i is of the edges ``ban_edge[ban_start[i]:ban_start[i + 1]]``.
    ban_edge : ndarray of int32, shape (b,)
        Edge rows, two or more a ban, each from where the one before leads to: they may not be
        driven one after the other without a stop. Bans are unique and rising.
    texts : tuple of str
        Every text once; ``texts[0] == ""``.
    source : RoadSource
        Where it comes from.

    Raises
    ------
    RoadSourceError
        If the arrays do not fit together.
    """

    node_id: IntArray
    lon_deg: FloatArray
    lat_deg: FloatArray
    node_highway: Int32Array
    node_direction: npt.NDArray[np.int8]
    tail: Int32Array
    head: Int32Array
    way_id: IntArray
    length_m: FloatArray
    oneway: BoolArray
    reversed: BoolArray
    highway: Int32Array
    name: Int32Array
    ref: Int32Array
    maxspeed: Int32Array
    lanes: Int32Array
    junction: Int32Array
    surface: Int32Array
    service: Int32Array
    shape_start: IntArray
    shape_lon_deg: FloatArray
    shape_lat_deg: FloatArray
    ban_start: IntArray
    ban_edge: Int32Array
    texts: tuple[str, ...]
    source: RoadSource

    def __post_init__(self) -> None:
        if not self.node_count or not self.edge_count:
            raise RoadSourceError(
                f"{self.source.name}: must hold at least one drivable road; "
                "check the area, or try --service-roads"
            )
        for column in NODE_COLUMNS:
            self._check_length(column, self.node_count)
        for column in EDGE_COLUMNS:
            self._check_length(column, self.edge_count)
        self._check_length("shape_start", self.edge_count + 1)
        self._check_length("shape_lon_deg", int(self.shape_start[-1]))
        self._check_length("shape_lat_deg", int(self.shape_start[-1]))
        self._check_length("ban_edge", int(self.ban_start[-1]))

    def _check_length(self, column: str, expected: int) -> None:
        """
        Raise unless a column has the expected number of rows.

        Raises
        ------
        RoadSourceError
            If it has not.
        """
        rows = len(getattr(self, column))
        if rows != expected:
            raise RoadSourceError(f"{column}: must have {expected} rows, has {rows}")

    @property
    def node_count(self) -> int:
        """Number of nodes n."""
        return len(self.node_id)

    @property
    def edge_count(self) -> int:
        """Number of directed edges m."""
        return len(self.tail)

    @property
    def bounds_deg(self) -> tuple[float, float, float, float]:
        """West, south, east, north of all shapes, degrees."""
        lon, lat = self.shape_lon_deg, self.shape_lat_deg
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())

    @property
    def road_m(self) -> FloatArray:
        """Length of road each edge stands for, shape (m,): half its own on a two-way street."""
        return self.length_m * np.where(self.oneway, 1.0, 0.5)

    @property
    def ban_count(self) -> int:
        """Number of banned sequences of edges r."""
        return len(self.ban_start) - 1

    def text(self, column: str, row: int) -> str:
        """
        Read one text.

        Parameters
        ----------
        column : str
            A text column's name.
        row : int
            Edge or node row.

        Returns
        -------
        text : str
            "" if unknown.
        """
        return self.texts[int(getattr(self, column)[row])]

    def street(self, edge: int) -> str:
        """
        Name an edge as people would: its name, else its ref, else "".

        Returns
        -------
        street : str
            "" where the road has neither.
        """
        return self.text("name", edge) or self.text("ref", edge)

    def shape(self, edge: int) -> tuple[FloatArray, FloatArray]:
        """
        Give an edge's line.

        Returns
        -------
        lon_deg, lat_deg : ndarray of float64, shape (p,)
            From tail to head, p >= 2.
        """
        rows = slice(int(self.shape_start[edge]), int(self.shape_start[edge + 1]))
        return self.shape_lon_deg[rows], self.shape_lat_deg[rows]


_REST = {
    "texts",
    "source",
    "shape_start",
    "shape_lon_deg",
    "shape_lat_deg",
    "ban_start",
    "ban_edge",
}
NODE_COLUMNS = ("node_id", "lon_deg", "lat_deg", "node_highway", "node_direction")
EDGE_COLUMNS = tuple(
    f.name for f in fields(RoadTable) if f.name not in _REST and f.name not in NODE_COLUMNS
)
ARRAYS = tuple(f.name for f in fields(RoadTable) if f.name not in {"texts", "source"})


class TextPool:
    """Texts counted once, for the text columns of a `RoadTable`."""

    def __init__(self) -> None:
        self._rows = {"": 0}

    def row(self, text: str | None) -> int:
        """
        Give the row of a text, adding it where it is new.

        Returns
        -------
        row : int
            0 for None and "".
        """
        return self._rows.setdefault(text or "", len(self._rows))

    def rows(self, texts: Sequence[str | None]) -> Int32Array:
        """
        Give the rows of many texts.

        Returns
        -------
        rows : ndarray of int32, shape (len(texts),)
            In the order given.
        """
        return np.fromiter(map(self.row, texts), np.int32, len(texts))

    def texts(self) -> tuple[str, ...]:
        """
        Give all texts, row by row.

        Returns
        -------
        texts : tuple of str
            The first is "".
        """
        return tuple(self._rows)


def road_source(facts: Mapping[str, object]) -> RoadSource:
    """
    Read a `RoadSource` from a file's facts; what a newer writer added is passed over.

    Returns
    -------
    source : RoadSource
        As it was written.
    """
    known = {f.name for f in fields(RoadSource)}
    return RoadSource(**{key: value for key, value in facts.items() if key in known})  # type: ignore[arg-type]
