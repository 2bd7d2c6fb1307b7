"""
Roads from OpenStreetMap: a place, a box, an outline or an extract into one `RoadTable`.

The only importer of osmnx, and that not before it is needed: it takes seconds.
"""

from __future__ import annotations

import hashlib
import math
import re
import shutil
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from data.errors import RoadSourceError
from data.extract import MISSING_TAG, copy_roads, read_pbf
from data.roads.area import box_area, check_size, read_area
from data.roads.draft import RoadDraft
from data.roads.osmnx_session import Answers, Retry, osmnx_session
from data.roads.progress import silent
from data.roads.rules import ROAD_CLASSES, SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    import networkx as nx

    from data.road_table import RoadTable
    from data.roads.area import Area
    from data.roads.progress import Progress

CACHE_DAYS = 7
"""Answers older than this are asked for again."""
_XML_ENDINGS = (".osm", ".osm.gz", ".osm.bz2")
_ANSWER_DATE = re.compile(rb'"timestamp_osm_base": *"([^"]+)"')
_HEAD_SIZE = 2_000
_NOT_DOWNLOADED = "turn restrictions: not in a download"
_TURNED_BY_OSMNX = {"-1", "reverse", "T"}


def build_roads(
    *,
    osm: str | Path | None = None,
    place: str | None = None,
    bbox: tuple[float, float, float, float] | None = None,
    polygon: str | Path | None = None,
    service_roads: bool = False,
    progress: Progress = silent,
    retry: Retry | None = None,
) -> RoadTable:
    """
    Build a road network from one of four sources.

    Parameters
    ----------
    osm : str or Path, optional
        An extract: ``.osm``, ``.osm.gz``, ``.osm.bz2`` (through OSMnx) or ``.osm.pbf`` (streamed).
    place : str, optional
        A place with an outline on OpenStreetMap: ``"Harrisburg, Pennsylvania, USA"``.
    bbox : tuple of float, optional
        West, south, east, north, degrees.
    polygon : str or Path, optional
        A GeoJSON file with an outline.
    service_roads : bool
        Take all alleys, car parks and driveways; else only service roads that join streets.
    progress : callable
        Told of each step.
    retry : Retry, optional
        How to wait for a busy server.

    Returns
    -------
    table : RoadTable
        All roads a patrol car drives, disconnected pieces included; which they are is in
        docs/roads.md.

    Raises
    ------
    TypeError
        If not exactly one source is given.
    RoadSourceError
        If the source cannot be read, is not known, or holds no road to drive.
    SourceUnreachableError
        If a server cannot be reached, or stays busy.

    Notes
    -----
    Downloads go through OSMnx and obey the servers in ``osmnx.settings``. Its cache is in the
    user's cache folder, a folder a question.
    """
    sources = {"osm": osm, "place": place, "bbox": bbox, "polygon": polygon}
    given = [name for name, source in sources.items() if source is not None]
    if len(given) != 1:
        raise TypeError(
            f"build_roads takes exactly one of osm, place, bbox and polygon; "
            f"got {' and '.join(given) or 'none'}"
        )
    if osm is not None:
        return _read_file(Path(osm), service_roads=service_roads, progress=progress)
    download = partial(
        _download, service_roads=service_roads, progress=progress, retry=retry or Retry()
    )
    if place is not None:
        return download(place, f"place {place}", partial(_find_place, place=place))
    if bbox is not None:
        name, area = "bbox " + ",".join(map(str, bbox)), box_area(bbox)
    else:
        path = Path(str(polygon))
        name, area = path.name, read_area(path)
    return download(name, area.wkt, lambda _: area)


def _read_file(path: Path, *, service_roads: bool, progress: Progress) -> RoadTable:
    """
    Read an extract by its ending.

    Returns
    -------
    table : RoadTable
        Its roads.

    Raises
    ------
    RoadSourceError
        If the ending is of no OSM file, the file cannot be read, or it holds no road to drive.
    """
    if path.name.endswith(".pbf"):
        return read_pbf(path, service_roads=service_roads, progress=progress)
    if not path.name.endswith(_XML_ENDINGS):
        raise RoadSourceError(f"{path}: must end in {', '.join(_XML_ENDINGS)} or .osm.pbf")
    draft = RoadDraft(service_roads=service_roads)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "roads.osm")
        progress("picking the roads", 0.0)
        copied = copy_roads(path, copy)
        draft.leave_out(copied.left_out, copied.undriven)
        for relation in copied.relations:
            draft.add_relation(*relation)
        if copied.ways:
            progress("reading them with OSMnx", 0.2)
            osmnx = _osmnx()
            with osmnx_session(osmnx.settings, Path(folder), Answers(progress)):
                _fill(draft, osmnx.graph_from_xml(copy, simplify=False, retain_all=True))
    progress("cutting roads into edges", 0.9)
    return draft.table(name=path.name, date=copied.date)


