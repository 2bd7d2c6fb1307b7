"""Randomness that is named: the same draw whatever else was drawn before it."""

from __future__ import annotations

import zlib

import numpy as np


def draws(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """
    Give the random numbers for one purpose.

    Two policies that meet the same shift so meet the same stops, durations, calls and answers,
    whatever either of them does (common random numbers).

    Parameters
    ----------
    seed : int
        Of the shift, >= 0.
    purpose : str
        What for.
    *numbers : int
        Which one, >= 0.

    Returns
    -------
    generator : numpy.random.Generator
        Always the same for the same arguments.
    """
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *numbers])
