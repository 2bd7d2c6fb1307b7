"""The container refuses what is not whole, and never harms what was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data.errors import InputError, RoadFileError
from data.roadfile import read_roads, write_roads

if TYPE_CHECKING:
    from pathlib import Path

KINDS = hnp.integer_dtypes() | hnp.floating_dtypes(sizes=(32, 64)) | st.just(np.dtype(np.bool_))


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text("abc_", min_size=1), hnp.arrays(KINDS, hnp.array_shapes(min_side=0))),
    st.dictionaries(st.text(), st.text() | st.integers() | st.none()),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    arrays: dict[str, np.ndarray],
    facts: dict[str, object],
) -> None:
    path = tmp_path_factory.mktemp("roads") / "x.roads"
    write_roads(path, arrays, facts)
    again, known = read_roads(path)
    assert known == facts
    assert list(again) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype == array.dtype.newbyteorder("=")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A small file."""
    path = tmp_path / "good.roads"
    write_roads(path, {"x": np.arange(100)}, {"source": "a test"})
    return path


def test_a_truncated_file_is_refused(good: Path) -> None:
    good.write_bytes(good.read_bytes()[:-8])
    with pytest.raises(RoadFileError, match=r"is cut short or altered .* `rollby roads build`"):
        read_roads(good)


@pytest.mark.parametrize("at", [12, 13, 14, 16, 30, 200, -1])
def test_an_altered_file_is_refused(good: Path, at: int) -> None:
    content = bytearray(good.read_bytes())
    content[at] ^= 1
    good.write_bytes(content)
    with pytest.raises(RoadFileError, match="is cut short or altered"):
        read_roads(good)


def test_a_format_before_the_first_is_refused(good: Path) -> None:
    content = bytearray(good.read_bytes())
    content[8] = 0
    good.write_bytes(content)
    with pytest.raises(RoadFileError, match="is cut short or altered"):
        read_roads(str(good))


def test_a_newer_format_is_refused(good: Path) -> None:
    content = bytearray(good.read_bytes())
    content[8] = 99
    good.write_bytes(content)
    with pytest.raises(RoadFileError, match=r"format 99 is newer than this rollby reads \(3\)"):
        read_roads(good)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", b"ROLLBYRD"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.roads"
    path.write_bytes(content)
    with pytest.raises(RoadFileError, match=r"must be a \.roads file"):
        read_roads(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(RoadFileError, match=r"cannot be read .No such file"):
        read_roads(tmp_path / "none.roads")


def test_a_failed_write_leaves_what_was_there(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = good.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(InputError, match=r"good\.roads: cannot be written .disk full."):
        write_roads(good, {"x": np.zeros(3)}, {})
    assert good.read_bytes() == before
    assert [path.name for path in good.parent.iterdir()] == ["good.roads"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.roads: cannot be written, there is no folder"):
        write_roads(tmp_path / "none" / "x.roads", {"x": np.zeros(3)}, {})


def test_arrays_are_views_of_the_file(good: Path) -> None:
    arrays, _ = read_roads(good)
    assert not arrays["x"].flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        arrays["x"][0] = 1
