"""Rows out of CSV, JSON Lines and GeoJSON: what is read, and where reading stops."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from data.errors import TableError
from data.formats.open_table import open_table
from data.tables import read_stops, read_units
from tests.data.table_texts import CLOCK, ENDINGS, STOP, UNIT, feature, write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from data.formats.raw import RawRow

ENDS = ".csv, .geojson, .json, .jsonl, .ndjson, .parquet, .geoparquet"
EMPTY = "must not be empty (an export that failed leaves 0 bytes)"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows_of(path: Path) -> list[RawRow]:
    with open_table(path) as table:
        return list(table.rows)


def cells_of(path: Path) -> list[tuple[int, dict[str, Any]]]:
    return [(row.line, row.cells) for row in rows_of(path)]


def faults_of(path: Path) -> list[str]:
    return [str(fault).removeprefix(str(path)) for row in rows_of(path) for fault in row.faults]


def refusal_of(path: Path) -> str:
    with pytest.raises(TableError) as caught, open_table(path) as table:
        list(table.rows)
    return str(caught.value).removeprefix(str(path))


@pytest.mark.parametrize("ending", [*ENDINGS, ".CSV"])
def test_the_ending_tells_the_format(ending: str, tmp_path: Path) -> None:
    row = {"unit_id": "4A1", "lon": -104.5, "lat": 39.5, "note": None}
    path = write_rows(tmp_path / f"rows{ending.lower()}", [row, row])
    path = path.rename(tmp_path / f"rows{ending}")
    cells = {"unit_id": "4A1", "lon": "-104.5", "lat": "39.5", "note": ""}
    found = cells_of(path)
    first = 2 if ending.lower() == ".csv" else 1
    assert [line for line, _ in found] == [first, first + 1]
    assert all(one == cells for _, one in found)


@pytest.mark.parametrize("name", ["units.xlsx", "units", ".csv", "units.csv.gz"])
def test_an_ending_that_we_do_not_know(name: str, tmp_path: Path) -> None:
    rule = f"must end in one of {ENDS}; save a spreadsheet as CSV UTF-8"
    assert refusal_of(write(tmp_path, name, "")) == f": {rule}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    rule = "cannot be read (No such file or directory); check its name and rights"
    assert refusal_of(tmp_path / "units.csv") == f": {rule}"


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "units.csv").mkdir()
    rule = "cannot be read (Is a directory); check its name and rights"
    assert refusal_of(tmp_path / "units.csv") == f": {rule}"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("units.csv", "write the header row even if there are no rows"),
        ("units.jsonl", "write one blank line if there are no rows"),
        ("units.geojson", "write a FeatureCollection without features"),
    ],
)
def test_an_empty_file(name: str, remedy: str, tmp_path: Path) -> None:
    assert refusal_of(write(tmp_path, name, "")) == f": {EMPTY}; {remedy}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("units.csv", "unit_id,lon\n"),
        ("units.jsonl", "\n"),
        ("units.geojson", '{"type":"FeatureCollection","features":[]}'),
    ],
)
def test_no_rows_are_no_fault(name: str, content: str, tmp_path: Path) -> None:
    assert rows_of(write(tmp_path, name, content)) == []


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".geojson"])
def test_a_byte_order_mark_is_passed_over(ending: str, tmp_path: Path) -> None:
    path = write_rows(tmp_path / f"rows{ending}", [{"unit_id": "4A1", "lon": 1, "lat": 2}])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [set(cells) for _, cells in cells_of(path)] == [{"unit_id", "lon", "lat"}]


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_utf_16(ending: str, coding: str, tmp_path: Path) -> None:
    path = write_rows(tmp_path / f"rows{ending}", [{"unit_id": "4A1"}])
    path.write_bytes(path.read_text("utf-8").encode(coding))
    assert refusal_of(path) == ": must be UTF-8 text, looks like UTF-16; save it as UTF-8"


NOT_TEXT = "must be UTF-8 text without NUL; save the file as UTF-8"


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("rows.csv", b"a,b\n1,ok\n2,Pe\xf1a\n", ":3 b=Pe\\udcf1a"),
        ("rows.csv", b"a,b\n1,ok\n2,\x00\n", ":3 b=\\x00"),
        ("rows.jsonl", b'{"b": "Pe\xf1a"}\n', ":1 b=Pe\\udcf1a"),
        ("rows.jsonl", b'{"b": "\\ud800"}\n', ":1 b=\\ud800"),
        ("rows.jsonl", b'{"\\u0000": 1}\n', ":1 \\x00=1"),
    ],
)
def test_bytes_that_are_no_utf_8_are_a_fault_of_their_cell(
    name: str, content: bytes, line: str, tmp_path: Path
) -> None:
    assert faults_of(write(tmp_path, name, content)) == [f"{line}: {NOT_TEXT}"]


def test_a_header_that_is_no_utf_8(tmp_path: Path) -> None:
    rule = "must have a header of UTF-8 text on a line of its own; save it as CSV UTF-8"
    assert refusal_of(write(tmp_path, "u.csv", b"a,b\xf1\n")) == f":1: {rule}"


def test_old_line_ends(tmp_path: Path) -> None:
    rule = "must have a header of UTF-8 text on a line of its own; save it as CSV UTF-8"
    assert refusal_of(write(tmp_path, "u.csv", b"a,b\r1,2\r")) == f":1: {rule}"


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators(separator: str, name: str, tmp_path: Path) -> None:
    path = write(tmp_path, "units.csv", f"unit_id{separator}lon\n4A1{separator}9,5\n")
    rule = f"must have commas between columns, has {name}; save it as CSV UTF-8"
    assert refusal_of(path) == f": {rule} (comma delimited), with decimal points"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_counted_as_an_editor_does(end: str, tmp_path: Path) -> None:
    text = end.join(["", "a,b", "", '1,"x', '"', " , ", "2,y"])
    assert [line for line, _ in cells_of(write(tmp_path, "rows.csv", text))] == [4, 7]


@pytest.mark.parametrize(("cells", "count"), [("1", 1), ("1,2,3", 3)])
def test_too_few_or_too_many_cells(cells: str, count: int, tmp_path: Path) -> None:
    assert faults_of(write(tmp_path, "rows.csv", f"a,b\n{cells}\n3,4\n")) == [
        f":2: must have 2 cells, as the header has, has {count}; quote a value that holds a comma"
    ]


def test_a_quote_within_a_quoted_cell(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.csv", 'a,b\n1,"2"x\n3,4\n')
    assert faults_of(path) == [
        """:2: must be CSV (',' expected after '"'); double a quote that is within quotes"""
    ]
    assert cells_of(path)[-1] == (3, {"a": "3", "b": "4"})


@pytest.mark.parametrize(
    "text", ['1,"2\n3,4\n5,6\n', '1,"2\n3,"4"\n5,6\n', '1,"' + "x,y\n" * 50_000]
)
def test_after_an_unclosed_quote_nothing_is_trusted(text: str, tmp_path: Path) -> None:
    path = write(tmp_path, "rows.csv", f"a,b\n7,8\n{text}")
    rule = "opens a quote that is not closed properly; the rest was not read"
    assert refusal_of(path) == f":3: {rule}"


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_a_line_that_is_too_long(ending: str, tmp_path: Path) -> None:
    path = write(tmp_path, f"rows{ending}", "{}\n" + "x" * (1 << 20) + "\n{}\n")
    rule = "must not have a line longer than 1 MiB; the rest was not read"
    assert refusal_of(path) == f":2: {rule}"


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_a_line_that_never_ends(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows{ending}"
    os.mkfifo(path)
    stopped = threading.Event()

    def write_for_ever() -> None:
        try:
            with path.open("wb", buffering=0) as pipe:
                while True:
                    pipe.write(b"9" * 65_536)
        except BrokenPipeError:
            stopped.set()

    threading.Thread(target=write_for_ever, daemon=True).start()
    assert refusal_of(path).startswith(":1: must not have a line longer than 1 MiB")
    assert stopped.wait(timeout=10)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[1]", "must be a JSON object; write one a line"),
        ("null", "must be a JSON object; write one a line"),
        (
            "{'a': 1}",
            (
                "must be a JSON object (Expecting property name enclosed in double quotes: "
                "line 1 column 2 (char 1)); write one a line"
            ),
        ),
        ("[" * 100_000, "must be a JSON object (nested too deeply); write one a line"),
    ],
)
def test_a_line_that_is_no_json_object(text: str, rule: str, tmp_path: Path) -> None:
    path = write(tmp_path, "rows.jsonl", f'{{"a": 1}}\n\n{text}\n{{"a": 2}}\n')
    assert faults_of(path) == [f":3: {rule}"]
    assert [line for line, _ in cells_of(path)] == [1, 3, 4]


def test_values_of_json_are_kept_as_they_are_written(tmp_path: Path) -> None:
    text = '{"a": 1.50, "b": 1e400, "c": NaN, "d": null, "e": true, "f": [1, "x", null], "g": {}}'
    assert cells_of(write(tmp_path, "rows.jsonl", text)) == [
        (
            1,
            {
                "a": "1.50",
                "b": "1e400",
                "c": "NaN",
                "d": "",
                "e": "true",
                "f": ["1", "x", ""],
                "g": {},
            },
        )
    ]


def test_a_key_given_twice(tmp_path: Path) -> None:
    path = write(
        tmp_path, "stops.jsonl", json.dumps(STOP)[:-1] + ', "stop_id": "S2", "x": 1, "x": 2}'
    )
    stops = read_stops(path, clock=CLOCK)
    assert stops.rows == ()
    assert [str(fault).removeprefix(str(path)) for fault in stops.faults] == [
        ":1 stop_id=: must be given once; remove one",
        ":1 x=: must be given once; remove one",
    ]


def test_keys_alike_but_for_capitals(tmp_path: Path) -> None:
    path = write(tmp_path, "stops.jsonl", json.dumps(STOP | {"STOP_ID": "S2"}))
    (fault,) = read_stops(path, clock=CLOCK).faults
    assert (fault.field, fault.rule) == ("stop_id", "must be given once; remove one")


@pytest.mark.parametrize("value", [["4A1"], {"id": "4A1"}, [["4A1"]]])
def test_a_list_or_object_in_place_of_a_text(value: object, tmp_path: Path) -> None:
    path = write(tmp_path, "stops.jsonl", json.dumps(STOP | {"unit_id": value, "extra": value}))
    (fault,) = read_stops(path, clock=CLOCK).faults
    assert str(fault) == f"{path}:1 unit_id=list or object: must be a single value"


def test_numbers_may_be_texts_and_ids_numbers_in_json(tmp_path: Path) -> None:
    row = UNIT | {"unit_id": 401, "officers": "2", "lon": "-104.5", "lat": 39.5}
    (unit,) = read_units(write(tmp_path, "units.jsonl", json.dumps(row)), clock=CLOCK).rows
    assert (unit.unit_id, unit.officers) == ("401", 2)
    assert (unit.fix.lon_deg, unit.fix.lat_deg) == (-104.5, 39.5)


def test_backup_may_be_a_list(tmp_path: Path) -> None:
    path = write(tmp_path, "stops.jsonl", json.dumps(STOP | {"backup": ["4A2", 7, None]}))
    assert read_stops(path, clock=CLOCK).rows[0].backup == ("4A2", "7")


def collection(*features: object, **members: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features, **members})


POINT = feature({"unit_id": "4A1", "lon": -104.5, "lat": 39.5})


def test_a_property_steps_back_behind_the_geometry(tmp_path: Path) -> None:
    row = feature(UNIT | {"lon": -104.5, "lat": 39.5})
    row["properties"] |= {"LON": 7, "lat": 8}
    path = write(tmp_path, "units.geojson", collection(row))
    units = read_units(path, clock=CLOCK)
    assert (units.rows[0].fix.lon_deg, units.rows[0].fix.lat_deg) == (-104.5, 39.5)
    assert units.notes == (f"{path}: columns passed over: properties.LON, properties.lat",)


def test_a_features_own_id_is_not_used(tmp_path: Path) -> None:
    row = feature({name: value for name, value in UNIT.items() if name != "unit_id"})
    path = write(tmp_path, "units.geojson", collection(row | {"id": "4A1"}))
    faults = read_units(path, clock=CLOCK).faults
    assert f"{path}:1 unit_id=: must be given" in map(str, faults)


def test_heights_and_null_geometries(tmp_path: Path) -> None:
    high = POINT | {"geometry": {"type": "Point", "coordinates": [1, 2, 1600]}}
    path = write(tmp_path, "stops.geojson", collection(high, POINT | {"geometry": None}))
    assert cells_of(path) == [
        (1, {"unit_id": "4A1", "lon": "1", "lat": "2"}),
        (2, {"unit_id": "4A1"}),
    ]


@pytest.mark.parametrize(
    ("geometry", "found"),
    [
        ({"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, "LineString"),
        ({"type": "MultiPoint", "coordinates": [[1, 2]]}, "MultiPoint"),
        ({"type": "Point", "coordinates": []}, "empty Point"),
        ({"type": "Point", "coordinates": [1]}, "empty Point"),
        ({"type": "Point", "coordinates": ["1", "2"]}, "Point without numbers"),
        ({"type": "Point"}, "Point without numbers"),
        ({"type": ["Point"]}, "no geometry"),
        ([1, 2], "no geometry"),
    ],
)
def test_geometries_that_are_no_points(geometry: object, found: str, tmp_path: Path) -> None:
    path = write(tmp_path, "units.geojson", collection(POINT, POINT | {"geometry": geometry}))
    assert faults_of(path) == [f":2 lon,lat={found}: must be a Point [lon, lat]; export points"]


def test_a_bad_geometry_hides_no_other_fault(tmp_path: Path) -> None:
    row = feature(UNIT | {"officers": 0, "lon": 1, "lat": 2}) | {"geometry": {"type": "Polygon"}}
    units = read_units(write(tmp_path, "units.geojson", collection(row)), clock=CLOCK)
    assert [fault.field for fault in units.faults] == ["lon,lat", "officers"]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (1, "must be a GeoJSON Feature"),
        ({"type": "Point", "coordinates": [1, 2]}, "must be a GeoJSON Feature"),
        (POINT | {"properties": [1]}, "must have an object as its properties"),
    ],
)
def test_features_that_are_none(row: object, rule: str, tmp_path: Path) -> None:
    assert faults_of(write(tmp_path, "u.geojson", collection(row, POINT))) == [f":1: {rule}"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{", "must be GeoJSON in UTF-8 (Expecting property name"),
        (b'{"type": "\xf1"}', "must be GeoJSON in UTF-8 ('utf-8' codec can't decode byte"),
        ("[]", "must be one GeoJSON object, each of its members given once; write it again"),
        (
            '{"type":"FeatureCollection","features":[1],"features":[]}',
            "must be one GeoJSON object, each of its members given once; write it again",
        ),
        ('{"type":"Feature"}', "must be a GeoJSON FeatureCollection; for one object a line name"),
        (collection(features=None), "must be a GeoJSON FeatureCollection; for one object a line"),
        (
            collection(crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}),
            "must be in WGS 84, its crs says otherwise; export it as EPSG:4326",
        ),
        (collection(crs=4326), "must be in WGS 84, its crs says otherwise; export it as EPSG:4326"),
    ],
)
def test_documents_that_are_no_feature_collection(
    text: str | bytes, rule: str, tmp_path: Path
) -> None:
    assert refusal_of(write(tmp_path, "u.geojson", text)).startswith(f": {rule}")


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326"])
def test_names_of_wgs_84(name: str, tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": name}}
    assert len(rows_of(write(tmp_path, "u.geojson", collection(POINT, crs=crs)))) == 1


def test_a_document_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.formats.json_rows.MAX_DOCUMENT_BYTES", 1 << 20)
    path = write(tmp_path, "u.geojson", b" " * ((1 << 20) + 1))
    assert refusal_of(path) == ": must not be larger than 1 MiB; write JSON Lines or Parquet"
