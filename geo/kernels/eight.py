"""
Distances to eight segments at once, in the wide registers that processors have for it.

numba and LLVM leave the loop over a cell's segments one by one: they cannot know that its arrays
do not overlap, and cells are short. What is written here for eight is cut to what a processor has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from geo.kernels.grid import EAST0, EAST1, NORTH0, NORTH1, SEGMENT

if TYPE_CHECKING:
    from collections.abc import Callable

EIGHT = 8
COORDINATES = (EAST0, NORTH0, EAST1, NORTH1)
TINY = 1e-300  # keeps a division by a length of 0 harmless

_WORDS = ir.VectorType(ir.IntType(32), EIGHT)
_TWO = ir.VectorType(ir.IntType(32), 2 * SEGMENT)
_FLOATS = ir.VectorType(ir.DoubleType(), EIGHT)


def _typed(
    _: Any,
    segment: types.Type,
    first: types.Type,
    east: types.Type,
    north: types.Type,
    east_m: types.Type,
    north_m: types.Type,
    square: types.Type,
    along: types.Type,
    to: types.Type,
) -> tuple[Any, Callable[..., Any]]:
    """Give what numba calls by: the types, and what writes the instructions."""
    kinds = (segment, first, east, north, east_m, north_m, square, along, to)
    return types.void(*kinds), _written


def _all(number: float) -> ir.Constant:
    """Give a number eight times."""
    return ir.Constant(_FLOATS, [number] * EIGHT)


def _written(context: Any, b: Any, signature: Any, values: Any) -> Any:
    """Write the instructions: `tests.geo.plain.distance`, for eight."""
    kinds = signature.args

    def spot(which: int, at: list[Any], kind: ir.Type) -> Any:
        array = context.make_array(kinds[which])(context, b, values[which])
        place = cgutils.get_item_pointer(context, b, kinds[which], array, at)  # type: ignore[no-untyped-call]
        return b.bitcast(place, kind.as_pointer())

    def shuffle(one: Any, other: Any, order: list[int]) -> Any:
        return b.shuffle_vector(
            one, other, ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order)
        )

    def two(row: int) -> Any:
        at = [b.add(values[1], values[1].type(row)), values[1].type(0)]
        return b.load(spot(0, at, _TWO), align=4)

    def four(row: int) -> Any:
        """Load four segments; give their coordinates, column by column."""
        one, other = two(row), two(row + 2)
        return shuffle(one, other, [at + SEGMENT * row for at in COORDINATES for row in range(4)])

    def column(which: int) -> Any:
        begin = 4 * COORDINATES.index(which)
        order = [part + begin + row for part in (0, 4 * len(COORDINATES)) for row in range(4)]
        return b.sitofp(shuffle(*fours, order), _FLOATS)

    fours = four(0), four(4)

    def spread(number: Any) -> Any:
        none = ir.Constant(_FLOATS, ir.Undefined)
        one = b.insert_element(none, number, ir.Constant(ir.IntType(32), 0))
        return shuffle(one, none, [0] * EIGHT)

    def pick(sign: str, one: Any, other: Any) -> Any:
        return b.select(b.fcmp_ordered(sign, one, other), one, other)

    def dot(x: Any, y: Any, other_x: Any, other_y: Any) -> Any:
        return b.fadd(b.fmul(x, other_x), b.fmul(y, other_y))

    east, north, east_m, north_m = (spread(number) for number in values[2:6])
    x = b.fmul(b.fsub(column(EAST0), east), east_m)
    y = b.fmul(b.fsub(column(NORTH0), north), north_m)
    dx = b.fsub(b.fmul(b.fsub(column(EAST1), east), east_m), x)
    dy = b.fsub(b.fmul(b.fsub(column(NORTH1), north), north_m), y)
    length = pick(">", dot(dx, dy, dx, dy), _all(TINY))
    along = b.fdiv(b.fneg(dot(x, y, dx, dy)), length)
    along = pick("<", pick(">", along, _all(0.0)), _all(1.0))
    x, y = b.fadd(x, b.fmul(along, dx)), b.fadd(y, b.fmul(along, dy))
    for which, found in ((6, dot(x, y, x, y)), (7, along)):
        b.store(found, spot(which, [values[8]], _FLOATS), align=8)
    return context.get_dummy_value()


measure_eight: Callable[..., None] = intrinsic(_typed)
"""
Measure from a place to eight segments.

Called with: the segments, ``(e + 8, 8)`` as in `geo.snap_grid.SnapGrid`, and the first of the
eight; the place, units, and the length of a unit eastward and northward; where the squares of the
distances, m2, and the shares of the segments before the nearest points go, and from which row on.
"""
