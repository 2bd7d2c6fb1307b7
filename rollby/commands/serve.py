"""``rollby serve``: the live service."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from data.settings import settings_of
from data.store.opening import LedError
from data.store.store import Store
from geo.board import Board
from rollby import __version__
from rollby.commands.store import operator
from rollby.inputs import load_roads, load_settings
from rollby.service.administration import note_settings
from rollby.service.binding import check_bind
from rollby.service.server import begin, log_as_json, make_server, serve

if TYPE_CHECKING:
    from pathlib import Path

LOOK_EVERY_S = 1.0


def run_service(
    *, roads: Path, settings: Path | None, store: str | None, listen: str | None, standby: bool
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
    standby : bool
        Where another process leads, wait until it has gone.
    """
    chosen, beats = load_settings(settings)
    told = {name: value for name, value in {"store": store, "listen": listen}.items() if value}
    raw = chosen.model_dump(by_alias=True)
    chosen = settings_of({**raw, "service": {**raw["service"], **told}}, "rollby serve")
    service = chosen.service
    host = service.listen.rpartition(":")[0].strip("[]")
    check_bind(host, tls=bool(service.tls_certificate), word=service.behind_proxy)
    log_as_json()
    log = structlog.get_logger()
    net = load_roads(roads)
    kept = _led(service.store, standby=standby)
    try:
        began_s = time.monotonic()
        running = begin(kept, Board(net, chosen, beats), chosen)
        note_settings(running.access, operator(), chosen)
        audit = running.access.audit.head()
        scheme = "https" if service.tls_certificate else "http"
        log.info(
            "started",
            version=__version__,
            address=f"{scheme}://{service.listen}",
            events=kept.seq,
            audit_head=f"{audit.seq}:{audit.hash}",
            seconds=round(time.monotonic() - began_s, 3),
        )
        known = running.access.accounts
        if not known.accounts() and not known.api_keys():
            log.warning("nobody may sign in yet: rollby users add, rollby keys add")
        serve(running, make_server(running))
        log.info("stopped", events=kept.seq)
    finally:
        kept.close()


def _led(address: str, *, standby: bool) -> Store:
    """
    Become the one that writes, if need be once another one has gone.

    Raises
    ------
    LedError
        If there is another one, and it is not to be waited for.
    """
    while True:
        try:
            return Store(address)
        except LedError:
            if not standby:
                raise
            time.sleep(LOOK_EVERY_S)
