"""A store opened by its address: as durable as its database can be, and with the newest layout."""

from __future__ import annotations

import fcntl
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import alembic.command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from data.errors import InputError, SourceUnreachableError
from data.store.turns import Turns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

LEADER = 0x726F6C6C6279  # "rollby": the advisory lock of the one that leads
OTHERS = LEADER + 1  # of the short transactions of all others
_TURNS = Turns()
WRITES = {"sqlite_begin": "BEGIN IMMEDIATE"}
"""Options of a connection that writes: where another one does, SQLite waits at the beginning of a
transaction. One that has read before it writes would fail instead."""


def engine_of(address: str) -> Engine:
    """
    Make an engine.

    Parameters
    ----------
    address : str
        ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``.

    Returns
    -------
    engine : Engine
        SQLite writes ahead and syncs every commit; PostgreSQL too, whatever its default.

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise InputError("service.store: must be sqlite:///FILE or postgresql://...") from error
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "postgresql+psycopg"} or not url.database:
        raise InputError("service.store: must be sqlite:///FILE or postgresql://...")
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url)
        event.listen(engine, "connect", _harden_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        connect_args={"options": "-c synchronous_commit=on", "connect_timeout": 5},
        pool_pre_ping=True,
    )


def _harden_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """Have a commit mean that it is on disk."""
    connection.isolation_level = None  # the driver begins no transactions of its own
    for line in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=5000",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {line}")


def _begin_sqlite(connection: Connection) -> None:
    """Begin what the driver was told not to begin."""
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def is_there(address: str) -> bool:
    """
    Tell whether a store's database exists.

    Parameters
    ----------
    address : str
        As for `engine_of`.

    Returns
    -------
    there : bool
        PostgreSQL's is taken to; to connect will tell.
    """
    url = engine_of(address).url
    return url.get_backend_name() != "sqlite" or Path(str(url.database)).exists()


def reach(engine: Engine) -> Connection:
    """
    Connect. A file of SQLite's that is new can be read by its owner alone.

    Returns
    -------
    connection : Connection
        Open, to write.

    Raises
    ------
    SourceUnreachableError
        If the database does not answer.
    """
    if engine.dialect.name == "sqlite":
        with suppress(OSError):  # that it cannot be made, to connect will tell
            Path(str(engine.url.database)).touch(mode=0o600)
    try:
        return engine.connect().execution_options(**WRITES)
    except SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)
        why = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise SourceUnreachableError(
            f"service.store={where}: cannot be opened ({why}); check that it is there and started"
        ) from error


def turn_of(engine: Engine) -> AbstractContextManager[None]:
    """
    Give what all who write in this process wait for.

    Parameters
    ----------
    engine : Engine
        Of the store.

    Returns
    -------
    turn : context manager
        To be held over a transaction; PostgreSQL needs none.
    """
    return _TURNS if engine.dialect.name == "sqlite" else nullcontext()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """
    Write beside the one that leads: accounts, sessions, the audit log.

    Parameters
    ----------
    engine : Engine
        Of the store.

    Yields
    ------
    connection : Connection
        In a transaction that no other of these overlaps; be brief.
    """
    with (
        turn_of(engine),
        engine.connect().execution_options(**WRITES) as connection,
        connection.begin(),
    ):
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": OTHERS})
        yield connection


class LedError(SourceUnreachableError):
    """Another process writes to this store."""


def lead(engine: Engine, connection: Connection) -> Any:
    """
    Become the one that writes.

    Parameters
    ----------
    engine : Engine
        Of the store.
    connection : Connection
        Holds PostgreSQL's lock until it is closed.

    Returns
    -------
    lock : file or None
        Holds SQLite's lock until it is closed.

    Raises
    ------
    LedError
        If another process writes to this store.
    """
    where = engine.url.render_as_string(hide_password=True)
    busy = f"service.store={where}: another rollby writes to it; stop that one, or use another"
    if engine.dialect.name == "sqlite":
        lock = Path(f"{engine.url.database}.lock").open("w", encoding="ascii")  # noqa: SIM115 - held
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise LedError(busy) from error
        return lock
    with connection.begin():
        got = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": LEADER})
        if not got.scalar_one():
            raise LedError(busy)
    return None


def migrate(connection: Connection, layout: str = "head") -> None:
    """
    Bring the tables to a layout.

    Parameters
    ----------
    connection : Connection
        Without a transaction.
    layout : str
        Its number, not below the present one; ``head`` is the newest.

    Raises
    ------
    InputError
        If a newer rollby has made them.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    with connection.begin():
        known = inspect(connection).has_table("alembic_version")
        try:
            alembic.command.upgrade(config, layout)
        except CommandError as error:
            newest = text("SELECT version_num FROM alembic_version")
            was = connection.execute(newest).scalar() if known else layout
            rule = f"its layout ({was}) is newer than this rollby; update rollby"
            raise InputError(f"service.store: {rule}") from error


def prepared(address: str) -> Engine:
    """
    Open a store to work beside the one that leads.

    Parameters
    ----------
    address : str
        As for `engine_of`; made if it holds nothing yet.

    Returns
    -------
    engine : Engine
        Of a store with the newest layout.
    """
    engine = engine_of(address)
    try:
        with reach(engine) as connection:
            migrate(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine
