"""
Work spread over the workers of a Dask scheduler.

Tasks are pure functions of what they are given (`rollby.past_work`), and each result is fetched as
soon as it is there. So a worker that is killed costs what it was working on and no more.
"""

from __future__ import annotations

import logging
import warnings
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dask
from distributed import Client, LocalCluster, as_completed, get_worker
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from data.errors import InputError, SourceUnreachableError
from rollby.past_work import contracted, covered, files_of, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from data.events import History
    from geo.past_day import PastDay
    from geo.past_parts import Part
    from rollby.past_work import Files, Job

LOCAL = "local"
CONNECT_S, WORKERS_S = 10.0, 30.0
AHEAD = 2
"""Tasks a thread of the workers has waiting; bounds what lies about."""


@contextmanager
def joined(address: str) -> Iterator[Cluster]:
    """
    Join a cluster, and leave it.

    Parameters
    ----------
    address : str
        Of its scheduler, ``tcp://HOST:PORT`` or ``tls://HOST:PORT``; or `LOCAL` for a process a
        core of this machine.

    Yields
    ------
    cluster : Cluster
        With a worker at least.

    Raises
    ------
    SourceUnreachableError
        If the scheduler does not answer, or has no workers.
    """
    with dask.config.set({"distributed.comm.timeouts.connect": f"{CONNECT_S:g}s"}), _quiet():
        if address == LOCAL:
            with (
                LocalCluster(
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",  # None takes 8787, or warns
                    silence_logs=logging.CRITICAL,
                ) as own,
                Client(own) as client,
            ):
                yield Cluster(client)
            return
        with _client(address) as client:
            found = Cluster(client)
            try:
                found.wait_for(1)
            except TimeoutError as error:
                raise SourceUnreachableError(
                    f"{address}: the scheduler has no workers; start some with `dask worker`"
                ) from error
            yield found


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own logs off the terminal: what matters is said in a sentence."""
    names = ("distributed", "distributed.client", "tornado.application", "asyncio")
    loggers = [logging.getLogger(name) for name in names]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)


def _client(address: str) -> Client:
    """
    Call a scheduler.

    Raises
    ------
    SourceUnreachableError
        If it does not answer.
    """
    try:
        return Client(address, set_as_default=False)
    except OSError as error:
        raise SourceUnreachableError(
            f"{address}: no Dask scheduler answers there; start one with `dask scheduler`, "
            "or leave --cluster out"
        ) from error


class Cluster:
    """
    The workers of a scheduler.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def wait_for(self, workers: int) -> None:
        """Wait until so many workers have joined."""
        self._client.wait_for_workers(workers, timeout=WORKERS_S)

    def covered(
        self,
        job: Job,
        days: Sequence[int],
        parts: Callable[[Callable[[int], History]], Iterable[tuple[Part, Files | History]]],
    ) -> Iterator[PastDay | None]:
        """
        Work the parts of a job out.

        Parameters
        ----------
        job : Job
            Which.
        days : sequence of int
            Of its history.
        parts : callable
            Gives the parts, in order, asking for what each of the days told.

        Yields
        ------
        day : PastDay or None
            As `rollby.past_work.covered` gives it, in any order.
        """
        with _faults():
            hierarchy = self._submit(contracted, job)
            running = as_completed(loop=self._client.loop, with_results=True)
            asked = self._ahead(job, days)
            for part, given in parts(lambda day: self._next(asked, day)):
                running.add(self._submit(covered, job, hierarchy, part, given))
                while running.count() > self._room():
                    yield next(running)[1]
            for _, found in running:
                yield found

    def _ahead(self, job: Job, days: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Read days before they are asked for, in order."""
        waiting: deque[tuple[int, Any]] = deque()
        for day in days:
            waiting.append((day, self._submit(told, job, day, files_of(job.folder, (day,)))))
            if len(waiting) > self._room():
                yield waiting.popleft()
        yield from waiting

    @staticmethod
    def _next(asked: Iterator[tuple[int, Any]], day: int) -> History:
        """Wait for a day's."""
        found: History = next(future for number, future in asked if number == day).result()
        return found

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Give a task to whoever is free."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")  # a day that is sent is large
            return self._client.submit(_there, function, *arguments, pure=False)

    def _room(self) -> int:
        """Tell how many tasks may wait."""
        threads: dict[str, int] = self._client.nthreads()
        return AHEAD * max(1, sum(threads.values()))


def _there(function: Callable[..., Any], *arguments: Any) -> Any:
    """
    Run a task on a worker, which says who it is where it refuses.

    Raises
    ------
    InputError
        As the task does; one that travels as it is.
    """
    try:
        return function(*arguments)
    except InputError as error:
        raise InputError(f"worker {get_worker().address}: {error}") from None


@contextmanager
def _faults() -> Iterator[None]:
    """
    Say in a sentence what became of a cluster.

    Raises
    ------
    SourceUnreachableError
        If the scheduler went away, or a task's workers died again and again.
    InputError
        If rollby is not installed there.
    """
    try:
        yield
    except KilledWorker as error:
        raise SourceUnreachableError(
            f"a day was given up: each of the workers that tried it died, the last of them "
            f"{error.last_worker.address}; they may want more memory (docs/scale.md)"
        ) from error
    except (FutureCancelledError, CommClosedError) as error:
        raise SourceUnreachableError("the scheduler went away; start it and run again") from error
    except ModuleNotFoundError as error:
        raise InputError(f"a worker lacks {error.name}: install rollby there too") from error
