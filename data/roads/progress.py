"""How long work tells what it is doing, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Takes what is being done now, and the share of the whole that is done, 0 to 1."""


def silent(step: str, share: float) -> None:
    """Tell nobody."""
