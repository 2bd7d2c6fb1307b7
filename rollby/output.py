"""Answers for people: tables on a terminal; and for programs: CSV, GeoJSON."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING, Any, Self

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from data import words
from data.records import Flag
from geo.as_json import instant_json, number_json, route_json
from maps.style import Manner

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from data.answers import Advice, StopAdvice
    from data.settings import Settings
    from geo.network import RoadNetwork

PIPE_COLUMNS = 100
FORMULA = ("=", "+", "-", "@")
FLAG_STYLE = {Flag.ALONE: "bold red", Flag.THIN: "yellow", Flag.COVERED: "green"}
LEFT_OUT = "Not all that was reported is in it: faulty rows were left out."
LIMITS = "A suggestion, never an order: routine driving, and the dispatcher overrides."


def console() -> Console:
    """
    Open the standard output for people.

    Returns
    -------
    console : Console
        As wide as the terminal, or a fixed width in a pipe so that nothing is cut off.
    """
    return Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS, highlight=False)


def manner_of(settings: Settings, *, tiles: bool = False) -> Manner:
    """
    Tell how an agency likes its maps.

    Parameters
    ----------
    settings : Settings
        The agency's.
    tiles : bool
        With OpenStreetMap's online tiles beneath.

    Returns
    -------
    manner : Manner
        For every map.
    """
    units = settings.units
    return Manner(time_zone=units.time_zone, speed_unit=units.speed_unit, tiles=tiles)


def console_err() -> Console:
    """
    Open the standard error for people.

    Returns
    -------
    console : Console
        For progress, which a pipe does not see.
    """
    return Console(stderr=True, highlight=False)


class Bar:
    """
    A progress bar on a terminal; nothing in a pipe.

    Parameters
    ----------
    out : Console
        Where to.
    """

    def __init__(self, out: Console) -> None:
        self._progress = Progress(console=out, transient=True, disable=not out.is_terminal)
        self._task = self._progress.add_task("", total=1.0)

    def __enter__(self) -> Self:
        """Show it."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._progress.stop()

    def show(self, step: str, share: float) -> None:
        """Say what is being done, and the share that is done."""
        self._progress.update(self._task, description=step, completed=share)


def json_text(answer: dict[str, Any]) -> str:
    """
    Write JSON.

    Returns
    -------
    text : str
        Indented, in UTF-8, NaN refused.
    """
    return json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False)


