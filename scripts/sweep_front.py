"""
Show what a sweep found: paired intervals, what is left, and the front of what is to be had.

    python scripts/sweep_front.py sweep.jsonl docs/images/sweep_front.svg

Only shifts that every arm has met count. An arm is on the front of a city where no other has less
exposure, as much cover and as few requests, by their means.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from geo.compare import difference
from maps.charts import BLUE, GREY, ORANGE, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = ("exposure_min", "covered_share", "asks_per_unit_hour")
LEFT = (
    "least_min", "reached_share", "in_vain_share", "alerts_per_hour", "sounds_per_hour",
    "flood_share",
)  # fmt: skip
OF_EXPOSURE = ("coming_min", "asked_min", "far_min")
SHIFT = ("units", "time", "hours", "seed")
SHORT = {
    "coverage_weight": "lambda",
    "cover_spare_share": "L0",
    "tie_share": "ties within",
    "stops_per_unit_hour": "stops/unit-h",
    "duration_min": "D",
    "reserve_from_units": "reserve from",
    "switch_saves_s": "gives way to",
    "stale_moving_s": "stale moving",
    "stale_parked_s": "stale parked",
    "alone_until": "alone until",
    "comes_when_asked": "r",
    "drive_time_spread": "sigma",
    "within_s": "T",
    "score_min": "score",
    "drive_max_s": "drive max",
}
DEFAULT = "ours"

Shifts = dict[tuple[Any, ...], dict[str, float]]


def named(row: dict[str, Any]) -> str:
    """Name an arm as people read it."""
    changed = [
        f"{SHORT.get(name, name)} {value['contact'] if isinstance(value, dict) else value}"
        for name, value in row["settings"].items()
    ]
    return ", ".join([row["policy"], *changed]) if changed else str(row["policy"])


def read(path: Path) -> dict[str, dict[str, Shifts]]:
    """Read results by city and arm; shifts that an arm has not met are left out."""
    found: dict[str, dict[str, Shifts]] = defaultdict(lambda: defaultdict(dict))
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["city"]][named(row)][tuple(row[name] for name in SHIFT)] = row
    arms = {arm for city in found.values() for arm in city}
    whole: dict[str, dict[str, Shifts]] = {}
    for city, by_arm in found.items():
        common = set.intersection(*(set(by_arm[arm]) for arm in arms))
        if common:
            whole[city] = {arm: {key: by_arm[arm][key] for key in sorted(common)} for arm in by_arm}
    return whole


def column(shifts: Shifts, name: str) -> list[float]:
    """Pick one measure."""
    return [row[name] for row in shifts.values()]


def on_front(by_arm: dict[str, Shifts]) -> set[str]:
    """Name the arms that no other beats in every measure at once."""
    means = {
        arm: np.array([np.mean(column(shifts, name)) for name in MEASURES]) * (1, -1, 1)
        for arm, shifts in by_arm.items()
    }
    return {
        arm
        for arm, own in means.items()
        if not any(np.all(other <= own) and np.any(other < own) for other in means.values())
    }


def alike(one: Shifts, other: Shifts) -> bool:
    """Tell whether two arms came to the same in every shift."""
    return all(column(one, name) == column(other, name) for name in MEASURES)


def table(city: str, by_arm: dict[str, Shifts]) -> str:
    """Write a city's arms, the least exposure first."""
    count = len(by_arm[DEFAULT])
    heads = ["arm", "exposure, min a shift", "", "covered", "", "asks a unit-hour", "", "front"]
    lines = [f"{city}, {count} simulated shifts; in brackets, less the default:", ""]
    lines += ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    front = on_front(by_arm)
    same = [arm for arm in by_arm if arm != DEFAULT and alike(by_arm[arm], by_arm[DEFAULT])]
    differ = by_arm.keys() - same
    for arm in sorted(differ, key=lambda arm: np.mean(column(by_arm[arm], MEASURES[0]))):
        cells = [arm]
        for name, digits in zip(MEASURES, (1, 3, 2), strict=True):
            own, base = column(by_arm[arm], name), column(by_arm[DEFAULT], name)
            gap = difference(own, base)
            cells.append(f"{np.mean(own):.{digits}f}")
            span = f"({gap.mean:+.{digits}f}, {gap.low:+.{digits}f} to {gap.high:+.{digits}f})"
            cells.append("" if arm == DEFAULT else span)
        lines.append("| " + " | ".join([*cells, "yes" if arm in front else ""]) + " |")
    if same:
        lines += ["", f"The same as the default in every shift: {'; '.join(same)}."]
    return "\n".join(lines)


