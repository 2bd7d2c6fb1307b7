"""The store that an administering command means, and on whose word it acts."""

from __future__ import annotations

import getpass
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from data.errors import InputError
from data.store.opening import is_there, prepared
from data.words import clock
from rollby.inputs import load_settings
from rollby.service.access import Access
from rollby.service.callers import Caller
from rollby.service.rights import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from data.settings import Settings


def chosen(settings: Path | None, store: str | None) -> tuple[Settings, str]:
    """
    Read the settings, and tell whose store is meant.

    Parameters
    ----------
    settings : Path or None
        The file; None for the defaults.
    store : str or None
        An address; None for the settings'.

    Returns
    -------
    settings, address : Settings, str
        The store at `address` is not opened.
    """
    found, _ = load_settings(settings)
    return found, store or found.service.store


class Opened(NamedTuple):
    """A store, who may do what in it, and the settings in force."""

    engine: Engine
    access: Access
    settings: Settings


@contextmanager
def opened(settings: Path | None, store: str | None, *, make: bool = False) -> Iterator[Opened]:
    """
    Open a store to work in it beside a service that may run.

    Parameters
    ----------
    settings, store : Path or None, str or None
        As for `chosen`.
    make : bool
        Make the store if there is none.

    Yields
    ------
    opened : Opened
        Closed afterwards.

    Raises
    ------
    InputError
        If there is no store.
    """
    found, address = chosen(settings, store)
    if not make and not is_there(address):
        raise InputError(f"service.store={address}: is not there; check --store or the settings")
    engine = prepared(address)
    try:
        yield Opened(engine, Access(engine, found.service.access, now_ms), found)
    finally:
        engine.dispose()


def operator() -> Caller:
    """
    Tell on whose word a command acts.

    Returns
    -------
    caller : Caller
        Who is logged in on this machine; whoever opens the store may do anything with it.
    """
    return Caller(name=getpass.getuser(), role=Role.ADMINISTRATOR, how="command")


def now_ms() -> int:
    """
    Tell the time.

    Returns
    -------
    now_ms : int
        Milliseconds since the epoch.
    """
    return time.time_ns() // 1_000_000


def local_time(at_ms: int, settings: Settings) -> str:
    """
    Write an instant as people read it.

    Parameters
    ----------
    at_ms : int
        Milliseconds since the epoch.
    settings : Settings
        With the agency's time zone.

    Returns
    -------
    text : str
        Day and time.
    """
    return clock(datetime.fromtimestamp(at_ms / 1000, UTC), settings.units.time_zone, day=True)
