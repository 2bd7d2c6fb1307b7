"""A line to the service that can be cut, or go dead without a word."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Line:
    """
    Carries bytes between a page and a service.

    Parameters
    ----------
    port : int
        The service's, on loopback.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._flows = threading.Event()
        self._flows.set()
        self._whole = True
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                if not self._whole:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self._flows.wait()
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Break it: whoever calls is turned away."""
        self._whole = False
        for one in self._ends:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """Carry nothing, and say nothing of it."""
        self._flows.clear()

    def mend(self) -> None:
        """Carry again."""
        self._whole = True
        self._flows.set()

    def close(self) -> None:
        """End it."""
        self.mend()
        self.cut()
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for one in self._ends:
            one.close()


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    """Lay a line; gone afterwards."""
    line = Line(port)
    try:
        yield line
    finally:
        line.close()
