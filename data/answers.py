"""What rollby says: routes, suggestions, coverage. Frozen, keyword-only values that maps draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt

    from data.records import Flag, Freshness, StopPhase, Unit, UnitStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """
    A way between two positions, by road or a few steps on foot.

    Parameters
    ----------
    drive_time_s, distance_m : float
        Seconds and metres from end to end.
    lon_deg, lat_deg : tuple of float
        The line driven, snapped ends included.
    streets : tuple of (str, float)
        Street names in order, each with the metres driven on it; "" where a road has no name.
    turns : tuple of str
        How each street is entered from the one before: ``straight``, ``slight right``, ``right``,
        ``sharp right``, the same to the left, ``turn round``; ``set out`` for the first.
    on_foot : bool
        Walked, straight.
    """

    drive_time_s: float
    distance_m: float
    lon_deg: tuple[float, ...]
    lat_deg: tuple[float, ...]
    streets: tuple[tuple[str, float], ...]
    turns: tuple[str, ...] = ()
    on_foot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NearUnit:
    """
    A unit that can reach a stop, and how soon.

    Parameters
    ----------
    unit_id, agency : str
        Who.
    status : UnitStatus
        What it is doing: whoever is near is named, asked or not.
    officers : int
        In the car.
    drive_time_s : float
        From its last fix to the stop, without allowance for the fix's age.
    t_lo_s, t_hi_s : float
        Bounds of what an old fix still proves (model, section 2).
    probability : float
        Chance F of being there within T.
    fix_age_s : float
        Age of the fix.
    freshness : Freshness
        What that age means.
    assigned : bool
        On its way as this stop's backup.
    """

    unit_id: str
    agency: str
    status: UnitStatus
    officers: int
    drive_time_s: float
    t_lo_s: float
    t_hi_s: float
    probability: float
    fix_age_s: float
    freshness: Freshness
    assigned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerUp:
    """
    Who would have been asked next.

    Parameters
    ----------
    unit_id : str
        Who.
    score : float
        S of model section 4, officer-minutes.
    drive_time_s : float
        From its last fix to the stop.
    """

    unit_id: str
    score: float
    drive_time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """
    The one unit that should roll by.

    Parameters
    ----------
    unit_id : str
        Who.
    drive_time_s, distance_m : float
        By road, from its last fix.
    arrival_at : datetime
        Now plus the working figure tau, which allows for the fix's age.
    score : float
        S of model section 4, officer-minutes.
    coverage_loss : float
        Share of demand that loses its cover while the unit is away, 0 to 1.
    reasons : tuple of str
        Sentences a person can check.
    route : Route
        The way.
    runner_up : RunnerUp or None
        Who would have been asked next.
    """

    unit_id: str
    drive_time_s: float
    distance_m: float
    arrival_at: datetime
    score: float
    coverage_loss: float
    reasons: tuple[str, ...]
    route: Route
    runner_up: RunnerUp | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAdvice:
    """
    What rollby says of one stop.

    Parameters
    ----------
    stop_id, unit_id : str
        The stop and the unit on it.
    lon_deg, lat_deg : float or None
        Where; None where nobody knows.
    street : str
        Name of the road it snapped to; "" if it has none.
    phase : StopPhase
        How far it has come.
    age_s : float or None
        Since it began; None if unknown.
    officers_present, needs : int
        On scene, and wanted.
    within_s : float
        T at this place.
    backup_probability : float
        G of model section 3.
    flag : Flag
        covered, thin or alone.
    priority : float
        Exposure, officer-minutes; stops come by it.
    notes : tuple of str
        What a reader should know.
    nearest : tuple of NearUnit
        Up to five reachable units, soonest first, whatever their status.
    suggestion : Suggestion or None
        Who should roll by.
    why_none : str or None
        Why nobody is suggested, where `suggestion` is None.
    """

    stop_id: str
    unit_id: str
    lon_deg: float | None
    lat_deg: float | None
    street: str
    phase: StopPhase
    age_s: float | None
    officers_present: int
    needs: int
    within_s: float
    backup_probability: float
    flag: Flag
    priority: float
    notes: tuple[str, ...]
    nearest: tuple[NearUnit, ...]
    suggestion: Suggestion | None
    why_none: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """
    A unit as it stands at the instant of an answer.

    Parameters
    ----------
    unit : Unit
        As reported.
    fix_age_s : float
        Age of its fix.
    freshness : Freshness
        What that age means.
    askable : bool
        Could be asked to roll by.
    why_not : str
        Why it cannot be asked; "" where it can.
    """

    unit: Unit
    fix_age_s: float
    freshness: Freshness
    askable: bool
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """
    The answer for one instant: every stop that is open, every unit.

    Parameters
    ----------
    at : datetime
        The instant, UTC.
    stops : tuple of StopAdvice
        By falling priority.
    units : tuple of UnitState
        By unit_id.
    within_s : float
        T, the time within which backup should be there.
    simulated : bool
        Drawn from simulated data; says so wherever it is shown.
    left_out : tuple of str
        Faulty rows that this was worked out without, each with its fault; shown wherever it is.
    """

    at: datetime
    stops: tuple[StopAdvice, ...]
    units: tuple[UnitState, ...]
    within_s: float
    simulated: bool = False
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """
    A connected stretch of road whose second car is further than T.

    Parameters
    ----------
    km : float
        Length of road in it.
    lon_deg, lat_deg : float
        A point on its longest road.
    street : str
        That road's name; "" if it has none.
    """

    km: float
    lon_deg: float
    lat_deg: float
    street: str


CARS = ("first", "second", "third", "fourth", "fifth")
"""The nearest units, as files call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """
    Drive time from the k nearest idle units, for every directed edge.

    Parameters
    ----------
    at : datetime
        The instant, UTC.
    within_s : float
        T.
    nearest_s : ndarray of float64, shape (n_edges, k)
        Seconds to the middle of the edge, the nearest unit first; inf where no unit gets there.
    stops_an_hour : ndarray of float64, shape (n_edges,)
        Stops that are expected to begin on the edge in an hour.
    stops_recorded : int or None
        How many recorded stops that rests on; None where stops go by length of road.
    probability : ndarray of float64, shape (n_edges,)
        G of model section 3.
    gap : ndarray of bool, shape (n_edges,)
        Whose second car is further than T.
    gaps : tuple of Gap
        Connected stretches of such road, longest first.
    units : tuple of UnitState
        Every unit; the askable ones were counted.
    simulated : bool
        Drawn from simulated data; says so wherever it is shown.
    left_out : tuple of str
        Faulty rows that this was worked out without, each with its fault; shown wherever it is.
    """

    at: datetime
    within_s: float
    nearest_s: npt.NDArray[np.float64]
    stops_an_hour: npt.NDArray[np.float64]
    probability: npt.NDArray[np.float64]
    gap: npt.NDArray[np.bool_]
    gaps: tuple[Gap, ...]
    units: tuple[UnitState, ...]
    stops_recorded: int | None = None
    simulated: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def first_s(self) -> npt.NDArray[np.float64]:
        """Seconds from the nearest unit, shape (n_edges,)."""
        return self.nearest_s[:, 0]

    @property
    def second_s(self) -> npt.NDArray[np.float64]:
        """Seconds from the second nearest, shape (n_edges,)."""
        return self.nearest_s[:, 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """
    How ready a zone is for its next stops.

    Parameters
    ----------
    name : str
        The beat's, or the street with most road in the cell; "" where none has a name.
    lon_deg, lat_deg : float
        Within it.
    preparedness : float
        p of model section 6; only to compare zones that are cut alike.
    second_s : float
        Drive time of the second car to the middling piece of its road, seconds; inf for nobody.
    stops_an_hour : float
        That are expected to begin there.
    """

    name: str
    lon_deg: float
    lat_deg: float
    preparedness: float
    second_s: float
    stops_an_hour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedStop:
    """
    A stop of a recorded period, and how long it was short of officers.

    Parameters
    ----------
    stop_id, unit_id : str
        Which, and whose.
    lon_deg, lat_deg : float or None
        Where; None where that is not known.
    began : datetime
        When.
    lasted_min : float
        How long it went on.
    exposed_min : float
        Of that, with fewer officers there than wanted.
    came : tuple of str
        Other units that were there, by arrival.
    """

    stop_id: str
    unit_id: str
    lon_deg: float | None
    lat_deg: float | None
    began: datetime
    lasted_min: float
    exposed_min: float
    came: tuple[str, ...]
