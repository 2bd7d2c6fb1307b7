"""Cursor-on-Target: real clients' events, both encodings, what may be believed, and anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import example, given
from hypothesis import strategies as st
from takproto.proto import TakMessage

from data.feeds.cot import CotReader, split_events, whole_events
from data.feeds.cot_fake import write_cot
from data.feeds.cot_writing import (
    Marker,
    element,
    pong_for,
    write_chat,
    write_delete,
    write_event,
    write_marker,
    write_ping,
)
from data.feeds.heard import Noted, Refusal, Sighting
from data.records import UnitFix

if TYPE_CHECKING:
    from data.feeds.heard import Heard

SAMPLES = (Path(__file__).parent / "samples_cot.xml").read_bytes()
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIX = UnitFix(
    fixed_at=NOON,
    lon_deg=-104.98765,
    lat_deg=39.74,
    heading_deg=91.5,
    speed_mps=12.5,
    accuracy_m=4.8,
)
WIRES = ["xml", "mesh", "stream"]
NASTY = '<script>&"'


def position(**more: Any) -> bytes:
    return write_cot(FIX, **{"uid": "ANDROID-1", "callsign": "4A12", **more})


def read(data: bytes, arrived_at: datetime = NOON, named_by: str = "uid") -> list[Heard]:
    return CotReader(named_by)(data, arrived_at)


def one(data: bytes, arrived_at: datetime = NOON, named_by: str = "uid") -> Sighting:
    (heard,) = read(data, arrived_at, named_by)
    assert isinstance(heard, Sighting), heard
    return heard


def why(data: bytes, arrived_at: datetime = NOON, named_by: str = "uid") -> str:
    (heard,) = read(data, arrived_at, named_by)
    assert isinstance(heard, Refusal), heard
    return heard.reason


def test_real_clients_events_are_read() -> None:
    heard = read(SAMPLES, datetime(2021, 2, 27, 20, 32, 26, tzinfo=UTC))
    by_hand, phone, marker, chat = heard
    assert isinstance(by_hand, Refusal)
    assert by_hand.reason.startswith("cot how=h-e: must be measured (m-g for GPS)")
    assert isinstance(phone, Sighting)
    assert phone.device == "ANDROID-deadbeef"
    assert phone.fix == UnitFix(
        fixed_at=datetime(2021, 2, 27, 20, 32, 24, 771000, tzinfo=UTC),
        lon_deg=-3.141592,
        lat_deg=1.234567,
        speed_mps=0.0,
        accuracy_m=9.9,
    )
    assert isinstance(marker, Noted)
    assert isinstance(chat, Noted)
    assert (marker.kind, chat.kind) == ("not ground friendly", "chat")


@pytest.mark.parametrize("wire", WIRES)
def test_an_event_tells_everything(wire: str) -> None:
    found = one(position(wire=wire))
    assert (found.device, found.fix) == ("ANDROID-1", FIX)
    assert one(position(wire=wire), named_by="callsign").device == "4A12"


@pytest.mark.parametrize("wire", WIRES)
def test_names_are_read_as_they_are(wire: str) -> None:
    assert one(position(uid=NASTY, wire=wire)).device == NASTY
    assert one(position(callsign=f" {NASTY} ", wire=wire), named_by="callsign").device == NASTY


@pytest.mark.parametrize("ce", ["9999999.0", "9999999", "999999", "999999.0", "0.0", "-1", "NaN"])
def test_an_error_that_is_no_error_is_unknown(ce: str) -> None:
    assert one(position().replace(b'ce="4.8"', f'ce="{ce}"'.encode())).fix.accuracy_m is None


@pytest.mark.parametrize(
    ("track", "speed", "heading"),
    [
        (b'<track speed="-1.0" course="-1.0"/>', None, None),
        (b'<track speed="1.9" course="80"/>', 1.9, None),
        (b'<track speed="9" course="NaN"/>', 9.0, None),
        (b'<track speed="9"/>', 9.0, None),
        (b"", None, None),
    ],
)
def test_a_track_that_is_unknown_or_slow_has_no_heading(
    track: bytes, speed: float | None, heading: float | None
) -> None:
    told = position().replace(b'<track speed="12.5" course="91.5" />', track)
    fix = one(told).fix
    assert (fix.speed_mps, fix.heading_deg) == (speed, heading)


def test_an_event_that_is_sent_again_is_no_younger() -> None:
    later = position().replace(b'time="2026-11-23T12:00:00', b'time="2026-11-23T12:00:40')
    assert one(later, NOON + timedelta(seconds=40)).fix.fixed_at == NOON


@pytest.mark.parametrize("how", ["m-g", "m-g-n", "m-n", "m-f", "m-r-d"])
def test_whatever_measures_is_believed(how: str) -> None:
    assert one(position(how=how)).fix == FIX


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("how", ["h-e", "h-g-i-g-o", "h", "m-s", "m-c", ""])
def test_what_was_not_measured_is_refused(wire: str, how: str) -> None:
    assert f"cot how={how}: must be measured" in why(position(how=how, wire=wire))


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("t-x-c-t", "ping"),
        ("t-x-c-t-r", "pong"),
        ("t-x-takp-v", "protocol"),
        ("t-x-d-d", "delete"),
        ("b-t-f", "chat"),
        ("b-a-o-tbl", "alert"),
        ("b-m-p-s-m", "marker"),
        ("a-f-A-M-H", "not ground friendly"),
        ("a-h-G", "not ground friendly"),
        ("a-f-GX", "not ground friendly"),
        ("u-d-f", "other"),
    ],
)
@pytest.mark.parametrize("wire", WIRES)
def test_other_kinds_are_counted(kind: str, word: str, wire: str) -> None:
    (heard,) = read(position(kind=kind, wire=wire))
    assert isinstance(heard, Noted)
    assert heard.kind == word


def test_a_message_of_the_protocol_alone_is_counted() -> None:
    (heard,) = read(b"\xbf\x01\xbf\x0a\x04\x08\x01\x10\x01")
    assert isinstance(heard, Noted)
    assert heard.kind == "protocol"


def test_others_are_counted_where_that_is_wanted() -> None:
    reader = CotReader("callsign", frozenset({"4A12"}))
    (ours,) = reader(position(), NOON)
    (other,) = reader(position(callsign="ENGINE 7"), NOON)
    assert isinstance(ours, Sighting)
    assert isinstance(other, Noted)
    assert (other.kind, other.device) == ("foreign", "ENGINE 7")


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "'
    + b"&lol;" * 10
    + b'">]><event uid="&lol2;"></event>'
)
FILE = b'<!DOCTYPE e [<!ENTITY x SYSTEM "file:///a">]><event uid="&x;" type="a-f-G"></event>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (BOMB, "cot xml=DTDForbidden: must have no document type and no entities"),
        (FILE, "cot xml=DTDForbidden: must have no document type and no entities"),
        (b"no, this is none!", "must be one XML event, or protobuf that begins with bf"),
        (b'<?xml version="1.0" encoding="x"?><event></event>', "must be one XML event"),
        (b"<a></event>", "must be one XML event"),
        (position().replace(b"<event", b"<evil").replace(b"/event", b"/evil"), "must be an event"),
        (position()[:-20], "must be one XML event"),
        (position(wire="stream")[:-9], "must be as long as it says; it is cut short"),
        (b"\xbf", "must be as long as it says; it is cut short"),
        (b"\xbf\xff\xff\xff\xff\xff\xff\x01", "must be as long as it says"),
        (b"\xbf\x02\xff\xff", "must be a TakMessage of TAK protocol 1"),
        (position(wire="mesh")[:-9], "must be a TakMessage of TAK protocol 1"),
        (position(uid=" "), "cot uid=: must be there; it names the device, see named_by"),
        (position().replace(b'ce="4.8"', b'ce="x"'), "cot ce=x: must be a number"),
        (position().replace(b"39.74", b"99.74"), "lat=99.74: must be from -90 to 90"),
        (position().replace(b"39.7400000", b"x"), "cot lat=x: must be a number"),
        (position().replace(b"39.7400000", b"NaN"), "cot lat=: must be there"),
        (position().replace(b"point", b"punkt"), "cot lat=: must be there"),
        (position().replace(b'speed="12.5"', b'speed="999"'), "speed_mps=999.0: must be from 0"),
        (
            position().replace(b"39.7400000", b"0").replace(b"-104.9876500", b"0.0"),
            "this is a GPS without a fix",
        ),
        (position().replace(b"12:01:15.000Z", b"soon"), "must be an instant such as 2026"),
        (position().replace(b"12:01:15.000Z", b"12:01:15"), "must be an instant such as 2026"),
        (position().replace(b"stale=", b"stehle="), "cot stale=: must be an instant"),
        (position().replace(b"12:01:15.000Z", b"11:59:59Z"), "must not be before start (2026"),
        (position().replace(b"time=", b"zeit="), "cot time=: must be an instant"),
    ],
)
def test_what_cannot_be_believed_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    assert reason in why(data)


@pytest.mark.parametrize("wire", WIRES)
def test_what_is_stale_is_refused(wire: str) -> None:
    data = position(wire=wire, stale_s=75.0)
    assert one(data, NOON + timedelta(seconds=74.9)).fix == FIX
    reason = why(data, NOON + timedelta(seconds=80))
    assert "must be after its arrival; it came 5 s too late, or a clock is wrong" in reason


def test_what_is_yet_to_come_is_refused() -> None:
    assert one(position(), NOON - timedelta(seconds=60)).fix == FIX
    reason = why(position(), NOON - timedelta(seconds=61))
    assert "must not be 61 s after its arrival; set the device's clock" in reason


def test_an_instant_beyond_every_calendar_is_refused() -> None:
    message = TakMessage.FromString(position(wire="mesh")[3:])
    for instant in (0, 2**63):
        message.cotEvent.staleTime = instant
        data = b"\xbf\x01\xbf" + message.SerializeToString()
        assert f"cot stale={instant}: must be an instant" in why(data)


def test_a_callsign_that_names_must_be_there() -> None:
    reason = why(position(callsign=""), named_by="callsign")
    assert reason.startswith("cot callsign=: must be there")


def test_several_events_are_parted() -> None:
    parts = [position(), position(wire="stream"), b"\n " + position(), position(wire="stream")]
    events, rest = split_events(b"".join(parts) + b"<eve")
    assert events == [part.strip() for part in parts]
    assert rest == b"<eve"
    assert len(read(b"".join(parts))) == 4


@given(st.lists(st.sampled_from(["xml", "stream"]), max_size=4), st.data())
def test_a_stream_that_comes_in_pieces_is_parted_alike(
    wires: list[str], data: st.DataObject
) -> None:
    parts = [position(wire=wire, uid=f"A{number}") for number, wire in enumerate(wires)]
    stream, rest, found = b"".join(parts), b"", []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        whole, rest = whole_events(rest + stream[:size])
        stream = stream[size:]
        found += split_events(whole)[0]
    assert (found, rest) == (parts, b"")


PIECES = st.sampled_from(
    [
        *split_events(SAMPLES)[0],
        *(position(wire=wire) for wire in WIRES),
        *(BOMB, b"\xbf", b"\xbf\x01\xbf", b"</event>", b"<event>", b" \r\n", b"<!DOCTYPE a []>"),
    ]
)


@given(st.lists(st.binary(max_size=60) | PIECES, max_size=6))
@example([b" " * 65_000])
@example([b"\xbf\x00" * 5_000])
@example([b"<a>" * 20_000, b"</event>"])
@example([b"</event>" * 5_000])
def test_anything_at_all_is_read_without_a_crash(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    heard = read(data)
    place = 0
    for one_heard in heard:  # nothing is lost but white space
        start = data.index(one_heard.raw, place)
        assert not data[place:start].strip()
        place = start + len(one_heard.raw)
    assert not data[place:].strip()


@given(
    second=st.integers(0, 74),
    lon=st.integers(-1_799_999, 1_799_999),
    lat=st.integers(1, 899_999),
    speed=st.integers(20, 1000),
    heading=st.integers(0, 3600),
    error=st.integers(1, 9_999) | st.none(),
    name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
    wire=st.sampled_from(WIRES),
)
def test_what_the_fake_writes_is_read_back(
    second: int,
    lon: int,
    lat: int,
    speed: int,
    heading: int,
    error: int | None,
    name: str,
    wire: str,
) -> None:
    fix = UnitFix(
        fixed_at=NOON - timedelta(seconds=second),
        lon_deg=lon / 1e4,
        lat_deg=lat / 1e4,
        speed_mps=speed / 10,
        heading_deg=heading / 10,
        accuracy_m=None if error is None else error / 10,
    )
    data = write_cot(fix, uid=f"x{name}x", wire=wire)
    found = one(data)
    assert found.fix == fix
    assert found.device == f"x{name}x".replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")


def parsed(data: bytes) -> Any:
    assert data.startswith(b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<event ')
    assert data.endswith(b"</event>")
    assert data.count(b"</event>") == 1
    return fromstring(data, forbid_dtd=True)


@given(st.text() | st.just(NASTY) | st.just("]]></event>\x00\ud800"))
def test_whatever_a_marker_is_called_it_is_one_event(name: str) -> None:
    marker = Marker(
        uid=name, lon_deg=-104.9, lat_deg=39.7, label=name, text=name, argb=0xFFFF0000, to=(name,)
    )
    event = parsed(write_marker(marker, NOON, 60.0))
    assert event.get("stale") == "2026-11-23T12:01:00.000Z"
    assert event.find("detail/color").get("argb") == "-65536"
    if name == NASTY:
        assert event.find("detail/contact").get("callsign") == NASTY
        assert event.find("detail/remarks").text == NASTY
        assert event.find("detail/marti/dest").get("callsign") == NASTY
    gone = parsed(write_delete(marker, NOON, 60.0))
    assert gone.find("detail/link").get("uid") == event.get("uid") != gone.get("uid")
    chat = parsed(write_chat(name, name, NOON, 60.0, (name, name)))
    assert chat.find("detail/__chat").get("messageId") == event.get("uid")


def test_chat_to_all_is_in_the_room_that_all_have() -> None:
    event = parsed(write_chat("1", "hello", NOON, 60.0))
    chat = event.find("detail/__chat")
    assert (chat.get("chatroom"), chat.get("id")) == ("All Chat Rooms", "All Chat Rooms")
    assert event.find("detail/marti") is None
    assert event.find("detail/remarks").text == "hello"


def test_what_we_send_is_no_fix_where_it_comes_back() -> None:
    marker = Marker(uid="1", lon_deg=1, lat_deg=2, label="a", text="b", argb=0xFF00FF00)
    sent = [write_marker(marker, NOON, 60.0), write_delete(marker, NOON, 60.0), write_ping(NOON)]
    heard = read(b"".join([*sent, write_chat("1", "x", NOON, 60.0)]))
    assert [one.kind for one in heard if isinstance(one, Noted)] == [
        "marker",
        "delete",
        "ping",
        "chat",
    ]


def test_a_ping_is_answered_and_nothing_else_is() -> None:
    (pong,) = read(pong_for(read(write_ping(NOON)), NOON))
    assert isinstance(pong, Noted)
    assert pong.kind == "pong"
    assert pong_for(read(position()), NOON) == b""


def test_a_colour_that_is_clear_is_a_small_number() -> None:
    detail = [element("a", "b", c="d")]
    event = parsed(write_event("t", "u", NOON, stale_s=1.0, detail=detail))
    assert event.find("detail/a").text == "b"
    marker = Marker(uid="1", lon_deg=1, lat_deg=2, label="a", text="", argb=0x7F00FF00)
    colour = parsed(write_marker(marker, NOON, 60.0)).find("detail/color")
    assert int(colour.get("argb")) == 0x7F00FF00
