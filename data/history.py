"""
A recorded period in a folder: fixes, statuses, stops, answers, and who was on scene.

::

    DIR/history.json                                  where it is from
    DIR/fixes/day=2026-03-13/part-0.parquet           by the UTC day of arrival
    DIR/{statuses,stops,answers,on_scene}/day=.../part-0.parquet

Written as Parquet, read also as CSV or JSON Lines, in folders by day or without.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet

from data.atomic import written
from data.checking.cells import OLDEST, identifier
from data.checking.reading import read_rows
from data.errors import Fault, FieldError, InputError, TableError
from data.events import Fixes, History
from data.history_rows import EVENT_TABLES, FIX_TABLE, FIXES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from data.history_rows import FixRow

SCHEMA = "rollby.history/1"
FACTS_FILE = "history.json"

_MOST = {"lon": 180.0, "lat": 90.0, "heading_deg": 360.0, "speed_mps": 150.0, "accuracy_m": np.inf}
_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER_MS = 10**15  # some 30,000 years


def write_history(folder: Path, history: History) -> None:
    """
    Write a history; instants are kept to the millisecond.

    Parameters
    ----------
    folder : Path
        Made if missing; it must not hold a history yet.
    history : History
        What to write. Every file also carries whether it is simulated.

    Raises
    ------
    InputError
        If the folder holds a history already or cannot be written, or a stop is known from a
        status alone.
    """
    names = ["fixes", *(kind.name for kind in EVENT_TABLES)]
    if any((folder / name).exists() for name in (FACTS_FILE, *names)):
        raise InputError(f"{folder}: must not hold a history already; choose another folder")
    add_to_history(folder, history, "part-0")


def add_to_history(folder: Path, history: History, part: str) -> None:
    """
    Write what was recorded since the last part; instants are kept to the millisecond.

    Parameters
    ----------
    folder : Path
        Made if missing.
    history : History
        What to write. Every file also carries whether it is simulated.
    part : str
        Name of its files; those of the same name and day are replaced.

    Raises
    ------
    InputError
        If the folder cannot be written, or a stop is known from a status alone.
    """
    names = ["fixes", *(kind.name for kind in EVENT_TABLES)]
    tables = [_fix_columns(history.fixes)]
    for kind in EVENT_TABLES:
        rows = [kind.row(event) for event in getattr(history, kind.name)]
        tables.append(pa.Table.from_pylist(rows, schema=kind.schema))
    order = ["received_at", *(kind.at for kind in EVENT_TABLES)]
    marks = {"schema": SCHEMA, "simulated": json.dumps(history.simulated)}
    for name, at, table in zip(names, order, tables, strict=True):
        _write_days(folder / name, table.replace_schema_metadata(marks), at, part)
    with written(_made(folder) / FACTS_FILE) as file:
        text = json.dumps({"schema": SCHEMA, **history.facts}, indent=2, ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")


def _made(folder: Path) -> Path:
    """
    Make a folder, and those above it.

    Raises
    ------
    InputError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror
        raise InputError(f"{folder}: cannot be made ({why}); choose another folder") from error
    return folder


def _write_days(folder: Path, table: Any, at: str, part: str) -> None:
    """Write a table, a file a day."""
    day = table[at].cast(pa.int64()).to_numpy() // _DAY_MS
    for number in np.unique(day).tolist():
        with written(_made(folder / day_name(number)) / f"{part}.parquet") as file:
            parquet.write_table(table.filter(pa.array(day == number)), file, compression="zstd")


def day_name(day: int) -> str:
    """Name the folder of a UTC day, counted from 1970-01-01."""
    return f"day={datetime.fromtimestamp(day * _DAY_MS / 1000, UTC):%Y-%m-%d}"


def _fix_columns(fixes: Fixes) -> Any:
    """Make Arrow columns of fixes."""
    units = pa.DictionaryArray.from_arrays(fixes.unit_row, pa.array(fixes.unit_ids, pa.string()))
    instants = [
        pa.array(np.rint(seconds * 1000).astype(np.int64)).cast(FIXES.field("fixed_at").type)
        for seconds in (fixes.fixed_at_s, fixes.received_at_s)
    ]
    values = (fixes.lon_deg, fixes.lat_deg, fixes.heading_deg, fixes.speed_mps, fixes.accuracy_m)
    figures = [pa.array(value, pa.float64(), from_pandas=True) for value in values]  # NaN is null
    return pa.table([units.cast(pa.string()), *instants, *figures], schema=FIXES)


