"""What really happened in a simulated shift: who was where, whatever was reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.records import StopPhase
    from data.road_table import FloatArray
    from geo.snap import Position

GRID_S = 10.0  # a stop's minutes are counted in steps of this


@dataclass(slots=True)
class StopTruth:
    """
    A stop as it was.

    Attributes
    ----------
    stop_id, unit_id : str
        Which, and whose.
    began_s, ended_s : float
        Seconds since the epoch.
    officers, needs : int
        In its own car, and wanted.
    phases : list of (float, StopPhase)
        From when each.
    helped : list of (float, float, int)
        Arrival, departure and officers of each other car that was there.
    reach : list of (float, bool)
        At instants ten seconds apart: could any free unit have been there within T?
    waits : list of str
        At those instants, what was being done: ``coming`` where a car was driving there, ``asked``
        where one was being asked, ``far`` where no free unit was within the longest drive.
    soonest_s : float
        No car, asked as the stop began, could have been there before this instant.
    """

    stop_id: str
    unit_id: str
    began_s: float
    ended_s: float
    officers: int
    needs: int
    phases: list[tuple[float, StopPhase]]
    helped: list[tuple[float, float, int]] = field(default_factory=list)
    reach: list[tuple[float, bool]] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    soonest_s: float = np.inf

    def instants_s(self) -> FloatArray:
        """
        List the instants at which it is looked at.

        Returns
        -------
        instants_s : ndarray of float64
            `GRID_S` apart, seconds since the epoch.
        """
        return np.arange(self.began_s + GRID_S / 2, self.ended_s, GRID_S)

    def present(self, at_s: float) -> int:
        """
        Count the officers there.

        Returns
        -------
        officers : int
            At that instant.
        """
        came = sum(count for since, until, count in self.helped if since <= at_s < until)
        return self.officers + came

    def steps_short(self) -> int:
        """
        Count the instants with fewer officers there than wanted.

        Returns
        -------
        steps : int
            Each stands for `GRID_S`.
        """
        return sum(self.present(at_s) < self.needs for at_s in self.instants_s().tolist())

    def phase(self, at_s: float) -> StopPhase:
        """
        Give the phase.

        Returns
        -------
        phase : StopPhase
            At that instant.
        """
        return [phase for since, phase in self.phases if since <= at_s or since == self.began_s][-1]


@dataclass(slots=True)
class Truth:
    """
    A shift as it was.

    Attributes
    ----------
    stops : dict of str to StopTruth
        By stop_id.
    places : dict of int to Position
        Where the k-th stop began.
    covered : list of (float, float)
        At instants two minutes apart: share of demand within T of a free unit.
    asked : list of (float, str, str)
        When, who, and for which suggestion.
    came : dict of str to float
        By suggestion: when whoever was asked arrived, while the stop went on.
    calls_lost : int
        Calls for service that found no free unit.
    stops_lost : int
        Stops that no free unit could make.
    unit_hours : float
        On duty.
    """

    stops: dict[str, StopTruth] = field(default_factory=dict)
    places: dict[int, Position] = field(default_factory=dict)
    covered: list[tuple[float, float]] = field(default_factory=list)
    asked: list[tuple[float, str, str]] = field(default_factory=list)
    came: dict[str, float] = field(default_factory=dict)
    calls_lost: int = 0
    stops_lost: int = 0
    unit_hours: float = 0.0

    def exposure_min(self) -> float:
        """
        Count the minutes of stops with fewer officers there than wanted.

        Returns
        -------
        minutes : float
            In steps of `GRID_S`.
        """
        return sum(stop.steps_short() for stop in self.stops.values()) * GRID_S / 60
