"""Servers on real sockets that play a Traccar server's part, and an Esri layer's, for tests."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from data.feeds.traccar_fake import write_traccar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.websockets import WebSocket


@contextmanager
def listening(app: Any, port: int = 0, **tls: Any) -> Iterator[int]:
    """Serve an application on a port of the loopback."""
    bound = socket.create_server(("127.0.0.1", port))
    # asyncio's own loop: uvloop leaves a call open whose TLS was refused, now and then.
    config = uvicorn.Config(
        app,
        log_config=None,
        loop="asyncio",
        ws="websockets-sansio",
        timeout_graceful_shutdown=1,
        **tls,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    try:
        yield int(bound.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()


async def form_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode()))


def new_secret() -> str:
    return secrets.token_hex(8)


@dataclass
class FakeTraccar:
    """
    What the reference and the source of Traccar 5 say of it, as far as the door uses it.

    A session by GET /api/session/ID with a bearer's token, or POST /api/session with a form; a
    WebSocket by the session's cookie only; positions by their fixTime, both ends included.
    """

    token: str = field(default_factory=new_secret)
    user_id: int = 7
    user: str = "rollby@example.gov"
    password: str = field(default_factory=new_secret)
    devices: list[dict[str, Any]] = field(default_factory=list)
    positions: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    sockets: list[tuple[WebSocket, asyncio.AbstractEventLoop]] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    refuse: int = 0

    def app(self) -> Starlette:
        """Make the application."""
        return Starlette(
            routes=[
                Route("/api/session", self._sign_in, methods=["POST"]),
                Route("/api/session/{user}", self._session),
                Route("/api/devices", self._devices),
                Route("/api/positions", self._positions),
                WebSocketRoute("/api/socket", self._socket),
            ]
        )

    def _known(self, request: Request | WebSocket) -> bool:
        bearer = request.headers.get("Authorization") == f"Bearer {self.token}"
        return bearer or request.cookies.get("JSESSIONID") in self.sessions

    def _with_session(self) -> Response:
        name = f"node0{len(self.sessions)}"
        self.sessions.add(name)
        answer = JSONResponse({"id": self.user_id, "name": "rollby"})
        answer.set_cookie("JSESSIONID", name, path="/")
        return answer

    async def _sign_in(self, request: Request) -> Response:
        self.asked.append(str(request.url))
        told = await form_of(request)
        if self.refuse:
            return Response(status_code=self.refuse, headers={"Retry-After": "1"})
        if (told.get("email"), told.get("password")) != (self.user, self.password):
            return Response(status_code=401)
        return self._with_session()

    async def _session(self, request: Request) -> Response:
        self.asked.append(str(request.url))
        if not self._known(request):
            return Response(status_code=401)
        if request.path_params["user"] != str(self.user_id):
            return Response(status_code=400)
        return self._with_session()

    async def _devices(self, request: Request) -> Response:
        self.asked.append(str(request.url))
        if not self._known(request):
            return Response(status_code=401)
        return JSONResponse(self.devices)

    async def _positions(self, request: Request) -> Response:
        self.asked.append(str(request.url))
        told = request.query_params
        if not self._known(request):
            return Response(status_code=401)
        first, last = (datetime.fromisoformat(told[name]) for name in ("from", "to"))
        mine = [one for one in self.positions if str(one["deviceId"]) == told["deviceId"]]
        chosen = [one for one in mine if first <= datetime.fromisoformat(one["fixTime"]) <= last]
        return JSONResponse(sorted(chosen, key=lambda one: str(one["fixTime"])))

    async def _socket(self, socket: WebSocket) -> None:
        if socket.cookies.get("JSESSIONID") not in self.sessions:
            await socket.close()
            return
        await socket.accept()
        newest = {one["deviceId"]: one for one in self.positions}
        await socket.send_text(write_traccar(*newest.values()).decode())
        self.sockets.append((socket, asyncio.get_running_loop()))
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    def say(self, message: bytes) -> None:
        """Say something to all who listen."""
        for one, loop in self.sockets:
            asyncio.run_coroutine_threadsafe(one.send_text(message.decode()), loop).result(5)

    def hang_up(self) -> None:
        """End all connections."""
        for one, loop in self.sockets:
            asyncio.run_coroutine_threadsafe(one.close(1001), loop).result(5)
        self.sockets.clear()


@dataclass
class FakeLayer:
    """
    A layer of an Esri feature service as its REST reference has it, and a GeoJSON document.

    Rows have OBJECTID and EditDate; of a query it understands ``EditDate >= TIMESTAMP``.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    most: int = 1000
    token: str = ""
    pages: bool = True
    tracking: bool = True
    zone: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    answer: bytes = b""
    document: bytes = b""
    tag: str = '"1"'
    documents: int = 0
    status: int = 200
    heard: list[dict[str, str]] = field(default_factory=list)
    each_page: Any = None

    def app(self) -> Starlette:
        """Make the application."""
        return Starlette(
            routes=[
                Route("/FeatureServer/0", self._nature, methods=["GET", "POST"]),
                Route("/FeatureServer/0/query", self._query, methods=["POST"]),
                Route("/calls.geojson", self._document),
            ]
        )

    async def _nature(self, request: Request) -> Response:
        self.heard.append(dict(request.headers))
        told: dict[str, Any] = {
            "objectIdField": "OBJECTID",
            "maxRecordCount": self.most,
            "advancedQueryCapabilities": {"supportsPagination": self.pages},
        }
        if self.tracking:
            told["editFieldsInfo"] = {"editDateField": "EditDate"}
        if self.zone:
            told["dateFieldsTimeReference"] = {"timeZoneIANA": self.zone}
        return JSONResponse(told)

    async def _query(self, request: Request) -> Response:
        self.heard.append(dict(request.headers))
        told = await form_of(request)
        self.asked.append(told)
        if self.answer:
            return Response(self.answer)
        token = request.headers.get("X-Esri-Authorization", "")
        if self.token and token != f"Bearer {self.token}":
            return JSONResponse(
                {"error": {"code": 498, "message": "Invalid token.", "details": []}}
            )
        since = re.search(r"EditDate >= TIMESTAMP '([^']+)'", told["where"])
        from_ms = 0.0
        if since:
            from_ms = datetime.fromisoformat(since[1]).replace(tzinfo=UTC).timestamp() * 1000
        rows = sorted(
            (one for one in self.rows if one.get("EditDate", 0) >= from_ms),
            key=lambda one: int(one["OBJECTID"]),
        )
        first = int(told.get("resultOffset", 0))
        count = min(self.most, int(told.get("resultRecordCount", self.most)))
        page = rows[first : first + count]
        if self.each_page:
            self.each_page(first)
        return self._page(page, more=first + count < len(rows), answers=told["f"])

    def _page(self, rows: list[dict[str, Any]], *, more: bool, answers: str) -> Response:
        flag = {"exceededTransferLimit": True} if more else {}
        if answers == "geojson":
            features = [
                {"type": "Feature", "id": one["OBJECTID"], "geometry": None, "properties": one}
                for one in rows
            ]
            document = {"type": "FeatureCollection", "features": features}
            return JSONResponse({**document, **({"properties": flag} if flag else {})})
        features = [{"attributes": one} for one in rows]
        return JSONResponse(
            {"objectIdFieldName": "OBJECTID", "spatialReference": {"wkid": 4326}, **flag}
            | {"features": features}
        )

    async def _document(self, request: Request) -> Response:
        self.heard.append(dict(request.headers))
        self.documents += 1
        if self.status != 200:
            headers = {"Retry-After": "1", "Location": "http://127.0.0.1:1/"}
            return Response(status_code=self.status, headers=headers)
        if self.tag and request.headers.get("If-None-Match") == self.tag:
            return Response(status_code=304)
        return Response(
            self.document,
            headers={"ETag": self.tag, "Last-Modified": "Fri, 13 Mar 2026 02:00:00 GMT"},
        )


def row_of(object_id: int, stop_id: str, edited_ms: int, **more: Any) -> dict[str, Any]:
    """Make a layer's row."""
    return {
        "OBJECTID": object_id,
        "stop_id": stop_id,
        "unit_id": "4A12",
        "started_at": 1773367272000,
        "ended_at": None,
        "EditDate": edited_ms,
        **more,
    }


def document_of(*rows: dict[str, Any]) -> bytes:
    """Write rows as GeoJSON."""
    features = [{"type": "Feature", "geometry": None, "properties": one} for one in rows]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()
