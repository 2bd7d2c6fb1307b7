"""Accounts, API keys and sessions as the store keeps them; each call is one short transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import delete, insert, or_, select, update

from data.errors import InputError
from data.store.access_schema import ACCOUNTS, API_KEYS, FAILED_SIGN_INS, SESSIONS
from data.store.opening import writing

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Table

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    A person who may sign in.

    Parameters
    ----------
    name, role : str
        Unique, and one of `rollby.service.rights.Role`.
    unit_ids : tuple of str
        The units spoken for; ``*`` and ``?`` stand for any characters.
    agency : str
        Whose; "" for all.
    terminal : bool
        An in-car terminal: it is never locked for being idle.
    password : str
        Argon2's text; "" where no password is right.
    totp : str
        The secret in base 32; "" where there is none.
    totp_step : int
        The time step of the last code used; it and those before are refused.
    issuer : str
        The OIDC provider that vouches for it; "" for an account of our own.
    disabled : bool
        It stays on record, and may not sign in.
    created_ms : int
        Milliseconds since the epoch.
    """

    name: str
    role: str
    unit_ids: tuple[str, ...] = ()
    agency: str = ""
    terminal: bool = False
    password: str = ""
    totp: str = ""
    totp_step: int = 0
    issuer: str = ""
    disabled: bool = False
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """
    What a machine is known by; the key itself is not kept.

    Parameters
    ----------
    key_id : str
        Names it in lists; no secret.
    digest : bytes
        SHA-256 of the key.
    name, role, unit_ids, agency : str, str, tuple of str, str
        As in `Account`; a name may have several keys.
    created_ms : int
        Milliseconds since the epoch.
    until_ms : int or None
        From when on it is refused; None for never.
    used_ms : int or None
        When it was last used, to within a minute; None for never.
    """

    key_id: str
    digest: bytes
    name: str
    role: str
    unit_ids: tuple[str, ...] = ()
    agency: str = ""
    created_ms: int
    until_ms: int | None = None
    used_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """
    A sign-in that lasts.

    Parameters
    ----------
    digest : bytes
        SHA-256 of the token.
    name : str
        Of the account.
    began_ms, seen_ms : int
        When it was signed in, and last used to within a minute.
    """

    digest: bytes
    name: str
    began_ms: int
    seen_ms: int


class Attempts(NamedTuple):
    """How many sign-ins of a name have not succeeded, the last of them, and whether that is all."""

    made: int
    last_ms: int
    refused: bool


