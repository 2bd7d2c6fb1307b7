"""
The types that kernels are pinned to.

A kernel without a pinned signature is compiled anew, in the middle of a request, for the first
array of another kind. Inputs are read-only: those of a mapped ``.roads`` file are, and arrays that
may be written to are taken for such as well.
"""

from __future__ import annotations

from typing import Any

from numba import types

UNCOUNTED: Any = {"_nrt": False}
"""For `numba.njit`: a kernel that makes no arrays need not count who holds those it is given."""

INTS = types.Array(types.int32, 1, "C", readonly=True)
ROWS = types.Array(types.int32, 2, "C", readonly=True)
INTS_OUT = types.Array(types.int32, 1, "C")
ROWS_OUT = types.Array(types.int32, 2, "C")
FLOATS = types.Array(types.float64, 1, "C", readonly=True)
FLOAT_ROWS = types.Array(types.float64, 2, "C", readonly=True)
FLOATS_OUT = types.Array(types.float64, 1, "C")
FLOAT_ROWS_OUT = types.Array(types.float64, 2, "C")
TRUTHS = types.Array(types.boolean, 1, "C", readonly=True)
TRUTHS_OUT = types.Array(types.boolean, 1, "C")
TRUTH_ROWS = types.Array(types.boolean, 2, "C", readonly=True)
LONGS = types.Array(types.int64, 1, "C", readonly=True)
LONGS_OUT = types.Array(types.int64, 1, "C")
LONG_ROWS_OUT = types.Array(types.int64, 2, "C")
UINTS_OUT = types.Array(types.uint32, 1, "C")
UINT_ROWS_OUT = types.Array(types.uint32, 2, "C")
QUEUE = types.Array(types.uint64, 2, "C")
INT = types.int64
FLOAT = types.float64
TRUTH = types.boolean
NOTHING = types.void
ROW = types.uint32
"""A row number: never counted from the end, so kernels need no test for that."""


def several(*kinds: types.Type) -> types.Type:
    """
    Name the type of a kernel that gives several values.

    Returns
    -------
    kind : numba.types.Type
        Of their tuple.
    """
    return types.Tuple(kinds)  # type: ignore[no-untyped-call]
