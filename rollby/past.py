"""A recorded period, a day at a time: in this process, or spread over the workers of a cluster."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.events import History
from data.history import read_history, table_files
from data.history_days import history_days
from data.roadfile import roads_checksum
from data.settings import Settings
from geo.demand import stops_begun
from geo.gaps import PastSum
from geo.past_gaps import gaps_of
from geo.past_parts import DAY_S, NO_FIXES, Posted, Recorded, parts_of
from geo.sightings import FUTURE_S
from geo.snapshots import SEEN_S, begun_of, placed_at, with_places
from geo.without import without_agencies, without_units
from rollby.output import Bar, console_err
from rollby.past_work import Job, contracted, covered, files_of, ground_of, told, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from data.beats import Beat
    from data.events import Fixes, StopChange
    from data.past_gaps import PastGaps
    from data.road_table import FloatArray
    from geo.gaps import PastCover
    from geo.network import RoadNetwork
    from geo.past_day import PastDay
    from geo.past_parts import Part
    from rollby.cluster import Cluster
    from rollby.past_work import Files


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """
    What of a history is looked at.

    Parameters
    ----------
    since, until : datetime or None
        From then on, and before then; what was told earlier is known, what was told later is not.
    hidden : collection of str
        Agencies whose units are not shown; a unit belongs to the one that its statuses named last.
    """

    since: datetime | None = None
    until: datetime | None = None
    hidden: Collection[str] = ()

    @property
    def since_s(self) -> float:
        """Its beginning, seconds since 1970."""
        return self.since.timestamp() if self.since else -np.inf

    @property
    def until_s(self) -> float:
        """Its last millisecond, seconds since 1970."""
        return self.until.timestamp() - 0.001 if self.until else np.inf


WHOLE = Extent()


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
    hidden : frozenset of str
        Units that are not shown; of a history in memory they are left out already.
    """

    days: Sequence[int]
    fix_days: Sequence[int]
    last_s: float
    recorded: Recorded | None
    simulated: bool
    hidden: frozenset[str] = frozenset()


