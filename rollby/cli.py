"""The command line: options in, answers on stdout, all else on stderr, and an exit code."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data.errors import InputError, SourceUnreachableError
from rollby import __version__
from rollby.commands.administration import COMMANDS as ADMINISTRATION
from rollby.options import (
    ASKED,
    BOX,
    CELLS,
    CLUSTER,
    FILE,
    INSTANT,
    PLACE,
    SECONDS,
    cells_option,
    count_option,
    file_in,
    hours_option,
    json_option,
    map_option,
    post_option,
    roads_option,
    settings_option,
    several,
    tiles_option,
    within_option,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

BAD_DATA, UNREACHABLE = 3, 4

units_options = several(
    roads_option,
    click.option(
        "--units", type=FILE, required=True, help="Units: .csv, .geojson, .jsonl or .parquet."
    ),
    click.option("--at", type=INSTANT, help="Instant to answer for; default: newest in the files."),
    settings_option,
    click.option("--skip-bad", is_flag=True, help="Go on without faulty rows; list them."),
    map_option,
    tiles_option,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rollby")
def cli() -> None:
    """
    Who is alone on a traffic stop, and which idle unit should roll by.

    Exit codes: 0 answered (also when nobody can be there in time), 1 a bug, 2 wrong usage,
    3 bad data, 4 a source or server could not be reached.
    """


@cli.command()
@click.option("--out", type=FILE, default=Path("demo"), show_default=True, help="Folder for maps.")
@json_option
def demo(out: Path, *, as_json: bool) -> None:
    """Run the main job on the embedded city: a simulated evening in downtown Denver."""
    from rollby.commands.demo import run_demo

    run_demo(out, as_json=as_json)


@cli.group()
def roads() -> None:
    """Make road networks and look at them."""


@roads.command("build")
@click.option("--place", help="A place that OpenStreetMap's Nominatim knows.")
@click.option("--bbox", type=BOX, help="A box in degrees.")
@click.option("--polygon", type=FILE, help="A GeoJSON polygon.")
@click.option("--osm", type=FILE, help="An .osm, .osm.gz, .osm.bz2 or .osm.pbf file.")
@click.option("-o", "--out", type=FILE, required=True, help="The .roads file to write.")
@click.option(
    "--service-roads",
    is_flag=True,
    help="Take all alleys and car parks; else only roads there that join streets.",
)
@click.option(
    "--response", is_flag=True, help="Times with lights and siren; a roll-by is routine driving."
)
def roads_build(out: Path, *, service_roads: bool, response: bool, **source: Any) -> None:
    """Make a .roads file from OpenStreetMap: exactly one of --place, --bbox, --polygon, --osm."""
    from rollby.commands.roads import build_roads_file

    given = {name: value for name, value in source.items() if value is not None}
    if len(given) != 1:
        raise click.UsageError("give exactly one of --place, --bbox, --polygon and --osm")
    build_roads_file(out, service_roads=service_roads, response=response, **given)


@roads.command("info")
@click.argument("file", type=FILE)
@json_option
def roads_info(file: Path, *, as_json: bool) -> None:
    """Say what a .roads file holds."""
    from rollby.commands.roads import show_roads

    show_roads(file, as_json=as_json)


@cli.command()
@roads_option
@click.option("--from", "start", type=PLACE, required=True, help="Where from.")
@click.option("--to", "end", type=PLACE, required=True, help="Where to.")
@settings_option
@json_option
@map_option
@tiles_option
def time(**options: Any) -> None:
    """Drive time by road from one place to another."""
    from rollby.commands.time import drive_time

    drive_time(**options)


@cli.command()
@roads_option
@click.option("--from", "start", type=FILE, help="CSV: id,lon,lat[,heading_deg].")
@click.option("--to", "end", type=FILE, help="CSV: id,lon,lat[,heading_deg].")
@click.option("--pairs", type=FILE, help="CSV: id,from_lon,from_lat,to_lon,to_lat[,...].")
@click.option("--within", "within_s", type=SECONDS, help="Horizon, seconds.")
@click.option(
    "-o",
    "--out",
    type=file_in(".csv", ".parquet"),
    required=True,
    help="The .csv or .parquet file to write.",
)
def matrix(
    roads: Path,
    start: Path | None,
    end: Path | None,
    pairs: Path | None,
    within_s: float | None,
    out: Path,
) -> None:
    """Drive times of many places: --from FILE --to FILE, or --pairs FILE."""
    from rollby.commands.matrix import many_to_many, one_by_one

    horizon_s = float("inf") if within_s is None else within_s
    if pairs and not start and not end:
        one_by_one(roads, pairs, out, within_s=horizon_s)
    elif start and end and not pairs:
        many_to_many(roads, start, end, out, within_s=horizon_s)
    else:
        raise click.UsageError("give either --from and --to, or --pairs")


@cli.command()
@units_options
@click.option(
    "--stops", type=FILE, required=True, help="Stops: .csv, .geojson, .jsonl or .parquet."
)
@click.option("--answers", type=FILE, help="Earlier asks: feeds the hourly cap, the give and take.")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--geojson", "as_geojson", is_flag=True, help="Print GeoJSON.")
def suggest(**options: Any) -> None:
    """Who is alone, and who should roll by."""
    from rollby.commands.suggest import suggest_units

    if sum(options[name] for name in ("as_json", "as_csv", "as_geojson")) > 1:
        raise click.UsageError("give at most one of --json, --csv and --geojson")
    suggest_units(**options)


@cli.command()
@units_options
@click.option("--stops", type=FILE, help="Stops: their units are not idle.")
@within_option
@json_option
@click.option("--history", type=FILE, help="Expect stops where and when this period had them.")
@cells_option
@click.option("--bands", type=CELLS, help="Write bands of drive time as areas; endings likewise.")
def coverage(**options: Any) -> None:
    """Drive time from the nearest idle units, everywhere."""
    from rollby.commands.coverage import show_coverage

    show_coverage(**options)


@cli.command()
@roads_option
@click.option("-o", "--out", type=FILE, required=True, help="Folder to write; must not be there.")
@click.option("--start", type=INSTANT, help="Default: Friday 2026-03-13 18:00 UTC.")
@hours_option
@count_option
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Another seed makes up another shift; the same one, the same.",
)
@click.option(
    "--stops-per-unit-hour",
    type=click.FloatRange(0, 10),
    default=0.5,
    show_default=True,
    help="Traffic stops an hour for each unit on duty.",
)
@click.option(
    "--calls-per-unit-hour",
    type=click.FloatRange(0, 10),
    default=0.4,
    show_default=True,
    help="Calls for service likewise; they keep units busy.",
)
@click.option("--posts", type=FILE, help="Free units stand here, and drive back: id,lon,lat.")
@settings_option
@json_option
@map_option
@tiles_option
def simulate(**options: Any) -> None:
    """Make up a shift on real roads; everything drawn from it says simulated."""
    from rollby.commands.simulate import simulate_shift

    simulate_shift(**options)


@cli.command()
@roads_option
@click.option("--history", type=FILE, help="Folder of a recorded period.")
@click.option("--store", help="In place of --history: a live service's store, sqlite:///FILE.")
@settings_option
@click.option("--what-if", type=FILE, help="Hold these other settings against them.")
@post_option
@click.option("--why", "ask", type=ASKED, help="Say why this unit was asked about then.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    help="Times real time; default: at once.",
)
@click.option(
    "--compare", is_flag=True, help="In place of --history: all policies on simulated shifts."
)
@hours_option
@count_option
@click.option("--seeds", type=click.IntRange(1, 1000), default=3, show_default=True, help="Shifts.")
@click.option("--figures", type=FILE, help="With --compare: folder for a drawing a measure (SVG).")
@json_option
@map_option
@tiles_option
def replay(**options: Any) -> None:
    """Feed a recorded period through the live board: what it says, and why."""
    from rollby.commands.replay import replay_history

    of_compare = {name: options.pop(name) for name in ("hours", "units", "seeds", "figures")}
    if options.pop("compare"):
        if options["map_path"]:
            raise click.UsageError("give --map with --history")
        from rollby.commands.compare import compare_policies

        shared = {name: options[name] for name in ("roads", "settings", "as_json")}
        compare_policies(**shared, **of_compare)
        return
    if bool(options["history"]) is bool(options["store"]):
        raise click.UsageError("give --history, --store or --compare")
    if options["store"] and (options["map_path"] or options["posts"]):
        raise click.UsageError("give --map and --post with --history")
    if of_compare["figures"]:
        raise click.UsageError("give --figures with --compare")
    if options["ask"] and (options["what_if"] or options["posts"]):
        raise click.UsageError("give --why without --what-if and --post")
    replay_history(**options)


@cli.command()
@roads_option
@click.option("--history", type=FILE, required=True, help="Folder of a recorded period.")
@settings_option
@click.option(
    "--chart",
    type=file_in(".svg", ".png", ".pdf"),
    help="Draw the reliability diagrams: .svg, .png or .pdf.",
)
@click.option("--learn-times", type=FILE, help="Write the .roads with seconds learnt from it.")
@json_option
def calibrate(**options: Any) -> None:
    """Hold predictions against what came, and fit the model's constants to it."""
    from rollby.commands.calibrate import calibrate_history

    calibrate_history(**options)


