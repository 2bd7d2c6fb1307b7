"""Every hand-worked stop comes out as the sergeant would have it, and as it came out before."""

from __future__ import annotations

import pytest

from tests.golden.cases import OUTCOMES, case_files, outcomes, read_case, work_out

CASES = {path.stem: read_case(path) for path in case_files()}


@pytest.mark.parametrize("name", CASES)
def test_sergeant_agrees(name: str) -> None:
    case = CASES[name]
    answers = {one.stop_id: one for one in work_out(case).stops}
    for stop_id, expected in case["expect"].items():
        one = answers[stop_id]
        suggestion = one.suggestion
        assert (suggestion.unit_id if suggestion else None) == expected.get("suggested")
        if "flag" in expected:
            assert one.flag == expected["flag"]
        if "drive_time_s" in expected:
            assert suggestion
            assert suggestion.drive_time_s == pytest.approx(expected["drive_time_s"], abs=0.2)
        if "probability" in expected:
            assert one.backup_probability == pytest.approx(expected["probability"], abs=0.001)
        if "why_none" in expected:
            assert expected["why_none"] in (one.why_none or "")
        if "runner_up" in expected:
            assert suggestion
            assert suggestion.runner_up
            assert suggestion.runner_up.unit_id == expected["runner_up"]
        if "nearest" in expected:
            assert [near.unit_id for near in one.nearest] == expected["nearest"]


def test_outcomes_are_as_recorded() -> None:
    """A change of the model shows here: `python -m tests.golden.cases`, and read the diff."""
    assert outcomes() == OUTCOMES.read_text()
