"""Where the remaining time goes, and how far it is to what memory allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from bench import ours
from bench.figure import Figure
from bench.setup import HORIZON_S, anywhere
from bench.timing import Spread, spread, watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.setup import Setup

WORDS = 1 << 25  # 128 MB of int32: past every cache
LINE = 64


@njit("i8(i4[::1])", nogil=True)
def _sum(words):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - compiled
    total = 0
    for i in range(len(words)):
        total += words[i]
    return total


@njit("i8(i4[::1], i4[::1])", nogil=True)
def _gather(words, rows):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - compiled
    total = 0
    for i in range(len(rows)):
        total += words[rows[i]]
    return total


def profile(setup: Setup) -> Iterator[Figure]:
    """Split a stop's search into calls, kernel and reading; hold the kernel against memory."""
    graph = setup.main_graph()
    net = setup.network(graph)
    units, nodes = anywhere(graph, 1000), anywhere(graph, 20, seed=1).tolist()
    phases, places = ours.search_phases(net, units, nodes, HORIZON_S)
    facts = {"row": "profile", "graph": graph.name, "peer": ""}
    taken = {}
    for work, run in phases.items():
        taken[work] = watch(run, places, seconds=setup.seconds(2))
        yield Figure(**facts, work=f"of a stop's search: {work}", value=taken[work], unit="s")
    settled = float(np.mean([ours.settled(net, place, HORIZON_S) for place in places]))
    kernel_s = taken[ours.KERNEL].median
    rate = spread([settled / kernel_s / 1e6])
    note = f"{settled:,.0f} states a search; kernel time includes taking and giving back its arrays"
    yield Figure(**facts, work="states settled a second", value=rate, unit="M/s", note=note)
    yield from _memory(setup, facts, settled, kernel_s, ours.bytes_per_state(net))


def _memory(
    setup: Setup, facts: dict[str, str], settled: float, kernel_s: float, size: float
) -> Iterator[Figure]:
    """Measure this machine's memory, and say what share of its limit the kernel reaches."""
    words = np.ones(WORDS, np.int32)
    rows = np.random.default_rng(1).integers(0, WORDS, 1 << 20).astype(np.int32)
    near = rows % (1 << 19)  # 2 MB: about what one search works on
    seconds = setup.seconds(1.5)
    stream = watch(lambda _: _sum(words), [0], seconds=seconds)
    far = watch(lambda _: _gather(words, rows), [0], seconds=seconds)
    close = watch(lambda _: _gather(words, near), [0], seconds=seconds)
    stream_gb = _inverse(stream, words.nbytes / 1e9)
    yield Figure(**facts, work="memory read in order", value=stream_gb, unit="GB/s")
    for work, one in (("memory read at random, 128 MB", far), ("the same, 2 MB", close)):
        yield Figure(**facts, work=work, value=_inverse(one, len(rows) / 1e6), unit="M/s")
    floor_s = settled * size / (stream_gb.median * 1e9)
    lines = size / LINE
    gathers_s = settled * max(lines, 1.0) * far.median / len(rows)
    note = (
        f"{size:.0f} B touched a state: {floor_s * 1e6:.0f} us if all came in order; "
        f"{gathers_s * 1e6:.0f} us if each line of {LINE} B came from far memory; "
        f"the kernel takes {kernel_s * 1e6:.0f} us"
    )
    distance = spread([kernel_s / floor_s])
    yield Figure(
        **facts, work="kernel time over the least that memory allows", value=distance, note=note
    )


def _inverse(taken: Spread, amount: float) -> Spread:
    """Turn seconds into an amount a second."""
    return Spread(
        median=amount / taken.median,
        least=amount / taken.least,
        low=amount / taken.high,
        high=amount / taken.low,
        count=taken.count,
    )
