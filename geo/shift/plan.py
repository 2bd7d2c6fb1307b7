"""What a simulated shift is made of; every figure is an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from data.records import StopPhase

NEXT_PHASE = {
    StopPhase.CONTACT: StopPhase.SECURED,
    StopPhase.SECURED: StopPhase.CUSTODY,
    StopPhase.CUSTODY: StopPhase.AWAITING_TOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftPlan:
    """
    A shift to simulate. The defaults are choices of ours but for the rates by hour of week.

    Parameters
    ----------
    start : datetime
        When it begins; its local hour of the week sets the rate of stops.
    hours : float
        How long it lasts.
    units : int
        On duty.
    two_officer_share : float
        Of cars with two officers.
    second_agency_share : float
        Of units that belong to another agency.
    stops_per_unit_hour : float
        Mean over the week; by hour of week it follows `geo.shift.rates`.
    weekly : bool
        False: stops are as many at whatever hour.
    calls_per_unit_hour : float
        Calls for service that take a unit away.
    call_min : float
        Mean minutes at a call.
    phase_min : dict of StopPhase to float
        Mean minutes of each phase, exponential.
    goes_on : dict of StopPhase to float
        Chance that a stop comes to the next phase rather than ends.
    comes : float
        Chance that an officer who is asked comes.
    answer_s, answer_spread : float
        Median and log-spread of the seconds to an answer.
    drive_spread : float
        Log-spread of real drives around the reckoned time.
    help_max_min : float
        Whoever came leaves after so long.
    moving_s, parked_s : float
        Seconds between fixes.
    noise_m : float
        Standard deviation of a fix, east and north.
    dead_zones : int
        Discs where fixes are stored and sent later.
    dead_share : float
        Of the map's extent that they cover.
    skew_s : float
        Standard deviation of the units' clocks.
    """

    start: datetime = datetime(2026, 3, 13, 18, tzinfo=UTC)
    hours: float = 8.0
    units: int = 40
    two_officer_share: float = 0.15
    second_agency_share: float = 0.25
    stops_per_unit_hour: float = 0.5
    weekly: bool = True
    calls_per_unit_hour: float = 0.4
    call_min: float = 25.0
    phase_min: dict[StopPhase, float] = field(
        default_factory=lambda: {
            StopPhase.CONTACT: 8.0,
            StopPhase.SECURED: 15.0,
            StopPhase.CUSTODY: 25.0,
            StopPhase.AWAITING_TOW: 20.0,
        }
    )
    goes_on: dict[StopPhase, float] = field(
        default_factory=lambda: {
            StopPhase.CONTACT: 0.25,
            StopPhase.SECURED: 0.4,
            StopPhase.CUSTODY: 0.4,
        }
    )
    comes: float = 0.85
    answer_s: float = 10.0
    answer_spread: float = 0.5
    drive_spread: float = 0.25
    help_max_min: float = 40.0
    moving_s: float = 15.0
    parked_s: float = 60.0
    noise_m: float = 5.0
    dead_zones: int = 2
    dead_share: float = 0.02
    skew_s: float = 0.5

    @property
    def start_s(self) -> float:
        """When it begins, whole seconds since the epoch."""
        return float(round(self.start.timestamp()))

    @property
    def end_s(self) -> float:
        """When it ends, seconds since the epoch."""
        return self.start_s + 3600 * self.hours