class Accounts:
    """
    The tables of accounts, keys and sessions.

    Parameters
    ----------
    engine : Engine
        Of a store whose layout is the newest. Any thread may call.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # -- accounts ------------------------------------------------------------------------------

    def accounts(self) -> list[Account]:
        """
        List the accounts.

        Returns
        -------
        accounts : list of Account
            By name.
        """
        with self._engine.begin() as connection:
            return [_record(Account, row) for row in _rows(connection, ACCOUNTS)]

    def account(self, name: str) -> Account | None:
        """
        Find an account.

        Returns
        -------
        account : Account or None
            None where there is none of that name.
        """
        with self._engine.begin() as connection:
            found = _rows(connection, ACCOUNTS, ACCOUNTS.c.name == name)
        return _record(Account, found[0]) if found else None

    def add_account(self, account: Account) -> None:
        """
        Keep a new account.

        Raises
        ------
        InputError
            If the name is taken.
        """
        with writing(self._engine) as connection:
            if _rows(connection, ACCOUNTS, ACCOUNTS.c.name == account.name):
                raise InputError(f"name={account.name}: is taken; choose another")
            connection.execute(insert(ACCOUNTS), _row(account))

    def change_account(self, name: str, *, end_sessions: bool = True, **values: Any) -> None:
        """
        Change an account, and have it sign in again.

        Parameters
        ----------
        name : str
            Of the account.
        end_sessions : bool
            False where it stays signed in.
        **values : Any
            Fields of `Account`.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        with writing(self._engine) as connection:
            mine = update(ACCOUNTS).where(ACCOUNTS.c.name == name)
            if not connection.execute(mine.values(_plain(values))).rowcount:
                raise InputError(f"name={name}: there is no such account; see `rollby users list`")
            if end_sessions:
                connection.execute(delete(SESSIONS).where(SESSIONS.c.name == name))

    def use_totp_step(self, name: str, step: int) -> bool:
        """
        Use up a one-time code.

        Parameters
        ----------
        name : str
            Of the account.
        step : int
            The code's time step.

        Returns
        -------
        fresh : bool
            False where this code, or a later one, was used before.
        """
        with writing(self._engine) as connection:
            mine = (ACCOUNTS.c.name == name) & (ACCOUNTS.c.totp_step < step)
            done = connection.execute(update(ACCOUNTS).where(mine).values(totp_step=step))
            return done.rowcount == 1

    # -- failed sign-ins -------------------------------------------------------------------------

    def count_attempt(self, name: str, now_ms: int, *, since_ms: int, most: int) -> Attempts:
        """
        Count an attempt to sign in before it is judged, so that many at once are no way round.

        Parameters
        ----------
        name : str
            As it was typed, whether there is such an account or not.
        now_ms : int
            The present.
        since_ms : int
            What was up to then is forgotten, unless others followed.
        most : int
            How many may fail in a row.

        Returns
        -------
        attempts : Attempts
            This one among them, unless it is refused.
        """
        with writing(self._engine) as connection:
            old = FAILED_SIGN_INS.c.last_ms <= since_ms
            connection.execute(delete(FAILED_SIGN_INS).where(old))
            mine = FAILED_SIGN_INS.c.name == name
            found = connection.execute(select(FAILED_SIGN_INS).where(mine)).first()
            if found is not None and found.made >= most:
                return Attempts(found.made, found.last_ms, refused=True)
            now = Attempts(found.made + 1 if found else 1, now_ms, refused=False)
            row = {"name": name, "made": now.made, "last_ms": now_ms}
            how = update(FAILED_SIGN_INS).where(mine) if found else insert(FAILED_SIGN_INS)
            connection.execute(how.values(row))
            return now

    def forget_attempts(self, name: str) -> None:
        """Begin to count anew: the last attempt was right."""
        with writing(self._engine) as connection:
            connection.execute(delete(FAILED_SIGN_INS).where(FAILED_SIGN_INS.c.name == name))

    # -- sessions --------------------------------------------------------------------------------

    def session(self, digest: bytes) -> tuple[Session, Account] | None:
        """
        Find a session and whose it is.

        Returns
        -------
        found : (Session, Account) or None
            None where there is none.
        """
        with self._engine.begin() as connection:
            found = _rows(connection, SESSIONS, SESSIONS.c.digest == digest)
            whose = found and _rows(connection, ACCOUNTS, ACCOUNTS.c.name == found[0]["name"])
        return (_record(Session, found[0]), _record(Account, whose[0])) if whose else None

    def add_session(self, session: Session, *, ended_ms: int) -> None:
        """
        Keep a new session.

        Parameters
        ----------
        session : Session
            Just signed in.
        ended_ms : int
            Sessions that began before this are over for everybody, and go.
        """
        with writing(self._engine) as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.began_ms < ended_ms))
            connection.execute(insert(SESSIONS), _row(session))

    def see_session(self, digest: bytes, now_ms: int) -> None:
        """Note that a session is in use."""
        with writing(self._engine) as connection:
            mine = (SESSIONS.c.digest == digest) & (SESSIONS.c.seen_ms < now_ms)
            connection.execute(update(SESSIONS).where(mine).values(seen_ms=now_ms))

    def end_session(self, digest: bytes) -> None:
        """Forget a session."""
        with writing(self._engine) as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.digest == digest))

    # -- keys ------------------------------------------------------------------------------------

    def api_keys(self) -> list[ApiKey]:
        """
        List the keys, those refused by now too.

        Returns
        -------
        keys : list of ApiKey
            By `key_id`.
        """
        with self._engine.begin() as connection:
            return [_record(ApiKey, row) for row in _rows(connection, API_KEYS)]

    def key(self, digest: bytes) -> ApiKey | None:
        """
        Find a key by its digest.

        Returns
        -------
        key : ApiKey or None
            None where there is none.
        """
        with self._engine.begin() as connection:
            found = _rows(connection, API_KEYS, API_KEYS.c.digest == digest)
        return _record(ApiKey, found[0]) if found else None

    def add_key(self, key: ApiKey) -> None:
        """Keep a new key."""
        with writing(self._engine) as connection:
            connection.execute(insert(API_KEYS), _row(key))

    def replace_key(self, key_id: str, now_ms: int, until_ms: int, new: ApiKey | None) -> None:
        """
        Have a key end, and another take its place.

        Parameters
        ----------
        key_id : str
            The one that ends.
        now_ms, until_ms : int
            The present; from when on it is refused, if it was not to be before.
        new : ApiKey or None
            What takes its place.

        Raises
        ------
        InputError
            If there is no such key, or it has ended.
        """
        with writing(self._engine) as connection:
            later = or_(API_KEYS.c.until_ms.is_(None), API_KEYS.c.until_ms > now_ms)
            if not _rows(connection, API_KEYS, (API_KEYS.c.key_id == key_id) & later):
                raise InputError(
                    f"key={key_id}: there is no such key in use; see `rollby keys list`"
                )
            later = or_(API_KEYS.c.until_ms.is_(None), API_KEYS.c.until_ms > until_ms)
            mine = (API_KEYS.c.key_id == key_id) & later
            connection.execute(update(API_KEYS).where(mine).values(until_ms=until_ms))
            if new is not None:
                connection.execute(insert(API_KEYS), _row(new))

    def use_key(self, key_id: str, now_ms: int) -> None:
        """Note that a key is in use."""
        with writing(self._engine) as connection:
            mine = update(API_KEYS).where(API_KEYS.c.key_id == key_id)
            connection.execute(mine.values(used_ms=now_ms))


def _rows(
    connection: Connection, table: Table, where: ColumnElement[bool] | None = None
) -> list[dict[str, Any]]:
    """Read rows, by their primary key."""
    rows = select(table).order_by(*table.primary_key)
    found = connection.execute(rows if where is None else rows.where(where))
    return [dict(row) for row in found.mappings()]


def _record(kind: type[Record], row: dict[str, Any]) -> Record:
    """Make a record of a row."""
    plain = {**row}
    for name in {"terminal", "disabled"} & row.keys():
        plain[name] = bool(row[name])
    if "unit_ids" in row:
        plain["unit_ids"] = tuple(json.loads(row["unit_ids"]))
    return kind(**plain)


def _row(record: Any) -> dict[str, Any]:
    """Make a row of a record."""
    return _plain({field.name: getattr(record, field.name) for field in fields(record)})


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Write values as the columns hold them."""
    plain: dict[str, Any] = {**values}
    for name, value in values.items():
        if isinstance(value, bool):
            plain[name] = int(value)
        elif isinstance(value, tuple):
            plain[name] = json.dumps(value)
    return plain
