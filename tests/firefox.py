"""
Debian's Firefox, spoken to by WebDriver BiDi.

Playwright drives a Firefox of its own build only, and Selenium one with geckodriver, which Debian
does not have; but Firefox itself listens for BiDi (https://w3c.github.io/webdriver-bidi/).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.servers import free_port, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from websockets.sync.client import ClientConnection

START_S, WAIT_S = 90.0, 60.0
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.prefs.recommended": True,
    "services.settings.server": "data:,",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


@dataclass
class Firefox:
    """One that runs, and its one page."""

    wire: ClientConnection
    page: str = ""
    said: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
    number: int = 0

    def tell(self, method: str, **told: Any) -> dict[str, Any]:
        """Give a command; its result."""
        self.number += 1
        self.wire.send(json.dumps({"id": self.number, "method": method, "params": told}))
        while True:
            heard = json.loads(self.wire.recv(timeout=WAIT_S))
            if heard.get("id") == self.number:
                assert heard["type"] == "success", f"{method}: {heard['error']}, {heard['message']}"
                return dict(heard["result"])
            self._note(heard)

    def _note(self, heard: dict[str, Any]) -> None:
        """Keep what it says by itself."""
        if heard.get("method") == "log.entryAdded" and heard["params"]["level"] == "error":
            self.said.append(str(heard["params"]["text"]))
        if heard.get("method") == "network.beforeRequestSent":
            self.requested.append(str(heard["params"]["request"]["url"]))

    def open(self, url: str, width: int = 1400, height: int = 900) -> None:
        """Go to a page, and wait until it has loaded."""
        if not self.page:
            self.page = self.tell("browsingContext.getTree")["contexts"][0]["context"]
            events = ["log.entryAdded", "network.beforeRequestSent"]
            self.tell("session.subscribe", events=events)
        size = {"width": width, "height": height}
        self.tell("browsingContext.setViewport", context=self.page, viewport=size)
        # What the page before has asked for may be told late.
        self.tell("browsingContext.navigate", context=self.page, url="about:blank", wait="complete")
        self.run("1")
        self.said.clear()
        self.requested.clear()
        self.tell("browsingContext.navigate", context=self.page, url=url, wait="complete")

    def run(self, script: str) -> Any:
        """Evaluate; a promise is waited for, and what comes is given as JSON has it."""
        wrapped = f"Promise.resolve({script}).then(found => JSON.stringify(found ?? null))"
        where = {"context": self.page}
        found = self.tell("script.evaluate", expression=wrapped, target=where, awaitPromise=True)
        assert found["type"] == "success", found["exceptionDetails"]["text"]
        return json.loads(found["result"]["value"])

    def wait(self, script: str, seconds: float = WAIT_S) -> Any:
        """Evaluate until something is true."""
        end_s = time.monotonic() + seconds
        while not (found := self.run(script)):
            assert time.monotonic() < end_s, f"waited in vain for {script}"
            time.sleep(0.05)
        return found

    def text(self, selector: str) -> str:
        return str(self.run(f"document.querySelector({json.dumps(selector)}).textContent"))

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        steps = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._act([{"type": "key", "id": "keys", "actions": steps}])

    def click(self, selector: str, *, drag_px: int = 0) -> None:
        """Press the mouse on something, perhaps drag it to the east, and let go."""
        found = json.dumps(selector)
        self.run(f"document.querySelector({found}).scrollIntoView({{block: 'nearest'}})")
        x, y = self.run(
            f"(box => [box.x + box.width / 2, box.y + box.height / 2])"
            f"(document.querySelector({found}).getBoundingClientRect())"
        )
        steps: list[dict[str, Any]] = [
            {"type": "pointerMove", "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
        ]
        if drag_px:
            far = {"type": "pointerMove", "x": round(x) + drag_px, "y": round(y), "duration": 100}
            steps.append(far)
        steps.append({"type": "pointerUp", "button": 0})
        self._act([{"type": "pointer", "id": "mouse", "actions": steps}])

    def _act(self, actions: list[dict[str, Any]]) -> None:
        self.tell("input.performActions", context=self.page, actions=actions)


@contextmanager
def firefox() -> Iterator[Firefox]:
    """Start Debian's Firefox with a profile of its own."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        missing("no Firefox on this machine (Debian: apt install firefox-esr)")
    assert program is not None
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="rollby-firefox-") as folder:
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});"
            for name, value in PREFERENCES.items()
        ]
        Path(folder, "user.js").write_text("\n".join(lines))
        words = [program, "--headless", "--no-remote", "--profile", folder]
        words += ["--remote-debugging-port", str(port)]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(words, stdout=quiet, stderr=quiet) as process:
            try:
                with _connected(lambda: process.poll() is None, port) as wire:
                    one = Firefox(wire)
                    one.tell("session.new", capabilities={})
                    yield one
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def _connected(runs: Callable[[], bool], port: int) -> ClientConnection:
    """Call it until it answers."""
    end_s = time.monotonic() + START_S
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/session", max_size=None, proxy=None)
        except (OSError, WebSocketException):
            assert runs(), "Firefox has ended"
            assert time.monotonic() < end_s, "Firefox does not answer"
            time.sleep(0.1)
