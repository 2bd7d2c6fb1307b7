"""Rows out of Parquet and GeoParquet."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import geopandas
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from data.errors import TableError
from data.formats.open_table import open_table
from data.tables import read_stops, read_units
from tests.data.table_texts import CLOCK, CRS84, UNIT, write_rows

if TYPE_CHECKING:
    from pathlib import Path

T0 = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
UNITS = {"unit_id": ["4A1", "4A2"], "lon": [1.5, 2.5], "lat": [3.0, 4.0], "status": ["busy"] * 2}


def write(path: Path, columns: dict[str, Any], geo: object = None) -> Path:
    table = pa.table(columns)
    if geo is not None:
        table = table.replace_schema_metadata({"geo": json.dumps(geo)})
    parquet.write_table(table, path)
    return path


def cells_of(path: Path) -> list[dict[str, Any]]:
    with open_table(path) as table:
        return [row.cells for row in table.rows]


def refusal_of(path: Path) -> str:
    with pytest.raises(TableError) as caught, open_table(path) as table:
        list(table.rows)
    return str(caught.value).removeprefix(str(path))


def faults_of(path: Path) -> list[str]:
    with open_table(path) as table:
        faults = [str(fault) for row in table.rows for fault in row.faults]
    return [fault.removeprefix(str(path)) for fault in faults]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pa.array(["x"]), "x"),
        (pa.array(["x"], pa.large_string()), "x"),
        (pa.array(["x"]).dictionary_encode(), "x"),
        (pa.array([7]), "7"),
        (pa.array([7.0]), "7"),
        (pa.array([-104.99031234567891]), repr(-104.99031234567891)),
        (pa.array([-104.99], pa.float32()), "-104.99"),
        (pa.array([float("nan")]), "nan"),
        (pa.array([Decimal("1.50")]), "1.50"),
        (pa.array([True]), "true"),
        (pa.array([None]), ""),
        (pa.array([None], pa.float64()), ""),
        (pa.array([T0], pa.timestamp("ns", "America/Denver")), "2026-11-23 02:00:00.000000Z"),
        (pa.array([T0], pa.timestamp("s", "UTC")), "2026-11-23 02:00:00.000000Z"),
        (pa.array([["a", None]]), ["a", ""]),
        (pa.array([["a"]], pa.large_list(pa.string())), ["a"]),
        (pa.array([[1, 2]]), ["1", "2"]),
        (pa.array([[]]), []),
        (pa.array([None], pa.list_(pa.string())), []),
    ],
)
def test_columns_become_texts(column: pa.Array, text: object, tmp_path: Path) -> None:
    assert cells_of(write(tmp_path / "x.parquet", {"a": column})) == [{"a": text}]


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        (
            pa.array([T0, T0]).cast(pa.timestamp("us")),
            "must be timestamps with a time zone; make them UTC",
        ),
        (pa.array([T0.date()] * 2), "must not be of type date32[day]; write text"),
        (pa.array([{"at": 1}] * 2), "must not be of type struct<at: int64>; write text"),
        (pa.array([b"x"] * 2), "must not be of type binary; write text"),
    ],
)
def test_a_column_that_is_unfit_is_one_fault(column: pa.Array, rule: str, tmp_path: Path) -> None:
    path = write(tmp_path / "u.parquet", UNITS | {"lon": [1.5, None], "fixed_at": column})
    units = read_units(path, clock=CLOCK)
    assert [str(fault).removeprefix(str(path)) for fault in units.faults] == [
        f" fixed_at=whole column: {rule}",
        ":2 lon=: must be given",
    ]
    assert (units.rows, units.complete) == ((), False)


def test_an_unfit_column_that_we_do_not_need_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "u.parquet", UNITS | {"fixed_at": [T0] * 2, "blob": [b"x", b"y"]})
    units = read_units(path, clock=CLOCK)
    assert (len(units.rows), units.complete) == (2, True)
    assert units.notes == (f"{path}: columns passed over: blob",)


def test_rows_are_numbered_through_all_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.formats.parquet.BATCH_ROWS", 2)
    path = write(tmp_path / "x.parquet", {"a": range(5)})
    with open_table(path) as table:
        assert [(row.line, row.cells["a"]) for row in table.rows] == [
            (number + 1, str(number)) for number in range(5)
        ]


@pytest.mark.parametrize("cut", [0, 3, 11, 200, -1])
def test_a_file_that_is_cut_short(cut: int, tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", {"a": range(1000)})
    path.write_bytes(path.read_bytes()[:cut])
    assert refusal_of(path).startswith(": must be a whole Parquet file (")


def test_a_column_whose_name_is_no_text(tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", {"unit_id": ["4A1"]})
    path.write_bytes(path.read_bytes().replace(b"unit_id", b"unit\xb2id"))
    parquet_says = "'utf-8' codec can't decode byte 0xb2 in position 4: invalid start byte"
    assert refusal_of(path) == f": must be a whole Parquet file ({parquet_says}); write it again"


@settings(max_examples=50, deadline=None)
@given(spoilt=st.dictionaries(st.integers(0), st.integers(0, 255), min_size=1, max_size=20))
def test_damage_anywhere_is_answered_with_faults_or_rows(
    spoilt: dict[int, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "spoilt.parquet"
    write(path, UNITS | {"fixed_at": [T0] * 2})
    content = bytearray(path.read_bytes())
    for place, byte in spoilt.items():
        content[place % len(content)] = byte
    path.write_bytes(content)
    units = read_units(path, clock=CLOCK)
    assert units.complete or units.faults


def test_a_page_that_is_damaged(tmp_path: Path) -> None:
    path = write(tmp_path / "x.parquet", {"a": [f"text {n * n}" for n in range(5000)]})
    content = bytearray(path.read_bytes())
    content[40:4000] = b"\xff" * 3960
    path.write_bytes(content)
    message = refusal_of(path)
    assert message.startswith(":1: must be a whole Parquet file (")
    assert message.endswith("; the rest was not read")


def test_columns_named_twice(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    parquet.write_table(table, tmp_path / "x.parquet")
    assert refusal_of(tmp_path / "x.parquet") == ": must name each column once; rename one"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of geopandas' own making
def test_what_geopandas_writes(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"stop_id": ["S1", "S2"], "unit_id": ["4A1"] * 2, "started_at": [T0] * 2},
        geometry=[shapely.Point(-104.9, 39.7), None],
        crs="EPSG:4326",
    )
    path = tmp_path / "stops.parquet"
    frame.to_parquet(path)
    stops = read_stops(path, clock=CLOCK)
    assert [(stop.lon_deg, stop.lat_deg) for stop in stops.rows] == [(-104.9, 39.7), (None, None)]
    assert (stops.faults, stops.notes) == ((), ())
    frame.to_crs("EPSG:26913").to_parquet(path)
    assert refusal_of(path) == ": must be in WGS 84, is in EPSG:26913; export it as EPSG:4326"


def test_columns_go_before_a_geometry(tmp_path: Path) -> None:
    path = write(tmp_path / "u.parquet", UNITS | {"fixed_at": [T0] * 2, "geometry": [b"", b""]})
    assert [unit.fix.lon_deg for unit in read_units(path, clock=CLOCK).rows] == [1.5, 2.5]


@pytest.mark.parametrize(
    ("wkb", "found"),
    [
        (shapely.LineString([(1, 2), (3, 4)]).wkb, "LineString"),
        (shapely.Point().wkb, "empty Point"),
        (shapely.Point(1, 2).wkb[:9], "no WKB"),
        (b"", "no WKB"),
    ],
)
def test_geometries_that_are_no_points(wkb: bytes, found: str, tmp_path: Path) -> None:
    points = [shapely.Point(1, 2).wkb, wkb]
    path = write(tmp_path / "x.parquet", {"a": [1, 2], "geometry": points})
    assert faults_of(path) == [f":2 lon,lat={found}: must be a WKB Point; export points"]


POINTS = pa.array([shapely.Point(1, 2).wkb])
NO_SYSTEM = "must have GeoParquet metadata that name its reference system; export it as EPSG:4326"


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        (
            {"crs": {"id": {"authority": "EPSG", "code": 3857}}},
            "must be in WGS 84, is in EPSG:3857; export it as EPSG:4326",
        ),
        ({"crs": None}, NO_SYSTEM),
        ({"crs": {}}, NO_SYSTEM),
        ({"crs": "EPSG:4326"}, NO_SYSTEM),
        ([], NO_SYSTEM),
    ],
)
def test_reference_systems(facts: object, rule: str, tmp_path: Path) -> None:
    geo = {"primary_column": "at", "columns": {"at": facts}}
    assert refusal_of(write(tmp_path / "x.parquet", {"at": POINTS}, geo)) == f": {rule}"


@pytest.mark.parametrize(
    "facts", [{}, {"crs": CRS84}, {"crs": {"id": {"authority": "EPSG", "code": "4326"}}}]
)
def test_names_of_wgs_84(facts: object, tmp_path: Path) -> None:
    geo = {"primary_column": "at", "columns": {"at": facts}}
    path = write(tmp_path / "x.parquet", {"at": POINTS}, geo)
    assert cells_of(path) == [{"lon": "1.0", "lat": "2.0"}]


def test_points_in_another_encoding(tmp_path: Path) -> None:
    geo = {"primary_column": "at", "columns": {"at": {"encoding": "point"}}}
    path = write(tmp_path / "x.parquet", {"at": [{"x": 1.0, "y": 2.0}]}, geo)
    rule = "must have its at as WKB; export it so, or write columns lon and lat"
    assert refusal_of(path) == f": {rule}"


def test_half_a_place_beside_a_geometry(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "u.geoparquet", [UNIT | {"lon": 1.0, "lat": 2.0, "fixed_at": T0}])
    table = parquet.read_table(path).append_column("lon", pa.array([9.0]))
    parquet.write_table(table, path)
    assert not read_units(path, clock=CLOCK).complete
