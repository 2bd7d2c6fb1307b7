"""What phones and routers post: OsmAnd and Traccar, OwnTracks, GeoJSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.feeds.geojson_points import parse_geojson
from data.feeds.heard import Refusal, Sighting
from data.feeds.osmand import parse_json, parse_query
from data.feeds.owntracks import parse_owntracks
from data.records import UnitFix

if TYPE_CHECKING:
    from data.feeds.heard import Heard

NOW = datetime(2026, 11, 23, 2, 13, tzinfo=UTC)
STAMP = int(NOW.timestamp())


def one(heard: list[Heard]) -> Sighting:
    (found,) = heard
    assert isinstance(found, Sighting)
    return found


def reason(heard: list[Heard]) -> str:
    (found,) = heard
    assert isinstance(found, Refusal)
    return found.reason


def test_a_query_of_traccar_client_is_read() -> None:
    raw = (
        f"id=4A12&lat=39.74&lon=-104.99&timestamp={STAMP}&speed=10&bearing=90&accuracy=5&batt=80"
    ).encode()
    found = one(parse_query(raw, NOW))
    assert (found.device, found.raw) == ("4A12", raw)
    assert found.fix == UnitFix(
        fixed_at=NOW,
        lon_deg=-104.99,
        lat_deg=39.74,
        speed_mps=10 * 1852 / 3600,
        heading_deg=90.0,
        accuracy_m=5.0,
    )


@pytest.mark.parametrize(
    "written",
    [
        str(STAMP),
        f"{STAMP}000",
        f"{STAMP}.0",
        "2026-11-23T02:13:00Z",
        "2026-11-22T19:13:00-07:00",
    ],
)
def test_every_way_to_write_an_instant_is_the_same_one(written: str) -> None:
    raw = f"deviceid=a&location=39.7,-104.9&timestamp={written}&speed_mps=3&heading=-1".encode()
    fix = one(parse_query(raw, NOW)).fix
    assert fix.fixed_at == NOW
    assert (fix.lat_deg, fix.lon_deg, fix.speed_mps, fix.heading_deg) == (39.7, -104.9, 3.0, None)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("lat=1&lon=2&timestamp=5", "id=: must be the device's identifier; set it in the app"),
        ("id=a&lat=1&lon=2", "timestamp=: must be the instant of the fix; add it in the app"),
        ("id=a&lat=1&lon=2&timestamp=soon", "must be seconds or milliseconds since 1970"),
        ("id=a&lat=1&lon=2&timestamp=inf", "must be seconds or milliseconds since 1970"),
        ("id=a&lat=1&lon=2&timestamp=2026-11-23 02:13:00", "must have an offset or Z"),
        ("id=a&lon=2&timestamp=5", "lat=: must be given, in degrees"),
        ("id=a&lat=x&lon=2&timestamp=5", "lat=x: must be a number"),
        ("id=a&lat=91&lon=2&timestamp=5", "lat=91.0: must be from -90 to 90"),
        ("id=a&lat=nan&lon=2&timestamp=5", "lat=nan: must be from -90 to 90"),
        ("id=a&lat=1&lon=2&timestamp=5&valid=false", "the receiver has no fix yet"),
    ],
)
def test_a_query_that_tells_no_position_is_refused_with_its_reason(query: str, why: str) -> None:
    assert why in reason(parse_query(query.encode(), NOW))


def test_bytes_that_are_no_text_are_refused() -> None:
    assert "utf-8" in reason(parse_query(b"id=\xff&lat=1", NOW))


def traccar(**changes: object) -> dict[str, Any]:
    coords = {"latitude": 39.74, "longitude": -104.99, "speed": 7.5, "heading": 12, "accuracy": 4}
    location = {"timestamp": "2026-11-23T02:13:00.000Z", "coords": coords | changes}
    return {"device_id": "4A12", "location": location}


def test_json_of_traccar_client_is_read_in_metres_a_second() -> None:
    fix = one(parse_json(json.dumps(traccar()).encode(), NOW)).fix
    assert (fix.speed_mps, fix.heading_deg, fix.accuracy_m, fix.fixed_at) == (7.5, 12.0, 4.0, NOW)


def test_an_unknown_speed_is_minus_one() -> None:
    fix = one(parse_json(json.dumps(traccar(speed=-1, heading=-1)).encode(), NOW)).fix
    assert (fix.speed_mps, fix.heading_deg) == (None, None)


def test_several_locations_stand_for_themselves() -> None:
    body = traccar()
    body["location"] = [body["location"], {"timestamp": "x"}, body["location"]]
    kinds = [type(found) for found in parse_json(json.dumps(body).encode(), NOW)]
    assert kinds == [Sighting, Refusal, Sighting]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "must be JSON in UTF-8"),
        (b'{"device_id": NaN}', "NaN is not JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"location": {}}', "device_id=: must be a text"),
        (b'{"device_id": "a"}', "location=: must be a JSON object"),
        (json.dumps(traccar(latitude=True)).encode(), "latitude=True: must be a number"),
        (json.dumps(traccar(latitude=None)).encode(), "latitude=: must be a number"),
    ],
)
def test_json_that_tells_no_position_is_refused_with_its_reason(body: bytes, why: str) -> None:
    assert why in reason(parse_json(body, NOW))


def test_an_infinite_figure_is_none() -> None:
    body = json.dumps(traccar(accuracy=4)).replace(": 4}", ": 1e999}").encode()
    assert "accuracy=inf: must be a number" in reason(parse_json(body, NOW))


def owntracks(**changes: object) -> bytes:
    body = {"_type": "location", "tst": STAMP, "lat": 39.74, "lon": -104.99, "tid": "12"}
    return json.dumps(body | {"vel": 36, "cog": 270, "acc": 6} | changes).encode()


def test_owntracks_is_read_in_kilometres_an_hour() -> None:
    found = one(parse_owntracks(owntracks(), NOW))
    assert found.device == "12"
    assert (found.fix.speed_mps, found.fix.heading_deg, found.fix.fixed_at) == (10.0, 270.0, NOW)


def test_owntracks_is_known_by_its_topic_first() -> None:
    assert one(parse_owntracks(owntracks(topic="owntracks/pd/4A12"), NOW)).device.endswith("4A12")


def test_owntracks_messages_without_a_position_are_none() -> None:
    assert parse_owntracks(b'{"_type": "lwt", "tst": 1}', NOW) == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"_type": "encrypted", "data": "x"}', "remove the app's encryption key"),
        (owntracks(tst=1e30), "tst=1e+30: must be seconds since 1970"),
        (owntracks(lat=100), "lat=100.0: must be from -90 to 90"),
    ],
)
def test_owntracks_that_cannot_be_read_is_refused_with_its_reason(body: bytes, why: str) -> None:
    assert why in reason(parse_owntracks(body, NOW))


def feature(**told: object) -> dict[str, Any]:
    properties = {"unit_id": "4A12", "fixed_at": "2026-11-23T02:13:00Z"} | told
    place = {"type": "Point", "coordinates": [-104.99, 39.74, 1600]}
    return {"type": "Feature", "geometry": place, "properties": properties}


def test_points_are_read_each_for_itself() -> None:
    body = {"type": "FeatureCollection", "features": [feature(), 5, feature(speed_mps=3)]}
    first, second, third = parse_geojson(json.dumps(body).encode(), NOW)
    assert isinstance(first, Sighting)
    assert isinstance(second, Refusal)
    assert isinstance(third, Sighting)
    assert (first.device, first.fix.lon_deg, first.fix.lat_deg) == ("4A12", -104.99, 39.74)
    assert "feature=5: must be a JSON object" in second.reason
    assert third.fix.speed_mps == 3.0
    assert json.loads(third.raw) == feature(speed_mps=3)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"type": "FeatureCollection"}, "features=: must be a list"),
        ({"type": "Point"}, "type=Point: must be Feature"),
        (feature() | {"geometry": {"type": "LineString"}}, "must be a Point"),
        (feature(fixed_at="now"), "fixed_at=now: must be ISO 8601 with an offset or Z"),
    ],
)
def test_points_that_cannot_be_read_are_refused_with_their_reason(
    body: dict[str, Any], why: str
) -> None:
    assert why in reason(parse_geojson(json.dumps(body).encode(), NOW))


FUZZ = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "_type",
                        "tst",
                        "lat",
                        "lon",
                        "type",
                        "features",
                        "geometry",
                        "coordinates",
                        "properties",
                        "location",
                        "coords",
                        "device_id",
                        "timestamp",
                        "unit_id",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)


@given(FUZZ)
def test_no_bytes_make_a_parser_raise(data: bytes) -> None:
    late = NOW + timedelta(seconds=1)
    for parse in (parse_query, parse_json, parse_owntracks, parse_geojson):
        assert all(isinstance(found, Sighting | Refusal) for found in parse(data, late))


def test_a_whole_number_larger_than_any_float_is_refused_and_not_raised() -> None:
    told = b'{"_type":"location","tst":1795521600,"lat":39.7,"lon":1' + b"0" * 400 + b"}"
    (refusal,) = parse_owntracks(told, NOW)
    assert isinstance(refusal, Refusal)
    assert "must be a number" in refusal.reason
