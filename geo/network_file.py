"""A `geo.network.RoadNetwork` as a ``.roads`` file."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from data.errors import InputError, RoadFileError
from data.road_table import ARRAYS, RoadTable, road_source
from data.roadfile import read_roads, write_roads
from geo.states import SearchGraph

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import numpy.typing as npt

    from geo.network import RoadNetwork

_OWN_ARRAYS = (
    "edge_ms",
    "twin",
    "ghost_edge",
    "state_ms",
    "node_state",
    "from_main",
    "to_main",
)
_GRAPHS = ("forward", "backward")


def read_parts(path: Path | str) -> dict[str, Any]:
    """
    Map the parts of a network into memory.

    Parameters
    ----------
    path : Path or str
        A file written by `write_network`.

    Returns
    -------
    parts : dict of str to object
        What `RoadNetwork` is built from, by its names; arrays are read-only views of the file.

    Raises
    ------
    RoadFileError
        If the file is missing, no ``.roads`` file, cut short, altered, or newer than this
        program; or if it holds other arrays than a road network's.
    """
    arrays, facts = read_roads(path)
    if "state_edge" in arrays:  # until format 3: the edges themselves, then those of ghosts
        arrays["ghost_edge"] = arrays["state_edge"][len(arrays["edge_ms"]) :]
    lacking = [name for name in ("texts", "source") if name not in facts]
    graphs = [f"{graph}_{part}" for graph in _GRAPHS for part in ("start", "arc")]
    missing = [name for name in (*ARRAYS, *_OWN_ARRAYS, *graphs) if name not in arrays]
    missing += lacking
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
    state_ms = arrays["state_ms"]
    forward, backward = (
        SearchGraph(start=arrays[f"{graph}_start"], arc=arrays[f"{graph}_arc"], state_ms=state_ms)
        for graph in _GRAPHS
    )
    own: dict[str, Any] = {name: arrays[name] for name in _OWN_ARRAYS if name != "state_ms"}
    if not len(own["node_state"]):
        own["edge_ms"] = state_ms[: len(own["edge_ms"])]
    own |= {"response": bool(facts.get("response")), "learnt": facts.get("learnt", "")}
    return {"table": table, "forward": forward, "backward": backward, **own}


def write_network(net: RoadNetwork, path: Path | str) -> None:
    """
    Write a ``.roads`` file, whole or not at all.

    Parameters
    ----------
    net : RoadNetwork
        The network.
    path : Path or str
        Where to.

    Raises
    ------
    InputError
        If it is patched: what is closed now is not for the file.
    """
    if net.unpatched is not None:
        raise InputError(f"{path}: must be of an ordinary day; save the unpatched network")
    arrays: dict[str, npt.NDArray[Any]] = {name: getattr(net.table, name) for name in ARRAYS}
    arrays |= {name: getattr(net, name) for name in _OWN_ARRAYS}
    for graph in _GRAPHS:
        arrays[f"{graph}_start"] = getattr(net, graph).start
        arrays[f"{graph}_arc"] = getattr(net, graph).arc
    facts = {
        "texts": net.table.texts,
        "source": asdict(net.table.source),
        "response": net.response,
        "learnt": net.learnt,
    }
    write_roads(path, arrays, facts)
