"""
A whole store in one file, and back: from SQLite to PostgreSQL too.

The file is gzip of JSON lines: what it is, then for each table its columns and its rows, then the
SHA-256 of all lines before. All rows are of one instant, read while the service runs.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, Table, func, insert, inspect, select, text

from data.atomic import written
from data.errors import InputError
from data.store.opening import engine_of, lead, migrate, reach

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

KIND = "rollby.backup/1"
PART = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """
    What a backup holds.

    Parameters
    ----------
    layout : str
        Of the store it was made of.
    made_ms : int
        When, milliseconds since the epoch.
    rows : dict of str to int
        How many, by table.
    sha256 : str
        Of its lines, hexadecimal.
    """

    layout: str
    made_ms: int
    rows: dict[str, int]
    sha256: str


def back_up(engine: Engine, path: Path, made_ms: int) -> Backup:
    """
    Write a store into a file, which only its owner can read.

    Parameters
    ----------
    engine : Engine
        Of the store; others may write to it meanwhile.
    path : Path
        The file; what is there is replaced once all is written.
    made_ms : int
        The present, milliseconds since the epoch.

    Returns
    -------
    backup : Backup
        What it holds.
    """
    with written(path) as part:
        part.touch(mode=0o600)
        with gzip.open(part, "wt", encoding="utf-8", compresslevel=3) as file:
            digest = hashlib.sha256()
            for line in _lines(engine, made_ms):
                digest.update(line.encode())
                file.write(line)
            file.write(json.dumps({"sha256": digest.hexdigest()}) + "\n")
    return read_backup(path)


def _lines(engine: Engine, made_ms: int) -> Iterator[str]:
    """Write a store as lines, all of one instant."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            layout = connection.execute(
                text("SELECT version_num FROM alembic_version")
            ).scalar_one()
            yield _line({"kind": KIND, "layout": layout, "made_ms": made_ms})
            for table in _tables(connection):
                yield _line({"table": table.name, "columns": [column.name for column in table.c]})
                stream = connection.execution_options(yield_per=PART)
                for row in stream.execute(select(table).order_by(*table.primary_key)):
                    yield _line([_plain(value) for value in row])


def read_backup(path: Path) -> Backup:
    """
    Read a backup through, and hold it to its checksum.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    backup : Backup
        What it holds.

    Raises
    ------
    InputError
        If it is no backup, or was cut short or altered.
    """
    first: Any = None
    rows: dict[str, int] = {}
    digest, last, name = hashlib.sha256(), b"", ""
    for line in _stored(path):
        digest.update(last)
        last = line
        content = json.loads(line)
        if first is None:
            first = content
            if not isinstance(first, dict) or first.get("kind") != KIND:
                raise InputError(f"{path}: is no backup of rollby, or of a newer one")
        elif isinstance(content, list):
            rows[name] += 1
        elif "table" in content:
            name = content["table"]
            rows[name] = 0
    if first is None or json.loads(last) != {"sha256": digest.hexdigest()}:
        raise InputError(f"{path}: was cut short or altered; take another backup")
    return Backup(
        layout=first["layout"], made_ms=first["made_ms"], rows=rows, sha256=digest.hexdigest()
    )


def restore(path: Path, address: str) -> Backup:
    """
    Make a store of a backup.

    Parameters
    ----------
    path : Path
        The file.
    address : str
        ``sqlite:///FILE`` that is not there, or ``postgresql://USER@HOST/NAME`` without tables.

    Returns
    -------
    backup : Backup
        What is in the store now.

    Raises
    ------
    InputError
        If something is there, or the file is not whole; nothing was written then.
    """
    backup = read_backup(path)
    engine = engine_of(address)
    try:
        with reach(engine) as connection, lead(engine, connection) or nullcontext():
            with connection.begin():
                if inspect(connection).get_table_names():
                    where = engine.url.render_as_string(hide_password=True)
                    raise InputError(f"{where}: is not empty; restore into a new place")
            migrate(connection, backup.layout)
            with connection.begin():
                _fill(connection, path)
            migrate(connection)
    finally:
        engine.dispose()
    return backup


def _fill(connection: Connection, path: Path) -> None:
    """Put the rows of a backup into empty tables."""
    tables = {table.name: table for table in _tables(connection)}
    table: Table | None = None
    columns: list[str] = []
    part: list[dict[str, Any]] = []
    for line in _stored(path):
        content = json.loads(line)
        if isinstance(content, list):
            values = [_value(value) for value in content]
            part.append(dict(zip(columns, values, strict=True)))
        if part and (len(part) == PART or isinstance(content, dict)):
            assert table is not None  # noqa: S101 - a row comes after the line that names its table
            connection.execute(insert(table), part)
            part = []
        if isinstance(content, dict) and "table" in content:
            table, columns = tables[content["table"]], content["columns"]
    if connection.dialect.name == "postgresql":
        for table in tables.values():
            _count_on(connection, table)


def _count_on(connection: Connection, table: Table) -> None:
    """Have PostgreSQL number new rows on from those restored."""
    for column in table.primary_key:
        owned = func.pg_get_serial_sequence(table.name, column.name)
        sequence = connection.execute(select(owned)).scalar()
        if sequence is not None:  # an empty table's stays as it is: setval of null does nothing
            connection.execute(
                select(func.setval(sequence, select(func.max(column)).scalar_subquery()))
            )


def _tables(connection: Connection) -> list[Table]:
    """Find the tables as the database has them, whichever layout that is."""
    found = MetaData()
    found.reflect(connection)
    return [table for name, table in sorted(found.tables.items()) if name != "alembic_version"]


def _stored(path: Path) -> Iterator[bytes]:
    """
    Read the lines of a backup.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                json.loads(line)
                yield line
    except FileNotFoundError as error:
        raise InputError(f"{path}: is not there; check the name") from error
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}: was cut short or altered; take another backup") from error


def _line(content: object) -> str:
    """Write one line."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def _plain(value: Any) -> Any:
    """Write a value as JSON holds it; bytes as an object, which no other value is."""
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    return value


def _value(plain: Any) -> Any:
    """Read what `_plain` wrote."""
    return base64.b64decode(plain["base64"]) if isinstance(plain, dict) else plain
