"""The figures of bench.accuracy, on trips made up by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.accuracy_figures import HEAD, agreement, line
from bench.accuracy_map import Odd, draw_odd, most_different, odd_line, verdict
from bench.accuracy_trips import Trips, Way, decoded
from bench.peers.programs import folder_of, run, valhalla_config
from bench.setup import MissingError

if TYPE_CHECKING:
    from pathlib import Path

    from geo.network import RoadNetwork

MEAN_S = np.array([[100.0, 200.0, 300.0], [400.0, 350.0, np.nan]])
JUDGED = ~np.isnan(MEAN_S)


def test_twice_the_yardstick_agrees_wholly_with_it() -> None:
    row = agreement(2 * MEAN_S, MEAN_S, JUDGED)
    assert (row.trips, row.timed, row.within) == (5, 1, 1)
    assert row.spearman == pytest.approx(1)
    assert (row.ratio_5, row.ratio_50, row.ratio_95) == (2, 2, 2)
    assert (row.stops, row.same_nearest, row.regret_most_s) == (2, 1, 0)


def test_a_wrong_nearest_costs_its_regret() -> None:
    time_s = MEAN_S.copy()
    time_s[1] = [300.0, 350.0, np.nan]
    row = agreement(time_s, MEAN_S, JUDGED)
    assert (row.same_nearest, row.regret_most_s, row.regret_15) == (0.5, 50, 0.5)
    assert row.spearman < 1


def test_trips_without_a_time_are_told() -> None:
    time_s = MEAN_S.copy()
    time_s[0, 1], time_s[1, 0] = np.inf, np.nan
    assert agreement(time_s, MEAN_S, JUDGED).timed == 3 / 5


def test_a_line_stands_under_its_head() -> None:
    assert len(line("town", agreement(MEAN_S, MEAN_S, JUDGED))) == len(HEAD)


def trips(wanted: int) -> Trips:
    osrm_s = np.array([[50.0, 200.0, 300.0], [400.0, 700.0, np.nan]])
    return Trips(
        lon_deg=np.zeros(8),
        lat_deg=np.zeros(8),
        destination=np.array([0, 4]),
        origin=np.array([[1, 2, 3], [5, 6, 7]]),
        osrm_s=osrm_s,
        valhalla_s=osrm_s,
        wanted=wanted,
    )


def test_only_trips_of_one_to_ten_minutes_are_judged_and_no_more_than_wanted() -> None:
    assert trips(9).judged.tolist() == [[False, True, True], [True, False, False]]
    assert trips(2).judged.tolist() == [[False, True, True], [False, False, False]]


def test_the_furthest_from_the_median_comes_first() -> None:
    time_s = trips(9).mean_s * np.array([[9.0, 1.0, 1.1], [0.5, 9.0, 1.0]])
    picked = most_different(time_s, trips(9), 2)
    assert [one[:2] for one in picked] == [(1, 0), (0, 2)]
    assert picked[0][2] == pytest.approx(0.5)


def way(length_m: float, time_s: float = 100.0) -> Way:
    return Way(time_s=time_s, length_m=length_m, lon_deg=(0.0, 0.01), lat_deg=(0.0, 0.01))


@pytest.mark.parametrize(
    ("ours_m", "osrm_m", "valhalla_m", "said"),
    [
        (None, 1000, 1000, "We know no way"),
        (800, 1000, 1000, "shorter way than both"),
        (1300, 1000, 1100, "We go round"),
        (1000, 1000, 1050, "Much the same way"),
        (1000, 1000, 1500, "more like that of OSRM"),
        (1000, 1500, 1000, "more like that of Valhalla"),
    ],
)
def test_verdicts(ours_m: float | None, osrm_m: float, valhalla_m: float, said: str) -> None:
    ours = None if ours_m is None else way(ours_m)
    assert said in verdict(ours, way(osrm_m), way(valhalla_m))


def test_a_map_has_the_times_and_the_verdict(tmp_path: Path, denver: RoadNetwork) -> None:
    ways = {"rollby": way(800, 61.0), "OSRM": way(1000, 83.0), "Valhalla": way(1000, 97.0)}
    odd = Odd(ratio=0.5, origin=[0.0, 0.0], end=[0.01, 0.01], ways=ways, verdict="<Look> here.")
    assert "x 0.50: rollby 61 s 800 m, OSRM 83 s 1000 m" in odd_line(odd)
    draw_odd("town", [odd], denver.table, tmp_path / "odd.html")
    page = (tmp_path / "odd.html").read_text()
    assert "97 s, 1,000 m" in page
    assert "&lt;Look&gt;" in page


def test_valhallas_line_is_decoded() -> None:
    assert decoded("_izlhA~rlgdF_{geC~ywl@") == ((38.5, 40.7), (-120.2, -120.95))


def test_a_map_of_the_same_name_has_a_folder_of_its_own(tmp_path: Path) -> None:
    source = tmp_path / "town.osm.pbf"
    source.write_bytes(b"before")
    before = folder_of(tmp_path, "osrm", source)
    source.write_bytes(b"after")
    assert before.name.startswith("osrm-town-")
    assert folder_of(tmp_path, "osrm", source) != before


def test_valhalla_is_told_how_to_answer_matrices(tmp_path: Path) -> None:
    source = tmp_path / "town.osm.pbf"
    source.write_bytes(b"town")
    folder = folder_of(tmp_path, "valhalla", source)
    folder.mkdir()
    (folder / "ready").touch()
    (folder / "valhalla.json").write_text('{"thor": {"source_to_target_algorithm": "other"}}')
    config = valhalla_config(tmp_path, source, "timedistancematrix")
    assert json.loads(config.read_text()) == {
        "thor": {"source_to_target_algorithm": "timedistancematrix"}
    }
    assert "other" in (folder / "valhalla.json").read_text()


def test_a_failing_program_shows_what_it_said() -> None:
    with pytest.raises(MissingError, match=r"sh fails with 3:\nno luck"):
        run("sh", "-c", "echo no luck; exit 3")
