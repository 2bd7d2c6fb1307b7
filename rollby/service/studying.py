"""Where studies are worked out: one at a time, each in a process of its own beside the core's."""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from data.errors import InputError
from rollby.service.studies import State, Studies, Study

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollby.service.running import Running
    from rollby.service.study_work import Work

TIDY_EVERY_S: Final = 3600.0
LONGEST_LINE: Final = 1 << 22
GONE: Final = (
    "It came to an end that nobody expected; the machine may have too little memory. Try a shorter "
    "period or fewer snapshots."
)


@dataclass
class _Doing:
    """The study that is being worked out."""

    study: Study
    step: str = "Starting"
    process: asyncio.subprocess.Process | None = None
    cancelled: bool = False


class Studying:
    """
    Takes studies, and works them out in the order in which they came.

    Parameters
    ----------
    running : Running
        The service.
    """

    def __init__(self, running: Running) -> None:
        service = running.settings.service
        self.studies = Studies(Path(service.studies).resolve())
        self._running = running
        self._waiting: deque[tuple[Study, Callable[[Path, Any], Work]]] = deque()
        self._come = asyncio.Event()
        self._doing: _Doing | None = None
        self._roads: Path | None = None

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def take(self, study: Study, work: Callable[[Path, Any], Work]) -> None:
        """
        Put a study at the end.

        Parameters
        ----------
        study : Study
            Kept, and waiting.
        work : callable
            Makes its work of the roads' file and the beats.
        """
        self._waiting.append((study, work))
        self._come.set()

    def step(self, study: Study) -> str:
        """
        Say what is being done about a study.

        Returns
        -------
        step : str
            For people; "" where nothing is.
        """
        if self._doing and self._doing.study.study_id == study.study_id:
            return self._doing.step
        for place, (one, _) in enumerate(self._waiting, 1):
            if one.study_id == study.study_id:
                return f"Waiting: number {place} in line"
        return ""

    async def cancel(self, study: Study) -> None:
        """Have a study not done, or no further; one that is done stays."""
        for pair in tuple(self._waiting):
            if pair[0].study_id == study.study_id:
                self._waiting.remove(pair)
                await self._keep(study, State.CANCELLED)
        doing = self._doing
        if doing and doing.study.study_id == study.study_id:
            doing.cancelled = True
            if doing.process is not None:
                with suppress(ProcessLookupError):
                    doing.process.kill()

    async def work(self) -> None:
        """Work for ever."""
        while True:
            while not self._waiting:
                self._come.clear()
                await self._come.wait()
            study, work = self._waiting.popleft()
            self._doing = _Doing(study)
            try:
                await self._do(self._doing, work)
            except Exception:
                await self._keep(study, State.FAILED, fault=GONE)
                raise
            finally:
                self._doing = None

    async def tidy(self) -> None:
        """Delete what is old, for ever."""
        days = self._running.settings.service.study_days
        while True:
            now_ms = self._running.access.now_ms()
            await asyncio.to_thread(self.studies.tidy, now_ms, days)
            await asyncio.sleep(TIDY_EVERY_S)

    async def _do(self, doing: _Doing, work: Callable[[Path, Any], Work]) -> None:
        """Work out one study, and keep what came of it."""
        await self._keep(doing.study, State.RUNNING)
        facts, fault = None, GONE
        try:
            beats = await self._running.look(lambda board: board.beats)
            request = pickle.dumps(work(await self._roads_file(), beats))
            facts, fault = await self._ask(doing, request)
        except InputError as error:  # the roads' file cannot be written
            fault = str(error)
        except OSError as error:
            fault = f"It could not be begun ({error.strerror})."
        if doing.cancelled:
            await self._keep(doing.study, State.CANCELLED)
        elif facts is None:
            await self._keep(doing.study, State.FAILED, fault=fault)
        else:
            await self._keep(doing.study, State.DONE, facts=facts)

    async def _ask(self, doing: _Doing, request: bytes) -> tuple[dict[str, Any] | None, str]:
        """Start the process and hear it to its end: the facts, or why there are none."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rollby.service.study_work"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
        )
        doing.process = process
        assert process.stdin is not None  # noqa: S101 - it was asked for
        assert process.stdout is not None  # noqa: S101 - as above
        assert process.stderr is not None  # noqa: S101 - as above
        errors = asyncio.create_task(process.stderr.read())
        facts, fault = None, GONE
        try:
            if doing.cancelled:
                return None, ""
            with suppress(ConnectionError):
                process.stdin.write(request)
                await process.stdin.drain()
            async for line in process.stdout:
                told = json.loads(line)
                doing.step = told.get("step", doing.step)
                facts, fault = told.get("facts", facts), told.get("fault", fault)
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        last = (await errors).decode("utf-8", "replace").strip().rpartition("\n")[2]
        if code and not doing.cancelled:
            kind = last.partition(":")[0][:100]  # what follows may hold a position
            structlog.get_logger().warning("a study has failed", code=code, error=kind)
        return facts if not code else None, fault

    async def _roads_file(self) -> Path:
        """Give the roads as a file that the process maps; what the board has is what counts."""
        if self._roads is None or not self._roads.exists():
            net = await self._running.look(lambda board: board.net)
            path = self.studies.path / "network.roads"
            await asyncio.to_thread(net.save, path)
            self._roads = path
        return self._roads

    async def _keep(self, study: Study, state: State, **more: Any) -> None:
        """Write down how far a study is; one that was deleted meanwhile stays so."""
        known = await asyncio.to_thread(self.studies.find, study.owner, study.study_id)
        if known is not None:
            await asyncio.to_thread(self.studies.keep, replace(known, state=state, **more))
