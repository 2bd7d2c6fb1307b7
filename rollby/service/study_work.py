"""
A study's work, in a process of its own: ``python -m rollby.service.study_work``.

What to do comes pickled on stdin, from the service that started it; how far it is goes to stdout, a
JSON object a line. When stdin ends, the service has ended, and so does this.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from data import words
from data.errors import Fault, InputError, RollbyError, TableError
from data.history import read_history
from data.history_days import history_days
from data.uploaded import unpack
from rollby import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.beats import Beat
    from data.settings import Settings
    from geo.network import RoadNetwork
    from maps.page import Page
    from rollby.posts import PostsWish

    Tell = Callable[[str], None]

MOST_FAULTS: Final = 100
NICE: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """
    What to do.

    Parameters
    ----------
    kind : {"history", "gaps", "posts"}
        Read and check a history, or work something out.
    history : Path or None
        A folder; None for posts by the roads' length.
    out : Path
        Folder for what comes out.
    upload : Path or None
        Of a history: the ``.zip`` it came as.
    most_bytes : int
        Of that, unpacked.
    roads : Path
        The network.
    settings : Settings
        Of the agency.
    beats : sequence of Beat
        With a T of their own.
    since, until : datetime or None
        The period.
    hidden : sequence of str
        Agencies that do not show their units to the one who asks.
    every_s : float
        From snapshot to snapshot, seconds.
    split : datetime or None
        Hold what was from here on against what was before.
    stand : sequence of (unit_id, lon_deg, lat_deg)
        What if these units stood there.
    wish : PostsWish or None
        What posts are wanted.
    """

    kind: str
    history: Path | None
    out: Path
    upload: Path | None = None
    most_bytes: int = 0
    roads: Path
    settings: Settings
    beats: Sequence[Beat] = ()
    since: datetime | None = None
    until: datetime | None = None
    hidden: Sequence[str] = ()
    every_s: float = 60.0
    split: datetime | None = None
    stand: Sequence[tuple[str, float, float]] = ()
    wish: PostsWish | None = field(default=None)


def do(work: Work, tell: Tell) -> dict[str, Any]:
    """
    Do it.

    Parameters
    ----------
    work : Work
        What.
    tell : callable
        Told each step.

    Returns
    -------
    facts : dict of str to JSON values
        What came out, for the list of studies.
    """
    work.out.mkdir(parents=True, exist_ok=True)
    return {"history": _check, "gaps": _gaps, "posts": _posts}[work.kind](work, tell)


def _check(work: Work, tell: Tell) -> dict[str, Any]:
    """
    Unpack a history and read all of it, a day at a time where it is by day.

    Raises
    ------
    TableError
        With every fault of every file.
    """
    assert work.history is not None  # noqa: S101 - always given here
    if work.upload:
        tell("Unpacking")
        unpack(work.upload, work.history, most_bytes=work.most_bytes)
        work.upload.unlink()
    folder = _enter(work, tell)
    days = history_days(folder)
    faults, simulated, fixes = list[Fault](), False, 0
    units, stops, ends_s = set[str](), set[str](), list[float]()
    for own in [(day,) for day in days.days] if days else [None]:
        try:
            read = read_history(folder, days=own)
        except TableError as error:
            faults += error.faults
            continue
        simulated |= read.simulated
        fixes += len(read.fixes)
        units |= set(read.fixes.unit_ids)
        stops |= {one.stop.stop_id for one in read.stops}
        ends_s += read.fixes.received_at_s[[0, -1]].tolist() if len(read.fixes) else []
    if faults:
        raise TableError(faults)
    return {
        "simulated": simulated,
        "units": len(units),
        "fixes": fixes,
        "stops": len(stops),
        "began": _instant(min(ends_s)) if ends_s else None,
        "ended": _instant(max(ends_s)) if ends_s else None,
    }


def _instant(at_s: float) -> str:
    """Write an instant."""
    return datetime.fromtimestamp(float(at_s), UTC).isoformat()


def _enter(work: Work, tell: Tell) -> Path:
    """
    Go to the history's folder.

    Raises
    ------
    InputError
        If it is there no more.
    """
    assert work.history is not None  # noqa: S101 - checked by whom it concerns
    tell("Reading the history")
    try:
        os.chdir(work.history)  # so that faults name the files as their sender does
    except OSError as error:
        raise InputError(
            f"the history cannot be read ({error.strerror}); it was deleted"
        ) from error
    return Path()


def _gaps(work: Work, tell: Tell) -> dict[str, Any]:
    """Work out a period's gaps, and all that is shown of them."""
    from geo.network import RoadNetwork  # noqa: PLC0415 - a check needs none of these
    from geo.past_gaps import gap_cells, gap_hours  # noqa: PLC0415 - as above
    from maps.gaps_map import gaps_page  # noqa: PLC0415 - as above
    from maps.gaps_report import ReportFacts, gaps_report, in_short  # noqa: PLC0415 - as above
    from rollby.files import write_cells, write_text  # noqa: PLC0415 - as above
    from rollby.gaps import gaps_answer, what_if  # noqa: PLC0415 - as above
    from rollby.output import json_text, manner_of  # noqa: PLC0415 - as above
    from rollby.past import Extent, gaps_of_folder  # noqa: PLC0415 - as above

    folder = _enter(work, tell)
    working = "Working out the drive times, snapshot after snapshot"
    tell(working)
    net, settings = RoadNetwork.load(work.roads), work.settings
    gaps, agencies = gaps_of_folder(
        work.roads,
        folder,
        settings=settings,
        beats=work.beats,
        every_s=work.every_s,
        split=work.split,
        posts=work.stand,
        extent=Extent(since=work.since, until=work.until, hidden=work.hidden),
        progress=lambda share: tell(f"{working}: {words.percent(share)}"),
    )
    tell("Drawing the map and writing the report")
    notes = [what_if(work.stand)] if work.stand else []
    if work.hidden:
        notes.append(f"Left out, as they are not shown to others: {', '.join(work.hidden)}.")
    facts = ReportFacts(
        agencies=agencies,
        every_s=work.every_s,
        split=work.split,
        notes=notes,
        version=__version__,
        speed_unit=settings.units.speed_unit,
    )
    write_text(work.out / "gaps.json", json_text(gaps_answer(gaps)))
    write_text(work.out / "report.html", gaps_report(net.table, gaps, facts))
    for ending in ("csv", "geojson", "gpkg", "parquet"):
        write_cells(work.out / f"cells.{ending}", gap_cells(gaps))
    for ending in ("csv", "parquet"):
        write_cells(work.out / f"hours.{ending}", gap_hours(gaps))
    _write_pages(work.out, lambda: gaps_page(net.table, gaps, manner_of(settings)))
    return {"simulated": gaps.simulated, "said": in_short(gaps), "notes": notes}


