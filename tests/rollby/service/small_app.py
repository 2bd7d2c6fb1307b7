"""A small application behind the guard, on a real server."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import uvicorn
from fastapi import Depends, FastAPI

from rollby.service.callers import Caller
from rollby.service.guard import Guard, check_unit, needs
from rollby.service.hardening import Hardening
from rollby.service.problems import answer_problems
from rollby.service.rights import Right
from rollby.service.sign_in import router

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollby.service.access import Access

Watcher = Annotated[Caller, Depends(needs(Right.SEE_LIVE))]
Sender = Annotated[Caller, Depends(needs(Right.SEND, Right.REPORT_OWN))]


def small_app(access: Access, *, secure: bool) -> FastAPI:
    app = FastAPI()
    Guard(access, secure=secure).install(app)
    answer_problems(app)
    app.include_router(router)
    app.add_middleware(Hardening, secure=secure)

    @app.get("/live")
    def live(who: Watcher) -> str:
        return who.name

    @app.post("/positions/{unit_id}")
    def positions(unit_id: str, who: Sender) -> str:
        check_unit(who, unit_id)
        return unit_id

    return app


@contextmanager
def served(app: FastAPI, certificate: tuple[str, str] | None = None) -> Iterator[str]:
    """Serve on loopback; give the address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        cert, key = certificate or (None, None)
        config = uvicorn.Config(
            app, log_config=None, lifespan="off", ssl_certfile=cert, ssl_keyfile=key
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        try:
            yield f"http{'s' if certificate else ''}://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()
