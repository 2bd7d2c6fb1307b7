"""``rollby replay``: a recorded period through the live board."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import UTC, datetime
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
from rich.table import Table

from data.errors import InputError
from data.history import read_history
from data.said import Attended, Escalated, Flagged, Prompted, Suggested
from data.store.opening import engine_of, is_there, reach
from data.store.reading import Reading
from geo.as_json import advice_json, said_json
from geo.board import Board
from geo.replay import play, why
from geo.tally import tally
from geo.what_if import with_post
from rollby.commands.exposure import draw_exposure
from rollby.files import say
from rollby.inputs import load_roads, load_settings
from rollby.output import advice_table, console, json_text
from rollby.service.feeding import feed_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from data.answers import Advice
    from data.events import History
    from data.said import Said
    from data.settings import Settings
    from geo.tally import Tally

Post = tuple[str, float, float]


def replay_history(
    *,
    roads: Path,
    history: Path | None,
    store: str | None,
    settings: Path | None,
    what_if: Path | None,
    posts: tuple[Post, ...],
    ask: tuple[str, datetime] | None,
    speed: float | None,
    as_json: bool,
    map_path: Path | None,
    tiles: bool,
) -> None:
    """
    Do ``rollby replay``.

    Parameters
    ----------
    roads : Path
        The network.
    history : Path or None
        The folder; None for a store.
    store : str or None
        Address of a live service's store, in place of a history.
    settings : Path or None
        None for the defaults.
    what_if : Path or None
        Other settings to hold against these.
    posts : tuple of (str, float, float)
        Units that stand elsewhere, lon_deg, lat_deg.
    ask : (str, datetime) or None
        Say why this unit was asked about then.
    speed : float or None
        Seconds of the period a second; None for as fast as it goes.
    as_json : bool
        Print JSON.
    map_path : Path or None
        Where to draw how long each stop was short of officers.
    tiles : bool
        Lay online tiles beneath it.

    Raises
    ------
    InputError
        If the unit was never asked.
    """
    net = load_roads(roads)
    chosen, beats = load_settings(settings)
    if history is None:
        address = store or chosen.service.store
        with _reading(address) as reading:
            kept = [one for _, one in reading.all_said()]
        script = changed = partial(_again, address, kept)
    else:
        recorded = read_history(history)
        chosen = _marked(recorded, history, chosen)
        if map_path:
            draw_exposure(map_path, net, recorded, chosen, tiles=tiles)
        kept, script = None, partial(play, history=recorded)
        changed = partial(play, history=_with_posts(recorded, posts))
    simulated, zone = chosen.units.simulated, ZoneInfo(chosen.units.time_zone)
    if ask:
        unit_id, at = ask
        found = why(net, script, unit_id=unit_id, at=at, settings=chosen, beats=beats)
        if found is None:
            raise InputError(f"--why {unit_id}: was never asked in this period; check the unit")
        _show_why(found.suggested, found.advice, chosen, net.facts(), zone, as_json=as_json)
        return
    if what_if or posts:
        other = load_settings(what_if) if what_if else (chosen, beats)
        pair = list(script(Board(net, chosen, beats))), list(changed(Board(net, *other)))
        _show_pair(*pair, simulated=simulated, as_json=as_json)
        return
    said = _paced(script(Board(net, chosen, beats)), speed)
    if as_json:
        said = list(said)
        click.echo(json_text(_replay_json(said, said, simulated=simulated)))
    else:
        said = [_shown(one, zone) for one in said]
        say([_tally_line(tally(said))])
    if kept is not None:
        say([_compared(kept, said)])


def _marked(recorded: History, where: Path, chosen: Settings) -> Settings:
    """Have all that is shown of a simulated history say so."""
    if not (recorded.simulated or chosen.units.simulated):
        return chosen
    say([f"{where}: simulated; nobody was there"])
    units = chosen.units.model_copy(update={"simulated": True})
    return chosen.model_copy(update={"units": units})


def _with_posts(recorded: History, posts: tuple[Post, ...]) -> History:
    """Put units elsewhere."""
    for unit_id, lon_deg, lat_deg in posts:
        recorded = with_post(recorded, unit_id, lon_deg, lat_deg)
    return recorded


@contextmanager
def _reading(address: str) -> Iterator[Reading]:
    """
    Look into a live service's store.

    Raises
    ------
    InputError
        If there is none.
    """
    if not is_there(address):
        raise InputError(f"--store {address}: is not there; check --store or the settings")
    engine = engine_of(address)  # as it is: who only reads brings no layout up to date
    try:
        reach(engine).close()
        yield Reading(engine)
    finally:
        engine.dispose()


def _again(address: str, kept: list[Said], board: Board) -> Iterator[Said]:
    """Give a board what a service was told, up to the last that it said."""
    with _reading(address) as reading:
        for said in feed_all(board, reading.events()):
            yield from said
    yield from board.advance(max((one.at_s for one in kept), default=board.now_s))


def _compared(kept: list[Said], said: list[Said]) -> str:
    """Say whether a replay is what the service said."""
    if kept == said[: len(kept)]:
        return f"as the service said it, word for word: {len(kept)}"
    pairs = zip_longest(kept, said)
    first = next(a or b for a, b in pairs if a != b)
    at = datetime.fromtimestamp(first.at_s, UTC).isoformat(timespec="seconds")
    return (
        f"from {at} on the service said something else: were its settings or roads others, "
        "or have old positions gone (service.raw_days)?"
    )


def _shown(said: Said, zone: ZoneInfo) -> Said:
    """Print what the board said as it says it."""
    click.echo(said_line(said, zone))
    return said


def _paced(said: Iterable[Said], speed: float | None) -> Iterable[Said]:
    """Hold each line back until its instant comes."""
    began_s, first_s = time.monotonic(), None
    for one in said:
        first_s = one.at_s if first_s is None else first_s
        if speed:
            time.sleep(max(0.0, (one.at_s - first_s) / speed - (time.monotonic() - began_s)))
        yield one


def said_line(said: Said, zone: ZoneInfo) -> str:
    """
    Write a line a person can read.

    Parameters
    ----------
    said : Said
        What the board said.
    zone : ZoneInfo
        The agency's time zone.

    Returns
    -------
    line : str
        Local time, stop, and what of it.
    """
    at = datetime.fromtimestamp(said.at_s, UTC).astimezone(zone)
    if isinstance(said, Suggested):
        text = f"{said.unit_id} asked ({said.suggestion_id}): {said.drive_time_s:.0f} s by road"
    elif isinstance(said, Flagged):
        text = f"flag {said.flag.value}, backup {100 * said.probability:.0f} %"
    elif isinstance(said, Prompted):
        text = f"check on the officer (number {said.count})"
    elif isinstance(said, Escalated):
        text = f"supervisor: {said.why}"
    elif isinstance(said, Attended):
        text = f"{said.unit_id} is there" if said.arrived else f"{said.unit_id} has left"
    else:
        text = f"{said.unit_id} no more asked ({said.suggestion_id}): {said.why}"
    return f"{at:%Y-%m-%d %H:%M:%S}  {said.stop_id}  {text}"


def _tally_line(counts: Tally) -> str:
    """Sum a replay up in a line."""
    return (
        f"{counts.suggestions} asks, {counts.alone} alarms, {counts.prompts} checks, "
        f"{counts.escalations} times to the supervisor, {counts.sounds} sounds, "
        f"{counts.arrivals} arrivals seen"
    )


def _replay_json(was: list[Said], said: list[Said], *, simulated: bool) -> dict[str, Any]:
    """Write a replay, and what it is held against where that is another."""
    return {
        "schema": "rollby.replay/1",
        "simulated": simulated,
        "tally": asdict(tally(was)),
        **({"what_if": asdict(tally(said))} if said is not was else {}),
        "said": [said_json(one) for one in said],
    }


def _show_pair(before: list[Said], after: list[Said], *, simulated: bool, as_json: bool) -> None:
    """Print two replays side by side."""
    if as_json:
        click.echo(json_text(_replay_json(before, after, simulated=simulated)))
        return
    table = Table("", "as it was", "what if", title="simulated" if simulated else None)
    pair = tally(before), tally(after)
    for field in fields(pair[0]):
        if field.name != "withdrawn":
            table.add_row(field.name, *(str(getattr(one, field.name)) for one in pair))
    for name in sorted(pair[0].withdrawn | pair[1].withdrawn):
        row = (str(one.withdrawn.get(name, 0)) for one in pair)
        table.add_row(f"withdrawn: {name}", *row)
    console().print(table)


def _show_why(
    suggested: Suggested,
    advice: Advice,
    settings: Settings,
    facts: dict[str, Any],
    zone: ZoneInfo,
    *,
    as_json: bool,
) -> None:
    """Print a suggestion and what the model saw."""
    if as_json:
        answer = {
            "schema": "rollby.why/1",
            "suggested": said_json(suggested),
            "saw": advice_json(advice, roads=facts, settings=settings),
        }
        click.echo(json_text(answer))
        return
    click.echo(said_line(suggested, zone))
    one = next(stop for stop in advice.stops if stop.stop_id == suggested.stop_id)
    if one.suggestion and one.suggestion.unit_id == suggested.unit_id:
        for reason in one.suggestion.reasons:
            click.echo(f"  {reason}")
    console().print(advice_table(advice, settings))