def gaps_of_folder(
    roads: Path,
    folder: Path,
    *,
    settings: Settings | None = None,
    beats: Sequence[Beat] = (),
    every_s: float = 60.0,
    split: datetime | None = None,
    posts: Sequence[tuple[str, float, float]] = (),
    extent: Extent = WHOLE,
    cluster: Cluster | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[PastGaps, tuple[str, ...]]:
    """
    Tell where and when two cars were too far away, reading a recorded period a day at a time.

    Parameters
    ----------
    roads, folder : Path
        The network, and the history.
    settings : Settings or None
        None for the defaults.
    beats : sequence of Beat
        With a T of their own.
    every_s : float
        From snapshot to snapshot, seconds.
    split : datetime or None
        Hold what was from here on against what was before.
    posts : sequence of (unit_id, lon_deg, lat_deg)
        These units stand there whenever they are available, in place of where they were.
    extent : Extent
        What of it is looked at.
    cluster : Cluster or None
        Who works; None for this process.
    progress : callable or None
        Told after each day what share of them is done.

    Returns
    -------
    gaps : PastGaps
        As `geo.past_gaps.past_gaps` gives it of a history in memory.
    agencies : tuple of str
        Whose units it tells of, in order.
    """
    settings = settings or Settings()
    past, simulated, agencies = past_of_folder(
        roads,
        folder,
        settings=settings,
        beats=beats,
        every_s=every_s,
        posts=posts,
        extent=extent,
        cluster=cluster,
        progress=progress,
    )
    simulated |= settings.units.simulated
    return gaps_of(past, settings=settings, simulated=simulated, split=split), agencies


def stops_of_folder(
    net: RoadNetwork, folder: Path, extent: Extent = WHOLE
) -> tuple[FloatArray, bool]:
    """
    Count the stops of a recorded period by the edge where they began, reading it a day at a time.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    folder : Path
        The history; of its fixes only those are read that tell where stops without a place began.
    extent : Extent
        What of it counts: stops that began in it.

    Returns
    -------
    stops : ndarray of float64, shape (m,)
        Whole numbers, by edge; stops that nobody knows the place of, or far from any road, are
        left out.
    simulated : bool
        Nobody was there.
    """
    found = history_days(folder)
    days = [(day,) for day in _known(found.days, extent)] if found else [None]
    hidden = _hidden_units(folder, days, extent)
    counts, simulated, known = np.zeros(len(net.edge_ms)), False, set[str]()
    lost: dict[str, StopChange] = {}

    def count(stops: Iterable[StopChange]) -> None:
        edge, began_s = stops_begun(net, History(fixes=NO_FIXES, stops=tuple(stops)))
        counts[:] += np.bincount(edge[began_s >= extent.since_s], minlength=len(counts))

    for own in days:
        told = read_history(folder, days=own, until=extent.until, tables=("stops",))
        told = without_units(told, hidden)
        simulated |= told.simulated
        placed = []
        for change in told.stops:
            stop = change.stop
            if stop.stop_id in known:
                continue
            lost.setdefault(stop.stop_id, change)
            if stop.lon_deg is not None and stop.lat_deg is not None:
                known.add(stop.stop_id)
                placed.append(placed_at(lost.pop(stop.stop_id), stop.lon_deg, stop.lat_deg))
        count(placed)
    for stops, fixes in _seen_before(folder, lost.values(), by_day=found is not None):
        count(with_places(History(fixes=fixes, stops=stops)).stops)
    return counts, simulated


def _seen_before(
    folder: Path, lost: Collection[StopChange], *, by_day: bool
) -> Iterator[tuple[tuple[StopChange, ...], Fixes]]:
    """Read, for stops that did not say where they are, the fixes from shortly before them."""
    if not lost or not table_files(folder, "fixes"):
        return
    days: dict[int, list[StopChange]] = defaultdict(list)
    for change in lost:
        days[int(begun_of(change).timestamp() // DAY_S) if by_day else 0].append(change)
    for day, stops in days.items():
        begun_s = [begun_of(change).timestamp() for change in stops]
        arrived_s = min(begun_s) - SEEN_S - FUTURE_S, max(begun_s)
        own = sorted({int(arrived_s[0] // DAY_S), day}) if by_day else None
        told = read_history(folder, days=own, arrived_s=arrived_s, tables=("fixes",))
        yield tuple(stops), told.fixes


def past_of_folder(
    roads: Path,
    folder: Path,
    *,
    settings: Settings,
    beats: Sequence[Beat],
    every_s: float,
    posts: Sequence[tuple[str, float, float]] = (),
    extent: Extent = WHOLE,
    cluster: Cluster | None = None,
    progress: Callable[[float], None] | None = None,
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
    extent : Extent
        What of it is looked at.
    cluster : Cluster or None
        Who works; None for this process.
    progress : callable or None
        Told after each day what share of them is done.

    Returns
    -------
    past : PastCover
        The same, bit for bit, whoever works.
    simulated : bool
        Nobody was there.
    agencies : tuple of str
        Whose units it tells of, in order.
    """
    source = _source(folder, extent)
    job = Job(
        roads=roads.resolve(),
        checksum=roads_checksum(roads),
        folder=folder.resolve() if cluster else folder,  # faults name it as it was given
        settings=settings,
        beats=tuple(beats),
        posts=tuple(_posted(folder, source, posts)),
        versions=versions(),
        until=extent.until,
        hidden=source.hidden,
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
            first_s=extent.since_s,
            last_s=source.last_s,
        ):
            yield part, _given(job, source, part)

    with Bar(console_err()) as bar:
        results = _here(job, parts) if cluster is None else cluster.covered(job, source.days, parts)
        for number, day in enumerate(results):
            share = (number + 1) / (len(source.fix_days) + 1)
            bar.show(f"day {number + 1}", share)
            if progress:
                progress(share)
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


def _source(folder: Path, extent: Extent) -> Source:
    """Find out how a history can be read."""
    days = history_days(folder)
    if days:
        known = _known(days.days, extent)
        since = (day for day in days.fix_days if (day + 1) * DAY_S > extent.since_s)
        return Source(
            days=known,
            fix_days=_known(since, extent),
            last_s=min(days.last_s, extent.until_s),
            recorded=None,
            simulated=False,
            hidden=_hidden_units(folder, [(day,) for day in known], extent),
        )
    history = without_agencies(read_history(folder, until=extent.until), extent.hidden)
    recorded = Recorded(history)
    return Source(
        days=recorded.days,
        fix_days=recorded.fix_days,
        last_s=recorded.last_s,
        recorded=recorded,
        simulated=history.simulated,
    )


def _known(days: Iterable[int], extent: Extent) -> tuple[int, ...]:
    """Leave out the days after an extent."""
    return tuple(day for day in days if day * DAY_S <= extent.until_s)


def _hidden_units(
    folder: Path, days: Sequence[tuple[int] | None], extent: Extent
) -> frozenset[str]:
    """Name the units of agencies that are not shown; None reads all days at once."""
    whose: dict[str, str] = {}
    for own in days if extent.hidden else ():
        told = read_history(folder, days=own, until=extent.until, tables=("statuses",))
        whose |= {one.unit_id: one.agency for one in told.statuses}
    return frozenset(unit_id for unit_id, agency in whose.items() if agency in extent.hidden)


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
