"""NMEA 0183: real devices' lines, names, midnight, refusals, and anything at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pynmeagps import NMEAReader

from data.feeds.heard import Refusal, Sighting
from data.feeds.nmea import KNOT_TO_MPS, NmeaReader, checksum
from data.feeds.nmea_fake import write_nmea
from data.records import UnitFix

if TYPE_CHECKING:
    from data.feeds.heard import Heard

SAMPLES = (Path(__file__).parent / "samples_nmea.txt").read_bytes()
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIX = UnitFix(
    fixed_at=NOON, lon_deg=-104.98765, lat_deg=39.74, heading_deg=91.5, speed_mps=10 * KNOT_TO_MPS
)


def lines(text: bytes) -> list[bytes]:
    return [line for line in text.splitlines() if not line.startswith(b"#")]


def read(*datagrams: bytes, arrived_at: datetime = NOON) -> list[Heard]:
    reader = NmeaReader()
    return [one for data in datagrams for one in reader(data, arrived_at)]


def one(*datagrams: bytes, arrived_at: datetime = NOON) -> Sighting:
    (heard,) = read(*datagrams, arrived_at=arrived_at)
    assert isinstance(heard, Sighting), heard
    return heard


def why(data: bytes) -> str:
    (heard,) = read(data)
    assert isinstance(heard, Refusal), heard
    return heard.reason


def summed(body: str) -> bytes:
    return f"${body}*{checksum(body)}\r\n".encode()


def test_lines_of_traccars_collection_are_read() -> None:
    heard = read(*lines(SAMPLES), arrived_at=datetime(2019, 1, 24, tzinfo=UTC))
    seen = [h for h in heard if isinstance(h, Sighting)]
    assert [(h.device, h.fix.lat_deg, h.fix.lon_deg, h.fix.fixed_at) for h in seen] == [
        ("660420156A0066AA", 1.3202030, 103.9166824, at("2019-01-23T12:28:06")),
        ("660420156A0066AA", 53.9171900, 10.7354517, at("2018-05-08T08:23:50")),
        # Its week count has rolled over: 1996-11-01 and 1024 weeks.
        ("660420156A0066AA", -25.2842417, -57.6529800, at("2016-06-17T16:12:23")),
        ("022789000688081", 53.1427208, 10.4854750, at("2016-03-29T13:33:43")),
        ("351467108700000", 60.0088867, 30.3419867, at("2011-11-09T09:49:07")),
        ("351467108700000", 37.2873346, -6.0507831, at("2013-03-01T06:44:11")),
        ("351467108700000", 60.1723915, 24.7621397, at("2009-05-05T12:57:35")),
    ]
    refused = [(h.raw[:7], h.reason[:13]) for h in heard if isinstance(h, Refusal)]
    assert refused == [(b"$GPGGA,", "nmea checksum"), (b"$GPRMC,", "nmea status=V")]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def test_rmc_tells_everything() -> None:
    found = one(write_nmea("RMC", FIX)).fix
    assert replace(found, speed_mps=None) == replace(FIX, speed_mps=None)
    assert found.speed_mps == pytest.approx(FIX.speed_mps)


@pytest.mark.parametrize("kinds", [("GGA", "VTG"), ("VTG", "GGA")])
def test_gga_is_joined_with_the_vtg_of_its_datagram(kinds: tuple[str, str]) -> None:
    found = one(b"".join(write_nmea(kind, FIX) for kind in kinds)).fix
    assert replace(found, speed_mps=None) == replace(FIX, speed_mps=None)
    assert found.speed_mps == pytest.approx(FIX.speed_mps)


def test_gga_alone_tells_no_speed() -> None:
    assert one(write_nmea("GGA", FIX)).fix == replace(FIX, speed_mps=None, heading_deg=None)


def test_a_sender_of_rmc_is_seen_once_a_fix() -> None:
    both = write_nmea("RMC", FIX) + write_nmea("GGA", FIX) + write_nmea("VTG", FIX)
    assert len(read(both)) == 1
    assert len(read(write_nmea("RMC", FIX), write_nmea("GGA", FIX))) == 1


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        (b"4A12", b"", "4A12"),
        (b"4A12,", b"", "4A12"),
        (b"&&4A12", b"", "4A12"),
        (b"fleet/4A12/", b"", "4A12"),
        (b"", b",4A12", "4A12"),
        (b"", b" 4A12", "4A12"),
        (b"$PCPTI,Car 12,184453,184453.0,6F*57\r\n", b"", "Car 12"),
        (b"$PMID,09604890968,4A12*10\r\n", b"", "09604890968"),
        (b"4A12\r\n", b"", "4A12"),
        (b"", b"", ""),
    ],
)
def test_the_senders_name_stands_before_or_after(before: bytes, after: bytes, name: str) -> None:
    sentence = write_nmea("RMC", FIX).strip()
    assert one(before + sentence + after + b"\r\n").device == name


def test_a_name_told_once_holds_for_what_follows_from_that_sender() -> None:
    told = summed("PCPTI,4A12,184453,184453.0,6F")
    assert one(told, write_nmea("RMC", FIX)).device == "4A12"


def test_gga_around_midnight_is_of_the_day_nearest_to_its_arrival() -> None:
    late = replace(FIX, fixed_at=datetime(2026, 11, 22, 23, 59, 58, tzinfo=UTC))
    early = datetime(2026, 11, 23, 0, 0, 3, tzinfo=UTC)
    assert one(write_nmea("GGA", late), arrived_at=early).fix.fixed_at == late.fixed_at


def test_dead_reckoning_is_said() -> None:
    place = "120000,A,3944.4,N,10459.3,W,9.0,90.0,231126,,,E"
    assert one(summed(f"GPRMC,{place}")).fix.accuracy_m == 50.0
    assert one(summed("GNGGA,120000,3944.4,N,10459.3,W,6,9,1,,M,,M,,")).fix.accuracy_m == 50.0


def test_who_stands_has_no_heading() -> None:
    found = one(summed("GPRMC,120000,A,3944.4,N,10459.3,W,0.0,90.0,231126,,,A")).fix
    assert (found.speed_mps, found.heading_deg) == (0.0, None)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (write_nmea("RMC", FIX).replace(b"39", b"38"), "nmea checksum=4F: must be 4E"),
        (write_nmea("RMC", FIX).replace(b",39", b",38"), "altered on its way"),
        (summed("GPRMC,120000,V,3944.4,N,10459.3,W,,,231126,,,N"), "nmea status=V: must be valid"),
        (summed("GPGGA,120000,3944.4,N,10459.3,W,0,0,,,M,,M,,"), "nmea status=0: must be valid"),
        (summed("GPRMC,120000,A,3944.4,N,10459.3,W,,,231126,,,S"), "nmea mode=S: must be measured"),
        (summed("GPGGA,120000,3944.4,N,10459.3,W,7,9,1,,M,,M,,"), "nmea mode=7: must be measured"),
        (summed("GPRMC,120000,A,,N,10459.3,W,9.0,90.0,231126,,"), "nmea lat=: must be there"),
        (summed("GPRMC,120000,A,3944.4,N"), "nmea lon=: must be there; the sentence is cut short"),
        (summed("GPRMC,,A,3944.4,N,10459.3,W,9.0,90.0,231126,,"), "nmea time=: must be there"),
        (summed("GPRMC,990000,A,3944.4,N,10459.3,W,,,231126,,"), "nmea time=990000: must be hhmm"),
        (summed("GPRMC,120000,A,3944.4,N,10459.3,W,,,991326,,"), "nmea date=991326: must be ddmm"),
        (
            summed("GPRMC,120000,A,3944.4,N,10459.3,W,x,,231126,,"),
            "nmea speed=x: must be a decimal",
        ),
        (summed("GPRMC,120000,A,3944.4,,10459.3,W,,,231126,,"), "nmea lat=3944.4,: must be degr"),
        (summed("GPRMC,120000,A,3964.4,N,10459.3,W,,,231126,,"), "nmea lat=3964.4,N: must be de"),
        (summed("GPGGA,120000,3944.4,N,10459.3,W,,9,1,,M,,M,,"), "nmea status=: must be valid"),
        (summed("GPRMC,120000,A,0000.0,N,00000.0,E,,,231126,,"), "GPS without a fix"),
        (summed("GPRMC,120000,A,9944.4,N,10459.3,W,,,231126,,"), "lat=99.74: must be from -90"),
        (summed("GPRMC,120500,A,3944.4,N,10459.3,W,,,231126,,"), "300 s after its arrival"),
        (b"$GPRMC,120000,A,39\xff", "must be a sentence such as $GPRMC"),
        (b"no, this is none!", "must be a sentence such as $GPRMC"),
    ],
)
def test_what_cannot_be_believed_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    assert reason in why(data)


PIECES = st.sampled_from([*lines(SAMPLES), b"$", b"*", b",", b"\r\n", *(
    write_nmea(kind, FIX) for kind in ("RMC", "GGA", "VTG")
)])  # fmt: skip


@given(st.lists(st.binary(max_size=40) | PIECES, max_size=6))
@example([b" " * 65_000])
@example([b"$" * 5_000])
@example([b"$GPVTG," * 5_000])
def test_anything_at_all_is_read_without_a_crash(datagrams: list[bytes]) -> None:
    for heard in read(*datagrams):
        assert heard.raw in b"".join(datagrams)


@given(st.sampled_from([line for line in lines(SAMPLES) if b"*" in line]), st.data())
def test_a_damaged_sentence_is_never_a_fix_elsewhere(line: bytes, data: st.DataObject) -> None:
    start = line.index(b"$") + 1
    where = data.draw(st.integers(start, line.index(b"*") - 1))
    other = data.draw(st.sampled_from([bytes([c]) for c in range(32, 127)]))
    damaged = line[:where] + other + line[where + 1 :]
    if damaged != line and other not in b"$*":
        assert not [h for h in read(damaged) if isinstance(h, Sighting)]


FIELDS = st.sampled_from(
    [
        "120000",
        "120000.5",
        "235959.999",
        "000000",
        "3944.4",
        "10459.3",
        "03944.40001",
        "N",
        "S",
        "E",
        "W",
        "A",
        "0",
        "1",
        "6",
        "9.0",
        ".5",
        "7.",
        "359.9",
        "231126",
        "010100",
        "M",
    ]
)


@given(st.sampled_from(["RMC", "GGA"]), st.data())
def test_whatever_is_read_is_what_pynmeagps_reads(kind: str, data: st.DataObject) -> None:
    """It is slower by three times, and takes more: what it takes too is the same."""
    good = summed_fields(write_nmea(kind, FIX))
    looked_at = [*range(9), 11] if kind == "RMC" else [*range(6)]
    for place in data.draw(st.lists(st.sampled_from(looked_at), max_size=3)):
        good[place] = data.draw(FIELDS)
    sentence = summed(f"GP{kind},{','.join(good)}")
    (heard,) = read(sentence)
    if not isinstance(heard, Sighting):
        return
    fix, told = heard.fix, vars(NMEAReader.parse(sentence))
    assert (fix.lon_deg, fix.lat_deg) == (round(told["lon"], 7), round(told["lat"], 7))
    assert fix.fixed_at.time() == told["time"]
    # A week count that has rolled over is mended here, by whole times 1024 weeks.
    assert (fix.fixed_at.date() - told.get("date", fix.fixed_at.date())).days % (1024 * 7) == 0
    assert fix.speed_mps == (
        told["spd"] * KNOT_TO_MPS if told.get("spd") != "" and kind == "RMC" else None
    )
    if fix.heading_deg is not None:
        assert fix.heading_deg == told["cog"]


def summed_fields(sentence: bytes) -> list[str]:
    return sentence.decode().partition("*")[0].split(",")[1:]


@given(
    second=st.integers(0, 12 * 3600 - 1),
    lon=st.integers(-1_799_999, 1_799_999),
    lat=st.integers(1, 899_999),
    speed=st.integers(1, 1000),
    heading=st.integers(0, 3590),  # of a receiver that moves
)
def test_what_the_fake_writes_is_read_back(
    second: int, lon: int, lat: int, speed: int, heading: int
) -> None:
    fix = UnitFix(
        fixed_at=NOON - timedelta(seconds=second),
        lon_deg=lon / 1e4,
        lat_deg=lat / 1e4,
        speed_mps=speed / 10 * KNOT_TO_MPS,
        heading_deg=heading / 10,
    )
    found: list[Any] = [
        one(write_nmea("RMC", fix)).fix,
        one(write_nmea("GGA", fix) + write_nmea("VTG", fix)).fix,
    ]
    for got in found:
        assert (got.fixed_at, got.heading_deg) == (fix.fixed_at, fix.heading_deg)
        assert got.lon_deg == pytest.approx(fix.lon_deg, abs=2e-7)
        assert got.lat_deg == pytest.approx(fix.lat_deg, abs=2e-7)
        assert got.speed_mps == pytest.approx(fix.speed_mps)
