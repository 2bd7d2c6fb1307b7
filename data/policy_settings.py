"""The constants of the model, as the settings have them: the table `[policy]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from data.records import StopPhase
from data.setting_parts import NonNegative, Positive, Section, Share

OpenPhase = Literal[StopPhase.CONTACT, StopPhase.SECURED, StopPhase.CUSTODY, StopPhase.AWAITING_TOW]
PhaseTable = dict[OpenPhase, Positive]


class Policy(Section):
    """The constants of the model. Each description is its line in `rollby settings` too."""

    within_s: Positive = Field(
        180.0, description="T: backup should be there within so many seconds (urban 180, "
        "suburban 300, rural 600)"
    )  # fmt: skip
    drive_time_spread: Positive = Field(
        0.35, description="sigma of ln(drive time): how far real drives scatter"
    )
    comes_when_asked: Share = Field(
        0.85, description="r: chance that a unit comes when it is asked"
    )
    heartbeat_s: Positive = Field(
        60.0, description="a parked unit reports at least so often; it may miss two"
    )
    standing_below_mps: Positive = Field(1.0, description="slower than this is parked")
    silent_after_s: Positive = Field(
        120.0, description="a unit last seen moving is shown as silent from this age of its fix"
    )
    stale_moving_s: Positive = Field(
        300.0, description="last seen moving (or speed unknown): asked no more past this age"
    )
    stale_parked_s: Positive = Field(
        900.0, description="last seen parked: asked no more past this age"
    )
    alone_below: Share = Field(0.6, description="G below this flags a stop as alone")
    covered_from: Share = Field(
        0.8, description="G from here on is covered, if the next line holds too"
    )
    covered_without_best: Share = Field(
        0.6, description="G without its best unit must still reach this to be covered"
    )
    duration_min: PhaseTable = Field(
        {
            StopPhase.CONTACT: 8.0,
            StopPhase.SECURED: 15.0,
            StopPhase.CUSTODY: 25.0,
            StopPhase.AWAITING_TOW: 20.0,
        },
        description="D: mean minutes that a stop still lasts, seen from a phase",
    )
    weight: PhaseTable = Field(
        {
            StopPhase.CONTACT: 1.0,
            StopPhase.SECURED: 1.0,
            StopPhase.CUSTODY: 1.2,
            StopPhase.AWAITING_TOW: 1.2,
        },
        description="m: what a minute alone weighs; secured never lowers it below contact",
    )
    coverage_weight: NonNegative = Field(
        1.0, description="lambda: how much the cover that a car leaves behind counts"
    )
    cover_spare_share: Share = Field(
        0.1, description="L0: so much of the demand's cover may leave with a car for nothing"
    )
    stops_per_unit_hour: NonNegative = Field(
        0.5, description="new stops an hour per unit on duty (gives Lambda)"
    )
    new_stop_min: Positive = Field(
        8.0, description="D0: minutes lost at a new stop that has lost its cover"
    )
    preparedness_second: Share = Field(
        0.5, description="gamma of the second car in preparedness, beside 1 of the first"
    )
    preparedness_third: Share = Field(0.25, description="gamma of the third: at most the second's")
    preparedness_nearest_s: Positive = Field(
        30.0, description="no car counts as nearer than this in preparedness"
    )
    preparedness_stops_min: Positive = Field(
        0.01, description="d_min: a zone counts as having at least so many stops an hour"
    )
    score_min: NonNegative = Field(0.5, description="officer-minutes a suggestion must be worth")
    drive_max_s: Positive = Field(
        600.0, description="nobody is asked to drive longer than this, or twice T if longer"
    )
    tie_share: Share = Field(
        0.01, description="scores this close are a tie: the least recently asked goes"
    )
    reserve_from_units: Annotated[int, Field(ge=2)] = Field(
        4, description="with so many idle units or more, one stays in reserve (never against alone)"
    )
    asks_per_hour_max: Annotated[int, Field(ge=1)] = Field(
        6, description="a unit is asked at most so often an hour"
    )
    present_within_m: Positive = Field(
        60.0, description="assigned backup this near to the stop is there"
    )
    present_after_s: Positive = Field(
        20.0, description="live: any car this long so near to a stop has arrived"
    )
    tick_s: Positive = Field(10.0, description="live: positions are weighed anew so often")
    alone_after_s: NonNegative = Field(
        60.0, description="live: alone is raised when it has lasted so long"
    )
    alone_until: Share = Field(0.7, description="live: and cleared when G is above this")
    status_stop_after_s: NonNegative = Field(
        15.0, description="live: a stop known by status alone is asked about after so long"
    )
    answer_within_s: Positive = Field(30.0, description="live: who is asked has so long to answer")
    round_units: Annotated[int, Field(ge=1)] = Field(
        3, description="live: so many units are asked one after the other, then the supervisor"
    )
    round_every_s: Positive = Field(
        300.0, description="live: the next round begins so long after the last began"
    )
    switch_saves_s: NonNegative = Field(
        60.0, description="live: an open suggestion gives way to one that is sooner by this"
    )
    mute_min: Positive = Field(15.0, description="live: a mute lasts so long")
    promise_late_s: NonNegative = Field(
        120.0, description="live: who is en route and so much later than twice the drive is not"
    )
    prompt_first_min: Positive = Field(
        3.0, description="live: dispatch is to check on an alone officer after so many minutes"
    )
    prompt_second_min: Positive = Field(8.0, description="live: a second time after so many")
    prompt_every_min: Positive = Field(10.0, description="live: and then every so many minutes")
    prompt_within_s: Positive = Field(
        60.0, description="live: a check that is not answered so soon goes to the supervisor"
    )
    sounds_per_hour_max: Annotated[int, Field(ge=0)] = Field(
        12, description="live: sounds to a supervisor an hour; the list is never cut"
    )

    @field_validator("duration_min", "weight")
    @classmethod
    def _fill_phases(cls, table: PhaseTable, info: ValidationInfo) -> PhaseTable:
        """Take the default of each phase that is left out."""
        default: PhaseTable = cls.model_fields[str(info.field_name)].default
        return {**default, **table}

    @model_validator(mode="after")
    def _values_fit(self) -> Policy:
        """
        Hold the rules that tie one value to another.

        Raises
        ------
        ValueError
            If secured weighs less than contact, the flags' bounds are out of order, or a third car
            counts for more than a second.
        """
        for name in ("duration_min", "weight"):
            table = getattr(self, name)
            if not table[StopPhase.SECURED] >= table[StopPhase.CONTACT]:
                raise ValueError(
                    f"policy.{name}.secured: must be at least that of contact; "
                    "secured never lowers the need for backup"
                )
        if not self.covered_from >= self.alone_below:
            raise ValueError("policy.covered_from: must be at least alone_below")
        if not self.preparedness_second >= self.preparedness_third:
            raise ValueError("policy.preparedness_third: must be at most preparedness_second")
        return self
