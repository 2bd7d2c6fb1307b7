"""The command line: chooses rows, runs them, prints, draws and records."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import (
    rows_accuracy,
    rows_board,
    rows_history,
    rows_matrix,
    rows_nearest,
    rows_profile,
    rows_search,
    rows_snap,
    rows_tick,
    rows_turns,
    rows_whole,
)
from bench.draw import draw
from bench.figure import Curve, Figure, unmeasured
from bench.graphs import SEED as GRAPH_SEED
from bench.machine import machine_facts, machine_name
from bench.report import as_json, as_text, one_line
from bench.setup import SEED, MissingError, Setup, add_cache
from bench.timing import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HERE = Path(__file__).parent
RECORDED = HERE / "recorded"
# In the order of the two tables.
ROWS = {
    "search": rows_search.search,
    "everywhere": rows_search.everywhere,
    "growth": rows_search.growth,
    "turns": rows_turns.turns,
    "snap": rows_snap.snap,
    "tick": rows_tick.tick,
    "board": rows_board.board,
    "nearest1": rows_nearest.nearest_one,
    "nearest2": rows_nearest.nearest_two,
    "move": rows_nearest.moving,
    "history": rows_history.history,
    "matrix": rows_matrix.matrix,
    "memory": rows_whole.memory,
    "cold": rows_whole.cold,
    "import": rows_whole.importing,
    "equality": rows_accuracy.equality,
    "accuracy": rows_accuracy.accuracy,
    "profile": rows_profile.profile,
}


APART = {"matrix", "cold", "import"}
"""Rows whose work is done by other processes."""


def main(words: Sequence[str] | None = None) -> int:
    """Run what was asked for; 0 also where a target is missed: figures are not tests."""
    options = _options(words)
    clock["now"] = time.thread_time if options.own_time else time.perf_counter
    begun = time.perf_counter()
    setup = Setup(data=options.data, cache=options.cache, quick=options.quick)
    facts = {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine_facts(),
        "quick": options.quick,
        "own_time": options.own_time,
        "seeds": {"graphs": GRAPH_SEED, "places": SEED},
    }
    figures, curves = measure(setup, options.rows)
    facts["minutes"] = round((time.perf_counter() - begun) / 60, 1)
    facts["load_after"] = round(os.getloadavg()[0], 2)
    recorded = read_recorded(quick=options.quick)
    text = as_text(figures, facts, recorded)
    print(text)
    print(f"\n{facts['minutes']} minutes; load {facts['load_after']} after.")
    _write(options, text, as_json(figures, facts) | {"curves": [asdict(curve) for curve in curves]})
    for curve in curves:
        for path in draw(curve, options.out):
            print(path)
    if options.record:
        _write_json(recorded_path(quick=options.quick), as_json(figures, facts))
    return 0


def measure(setup: Setup, names: Iterable[str]) -> tuple[list[Figure], list[Curve]]:
    """Run rows one after another; one that breaks is reported and the others go on."""
    figures: list[Figure] = []
    curves: list[Curve] = []
    for name in names:
        begun = time.perf_counter()
        try:
            for found in ROWS[name](setup):
                (curves if isinstance(found, Curve) else figures).append(found)
                if isinstance(found, Figure):
                    print(one_line(found), file=sys.stderr, flush=True)
        except MissingError as missing:
            figures.append(unmeasured(str(missing), row=name, work=name, graph="", peer=""))
        except Exception as fault:  # noqa: BLE001 - a broken row must not hide the others
            traceback.print_exc()
            text = f"BROKEN: {type(fault).__name__}: {str(fault).strip().splitlines()[:1]}"
            figures.append(unmeasured(text, row=name, work=name, graph="", peer=""))
        print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    return figures, curves


def recorded_path(*, quick: bool) -> Path:
    """Say where the last recorded run of this kind of machine is."""
    return RECORDED / f"{machine_name()}{'-quick' if quick else ''}.json"


def read_recorded(*, quick: bool) -> dict[str, Any] | None:
    """Read the last recorded run of this kind of machine, where there is one."""
    path = recorded_path(quick=quick)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    data = os.environ.get("ROLLBY_BENCH_DATA")
    parser.add_argument("--data", type=Path, default=Path(data) if data else None, metavar="DIR",
                        help="extracts, DIMACS files; default: $ROLLBY_BENCH_DATA")  # fmt: skip
    add_cache(parser)
    parser.add_argument("--rows", type=_row_names, default=list(ROWS), metavar="NAME,...",
                        help=f"of {', '.join(ROWS)}; default: all")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="about a minute, mostly without data")
    parser.add_argument("--own-time", action="store_true",
                        help="count the thread's own time: for a shared machine")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--out", type=Path, default=HERE / "out", metavar="DIR",
                        help="for report.md, report.json and drawings (%(default)s)")  # fmt: skip
    parser.add_argument("--record", action="store_true",
                        help="keep this run to compare later ones with")  # fmt: skip
    options = parser.parse_args(words)
    if options.own_time and options.record:
        parser.error("--own-time: such a run is not recorded; leave out --record")
    if options.own_time and (apart := APART.intersection(options.rows)):
        parser.error(f"--own-time: {', '.join(sorted(apart))} run in other processes; name --rows")
    return options


def _row_names(text: str) -> list[str]:
    """Split and check names of rows."""
    names = text.split(",")
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: must be of {', '.join(ROWS)}")
    return names


def _write(options: argparse.Namespace, text: str, values: dict[str, Any]) -> None:
    """Write the report."""
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.md").write_text(text + "\n", encoding="utf-8")
    for path in filter(None, (options.out / "report.json", options.json)):
        _write_json(path, values)


def _write_json(path: Path, values: dict[str, Any]) -> None:
    """Write JSON, a figure's line short enough to read a difference."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
