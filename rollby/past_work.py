"""
A recorded period worked out a day at a time: functions of a job, the same here and on a worker.

What they return is whole numbers that add up exactly (`geo.past_day`), so it is the same figures,
bit for bit, wherever each day was worked out.
"""

from __future__ import annotations

import platform
import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from data.errors import InputError
from data.history import read_history, table_files
from data.roadfile import roads_checksum
from geo.hierarchy import Hierarchy
from geo.network import RoadNetwork
from geo.past_day import Ground, past_day
from geo.past_parts import latest, load
from geo.without import without_units
from rollby import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from data.beats import Beat
    from data.events import History
    from data.settings import Settings
    from geo.past_day import PastDay
    from geo.past_parts import Part, Posted

LIBRARIES = ("distributed", "h3", "numba", "numpy", "pyarrow", "scipy", "shapely")
TABLES = ("fixes", "statuses", "stops")
Files = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    What is to be worked out.

    Parameters
    ----------
    roads : Path
        The network, at the same path on every worker.
    checksum : int
        Of that file.
    folder : Path
        The history, likewise.
    settings : Settings
        In force.
    beats : tuple of Beat
        With a T of their own.
    posts : tuple of Posted
        What if.
    versions : dict of str to str
        Of the program that asks (`versions`).
    until : datetime or None
        What was told from then on is not known.
    hidden : frozenset of str
        Units that are not shown.
    """

    roads: Path
    checksum: int
    folder: Path
    settings: Settings
    beats: tuple[Beat, ...]
    posts: tuple[Posted, ...]
    versions: dict[str, str]
    until: datetime | None = None
    hidden: frozenset[str] = frozenset()


def versions() -> dict[str, str]:
    """
    Say which programs work here.

    Returns
    -------
    versions : dict of str to str
        Of all that a figure may depend on.
    """
    found = {"Python": platform.python_version(), "rollby": __version__}
    return found | {name: version(name) for name in LIBRARIES}


def contracted(job: Job) -> Hierarchy:
    """
    Contract the job's network.

    Returns
    -------
    hierarchy : Hierarchy
        The same for the same file.
    """
    return Hierarchy.of(_ready(job)[0].forward)


def told(job: Job, day: int, files: Files) -> History:
    """
    Read what a day leaves behind it.

    Parameters
    ----------
    job : Job
        Whose folder.
    day : int
        UTC, days since 1970-01-01.
    files : tuple of (str, int)
        As `files_of` lists them where the job is from.

    Returns
    -------
    told : History
        Each unit's last status, each stop's last change.
    """
    _same_files(job, (day,), files)
    return latest(without_units(_events(job.folder, day, job.until), job.hidden))


def covered(job: Job, hierarchy: Hierarchy, part: Part, given: Files | History) -> PastDay | None:
    """
    Work a part out.

    Parameters
    ----------
    job : Job
        Of which.
    hierarchy : Hierarchy
        Of the job's network.
    part : Part
        Which.
    given : tuple of (str, int), or History
        The files to read, as `files_of` lists them; or the part itself where it is in no folder
        of its day.

    Returns
    -------
    day : PastDay or None
        None where nothing was recorded.
    """
    net, ground = _ready(job)
    if isinstance(given, tuple):
        _same_files(job, part.days, given)

    def read(days: Sequence[int], first_s: float, last_s: float) -> History:
        if not isinstance(given, tuple):
            return given
        return _read(job, days, first_s, last_s)

    at_s, history = load(part, read, job.settings.policy, job.posts)
    if not len(at_s):
        return None
    return past_day(net, hierarchy, ground, history, at_s)


def ground_of(job: Job) -> tuple[RoadNetwork, Ground]:
    """
    Give what is the same on all days.

    Returns
    -------
    net : RoadNetwork
        The job's.
    ground : Ground
        Of it.
    """
    return _ready(job)


def files_of(folder: Path, days: Sequence[int]) -> Files:
    """
    List the files of some days.

    Returns
    -------
    files : tuple of (str, int)
        Names beneath the folder, and sizes in bytes.
    """
    paths = [path for name in TABLES for path in table_files(folder, name, days)]
    return tuple((str(path.relative_to(folder)), path.stat().st_size) for path in paths)


_LOCK = threading.Lock()
_KEPT: list[tuple[Job, tuple[RoadNetwork, Ground]]] = []
"""The last job's network, mapped once a process."""


def _ready(job: Job) -> tuple[RoadNetwork, Ground]:
    """
    Map the job's network, once.

    Raises
    ------
    InputError
        If other programs or other roads are here than where the job is from.
    """
    with _LOCK:
        if not _KEPT or _KEPT[0][0] != job:
            own = versions()
            others = [name for name, asked in job.versions.items() if own.get(name) != asked]
            if others:
                listed = ", ".join(
                    f"{name} {own[name]} (not {job.versions[name]})" for name in others
                )
                raise InputError(
                    f"{listed}: must be the same everywhere; install what is asked for"
                )
            if roads_checksum(job.roads) != job.checksum:
                raise InputError(
                    f"{job.roads}: is another file here (checksum); copy the one asked for"
                )
            net = RoadNetwork.load(job.roads)
            _KEPT[:] = [(job, (net, Ground.of(net, job.settings, job.beats)))]
        return _KEPT[0][1]


def _same_files(job: Job, days: Sequence[int], files: Files) -> None:
    """
    Check that the folder is the one asked for: a day not found must not pass for a quiet one.

    Raises
    ------
    InputError
        If it holds other files.
    """
    differing = set(files) ^ set(files_of(job.folder, days))
    if differing:
        name = min(differing)[0]
        raise InputError(
            f"{job.folder}: {name} is not the one asked for; share the folder at the same path, "
            "and let nothing be written to it meanwhile"
        )


def _read(job: Job, days: Sequence[int], first_s: float, last_s: float) -> History:
    """Read days of a folder, as `geo.past_parts.load` asks for them."""
    fixes = read_history(job.folder, days=days, arrived_s=(first_s, last_s), tables=("fixes",))
    events = [_events(job.folder, day, job.until) for day in days]
    simulated = any(one.simulated for one in (fixes, *events))
    found = replace(
        fixes,
        statuses=tuple(one for day in events for one in day.statuses),
        stops=tuple(one for day in events for one in day.stops),
        facts={**fixes.facts, "simulated": simulated},
    )
    return without_units(found, job.hidden)


@lru_cache(maxsize=4)
def _events(folder: Path, day: int, until: datetime | None) -> History:
    """Read what was told on a day; neighbouring days ask for it again."""
    return read_history(folder, days=(day,), until=until, tables=("statuses", "stops"))
