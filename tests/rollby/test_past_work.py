"""A day as a task: it takes no other files than those that were asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from data.errors import InputError
from data.history_days import history_days
from data.roadfile import roads_checksum
from data.settings import Settings
from rollby.past_work import Job, files_of, told, versions


@pytest.fixture
def job(roads: str, shift: str, tmp_path: Path) -> Job:
    folder = tmp_path / "history"
    shutil.copytree(shift, folder)
    return Job(
        roads=Path(roads),
        checksum=roads_checksum(roads),
        folder=folder,
        settings=Settings(),
        beats=(),
        posts=(),
        versions=versions(),
    )


def test_a_day_that_is_not_there_does_not_pass_for_a_quiet_one(job: Job) -> None:
    found = history_days(job.folder)
    assert found is not None
    day = found.days[0]
    asked = files_of(job.folder, (day,))
    assert told(job, day, asked).statuses
    path = job.folder / asked[-1][0]
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(
        InputError, match=r"stops/day=.* is not the one asked for; share the folder"
    ):
        told(job, day, asked)
    shutil.rmtree(job.folder / "stops")
    with pytest.raises(InputError, match="and let nothing be written to it meanwhile"):
        told(job, day, asked)
