"""
Fit how often stops happen by hour of week to the stops that Minneapolis published.

    python scripts/fit_stop_rates.py minneapolis_stops_2017.csv.gz

Writes geo/shift/rates.py, and docs/images/stop_rates.svg with data and fit.
"""

from __future__ import annotations

import csv
import gzip
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from scipy.optimize import minimize

ROOT = Path(__file__).parent.parent
HOURS = np.arange(168)
DAILY, WEEKLY = 4, 3
ZONE = ZoneInfo("America/Chicago")


def counted(path: Path) -> np.ndarray:
    """Count traffic stops by week and hour of week, Monday 00:00 first."""
    hours = []
    with gzip.open(path, "rt", encoding="utf-8") as text:
        for row in csv.DictReader(text):
            if row["problem"] == "traffic":
                at = datetime.fromisoformat(row["started_at"]).astimezone(ZONE)
                hours.append(168 * ((at.toordinal() - 1) // 7) + 24 * at.weekday() + at.hour)
    hour = np.array(hours)
    first = hour.min() // 168 * 168
    weeks = hour.max() // 168 + 1 - first // 168
    return np.bincount(hour - first, minlength=168 * weeks).reshape(weeks, 168).astype(float)


def waves() -> np.ndarray:
    """Columns of the regression: a constant, waves of the day, of the week, and their products."""
    day = [f(2 * np.pi * k * HOURS / 24) for k in range(1, DAILY + 1) for f in (np.sin, np.cos)]
    week = [f(2 * np.pi * k * HOURS / 168) for k in range(1, WEEKLY + 1) for f in (np.sin, np.cos)]
    products = [a * b for a in day[:4] for b in week]
    return np.stack([np.ones(168), *day, *week, *products], axis=1)


def fitted(counts: np.ndarray) -> np.ndarray:
    """Poisson regression on the waves."""
    x = waves()
    first = np.zeros(x.shape[1])
    first[0] = np.log(counts.mean())

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        mean = np.exp(x @ beta)
        return float(mean.sum() - counts @ (x @ beta)), x.T @ (mean - counts)

    return np.exp(x @ minimize(loss, first, jac=True, method="BFGS").x)


def deviance(counts: np.ndarray, mean: np.ndarray) -> float:
    """Poisson deviance."""
    ratio = np.where(counts > 0, counts / mean, 1.0)
    return float(2 * (counts * np.log(ratio) - counts + mean).sum())


def draw(counts: np.ndarray, mean: np.ndarray, path: Path) -> None:
    """Draw counts as bars and the fit as a line."""
    width, height, top = 840, 220, max(counts.max(), mean.max())
    bars = "".join(
        f'<rect x="{40 + 4.6 * i:.1f}" y="{180 - 160 * c / top:.1f}" width="3.6" '
        f'height="{160 * c / top:.1f}" fill="#9db7d5"/>'
        for i, c in enumerate(counts)
    )
    line = " ".join(f"{42 + 4.6 * i:.1f},{180 - 160 * m / top:.1f}" for i, m in enumerate(mean))
    days = "".join(
        f'<text x="{40 + 110.4 * i + 55:.0f}" y="200" text-anchor="middle">{name}</text>'
        for i, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
    )
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
        f'{bars}<polyline points="{line}" fill="none" stroke="#b3400e" stroke-width="2"/>{days}'
        f'<text x="36" y="24" text-anchor="end">{top:.0f}</text>'
        '<text x="36" y="184" text-anchor="end">0</text>'
        '<text x="44" y="14">Traffic stops by hour of week, Minneapolis 2017 (bars), '
        "and the fit (line)</text></svg>\n",
        encoding="utf-8",
    )


def main(path: Path) -> None:
    """Fit, write, and say how well it fits."""
    by_week = counted(path)
    counts = by_week.sum(axis=0)
    mean = fitted(counts)
    whole = by_week[1:-1]  # the year begins and ends within a week
    between = float((whole.var(axis=0, ddof=1) / whole.mean(axis=0)).mean())
    explained = 1 - deviance(counts, mean) / deviance(counts, np.full(168, counts.mean()))
    left = 168 - waves().shape[1]
    over = deviance(counts, mean) / left
    sys.stdout.write(
        f"{counts.sum():.0f} stops; deviance explained {explained:.3f}; "
        f"left per degree of freedom {over:.2f}; "
        f"variance between weeks, of their mean, {between:.2f}\n"
    )
    relative = [f"{rate:.3f}" for rate in mean / mean.mean()]
    rows = "\n".join("    " + ", ".join(relative[i : i + 12]) + "," for i in range(0, 168, 12))
    (ROOT / "geo/shift/rates.py").write_text(
        '"""How often stops happen by hour of week; written by scripts/fit_stop_rates.py."""\n\n'
        "RATE_BY_HOUR_OF_WEEK = (\n" + rows + "\n)  # fmt: skip\n"
        '"""Relative to the week\'s mean, from Monday 00:00, local time; fitted to the traffic\n'
        'stops of the City of Minneapolis, 2017 (open data)."""\n',
        encoding="utf-8",
    )
    draw(counts, mean, ROOT / "docs/images/stop_rates.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
