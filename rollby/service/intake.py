"""The doors that listen: opened at the start, opened again when they fail, and what they hear."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003 - pydantic reads the annotation
from functools import partial
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from data.checking.cells import identifier
from data.errors import FieldError
from data.events import StatusChange, StopChange
from data.feeds.heard import Noted, Refusal, Sighting, Told
from data.reports import FixReport
from rollby.service.callers import Caller
from rollby.service.core import BusyError
from rollby.service.keeping import keep_going
from rollby.service.retelling import news_of
from rollby.service.rights import Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from data.feed_settings import Feed
    from data.feeds.door import Door
    from data.feeds.heard import Heard
    from data.reports import Report
    from rollby.service.running import Running

BUSY_S = 0.1
MOST_GONE = 1000


class DoorHealth(BaseModel):
    """How a door is."""

    up: bool = False
    since: datetime
    heard_at: datetime | None = None
    dropped: int = 0
    error: str = ""
    noted: dict[str, int] = Field(default_factory=dict)
    gone: dict[str, datetime] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intake:
    """
    Takes what one door heard.

    Parameters
    ----------
    service : Running
        The service.
    feed : Feed
        Which device is which unit, and for whom the door may speak.
    """

    service: Running
    feed: Feed

    def opened(self, *, door: str) -> None:
        """Note that the door listens."""
        health = self.service.doors[door]
        health.up, health.since, health.error = True, self.service.now(), ""

    def lost(self, count: int, *, door: str) -> None:
        """Note what came too fast."""
        self.service.doors[door].dropped = count

    def _note(self, one: Noted, door: str, arrived_at: datetime) -> None:
        """Count a message that tells no position, and remember who is gone."""
        health = self.service.doors[door]
        health.noted[one.kind] = health.noted.get(one.kind, 0) + 1
        if one.gone and one.device:
            health.gone.pop(one.device, None)
            health.gone[one.device] = arrived_at
            if len(health.gone) > MOST_GONE:
                del health.gone[next(iter(health.gone))]

    async def take(
        self, heard: Sequence[Heard | Told], *, door: str, peer: str, arrived_at: datetime
    ) -> None:
        """Keep known units' reports, and all else with its reason: when this returns, on disk."""
        self.service.doors[door].heard_at = arrived_at
        await self.keep(heard, door=door, peer=peer, arrived_at=arrived_at)

    async def keep(
        self, heard: Sequence[Heard | Told], *, door: str, peer: str, arrived_at: datetime
    ) -> tuple[int, list[str]]:
        """
        Keep what was heard now, or long ago and is read again.

        Parameters
        ----------
        heard, door, peer, arrived_at
            As for `take`.

        Returns
        -------
        accepted : int
            How many reports; those told before are among them.
        refused : list of str
            Why all else was not.
        """
        speaker = speaker_of(door, self.feed)
        reports, told, refused = self._parted(heard, speaker, peer, arrived_at)
        repeated = 0
        if told:
            news, unfit = await news_of(told, self.service.store)
            repeated = len(told) - len(news) - len(unfit)
            reports += news
            refused[peer] += unfit
        if reports or repeated:
            accept = self.service.accept
            await _in_time(partial(accept, door, reports, speaker, duplicates=repeated))
        for sender, these in refused.items():
            if these:
                await _in_time(partial(self.service.refuse, door, sender, these))
        reasons = [one.reason for these in refused.values() for one in these]
        return len(reports) + repeated, reasons

    def _parted(
        self, heard: Sequence[Heard | Told], speaker: Caller, peer: str, arrived_at: datetime
    ) -> tuple[list[Report], list[Told], dict[str, list[Refusal]]]:
        """Part what was heard into reports, what must be held against others, and refusals."""
        reports: list[Report] = []
        told: list[Told] = []
        refused: dict[str, list[Refusal]] = defaultdict(list)
        for one in heard:
            if isinstance(one, Refusal):
                refused[peer].append(one)
                continue
            if isinstance(one, Noted):
                self._note(one, speaker.name, arrived_at)
                continue
            # What is refused by name is kept by it: without, nobody could read it again.
            sender = (one.device or peer) if isinstance(one, Sighting) else peer
            if isinstance(one, Sighting):
                self.service.doors[speaker.name].gone.pop(sender, None)
            try:
                if isinstance(one, Told):
                    told.append(replace(one, report=change_of(one, self.feed, speaker)))
                else:
                    reports.append(report_of(one, peer, self.feed, speaker))
            except FieldError as error:
                refused[sender].append(Refusal(raw=one.raw, reason=str(error)))
        return reports, told, refused


