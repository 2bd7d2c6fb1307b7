"""OSMnx graphs that users made, read into a `RoadTable`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import shapely

from data.errors import RoadSourceError
from data.road_table import RoadSource, TextPool, road_source
from data.roads.arrange import TEXT_COLUMNS, arrange
from data.roads.graph_bans import NOTE, read_bans
from data.roads.graph_values import car_class, flag, joined_text, smallest_id
from data.roads.lines import great_circle_m, lengths_m, pick_lines
from data.roads.rules import NODE_TAGS, NOT_FOR_CARS, SERVICE, count_left_out, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.road_table import BoolArray, FloatArray, IntArray, RoadTable
    from data.roads.arrange import Column

WGS84 = "epsg:4326"
_Edge = tuple[int, int, Mapping[str, Any]]
_REMEDY = "make the graph with OSMnx, or read its file with osmnx.load_graphml"
_LEAST_SHARE, _SLACK_M = 0.97, 2.0  # what projections and rounding may take off a length


def from_networkx(graph: nx.MultiDiGraph, *, name: str = "") -> RoadTable:
    """
    Take a graph that a user made with OSMnx.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        Simplified or not, projected or not; it is not changed.
    name : str
        What to call it where the source is shown; by default what `to_networkx` noted in it,
        else ``networkx graph``.

    Returns
    -------
    table : RoadTable
        An edge for each of the graph's; those of a class that no car drives are left out, and
        counted in ``source.left_out``.

    Raises
    ------
    RoadSourceError
        If it is no graph as OSMnx makes them, or holds no road to drive.

    Notes
    -----
    `length` is taken as given, metres, and measured where it is missing. Where OSMnx merged ways
    and lists their values, the edge has the least important class, the smallest way id, and the
    other texts joined by ``;`` as OSM does. `oneway` is found anew: no other edge of the way leads
    back along the same line.
    """
    _check_kind(graph)
    edges, left_out = _driven(graph)
    source = _read_source(graph, name, edges, left_out)
    if not edges:
        raise RoadSourceError(f"{source.name}: must hold at least one road that cars drive")
    places = _read_places(graph)
    row_of = {node: row for row, node in enumerate(graph)}
    tail, head = np.array([[row_of[tail], row_of[head]] for tail, head, _ in edges]).T
    place_deg = np.column_stack([places["lon_deg"], places["lat_deg"]])
    lon_deg, lat_deg, start = _read_shapes(graph, edges, place_deg[tail], place_deg[head])
    way_id = np.array([smallest_id(data.get("osmid")) for _, _, data in edges], np.int64)
    pool = TextPool()
    texts = {
        key: pool.rows([joined_text(data.get(key)) for _, _, data in edges]) for key in TEXT_COLUMNS
    }
    texts["highway"] = pool.rows([car_class(data.get("highway")) for _, _, data in edges])
    return arrange(
        nodes=places | _read_signs(graph, pool),
        edges={
            "tail": tail,
            "head": head,
            "way_id": way_id,
            "length_m": _read_lengths(edges, lon_deg, lat_deg, start),
            "oneway": ~_leads_back(way_id, lon_deg, lat_deg, start),
            "reversed": np.array([flag(data.get("reversed")) for _, _, data in edges]),
            **texts,
        },
        shape_start=start,
        shape_lon_deg=lon_deg,
        shape_lat_deg=lat_deg,
        texts=pool.texts(),
        source=source,
        bans=read_bans(graph.graph.get(NOTE), _names(graph)),
    )


def _check_kind(graph: nx.MultiDiGraph) -> None:
    """
    Check that a graph is directed, and has whole numbers for nodes.

    Raises
    ------
    RoadSourceError
        If it is not.
    """
    if not isinstance(graph, nx.DiGraph):
        raise RoadSourceError(
            f"graph: must be a networkx MultiDiGraph, is {type(graph).__name__}; {_REMEDY}"
        )
    odd = next((node for node in graph if not isinstance(node, int | np.integer)), None)
    if odd is not None:
        raise RoadSourceError(
            f"graph node {odd!r}: must be a whole number; {_REMEDY}, "
            "or number them with networkx.convert_node_labels_to_integers"
        )


def _driven(graph: nx.MultiDiGraph) -> tuple[list[_Edge], Counter[str]]:
    """
    List the edges that cars drive.

    Returns
    -------
    edges : list of tuple
        Tail, head and attributes.
    left_out : Counter of str
        How many others there are, and why.
    """
    edges = [
        edge for edge in graph.edges(data=True) if car_class(edge[2].get("highway")) is not None
    ]
    left_out = graph.number_of_edges() - len(edges)
    return edges, Counter({NOT_FOR_CARS: left_out} if left_out else {})


def _names(graph: nx.MultiDiGraph) -> Iterator[tuple[int, int, int]]:
    """
    Name the edges that cars drive, in the order of `_driven`.

    Yields
    ------
    name : tuple of int
        Tail, head and key.
    """
    edges = graph.edges(keys=True, data=True) if graph.is_multigraph() else ()
    for tail, head, key, data in edges:
        if car_class(data.get("highway")) is not None:
            yield tail, head, key


def _read_source(
    graph: nx.MultiDiGraph, name: str, edges: list[_Edge], left_out: Counter[str]
) -> RoadSource:
    """
    Say where a graph comes from.

    Returns
    -------
    source : RoadSource
        What `to_networkx` noted in it, if it did.
    """
    facts = graph.graph.get("source")
    noted = isinstance(facts, Mapping) and "name" in facts
    source = road_source(facts) if noted else RoadSource(name="networkx graph")
    service = any(car_class(data.get("highway")) == SERVICE for _, _, data in edges)
    return replace(
        source,
        name=name or source.name,
        service_roads=source.service_roads if noted else service,
        left_out="; ".join(filter(None, (source.left_out, count_left_out(left_out)))),
    )


def _read_places(graph: nx.MultiDiGraph) -> dict[str, Column]:
    """
    Read the nodes' ids and places.

    Returns
    -------
    columns : dict of str to ndarray, shape (n,)
        `node_id`, `lon_deg` and `lat_deg`.

    Raises
    ------
    RoadSourceError
        If a node has no place, or one that is not on Earth.
    """
    for node, data in graph.nodes(data=True):
        if not all(isinstance(data.get(key), Real) for key in ("x", "y")):
            raise RoadSourceError(f"graph node {node}: must have numbers x and y; {_REMEDY}")
    x = np.array([data["x"] for _, data in graph.nodes(data=True)], np.float64)
    y = np.array([data["y"] for _, data in graph.nodes(data=True)], np.float64)
    lon_deg, lat_deg = _to_wgs84(graph.graph.get("crs"), x, y)
    on_earth = (np.abs(lon_deg) <= 180) & (np.abs(lat_deg) <= 90)  # noqa: PLR2004 - degrees
    if not on_earth.all():
        row = int(np.argmin(on_earth))
        raise RoadSourceError(
            f"graph node {list(graph)[row]}: x={x[row]}, y={y[row]} must lie in the graph's "
            f"crs {graph.graph.get('crs')}; set graph.graph['crs'] to the one they are in"
        )
    return {"node_id": np.array(list(graph), np.int64), "lon_deg": lon_deg, "lat_deg": lat_deg}


def _to_wgs84(crs: Any, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """
    Turn a graph's coordinates into degrees.

    Returns
    -------
    lon_deg, lat_deg : ndarray of float64, shape (k,)
        WGS 84.

    Raises
    ------
    RoadSourceError
        If `crs` is no coordinate system.
    """
    if str(crs).lower() == WGS84:
        return x, y
    import geopandas  # noqa: PLC0415 - takes a second, and few graphs need it

    try:
        places = geopandas.GeoSeries(geopandas.points_from_xy(x, y), crs=crs).to_crs(WGS84)
    except (RuntimeError, ValueError) as error:  # pyproj's CRSError is the one, no crs the other
        raise RoadSourceError(
            f"graph.graph['crs']={crs}: must name the coordinate system of x and y; "
            "for degrees set it to 'epsg:4326'"
        ) from error
    return places.x.to_numpy(), places.y.to_numpy()


def _read_signs(graph: nx.MultiDiGraph, pool: TextPool) -> dict[str, Column]:
    """
    Read what stands at the nodes.

    Returns
    -------
    columns : dict of str to ndarray, shape (n,)
        `node_highway` and `node_direction`.
    """
    signs = [
        sign({key: joined_text(data.get(key)) for key in NODE_TAGS})
        for _, data in graph.nodes(data=True)
    ]
    return {
        "node_highway": pool.rows([text for text, _ in signs]),
        "node_direction": np.array([faces for _, faces in signs], np.int8),
    }


def _read_shapes(
    graph: nx.MultiDiGraph, edges: list[_Edge], tail_deg: FloatArray, head_deg: FloatArray
) -> tuple[FloatArray, FloatArray, IntArray]:
    """
    Read the edges' lines: straight where none is given, turned round where drawn head first.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        The graph.
    edges : list of tuple
        Its edges that are wanted, m of them.
    tail_deg, head_deg : ndarray of float64, shape (m, 2)
        Longitude and latitude of their ends.

    Returns
    -------
    lon_deg, lat_deg : ndarray of float64, shape (k,)
        WGS 84.
    start : ndarray of int64, shape (m + 1,)
        Where each edge's line starts.
    """
    drawings = _drawings(edges)
    drawn = shapely.is_geometry(drawings)
    size = np.where(drawn, shapely.get_num_points(drawings), 2)
    start = np.concatenate([[0], np.cumsum(size)])
    first, last = start[:-1], start[1:] - 1
    line = np.empty((start[-1], 2))
    line[first], line[last] = tail_deg, head_deg
    x, y = shapely.get_coordinates(drawings).T
    line[np.repeat(drawn, size)] = np.column_stack(_to_wgs84(graph.graph.get("crs"), x, y))
    as_is = np.abs(line[first] - tail_deg) + np.abs(line[last] - head_deg)
    turned = np.abs(line[first] - head_deg) + np.abs(line[last] - tail_deg)
    points, start = pick_lines(start, np.arange(len(edges)), turned.sum(1) < as_is.sum(1))
    return line[points, 0], line[points, 1], start


def _drawings(edges: list[_Edge]) -> Column:
    """
    List the edges' geometries.

    Returns
    -------
    drawings : ndarray of object, shape (m,)
        Lines, and None where an edge has none.

    Raises
    ------
    RoadSourceError
        If a geometry is no line.
    """
    drawings = np.empty(len(edges), np.object_)
    for row, (tail, head, data) in enumerate(edges):
        drawing = data.get("geometry")
        if drawing is not None and not isinstance(drawing, shapely.LineString):
            raise RoadSourceError(
                f"graph edge {tail} to {head}: geometry must be a shapely LineString, "
                f"is {type(drawing).__name__}; {_REMEDY}"
            )
        drawings[row] = None if drawing is None or drawing.is_empty else drawing
    return drawings


def _read_lengths(
    edges: list[_Edge], lon_deg: FloatArray, lat_deg: FloatArray, start: IntArray
) -> FloatArray:
    """
    Take the lengths given, and measure the lines where none is.

    Returns
    -------
    length_m : ndarray of float64, shape (m,)
        Metres.

    Raises
    ------
    RoadSourceError
        If a length is no number, or shorter than the straight way: then it is not in metres.
    """
    length_m = lengths_m(lon_deg, lat_deg, start)
    first, last = start[:-1], start[1:] - 1
    straight_m = great_circle_m(lon_deg[first], lat_deg[first], lon_deg[last], lat_deg[last])
    least_m = np.maximum(0.0, _LEAST_SHARE * straight_m - _SLACK_M).tolist()
    for row, (tail, head, data) in enumerate(edges):
        given = data.get("length")
        if given is None:
            continue
        if not (isinstance(given, Real) and least_m[row] <= given < math.inf):
            raise RoadSourceError(
                f"graph edge {tail} to {head}: length={given!s:.80}: must be metres along the "
                f"road, here at least {straight_m[row]:.1f}; run osmnx.distance.add_edge_lengths "
                "before simplifying"
            )
        length_m[row] = given
    return length_m


def _leads_back(
    way_id: IntArray, lon_deg: FloatArray, lat_deg: FloatArray, start: IntArray
) -> BoolArray:
    """
    Find the edges that another edge of the same way leads back along.

    Returns
    -------
    leads_back : ndarray of bool, shape (m,)
        True for both edges of a two-way street.
    """
    line = np.column_stack([lon_deg, lat_deg])
    ids, bounds = way_id.tolist(), zip(start[:-1].tolist(), start[1:].tolist(), strict=True)
    lines = [(one, line[first:last]) for one, (first, last) in zip(ids, bounds, strict=True)]
    there = [(one, points.tobytes()) for one, points in lines]
    back = [(one, points[::-1].tobytes()) for one, points in lines]
    count = Counter(there)
    others = (count[b] - (a == b) for a, b in zip(there, back, strict=True))
    return np.fromiter((other > 0 for other in others), np.bool_, len(lines))
