"""What rows ask rollby for, in one place: its own calls, prepared."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.kernels import snap as kernel
from geo.nearest import NearestUnits, nearest
from geo.network import RoadNetwork
from geo.router import search_back, times_from, times_to
from geo.searching import limit_ms_of, searched
from geo.snap import Position, roads_of, snap, snap_batch
from geo.snap_grid import SETTING_OUT
from geo.standing import StandingStops
from geo.starts import Starts, ends_of, seeds_back, starts_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bench.graphs import FloatArray, Graph, IntArray
    from data.road_table import Int32Array
    from geo.snap import Snapped


ROUTING = "memory of a network's routing arrays"
LOADED = "memory of a loaded network, geometry apart"
GEOMETRY = "its geometry, and the grid in which fixes are looked up"
KERNEL = "the kernel"
_LOOKED_UP = ("grid", "shape_share")
_SHAPES = ("table.shape_lon_deg", "table.shape_lat_deg", "table.shape_start")


def network(graph: Graph) -> RoadNetwork:
    """Build the network of a graph: turns cost nothing."""
    return RoadNetwork.from_arrays(
        lon_deg=graph.lon_deg,
        lat_deg=graph.lat_deg,
        tail=graph.tail,
        head=graph.head,
        time_s=graph.time_ds / 10,
    )


def real_network(path: Path) -> RoadNetwork:
    """Build the network of an OpenStreetMap file: turns have their price."""
    from data.extract import read_pbf  # noqa: PLC0415 - its peers are slow to import

    return RoadNetwork.from_table(read_pbf(path))


def load(path: Path) -> RoadNetwork:
    """Map a network's file into memory."""
    return RoadNetwork.load(path)


def searched_copy(net: RoadNetwork) -> RoadNetwork:
    """Map a network anew, put a fix on its roads and search once for a stop there."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "city.roads"
        net.save(path)
        copy = RoadNetwork.load(path)
    place = snap(copy, float(copy.table.lon_deg[0]), float(copy.table.lat_deg[0]), arriving=True)
    assert place is not None
    search_back(copy, place, within_s=600.0)
    return copy


def without_turns(net: RoadNetwork) -> RoadNetwork:
    """Give the same roads and times, turns free."""
    return RoadNetwork.from_arrays(
        lon_deg=net.table.lon_deg,
        lat_deg=net.table.lat_deg,
        tail=net.table.tail,
        head=net.table.head,
        time_s=net.edge_ms / 1000,
    )


def at_nodes(net: RoadNetwork, nodes: IntArray) -> Starts:
    """Put units where edges end, so that each is at a node and may go on any way."""
    edge = np.array([net.edges_to(int(node))[0] for node in nodes], np.int32)
    return starts_at(net, edge, np.ones(len(edge)), np.full(len(edge), -1, np.int32))


def place_at(net: RoadNetwork, edge: int, fraction: float) -> Position:
    """Put a stop on an edge."""
    node = int(net.table.head[edge])
    lon, lat = float(net.table.lon_deg[node]), float(net.table.lat_deg[node])
    return Position(
        lon_deg=lon,
        lat_deg=lat,
        snapped_lon_deg=lon,
        snapped_lat_deg=lat,
        offset_m=0.0,
        edge=edge,
        fraction=fraction,
        turn_round_s=None,
    )


def stop_search(
    net: RoadNetwork, units: IntArray, within_s: float
) -> tuple[Callable[[Position], FloatArray], Callable[[int], Position]]:
    """
    Prepare one backward search that is read with units.

    Returns
    -------
    search : callable
        A stop's place -> seconds from every unit.
    place : callable
        A stop's node -> its place.
    """
    starts = at_nodes(net, units)

    def search(stop: Position) -> FloatArray:
        return search_back(net, stop, within_s=within_s).drive_times_s(starts)

    return search, lambda node: place_at(net, int(net.edges_to(node)[0]), 1.0)


def all_times_to(net: RoadNetwork) -> Callable[[int], FloatArray]:
    """Prepare: a node -> seconds from every node to it."""
    return lambda node: times_to(net, node)


def all_times_from(net: RoadNetwork) -> Callable[[int], FloatArray]:
    """Prepare: a node -> seconds from it to every node."""
    return lambda node: times_from(net, node)


def nearest_units(net: RoadNetwork, k: int) -> Callable[[IntArray], tuple[IntArray, FloatArray]]:
    """Prepare: units' nodes -> which k are nearest to every node, and their seconds."""
    return lambda units: nearest(net, units, k=k)