def _download(
    name: str,
    question: str,
    find_area: Callable[[ModuleType], Area],
    *,
    service_roads: bool,
    progress: Progress,
    retry: Retry,
) -> RoadTable:
    """
    Ask servers for the roads of an area, through OSMnx.

    Parameters
    ----------
    name : str
        The area as the user gave it.
    question : str
        What makes this download differ from others with the same `service_roads`.
    find_area : callable
        Takes osmnx, gives the area; may ask servers too.
    service_roads : bool
        Take all alleys, car parks and driveways; else only service roads that join streets.
    progress : callable
        Told of each step.
    retry : Retry
        How to wait for a busy server.

    Returns
    -------
    table : RoadTable
        The area's roads.
    """
    osmnx, answers = _osmnx(), Answers(progress)
    draft = RoadDraft(service_roads=service_roads)
    with _cache_folder(f"{question} {service_roads}") as cache:
        with osmnx_session(osmnx.settings, cache, answers):
            progress(f"asking for {name}", 0.0)
            area = retry.ask(lambda: find_area(osmnx), answers, progress)
            check_size(area, name)
            progress("asking for its roads", answers.share)
            roads = partial(_roads, osmnx, area, name)
            _fill(draft, retry.ask(roads, answers, progress))
        progress("cutting roads into edges", 0.9)
        return draft.table(name=name, date=_answer_date(cache), lacks=_NOT_DOWNLOADED)


def _find_place(osmnx: ModuleType, place: str) -> Area:
    """
    Ask for the outline of a place.

    Returns
    -------
    area : shapely.Polygon or shapely.MultiPolygon
        WGS 84.

    Raises
    ------
    RoadSourceError
        If no such place is known, or only as a point.
    """
    try:
        area: Area = osmnx.geocode_to_gdf(place).union_all()
    except TypeError as error:
        raise RoadSourceError(
            f"{place}: is known, but has no outline; name the town or county around it, or give "
            "--bbox or --polygon"
        ) from error
    except ValueError as error:
        raise RoadSourceError(
            f"{place}: no such place is known; check the spelling, add the state and country, or "
            "give --bbox or --polygon"
        ) from error
    return area


def _roads(osmnx: ModuleType, area: Area, name: str) -> nx.MultiDiGraph:
    """
    Ask for the roads of an area.

    Returns
    -------
    graph : networkx.MultiDiGraph
        An edge for each straight bit of a road; what crosses the area's edge is in it to its first
        node outside.

    Raises
    ------
    RoadSourceError
        If there are none.
    """
    try:
        return osmnx.graph_from_polygon(
            area,
            custom_filter=f'["highway"~"^({"|".join((*ROAD_CLASSES, SERVICE))})$"]',
            simplify=False,
            retain_all=True,
            truncate_by_edge=True,
        )
    except ValueError as error:
        raise RoadSourceError(
            f"{name}: has no roads on OpenStreetMap ({error}); check the area, and that longitude "
            "comes before latitude"
        ) from error


def _fill(draft: RoadDraft, graph: nx.MultiDiGraph) -> None:
    """
    Hand the roads of an unsimplified OSMnx graph over, each as it was drawn.

    Parameters
    ----------
    draft : RoadDraft
        Takes them.
    graph : networkx.MultiDiGraph
        Made within an `osmnx_session`: each way has its edges once, with its tags.
    """
    rows: dict[int, int | None] = {}
    for tail, head, tags in graph.edges(data=True):
        way_id = tags["osmid"]
        if way_id not in rows:
            rows[way_id] = draft.add_way(way_id, tags)
        row = rows[way_id]
        if row is not None:
            turned = tags.get("oneway") in _TURNED_BY_OSMNX
            draft.add_path(row, (head, tail) if turned else (tail, head))
    for node_id, tags in graph.nodes(data=True):
        if MISSING_TAG not in tags:
            draft.add_node(node_id, tags["x"], tags["y"])
            draft.add_node_tags(node_id, tags)


@contextmanager
def _cache_folder(question: str) -> Iterator[Path]:
    """
    Keep what servers answer to one question, in the user's cache folder.

    Old answers are thrown away first, and useless ones at once.

    Yields
    ------
    folder : Path
        For OSMnx to fill.

    Raises
    ------
    RoadSourceError
        If the folder cannot be written; and what the caller raises, after the answers are thrown
        away.
    """
    digest = hashlib.sha256(question.encode()).hexdigest()[:32]
    folder = platformdirs.user_cache_path("rollby") / "osmnx" / digest
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _tidy(folder)
    except OSError as error:
        raise RoadSourceError(
            f"{folder}: the cache folder must be writable ({error.strerror}); mend its rights, or "
            "set XDG_CACHE_HOME to another"
        ) from error
    try:
        yield folder
    except RoadSourceError:
        shutil.rmtree(folder)
        raise


def _tidy(folder: Path) -> None:
    """
    Throw away what is old, and what was cut short as it was written.

    Parameters
    ----------
    folder : Path
        Answers of servers, in JSON.
    """
    answers = list(folder.glob("*.json"))
    oldest_s = min((answer.stat().st_mtime for answer in answers), default=math.inf)
    stale = oldest_s < time.time() - CACHE_DAYS * 86_400
    for answer in answers:
        if stale or answer.read_bytes()[-1:] not in {b"}", b"]"}:
            answer.unlink()


def _answer_date(cache: Path) -> str:
    """
    Say when the data that Overpass answered are from.

    Returns
    -------
    date : str
        The oldest of all answers, ISO 8601; "" if none says.
    """
    dates = []
    for file in cache.glob("*.json"):
        with file.open("rb") as answer:
            dates += _ANSWER_DATE.findall(answer.read(_HEAD_SIZE))
    return min(dates, default=b"").decode()


def _osmnx() -> ModuleType:
    """Import osmnx now, not with this module: it takes seconds, and few commands need it."""
    import osmnx  # noqa: PLC0415 - as above

    return osmnx
