from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from data import uploaded
from data.errors import InputError
from data.uploaded import check_name, unpack

if TYPE_CHECKING:
    from pathlib import Path

MOST = 1_000_000


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def found(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("fixes.csv", "fixes.csv"),
        ("statuses.parquet", "statuses.parquet"),
        ("on_scene.jsonl", "on_scene.jsonl"),
        ("history.json", "history.json"),
        ("March, north.zip", None),
        ("march.zip", "history.zip"),
        ("march.ZIP", "history.zip"),
        ("fixes.xlsx", None),
        ("units.csv", None),
        ("../fixes.csv", None),
        ("..", None),
        ("", None),
        (".fixes.csv", None),
        ("fixes.csv\0", None),
    ],
)
def test_only_files_of_a_history_are_taken(name: str, kept: str | None) -> None:
    if kept:
        assert check_name(name) == kept
        return
    with pytest.raises(InputError, match=r"must be a .zip of a history's folder, or one of"):
        check_name(name)


@pytest.mark.parametrize("above", ["", "shift/", "home/anna/shift/"])
def test_a_folder_is_found_wherever_it_lies_in_the_archive(tmp_path: Path, above: str) -> None:
    files = {
        "history.json": b"{}",
        "fixes/day=2026-03-13/part-0.parquet": b"f",
        "statuses.csv": b"s",
    }
    others = {
        f"{above}readme.txt": b"",
        "__MACOSX/._fixes.csv": b"",
        f"{above}fixes/.DS_Store": b"",
        f"{above}fixes/part.exe": b"",
    }
    archive = packed(
        tmp_path / "a.zip", {f"{above}{name}": one for name, one in files.items()} | others
    )
    assert unpack(archive, tmp_path / "out", most_bytes=MOST) == 3
    assert found(tmp_path / "out") == files


@pytest.mark.parametrize(
    "name", ["fixes/../../evil.csv", "fixes/a b.csv", "fixes/\\evil.csv", "fixes/\n.csv"]
)
def test_no_path_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    archive = packed(tmp_path / "a.zip", {name: b"x", "stops.csv": b"ok"})
    assert unpack(archive, tmp_path / "in" / "out", most_bytes=MOST) == 1
    assert found(tmp_path / "in") == {"out/stops.csv": b"ok"}


def test_an_absolute_path_is_one_within_the_folder(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"/etc/fixes.csv": b"x"})
    unpack(archive, tmp_path / "out", most_bytes=MOST)
    assert found(tmp_path / "out") == {"fixes.csv": b"x"}


def test_what_is_small_packed_may_be_too_large(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"fixes.csv": bytes(3 * MOST)})
    assert archive.stat().st_size < 10_000
    with pytest.raises(InputError, match=r"a.zip: is more than 1 MB unpacked; send a shorter"):
        unpack(archive, tmp_path / "out", most_bytes=MOST)


def test_what_is_damaged_locked_or_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("not packed")
    with pytest.raises(InputError, match=r"text.zip: is no .zip that can be read"):
        unpack(tmp_path / "text.zip", tmp_path / "out", most_bytes=MOST)
    archive = packed(tmp_path / "a.zip", {"fixes.csv": b"unit_id,lon\n" * 900})
    content = bytearray(archive.read_bytes())
    content[60:70] = bytes(10)
    (tmp_path / "cut.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"cut.zip: is no .zip that can be read"):
        unpack(tmp_path / "cut.zip", tmp_path / "out", most_bytes=MOST)
    with pytest.raises(InputError, match=r"b.zip: holds no file of a history"):
        unpack(packed(tmp_path / "b.zip", {"a.txt": b""}), tmp_path / "out", most_bytes=MOST)
    locked = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = locked.index(mark) + at
        locked[place : place + 2] = struct.pack("<H", 1)
    (tmp_path / "locked.zip").write_bytes(locked)
    with pytest.raises(InputError, match=r"locked.zip: is locked; pack the folder without"):
        unpack(tmp_path / "locked.zip", tmp_path / "out", most_bytes=MOST)


def test_nobody_sends_files_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploaded, "MOST_FILES", 2)
    archive = packed(tmp_path / "a.zip", {f"fixes/{i}.csv": b"" for i in range(3)})
    with pytest.raises(InputError, match="must hold at most 2 files"):
        unpack(archive, tmp_path / "out", most_bytes=MOST)
