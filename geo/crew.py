"""The units of a shift as columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from data.records import UnitStatus
from geo.sightings import AT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.events import StatusChange
    from data.road_table import BoolArray, IntArray
    from geo.sightings import Sightings


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """
    Units that have a status and were seen; each array of shape (u,).

    Parameters
    ----------
    unit_ids : tuple of str
        Rising.
    row_of : dict of str to int
        The place of each in these columns.
    rows : ndarray of int
        Their rows in `Sightings`.
    available : ndarray of bool
        Show themselves available.
    officers : ndarray of int
        In each car.
    agencies : tuple of str
        Whose each is.
    on_duty : int
        How many are not out of service.
    """

    unit_ids: tuple[str, ...]
    row_of: dict[str, int]
    rows: IntArray
    available: BoolArray
    officers: IntArray
    agencies: tuple[str, ...]
    on_duty: int

    def showing(self, before: StatusChange, change: StatusChange) -> Crew:
        """
        Write another status of one of them.

        Parameters
        ----------
        before, change : StatusChange
            What it showed, and shows now.

        Returns
        -------
        crew : Crew
            As `crew_of` would list it.
        """
        row = self.row_of[change.unit_id]
        available, officers = self.available.copy(), self.officers.copy()
        available[row] = change.status is UnitStatus.AVAILABLE
        officers[row] = change.officers
        agencies = self.agencies
        if before.agency != change.agency:
            agencies = (*agencies[:row], change.agency, *agencies[row + 1 :])
        out = UnitStatus.OUT_OF_SERVICE
        on_duty = self.on_duty + (before.status is out) - (change.status is out)
        return replace(
            self, available=available, officers=officers, agencies=agencies, on_duty=on_duty
        )


def crew_of(statuses: Mapping[str, StatusChange], seen: Sightings) -> Crew:
    """
    List the units.

    Parameters
    ----------
    statuses : mapping of str to StatusChange
        What each unit shows.
    seen : Sightings
        Where each was.

    Returns
    -------
    crew : Crew
        Without units that were never seen.
    """
    row_of = {unit_id: seen.row(unit_id) for unit_id in sorted(statuses)}
    known = [name for name, row in row_of.items() if np.isfinite(seen.fix[row, AT])]
    changes = [statuses[unit_id] for unit_id in known]
    return Crew(
        unit_ids=tuple(known),
        row_of={unit_id: row for row, unit_id in enumerate(known)},
        rows=np.array([row_of[unit_id] for unit_id in known], np.int64),
        available=np.array([one.status is UnitStatus.AVAILABLE for one in changes], np.bool_),
        officers=np.array([one.officers for one in changes], np.int64),
        agencies=tuple(one.agency for one in changes),
        on_duty=sum(one.status is not UnitStatus.OUT_OF_SERVICE for one in changes),
    )