class Moving:
    """Units at nodes, the two nearest of every road kept exact while they move."""

    def __init__(self, net: RoadNetwork, units: IntArray) -> None:
        self._net = net
        self._kept = NearestUnits(net, at_nodes(net, units))

    def move(self, unit: int, to: Starts) -> None:
        """Move a unit to where `at` says."""
        self._kept.move(unit, to)

    def at(self, node: int) -> Starts:
        """Give a node as `move` takes it: snapping is a row of its own."""
        return at_nodes(self._net, np.array([node]))

    def answer(self) -> tuple[IntArray, FloatArray]:
        """Give which two are nearest to the middle of every edge, and their seconds."""
        return self._kept.at_middles()


def from_scratch(net: RoadNetwork) -> Callable[[Starts], NearestUnits]:
    """Prepare: units -> the two nearest of every road, worked out anew."""
    return lambda starts: NearestUnits(net, starts)


class Standing:
    """Stops at nodes, held."""

    def __init__(self, net: RoadNetwork, stops: IntArray, within_s: float) -> None:
        self._net = net
        self._held = StandingStops(net, within_s=within_s)
        for row, node in enumerate(stops.tolist()):
            self._held.put(str(row), place_at(net, int(net.edges_to(node)[0]), 1.0))

    def fixes(self, nodes: IntArray) -> Starts:
        """Give fixes as `times_s` takes them: snapping is a row of its own."""
        return at_nodes(self._net, nodes)

    def times_s(self, fixes: Starts) -> FloatArray:
        """Give all drive times, (fixes, stops), inf past the horizon."""
        return self._held.drive_times_s(fixes)

    def times_ms(self, fixes: Starts) -> Int32Array:
        """Give the same as they are held, whole milliseconds."""
        return self._held.drive_times_ms(fixes)


def snapper(net: RoadNetwork) -> Callable[[FloatArray, FloatArray, FloatArray], Snapped]:
    """Prepare: longitudes, latitudes, headings -> where on the roads they are."""

    def snapped(lon: FloatArray, lat: FloatArray, heading: FloatArray) -> Snapped:
        return snap_batch(net, lon, lat, heading)

    return snapped


def snap_kernel(
    net: RoadNetwork, lon: FloatArray, lat: FloatArray, heading: FloatArray
) -> Callable[[object], None]:
    """Prepare fixes for the kernel alone: their order and room for answers are made."""
    unknown = np.full(len(lon), np.nan)
    asked = np.stack([lon, lat, heading, unknown, unknown])
    order = net.grid.order(lon, lat)
    whole = np.empty((kernel.WHOLE, len(lon)), np.int32)
    figures = np.empty((kernel.FIGURES, len(lon)))
    roads = roads_of(net)
    return lambda _: kernel.snap_fixes(
        net.grid.cells, roads, SETTING_OUT, 0, asked, order, whole, figures
    )


def table_to(net: RoadNetwork, within_s: float) -> Callable[[FloatArray, FloatArray], FloatArray]:
    """Prepare: places (k, 2) and a stop (2,), degrees -> seconds from each place to the stop."""

    def table(places: FloatArray, stop: FloatArray) -> FloatArray:
        end = snap(net, float(stop[0]), float(stop[1]), arriving=True)
        assert end is not None
        starts = snap_batch(net, places[:, 0], places[:, 1], np.full(len(places), np.nan)).starts(
            net
        )
        return search_back(net, end, within_s=within_s).drive_times_s(starts)

    return table


def turn_searches(
    net: RoadNetwork, *, units: int, stops: int, within_s: float
) -> tuple[Callable[[Position], FloatArray], Callable[[Position], FloatArray], list[Position]]:
    """
    Prepare the stop's search with turns and without, same edges, in the middle of them.

    Returns
    -------
    with_turns, without : callable
        A stop's place -> seconds from every unit.
    stops : list of Position
        Places.
    """
    rng = np.random.default_rng(3)
    good = np.flatnonzero(net.from_main & net.to_main)
    edge = rng.choice(good, units, replace=False).astype(np.int32)
    middle, no_way_back = np.full(units, 0.5), np.full(units, -1, np.int32)

    def prepare(one: RoadNetwork) -> Callable[[Position], FloatArray]:
        starts = starts_at(one, edge, middle, no_way_back)
        return lambda stop: search_back(one, stop, within_s=within_s).drive_times_s(starts)

    places = [place_at(net, int(row), 0.5) for row in rng.choice(good, stops, replace=False)]
    return prepare(net), prepare(without_turns(net)), places


