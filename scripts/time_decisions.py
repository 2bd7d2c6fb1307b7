"""
Time the decisions of a replay: how long the board took to weigh everything, each time it did.

    python scripts/time_decisions.py columbus_oh.roads week

Processor time of this process, so that other work on the machine weighs less.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from data.history import read_history
from data.settings import Settings
from geo.board import Board
from geo.network import RoadNetwork
from geo.replay import play


class Timed(Board):
    """A board that notes how long its decisions take."""

    decisions, spent_s = 0, 0.0

    def _decide(self) -> None:
        """Decide, by the clock."""
        began_s = time.process_time()
        super()._decide()
        self.spent_s += time.process_time() - began_s
        self.decisions += 1


def main(roads: Path, folder: Path) -> None:
    """Print how long a period takes."""
    board, history = Timed(RoadNetwork.load(roads), Settings()), read_history(folder)
    began_s = time.process_time()
    said = sum(1 for _ in play(board, history))
    whole_s = time.process_time() - began_s
    each_ms = 1000 * board.spent_s / max(board.decisions, 1)
    events = f"{len(history.fixes):,} fixes, {len(history.stops):,} changes of stops"
    decisions = f"{board.decisions:,} decisions: {board.spent_s:.1f} s, {each_ms:.2f} ms each"
    sys.stdout.write(f"{events}, {said:,} words: {whole_s:.1f} s\n{decisions}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
