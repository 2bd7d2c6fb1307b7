"""A watched folder: whole files only, each once, good rows kept, bad ones named, put away."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from data.errors import FieldError, SourceUnreachableError
from data.events import StatusChange
from data.feeds import cad_folder
from data.feeds.cad_fake import write_csv
from data.feeds.cad_folder import FolderDoor, Watched
from data.feeds.cad_rows import CadForm
from data.records import UnitStatus
from tests.data.feeds.keeper import Keeper, during

if TYPE_CHECKING:
    from pathlib import Path

    from data.feeds.heard import Told

AT = datetime(2026, 3, 13, 2, tzinfo=UTC)
STILL_S = 0.03


def row(unit_id: str = "4A12", seconds: int = 0) -> StatusChange:
    at = AT + timedelta(seconds=seconds)
    return StatusChange(unit_id=unit_id, at=at, status=UnitStatus.AVAILABLE)


def watched(
    folder: Path, *, leaving: bool = False, keep_days: float = 0.0, still_s: float = STILL_S
) -> Watched:
    return Watched(
        folder=folder,
        form=CadForm(),
        every_s=0.01,
        still_s=still_s,
        keep_days=keep_days,
        leaving=leaving,
    )


def door_of(folder: Path, **more: Any) -> FolderDoor:
    return FolderDoor("door", watched(folder, **more))


def names(folder: Path) -> list[str]:
    """Name what was put away as it was called."""
    found = folder.iterdir() if folder.exists() else ()
    return sorted(path.name.partition("_")[2] for path in found)


def units(keeper: Keeper) -> list[str]:
    found = [one.report for one in keeper.told]
    return [one.unit_id for one in found if isinstance(one, StatusChange)]


def test_a_file_is_taken_and_put_away(tmp_path: Path) -> None:
    keeper = Keeper()
    (tmp_path / "before.csv").write_bytes(write_csv([row("4A12")]))

    async def work() -> None:
        await keeper.until(lambda: units(keeper) == ["4A12"])
        (tmp_path / "next.csv.part").write_bytes(write_csv([row("4A13"), row("4A14")]))
        (tmp_path / "next.csv.part").rename(tmp_path / "next.csv")
        await keeper.until(lambda: names(tmp_path / "done") == ["before.csv", "next.csv"])

    during(door_of(tmp_path), keeper, work)
    assert units(keeper) == ["4A12", "4A13", "4A14"]
    assert [one.report for one in keeper.told] == [row("4A12"), row("4A13"), row("4A14")]
    assert names(tmp_path / "failed") == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["done", "failed", "taken"]
    assert keeper.opened_times == 1


def test_bad_rows_cost_no_good_one_and_their_reasons_lie_beside_the_file(tmp_path: Path) -> None:
    keeper = Keeper()
    (tmp_path / "s.csv").write_bytes(b"unit_id,status\n4A1,available\n4A2,10-8\n4A3,busy\n")

    async def work() -> None:
        await keeper.until(lambda: len(names(tmp_path / "failed")) == 2)

    during(door_of(tmp_path), keeper, work)
    assert units(keeper) == ["4A1", "4A3"]
    assert names(tmp_path / "failed") == ["s.csv", "s.csv.reason.txt"]
    (beside,) = (tmp_path / "failed").glob("*.reason.txt")
    first, second = beside.read_text().splitlines()
    assert first == "2 rows were taken, 1 were not:"
    assert second.startswith("s.csv:3 status=10-8: must be one of available, dispatched")
    assert keeper.reasons == [second]


def test_a_unit_that_the_door_may_not_speak_for_is_a_reason_too(tmp_path: Path) -> None:
    def check(told: Told) -> None:
        if isinstance(told.report, StatusChange) and told.report.unit_id == "9Z9":
            raise FieldError("unit_id", "9Z9", "must be one of ours")

    keeper = Keeper()
    (tmp_path / "s.csv").write_bytes(write_csv([row("4A1"), row("9Z9")]))

    async def work() -> None:
        await keeper.until(lambda: len(names(tmp_path / "failed")) == 2)

    during(FolderDoor("door", watched(tmp_path), check), keeper, work)
    assert units(keeper) == ["4A1"]
    assert keeper.reasons == ["unit_id=9Z9: must be one of ours"]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("s.xlsx", b"PK\n", "s.xlsx: must end in one of .csv, .json, .geojson, .jsonl; save a"),
        ("noending", b"x\n", "noending: must end in one of"),
        ("s.csv", b"x" * 50 + b"\n", "s.csv: must not be larger than 0 MiB; write it in parts"),
        ("s.json", b"[{]", "s.json: must be GeoJSON in UTF-8"),
    ],
)
def test_a_file_that_is_none_of_ours_is_kept_with_its_reason(
    name: str, content: bytes, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cad_folder, "LARGEST", 40)
    keeper = Keeper()
    (tmp_path / name).write_bytes(content)

    async def work() -> None:
        await keeper.until(lambda: names(tmp_path / "failed") == [name, f"{name}.reason.txt"])

    during(door_of(tmp_path), keeper, work)
    (reason,) = keeper.reasons
    assert reason.startswith(why)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("s.csv", b"unit_id,status\n4A1,available\n4A2,bu", b"sy\n"),
        ("s.json", b'[{"unit_id": "4A1", "status": "available"}', b"]"),
    ],
)
def test_a_file_that_is_still_written_is_not_read(
    name: str, first: bytes, second: bytes, tmp_path: Path
) -> None:
    """A writer that pauses in the midst of it is waited for longer."""
    keeper = Keeper()

    async def work() -> None:
        with (tmp_path / name).open("wb", buffering=0) as out:
            out.write(first)
            await asyncio.sleep(0.6)  # four times as long as a whole file must be still
            assert keeper.takes == 0
            out.write(second)
        await keeper.until(lambda: names(tmp_path / "done") == [name])

    during(door_of(tmp_path, still_s=0.15), keeper, work)
    assert units(keeper)[:1] == ["4A1"]
    assert keeper.reasons == []


def test_a_file_that_cannot_be_read_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plainly = cad_folder._plainly

    def refusing(path: str, flags: int) -> int:
        if path.endswith("secret.csv"):
            raise PermissionError(13, "Permission denied")
        return plainly(path, flags)

    keeper = Keeper()
    (tmp_path / "secret.csv").write_bytes(write_csv([row("4A1")]))
    (tmp_path / "t.csv").write_bytes(write_csv([row("4A2")]))
    monkeypatch.setattr(cad_folder, "_plainly", refusing)

    async def work() -> None:
        await keeper.until(lambda: names(tmp_path / "done") == ["t.csv"])
        await keeper.until(lambda: len(names(tmp_path / "failed")) == 2)

    during(door_of(tmp_path), keeper, work)
    assert keeper.reasons == ["secret.csv: cannot be read (Permission denied); look at its rights"]


def test_names_that_are_too_long_or_no_text_are_taken_all_the_same(tmp_path: Path) -> None:
    keeper = Keeper()
    long = "x" * 240 + ".csv"
    (tmp_path / long).write_bytes(b"unit_id,status\n4A1,10-8\n")
    odd = os.fsdecode(b"\xff\x00odd.csv".replace(b"\x00", b"\n"))
    (tmp_path / odd).write_bytes(b"unit_id,status\n4A2,10-8\n")

    async def work() -> None:
        await keeper.until(lambda: len(names(tmp_path / "failed")) == 4)

    during(door_of(tmp_path), keeper, work)
    assert len(keeper.reasons) == 2
    assert all(reason.isprintable() for reason in keeper.reasons)
    assert {len(name) for name in names(tmp_path / "failed")} == {180, 191, 9, 20}


def test_a_file_that_stays_cut_off_is_read_at_last(tmp_path: Path) -> None:
    keeper = Keeper()
    (tmp_path / "s.csv").write_bytes(b"unit_id,status\n4A1,available")

    async def work() -> None:
        await keeper.until(lambda: names(tmp_path / "done") == ["s.csv"])

    during(door_of(tmp_path), keeper, work)
    assert units(keeper) == ["4A1"]


def test_the_next_file_of_the_same_name_is_another(tmp_path: Path) -> None:
    """A dispatch system that replaces its export each minute: none of them may be lost."""
    keeper = Keeper()

    async def work() -> None:
        for number in range(5):
            (tmp_path / ".next").write_bytes(write_csv([row(seconds=number)]))
            (tmp_path / ".next").rename(tmp_path / "s.csv")
            await keeper.until(lambda: not (tmp_path / "s.csv").exists())
        await keeper.until(lambda: len(names(tmp_path / "done")) == 5)

    during(door_of(tmp_path), keeper, work)
    assert [one.report for one in keeper.told] == [row(seconds=number) for number in range(5)]


def test_files_are_read_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    keeper = Keeper()
    for number, name in enumerate(("b", "c", "a")):
        (tmp_path / f"{name}.csv").write_bytes(write_csv([row(f"4A{number}")]))
        os.utime(tmp_path / f"{name}.csv", (1000 + number, 1000 + number))

    async def work() -> None:
        await keeper.until(lambda: len(units(keeper)) == 3)

    during(door_of(tmp_path), keeper, work)
    assert units(keeper) == ["4A0", "4A1", "4A2"]


def test_a_crash_between_keeping_and_putting_away_loses_nothing(tmp_path: Path) -> None:
    class Dying(Keeper):
        async def take(self, *_: object, **__: object) -> None:
            raise ZeroDivisionError

    (tmp_path / "s.csv").write_bytes(write_csv([row()]))

    async def forever() -> None:
        await asyncio.sleep(60)

    with pytest.raises(ZeroDivisionError):
        during(door_of(tmp_path), Dying(), forever)
    assert names(tmp_path / "taken") == ["s.csv"]
    keeper = Keeper()

    async def work() -> None:
        await keeper.until(lambda: names(tmp_path / "done") == ["s.csv"])

    during(door_of(tmp_path), keeper, work)
    assert units(keeper) == ["4A12"]


def test_a_look_leaves_files_where_they_are(tmp_path: Path) -> None:
    keeper = Keeper()
    (tmp_path / "s.csv").write_bytes(write_csv([row()]))

    async def work() -> None:
        await keeper.until(lambda: units(keeper) == ["4A12"])
        await asyncio.sleep(0.1)

    during(door_of(tmp_path, leaving=True), keeper, work)
    assert units(keeper) == ["4A12"]
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]


def test_rows_without_an_instant_have_that_of_their_file(tmp_path: Path) -> None:
    keeper = Keeper()
    (tmp_path / "s.csv").write_bytes(b"unit_id,status\n4A1,busy\n")
    os.utime(tmp_path / "s.csv", (AT.timestamp(), AT.timestamp()))

    async def work() -> None:
        await keeper.until(lambda: bool(keeper.told))

    during(door_of(tmp_path), keeper, work)
    assert keeper.told[0].report.at == AT
    assert "at" in keeper.told[0].untold


def test_what_was_put_away_long_ago_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cad_folder, "PRUNE_EVERY_S", 0.0)
    for name in ("done", "failed"):
        (tmp_path / name).mkdir()
        for day in ("20200101T000000.000000Z", "29990101T000000.000000Z"):
            (tmp_path / name / f"{day}_s.csv").write_text("x")
        (tmp_path / name / "mine.txt").write_text("x")
    keeper = Keeper()

    async def work() -> None:
        await keeper.until(lambda: len(names(tmp_path / "failed")) == 2)

    during(door_of(tmp_path, keep_days=7.0), keeper, work)
    for name in ("done", "failed"):
        left = sorted(path.name for path in (tmp_path / name).iterdir())
        assert left == ["29990101T000000.000000Z_s.csv", "mine.txt"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    async def forever() -> None:
        await asyncio.sleep(60)

    with pytest.raises(SourceUnreachableError) as caught:
        during(door_of(tmp_path / "none"), Keeper(), forever)
    assert str(caught.value).startswith("feeds.door.folder=")
    assert "must be a folder that can be read and written (No such file or dir" in str(caught.value)


def test_a_folder_that_goes_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "cad"
    folder.mkdir()
    keeper = Keeper()

    async def work() -> None:
        await keeper.until(lambda: keeper.opened_times == 1)
        folder.rename(tmp_path / "other")
        await asyncio.sleep(60)

    with pytest.raises(SourceUnreachableError, match="must be a folder that can be read"):
        during(door_of(folder), keeper, work)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_leads_elsewhere_is_neither_read_nor_waited_for(tmp_path: Path, kind: str) -> None:
    """Who may drop files has not the right to read ours: a reason would show him their content."""
    folder, keeper = tmp_path / "cad", Keeper()
    (folder / "taken").mkdir(parents=True)
    strange = folder / "taken" / "20260313T020000.000000Z_strange.csv"
    (tmp_path / "secret").write_text("a secret\n")
    if kind == "link":
        strange.symlink_to(tmp_path / "secret")
    else:
        os.mkfifo(strange)
    (folder / "good.csv").write_bytes(write_csv([row("4A12")]))

    async def work() -> None:
        await keeper.until(lambda: units(keeper) == ["4A12"], 5)

    during(door_of(folder), keeper, work)
    (reason,) = keeper.reasons
    rule = "cannot be read (Too many levels of symbolic links)" if kind == "link" else "must not be"
    assert reason.startswith(f"strange.csv: {rule}")
    assert not [one for one in keeper.heard if b"secret" in one.raw]


def test_a_reason_is_written_through_no_link(tmp_path: Path) -> None:
    name = "20260313T020000.000000Z_bad.csv"
    for one in ("taken", "failed"):
        (tmp_path / one).mkdir()
    (tmp_path / "taken" / name).write_text("not,ours\n")
    (tmp_path / "ours").write_text("as it was")
    (tmp_path / "failed" / f"{name}.reason.txt").symlink_to(tmp_path / "ours")

    async def work() -> None:
        await asyncio.sleep(5)

    with pytest.raises(SourceUnreachableError, match="symbolic links"):
        during(door_of(tmp_path), Keeper(), work)
    assert (tmp_path / "ours").read_text() == "as it was"


def test_rows_are_checked_beside_the_loop(tmp_path: Path) -> None:
    """Fifty thousand rows stood all doors and screens still for most of a second."""
    threads, keeper = set(), Keeper()
    (tmp_path / "all.csv").write_bytes(write_csv([row("4A12")]))

    async def work() -> None:
        await keeper.until(lambda: units(keeper) == ["4A12"])

    def check(_told: Told) -> None:
        threads.add(threading.current_thread())

    during(FolderDoor("door", watched(tmp_path), check), keeper, work)
    assert threads
    assert threading.main_thread() not in threads
