"""One drawing for each growth curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bench.figure import Curve


def draw(curve: Curve, folder: Path) -> list[Path]:
    """Write a curve as SVG and PNG: medians as a line, quartiles as a band, logarithmic."""
    import matplotlib as mpl  # noqa: PLC0415 - the backend must be chosen before pyplot comes

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, points in curve.lines.items():
        x = [at for at, _ in points]
        (line,) = axes.plot(x, [taken.median for _, taken in points], marker="o", label=name)
        low, high = ([getattr(taken, end) for _, taken in points] for end in ("low", "high"))
        axes.fill_between(x, low, high, alpha=0.2, color=line.get_color())
    axes.set(xscale="log", yscale="log", xlabel=curve.x, ylabel=curve.y, title=curve.title)
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend()
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{curve.name}.{kind}" for kind in ("svg", "png")]
    for path in paths:
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
    return paths
