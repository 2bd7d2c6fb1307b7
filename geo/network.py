"""The drivable network: seconds per edge and per turn, built once from a `RoadTable`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from data.errors import InputError, RoadFileError
from data.road_table import ARRAYS, RoadTable, road_source
from data.roadfile import read_roads, write_roads
from geo.assemble import check_arrays, milliseconds, passages, plain_table, twins
from geo.speeds import edge_speeds_mps
from geo.turns import turn_seconds

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import geopandas
    import networkx as nx

    from data.road_table import BoolArray, FloatArray, Int32Array, IntArray

FINEST_S, COARSEST_S = 0.001, 60.0
_OWN_ARRAYS = ("edge_ms", "turn_start", "turn_to", "turn_ms", "twin")


@dataclass(frozen=True, kw_only=True, repr=False)
class RoadNetwork:
    """
    A road network with its drive times. Times are whole milliseconds, so that sums are exact.

    Parameters
    ----------
    table : RoadTable
        The roads.
    edge_ms : ndarray of int32, shape (m,)
        To drive each directed edge from end to end.
    turn_start : ndarray of int64, shape (m + 1,)
        From edge i one may go on into ``turn_to[turn_start[i]:turn_start[i + 1]]``.
    turn_to : ndarray of int32, shape (t,)
        Edge rows, rising within each edge.
    turn_ms : ndarray of int32, shape (t,)
        What each of those passages costs.
    twin : ndarray of int32, shape (m,)
        The same road the other way, -1 where there is none.
    """

    table: RoadTable
    edge_ms: Int32Array
    turn_start: IntArray
    turn_to: Int32Array
    turn_ms: Int32Array
    twin: Int32Array

    @classmethod
    def from_table(cls, table: RoadTable) -> RoadNetwork:
        """
        Work out seconds per edge and per turn (`geo.speeds`).

        Parameters
        ----------
        table : RoadTable
            The roads.

        Returns
        -------
        network : RoadNetwork
            Ready to route on.
        """
        twin = twins(table)
        turn_start, turn_to = passages(table)
        before = np.repeat(np.arange(table.edge_count), np.diff(turn_start))
        turn_s = turn_seconds(table, before, turn_to.astype(np.int64), twin[before] == turn_to)
        allowed = np.isfinite(turn_s)
        turn_start = np.concatenate([[0], np.cumsum(allowed)])[turn_start]
        turn_to, turn_s = turn_to[allowed], turn_s[allowed]
        return cls(
            table=table,
            edge_ms=milliseconds(table.length_m / edge_speeds_mps(table)),
            turn_start=turn_start,
            turn_to=turn_to,
            turn_ms=milliseconds(turn_s),
            twin=twin,
        )

    @classmethod
    def from_arrays(
        cls,
        *,
        lon_deg: npt.ArrayLike,
        lat_deg: npt.ArrayLike,
        tail: npt.ArrayLike,
        head: npt.ArrayLike,
        time_s: npt.ArrayLike,
        resolution_s: float = 0.001,
    ) -> RoadNetwork:
        """
        Build a network from plain arrays; turns cost nothing and all are allowed.

        Parameters
        ----------
        lon_deg, lat_deg : array_like of float, shape (n,)
            Nodes, WGS 84.
        tail, head : array_like of int, shape (m,)
            Node rows of each directed edge.
        time_s : array_like of float, shape (m,)
            Seconds to drive each edge, finite and >= 0.
        resolution_s : float
            Times are rounded to multiples of this; 0.001 s is the finest.

        Returns
        -------
        network : RoadNetwork
            With straight edges and no names.

        Raises
        ------
        InputError
            If shapes do not fit, a place is off the globe, a node row does not exist, a time is
            negative or not finite, or the resolution is finer than a millisecond or coarser than a
            minute.
        """
        lon, lat = np.asarray(lon_deg, np.float64), np.asarray(lat_deg, np.float64)
        tails, heads = np.asarray(tail, np.int32), np.asarray(head, np.int32)
        times = np.asarray(time_s, np.float64)
        check_arrays(lon, lat, tails, heads, times)
        if not FINEST_S <= resolution_s <= COARSEST_S:
            bounds = f"from {FINEST_S} to {COARSEST_S:g}"
            raise InputError(f"resolution_s={resolution_s}: must be {bounds}")
        table = plain_table(lon, lat, tails, heads)
        turn_start, turn_to = passages(table)
        return cls(
            table=table,
            edge_ms=milliseconds(np.round(times / resolution_s) * resolution_s),
            turn_start=turn_start,
            turn_to=turn_to,
            turn_ms=np.zeros(len(turn_to), np.int32),
            twin=np.full(len(tails), -1, np.int32),
        )

    @classmethod
    def load(cls, path: Path | str) -> RoadNetwork:
        """
        Map a ``.roads`` file into memory.

        Parameters
        ----------
        path : Path or str
            A file written by `save`.

        Returns
        -------
        network : RoadNetwork
            Its arrays are read-only views of the file.

        Raises
        ------
        RoadFileError
            If the file is missing, no ``.roads`` file, cut short, altered, or newer than this
            program; or if it holds other arrays than a road network's.
        """
        arrays, facts = read_roads(path)
        missing = [name for name in (*ARRAYS, *_OWN_ARRAYS) if name not in arrays]
        if missing:
            raise RoadFileError(
                f"{path}: must hold a road network, lacks {', '.join(missing)}; "
                "build it again with `rollby roads build`"
            )
        table = RoadTable(
            **{name: arrays[name] for name in ARRAYS},
            texts=tuple(facts["texts"]),
            source=road_source(facts["source"]),
        )
        return cls(table=table, **{name: arrays[name] for name in _OWN_ARRAYS})

    def save(self, path: Path | str) -> None:
        """
        Write a ``.roads`` file, whole or not at all.

        Parameters
        ----------
        path : Path or str
            Where to.
        """
        arrays: dict[str, npt.NDArray[Any]] = {name: getattr(self.table, name) for name in ARRAYS}
        arrays |= {name: getattr(self, name) for name in _OWN_ARRAYS}
        facts = {"texts": self.table.texts, "source": asdict(self.table.source)}
        write_roads(path, arrays, facts)

    @classmethod
    def from_networkx(cls, graph: nx.MultiDiGraph, *, name: str = "") -> RoadNetwork:
        """
        Build a network from a graph that a user made with OSMnx.

        Parameters
        ----------
        graph : networkx.MultiDiGraph
            Simplified or not, in WGS 84.
        name : str
            What to call its source; "" for what the graph says.

        Returns
        -------
        network : RoadNetwork
            With drive times of our own; the graph is left as it is.
        """
        from data.graph import from_networkx  # noqa: PLC0415 - only here is networkx needed

        return cls.from_table(from_networkx(graph, name=name))

    def to_networkx(self) -> nx.MultiDiGraph:
        """
        Give the graph that OSMnx works on.

        Returns
        -------
        graph : networkx.MultiDiGraph
            OSMnx's attributes, and ``travel_time`` in seconds and ``speed_kph`` of each edge. Turn
            costs are not in it: a graph of nodes has no place for them.
        """
        from data.graph import to_networkx  # noqa: PLC0415 - as above

        return to_networkx(self.table, self._driven())

    def to_geopandas(self) -> tuple[geopandas.GeoDataFrame, geopandas.GeoDataFrame]:
        """
        Give the tables that a GIS opens.

        Returns
        -------
        nodes, edges : GeoDataFrame
            In WGS 84, as OSMnx indexes them; edges with ``travel_time`` and ``speed_kph``.
        """
        from data.graph import to_geopandas  # noqa: PLC0415 - as above

        return to_geopandas(self.table, self._driven())

    def _driven(self) -> dict[str, npt.NDArray[Any]]:
        """Give seconds and km/h of each edge, under the names that OSMnx has for them."""
        time_s = self.edge_ms / 1000
        speed_kph = self.table.length_m / np.maximum(time_s, 1e-3) * 3.6
        return {"travel_time": time_s, "speed_kph": np.where(time_s > 0, speed_kph, np.nan)}

    def facts(self) -> dict[str, object]:
        """
        Say what the network is, for people and for JSON.

        Returns
        -------
        facts : dict of str to JSON values
            Source, date, licence, bounds, counts.
        """
        return asdict(self.table.source) | {
            "bounds_deg": list(self.table.bounds_deg),
            "nodes": self.table.node_count,
            "edges": self.table.edge_count,
            "road_km": round(float(self.table.road_m.sum()) / 1000, 1),
            "main_share": round(float(self.main.mean()), 4),
        }

    @cached_property
    def turn_from(self) -> IntArray:
        """Edge row that each passage starts from, shape (t,)."""
        return np.repeat(np.arange(len(self.edge_ms)), np.diff(self.turn_start))

    @cached_property
    def forward(self) -> sparse.csr_array:
        """Passages as a graph (m, m) of edges: from the start of one to that of the next, ms."""
        weight = self.edge_ms[self.turn_from].astype(np.float64) + self.turn_ms
        return self._graph(self.turn_from, self.turn_to, weight)

    @cached_property
    def backward(self) -> sparse.csr_array:
        """The same turned round, (m, m): from the end of an edge to the end of those before, ms."""
        weight = self.edge_ms[self.turn_to].astype(np.float64) + self.turn_ms
        return self._graph(self.turn_to, self.turn_from, weight)

    def _graph(
        self, row: npt.NDArray[Any], column: npt.NDArray[Any], weight: FloatArray
    ) -> sparse.csr_array:
        """Assemble a graph of edges; a passage that costs nothing is still one."""
        count = len(self.edge_ms)
        return sparse.csr_array((weight, (row, column)), shape=(count, count))

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of the edges' lines, in degrees."""
        points = np.stack([self.table.shape_lon_deg, self.table.shape_lat_deg], axis=1)
        owner = np.repeat(np.arange(len(self.edge_ms)), np.diff(self.table.shape_start))
        return shapely.STRtree(shapely.linestrings(points, indices=owner))

    @cached_property
    def shape_share(self) -> FloatArray:
        """Share of its edge's length that lies before each shape point, shape (k,), 0 to 1."""
        table = self.table
        lon, lat, start = table.shape_lon_deg, table.shape_lat_deg, table.shape_start
        step = np.hypot(np.diff(lon) * np.cos(np.radians(lat[:-1])), np.diff(lat))
        step[start[1:-1] - 1] = 0  # from the end of one edge to the start of the next
        reached = np.concatenate([[0], np.cumsum(step)])
        owner = np.repeat(np.arange(len(self.edge_ms)), np.diff(start))
        whole = np.maximum(reached[start[1:] - 1] - reached[start[:-1]], 1e-12)
        share: FloatArray = (reached - reached[start[:-1]][owner]) / whole[owner]
        return share

    @cached_property
    def middle_deg(self) -> tuple[FloatArray, FloatArray]:
        """Longitude and latitude of the middle of each edge's line, each of shape (m,)."""
        table = self.table
        edge = np.arange(len(self.edge_ms))
        key = np.repeat(edge, np.diff(table.shape_start)) + np.minimum(self.shape_share, 0.999)
        after = np.searchsorted(key, edge + 0.5)
        after = np.clip(after, table.shape_start[:-1] + 1, table.shape_start[1:] - 1)
        begin, end = self.shape_share[after - 1], self.shape_share[after]
        part = np.clip((0.5 - begin) / np.maximum(end - begin, 1e-12), 0, 1)
        lon, lat = table.shape_lon_deg, table.shape_lat_deg
        return (
            lon[after - 1] + part * (lon[after] - lon[after - 1]),
            lat[after - 1] + part * (lat[after] - lat[after - 1]),
        )

    def __repr__(self) -> str:
        """Name it, rather than print its arrays."""
        nodes, edges = self.table.node_count, self.table.edge_count
        return f"RoadNetwork({self.table.source.name!r}, {nodes} nodes, {edges} edges)"

    @cached_property
    def from_main(self) -> BoolArray:
        """Edges that the main part reaches, shape (m,): good to arrive on."""
        return self._reached(self.forward)

    @cached_property
    def to_main(self) -> BoolArray:
        """Edges that reach the main part, shape (m,): good to set out on."""
        return self._reached(self.backward)

    def _reached(self, graph: sparse.csr_array) -> BoolArray:
        """Follow a graph from the main part."""
        reached = np.zeros(len(self.edge_ms), np.bool_)
        first = int(np.flatnonzero(self.main)[0])
        reached[csgraph.breadth_first_order(graph, first, return_predecessors=False)] = True
        return reached

    @cached_property
    def main(self) -> BoolArray:
        """Edges of the largest part in which every edge reaches every other, shape (m,)."""
        _, part = csgraph.connected_components(self.forward, directed=True, connection="strong")
        main: BoolArray = part == np.bincount(part).argmax()
        return main
