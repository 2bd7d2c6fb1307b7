"""The service on its socket, from its start to its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import structlog
import uvicorn

from data.errors import SourceUnreachableError
from data.feeds.senders import Pace
from geo.live import Live
from geo.live_coverage import Covering
from rollby.service.access import Access
from rollby.service.app import make_app
from rollby.service.clock import SteadyClock
from rollby.service.core import Core
from rollby.service.routes.live import said_message
from rollby.service.running import Running
from rollby.service.stream import Stream

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence

    from structlog.typing import Processor

    from data.said import Said
    from data.settings import Settings
    from data.store.store import Store
    from geo.board import Board

GRACE_S = 5


def begin(
    store: Store,
    board: Board,
    settings: Settings,
    clock: SteadyClock | None = None,
    hear: Callable[[Said], None] | None = None,
) -> Running:
    """
    Build the board again from the store, and accept from now on.

    Parameters
    ----------
    store : Store
        Held by this process.
    board : Board
        Fresh.
    settings : Settings
        Of the agency.
    clock : SteadyClock or None
        That of a demonstration; who may sign in, and for how long, goes by the machine's.
    hear : callable or None
        Told all that the board says, in the core's thread.

    Returns
    -------
    running : Running
        `serve` it.
    """
    stream, real = Stream(), SteadyClock(store.received_ms)
    clock = clock or real

    def publish(said: Sequence[tuple[int, Said]]) -> None:
        if hear:
            for _, one in said:
                hear(one)
        stream.hand(*(said_message(number, one) for number, one in said))

    _ = board.zones  # a second's work in a large city: now, and not at the first stop
    core = Core(store, board, clock, publish)
    core.start()
    return Running(
        core=core,
        store=store,
        access=Access(store.engine, settings.service.access, real.now_ms),
        live=Live(board),
        stream=stream,
        settings=settings,
        clock=clock,
        pace=Pace(settings.service.most_hz),
        covering=Covering(board.net, board.policy.within_s, board.beats),
    )


class _Server(uvicorn.Server):
    """One that ends with its core, and tells its listeners before it waits for them."""

    def __init__(self, config: uvicorn.Config, running: Running) -> None:
        super().__init__(config)
        self._running = running

    async def on_tick(self, counter: int) -> bool:
        """Look whether it is over."""
        return await super().on_tick(counter) or self._running.core.failed is not None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        self._running.stream.close()
        await super().shutdown(sockets)


def make_server(running: Running) -> uvicorn.Server:
    """
    Make the web server.

    Parameters
    ----------
    running : Running
        Of `begin`.

    Returns
    -------
    server : Server
        For `serve`.
    """
    service = running.settings.service
    host, _, port = service.listen.rpartition(":")
    config = uvicorn.Config(
        make_app(running),
        host=host.strip("[]"),
        port=int(port),
        log_config=None,
        access_log=False,
        server_header=False,
        ssl_certfile=service.tls_certificate or None,
        ssl_keyfile=service.tls_key or None,
        timeout_graceful_shutdown=GRACE_S,
        proxy_headers=False,
    )
    return _Server(config, running)


def serve(running: Running, server: uvicorn.Server, listening: socket.socket | None = None) -> None:
    """
    Serve until told to end, or the store fails.

    Parameters
    ----------
    running : Running
        Of `begin`; ended when this returns.
    server : Server
        Of `make_server`.
    listening : socket or None
        Bound already; None for that of the settings.

    Raises
    ------
    SourceUnreachableError
        If the store failed: what was not acknowledged must be sent again. If the address cannot be
        listened on.
    """
    try:
        with _ending_by_signal(), suppress(SystemExit):  # that of a server that could not start
            asyncio.run(server.serve([listening] if listening else None))
    finally:
        running.core.stop()
    if running.core.failed is not None:
        why = f"{type(running.core.failed).__name__}: {running.core.failed}"
        raise SourceUnreachableError(
            f"service.store: failed ({why}); nothing that was acknowledged is lost, start again"
        ) from running.core.failed
    if not server.started:
        where = running.settings.service.listen
        raise SourceUnreachableError(f"service.listen={where}: cannot be listened on; is it taken?")


@contextmanager
def _ending_by_signal() -> Iterator[None]:
    """Come to an end in order: the web server ends, and raises its signal again after that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ending = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, lambda *_: None) for one in ending]
    try:
        yield
    finally:
        for one, handler in zip(ending, before, strict=True):
            signal.signal(one, handler)


def log_as_json() -> None:
    """Write what the service does as JSON lines to stderr: names of events, never positions."""
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[*shared, *last], logger_factory=structlog.PrintLoggerFactory(sys.stderr)
    )
    own = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[own, *last]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