def report_of(heard: Sighting | Told, peer: str, feed: Feed, speaker: Caller) -> Report:
    """
    Give what was heard as a report of one of our units.

    Parameters
    ----------
    heard : Sighting or Told
        By the sender's own names.
    peer : str
        Whose name counts where a device gives none.
    feed : Feed
        Which device is which unit.
    speaker : Caller
        Who may speak for some; its name is the feed's.

    Returns
    -------
    report : Report
        By the unit's name.

    Raises
    ------
    FieldError
        If it is no unit that the feed may speak for.
    """
    if isinstance(heard, Sighting):
        return FixReport(unit_id=_unit_of(heard.device or peer, feed, speaker), fix=heard.fix)
    return change_of(heard, feed, speaker)


def change_of(heard: Told, feed: Feed, speaker: Caller) -> StatusChange | StopChange:
    """
    Give what was told as a change of one of our units, or of a stop of its.

    Parameters
    ----------
    heard : Told
        By the sender's own names.
    feed, speaker : Feed, Caller
        As for `report_of`.

    Returns
    -------
    change : StatusChange or StopChange
        By the units' names; a unit is not its own backup.

    Raises
    ------
    FieldError
        If it is no unit that the feed may speak for.
    """
    if isinstance(heard.report, StatusChange):
        return replace(heard.report, unit_id=_unit_of(heard.report.unit_id, feed, speaker))
    stop = heard.report.stop
    unit_id = _unit_of(stop.unit_id, feed, speaker)
    backup = dict.fromkeys(feed.devices.get(one, one) for one in stop.backup)
    others = tuple(one for one in backup if one != unit_id)
    return replace(heard.report, stop=replace(stop, unit_id=unit_id, backup=others))


def speaker_of(name: str, feed: Feed) -> Caller:
    """
    Say who speaks by a feed.

    Returns
    -------
    speaker : Caller
        For the feed's units.
    """
    return Caller(name=name, role=Role.FEED, unit_ids=tuple(feed.units), how="command")


def _unit_of(device: str, feed: Feed, speaker: Caller) -> str:
    """
    Tell which unit a device is.

    Raises
    ------
    FieldError
        If it is none that the feed may speak for.
    """
    if feed.devices and device not in feed.devices:
        rule = f"is no device of this feed; add it to feeds.{speaker.name}.devices"
        raise FieldError("device", device, rule)
    unit_id = identifier("unit_id", feed.devices.get(device, device).strip())
    if not speaker.speaks_for(unit_id):
        rule = f"must be one of {', '.join(feed.units)}; see feeds.{speaker.name}.units"
        raise FieldError("unit_id", unit_id, rule)
    return unit_id


async def _in_time(ask: Callable[[], Awaitable[object]]) -> None:
    """Have something kept, as soon as the service can take it; the door waits meanwhile."""
    while True:
        try:
            await ask()
        except BusyError:
            await asyncio.sleep(BUSY_S)
        else:
            return


async def keep_open(door: Door, intake: Intake) -> None:
    """
    Listen at a door for ever: where it fails, open it again after a growing pause.

    Parameters
    ----------
    door : Door
        One of the settings'.
    intake : Intake
        That takes what it hears, and keeps its health.
    """
    service = intake.service
    health = service.doors[door.name] = DoorHealth(since=service.now())

    def failed(error: Exception) -> None:
        health.up, health.since, health.error = False, service.now(), str(error)

    await keep_going(f"door {door.name}", partial(door.run, intake), failed)
