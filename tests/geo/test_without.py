from __future__ import annotations

from data.events import StatusChange, StopChange
from data.records import Stop, UnitStatus
from geo.without import without_agencies
from tests.geo.test_gaps import history, moment


def shows(unit_id: str, agency: str, second: float = 0) -> StatusChange:
    status = UnitStatus.AVAILABLE
    return StatusChange(unit_id=unit_id, at=moment(second), status=status, agency=agency)


def stop(unit_id: str) -> StopChange:
    one = Stop(stop_id=f"S-{unit_id}", unit_id=unit_id, started_at=moment(0))
    return StopChange(stop=one, at=moment(0))


def test_units_of_those_agencies_and_their_stops_are_left_out() -> None:
    whole = history(
        [(unit, float(i), float(i), 0.0, 0.0) for i, unit in enumerate(["1A1", "1A2", "1A3"] * 2)],
        [shows("1A1", "City"), shows("1A2", "City"), shows("1A2", "Sheriff", 9), shows("1A3", "")],
        [stop("1A1"), stop("1A2")],
    )
    left = without_agencies(whole, {"Sheriff"})
    assert {left.fixes.unit_ids[row] for row in left.fixes.unit_row} == {"1A1", "1A3"}
    assert [one.unit_id for one in left.statuses] == ["1A1", "1A3"]
    assert [one.stop.unit_id for one in left.stops] == ["1A1"]
    assert without_agencies(whole, {"Campus"}) is whole
