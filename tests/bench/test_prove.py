"""`make prove` draws more examples."""

from __future__ import annotations

import pytest

from tests.prove import FACTOR, examples


def test_an_ordinary_run_draws_what_the_test_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FACTOR, raising=False)
    assert examples(60) == 60


def test_a_long_run_draws_many_times_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FACTOR, "20")
    assert examples(60) == 1200


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", ""])
def test_a_factor_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(FACTOR, text)
    with pytest.raises(ValueError, match=f"{FACTOR}={text}: must be a whole number above 0"):
        examples(60)
