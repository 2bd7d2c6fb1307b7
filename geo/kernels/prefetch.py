"""Asking for memory ahead of its use: a search that knows what comes next need not wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

_READ, _KEEP_NEAR, _DATA = 0, 3, 1


def _typed(_: Any, rows: types.Type, row: types.Type) -> tuple[Any, Callable[..., Any]]:
    """Give what numba calls by: the types, and what writes the instruction."""
    return types.void(rows, row), _written


def _written(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Write the instruction, with the address of a row's first number."""
    held, number = signature.args
    array = context.make_array(held)(context, builder, values[0])
    row = context.cast(builder, values[1], number, types.intp)
    at = [row] + [row.type(0)] * (held.ndim - 1)
    spot = cgutils.get_item_pointer(context, builder, held, array, at)  # type: ignore[no-untyped-call]
    address = builder.bitcast(spot, cgutils.voidptr_t)
    word = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [address.type, word, word, word])
    ask = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
    builder.call(ask, [address, word(_READ), word(_KEEP_NEAR), word(_DATA)])
    return context.get_dummy_value()


prefetch: Callable[[Any, Any], None] = intrinsic(_typed)  # type: ignore[assignment]
"""Begin to load a row of an array into the nearest cache, and wait for nothing."""