def search_phases(
    net: RoadNetwork, units: IntArray, nodes: list[int], within_s: float
) -> tuple[dict[str, Callable[[Position], object]], list[Position]]:
    """
    Prepare the phases of `stop_search`, each by itself.

    Returns
    -------
    phases : dict of str to callable
        A stop's place -> the phase done.
    places : list of Position
        The stops.
    """
    starts = at_nodes(net, units)
    places = [place_at(net, int(net.edges_to(node)[0]), 1.0) for node in nodes]
    limit_ms = limit_ms_of(within_s)
    seeds = {id(place): seeds_back(net, *ends_of(net, place)) for place in places}
    found = {id(place): search_back(net, place, within_s=within_s) for place in places}

    def kernel(place: Position) -> None:
        with searched(net.spare, net.backward, *seeds[id(place)], limit_ms):
            pass

    return {
        "all of it": lambda place: search_back(net, place, within_s=within_s).drive_times_s(starts),
        "Python's calls (a search of no reach)": lambda place: search_back(net, place, within_s=0),
        KERNEL: kernel,
        "searched and kept to be read": lambda place: search_back(net, place, within_s=within_s),
        "1,000 units read": lambda place: found[id(place)].drive_times_s(starts),
    }, places


def settled(net: RoadNetwork, place: Position, within_s: float) -> int:
    """Count the states that a stop's search reaches."""
    seeds = seeds_back(net, *ends_of(net, place))
    with searched(net.spare, net.backward, *seeds, limit_ms_of(within_s)) as found:
        return len(found.touched)


def bytes_per_state(net: RoadNetwork) -> float:
    """
    Give the bytes that the kernel must touch for each state it reaches.

    A start and the next one, its time, its own label written, its place in the list of what was
    touched; of each arc the arc and the label it leads to; of the queue an entry put and taken.
    """
    arcs = len(net.backward.arc) / net.backward.count
    return 8 + 4 + 4 + 4 + arcs * (8 + 4) + 2 * 12


def memory_parts(net: RoadNetwork) -> dict[str, dict[str, int]]:
    """List the bytes of a network's arrays, once searched, by what they are for."""
    held: dict[str, NDArray[Any]] = {}
    looked_up: dict[str, NDArray[Any]] = {}
    for name, value in vars(net).items():  # what it holds, and what it made on first use
        if name != "table":
            (looked_up if name in _LOOKED_UP else held).update(_arrays(name, value))
    own, apart = _bytes_once(held), _bytes_once(looked_up)
    # Columns of a table that was read lie in memory of their own; only one just made shares blanks.
    table = {name: array.nbytes for name, array in _arrays("table", net.table).items()}
    shape = {name: size for name, size in table.items() if name in _SHAPES}
    rest = {name: size for name, size in table.items() if name not in _SHAPES}
    return {ROUTING: own, LOADED: own | rest, GEOMETRY: shape | apart}


def _bytes_once(arrays: dict[str, NDArray[Any]]) -> dict[str, int]:
    """Give the bytes of arrays; those that lie in a larger one are counted with that."""
    counted: dict[str, NDArray[Any]] = {}
    for name, array in sorted(arrays.items(), key=lambda part: -part[1].nbytes):
        if not any(np.may_share_memory(array, other) for other in counted.values()):
            counted[name] = array
    return {name: array.nbytes for name, array in counted.items()}


def _arrays(name: str, value: Any) -> dict[str, NDArray[Any]]:
    """List an array, or the arrays that something holds."""
    if isinstance(value, np.ndarray):
        return {name: value}
    fields = getattr(value, "__dataclass_fields__", None) or ("data", "indices", "indptr")
    held = {f"{name}.{field}": getattr(value, field, None) for field in fields}
    return {field: part for field, part in held.items() if isinstance(part, np.ndarray)}