def thin_history(folder: Path, before: datetime) -> list[str]:
    """
    Take raw positions out of a history; statuses, stops, answers and presences stay.

    Parameters
    ----------
    folder : Path
        A history.
    before : datetime
        Days that ended before this go.

    Returns
    -------
    days : list of str
        Those that went.
    """
    gone = []
    for day in sorted((folder / "fixes").glob("day=*")):
        try:
            ends = datetime.fromisoformat(day.name[4:]).replace(tzinfo=UTC) + timedelta(days=1)
        except ValueError:
            continue
        if ends <= before:
            shutil.rmtree(day)
            gone.append(day.name[4:])
    return gone


def recorded_period(folder: Path) -> tuple[datetime, datetime] | None:
    """
    Tell when the first and the last fix of a folder arrived, without reading all of them.

    Parameters
    ----------
    folder : Path
        As `add_to_history` writes it; it may be missing.

    Returns
    -------
    period : (datetime, datetime) or None
        UTC; None where there are no fixes.
    """
    days = sorted(one for one in (folder / "fixes").glob("day=*") if _day_of(one) is not None)
    found = [
        ends
        for day in {*days[:1], *days[-1:]}
        for path in day.glob("*.parquet")
        if (ends := _ends_of(path)) is not None
    ]
    return (min(a for a, _ in found), max(b for _, b in found)) if found else None


def _ends_of(path: Path) -> tuple[datetime, datetime] | None:
    """Tell when the first and the last fix of a file arrived; None where that cannot be read."""
    try:
        arrived = parquet.read_table(path, columns=["received_at"], partitioning=None)[0]
    except (pa.ArrowException, OSError, KeyError):
        return None
    ends = compute.min_max(arrived).as_py()
    return None if ends["min"] is None else (ends["min"], ends["max"])


def _day_of(folder: Path) -> date | None:
    """Read the day that a folder is named for; None where it is named otherwise."""
    try:
        return date.fromisoformat(folder.name.removeprefix("day="))
    except ValueError:
        return None


def read_history(
    folder: Path,
    *,
    days: Sequence[int] | None = None,
    arrived_s: tuple[float, float] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    tables: Collection[str] | None = None,
) -> History:
    """
    Read a history, each table in the order of its instants.

    Parameters
    ----------
    folder : Path
        Holds for each table a folder of that name with files in it, at any depth, or one file.
    days : sequence of int or None
        Only these folders ``day=YYYY-MM-DD``: UTC days since 1970-01-01; they need hold no fixes.
    arrived_s : (first_s, last_s) or None
        Of the fixes, those that arrived from one instant to the other.
    since, until : datetime or None
        Only what arrived from then on, and before then. Statuses and stops of before `since` stay:
        they tell how it stood.
    tables : collection of str or None
        Only these; None for all.

    Returns
    -------
    history : History
        `Fixes.unit_ids` in sorted order. A table that is not there holds nothing; fixes must be
        where they are asked for.

    Raises
    ------
    TableError
        With every fault of every file.
    """
    facts, faults = _read_facts(folder)
    asked = tables is None or "fixes" in tables
    paths = table_files(folder, "fixes", days) if asked else []
    within = ""
    if since or until:
        paths = [path for path in paths if _may_hold(path, since, until)]
        arrived_s, within = _span_s(since, until), " of that period"
    if asked and not paths and days is None:
        rule = f"must hold fixes{within}: fixes/day=YYYY-MM-DD/*.parquet, or fixes.csv"
        faults.append(_fault(folder, rule))
    fixes, found = _read_fixes(paths, arrived_s)
    faults += found
    events: dict[str, tuple[Any, ...]] = {}
    for kind in EVENT_TABLES:
        if tables is not None and kind.name not in tables:
            continue
        files = table_files(folder, kind.name, days)
        paths += files
        parts = [read_rows(path, kind.table) for path in files]
        faults += [fault for part in parts for fault in part.faults]
        rows = [row for part in parts for row in part.rows]
        at = attrgetter(kind.at)
        known = (row for row in rows if until is None or at(row) < until)
        events[kind.name] = tuple(sorted(known, key=at))
    if faults:
        raise TableError(faults)
    if any(_says_simulated(path) for path in paths):
        facts["simulated"] = True  # whatever became of the facts' file
    return History(fixes=fixes, **events, facts=facts)


