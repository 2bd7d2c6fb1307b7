"""A recorded period, a day at a time: in this process, or spread over the workers of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.history import read_history
from data.history_days import history_days
from data.roadfile import roads_checksum
from geo.gaps import PastSum
from geo.past_parts import Posted, Recorded, parts_of
from rollby.output import Bar, console_err
from rollby.past_work import Job, contracted, covered, files_of, ground_of, told, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from data.beats import Beat
    from data.events import History
    from data.settings import Settings
    from geo.gaps import PastCover
    from geo.past_day import PastDay
    from geo.past_parts import Part
    from rollby.cluster import Cluster
    from rollby.past_work import Files


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """
    A history as days.

    Parameters
    ----------
    days, fix_days, last_s
        As `geo.past_parts.parts_of` takes them.
    recorded : Recorded or None
        All of it in memory; None where its folder is by day, and each is read for itself.
    simulated : bool
        Known to be so; of days read for themselves, each tells.
    """

    days: Sequence[int]
    fix_days: Sequence[int]
    last_s: float
    recorded: Recorded | None
    simulated: bool


def past_of_folder(
    roads: Path,
    folder: Path,
    *,
    settings: Settings,
    beats: Sequence[Beat],
    every_s: float,
    posts: Sequence[tuple[str, float, float]] = (),
    cluster: Cluster | None = None,
) -> tuple[PastCover, bool, tuple[str, ...]]:
    """
    Work out how soon two idle units could have been anywhere, over a recorded period.

    Parameters
    ----------
    roads, folder : Path
        The network, and the history.
    settings : Settings
        In force.
    beats : sequence of Beat
        With a T of their own.
    every_s : float
        From snapshot to snapshot, seconds.
    posts : sequence of (unit_id, lon_deg, lat_deg)
        These units stand there whenever they are available, in place of where they were.
    cluster : Cluster or None
        Who works; None for this process.

    Returns
    -------
    past : PastCover
        The same, bit for bit, whoever works.
    simulated : bool
        Nobody was there.
    agencies : tuple of str
        Whose units it tells of, in order.
    """
    source = _source(folder)
    job = Job(
        roads=roads.resolve(),
        checksum=roads_checksum(roads),
        folder=folder.resolve(),
        settings=settings,
        beats=tuple(beats),
        posts=tuple(_posted(folder, source, posts)),
        versions=versions(),
    )
    net, ground = ground_of(job)
    total, simulated, agencies = PastSum(ground), source.simulated, set[str]()

    def parts(asked: Callable[[int], History]) -> Iterator[tuple[Part, Files | History]]:
        """Give parts, and what each is to be worked out from."""
        for part in parts_of(
            source.days,
            source.fix_days,
            source.recorded.told if source.recorded else asked,
            zone=ground.zone,
            policy=settings.policy,
            every_s=every_s,
            last_s=source.last_s,
        ):
            yield part, _given(job, source, part)

    with Bar(console_err()) as bar:
        results = _here(job, parts) if cluster is None else cluster.covered(job, source.days, parts)
        for number, day in enumerate(results):
            bar.show(f"day {number + 1}", (number + 1) / (len(source.fix_days) + 1))
            if day is not None:
                total.add(day)
                simulated |= day.simulated
                agencies |= set(day.agencies)
    return total.past(net), simulated, tuple(sorted(agencies))


def _here(
    job: Job, parts: Callable[[Callable[[int], History]], Iterable[tuple[Part, Files | History]]]
) -> Iterator[PastDay | None]:
    """Work parts out one after the other."""
    hierarchy = contracted(job)
    for part, given in parts(lambda day: told(job, day, files_of(job.folder, (day,)))):
        yield covered(job, hierarchy, part, given)


def _source(folder: Path) -> Source:
    """Find out how a history can be read."""
    days = history_days(folder)
    if days:
        return Source(
            days=days.days,
            fix_days=days.fix_days,
            last_s=days.last_s,
            recorded=None,
            simulated=False,
        )
    history = read_history(folder)
    recorded = Recorded(history)
    return Source(
        days=recorded.days,
        fix_days=recorded.fix_days,
        last_s=recorded.last_s,
        recorded=recorded,
        simulated=history.simulated,
    )


def _given(job: Job, source: Source, part: Part) -> Files | History:
    """Give a part itself, or the names of its files."""
    if source.recorded is None:
        return files_of(job.folder, part.days)
    first_s, last_s = part.reads_s(job.settings.policy)
    return source.recorded.read(part.days, first_s, last_s)


def _posted(
    folder: Path, source: Source, posts: Sequence[tuple[str, float, float]]
) -> Iterator[Posted]:
    """Tell the period's own units from one more."""
    wanted, known = {unit_id for unit_id, *_ in posts}, set[str]()
    for day in source.days:
        if wanted <= known:
            break
        told_then = (
            source.recorded.told(day)
            if source.recorded
            else read_history(folder, days=(day,), tables=("statuses",))
        )
        known |= {one.unit_id for one in told_then.statuses}
    for post in posts:
        yield Posted.of(post, known)
