"""A figure for each measure of a comparison of policies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maps.charts import BLUE, ORANGE, save

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

INK, FAINT = "#4d4d4d", "#b8b8b8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """
    One measure of several policies on the same shifts.

    Parameters
    ----------
    title, unit : str
        What is measured, and in what; "" for a share.
    values : mapping of str to sequence of float
        By policy, one a shift, in the same order of shifts.
    less_ours : mapping of str to (float, float, float)
        Mean of a policy less ours, and its interval; NaN for an interval that is not known.
    least : mapping of str to float
        What no requests could have fallen below, by policy; empty where that means nothing.
    note : str
        What shifts these are.
    """

    title: str
    unit: str
    values: Mapping[str, Sequence[float]]
    less_ours: Mapping[str, tuple[float, float, float]]
    least: Mapping[str, float]
    note: str


def compare_chart(path: Path, compared: Compared) -> None:
    """
    Draw each policy's shifts and their mean, and beside them how it differs from ours.

    Parameters
    ----------
    path : Path
        .svg or .png.
    compared : Compared
        The values.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    figure = Figure(figsize=(9.0, 1.5 + 0.42 * len(compared.values)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    _draw_values(left, compared)
    _draw_differences(right, compared)
    figure.suptitle(f"{compared.title}, simulated", x=0.01, ha="left", weight="bold")
    figure.supxlabel(compared.note, x=0.01, ha="left", size=8.5, color=INK)
    save(figure, path)


def _draw_values(axes: Axes, compared: Compared) -> None:
    """Draw shifts as faint dots, means as strong ones with their figure, and what is possible."""
    for row, (policy, values) in enumerate(compared.values.items()):
        colour = BLUE if policy == "ours" else INK
        mean = sum(values) / len(values)
        axes.plot(values, [row] * len(values), "o", ms=4, color=FAINT, zorder=2)
        axes.plot(mean, row, "o", ms=8, color=colour, zorder=3)
        _label(axes, f"{mean:.3g}", (mean, row), colour)
        if policy in compared.least:
            least = compared.least[policy]
            axes.plot(least, row, "|", ms=15, mew=2.5, color=ORANGE, zorder=4)
            if row == 0:
                _label(axes, "least possible", (least, row), ORANGE)
    axes.set_yticks(range(len(compared.values)), list(compared.values))
    for tick in axes.get_yticklabels():
        tick.set_color(BLUE if tick.get_text() == "ours" else "black")
    axes.invert_yaxis()
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    axes.set_xlabel(f"a dot a shift; mean{_in(compared.unit)}")
    _plain(axes)


def _draw_differences(axes: Axes, compared: Compared) -> None:
    """Draw paired differences from ours with their intervals."""
    axes.axvline(0, color=BLUE, lw=1.5, zorder=1)
    for row, policy in enumerate(compared.values):
        if policy not in compared.less_ours:
            continue
        mean, low, high = compared.less_ours[policy]
        if math.isfinite(low):
            axes.plot([low, high], [row, row], "-", lw=2, color=INK, zorder=2)
        axes.plot(mean, row, "o", ms=6, color=INK, zorder=3)
        _label(axes, f"{mean:+.3g}", (mean, row), INK)
    axes.margins(x=0.12)
    axes.set_xlabel(f"policy less ours, 95 % interval{_in(compared.unit)}")
    _plain(axes)


def _in(unit: str) -> str:
    """Name a unit, if there is one."""
    return f" ({unit})" if unit else ""


def _label(axes: Axes, text: str, at: tuple[float, float], colour: str) -> None:
    """Write a figure above its dot."""
    axes.annotate(
        text.replace("-", "\N{MINUS SIGN}"),
        at,
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        va="bottom",
        size=8.5,
        color=colour,
        bbox={"boxstyle": "square,pad=0.05", "fc": "white", "ec": "none"},
    )


def _plain(axes: Axes) -> None:
    """Leave what helps to read the values."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x", color="#e6e6e6", lw=0.8)
    axes.set_axisbelow(True)
    axes.margins(y=0.14)
