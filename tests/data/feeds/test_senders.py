"""Who calls at a port: no more of one than all can bear, and a dead zone's burst all the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.feeds import senders as module
from data.feeds.heard import Refusal, Sighting
from data.feeds.nmea import NmeaReader
from data.feeds.nmea_fake import write_nmea
from data.feeds.senders import Senders
from data.records import UnitFix

if TYPE_CHECKING:
    import pytest

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ONE = write_nmea("RMC", UnitFix(fixed_at=NOW, lon_deg=-104.98765, lat_deg=39.74))


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_burst_out_of_a_dead_zone_is_read_and_what_never_ends_is_not() -> None:
    clock = Clock()
    senders = Senders("cars", NmeaReader, most_hz=2.0, clock_s=clock)
    burst = senders.read("a", [ONE] * module.AT_A_STRETCH, NOW)
    assert len(burst) == module.AT_A_STRETCH
    (told,) = senders.read("a", [ONE] * 30, NOW)
    assert isinstance(told, Refusal)
    assert told.reason == (
        "peer=a: must be at most 2 messages a second; 30 were not read; "
        "have it send less often, or see feeds.cars.most_hz"
    )
    assert senders.over == 30
    clock.now_s = 5.0
    assert [type(one) for one in senders.read("a", [ONE] * 20, NOW)] == [Sighting] * 10
    assert senders.over == 40


def test_one_who_sends_too_much_costs_no_other() -> None:
    senders = Senders("cars", NmeaReader, most_hz=2.0, clock_s=Clock())
    senders.read("a", [ONE] * (module.AT_A_STRETCH + 5), NOW)
    assert len(senders.read("b", [ONE] * 5, NOW)) == 5


def test_each_sender_has_a_name_of_its_own() -> None:
    senders = Senders("cars", NmeaReader)
    senders.read("a", [b"4A12\r\n"], NOW)
    (one,) = senders.read("b", [ONE], NOW)
    (other,) = senders.read("a", [ONE], NOW)
    assert isinstance(one, Sighting)
    assert isinstance(other, Sighting)
    assert (one.device, other.device) == ("", "4A12")


def test_who_was_heard_of_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SENDERS", 2)
    senders = Senders("cars", NmeaReader)
    for peer in ("a", "b"):
        senders.read(peer, [b"name-" + peer.encode()], NOW)
    for peer in ("a", "c", "a"):
        heard = senders.read(peer, [ONE], NOW)
    (one,) = heard
    assert isinstance(one, Sighting)
    assert one.device == "name-a"
    (forgotten,) = senders.read("b", [ONE], NOW)
    assert isinstance(forgotten, Sighting)
    assert forgotten.device == ""


def test_who_can_be_kept_waiting_is() -> None:
    clock = Clock()
    senders = Senders("cars", NmeaReader, most_hz=2.0, clock_s=clock)
    assert senders.wait_s("a", module.AT_A_STRETCH) == 0
    assert senders.wait_s("a", 10) == 5
    clock.now_s = 5.0
    assert senders.wait_s("a", 1) == 0.5
