"""Charts as files: each says what it is drawn from; the same figures give the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.atomic import written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart by all common kinds of colour blindness.
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#777777"

Bin = tuple[float, float, float, float, int]
"""Predicted, observed, low and high of its interval, and of how many."""


def reliability_chart(
    path: Path, panels: Sequence[tuple[str, Sequence[Bin]]], *, simulated: bool
) -> None:
    """
    Draw what was predicted against what came.

    Parameters
    ----------
    path : Path
        .svg or .png.
    panels : sequence of (str, sequence of Bin)
        Title and bins of each diagram.
    simulated : bool
        Said on the chart.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    figure = Figure(figsize=(4.8 * len(panels), 5.4), layout="compressed")
    for axes, (title, bins) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        _reliability(axes, title, bins)
    if simulated:
        figure.suptitle("simulated; nobody was there", color=GREY, fontsize=10)
    save(figure, path)


def _reliability(axes: Axes, title: str, bins: Sequence[Bin]) -> None:
    """Draw one diagram."""
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="as predicted")
    for predicted, _, low, high, count in bins:
        axes.plot([predicted, predicted], [low, high], color=BLUE, linewidth=1.5)
        axes.annotate(str(count), (predicted, high), (0, 3), textcoords="offset points",
                      ha="center", fontsize=8, color=GREY)  # fmt: skip
    axes.plot([b[0] for b in bins], [b[1] for b in bins], "o", color=BLUE, label="observed, 95 %")
    axes.set(title=title, xlabel="predicted", ylabel="came true", xlim=(-0.03, 1.03))
    axes.set_ylim(-0.03, 1.1)
    axes.set_aspect("equal", adjustable="box")
    axes.spines[["top", "right"]].set_visible(b=False)
    axes.legend(frameon=False, loc="lower right")


def save(figure: object, path: Path) -> None:
    """
    Write a figure; the same one is the same bytes each time.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn.
    path : Path
        .svg, .png or .pdf.

    Raises
    ------
    InputError
        If it cannot be written; what was there before stays.
    """
    import matplotlib as mpl  # noqa: PLC0415 - slow to import

    still = {"svg": {"Date": None}, "png": {"Software": None}, "pdf": {"CreationDate": None}}
    kind = path.suffix.removeprefix(".")
    with written(path) as part, mpl.rc_context({"svg.hashsalt": "rollby", "svg.fonttype": "none"}):
        figure.savefig(part, format=kind, metadata=still[kind], dpi=150)  # type: ignore[attr-defined]
