"""How many examples a property is tried on."""

from __future__ import annotations

import os


def examples(count: int) -> int:
    """
    Multiply a test's number of examples, for long proofs.

    Parameters
    ----------
    count : int
        How many in everyday runs.

    Returns
    -------
    count : int
        Times `ROLLBY_PROVE_FACTOR`, if that is set.
    """
    return count * int(os.environ.get("ROLLBY_PROVE_FACTOR", "1"))