def _may_hold(path: Path, since: datetime | None, until: datetime | None) -> bool:
    """Tell whether a file may hold fixes of a period, by the day of its folder."""
    day = _day_of(path.parent)
    if day is None:
        return True
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
    over = since is not None and begins + timedelta(days=1) <= since
    return not over and (until is None or begins < until)


def _span_s(since: datetime | None, until: datetime | None) -> tuple[float, float]:
    """Give a period as whole milliseconds, the last of them before its end."""
    first = -_FOREVER_MS if since is None else _whole_ms(since)
    last = _FOREVER_MS if until is None else _whole_ms(until) - 1
    return first / 1000, last / 1000


def _whole_ms(at: datetime) -> int:
    """Give the first whole millisecond from an instant on, since 1970-01-01."""
    return -((_EPOCH - at) // timedelta(milliseconds=1))


def _fault(path: Path, rule: str) -> Fault:
    """Say what is wrong with a whole file or folder."""
    return Fault(file=str(path), line=None, field="", value="", rule=rule)


def _read_facts(folder: Path) -> tuple[dict[str, Any], list[Fault]]:
    """Read where a history is from; an agency's own export need not say it."""
    path = folder / FACTS_FILE
    if not folder.is_dir():
        return {}, [_fault(folder, "must be a folder that holds a history; check its name")]
    if not path.exists():
        return {}, []
    try:
        facts = json.loads(path.read_text("utf-8"))
        schema = facts.pop("schema", None)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        return {}, [_fault(path, f"must be a JSON object ({error}); write it again")]
    if schema != SCHEMA:
        fault = Fault(
            file=str(path),
            line=None,
            field="schema",
            value=str(schema)[:80],
            rule=f"must be {SCHEMA}; a newer one needs a newer rollby",
        )
        return facts, [fault]
    return facts, []


def table_files(folder: Path, name: str, days: Sequence[int] | None = None) -> list[Path]:
    """
    List the files of a table.

    Parameters
    ----------
    folder : Path
        A history.
    name : str
        The table.
    days : sequence of int or None
        Only the folders of these UTC days since 1970-01-01.

    Returns
    -------
    paths : list of Path
        Day after day.
    """
    if days is None:
        paths = [*folder.glob(f"{name}.*"), *(folder / name).rglob("*")]
    else:
        paths = [path for day in days for path in (folder / name / day_name(day)).rglob("*")]
    seen = (path for path in paths if path.is_file() and path.name[0] not in "._")
    return sorted(seen)


def _says_simulated(path: Path) -> bool:
    """Tell whether a Parquet file is marked as made up."""
    if path.suffix != ".parquet":
        return False
    metadata = parquet.read_schema(path).metadata or {}
    return bool(metadata.get(b"simulated") == b"true")


def _read_fixes(
    paths: Sequence[Path], arrived_s: tuple[float, float] | None
) -> tuple[Fixes, list[Fault]]:
    """
    Read fixes: files as we write them column by column, others row by row.

    Both give the same (`tests/data/test_history.py`); the second also says what is wrong.
    """
    tables = [FIXES.empty_table()]
    faults: list[Fault] = []
    for path in paths:
        table = _whole_columns(path, arrived_s)
        if table is None:
            rows = read_rows(path, FIX_TABLE)
            faults += rows.faults
            table = _fix_columns(_fixes_of(rows.rows))
            table = table.filter(_arrived(arrived_s)) if arrived_s else table
        tables.append(table)
    return _fixes(pa.concat_tables(tables)), faults


def _arrived(span_s: tuple[float, float]) -> Any:
    """Ask for fixes by their arrival."""
    first, last = (
        pa.scalar(round(1000 * one), pa.int64()).cast(FIXES.field("received_at").type)
        for one in span_s
    )
    arrived = compute.field("received_at")
    return (arrived >= first) & (arrived <= last)


def _whole_columns(path: Path, arrived_s: tuple[float, float] | None) -> Any | None:
    """Read a file of fixes at once; None where it is not just as we write it and in range."""
    try:
        if path.suffix != ".parquet" or not parquet.read_schema(path).equals(FIXES):
            return None
        asked = _arrived(arrived_s) if arrived_s else None
        table = parquet.read_table(path, schema=FIXES, partitioning=None, filters=asked)
    except (pa.ArrowException, OSError, ValueError):
        return None
    required = ("unit_id", "fixed_at", "received_at", "lon", "lat")
    return table if not any(table[n].null_count for n in required) and _in_range(table) else None


def _in_range(table: Any) -> bool:
    """Tell whether every value of a column is one that the row's checks allow."""
    for name in ("fixed_at", "received_at"):
        oldest = compute.min(table[name]).as_py()
        if oldest is not None and oldest < OLDEST:
            return False
    for name, most in _MOST.items():
        value = _floats(table[name])
        least = -most if name in {"lon", "lat"} else 0.0
        known = value[~np.isnan(value)]
        if not (np.isfinite(known) & (known >= least) & (known <= most)).all():
            return False
    return all(_is_id(text) for text in table["unit_id"].unique().to_pylist())


def _is_id(text: str) -> bool:
    """Tell whether a text is an id as it stands."""
    try:
        return bool(text) and identifier("unit_id", text.strip()) == text
    except FieldError:
        return False


def _floats(column: Any) -> npt.NDArray[np.float64]:
    """Give a column with NaN for null."""
    filled: npt.NDArray[np.float64] = compute.fill_null(column, np.nan).to_numpy()
    return filled


def _fixes_of(rows: Sequence[FixRow]) -> Fixes:
    """Make columns of rows, in their order of arrival."""
    rows = sorted(rows, key=lambda row: row.received_at)
    unit_ids = tuple(sorted({row.unit_id for row in rows}))
    place = {unit_id: number for number, unit_id in enumerate(unit_ids)}

    def column(values: list[float | None]) -> npt.NDArray[np.float64]:
        return np.array(values, np.float64)

    return Fixes(
        unit_ids=unit_ids,
        unit_row=np.array([place[row.unit_id] for row in rows], np.int32),
        fixed_at_s=column([row.fix.fixed_at.timestamp() for row in rows]),
        received_at_s=column([row.received_at.timestamp() for row in rows]),
        lon_deg=column([row.fix.lon_deg for row in rows]),
        lat_deg=column([row.fix.lat_deg for row in rows]),
        heading_deg=column([row.fix.heading_deg for row in rows]),
        speed_mps=column([row.fix.speed_mps for row in rows]),
        accuracy_m=column([row.fix.accuracy_m for row in rows]),
    )


def _fixes(table: Any) -> Fixes:
    """Make fixes of Arrow columns, by arrival; those that arrived at once stay as they are."""
    arrived_ms = table["received_at"].cast(pa.int64()).to_numpy()
    order = np.argsort(arrived_ms, kind="stable")
    units = table["unit_id"].combine_chunks().dictionary_encode()
    if isinstance(units, pa.ChunkedArray):
        units = units.combine_chunks()
    names = np.array(units.dictionary.to_pylist(), dtype=object)
    by_name = np.argsort(names) if len(names) else np.empty(0, np.int64)
    rank = np.empty(len(names), np.int32)
    rank[by_name] = np.arange(len(names), dtype=np.int32)
    return Fixes(
        unit_ids=tuple(names[by_name].tolist()),
        unit_row=rank[units.indices.to_numpy()][order],
        fixed_at_s=table["fixed_at"].cast(pa.int64()).to_numpy()[order] / 1000,
        received_at_s=arrived_ms[order] / 1000,
        **{
            column: _floats(table[name])[order]
            for column, name in {
                "lon_deg": "lon",
                "lat_deg": "lat",
                "heading_deg": "heading_deg",
                "speed_mps": "speed_mps",
                "accuracy_m": "accuracy_m",
            }.items()
        },
    )
