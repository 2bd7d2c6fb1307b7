"""How many examples a property test draws: few in `make test`, many in `make prove`."""

from __future__ import annotations

import os

FACTOR = "ROLLBY_PROVE_FACTOR"


def examples(count: int) -> int:
    """
    Scale a number of examples; what a test states itself overrides hypothesis's profile.

    Parameters
    ----------
    count : int
        For an ordinary run.

    Returns
    -------
    count : int
        Times the environment's `FACTOR`.

    Raises
    ------
    ValueError
        If that is no whole number above 0.
    """
    text = os.environ.get(FACTOR, "1")
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError(f"{FACTOR}={text}: must be a whole number above 0")
    return count * int(text)
