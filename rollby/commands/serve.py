"""``rollby serve``: the live service."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from data.store.store import Store
from geo.board import Board
from rollby import __version__
from rollby.inputs import load_roads, load_settings
from rollby.service.binding import check_bind
from rollby.service.server import begin, log_as_json, make_server, serve

if TYPE_CHECKING:
    from pathlib import Path


def run_service(
    *, roads: Path, settings: Path | None, store: str | None, listen: str | None
) -> None:
    """
    Do ``rollby serve``.

    Parameters
    ----------
    roads : Path
        The network.
    settings : Path or None
        None for the defaults.
    store, listen : str or None
        In place of those in the settings.
    """
    chosen, beats = load_settings(settings)
    told = {"store": store, "listen": listen}
    service = type(chosen.service).model_validate(
        chosen.service.model_dump() | {name: value for name, value in told.items() if value}
    )
    chosen = chosen.model_copy(update={"service": service})
    host = service.listen.rpartition(":")[0].strip("[]")
    check_bind(host, tls=bool(service.tls_certificate), word=service.behind_proxy)
    log_as_json()
    log = structlog.get_logger()
    net = load_roads(roads)
    began_s = time.monotonic()
    kept = Store(service.store)
    try:
        running = begin(kept, Board(net, chosen, beats), chosen)
        scheme = "https" if service.tls_certificate else "http"
        log.info(
            "started",
            version=__version__,
            address=f"{scheme}://{service.listen}",
            events=kept.seq,
            seconds=round(time.monotonic() - began_s, 3),
        )
        serve(running, make_server(running))
        log.info("stopped", events=kept.seq)
    finally:
        kept.close()
