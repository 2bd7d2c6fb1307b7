"""Records check themselves, and NaN fails every bound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data.errors import FieldError, InputError, RollbyError, SourceUnreachableError
from data.records import Ask, Stop, StopPhase, Unit, UnitFix, UnitStatus

NOW = datetime(2026, 3, 14, 3, 40, tzinfo=UTC)
NAN = float("nan")


def fix(**change: Any) -> UnitFix:
    """A fix, one value changed."""
    values: dict[str, Any] = {"fixed_at": NOW, "lon_deg": 0, "lat_deg": 0}
    return UnitFix(**(values | change))


def stop(**change: Any) -> Stop:
    """A stop, one value changed."""
    values: dict[str, Any] = {"stop_id": "S", "unit_id": "U", "started_at": NOW}
    return Stop(**(values | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lon_deg": 181}, "lon=181: must be from -180 to 180"),
        ({"lat_deg": NAN}, "lat=nan: must be from -90 to 90"),
        ({"heading_deg": 361}, "heading_deg=361: must be from 0 to 360; leave it empty if unknown"),
        ({"speed_mps": -3.0}, "speed_mps=-3.0: must be from 0 to 150"),
        ({"accuracy_m": NAN}, "accuracy_m=nan: must be >= 0"),
        ({"fixed_at": NOW.replace(tzinfo=None)}, "must have an offset or Z"),
    ],
)
def test_fixes(change: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        fix(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"needs": 0}, "needs=0: must be from 1 to 99"),
        ({"stop_id": " S"}, "stop_id= S: must be a text without blanks around it"),
        ({"unit_id": ""}, "unit_id=: must be a text"),
        ({"stop_id": "status:1A1"}, "stop_id=status:1A1: must not begin with status:"),
        ({"lon_deg": 1.0}, "lat=: lon and lat go together; give both or neither"),
        ({"lat_deg": 1.0}, "lon=: lon and lat go together"),
        ({"ended_at": NOW - timedelta(seconds=1)}, "must not be before started_at"),
        ({"started_at": NOW.replace(tzinfo=None)}, "started_at=.*: must have an offset"),
    ],
)
def test_stops(change: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        stop(**change)


def test_units_and_asks() -> None:
    with pytest.raises(FieldError, match="officers=0: must be from 1 to 99"):
        Unit(unit_id="U", fix=fix(), status=UnitStatus.BUSY, officers=0)
    with pytest.raises(FieldError, match="asked_at"):
        Ask(stop_id="S", unit_id="U", asked_at=NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("change", "open_now"),
    [
        ({}, True),
        ({"started_at": NOW + timedelta(seconds=1)}, False),
        ({"started_at": None}, True),
        ({"ended_at": NOW}, False),
        ({"ended_at": NOW + timedelta(seconds=1)}, True),
        ({"phase": StopPhase.CLEARED}, False),
        ({"phase": StopPhase.SECURED}, True),
    ],
)
def test_when_a_stop_is_open(change: dict[str, Any], open_now: bool) -> None:  # noqa: FBT001 - a case
    assert stop(**change).is_open(NOW) is open_now


def test_errors_are_also_what_a_caller_expects() -> None:
    assert issubclass(FieldError, InputError)
    assert issubclass(InputError, ValueError)
    assert issubclass(SourceUnreachableError, ConnectionError)
    assert issubclass(SourceUnreachableError, RollbyError)
    assert FieldError("lon", "x" * 200, "rule").value == "x" * 80
