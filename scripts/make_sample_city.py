"""
Make data/sample/denver.roads from the example that nrel.routee.compass 0.19.5 ships.

    pip download --no-deps nrel.routee.compass==0.19.5
    python scripts/make_sample_city.py nrel_routee_compass-0.19.5-*.whl

The package holds downtown Denver as OSMnx made it of OpenStreetMap: nodes and directed edges with
geometry. They become an OSMnx graph again, and that a .roads file.
"""

from __future__ import annotations

import ast
import csv
import gzip
import io
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import networkx as nx
import shapely

from data.graph import from_networkx
from data.road_table import RoadSource
from geo.network import RoadNetwork

EXAMPLE = "nrel/routee/compass/resources/downtown_denver_example"
SOURCE = RoadSource(
    name="downtown Denver (nrel.routee.compass 0.19.5)",
    licence="ODbL 1.0, (c) OpenStreetMap contributors",
)
TARGET = Path(__file__).parent.parent / "data" / "sample" / "denver.roads"
KEPT = ("lanes", "ref", "name", "highway", "maxspeed")


def rows(wheel: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    """Read one table of the example."""
    packed = wheel.read(f"{EXAMPLE}/{name}-complete.csv.gz")
    return list(csv.DictReader(io.StringIO(gzip.decompress(packed).decode())))


def value(text: str) -> object:
    """Read a cell: lists are written as Python writes them."""
    return ast.literal_eval(text) if text.startswith("[") else text


def build(wheel: zipfile.ZipFile) -> nx.MultiDiGraph:
    """Put the graph together as OSMnx would have it."""
    graph = nx.MultiDiGraph(crs="epsg:4326", simplified=True)
    for row in rows(wheel, "vertices"):
        more = {"highway": row["highway"]} if row["highway"] else {}
        graph.add_node(int(row["vertex_uuid"]), x=float(row["x"]), y=float(row["y"]), **more)
    for row in rows(wheel, "edges"):
        graph.add_edge(
            int(row["src_vertex_uuid"]),
            int(row["dst_vertex_uuid"]),
            key=int(row["key"]),
            osmid=ast.literal_eval(row["edge_uuid"]),
            oneway=row["oneway"] == "True",
            reversed=ast.literal_eval(row["reversed"]),
            length=float(row["distance"]),
            geometry=shapely.from_wkt(row["geometry"]),
            **{name: value(row[name]) for name in KEPT if row[name]},
        )
    return graph


def main() -> None:
    """Make the file and say what is in it."""
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        table = from_networkx(build(wheel), name=SOURCE.name)
    net = RoadNetwork.from_table(replace(table, source=SOURCE))
    net.save(TARGET)
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size} bytes, {net.facts()}\n")


if __name__ == "__main__":
    main()
