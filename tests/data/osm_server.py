"""A server on this machine that answers as Overpass and Nominatim do, well or badly."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.data.osm_texts import PLACES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.data.osm_texts import Tags, Way

DATE = "2025-03-01T12:34:56Z"


@dataclass
class Answer:
    """What to answer once: a status and a body, cut short if so wished."""

    body: bytes
    status: int = 200
    cut: bool = False


def overpass_answer(
    ways: list[Way], node_tags: dict[int, Tags] | None = None, **more: Any
) -> Answer:
    """Answer as Overpass does: ways, then the nodes of them."""
    elements: list[dict[str, Any]] = [
        {"type": "way", "id": way_id, "nodes": refs, "tags": tags} for way_id, refs, tags in ways
    ]
    for node in sorted({ref for _, refs, _ in ways for ref in refs}):
        lon, lat = PLACES[node]
        tags = (node_tags or {}).get(node)
        element = {"type": "node", "id": node, "lon": lon, "lat": lat}
        elements.append(element | ({"tags": tags} if tags else {}))
    head = {
        "version": 0.6,
        "generator": "Overpass API 0.7.62.7",
        "osm3s": {"timestamp_osm_base": DATE, "copyright": "OpenStreetMap, ODbL"},
    }
    return Answer(json.dumps(head | {"elements": elements} | more).encode())


def nominatim_answer(geometry: dict[str, Any] | None) -> Answer:
    """Answer as Nominatim does: a list of places, empty where there is none."""
    place = {
        "place_id": 1,
        "osm_type": "relation",
        "osm_id": 2,
        "lat": "39.73",
        "lon": "-104.89",
        "importance": 0.6,
        "display_name": "Somewhere",
        "boundingbox": ["39.6", "39.9", "-105.0", "-104.8"],
        "geojson": geometry,
    }
    return Answer(json.dumps([place] if geometry else []).encode())


@dataclass
class OsmServer:
    """
    The server: `overpass` and `nominatim` are answers to give, the last of each again and again.
    """

    url: str
    overpass: list[Answer] = field(default_factory=list)
    nominatim: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    def answer(self, path: str, query: dict[str, list[str]]) -> Answer:
        self.asked.append((path, query))
        answers = {"/api/interpreter": self.overpass, "/nominatim/search": self.nominatim}.get(path)
        if not answers:
            return Answer(b"<html>not found</html>", 404)
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def osm_server() -> Iterator[OsmServer]:
    """Run a server on a free port of 127.0.0.1."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as http:
        server = OsmServer(f"http://127.0.0.1:{http.server_port}")
        http.osm = server  # type: ignore[attr-defined]
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._give(parts.path, parse_qs(parts.query))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._give(urlsplit(self.path).path, parse_qs(body))

    def _give(self, path: str, query: dict[str, list[str]]) -> None:
        answer = self.server.osm.answer(path, query)  # type: ignore[attr-defined]
        if answer.cut and not answer.body:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""
