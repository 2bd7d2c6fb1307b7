"""What options are made of: the texts they take, and those that several commands have."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., None]

T = TypeVar("T")

FILE = click.Path(path_type=Path)
DAY_S = 86_400
SCHEDULER = re.compile(r"(tcp|tls)://[^\s/]+:[0-9]+")


class Read(click.ParamType[T], Generic[T]):
    """
    A text that a function reads.

    Parameters
    ----------
    name : str
        Its shape, for the help.
    read : callable
        Makes a value of a text, or raises ValueError with the rule.
    """

    def __init__(self, name: str, read: Callable[[str], T]) -> None:
        self.name = name
        self.read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """
        Read a text; what was read already stays.

        Returns
        -------
        value : object
            As the function makes it; where that refuses, the usage error names text and rule.
        """
        if not isinstance(value, str):
            found: T = value
            return found
        try:
            return self.read(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


def _instant(text: str) -> datetime:
    """Read ISO 8601."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be ISO 8601, such as 2026-11-23T02:13:00-07:00") from None
    if instant.utcoffset() is None:
        raise ValueError("must have an offset or Z")
    return instant


def _place(text: str) -> tuple[float, float, float]:
    """Read a place; the heading is NaN where none is given."""
    try:
        lon, lat, heading = ([*map(float, text.split(",")), float("nan")])[:3]
    except ValueError:
        raise ValueError("must be LON,LAT or LON,LAT,HEADING in degrees") from None
    if text.count(",") > 2 or not (-180 <= lon <= 180 and -90 <= lat <= 90):  # noqa: PLR2004
        raise ValueError("must be LON,LAT[,HEADING], longitude first")
    if heading == heading and not 0 <= heading <= 360:  # noqa: PLR0124, PLR2004 - NaN; degrees
        raise ValueError("the heading must be from 0 to 360")
    return lon, lat, heading


def _seconds(text: str) -> float:
    """Read a finite number of seconds, more than none."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = float("nan")
    if not 0 < seconds <= DAY_S:
        raise ValueError(f"must be seconds, more than 0 and at most {DAY_S}")
    return seconds


def _box(text: str) -> tuple[float, float, float, float]:
    """Read west, south, east and north."""
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        raise ValueError("must be W,S,E,N in degrees") from None
    return west, south, east, north


def _post(text: str) -> tuple[str, float, float]:
    """Read a unit and where it stands."""
    unit_id, _, place = text.rpartition("@")
    lon, lat, heading = _place(place)
    if not unit_id or heading == heading:  # noqa: PLR0124 - NaN
        raise ValueError("must be UNIT@LON,LAT")
    return unit_id, lon, lat


def _asked(text: str) -> tuple[str, datetime]:
    """Read a unit and an instant."""
    unit_id, _, instant = text.rpartition("@")
    if not unit_id:
        raise ValueError("must be UNIT@INSTANT")
    return unit_id, _instant(instant)


def _scheduler(text: str) -> str:
    """Read where a Dask scheduler is."""
    if text != "local" and not SCHEDULER.fullmatch(text):
        raise ValueError("must be local, tcp://HOST:PORT or tls://HOST:PORT")
    return text


def file_in(*endings: str) -> Read[Path]:
    """
    Take a file of certain formats.

    Parameters
    ----------
    *endings : str
        With their dots.

    Returns
    -------
    kind : Read of Path
        For an option or argument.
    """

    def read(text: str) -> Path:
        path = Path(text)
        if path.suffix not in endings:
            raise ValueError(f"must end in {', '.join(endings)}")
        return path

    return Read("path", read)


INSTANT = Read("instant", _instant)
PLACE = Read("lon,lat[,heading]", _place)
SECONDS = Read("seconds", _seconds)
BOX = Read("w,s,e,n", _box)
POST = Read("unit@lon,lat", _post)
ASKED = Read("unit@instant", _asked)
CLUSTER = Read("text", _scheduler)
CELLS = file_in(".gpkg", ".geojson", ".parquet", ".csv")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
settings_option = click.option(
    "--settings", type=FILE, help="Settings, TOML; see `rollby settings`."
)
roads_option = click.option(
    "--roads", type=FILE, required=True, help="Road network, from `rollby roads build`."
)
map_option = click.option(
    "--map", "map_path", type=FILE, help="Write a map here (HTML, complete without internet)."
)
tiles_option = click.option(
    "--tiles", is_flag=True, help="Lay OpenStreetMap's online tiles beneath the map."
)
post_option = click.option(
    "--post",
    "posts",
    type=POST,
    multiple=True,
    help="What if: this unit, or one more, stands here while available.",
)
cells_option = click.option(
    "--cells", type=CELLS, help="Write H3 cells: .gpkg, .geojson, .parquet or .csv."
)
within_option = click.option("--within", "within_s", type=SECONDS, help="T, seconds.")
hours_option = click.option(
    "--hours",
    type=click.FloatRange(0.05, 24 * 31),
    default=8.0,
    show_default=True,
    help="How long a simulated shift is.",
)
count_option = click.option(
    "--on-duty", "units", type=click.IntRange(1, 2000), default=40, show_default=True, help="Units."
)


def several(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """
    Join options that several commands share.

    Parameters
    ----------
    *options : decorator
        In the order of the help.

    Returns
    -------
    option : decorator
        All of them.
    """

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add
