"""A board that is written down and read again goes on as if it had not been."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

import pytest

from data.settings import Settings
from geo.board import Board
from geo.replay import play
from geo.shift.plan import ShiftPlan
from geo.shift.world import simulate
from rollby.service.saving import restore, saved

if TYPE_CHECKING:
    from data.events import Fixes, History
    from data.said import Said
    from geo.network import RoadNetwork


@pytest.fixture(scope="module")
def shift(denver: RoadNetwork) -> History:
    plan = ShiftPlan(hours=0.7, units=12, stops_per_unit_hour=4.0)
    return simulate(denver, plan, seed=9, dispatcher=Board(denver, Settings())).history


class Forgetful(Board):
    """One that is written down and read again every so often."""

    times = 0

    def advance(self, now_s: float) -> list[Said]:
        said = super().advance(now_s)
        body = saved(self)
        again = Board(self.net, self.settings)
        assert restore(again, body)
        assert saved(again) == body
        vars(self).clear()
        vars(self).update(vars(again))
        Forgetful.times += 1
        return said

    def take_fixes(self, fixes: Fixes, rows: slice) -> None:
        first, last, _ = rows.indices(len(fixes))
        for row in range(first, last, 7):
            super().take_fixes(fixes, slice(row, min(row + 7, last)))


def test_a_board_goes_on_from_what_it_remembers(denver: RoadNetwork, shift: History) -> None:
    whole = list(play(Board(denver, Settings()), shift))
    again = list(play(Forgetful(denver, Settings()), shift))
    assert len(whole) > 40
    assert len({type(one) for one in whole}) > 4
    assert Forgetful.times > 50
    assert again == whole


@pytest.mark.parametrize("body", [b"", zlib.compress(b"{"), zlib.compress(b'{"now_s": 1}')])
def test_what_cannot_be_read_leaves_the_board_as_it_was(denver: RoadNetwork, body: bytes) -> None:
    board = Board(denver, Settings())
    before = saved(board)
    assert not restore(board, body)
    assert saved(board) == before


def test_what_is_written_is_json(denver: RoadNetwork) -> None:
    assert json.loads(zlib.decompress(saved(Board(denver, Settings()))))["unit_ids"] == []
