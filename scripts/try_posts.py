"""
Hold planned posts against patrols on simulated shifts that the plan has not seen.

Posts are planned from the stops of one shift; on others, every unit stands at its post whenever it
is available, and nothing else changes. All of it is simulated.

    python scripts/try_posts.py data/sample/denver.roads --units 8 --within 120
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from click.testing import CliRunner

from data.history import read_history
from rollby.cli import cli

MODELS = ("backup", "expected", "median")


def answer_of(*arguments: str) -> dict[str, Any]:
    """Run a command for its JSON."""
    found = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
    answer: dict[str, Any] = json.loads(found.stdout)
    return answer


@click.command()
@click.argument("roads", type=click.Path(exists=True))
@click.option("--units", default=8, show_default=True)
@click.option("--within", default=120.0, show_default=True, help="T, seconds.")
@click.option("--hours", default=24.0, show_default=True)
@click.option("--seeds", default=2, show_default=True, help="Shifts that the plan has not seen.")
def main(roads: str, units: int, within: float, hours: float, seeds: int) -> None:
    """Print the share of time the first and the second car were beyond T."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        settings = folder / "within.toml"
        settings.write_text(f"[policy]\nwithin_s = {within}\n", encoding="utf-8")
        shifts = [str(folder / f"shift{seed}") for seed in range(seeds + 1)]
        for seed, shift in enumerate(shifts, 1):
            made = ["--on-duty", str(units), "--hours", str(hours), "--seed", str(seed)]
            answer_of("simulate", "--roads", roads, "-o", shift, *made)
        plans: dict[str, list[str]] = {"patrol": []}
        for model in MODELS:
            asked = ["--count", str(units), "--within", str(within), "--model", model]
            planned = answer_of("posts", "--roads", roads, "--history", shifts[0], *asked)
            plans[model] = [f"{post['lon']},{post['lat']}" for post in planned["posts"]]
        click.echo("simulated; share of time beyond T where and when stops began")
        for shift, (plan, posts) in product(shifts[1:], plans.items()):
            crew = sorted({one.unit_id for one in read_history(Path(shift)).statuses})
            stood = [f"--post={unit}@{place}" for unit, place in zip(crew, posts, strict=False)]
            told = ["--history", shift, "--settings", str(settings), "--every", "300"]
            beyond = answer_of("gaps", "--roads", roads, *told, *stood)["stops_beyond"]
            seen = f"{Path(shift).name} {plan:9}"
            click.echo(f"{seen} first {beyond['first']:.1%} second {beyond['second']:.1%}")


if __name__ == "__main__":
    main()
