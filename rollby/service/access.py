"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rollby.service.rights import Right

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    Who asks.

    Parameters
    ----------
    name : str
        For the record.
    rights : set of Right
        What is allowed.
    unit_ids : set of str or None
        Whose answers and positions it may send, whose suggestions it sees; None for all.
    """

    name: str
    rights: AbstractSet[Right]
    unit_ids: AbstractSet[str] | None = None

    def may(self, right: Right) -> bool:
        """Tell whether something is allowed."""
        return right in self.rights

    def stands_for(self, unit_id: str) -> bool:
        """Tell whether a unit is one of the caller's own."""
        return self.unit_ids is None or unit_id in self.unit_ids


LOOPBACK = Caller(name="loopback", rights=frozenset(Right))
"""Whoever is on this machine, where there are no accounts: may do everything."""
