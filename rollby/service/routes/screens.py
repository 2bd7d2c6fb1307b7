"""Pages for people: their frames, which hold nothing of anybody, and the files that fill them."""

from __future__ import annotations

import asyncio
import hashlib
from functools import cache
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response

from maps.coverage_map import band_words
from maps.live_map import Drawn, live_map
from maps.page import asset
from rollby.service.guard import guard_of
from rollby.service.running import InService, Running
from rollby.service.screens import TEMPLATES, facts_of

router = APIRouter(tags=["screens"], include_in_schema=False)
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
CACHED = {"Cache-Control": "no-cache"}  # asked for again each time: a page fits its scripts
SCREENS = {
    "sign-in": "Sign in",
    "officer": "Roll by",
    "supervisor": "Supervisor",
    "wallboard": "Wallboard",
}


@router.get("/")
def start() -> Response:
    """Lead to the sign-in, which leads on."""
    return Response(status_code=303, headers={"Location": "/sign-in"})


@router.get("/sign-in")
@router.get("/officer")
def screen(request: Request, service: InService) -> Response:
    """Give a page's frame: the same for everybody."""
    return _frame(request.url.path.strip("/"), request, service)


@router.get("/supervisor")
@router.get("/wallboard")
async def live_screen(request: Request, service: InService) -> Response:
    """Give the frame of a page with the live map: the roads are public, and nobody is on it yet."""
    drawn = (await drawn_map(request, service)).parts
    return _frame(request.url.path.strip("/"), request, service, map_html=drawn.html)


def _frame(name: str, request: Request, service: Running, map_html: str = "") -> Response:
    """Fill a page's template."""
    facts = facts_of(service.settings, service.clock.rate) | {
        "name": name,
        "title": SCREENS[name],
        "provider": guard_of(request).provider is not None,
        "map_html": map_html,
        "bands": _bands(service),
    }
    html = TEMPLATES.get_template(f"{name.replace('-', '_')}.html").render(facts)
    return Response(html, media_type="text/html", headers=CACHED)


def _bands(service: Running) -> list[str]:
    """Name the bands of coverage: in minutes, unless a beat has a T of its own."""
    if service.covering.has_own_limits:
        return ["up to half of T", "half of T to T", "T to twice T", "over twice T", "no way"]
    return band_words(service.settings.policy.within_s)


async def drawn_map(request: Request, service: Running) -> Drawn:
    """
    Draw the live map once, without keeping anybody waiting meanwhile.

    Returns
    -------
    drawn : Drawn
        The same for everybody.
    """
    drawn: Drawn | None = getattr(request.app.state, "live_map", None)
    if drawn is None:
        roads = await service.look(lambda board: board.net.table)
        imperial = service.settings.units.speed_unit == "mph"
        drawn = await asyncio.to_thread(live_map, roads, imperial=imperial)
        request.app.state.live_map = drawn
    return drawn


@router.get("/live-map.{kind}")
async def live_map_file(
    kind: Annotated[str, Path(pattern="^(js|css)$")], request: Request, service: InService
) -> Response:
    """Give the live map's script or style; one that the browser has is not sent again."""
    drawn = (await drawn_map(request, service)).parts
    data = (drawn.script if kind == "js" else drawn.style).encode()
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {**CACHED, "ETag": tag}
    if request.headers.get("If-None-Match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=TYPES[f".{kind}"], headers=headers)


@router.get("/worker.js")
def worker() -> Response:
    """Give the script that keeps the frames for when there is no network; it serves all pages."""
    return _file("worker.js")


@router.get("/static/{name}")
def static(name: Annotated[str, Path(max_length=60, pattern=r"^[a-z0-9_]+\.[a-z]+$")]) -> Response:
    """Give a script, a style or an image."""
    return _file(name)


def _file(name: str) -> Response:
    """Give a file of our own."""
    suffix = f".{name.rpartition('.')[2]}"
    data = _read(name) if suffix in TYPES else None
    if data is None:
        raise HTTPException(404, f"{name}: no such file")
    return Response(data, media_type=TYPES[suffix], headers=CACHED)


@cache
def _read(name: str) -> bytes | None:
    """Read a file; the colours are those of the maps."""
    if name == "palette.css":
        return asset(name)
    path = files("rollby.service.screens") / "static" / name
    return path.read_bytes() if path.is_file() else None
