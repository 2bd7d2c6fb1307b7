"""
A bench server, no product: the question OSRM's `table` answers, answered from our network.

`POST /table` with ``{"sources": [[lon, lat], ...], "target": [lon, lat]}`` gives
``{"durations": [seconds or null, ...]}``. One thread, connections kept, on loopback.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import numpy as np
from pydantic_core import from_json, to_json

from bench import ours

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.graphs import FloatArray


def serve(path: str, port: int, within_s: float) -> None:
    """Answer until killed."""
    table = ours.table_to(ours.load(path), within_s)
    HTTPServer(("127.0.0.1", port), _handler(table)).serve_forever()


def _handler(table: Callable[[FloatArray, FloatArray], FloatArray]) -> type:
    """Make the class that the standard library's server wants."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            asked = from_json(self.rfile.read(int(self.headers["Content-Length"])))
            time_s = table(np.array(asked["sources"]), np.array(asked["target"]))
            text = to_json({"durations": time_s.round(1).tolist()}, inf_nan_mode="null")
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
