"""The drivable network: seconds per edge and per turn, built once from a `RoadTable`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.errors import InputError
from geo.assemble import check_arrays, milliseconds, plain_table
from geo.edge_lines import middles_deg, shape_shares
from geo.kernels.search import UNREACHED
from geo.network_file import read_parts, write_network
from geo.network_parts import along_a_curve, parts_of_nodes, parts_of_roads
from geo.patches import patch, with_grid_of
from geo.snap_grid import build_grid
from geo.turns import may_turn_round

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    import geopandas
    import networkx as nx

    from data.road_table import BoolArray, FloatArray, Int32Array, IntArray, RoadTable
    from geo.searching import Workspace
    from geo.snap_grid import SnapGrid
    from geo.states import SearchGraph

FINEST_S, COARSEST_S = 0.001, 60.0


@dataclass(frozen=True, kw_only=True, repr=False)
class RoadNetwork:
    """
    A road network with its drive times. Times are whole milliseconds, so that sums are exact.

    Parameters
    ----------
    table : RoadTable
        The roads.
    edge_ms : ndarray of int32, shape (m,)
        To drive each directed edge from end to end. Where turns have a price, it is the beginning
        of `state_ms` and no memory of its own, unless patched.
    twin : ndarray of int32, shape (m,)
        The same road the other way, -1 where there is none.
    ghost_edge : ndarray of int32, shape (S - m,)
        Where turns have a price: the states are the edges themselves, then ghosts (`geo.states`);
        the edge of each ghost. Empty where they have none.
    node_state : ndarray of int32, shape (n,)
        Where turns have no price: the state of each node. Empty where they have one.
    forward, backward : SearchGraph
        The arcs between states, and the same turned round. Forward, a state of an edge is labelled
        with the time at which the edge is begun; backward, with the time from its end.
    from_main, to_main : ndarray of bool, shape (m,)
        Edges that the main part reaches (good to arrive on), and that reach it (good to set out
        on). The main part is the largest in which every edge reaches every other.
    closed : frozenset of int
        Edges that are not driven through now (`patched`).
    response : bool
        Times are those with lights and siren.
    learnt : str
        The tracks that times were learnt from; "" where they are the model's own.
    unpatched : RoadNetwork or None
        The network as it is on other days; None where this is it.
    """

    table: RoadTable
    edge_ms: Int32Array
    twin: Int32Array
    ghost_edge: Int32Array
    node_state: Int32Array
    forward: SearchGraph
    backward: SearchGraph
    from_main: BoolArray
    to_main: BoolArray
    closed: frozenset[int] = frozenset()
    response: bool = False
    learnt: str = ""
    unpatched: RoadNetwork | None = None

    @classmethod
    def from_table(cls, table: RoadTable, *, response: bool = False) -> RoadNetwork:
        """
        Work out seconds per edge (`geo.speeds`) and per turn (`geo.turns`).

        Parameters
        ----------
        table : RoadTable
            The roads.
        response : bool
            Times with lights and siren. A roll-by is routine driving, so not by default.

        Returns
        -------
        network : RoadNetwork
            Ready to route on.
        """
        return cls(**parts_of_roads(table, response=response))

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
        edge_ms = milliseconds(np.round(times / resolution_s) * resolution_s)
        return cls(**parts_of_nodes(table, edge_ms, along_a_curve(lon, lat)))

    @property
    def turns(self) -> bool:
        """Turns have a price: a state is an edge, not a node."""
        return self.forward.count > len(self.node_state)

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
        return cls(**read_parts(path))

    def save(self, path: Path | str) -> None:
        """
        Write a ``.roads`` file, whole or not at all.

        Parameters
        ----------
        path : Path or str
            Where to.

        Raises
        ------
        InputError
            If it is patched: what is closed now is not for the file.
        """
        write_network(self, path)

    @property
    def state_ms(self) -> Int32Array:
        """Time of each state, ms, shape (S,)."""
        return self.forward.state_ms

    def patched(
        self, *, closed: npt.ArrayLike = (), slowed: Mapping[int, float] | None = None
    ) -> RoadNetwork:
        """
        Give the network as it is now: roads closed or slowed, without building it anew.

        Parameters
        ----------
        closed : array_like of int
            Edges that are not driven through. A unit on one of them can leave it, and a stop on
            one of them is reached, at the ordinary speed: whoever works there gets there.
        slowed : mapping of int to float
            Edges, and what their time is multiplied by, > 0.

        Returns
        -------
        network : RoadNetwork
            Shares all arrays that stay as they are. Positions snapped on either hold on both;
            `Starts` do not. A patch of a patched network takes the place of what was there before.

        Raises
        ------
        InputError
            If there is no such edge, or a factor is not above 0 or makes a time of 24 days.
        """
        if self.unpatched is not None:
            return self.unpatched.patched(closed=closed, slowed=slowed)
        return patch(self, closed, slowed or {})

    def retimed(self, time_s: npt.ArrayLike, *, learnt: str = "") -> RoadNetwork:
        """
        Give the network with other seconds per edge; those per turn stay.

        Parameters
        ----------
        time_s : array_like of float, shape (m,)
            Seconds to drive each edge, finite and >= 0.
        learnt : str
            Where they are from, for `facts` and the file.

        Returns
        -------
        network : RoadNetwork
            Shares all arrays that stay as they are, and can be saved.

        Raises
        ------
        InputError
            If it is patched, or times are not one an edge, finite and >= 0.
        """
        times = np.asarray(time_s, np.float64)
        if self.unpatched is not None:
            raise InputError("retimed: must be of an ordinary day; retime the unpatched network")
        if times.shape != self.edge_ms.shape or not ((times >= 0) & np.isfinite(times)).all():
            raise InputError(
                f"time_s: must be {len(self.edge_ms)} figures, one an edge, finite and >= 0"
            )
        edge_ms = milliseconds(times)
        if not self.turns:
            level = type(self)(**parts_of_nodes(self.table, edge_ms, self.node_state))
            return with_grid_of(replace(level, learnt=learnt), self)
        state_ms = self.by_state(edge_ms)
        timed: dict[str, Any] = {"edge_ms": state_ms[: len(edge_ms)], **self.graphs_of(state_ms)}
        return with_grid_of(replace(self, **timed, learnt=learnt), self)

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
            "turn_restrictions": self.table.ban_count,
            "driving": "response" if self.response else "routine",
            "learnt": self.learnt,
            "main_share": round(float(self.main.mean()), 4),
        }

    @cached_property
    def grid(self) -> SnapGrid:
        """Where fixes are looked for."""
        return build_grid(self.table, self.twin, self.to_main, self.from_main)

    @cached_property
    def shape_share(self) -> FloatArray:
        """Share of its edge's length that lies before each shape point, shape (k,), 0 to 1."""
        return shape_shares(self.table)

    @cached_property
    def middle_deg(self) -> tuple[FloatArray, FloatArray]:
        """Longitude and latitude of the middle of each edge's line, each of shape (m,)."""
        return middles_deg(self.table, self.shape_share)

    def __repr__(self) -> str:
        """Name it, rather than print its arrays."""
        nodes, edges = self.table.node_count, self.table.edge_count
        return f"RoadNetwork({self.table.source.name!r}, {nodes} nodes, {edges} edges)"

    @property
    def main(self) -> BoolArray:
        """Edges of the main part, shape (m,)."""
        return self.from_main & self.to_main

    @cached_property
    def spare(self) -> list[Workspace]:
        """Arrays of searches that are not in use."""
        return []

    @cached_property
    def may_turn(self) -> BoolArray:
        """Edges on which a car may turn round, shape (m,)."""
        return may_turn_round(self.table)

    @cached_property
    def end_state(self) -> Int32Array:
        """
        The state in which each edge is left by a car that set out on it, shape (m,).

        Empty where turns have a price: there it is the edge itself, and takes no memory.
        """
        return self.node_state if self.turns else self.node_state[self.table.head]

    @cached_property
    def state_node(self) -> Int32Array:
        """Where turns have no price: the node of each state, shape (n,)."""
        return np.argsort(self.node_state).astype(np.int32)

    @cached_property
    def half_ms(self) -> Int32Array:
        """Time to the middle of each edge, rounded as that of any position, shape (m,)."""
        return np.rint(self.edge_ms / 2).astype(np.int32)

    @cached_property
    def whole_ms(self) -> Int32Array:
        """Time to drive each edge from end to end, shape (m,); `UNREACHED` where it is closed."""
        whole_ms = self.edge_ms.copy()
        whole_ms[list(self.closed)] = UNREACHED
        return whole_ms

    def left_in(self, edge: int) -> int:
        """
        Give the state in which an edge is left by a car that set out on it.

        Returns
        -------
        state : int
            The edge itself where turns have a price.
        """
        return edge if self.turns else int(self.end_state[edge])

    def edge_of(self, state: int) -> int:
        """
        Give the edge of a state, where turns have a price.

        Returns
        -------
        edge : int
            Its row.
        """
        ghost = state - len(self.edge_ms)
        return state if ghost < 0 else int(self.ghost_edge[ghost])

    def by_state(self, figures: Int32Array) -> Int32Array:
        """
        Give the states of a network whose turns have a price what their edges have.

        Parameters
        ----------
        figures : ndarray of int32, shape (m,)
            By edge.

        Returns
        -------
        figures : ndarray of int32, shape (S,)
            By state.
        """
        return np.concatenate([figures, figures[self.ghost_edge]])

    def graphs_of(self, state_ms: Int32Array) -> dict[str, Any]:
        """
        Give the graphs other times of their states.

        Parameters
        ----------
        state_ms : ndarray of int32, shape (S,)
            As `SearchGraph` has them.

        Returns
        -------
        graphs : dict of str to SearchGraph
            By the names that they have here.
        """
        return {
            name: replace(graph, state_ms=state_ms)
            for name, graph in (("forward", self.forward), ("backward", self.backward))
        }

    def states_of(self, edge: int) -> list[int]:
        """
        List the states in which an edge may be left.

        Returns
        -------
        states : list of int
            More than one where a turn restriction remembers how the edge was reached.
        """
        return [self.left_in(edge), *self.ghosts.get(edge, ())]

    def begun_in(self, edge: int) -> list[int]:
        """
        List the states in which an edge may be begun.

        Returns
        -------
        states : list of int
            As `states_of` where turns have a price; else that of the node it leads from.
        """
        return self.states_of(edge) if self.turns else [int(self.node_state[self.table.tail[edge]])]

    def through_ms(self, edge: int) -> int:
        """
        Give the time to drive an edge from end to end.

        Returns
        -------
        time_ms : int
            `UNREACHED` where it is closed.
        """
        return int(self.whole_ms[edge])

    def onward(self, state: int) -> Iterator[tuple[int, int, int]]:
        """
        List how one may go on from a state.

        Yields
        ------
        edge : int
            The next edge.
        after : int
            The state in which it is left.
        turn_ms : int
            What the passage into it costs.
        """
        if self.turns:
            for after, turn_ms in self.forward.arcs_of(state).tolist():
                yield self.edge_of(after), after, turn_ms
        else:
            for edge in self.edges_from(int(self.state_node[state])).tolist():
                yield edge, self.left_in(edge), 0

    @cached_property
    def ghosts(self) -> dict[int, list[int]]:
        """The states that an edge has besides its own."""
        found: dict[int, list[int]] = {}
        for state, edge in enumerate(self.ghost_edge.tolist(), len(self.edge_ms)):
            found.setdefault(edge, []).append(state)
        return found

    @cached_property
    def _arriving(self) -> tuple[IntArray, IntArray]:
        return _by_node(self.table.head, self.table.node_count)

    @cached_property
    def _leaving(self) -> tuple[IntArray, IntArray]:
        return _by_node(self.table.tail, self.table.node_count)

    def edges_to(self, node: int) -> IntArray:
        """
        List the edges that lead to a node.

        Returns
        -------
        edges : ndarray of int64, shape (e,)
            Rising.
        """
        order, start = self._arriving
        return order[start[node] : start[node + 1]]

    def edges_from(self, node: int) -> IntArray:
        """
        List the edges that lead from a node.

        Returns
        -------
        edges : ndarray of int64, shape (e,)
            Rising.
        """
        order, start = self._leaving
        return order[start[node] : start[node + 1]]


def _by_node(node: Int32Array, count: int) -> tuple[IntArray, IntArray]:
    """List edges by the node at one of their ends, and where each node's begin."""
    start = np.concatenate([[0], np.cumsum(np.bincount(node, minlength=count))])
    return np.argsort(node, kind="stable"), start