@cli.command()
@roads_option
@click.option("--history", type=FILE, required=True, help="Folder of a recorded period.")
@settings_option
@click.option(
    "--every",
    "every_s",
    type=SECONDS,
    default=60.0,
    show_default=True,
    help="Seconds from snapshot to snapshot.",
)
@click.option("--split", type=INSTANT, help="Hold what was from here on against before.")
@post_option
@click.option(
    "--cluster",
    type=CLUSTER,
    help="Spread the days over a Dask scheduler's workers: local, or its address.",
)
@json_option
@cells_option
@click.option("--hours", type=CELLS, help="Write cells by hour of the week; endings likewise.")
@map_option
@click.option("--report", type=FILE, help="Write a printable report here (HTML).")
@tiles_option
def gaps(**options: Any) -> None:
    """Where and when the first and the second car were too far away, over a recorded period."""
    from rollby.commands.gaps import show_gaps

    show_gaps(**options)


@cli.command()
@roads_option
@click.option("--count", type=click.IntRange(1, 2000), required=True, help="How many posts.")
@click.option(
    "--model",
    type=click.Choice(["backup", "expected", "median"]),
    default="expected",
    show_default=True,
    help="First and second car within T; free cars within T (MEXCLP); mean drive time.",
)
@click.option("--history", type=FILE, help="Weigh roads by the stops of this recorded period.")
@within_option
@click.option(
    "--busy",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.3,
    show_default=True,
    help="Of the model `expected`: share of time that a unit is busy.",
)
@click.option("--present", type=PLACE, multiple=True, help="A post of today; may be kept.")
@click.option(
    "--move-price",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="What a post must gain to be elsewhere: share of stops, or mean seconds.",
)
@click.option("--by-hand", type=PLACE, multiple=True, help="A post of a plan to hold beside it.")
@click.option(
    "--candidates",
    type=click.IntRange(1, 2000),
    default=200,
    show_default=True,
    help="Places to choose from, spread over the roads.",
)
@click.option(
    "--solve-within",
    "solve_s",
    type=SECONDS,
    default=60.0,
    show_default=True,
    help="Seconds for the solver.",
)
@settings_option
@json_option
@click.option("--geojson", "geojson_path", type=FILE, help="Write the posts as GeoJSON here.")
@map_option
@tiles_option
def posts(**options: Any) -> None:
    """Where idle units should stand so that a second car is near."""
    from rollby.commands.posts import show_posts

    if options["move_price"] and not options["present"]:
        raise click.UsageError("give --move-price with --present")
    show_posts(**options)