def advice_table(advice: Advice, settings: Settings) -> Table:
    """
    Lay out suggestions.

    Parameters
    ----------
    advice : Advice
        The answer.
    settings : Settings
        Time zone.

    Returns
    -------
    table : Table
        One row a stop, most exposed first.
    """
    title = f"Stops at {_local(advice.at, settings)}"
    table = Table(
        title=("SIMULATED. " if advice.simulated else "") + title,
        caption=LIMITS + (f"\n{LEFT_OUT}" if advice.left_out else ""),
        box=box.SIMPLE_HEAVY,
        show_lines=True,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("Backup", no_wrap=True)
    table.add_column("Stop", overflow="fold")
    table.add_column("Situation", ratio=3)
    table.add_column("Who should roll by, and why", ratio=5)
    for stop in advice.stops:
        table.add_row(
            Text.assemble(
                (stop.flag.value.upper(), FLAG_STYLE[stop.flag]),
                f"\n{_backup(stop)}",
            ),
            Text(f"{stop.stop_id}\n{stop.unit_id}"),
            Text(_situation(stop)),
            _answer(stop),
        )
    return table


def _backup(stop: StopAdvice) -> str:
    """Say how likely backup is; nobody needs to know where the officers are there."""
    if stop.officers_present >= stop.needs:
        return "not needed"
    return words.percent(stop.backup_probability)


def _local(instant: datetime, settings: Settings) -> str:
    """Write an instant in the agency's time zone."""
    return words.clock(instant, settings.units.time_zone, day=True)


def _situation(stop: StopAdvice) -> str:
    """Say where and how a stop stands."""
    age = "age unknown" if stop.age_s is None else words.age(stop.age_s)
    there = f"{stop.officers_present} of {stop.needs} officers"
    lines = [f"{stop.phase.value.replace('_', ' ')}, {age}, {there}", stop.street or "unnamed road"]
    if stop.lon_deg is None:
        lines[1] = "place unknown"
    return "\n".join([*lines, *stop.notes])


def _answer(stop: StopAdvice) -> Text:
    """Say who should go, or why nobody; and who is nearest."""
    if stop.suggestion:
        one = stop.suggestion
        text = Text.assemble(
            (f"{one.unit_id}, {words.way(one.drive_time_s, on_foot=one.route.on_foot)}", "bold")
        )
        text.append("\n" + "; ".join(one.reasons[1:]))
        if one.runner_up:
            text.append(
                f"\nnext: {one.runner_up.unit_id}, {words.drive(one.runner_up.drive_time_s)}"
            )
        return text
    text = Text.assemble(("nobody: " if stop.flag is not Flag.COVERED else "", "bold"))
    text.append(stop.why_none or "")
    if stop.nearest and stop.officers_present < stop.needs:
        near = stop.nearest[0]
        status = near.status.value.replace("_", " ")
        text.append(f"\nnearest: {near.unit_id} ({status}), {words.drive(near.drive_time_s)}")
    return text


ADVICE_COLUMNS = (
    *("stop_id", "unit_id", "lon", "lat", "street", "phase", "age_s"),
    *("officers_present", "needs", "within_s", "flag", "backup_probability", "priority"),
    *("suggested_unit_id", "drive_time_s", "arrival_at", "distance_m", "score", "coverage_loss"),
    *("reasons", "runner_up_unit_id", "nearest_unit_id", "nearest_drive_time_s"),
    *("why_none", "notes"),
)


def advice_rows(advice: Advice) -> list[dict[str, object]]:
    """
    Flatten suggestions to one row a stop.

    Returns
    -------
    rows : list of dict
        With the keys `ADVICE_COLUMNS`; None for what is unknown.
    """
    return [dict(zip(ADVICE_COLUMNS, _advice_row(stop), strict=True)) for stop in advice.stops]


def _advice_row(stop: StopAdvice) -> tuple[object, ...]:
    """Flatten one stop."""
    one = stop.suggestion
    near = stop.nearest[0] if stop.nearest else None
    return (
        stop.stop_id,
        stop.unit_id,
        stop.lon_deg,
        stop.lat_deg,
        stop.street,
        stop.phase.value,
        number_json(stop.age_s),
        stop.officers_present,
        stop.needs,
        stop.within_s,
        stop.flag.value,
        number_json(stop.backup_probability, 6),
        number_json(stop.priority, 6),
        one and one.unit_id,
        one and number_json(one.drive_time_s),
        one and instant_json(one.arrival_at),
        one and number_json(one.distance_m),
        one and number_json(one.score, 6),
        one and number_json(one.coverage_loss, 6),
        "; ".join(one.reasons) if one else None,
        one.runner_up.unit_id if one and one.runner_up else None,
        near and near.unit_id,
        near and number_json(near.drive_time_s),
        stop.why_none,
        "; ".join(stop.notes),
    )


def advice_geojson(advice: Advice) -> dict[str, Any]:
    """
    Write suggestions for a GIS.

    Returns
    -------
    collection : dict
        A Point a stop (null geometry where nobody knows the place) with the columns of
        `advice_rows`, and a LineString a suggested route with ``stop_id`` and ``unit_id``.
    """
    features = []
    for stop, row in zip(advice.stops, advice_rows(advice), strict=True):
        known = stop.lon_deg is not None
        point = {"type": "Point", "coordinates": [stop.lon_deg, stop.lat_deg]} if known else None
        features.append(feature(point, {"kind": "stop", **row}))
        if stop.suggestion:
            names = {
                "kind": "route",
                "stop_id": stop.stop_id,
                "unit_id": stop.suggestion.unit_id,
                "drive_time_s": number_json(stop.suggestion.drive_time_s),
            }
            features.append(feature(route_json(stop.suggestion.route), names))
    return {"type": "FeatureCollection", "features": features}


def feature(geometry: dict[str, Any] | None, properties: Mapping[str, object]) -> dict[str, Any]:
    """
    Write one feature of GeoJSON.

    Returns
    -------
    feature : dict
        Its geometry null where nobody knows the place.
    """
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def csv_text(columns: Iterable[str], rows: Iterable[Mapping[str, object]]) -> str:
    """
    Write CSV.

    Parameters
    ----------
    columns : iterable of str
        The header.
    rows : iterable of mapping
        None becomes an empty field.

    Returns
    -------
    text : str
        Lines end with a line feed.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def no_formulas(row: Mapping[str, object]) -> dict[str, object]:
    """
    Keep a spreadsheet from running a text as a formula.

    Parameters
    ----------
    row : mapping of str to value
        Of a table that people open.

    Returns
    -------
    row : dict of str to value
        Texts that begin as a formula does are preceded by an apostrophe.
    """
    return {
        key: f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
        for key, value in row.items()
    }


def roads_table(net: RoadNetwork) -> Table:
    """
    Lay out what a road network is.

    Returns
    -------
    table : Table
        One row a fact.
    """
    table = Table(box=None, show_header=False)
    for name, value in net.facts().items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        table.add_row(name.replace("_", " "), Text(shown))
    return table


def _preparedness(part: dict[str, Any]) -> str:
    """Write p of a beat; nothing of all roads."""
    ready = part.get("preparedness")
    return "" if ready is None else f"{ready:.2f}"


def coverage_table(answer: dict[str, Any], settings: Settings, at: datetime) -> Table:
    """
    Lay out coverage.

    Parameters
    ----------
    answer : dict
        ``rollby.coverage/1``.
    settings : Settings
        Time zone.
    at : datetime
        The instant.

    Returns
    -------
    table : Table
        A row each for the first and the second car, everywhere and by beat.
    """
    simulated = "SIMULATED. " if answer.get("simulated") else ""
    table = Table(
        title=f"{simulated}Coverage at {_local(at, settings)}",
        caption=LEFT_OUT if answer.get("skipped") else None,
        box=box.SIMPLE_HEAVY,
        title_justify="left",
        caption_justify="left",
    )
    columns = ["Where", "Road", "Car", "In time", "Half within", "90 % within"]
    recorded, beats = answer["stops_recorded"] is not None, "beats" in answer
    columns += ["Stops in time"] * recorded + ["Preparedness"] * beats
    for column in columns:
        left = column in {"Where", "Car"}
        whole = len(column) if column == "Preparedness" else None  # one word: not to be cut
        table.add_column(column, justify="left" if left else "right", min_width=whole)
    everywhere = {"beat": "everywhere", **answer}
    for part in (everywhere, *answer.get("beats", ())):
        for car in ("first", "second"):
            figures = part[car]
            road = words.distance((part["road_km"] or 0) * 1000, settings.units.speed_unit)
            where = f"{part['beat']} (T {words.drive(part['within_s'])})"
            table.add_row(
                *((Text(where), road) if car == "first" else ("", "")),
                car,
                words.percent(figures["share_within"] or 0.0),
                *(
                    "nobody" if figures[key] is None else words.drive(figures[key])
                    for key in ("p50_s", "p90_s")
                ),
                *[words.percent(figures["stops_within"] or 0.0)] * recorded,
                *[_preparedness(part) if car == "first" else ""] * beats,
            )
    return table