def _posts(work: Work, tell: Tell) -> dict[str, Any]:
    """Choose posts, and give what a page needs to try others by hand."""
    from geo.network import RoadNetwork  # noqa: PLC0415 - a check needs none of these
    from rollby.files import write_rows, write_text  # noqa: PLC0415 - as above
    from rollby.output import json_text, manner_of  # noqa: PLC0415 - as above
    from rollby.past import Extent  # noqa: PLC0415 - as above
    from rollby.posts import (  # noqa: PLC0415 - as above
        draw_posts,
        plan_posts,
        posts_geojson,
        proof,
    )

    assert work.wish is not None  # noqa: S101 - always given here
    folder = _enter(work, tell) if work.history else None
    tell("Working out the ways, and choosing")
    net, settings = RoadNetwork.load(work.roads), work.settings
    plan = plan_posts(
        net,
        work.wish,
        settings=settings,
        beats=work.beats,
        history=folder,
        extent=Extent(since=work.since, until=work.until, hidden=work.hidden),
    )
    tell("Drawing the map")
    answer = plan.answer
    write_text(work.out / "posts.json", json_text(answer))
    write_text(work.out / "posts.geojson", json_text(posts_geojson(answer)))
    columns = ("post", "lon", "lat", "street", "present")
    rows = [{name: str(one[name]) for name in columns} for one in answer["posts"]]
    write_rows(work.out / "posts.csv", columns, rows)
    write_text(work.out / "places.json", json_text(_places(net, plan.places, plan.posts)))
    _write_pages(work.out, lambda: draw_posts(net, plan, manner_of(settings)))
    within, cover = words.drive(answer["within_s"]), answer["cover"]
    said = (
        f"{words.count(work.wish.count, 'post')}: a second car within {within} of "
        f"{words.percent(cover['second'])}, a first of {words.percent(cover['first'])}."
    )
    return {"simulated": answer["simulated"], "said": [said, proof(answer["gap"])], "notes": []}


def _places(net: RoadNetwork, places: Any, posts: Sequence[int]) -> dict[str, Any]:
    """Give all places and how soon each is everywhere, whole milliseconds; -1 where never."""
    import numpy as np  # noqa: PLC0415 - a check needs it not

    known = np.isfinite(places.time_s)
    time_ms = np.where(known, np.rint(np.where(known, places.time_s, 0.0) * 1000), -1)
    return {
        "lon": [round(one.snapped_lon_deg, 7) for one in places.place],
        "lat": [round(one.snapped_lat_deg, 7) for one in places.place],
        "street": [net.table.street(one.edge) or "road without a name" for one in places.place],
        "time_ms": time_ms.astype(int).T.tolist(),
        "within_ms": np.rint(places.within_s * 1000).astype(int).tolist(),
        "share": places.share.tolist(),
        "posts": list(posts),
    }


def _write_pages(out: Path, page: Callable[[], Page]) -> None:
    """Write a page whole, to take away, and in parts, to be served."""
    from rollby.files import write_text  # noqa: PLC0415 - as above

    write_text(out / "map.html", page().render())
    parts = page().parts()
    for name, text in (
        ("body.html", parts.html),
        ("map.js", parts.script),
        ("map.css", parts.style),
    ):
        write_text(out / name, text)


def main() -> int:
    """
    Do what stdin says.

    Returns
    -------
    exit_code : int
        0 where it was done or could not be, and that was said; else there is a traceback.
    """
    os.nice(NICE)
    work: Work = pickle.load(sys.stdin.buffer)  # noqa: S301 - of the service that started this
    threading.Thread(target=_end_with_stdin, daemon=True).start()

    def tell(**told: Any) -> None:
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()

    try:
        facts = do(work, lambda step: tell(step=step))
    except TableError as error:
        faults = list(map(str, error.faults))
        more = [f"and {len(faults) - MOST_FAULTS:,} more"] if len(faults) > MOST_FAULTS else []
        tell(fault="\n".join([*faults[:MOST_FAULTS], *more]))
    except RollbyError as error:
        tell(fault=str(error))
    else:
        tell(facts=facts)
    return 0


def _end_with_stdin() -> None:
    """End when the service does: nobody waits for this any more."""
    while os.read(0, 4096):  # past Python's buffer, whose lock would outlive this thread
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
