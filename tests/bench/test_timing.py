"""The statistics of the bench: what a median of ratios is made of."""

from __future__ import annotations

import time

import pytest

from bench.run import main
from bench.timing import clock, race, spread, watch


def test_a_spread_is_quartiles_between_values() -> None:
    found = spread([4.0, 1.0, 3.0, 2.0])
    assert (found.least, found.low, found.median, found.high) == (1, 1.75, 2.5, 3.25)
    assert found.count == 4


def test_a_spread_of_one_value_is_that_value() -> None:
    found = spread([7.0])
    assert (found.least, found.low, found.median, found.high, found.count) == (7, 7, 7, 7, 1)


def test_a_spread_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must hold at least one"):
        spread([])


def test_a_race_gives_either_every_case_in_turn_and_changes_who_begins() -> None:
    calls: list[tuple[str, int]] = []
    race(
        lambda case: calls.append(("ours", case)),
        lambda case: calls.append(("peer", case)),
        [1, 2],
        seconds=0,
        rounds=(2, 2),
    )
    peer, ours = [("peer", 1), ("peer", 2)], [("ours", 1), ("ours", 2)]
    assert calls == peer + ours + ours + peer


def test_a_race_says_how_many_times_faster_ours_is() -> None:
    found = race(
        lambda _: time.sleep(0.002), lambda _: time.sleep(0.02), [0], seconds=0, rounds=(3, 3)
    )
    assert 2 < found.ratio.median < 15
    assert found.ours_s.median < found.peer_s.median


def test_pieces_share_a_case() -> None:
    found = race(
        lambda _: time.sleep(0.02),
        lambda _: time.sleep(0.02),
        [0],
        seconds=0,
        rounds=(3, 3),
        pieces=10,
    )
    assert 5 < found.ratio.median < 20


def test_a_watch_stops_when_its_time_is_up_but_not_before_the_fewest_rounds() -> None:
    assert watch(lambda _: None, [0], seconds=0, rounds=(3, 100)).count == 3
    assert watch(lambda _: None, [0], seconds=60, rounds=(3, 5)).count == 5


def test_own_time_does_not_count_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def waited() -> float:
        return watch(lambda _: time.sleep(0.05), [0], seconds=0, rounds=(2, 2)).least

    assert waited() >= 0.05
    monkeypatch.setitem(clock, "now", time.thread_time)
    assert waited() < 0.05


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--rows", "snap", "--record"], "--own-time: such a run is not recorded; leave out"),
        (["--rows", "matrix,snap,cold"], "--own-time: cold, matrix run in other processes; name"),
    ],
)
def test_own_time_is_refused_where_it_would_mislead(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*words, "--own-time"])
    assert says in capsys.readouterr().err
