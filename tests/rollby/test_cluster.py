"""`rollby gaps --cluster` on a real scheduler and real workers, which have rollby as a wheel."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
import trustme
from pyarrow import parquet

from data.events import Fixes, History, StatusChange, StopChange
from data.history import write_history
from data.records import Stop, UnitStatus
from rollby.cli import main
from tests.rollby.wheel import Processes, cluster, run_rollby
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAYS, DAY_S = 9, 86_400
BEGAN_S = 20_500 * DAY_S
UNITS = tuple(f"1A{i}" for i in range(1, 7))
# What is done to a cluster while it works: the names that such a program has at hand.
WORKED = """
import os, shutil, signal, sys
from dataclasses import replace
from pathlib import Path
import rollby.cluster as cluster
from rollby.cli import main
plain = cluster.Cluster.covered
def covered(self, job, days, parts):
    {change}
    for number, day in enumerate(plain(self, job, days, parts)):
        {meanwhile}
        yield day
    {after}
cluster.Cluster.covered = covered
sys.exit(main())
"""


def program(change: str = "pass", meanwhile: str = "pass", after: str = "pass") -> str:
    return WORKED.format(change=change, meanwhile=meanwhile, after=after)


def each(first: str, *before: str) -> str:
    """Run it again and again, each time after something else, and print the exit codes."""
    runs = "".join(
        f"words, other = list(sys.argv[1:]), lambda job: {{}}; {one}; print(main(words))\n"
        for one in before
    )
    head = program(change="job = replace(job, **other(job))").replace("sys.exit(main())", first)
    return f"{head}\n{runs}"


@pytest.fixture(scope="module")
def period(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine days of six units that move at random about the embedded city, simulated."""
    rng = np.random.default_rng(3)
    at_s = np.repeat(BEGAN_S + np.arange(0, DAYS * DAY_S, 240.0), len(UNITS))
    count = len(at_s)
    at_s += np.tile(np.arange(len(UNITS)), count // len(UNITS))
    fixes = Fixes(
        unit_ids=UNITS,
        unit_row=np.tile(np.arange(len(UNITS), dtype=np.int32), count // len(UNITS)),
        fixed_at_s=at_s,
        received_at_s=at_s,
        lon_deg=rng.uniform(-104.99, -104.975, count),
        lat_deg=rng.uniform(39.742, 39.755, count),
        heading_deg=np.full(count, np.nan),
        speed_mps=rng.uniform(0, 9, count),
        accuracy_m=np.full(count, np.nan),
    )
    began = datetime.fromtimestamp(BEGAN_S, UTC)
    statuses = tuple(
        StatusChange(unit_id=unit, at=began, status=UnitStatus.AVAILABLE) for unit in UNITS
    )
    stops = []
    for i in range(DAYS * 4):
        at = datetime.fromtimestamp(BEGAN_S + 10_000 + i * 20_011, UTC)
        ended = datetime.fromtimestamp(at.timestamp() + 5000, UTC)
        stop = Stop(
            stop_id=f"S{i}",
            unit_id=UNITS[i % 3],
            lon_deg=-104.985,
            lat_deg=39.75,
            started_at=at,
            ended_at=ended,
        )
        stops.append(StopChange(stop=stop, at=at))
    folder = tmp_path_factory.mktemp("period") / "history"
    history = History(fixes=fixes, statuses=statuses, stops=tuple(stops), facts={"simulated": True})
    write_history(folder, history)
    return folder


@pytest.fixture(scope="module")
def asked(roads: str, period: Path) -> list[str]:
    return ["gaps", "--roads", roads, "--history", str(period), "--every", "300", "--json"]


@pytest.fixture(scope="module")
def alone(asked: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """What one process says, and the cells it writes."""
    out = tmp_path_factory.mktemp("alone") / "cells.csv"
    done = run_rollby([*asked, "--cells", str(out)])
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"cells: {out}\n"
    assert json.loads(done.stdout)["snapshots"] > 2000
    return done.stdout, out.read_bytes()


@pytest.fixture(scope="module")
def two(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A scheduler with two workers of one thread and one of two, for tests that leave them be."""
    with cluster(installed, tmp_path_factory.mktemp("two"), 2) as found:
        found.start_workers(1, threads=2)
        yield found


def test_workers_that_have_the_wheel_say_what_one_process_says_byte_for_byte(
    two: Processes, asked: list[str], alone: tuple[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "cells.csv"
    done = run_rollby([*asked, "--cells", str(out), "--cluster", two.address])
    assert (done.returncode, done.stdout) == (0, alone[0]), done.stderr
    assert out.read_bytes() == alone[1]
    assert done.stderr == f"cells: {out}\n"  # and no progress: it is a pipe
    where = "print(self._client.run(lambda: __import__('geo').__file__))"
    places = run_rollby([*asked, "--cluster", two.address], program(change=where))
    assert places.stdout.count(str(two.python.parents[1])) == 3


def test_a_history_that_is_not_by_day_is_sent_and_says_the_same(
    two: Processes, asked: list[str], alone: tuple[str, bytes], period: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    for table in ("fixes", "statuses", "stops"):
        for i, path in enumerate(sorted((period / table).rglob("*.parquet"))):
            (whole / table).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, whole / table / f"part-{i}.parquet")
    words = [str(whole) if one == str(period) else one for one in asked]
    post = ["--post", "9X1@-104.987,39.753"]
    done = run_rollby([*words, "--cluster", two.address])
    assert (done.returncode, done.stdout) == (0, alone[0]), done.stderr
    assert (
        run_rollby([*words, *post, "--cluster", two.address]).stdout
        == run_rollby([*asked, *post]).stdout
        != alone[0]
    )


def test_a_worker_killed_on_the_way_costs_what_it_was_working_on(
    installed: Path, asked: list[str], alone: tuple[str, bytes], tmp_path: Path
) -> None:
    with cluster(installed, tmp_path, 2) as found:
        kill = f"number == 1 and os.kill({found.workers[0].pid}, signal.SIGKILL)"
        count = (
            "log = self._client.run_on_scheduler(lambda dask_scheduler: "
            "[one[0] for one in dask_scheduler.transition_log if one[2] == 'memory']); "
            "done = [key for key in log if 'there' in str(key)]; "
            "print(len(done), len(set(done)), file=sys.stderr)"
        )
        done = run_rollby(
            [*asked, "--cluster", found.address], program(meanwhile=kill, after=count)
        )
        assert found.workers[0].wait(20) == -9
    assert (done.returncode, done.stdout) == (0, alone[0]), done.stderr
    times, tasks = map(int, done.stderr.split())
    assert tasks >= 2 * DAYS  # what each day told, each day, and the contraction
    assert tasks <= times <= tasks + 6, "more was done twice than lay on the dead worker"


def test_the_settings_of_dask_encrypt(
    installed: Path, asked: list[str], alone: tuple[str, bytes], tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        tmp_path / "own.pem"
    )
    name = "DASK_DISTRIBUTED__COMM__"
    settings = {f"{name}REQUIRE_ENCRYPTION": "true", f"{name}TLS__CA_FILE": f"{tmp_path}/ca.pem"}
    for who in ("CLIENT", "SCHEDULER", "WORKER"):
        settings |= {f"{name}TLS__{who}__{part}": f"{tmp_path}/own.pem" for part in ("CERT", "KEY")}
    with cluster(installed, tmp_path, 1, host="tls://127.0.0.1", settings=settings) as found:
        assert found.address.startswith("tls://")
        done = run_rollby([*asked, "--cluster", found.address], settings=settings)
        assert (done.returncode, done.stdout) == (0, alone[0]), done.stderr
        plain = found.address.replace("tls://", "tcp://")
        refused = run_rollby(
            [*asked, "--cluster", plain],
            program().replace("plain =", "cluster.CONNECT_S = 2.0; plain ="),
        )
    assert (refused.returncode, refused.stderr.count("\n")) == (4, 1), refused.stderr


def test_a_scheduler_that_goes_away_is_said(
    installed: Path, asked: list[str], tmp_path: Path
) -> None:
    with cluster(installed, tmp_path, 1) as found:
        assert found.scheduler is not None
        kill = f"number == 1 and os.kill({found.scheduler.pid}, signal.SIGKILL)"
        done = run_rollby([*asked, "--cluster", found.address], program(meanwhile=kill))
    assert done.returncode == 4, done.stderr
    assert "the scheduler went away; start it and run again" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_there_is_said(installed: Path, asked: list[str], tmp_path: Path) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    with cluster(installed, tmp_path, 0) as found:
        runs = (
            f"cluster.CONNECT_S = 2.0; words += ['{address}']",
            f"cluster.CONNECT_S = 20.0; cluster.WORKERS_S = 1.0; words += ['{found.address}']",
        )
        done = run_rollby([*asked, "--cluster"], each("pass", *runs))
    codes, said = done.stdout.split(), done.stderr.splitlines()
    assert codes == ["4", "4"], done.stderr
    assert said[0].startswith(f"{address}: no Dask scheduler answers there; start one with `dask")
    assert (
        said[1] == f"{found.address}: the scheduler has no workers; start some with `dask worker`"
    )
    assert len(said) == 2


def test_an_address_is_one(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for address in ("scheduler", "http://scheduler:8786", "tcp://scheduler", "tcp://:1/x"):
        assert main([*asked, "--cluster", address]) == 2
        rule = f"'--cluster': {address!r}: must be local, tcp://HOST:PORT or tls://HOST:PORT"
        assert rule in " ".join(capsys.readouterr().err.split())


REFUSALS = {
    "versions={**job.versions, 'numpy': '1.0'}": (
        "(not 1.0): must be the same everywhere; install what is asked for"
    ),
    "checksum=1": "denver.roads: is another file here (checksum); copy the one asked for",
    "roads=Path('/nowhere/x.roads')": (
        "/nowhere/x.roads: cannot be read (No such file or directory)"
    ),
    "folder=Path('/nowhere/history')": (
        "/nowhere/history: must be a folder that holds a history; check its name"
    ),
}


def test_a_worker_that_has_something_else_refuses(two: Processes, asked: list[str]) -> None:
    changes = (f"other = lambda job: dict({one})" for one in REFUSALS)
    done = run_rollby([*asked, "--cluster", two.address], each("pass", *changes))
    said = done.stderr.splitlines()
    assert done.stdout.split() == ["3"] * len(REFUSALS), done.stderr
    assert len(said) == len(REFUSALS)
    for line, rule in zip(said, REFUSALS.values(), strict=True):
        assert line.startswith("worker tcp://127.0.0.1:")
        assert rule in line


def test_a_day_that_is_at_fault_is_said_once(
    two: Processes, asked: list[str], period: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "history"
    shutil.copytree(period, folder)
    path = sorted((folder / "stops").rglob("*.parquet"))[3]
    table = parquet.read_table(path, partitioning=None)
    parquet.write_table(table.drop_columns(["unit_id"]), path)
    words = [str(folder) if one == str(period) else one for one in asked]
    done, here = run_rollby([*words, "--cluster", two.address]), run_rollby(words)
    assert (done.returncode, here.returncode) == (3, 3)
    assert here.stderr.strip() in done.stderr
    assert "unit_id" in done.stderr