@cli.command()
@click.option("--roads", type=FILE, help="A .roads file; not needed with --demo.")
@settings_option
@click.option("--store", help="In place of service.store of the settings.")
@click.option("--listen", help="HOST:PORT, in place of service.listen of the settings.")
@click.option("--standby", is_flag=True, help="Wait while another one leads; then take over.")
@click.option(
    "--demo", is_flag=True, help="A simulated shift at ten times its speed; nothing is kept."
)
def serve(*, demo: bool, roads: Path | None, **options: Any) -> None:
    """Run the live service: positions and stops in, suggestions out, nothing lost."""
    if demo:
        from rollby.commands.serve_demo import run_service_demo

        if roads or any(options[name] for name in ("settings", "store", "standby")):
            raise click.UsageError("--demo brings its own roads, settings and store: only --listen")
        run_service_demo(options["listen"])
        return
    if roads is None:
        raise click.UsageError("Missing option '--roads'; or try it with --demo")
    from rollby.commands.serve import run_service

    run_service(roads=roads, **options)


@cli.command()
@click.option("--settings", type=FILE, help="Fill in from this file.")
def settings(settings: Path | None) -> None:
    """Print all settings as TOML, with their defaults and what they mean."""
    from data.settings import settings_toml
    from rollby.inputs import load_settings

    click.echo(settings_toml(load_settings(settings)[0]), nl=False)


for _command in ADMINISTRATION:
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the program.

    Parameters
    ----------
    arguments : sequence of str or None
        None for those of the command line.

    Returns
    -------
    exit_code : int
        As the help says. A bug is not caught: it shows its traceback and exits with 1.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows ASCII only
    try:
        cli.main(arguments, prog_name="rollby", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("stopped", err=True)
        return 130
    except (InputError, SourceUnreachableError) as error:
        click.echo(error, err=True)
        return UNREACHABLE if isinstance(error, SourceUnreachableError) else BAD_DATA
    except BrokenPipeError:
        sys.stderr.close()
    return 0
