"""What dispatch systems write: their names, codes, times and words; a bad row costs no good one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import FieldError
from data.events import StatusChange, StopChange
from data.feeds.cad_fake import write_csv, write_esri
from data.feeds.cad_instants import cad_instant
from data.feeds.cad_rows import READERS, CadForm, read_cad
from data.feeds.heard import Heard, Noted, Refusal, Told
from data.records import Stop, StopPhase, UnitStatus
from data.status_codes import StatusCodes

HERE = Path(__file__).parent
CLOCK = datetime(2026, 3, 13, 3, tzinfo=UTC)
WRITTEN = datetime(2026, 3, 13, 2, 30, tzinfo=UTC)
DENVER = ZoneInfo("America/Denver")
STOPS = CadForm(
    fields={
        "stop_id": "IncidentNumber",
        "unit_id": "PrimaryUnit",
        "started_at": "DispatchTime",
        "ended_at": "CloseTime",
        "lon": "Longitude",
        "lat": "Latitude",
        "phase": "Disposition",
        "backup": "AssignedUnits",
        "at": "LastUpdate",
    },
    only={"CallType": ["TSTOP", "T"]},
    phases={"CUST": StopPhase.CUSTODY},
    zone=DENVER,
    instants="%m/%d/%Y %H:%M:%S",
)
STATUSES = CadForm(
    fields={
        "unit_id": "Unit",
        "status": "Code",
        "at": "Time",
        "agency": "Agency",
        "officers": "Officers",
    },
    codes=StatusCodes(
        common={"10-8": UnitStatus.AVAILABLE},
        of_agency={"DPD": {"10-38": UnitStatus.ON_STOP, "10-4": "none"}},
    ),
)
ESRI = CadForm(
    fields={
        "stop_id": "Incident",
        "unit_id": "Unit",
        "started_at": "Started",
        "ended_at": "Ended",
        "at": "EditDate",
    },
    instants="epoch_ms",
)


def read(content: bytes, form: CadForm = STATUSES, ending: str = ".csv") -> list[Heard | Told]:
    return read_cad(content, ending, form, "f", clock=CLOCK, written_at=WRITTEN)


def only_refusal(content: bytes, form: CadForm = STATUSES, ending: str = ".csv") -> Refusal:
    (one,) = [one for one in read(content, form, ending) if isinstance(one, Refusal)]
    return one


def test_stops_of_a_csv_by_the_agencys_own_names() -> None:
    first, second, other, ended = read((HERE / "samples_cad_stops.csv").read_bytes(), STOPS)
    assert isinstance(first, Told)
    assert isinstance(first.report, StopChange)
    began = datetime(2026, 3, 13, 2, 1, 12, tzinfo=UTC)
    assert first.report == StopChange(
        stop=Stop(
            stop_id="2026-0031877",
            unit_id="4A12",
            started_at=began,
            lon_deg=-104.987654,
            lat_deg=39.740012,
            backup=("4A12",),
        ),
        at=began,
    )
    assert first.untold == {"phase", "needs", "heading_deg"}
    assert isinstance(second, Told)
    assert isinstance(second.report, StopChange)
    assert second.report.stop.phase is StopPhase.CUSTODY
    assert second.report.stop.lon_deg is None
    assert second.untold == {"needs", "heading_deg", "lon_deg", "lat_deg"}
    assert other == Noted(kind="not asked for", device="", raw=b"")
    assert isinstance(ended, Told)
    assert isinstance(ended.report, StopChange)
    assert ended.report.stop.ended_at == datetime(2026, 3, 13, 2, 11, 30, tzinfo=UTC)


def test_statuses_of_an_array_of_json_by_the_agencys_codes() -> None:
    first, second, third = read(
        (HERE / "samples_cad_statuses.json").read_bytes(), STATUSES, ".json"
    )
    at = datetime(2026, 3, 13, 2, tzinfo=UTC)
    assert isinstance(first, Told)
    assert first.report == StatusChange(
        unit_id="4A12", at=at, status=UnitStatus.AVAILABLE, officers=2, agency="DPD"
    )
    assert first.untold == frozenset()
    assert isinstance(second, Told)
    assert second.untold == {"officers"}
    assert isinstance(second.report, StatusChange)
    assert second.report.status is UnitStatus.ON_STOP
    assert isinstance(third, Noted)
    assert (third.kind, third.device) == ("changes no status", "4A15")


def test_features_of_esri_have_epochs_and_points() -> None:
    first, second, third = read((HERE / "samples_cad_esri.json").read_bytes(), ESRI, ".json")
    assert isinstance(first, Told)
    assert isinstance(first.report, StopChange)
    assert first.report.at == datetime(2026, 3, 13, 2, 1, 13, 123000, tzinfo=UTC)
    assert first.report.stop.lon_deg == -104.987654
    assert isinstance(second, Told)
    assert isinstance(second.report, StopChange)
    assert second.report.stop.ended_at == datetime(2026, 3, 13, 2, 11, 40, tzinfo=UTC)
    assert "lon_deg" in second.untold
    assert isinstance(third, Refusal)
    assert third.reason == "f:3 Incident=: must be given"
    assert json.loads(third.raw)["OBJECTID"] == "43"


def test_a_single_object_and_geojson_are_read_too() -> None:
    status = {"Unit": "4A12", "Code": "10-8", "Time": "2026-03-13T02:00:00Z"}
    (one,) = read(json.dumps(status).encode(), STATUSES, ".json")
    assert isinstance(one, Told)
    feature = {"type": "Feature", "properties": {"Incident": "T", "Unit": "4A12", "Started": 0}}
    feature["geometry"] = {"type": "Point", "coordinates": [-104.9, 39.7]}
    feature["properties"]["Started"] = 1773367272000  # type: ignore[index]
    document = {"type": "FeatureCollection", "features": [feature]}
    (two,) = read(json.dumps(document).encode(), ESRI, ".geojson")
    assert isinstance(two, Told)
    assert isinstance(two.report, StopChange)
    assert two.report.stop.lat_deg == 39.7


def test_bad_rows_are_named_by_line_and_column_and_cost_no_good_one() -> None:
    rows = (
        b"Unit,Code,Time\n4A12,10-8,2026-03-13T02:00:00Z\n4A13,10-99,2026-03-13T02:00:00Z\n"
        b"4A14,10-8\n4A15,10-8,yesterday\n4A16,10-8,2026-03-13T02:00:00Z\n"
    )
    good, code, short, late, last = read(rows)
    assert isinstance(good, Told)
    assert isinstance(last, Told)
    assert isinstance(code, Refusal)
    assert code.reason.startswith("f:3 Code=10-99: must be one of 10-8, available")
    assert "map the agency's codes in [units.status] of the settings" in code.reason
    assert isinstance(short, Refusal)
    assert (short.raw, short.reason[:34]) == (b"4A14,10-8", "f:4: must have 3 cells, as the hea")
    assert isinstance(late, Refusal)
    assert late.reason.startswith("f:5 Time=yesterday: must be an instant with an offset")


@pytest.mark.parametrize(
    ("content", "ending", "raw", "why"),
    [
        (b"", ".csv", b"", "f: must not be empty"),
        (b"[1]", ".json", b"{}", "f:1: must be a JSON object"),
        (b"3", ".json", b"3", "f: must be an array of JSON objects, one object"),
        (b"[{]", ".json", b"[{]", "f: must be GeoJSON in UTF-8"),
        (
            b"Unit,Time\n1,2\n",
            ".csv",
            b"Unit,Time\n1,2\n",
            "f: must have Code (and stop_id for stops); its columns are Unit, Time; see `fields`",
        ),
        (
            b'Unit,Code\n4A1,10-8\n4A2,"10-8\n4A3,10-8\n',
            ".csv",
            b'4A2,"10-8\n4A3,10-8',
            "f:3: opens a quote that is not closed properly; the rest was not read",
        ),
        (
            b'{"features": [], "spatialReference": {"wkid": 102100}}',
            ".json",
            b'{"features": [], "spatialReference": {"wkid": 102100}}',
            "f: must be in WGS 84",
        ),
        (b'{"features": [{"a": 1}]}', ".json", b"{}", "f:1: must be a feature with an object as"),
        (
            b'{"features": [{"attributes": {}, "geometry": {"rings": []}}]}',
            ".json",
            b"{}",
            "f:1: must have a point x, y as its geometry",
        ),
    ],
)
def test_what_cannot_be_read_is_kept_with_its_bytes(
    content: bytes, ending: str, raw: bytes, why: str
) -> None:
    refusal = only_refusal(content, STATUSES, ending)
    assert refusal.raw == raw
    assert refusal.reason.startswith(why)


def test_a_filter_of_a_column_that_is_not_there_refuses() -> None:
    form = CadForm(fields=STATUSES.fields, codes=STATUSES.codes, only={"CallTyp": ["T"]})
    refusal = only_refusal(b"Unit,Code,CallType\n4A1,10-8,T\n", form)
    assert refusal.reason == "f:2 CallTyp=: must be there; see `only` of the feed"
    by_code = CadForm(fields=STATUSES.fields, codes=STATUSES.codes, only={"code": ["10-8"]})
    kinds = [type(one) for one in read(b"Unit,Code\n4A1,10-8\n4A2,10-7\n", by_code)]
    assert kinds == [Told, Noted]


def test_a_column_of_theirs_that_is_called_like_ours_is_not_taken_for_it() -> None:
    (told,) = read(b"Unit,Code,status,unit_id\n4A1,10-8,closed,77\n")
    assert isinstance(told, Told)
    assert isinstance(told.report, StatusChange)
    assert (told.report.unit_id, told.report.status) == ("4A1", UnitStatus.AVAILABLE)
    assert told.report.at == WRITTEN
    assert told.untold == {"at", "officers", "agency"}


@pytest.mark.parametrize("officers", ["0", "100"])
def test_nobody_in_a_car_is_refused(officers: str) -> None:
    rows = f"Unit,Code,Officers\n4A1,10-8,{officers}\n".encode()
    assert "must be from 1 to 99" in only_refusal(rows).reason


@pytest.mark.parametrize(
    ("text", "form", "zone", "expected"),
    [
        ("2026-03-13T02:13:00Z", "", None, "2026-03-13T02:13:00+00:00"),
        ("2026-03-12 20:13:00", "", DENVER, "2026-03-13T02:13:00+00:00"),
        ("1773367980000", "epoch_ms", None, "2026-03-13T02:13:00+00:00"),
        ("1773367980", "epoch_s", None, "2026-03-13T02:13:00+00:00"),
        ("2026-03-13T02:13:00Z", "epoch_ms", None, "2026-03-13T02:13:00+00:00"),
        ("12.03.2026 20:13", "%d.%m.%Y %H:%M", DENVER, "2026-03-13T02:13:00+00:00"),
        ("12.03.2026 20:13 -0600", "%d.%m.%Y %H:%M %z", None, "2026-03-13T02:13:00+00:00"),
    ],
)
def test_instants_as_agencies_write_them(
    text: str, form: str, zone: ZoneInfo | None, expected: str
) -> None:
    found = cad_instant("at", text, clock=CLOCK, near=WRITTEN, zone=zone, form=form)
    assert found.isoformat() == expected


@pytest.mark.parametrize(
    ("text", "form", "zone", "why"),
    [
        ("2026-03-12 20:13:00", "", None, "must have an offset or Z; or set `time_zone`"),
        ("2026-13-12 20:13:00", "", DENVER, "must be a date and time that exist"),
        ("2026-03-08 02:30:00", "", DENVER, "must exist in America/Denver; clocks were put forw"),
        ("0001-01-01 00:00:00", "", ZoneInfo("Asia/Tokyo"), "must exist in Asia/Tokyo"),
        ("12.03.2026", "%d.%m.%Y %H:%M", DENVER, "must be written as %d.%m.%Y %H:%M"),
        ("9999999999999999", "epoch_s", None, "must be an instant that exists"),
        ("1773367980000", "", None, "must not be seconds since 1970"),
        ("2027-03-12 20:13:00", "", DENVER, "must not be later than now"),
    ],
)
def test_instants_that_are_none_say_why(
    text: str, form: str, zone: ZoneInfo | None, why: str
) -> None:
    with pytest.raises(FieldError) as caught:
        cad_instant("at", text, clock=CLOCK, near=WRITTEN, zone=zone, form=form)
    assert why in str(caught.value)


@pytest.mark.parametrize(("near", "hour"), [("07:31", 7), ("08:31", 8), ("12:00", 8), ("01:00", 7)])
def test_of_an_hour_that_comes_twice_the_last_that_has_been_is_meant(near: str, hour: int) -> None:
    """Clocks are put back at 02:00 local time on 2026-11-01."""
    written = datetime.fromisoformat(f"2026-11-01T{near}:00+00:00")
    clock = datetime(2026, 11, 2, tzinfo=UTC)
    found = cad_instant("at", "2026-11-01 01:30:00", clock=clock, near=written, zone=DENVER)
    assert found == datetime(2026, 11, 1, hour, 30, tzinfo=UTC)


stops = st.builds(
    Stop,
    stop_id=st.from_regex(r"[A-Z0-9-]{1,12}", fullmatch=True),
    unit_id=st.from_regex(r"[0-9][A-Z][0-9]{1,2}", fullmatch=True),
    started_at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 1)).map(  # noqa: DTZ001
        lambda one: one.replace(tzinfo=UTC, microsecond=one.microsecond // 1000 * 1000)
    ),
    lon_deg=st.floats(-179, -1),
    lat_deg=st.floats(1, 89),
    phase=st.sampled_from(list(StopPhase)),
    needs=st.integers(1, 9),
)


@given(st.lists(stops, max_size=5))
def test_what_our_own_writers_write_is_read_back(told: list[Stop]) -> None:
    changes = [StopChange(stop=one, at=one.started_at or CLOCK) for one in told]
    for content, ending, form in (
        (write_csv(changes), ".csv", CadForm()),
        (write_esri(changes), ".json", CadForm(instants="epoch_ms")),
    ):
        heard = read(content, form, ending)
        assert [one.report for one in heard if isinstance(one, Told)] == changes


@given(st.binary(max_size=300), st.sampled_from(sorted(READERS)))
def test_arbitrary_bytes_never_raise_and_never_vanish(content: bytes, ending: str) -> None:
    heard: Any = read(content, STATUSES, ending)
    assert heard or not content.strip() or ending == ".jsonl" or b"[" in content or b"," in content


@given(st.data())
def test_a_damaged_file_never_raises(data: st.DataObject) -> None:
    name, form = data.draw(
        st.sampled_from(
            [
                ("samples_cad_stops.csv", STOPS),
                ("samples_cad_statuses.json", STATUSES),
                ("samples_cad_esri.json", ESRI),
            ]
        )
    )
    whole = (HERE / name).read_bytes()
    first = data.draw(st.integers(0, len(whole)))
    last = data.draw(st.integers(first, len(whole)))
    read(whole[:first] + data.draw(st.binary(max_size=8)) + whole[last:], form, Path(name).suffix)


def test_a_row_whose_clock_is_ahead_is_told_and_noted_and_one_of_another_day_refused() -> None:
    ahead = (CLOCK + timedelta(hours=1)).isoformat()
    status, note = read(f"Unit,Code,Time\n4A1,10-8,{ahead}\n".encode(), STATUSES)
    assert isinstance(status, Told)
    assert (status.report.at, "at" in status.untold) == (WRITTEN, True)
    assert note == Noted(kind="its clock is ahead", device="4A1", raw=status.raw)
    far = (CLOCK + timedelta(hours=25)).isoformat()
    refused = only_refusal(f"Unit,Code,Time\n4A1,10-8,{far}\n".encode())
    assert "must not be later than" in refused.reason
