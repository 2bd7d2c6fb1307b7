"""What every row is given: where the data are, how long it may take, and graphs made once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs

from bench import graphs, ours

if TYPE_CHECKING:
    import argparse

    from bench.graphs import Graph, IntArray
    from geo.network import RoadNetwork

SEED = 7
ROOT = Path(__file__).parent.parent
HORIZON_S = 600.0


class MissingError(Exception):
    """Something a row needs is not at hand; the text says what."""


def add_cache(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of what takes long to make."""
    own = platformdirs.user_cache_path("rollby") / "bench"
    text = "where graphs, peers, their maps and answers are kept once made (%(default)s)"
    parser.add_argument("--cache", type=Path, metavar="DIR", default=own, help=text)


@dataclass(kw_only=True)
class Setup:
    """
    Data, time and graphs for the rows.

    Parameters
    ----------
    data : Path or None
        Folder of real extracts.
    cache : Path
        Folder for what takes long to make.
    quick : bool
        A minute instead of a quarter of an hour: one graph, fewer peers, shorter races.
    """

    data: Path | None
    cache: Path
    quick: bool
    _graphs: dict[str, Graph] = field(default_factory=dict)
    _networks: dict[str, RoadNetwork] = field(default_factory=dict)

    def seconds(self, full: float) -> float:
        """Give the time a race may take."""
        return min(full, 0.7) if self.quick else full

    def source(self, name: str) -> Path:
        """
        Find a file of real data.

        Raises
        ------
        MissingError
            If it is not there.
        """
        if self.data is None or not (path := self.data / name).is_file():
            raise MissingError(f"no {name}: name its folder with --data or ROLLBY_BENCH_DATA")
        return path

    def graph(self, name: str) -> Graph:
        """
        Give a graph: grid, ny, ny50, ny120, ny2, ny4, world, or the roads of an extract.

        Raises
        ------
        MissingError
            If its data are not at hand.
        """
        if name not in self._graphs:
            self._graphs[name] = self._make(name)
        return self._graphs[name]

    def _make(self, name: str) -> Graph:
        if name == "grid":
            return graphs.grid_city()
        if name == "world":
            try:
                return graphs.cached(self.cache, name, graphs.world_highways)
            except ModuleNotFoundError as fault:
                raise MissingError("no package scgraph-data") from fault
        if name == "ny":
            folder = self.source("USA-road-t.NY.gr.gz").parent
            self.source("USA-road-d.NY.co.gz")
            return graphs.cached(self.cache, name, lambda: graphs.new_york(folder))
        if not name.startswith("ny"):
            return graphs.of_table(f"{name}, turns free", self.real_network(name))
        size = int(name.removeprefix("ny"))
        city = self.graph("ny")
        return graphs.copies(city, size) if size < 10 else graphs.piece(city, size * 1000)

    def main_graph(self) -> Graph:
        """Give the graph of most rows: New York, or the made-up city where it is not at hand."""
        if self.quick:
            return self.graph("grid")
        try:
            return self.graph("ny")
        except MissingError:
            return self.graph("grid")

    def network(self, graph: Graph) -> RoadNetwork:
        """Give rollby's network of a graph."""
        if graph.name not in self._networks:
            self._networks[graph.name] = ours.network(graph)
        return self._networks[graph.name]

    def real_network(self, name: str) -> RoadNetwork:
        """
        Give rollby's network of an OpenStreetMap file.

        Raises
        ------
        MissingError
            If the file is not at hand.
        """
        if name not in self._networks:
            self._networks[name] = ours.load(self.real_path(name))
        return self._networks[name]

    def real_path(self, name: str) -> Path:
        """
        Give the `.roads` file of an OpenStreetMap file.

        Raises
        ------
        MissingError
            If the file is not at hand.
        """
        source = self.source(f"{name}.osm.pbf")
        kept = self.cache / f"{name}-{_code_mark()}.roads"
        if not kept.is_file():
            self.cache.mkdir(parents=True, exist_ok=True)
            ours.real_network(source).save(kept)
        return kept

    def forget(self, graph: Graph) -> None:
        """Free the memory of a graph that no later row needs."""
        self._networks.pop(graph.name, None)
        for name in [name for name, kept in self._graphs.items() if kept is graph]:
            del self._graphs[name]


def downtown(graph: Graph, count: int, *, within: int = 20_000) -> IntArray:
    """Draw places in the middle of a graph, the same wherever the same city is in it."""
    if graph.name == "grid":
        pool = np.arange(graph.node_count)
    else:
        pool = graph.near(*graphs.DOWNTOWN, min(within, graph.node_count))
    return np.random.default_rng(SEED).choice(pool, count, replace=count > len(pool))


def anywhere(graph: Graph, count: int, *, seed: int = SEED) -> IntArray:
    """Draw places all over a graph."""
    return np.random.default_rng(seed).choice(graph.node_count, count, replace=False)


def _code_mark() -> str:
    """Mark the code that builds networks: a file built by other code is not used."""
    digest = hashlib.sha256()
    for folder in ("data", "geo"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
