"""
OSMnx on loan: its global settings as rollby needs them, put back afterwards, and servers' answers
judged before OSMnx sees them. Does not import osmnx: `data.osm` hands it over.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ProtocolError

from data.errors import SourceUnreachableError
from data.extract import MISSING_TAG
from data.roads.rules import NODE_TAGS, WAY_TAGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    from data.roads.progress import Progress

T = TypeVar("T")
_BUSY = {429, 502, 503, 504}
_ONE_AT_A_TIME = threading.RLock()


class ServerBusyError(SourceUnreachableError):
    """A server that may answer if asked again later."""


@contextmanager
def osmnx_session(settings: ModuleType, cache: Path, answers: Answers) -> Iterator[None]:
    """
    Set OSMnx's settings for reading roads, and put the user's own back.

    The user's servers, time-outs and query sizes hold; all folders lie in `cache`. Threads wait
    for one another, for the settings are global.

    Parameters
    ----------
    settings : module
        ``osmnx.settings``.
    cache : Path
        Folder for whatever OSMnx writes.
    answers : Answers
        Judges what servers answer.
    """
    ours = {
        "all_oneway": True,  # each road once, as it was drawn, with its own ``oneway``
        "cache_folder": cache,
        "cache_only_mode": False,
        "data_folder": cache,
        "default_crs": "epsg:4326",
        "doh_url_template": None,  # asks a third party for addresses
        "imgs_folder": cache,
        "log_console": False,
        "log_file": False,
        "logs_folder": cache,
        "overpass_rate_limit": False,  # waits without end; `Retry` waits instead
        "requests_kwargs": {**settings.requests_kwargs, "hooks": {"response": answers}},
        "use_cache": True,
        "useful_tags_node": [*NODE_TAGS, MISSING_TAG],
        "useful_tags_way": list(WAY_TAGS),
    }
    with _ONE_AT_A_TIME:
        theirs = {name: getattr(settings, name) for name in ours}
        resolver = socket.getaddrinfo  # OSMnx replaces it, to stay with one server
        try:
            for name, value in ours.items():
                setattr(settings, name, value)
            yield
        finally:
            for name, value in theirs.items():
                setattr(settings, name, value)
            socket.getaddrinfo = resolver


class Answers:
    """
    Judges each answer of a server, as a hook of ``requests``.

    OSMnx waits and asks again without end when a server is busy, and takes a half answer for a
    whole one. This raises before it can.

    Parameters
    ----------
    progress : callable
        Told of each answer.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.count = 0

    @property
    def share(self) -> float:
        """Share of the whole work that is done: half of the rest with each answer, up to 0.8."""
        return 0.8 * (1 - 0.5**self.count)

    def __call__(self, response: requests.Response, **_: Any) -> None:
        """
        Judge an answer.

        Parameters
        ----------
        response : requests.Response
            What a server answered.
        """
        try:
            self._judge(response)
        except BaseException:
            response.close()  # nobody after us will
            raise

    def _judge(self, response: requests.Response) -> None:
        """
        Raise unless OSMnx may see an answer.

        Raises
        ------
        ServerBusyError
            If asking again later may help.
        SourceUnreachableError
            If it would not.
        """
        if response.is_redirect:
            return
        server = urlsplit(response.url).netloc
        said = f"{server} answered {response.status_code} {response.reason}"
        if response.status_code in _BUSY:
            raise ServerBusyError(said)
        if not response.ok:
            raise SourceUnreachableError(f"{said}; check the server's address in osmnx.settings")
        try:
            answer = response.json()
        except ValueError as error:
            raise SourceUnreachableError(
                f"{server} answered with something other than map data; check the server's "
                "address in osmnx.settings, and whether a proxy or log-in page stands between"
            ) from error
        remark = answer.get("remark", "") if isinstance(answer, dict) else ""
        if "error" in remark:
            raise SourceUnreachableError(
                f"{server} stopped half-way ({remark}); ask for a smaller area, or give an "
                "extract with --osm"
            )
        self.count += 1
        self._progress(f"received {len(response.content) / 1e6:,.1f} MB from {server}", self.share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """
    How often and how long to wait for a busy server.

    Parameters
    ----------
    pauses_s : tuple of float
        Seconds before the second, third ... time of asking; counted anew after each answer.
    jitter : float
        Each pause is up to this share longer, so that many do not ask at once.
    sleep : callable
        Waits so many seconds.
    chance : callable
        Gives numbers from 0 to 1.
    """

    pauses_s: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0)
    jitter: float = 0.25
    sleep: Callable[[float], None] = field(default_factory=lambda: time.sleep)
    chance: Callable[[], float] = field(default_factory=lambda: random.random)  # noqa: S311 - no secret

    def ask(self, question: Callable[[], T], answers: Answers, progress: Progress) -> T:
        """
        Ask, and ask again while the server is busy.

        Parameters
        ----------
        question : callable
            Asks through OSMnx, whose cache keeps what was answered before a server was busy.
        answers : Answers
            Judges what servers answer.
        progress : callable
            Told of each pause.

        Returns
        -------
        answer : object
            What `question` returns.

        Raises
        ------
        SourceUnreachableError
            If the server cannot be reached, refuses, or is still busy after the last pause.
        """
        asked, heard, waited_s = 0, answers.count, 0.0
        while True:
            try:
                return question()
            except requests.RequestException as error:
                fault = _as_ours(error)
            except ServerBusyError as error:
                fault = error
            if not isinstance(fault, ServerBusyError):
                raise fault
            if answers.count > heard:
                asked, heard, waited_s = 0, answers.count, 0.0
            if asked == len(self.pauses_s):
                raise SourceUnreachableError(
                    f"{fault}; asked {asked + 1} times in {waited_s:.0f} s; try again later, "
                    "or give an extract with --osm"
                ) from fault
            pause_s = self.pauses_s[asked] * (1 + self.jitter * self.chance())
            asked, waited_s = asked + 1, waited_s + pause_s
            progress(f"{fault}; asking again in {pause_s:.0f} s", answers.share)
            self.sleep(pause_s)


def _as_ours(error: requests.RequestException) -> SourceUnreachableError:
    """
    Say what went wrong between here and a server.

    Returns
    -------
    fault : SourceUnreachableError
        A `ServerBusyError` where asking again may help.
    """
    url = error.request.url if error.request is not None else None
    server = urlsplit(str(url)).netloc if url else "the server"
    cause = error.args[0] if error.args else None
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or isinstance(
        cause, ProtocolError
    ):
        return ServerBusyError(f"{server} cut the connection")
    if isinstance(error, requests.Timeout):
        return SourceUnreachableError(
            f"{server} did not answer in time; ask for a smaller area, or give an extract with "
            "--osm"
        )
    return SourceUnreachableError(
        f"{server} cannot be reached; check the network, or give an extract with --osm"
    )
