"""``rollby feeds check``: listen for a while, and say what came and what to change."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from data.errors import FieldError, InputError, SourceUnreachableError
from data.events import StatusChange
from data.feeds.heard import Noted, Refusal, Sighting
from data.status_codes import codes_of
from rollby.feed_report import FeedHeard, Source, feed_report
from rollby.files import say
from rollby.inputs import load_roads, load_settings
from rollby.output import console, json_text
from rollby.service.doors import door_of
from rollby.service.intake import report_of, speaker_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.feed_settings import Feed
    from data.feeds.door import Door
    from data.feeds.heard import Heard, Told
    from data.settings import Settings


class Listener:
    """
    Takes what one feed hears, and keeps it in memory only.

    Parameters
    ----------
    name : str
        Of the feed.
    feed : Feed
        Its settings.
    heard : FeedHeard
        Where all is kept.
    """

    def __init__(self, name: str, feed: Feed, heard: FeedHeard) -> None:
        self._feed, self._speaker, self._heard = feed, speaker_of(name, feed), heard

    def opened(self, *, door: str) -> None:  # noqa: ARG002 - a Receiver
        """Note that the door listens."""
        self._heard.up = True

    def lost(self, count: int, *, door: str) -> None:  # noqa: ARG002 - a Receiver
        """Note what came too fast."""
        self._heard.dropped = count

    async def take(
        self,
        heard: Sequence[Heard | Told],
        *,
        door: str,  # noqa: ARG002 - a Receiver
        peer: str,
        arrived_at: datetime,
    ) -> None:
        """Count what came."""
        for one in heard:
            if isinstance(one, Refusal):
                self._heard.reasons[one.reason] += 1
                continue
            if isinstance(one, Noted):
                self._heard.noted[one.kind] += 1
                continue
            try:
                report = report_of(one, peer, self._feed, self._speaker)
            except FieldError as error:
                self._heard.reasons[str(error)] += 1
                continue
            if not isinstance(one, Sighting):
                self._heard.reports["status" if isinstance(report, StatusChange) else "stop"] += 1
                continue
            name = one.device or peer
            source = self._heard.sources.setdefault(name, Source(report.unit_id))  # type: ignore[union-attr]
            source.fixes.append(one.fix)
            source.arrived_at.append(arrived_at)


def check_feeds(*, settings: Path, roads: Path | None, listen_s: float, as_json: bool) -> None:
    """
    Do ``rollby feeds check``.

    Parameters
    ----------
    settings : Path
        With the feeds.
    roads : Path or None
        None: how far from a road is not told.
    listen_s : float
        How long.
    as_json : bool
        Print JSON.

    Raises
    ------
    InputError
        If there is no feed to check.
    SourceUnreachableError
        If one cannot be opened; what the others heard is printed before.
    """
    chosen, _ = load_settings(settings)
    if not chosen.feeds:
        raise InputError(
            f"{settings}: has no table feeds.NAME; what comes by HTTP is counted by the service "
            f"(GET /api/health), and what it refused is in GET /api/dead-letters"
        )
    net = load_roads(roads) if roads else None
    say([f"listening for {listen_s:g} s; Ctrl-C ends it sooner"])
    began_s = time.monotonic()
    heard = {name: FeedHeard(name, feed.kind) for name, feed in chosen.feeds.items()}
    with suppress(KeyboardInterrupt):
        asyncio.run(_listen(chosen, heard, listen_s))
    listened_s = time.monotonic() - began_s
    reports = [feed_report(one, net, listened_s) for one in heard.values()]
    if as_json:
        answer = {"schema": "rollby.feeds/1", "listened_s": round(listened_s, 1), "feeds": reports}
        click.echo(json_text(answer))
    else:
        for report in reports:
            _print(report)
    shut = [one.error for one in heard.values() if one.error]
    if shut:
        raise SourceUnreachableError("; ".join(shut))


async def _listen(settings: Settings, heard: dict[str, FeedHeard], listen_s: float) -> None:
    """Open all doors, for a while."""
    opened = partial(
        door_of, now=partial(datetime.now, UTC), looking=True, codes=codes_of(settings)
    )
    works = [
        _run(opened(name, feed), Listener(name, feed, heard[name]), heard[name])
        for name, feed in settings.feeds.items()
    ]
    with suppress(TimeoutError):
        async with asyncio.timeout(listen_s):
            await asyncio.gather(*works)


async def _run(door: Door, listener: Listener, heard: FeedHeard) -> None:
    """Keep one door open; where it fails, say so and wait with the others."""
    try:
        await door.run(listener)
    except SourceUnreachableError as error:
        heard.up, heard.error = False, str(error)


def _print(report: dict[str, Any]) -> None:
    """Print what came by one feed."""
    counts = [f"{report['fixes']} fixes"]
    counts += [
        f"{report[name]} {name}" for name in ("statuses", "stops", "refused") if report[name]
    ]
    counts += [f"{count} of {kind}, no position" for kind, count in report["noted"].items()]
    state = "" if report["up"] else ", not open"
    click.echo(f"{report['feed']} ({report['kind']}{state}): {', '.join(counts)}")
    if report["sources"]:
        table = Table(
            "Source", "Unit", "Fixes", "Twice", "Every", "Age", "Oldest", "From a road",
            box=None, pad_edge=False,
        )  # fmt: skip
        for one in report["sources"]:
            table.add_row(
                one["source"],
                one["unit_id"],
                str(one["fixes"]),
                str(one["duplicates"] or ""),
                _figure(one["every_s"], "s"),
                _figure(one["age_p50_s"], "s"),
                _figure(one["age_max_s"], "s"),
                "none near"
                if one["no_road"] == one["fixes"]
                else _figure(one["off_road_p50_m"], "m"),
            )
        console().print(table)
    for refusal in report["refusals"]:
        click.echo(f"  refused {refusal['count']} x  {refusal['reason']}")
    for advice in report["advice"]:
        click.echo(f"  -> {advice}")


def _figure(value: float | None, unit: str) -> str:
    """Write a figure with its unit."""
    return "" if value is None else f"{value:g} {unit}"
