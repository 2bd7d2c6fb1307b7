"""A history's folder as days that can be read apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

from data.history import day_name, table_files
from data.history_rows import EVENT_TABLES

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryDays:
    """
    The UTC days of a folder, counted from 1970-01-01.

    Parameters
    ----------
    days, fix_days : tuple of int
        With anything, and with fixes, rising.
    last_s : float
        When the last fix arrived.
    """

    days: tuple[int, ...]
    fix_days: tuple[int, ...]
    last_s: float


def history_days(folder: Path) -> HistoryDays | None:
    """
    List the days that can be read apart, by what the files say of themselves; no row is read.

    Parameters
    ----------
    folder : Path
        A history.

    Returns
    -------
    days : HistoryDays or None
        None where a row may lie in another day's folder, or in none: CSV, JSON Lines, files that
        are not by UTC day of arrival, or that do not tell. Such a history is read as a whole.
    """
    found: set[int] = set()
    fix_days: set[int] = set()
    last_s = 0.0
    times = {"fixes": "received_at", **{kind.name: kind.at for kind in EVENT_TABLES}}
    for name, at in times.items():
        for path in table_files(folder, name):
            span_s = _span_s(path, at)
            if span_s is None:
                return None
            day = int(span_s[0] // DAY_S)
            if day != span_s[1] // DAY_S or day_name(day) not in path.parts:
                return None
            found.add(day)
            if name == "fixes":
                fix_days.add(day)
                last_s = max(last_s, span_s[1])
    if not fix_days:
        return None
    return HistoryDays(days=tuple(sorted(found)), fix_days=tuple(sorted(fix_days)), last_s=last_s)


def _span_s(path: Path, at: str) -> tuple[float, float] | None:
    """Read from when to when a Parquet file's rows are; None where it does not tell."""
    if path.suffix != ".parquet":
        return None
    try:
        metadata = parquet.read_metadata(path)
    except (pa.ArrowException, OSError):
        return None
    ends: list[datetime] = []
    for i in range(metadata.num_row_groups):
        group = metadata.row_group(i)
        columns = [group.column(c) for c in range(group.num_columns)]
        told = next((one.statistics for one in columns if one.path_in_schema == at), None)
        if told is None or not told.has_min_max or told.null_count or told.null_count is None:
            return None
        ends += [told.min, told.max]
    if not ends or not all(isinstance(one, datetime) and one.tzinfo for one in ends):
        return None
    return min(ends).timestamp(), max(ends).timestamp()