def left_table(city: str, by_arm: dict[str, Shifts]) -> str:
    """Write where the minutes of a city's arms go, what hindsight bounds, and the alerts."""
    heads = (
        "arm", "exposure, min a shift", "least in hindsight", "saving reached", "car on its way",
        "being asked", "none within the longest drive", "in vain", "alerts an hour", "heard",
        "ten minutes with more than ten",
    )  # fmt: skip
    lines = [f"{city}, simulated: what is left, and alerts of one supervisor", ""]
    lines += ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for arm, shifts in sorted(by_arm.items(), key=lambda one: np.mean(column(one[1], MEASURES[0]))):
        mean = {
            name: float(np.mean(column(shifts, name)))
            for name in (*MEASURES, *LEFT, *OF_EXPOSURE, "asks_per_unit_hour")
        }
        exposure = mean["exposure_min"]
        cells = [arm, f"{exposure:.1f}"]
        cells.append(f"{mean['least_min']:.1f} ({mean['least_min'] / exposure:.0%})")
        cells.append(f"{mean['reached_share']:.0%}")
        cells += [f"{mean[name] / exposure:.0%}" for name in OF_EXPOSURE]
        cells.append(f"{mean['in_vain_share']:.0%}" if mean["asks_per_unit_hour"] else "")
        cells += [f"{mean[name]:.0f}" for name in ("alerts_per_hour", "sounds_per_hour")]
        lines.append("| " + " | ".join([*cells, f"{mean['flood_share']:.0%}"]) + " |")
    return "\n".join(lines)


def draw(axes: Axes, city: str, by_arm: dict[str, Shifts]) -> None:
    """Draw requests against exposure, with paired intervals, of arms that differ anywhere."""
    base = by_arm[DEFAULT]
    shown = {arm: own for arm, own in by_arm.items() if arm == DEFAULT or not alike(own, base)}
    front = on_front(shown)
    known = [arm for arm in shown if arm in front | {DEFAULT, "road"} and arm != "nobody"]
    for arm in [arm for arm in shown if arm != "nobody"]:
        exposure, cover, asks = (
            difference(column(by_arm[arm], name), column(by_arm[DEFAULT], name))
            for name in MEASURES
        )
        colour = BLUE if arm == DEFAULT else ORANGE if arm in front else GREY
        if arm in known:
            axes.plot([asks.low, asks.high], [exposure.mean] * 2, color=colour, lw=0.8)
            axes.plot([asks.mean] * 2, [exposure.low, exposure.high], color=colour, lw=0.8)
            number = known.index(arm) + 1
            at = (asks.mean, exposure.mean)
            axes.annotate(
                str(number), at, (4, 4), textcoords="offset points", color=colour, zorder=4
            )
            axes.plot([], [], "o", color=colour, label=f"{number}  {arm}")
        size = max(12, 60 + 600 * cover.mean)
        axes.scatter(asks.mean, exposure.mean, s=size, color=colour, zorder=3, lw=0)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.11), ncol=3, frameon=False, fontsize=8)
    axes.set(
        title=f"{city}, {len(by_arm[DEFAULT])} shifts",
        xlabel="requests per unit-hour, less those of the default",
        ylabel="minutes short of officers a shift, less those of the default",
    )
    axes.grid(visible=True, color="#e6e6e6", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(b=False)


def main(results: Path, image: Path) -> None:
    """Print the tables and draw the fronts."""
    found = read(results)
    if not found:
        sys.exit(f"{results}: holds no shift that every arm has met; let the sweep go on")
    figure = Figure(figsize=(7 * len(found), 7), layout="constrained")
    for axes, (city, by_arm) in zip(
        figure.subplots(1, len(found), squeeze=False)[0], sorted(found.items()), strict=True
    ):
        sys.stdout.write(f"{table(city, by_arm)}\n\n{left_table(city, by_arm)}\n\n")
        draw(axes, city, by_arm)
    figure.suptitle(
        "Simulated: the policy's constants, one at a time and in pairs\nOrange: on the front; "
        "a larger dot leaves more covered; lines: paired 95 % intervals",
        fontsize=10,
    )
    save(figure, image)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
