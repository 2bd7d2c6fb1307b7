"""Another system is told what the board says: in order, signed, until it hears."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from data.errors import InputError
from data.settings import Settings
from data.store.store import Store
from geo.board import Board
from rollby.service.app import make_app
from rollby.service.server import begin
from rollby.service.webhooks import signature
from tests.rollby.service.served import serving, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from geo.network import RoadNetwork

SECRET = b"what both of us know"


class Other(HTTPServer):
    """A system that is told."""

    def __init__(self) -> None:
        self.deaf = 0
        self.heard: list[dict[str, Any]] = []
        self.signed: list[bool] = []
        super().__init__(("127.0.0.1", 0), Ear)


class Ear(BaseHTTPRequestHandler):
    """What it does with a request."""

    server: Other

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        right = signature(SECRET, self.headers["X-Rollby-Sent-At"], body)
        self.server.signed.append(self.headers["X-Rollby-Signature"] == right)
        if self.server.deaf:
            self.server.deaf -= 1
            self.send_response(500)
        else:
            self.server.heard += json.loads(body)["events"]
            self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other() -> Iterator[Other]:
    with Other() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_another_system_hears_everything_once_it_listens_and_again_after_a_restart(
    tmp_path: Path, denver: RoadNetwork, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollby.service.webhooks.FIRST_WAIT_S", 0.05)
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    told = {"cad": f"http://127.0.0.1:{other.server_port}/hook"}
    settings = Settings.model_validate(
        {"service": {"webhooks": told, "webhook_secret": str(tmp_path / "secret")}}
    )
    address = f"sqlite:///{tmp_path}/live.db"
    other.deaf = 3
    with serving(address, denver, settings) as service:
        service.on_duty()
        service.stop("T-1", "4A12")
        wait_until(lambda: other.heard)
        assert other.deaf == 0
    with serving(address, denver, settings) as service:
        service.http.patch("/api/stops/T-1", json={"phase": "cleared"})
        wait_until(lambda: len(other.heard) == 2)
    assert [(one["number"], one["kind"]) for one in other.heard] == [
        (1, "suggested"),
        (2, "withdrawn"),
    ]
    assert len(other.signed) >= 5
    assert all(other.signed)


@pytest.mark.parametrize(
    ("secret", "why"), [(None, "cannot be read"), (b"short", "must hold at least 16 characters")]
)
def test_a_secret_that_is_none_is_said_at_the_start(
    tmp_path: Path, denver: RoadNetwork, secret: bytes | None, why: str
) -> None:
    if secret:
        (tmp_path / "secret").write_bytes(secret)
    told = {"webhooks": {"x": "https://x.example"}, "webhook_secret": str(tmp_path / "secret")}
    settings = Settings.model_validate({"service": told})
    store = Store(f"sqlite:///{tmp_path}/live.db")
    running = begin(store, Board(denver, settings), settings)
    with pytest.raises(InputError, match=why):
        make_app(running)
    running.core.stop()
    store.close()


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ({"webhooks": {"cad": "https://x.example"}}, "webhook_secret must name a file"),
        ({"webhooks": {"cad": "http://x.example"}, "webhook_secret": "s"}, "must begin with http"),
        (
            {"webhooks": {"cad": "http://localhost.x.example"}, "webhook_secret": "s"},
            "must begin with https://, but on this machine",
        ),
        ({"tls_key": "k"}, "must both be given, or neither"),
        ({"listen": "8340"}, "must be HOST:PORT"),
        ({"listen": "::1:99999"}, "must be HOST:PORT"),
    ],
)
def test_settings_of_the_service_that_cannot_be_say_why(service: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Settings.model_validate({"service": service})
