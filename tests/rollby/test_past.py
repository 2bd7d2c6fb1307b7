"""A recorded period is read a day at a time, and says what it says read as a whole."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from data.events import Fixes, History, StatusChange, StopChange
from data.history import read_history, write_history
from data.records import Stop, UnitStatus
from data.settings import Settings
from geo.demand import stops_begun
from geo.network import RoadNetwork
from geo.past_gaps import past_gaps
from geo.snapshots import with_places
from geo.without import without_agencies
from rollby import past, past_work
from rollby.past import Extent, gaps_of_folder, stops_of_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.past_gaps import PastGaps

DAYS, DAY_S = 6, 86_400
BEGAN_S = 20_500 * DAY_S
UNITS = tuple(f"1A{i}" for i in range(1, 5))
SETTINGS = Settings.model_validate({"policy": {"within_s": 60}, "units": {"simulated": True}})
SINCE, UNTIL = (datetime.fromtimestamp(BEGAN_S + day * DAY_S, UTC) for day in (2, 4))


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(BEGAN_S + second, UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six days of four units that move at random about the embedded city, two of the county."""
    rng = np.random.default_rng(3)
    at_s = np.repeat(BEGAN_S + np.arange(0, DAYS * DAY_S, 600.0), len(UNITS))
    at_s += np.tile(np.arange(len(UNITS)), len(at_s) // len(UNITS))
    count = len(at_s)
    recorded = Fixes(
        unit_ids=UNITS,
        unit_row=np.tile(np.arange(len(UNITS), dtype=np.int32), count // len(UNITS)),
        fixed_at_s=at_s,
        received_at_s=at_s,
        lon_deg=rng.uniform(-104.99, -104.975, count),
        lat_deg=rng.uniform(39.742, 39.755, count),
        heading_deg=np.full(count, np.nan),
        speed_mps=np.zeros(count),
        accuracy_m=np.full(count, np.nan),
    )
    statuses = tuple(
        StatusChange(unit_id=unit, at=moment(0), status=UnitStatus.AVAILABLE, agency=agency)
        for unit, agency in zip(UNITS, ("city", "city", "county", "county"), strict=True)
    )
    stops = []
    for i in range(DAYS * 5):
        begun_s, unit = 3000.0 + i * 17_000, UNITS[i % 4]
        lon_deg, lat_deg = (-104.985, 39.75) if i % 3 else (None, None)  # told with its place?
        stop = Stop(
            stop_id=f"S{i}",
            unit_id=unit,
            lon_deg=lon_deg,
            lat_deg=lat_deg,
            started_at=moment(begun_s),
            ended_at=moment(begun_s + 2400),
        )
        stops += [StopChange(stop=stop, at=moment(begun_s + told)) for told in (0, 2400)]
    path = tmp_path_factory.mktemp("past") / "history"
    write_history(path, History(fixes=recorded, statuses=statuses, stops=tuple(stops)))
    return path


def same(found: PastGaps, expected: PastGaps) -> None:
    for one in fields(expected):
        mine, theirs = getattr(found, one.name), getattr(expected, one.name)
        if isinstance(theirs, np.ndarray):
            np.testing.assert_array_equal(mine, theirs, err_msg=one.name)
        else:
            assert mine == theirs, one.name


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[int] | None]:
    """Of which days a folder's rows were asked for, each time."""
    asked: list[Sequence[int] | None] = []

    def noted(path: Path, **how: Any) -> History:
        asked.append(how.get("days"))
        return read_history(path, **how)

    for module in (past, past_work):
        monkeypatch.setattr(module, "read_history", noted)
    past_work._events.cache_clear()
    return asked


def test_no_more_than_three_days_are_read_at_once(
    roads: str, folder: Path, reads: list[Sequence[int] | None]
) -> None:
    net, shares = RoadNetwork.load(Path(roads)), list[float]()
    extent = Extent(hidden=("county",))
    found, agencies = gaps_of_folder(
        Path(roads), folder, settings=SETTINGS, every_s=900, extent=extent, progress=shares.append
    )
    whole = without_agencies(read_history(folder), ("county",))
    same(found, past_gaps(net, whole, settings=SETTINGS, every_s=900))
    counts, simulated = stops_of_folder(net, folder, extent)
    expected = np.bincount(stops_begun(net, with_places(whole))[0], minlength=len(counts))
    np.testing.assert_array_equal(counts, expected)
    city = {one.stop.stop_id for one in whole.stops}
    assert 0 < counts.sum() == len(city) < DAYS * 5
    assert not simulated
    assert agencies == ("city",)
    assert shares == sorted(shares)
    assert len(shares) >= DAYS
    assert len(reads) > 2 * DAYS
    assert all(days is not None and len(days) <= 3 for days in reads)


def test_stops_told_late_or_without_a_place_are_counted_as_in_the_whole(
    roads: str, folder: Path, tmp_path: Path, reads: list[Sequence[int] | None]
) -> None:
    net, later = RoadNetwork.load(Path(roads)), moment(4 * DAY_S + 100)
    told = [
        StopChange(stop=Stop(stop_id=f"L{i}", unit_id=UNITS[i % 4], started_at=at), at=later)
        for i in range(12)
        for at in [moment(i * DAY_S / 3 + 1000)]  # all of four days, told on the fifth
    ]
    bare = Stop(stop_id="N", unit_id=UNITS[0], started_at=moment(DAY_S - 60))
    known = replace(bare, lon_deg=-104.98, lat_deg=39.744)
    told += [StopChange(stop=bare, at=moment(DAY_S - 60)), StopChange(stop=known, at=moment(DAY_S))]
    whole = read_history(folder)
    stops = tuple(sorted((*whole.stops, *told), key=lambda one: one.at))
    write_history(tmp_path / "more", replace(whole, stops=stops))
    reads.clear()
    counts, _ = stops_of_folder(net, tmp_path / "more")
    expected = stops_begun(net, with_places(replace(whole, stops=stops)))[0]
    np.testing.assert_array_equal(counts, np.bincount(expected, minlength=len(counts)))
    assert counts.sum() == DAYS * 5 + 13
    assert all(days is not None and len(days) <= 2 for days in reads)


def test_a_period_is_looked_at_from_its_first_instant_to_its_last(
    roads: str, folder: Path, reads: list[Sequence[int] | None]
) -> None:
    extent = Extent(since=SINCE, until=UNTIL)
    settings = Settings.model_validate({"units": {"time_zone": "America/Denver"}})
    found, _ = gaps_of_folder(Path(roads), folder, settings=settings, every_s=900, extent=extent)
    assert (found.began, found.ended) == (SINCE, UNTIL)
    assert found.snapshots == 2 * DAY_S // 900
    begun_s = [3000.0 + i * 17_000 for i in range(DAYS * 5)]
    within = sum(2 * DAY_S <= one < 4 * DAY_S for one in begun_s)
    assert found.stops == within
    net = RoadNetwork.load(Path(roads))
    assert stops_of_folder(net, folder, extent)[0].sum() == within
    assert {day for days in reads for day in days or ()} == {20_500, 20_501, 20_502, 20_503}


def test_a_history_that_is_not_by_day_says_the_same(
    roads: str, folder: Path, tmp_path: Path
) -> None:
    for name in ("fixes", "statuses", "stops"):
        for number, path in enumerate(sorted((folder / name).rglob("*.parquet"))):
            there = tmp_path / "flat" / name / f"{number}.parquet"
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(path.read_bytes())
    extent = Extent(since=SINCE, until=UNTIL - timedelta(hours=5), hidden=("county",))
    by_day, flat = (
        gaps_of_folder(Path(roads), one, settings=SETTINGS, every_s=600, extent=extent)[0]
        for one in (folder, tmp_path / "flat")
    )
    same(flat, by_day)
    net = RoadNetwork.load(Path(roads))
    counts, others = (stops_of_folder(net, one, extent)[0] for one in (folder, tmp_path / "flat"))
    np.testing.assert_array_equal(counts, others)
