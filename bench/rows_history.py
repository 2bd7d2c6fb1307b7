"""Nearest units of many snapshots at once; its measuring is `bench/history.py`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from bench.figure import Aim, unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.figure import Curve, Figure
    from bench.setup import Setup

ONE_AIM = Aim(target=200, stretch=500)
TWO_AIM = Aim(target=20, stretch=65)


def history(setup: Setup) -> Iterator[Figure | Curve]:
    """Take the figures of `bench.history.figures(setup)`, where it is built."""
    try:
        module = importlib.import_module("bench.history")
    except ModuleNotFoundError as fault:
        facts = {"row": "history", "graph": "", "work": "history, k = 1, many snapshots at once"}
        reason = f"{fault.name} is not built yet"
        yield unmeasured(reason, **facts, peer="scipy `min_only` per snapshot", aim=ONE_AIM)
        facts["work"] = "history, k = 2 with ids, many snapshots at once"
        yield unmeasured(reason, **facts, peer="ours one by one", aim=TWO_AIM)
        return
    yield from module.figures(setup)
