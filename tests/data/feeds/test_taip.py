"""TAIP: real devices' sentences, midnight and the week's end, refusals, and anything at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.feeds.heard import Refusal, Sighting
from data.feeds.taip import checksum, parse_taip
from data.feeds.taip_fake import write_taip
from data.records import UnitFix

if TYPE_CHECKING:
    from data.feeds.heard import Heard

SAMPLES = (Path(__file__).parent / "samples_taip.txt").read_bytes()
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIX = UnitFix(fixed_at=NOON, lon_deg=-92.34531, lat_deg=34.77708)


def sentences(text: bytes) -> list[bytes]:
    return [line for line in text.splitlines() if not line.startswith(b"#")]


def one(data: bytes, arrived_at: datetime = NOON) -> Sighting:
    (heard,) = parse_taip(data, arrived_at)
    assert isinstance(heard, Sighting), heard
    return heard


def why(data: bytes, arrived_at: datetime = NOON) -> str:
    (heard,) = parse_taip(data, arrived_at)
    assert isinstance(heard, Refusal), heard
    return heard.reason


def summed(body: str) -> bytes:
    return f">{body};*{checksum(f'>{body};*')}<".encode()


def test_devices_of_traccars_collection_are_read() -> None:
    arrived_at = datetime(2026, 11, 23, 1, 5, tzinfo=UTC)
    sighting = one(sentences(SAMPLES)[1], arrived_at)
    assert sighting.device == "0017"
    assert sighting.fix == UnitFix(
        fixed_at=datetime(2026, 11, 23, 1, 4, 34, tzinfo=UTC),
        lon_deg=-92.34531,
        lat_deg=34.77708,
        speed_mps=0.0,
    )


def test_the_same_device_says_the_same_in_three_layouts() -> None:
    found = [s for s in sentences(SAMPLES) if b"ID=0017" in s and not s.startswith(b">RAL")]
    at = datetime(2026, 11, 23, 1, 5, tzinfo=UTC)
    fixes = [one(sentence, at).fix for sentence in found]
    assert len(fixes) == 3
    assert {fix.fixed_at for fix in fixes} == {datetime(2026, 11, 23, 1, 4, 34, tzinfo=UTC)}
    assert [round(fix.lat_deg, 4) for fix in fixes] == [34.7771] * 3
    assert [round(fix.lon_deg, 4) for fix in fixes] == [-92.3453] * 3


def test_a_whole_datagram_of_real_sentences_is_sorted_into_fixes_and_refusals() -> None:
    data = b"\r\n".join(sentences(SAMPLES))
    kinds = {type(h) for h in parse_taip(data, datetime(2017, 7, 16, 2, tzinfo=UTC))}
    assert kinds == {Sighting, Refusal}
    assert b"".join(h.raw for h in parse_taip(data, NOON)) == data.replace(b"\r\n", b"")


def test_an_event_tells_its_week() -> None:
    line = b">REV481599462982+2578391-0802945201228512;ID=Test<"
    fix = one(line, datetime(2010, 9, 2, 17, 30, tzinfo=UTC)).fix
    assert fix.fixed_at == datetime(2010, 9, 2, 17, 29, 42, tzinfo=UTC)
    assert (fix.lon_deg, fix.lat_deg, fix.heading_deg) == (-80.29452, 25.78391, 285)
    assert fix.speed_mps == pytest.approx(12 * 0.44704)


def test_an_event_is_right_across_the_weeks_end_and_the_weeks_rollover() -> None:
    saturday = datetime(2026, 11, 21, 23, 59, 58, tzinfo=UTC)
    line = write_taip("EV", replace(FIX, fixed_at=saturday))
    assert one(line, saturday + timedelta(seconds=5)).fix.fixed_at == saturday
    week = line[6:10]
    rolled = f"REV00{int(week) - 2 * 1024:04d}" + line[10:-4].decode().removesuffix(";")
    assert one(summed(rolled), saturday + timedelta(seconds=5)).fix.fixed_at == saturday


@pytest.mark.parametrize(("late_s", "day"), [(-30, 23), (5, 22), (11 * 3600, 22)])
def test_a_second_of_the_day_is_dated_across_midnight(late_s: int, day: int) -> None:
    taken = datetime(2026, 11, day, 23, 59, 55, tzinfo=UTC)
    line = write_taip("PV", replace(FIX, fixed_at=taken))
    assert one(line, taken + timedelta(seconds=late_s)).fix.fixed_at == taken


def test_a_fix_from_the_future_is_refused() -> None:
    line = write_taip("PV", FIX)
    assert "61 s after its arrival; set the device's clock" in why(line, NOON - timedelta(0, 61))


def test_an_old_fix_is_no_younger_than_ten_seconds() -> None:
    line = write_taip("PV", FIX, age=1)
    assert one(line).fix.fixed_at == NOON - timedelta(seconds=10)
    assert one(line, NOON + timedelta(seconds=40)).fix.fixed_at == NOON


def test_the_source_tells_the_accuracy() -> None:
    found = {source: one(write_taip("PV", FIX, source=source)).fix.accuracy_m for source in (1, 8)}
    assert found == {1: None, 8: 150.0}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (write_taip("PV", FIX)[:-3] + b"00<", "taip checksum=00: must be "),
        (write_taip("PV", FIX)[:-3] + b"zz<", "taip checksum=zz: must be "),
        (write_taip("PV", FIX)[:-1], "cut short"),
        (b">RPV\xff<", "must be >...< in ASCII"),
        (write_taip("PV", FIX, age=0), "the receiver has no fix"),
        (write_taip("PV", FIX, source=9), "taip source=9"),
        (b">RAL03874+00185+00012;ID=0017;*4A<", "taip message=RAL: must be RPV, RLN, RCP or REV"),
        (b">QPV<", "taip message=QPV"),
        (b">RPV03874+3477708<", "is not laid out as RPV"),
        (b">RPV99999+3477708-0923453100029212<", "taip time=99999: must be a second of the day"),
        (b">RPV43200+0000000+0000000000000012<", "GPS without a fix"),
        (b">RPV43200+9977708-0923453100029212<", "lat=99.77708: must be from -90 to 90"),
        (b">RPV43200+3477708-0923453101399912<", "heading_deg=999"),
        (b">RPV43200+3477708-0923453100029212;ID=1;ID=2<", "taip ID=1, 2: must be one"),
        (b">RPV43200+3477708-0923453100029212*00<", "must have its checksum last"),
        (b">RLN43200000+347770828-0923453071+000608270000+0000292301" + b"0" * 10 + b"12<", "=01"),
    ],
)
def test_what_cannot_be_believed_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    assert reason in why(data)


def accounted(data: bytes, heard: list[Heard]) -> None:
    assert b"".join(b"".join(h.raw for h in heard).split()) == b"".join(data.split())


PIECES = st.sampled_from([*sentences(SAMPLES), b">", b"<", b";*", b"\r\n", write_taip("EV", FIX)])


@given(st.lists(st.binary(max_size=40) | PIECES).map(b"".join))
@example(b" " * 65_000)
@example(b">" * 65_000)
def test_anything_at_all_is_a_fix_or_a_refusal(data: bytes) -> None:
    accounted(data, parse_taip(data, NOON))


@given(st.sampled_from(sentences(SAMPLES)), st.data())
def test_a_damaged_sentence_never_raises(line: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(line) - 1))
    damaged = line[:at] + data.draw(st.binary(max_size=3)) + line[at + 1 :]
    accounted(damaged, parse_taip(damaged, NOON))


@given(
    kind=st.sampled_from(["PV", "EV", "CP", "LN"]),
    second=st.integers(0, 12 * 3600 - 1),
    lon=st.integers(-1_800_000, 1_800_000),
    lat=st.integers(1, 900_000),
    mph=st.integers(1, 200),
    heading=st.integers(0, 359),
    device=st.text("ABCXYZ0123456789", max_size=15),
)
def test_what_the_fake_writes_is_read_back(
    kind: str, second: int, lon: int, lat: int, mph: int, heading: int, device: str
) -> None:
    fix = UnitFix(
        fixed_at=NOON - timedelta(seconds=second),
        lon_deg=lon / 1e4,
        lat_deg=lat / 1e4,
        speed_mps=None if kind == "CP" else mph * 0.44704,
        heading_deg=None if kind == "CP" else heading,
    )
    sighting = one(write_taip(kind, fix, device=device))
    assert sighting.device == device
    assert replace(sighting.fix, speed_mps=fix.speed_mps) == fix
    assert sighting.fix.speed_mps == (fix.speed_mps and pytest.approx(fix.speed_mps))
