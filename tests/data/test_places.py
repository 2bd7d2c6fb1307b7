"""Places in bulk: every way of reading them agrees, whatever the ids and their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from data.places import read_places

if TYPE_CHECKING:
    from pathlib import Path

IDS = [7, -3, 5, 2**25 * 70, 2**33, 2**62, 2**25 * 3, 9]
"""In no order; some in other chunks of pyosmium's filter, some past what it holds."""


@pytest.mark.parametrize("small_bytes", [64 << 20, 0])
@pytest.mark.parametrize("ways_first", [False, True])
def test_places_of_nodes_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_bytes: int, *, ways_first: bool
) -> None:
    monkeypatch.setattr("data.places._SMALL_BYTES", small_bytes)
    way = '<way id="1"><nd ref="7"/></way>'
    nodes = [f'<node id="{one}" lon="{row}.1" lat="-{row}.2"/>' for row, one in enumerate(IDS)]
    lines = [way, *nodes] if ways_first else [*nodes, way]
    path = tmp_path / "nodes.osm"
    path.write_text(f'<osm version="0.6">{"".join(lines)}<node id="11"/></osm>', encoding="utf-8")
    wanted = np.array(sorted([*IDS[:-1], 11, 12, -8]), np.int64)
    found, lon, lat = read_places(path, wanted)
    there = dict(zip(found.tolist(), zip(lon.tolist(), lat.tolist(), strict=True), strict=True))
    assert there == {one: (row + 0.1, -row - 0.2) for row, one in enumerate(IDS[:-1])}


def test_no_nodes_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "nodes.osm"
    path.write_text('<osm version="0.6"><node id="1" lon="1" lat="1"/></osm>', encoding="utf-8")
    for small_bytes in (64 << 20, 0):
        monkeypatch.setattr("data.places._SMALL_BYTES", small_bytes)
        assert [len(column) for column in read_places(path, np.empty(0, np.int64))] == [0, 0, 0]
