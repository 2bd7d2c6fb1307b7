"""Who is it? Sign-ins that last for a while, and keys that last until they are revoked."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from data.errors import RollbyError
from data.store.accounts import Account, Accounts, Session
from data.store.audit import Action, Audit
from rollby.service.callers import Caller
from rollby.service.passwords import BusyHashingError, Passwords, check_password, totp_step
from rollby.service.rights import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from data.settings import AccessRules
    from data.store.accounts import ApiKey, Attempts
    from rollby.service.callers import How
    from rollby.service.oidc import Vouched

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
KEY_KNOWN_MS = 1000
KEYS_KNOWN = 10_000
NAME_LENGTH = 100
WRONG = "name, password or one-time code is wrong; try again, or ask an administrator"

NO_CODE = "this role signs in with a one-time code; have an administrator set one up"


class SignInError(RollbyError, PermissionError):
    """
    Nobody whom the service knows.

    Parameters
    ----------
    why : str
        What to do about it.
    retry_after_s : int
        When it makes sense to try again; 0 for at once.
    """

    def __init__(self, why: str, retry_after_s: int = 0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(why)


class Access:
    """
    Tells who calls.

    Parameters
    ----------
    engine : Engine
        Of a store whose layout is the newest. Any thread may call.
    rules : AccessRules
        How long things last.
    now_ms : callable
        The present, milliseconds since the epoch; it never goes back.
    passwords : Passwords or None
        Judges them; None for the default.

    Attributes
    ----------
    accounts : Accounts
        What is kept.
    audit : Audit
        What was done.
    """

    def __init__(
        self,
        engine: Engine,
        rules: AccessRules,
        now_ms: Callable[[], int],
        passwords: Passwords | None = None,
    ) -> None:
        self.accounts, self.audit = Accounts(engine), Audit(engine)
        self.rules, self.now_ms = rules, now_ms
        self.passwords = passwords or Passwords()
        self._keys: dict[bytes, tuple[ApiKey, int]] = {}

    def note(self, caller: Caller, action: Action, about: str = "", **facts: Any) -> None:
        """
        Write down what somebody did; when this returns it is on disk.

        Parameters
        ----------
        caller : Caller
            Who.
        action : Action
            What.
        about : str
            To what: ids, never positions.
        **facts : Any
            What JSON can hold.
        """
        self.audit.write(self.now_ms(), caller.name, caller.how, action, about, **facts)

    # -- people --------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str, code: str = "", place: str = "") -> str:
        """
        Sign in.

        Parameters
        ----------
        name, password, code : str
            As typed; the one-time code where the account has one.
        place : str
            From where, for the audit log.

        Returns
        -------
        token : str
            For the browser alone; only its hash is kept.

        Raises
        ------
        SignInError
            If it is wrong, the name is locked for having been wrong too often, or too many try.
        """
        known_as = account_name(name)
        with self._turn():
            attempts = self._attempt(known_as)
            account = self.accounts.account(known_as)
            fault = self._fault(account, password, code)
            if fault or account is None:
                locked = attempts.made >= self.rules.failures_max
                who = self.now_ms(), known_as, "password"
                self.audit.write(*who, Action.SIGN_IN_FAILED, place, why=fault, locked=locked)
                raise SignInError(NO_CODE if fault == NO_CODE else WRONG)
            self.accounts.forget_attempts(known_as)
            if self.passwords.outdated(account.password):
                kept = self.passwords.hashed(password)
                self.accounts.change_account(known_as, end_sessions=False, password=kept)
        return self.begin_session(account, place)

    def sign_in_vouched(self, vouched: Vouched, place: str) -> str:
        """
        Sign somebody in for whom a provider vouches; the account follows what the provider says.

        Parameters
        ----------
        vouched : Vouched
            Who.
        place : str
            From where, for the audit log.

        Returns
        -------
        token : str
            For the browser alone.

        Raises
        ------
        SignInError
            If the name is another's, or disabled here.
        """
        name = account_name(vouched.name)
        scope: dict[str, Any] = {
            "role": str(vouched.role),
            "unit_ids": vouched.unit_ids,
            "agency": vouched.agency,
        }
        account = self.accounts.account(name)
        why = ""
        if account is None:
            account = Account(name=name, issuer=vouched.issuer, created_ms=self.now_ms(), **scope)
            self.accounts.add_account(account)
        elif account.issuer != vouched.issuer:
            why = "the name is another's here"
        elif account.disabled:
            why = "disabled"
        else:
            self.accounts.change_account(name, end_sessions=False, **scope)
            account = replace(account, **scope)
        if why:
            self.audit.write(self.now_ms(), name, "provider", Action.SIGN_IN_FAILED, place, why=why)
            raise SignInError(f"{why}; ask an administrator")
        return self.begin_session(account, place)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """
        Wait for one's turn with passwords.

        Raises
        ------
        SignInError
            If too many try.
        """
        try:
            with self.passwords.turn():
                yield
        except BusyHashingError:
            raise SignInError("too many are signing in; try again in 5 s", 5) from None

    def _attempt(self, name: str) -> Attempts:
        """
        Count an attempt.

        Raises
        ------
        SignInError
            If the name is locked.
        """
        now_ms, lock_ms = self.now_ms(), round(self.rules.lock_min * MINUTE_MS)
        attempts = self.accounts.count_attempt(
            name, now_ms, since_ms=now_ms - lock_ms, most=self.rules.failures_max
        )
        if attempts.refused:
            wait_s = -(-(attempts.last_ms + lock_ms - now_ms) // 1000)
            raise SignInError(f"too many failed sign-ins; try again in {wait_s} s", wait_s)
        return attempts

    def _fault(self, account: Account | None, password: str, code: str) -> str:
        """Judge a sign-in; "" where it is right. The one-time code is used up last."""
        if not self.passwords.right(account.password if account else "", password):
            return "password" if account else "unknown name"
        assert account is not None  # noqa: S101 - nobody's password is never right
        if account.disabled:
            return "disabled"
        if not account.totp:
            return NO_CODE if account.role in self.rules.totp_for else ""
        step = totp_step(account.totp, code, self.now_ms())
        if step is None:
            return "one-time code"
        used = not self.accounts.use_totp_step(account.name, step)
        return "one-time code used before" if used else ""

    def begin_session(self, account: Account, place: str) -> str:
        """
        Begin a session for somebody whose word was taken.

        Parameters
        ----------
        account : Account
            Whose.
        place : str
            From where, for the audit log.

        Returns
        -------
        token : str
            For the browser alone.
        """
        token, now_ms = secrets.token_urlsafe(32), self.now_ms()
        session = Session(
            digest=digest_of(token), name=account.name, began_ms=now_ms, seen_ms=now_ms
        )
        longest_h = max(self.rules.reauthenticate_h, self.rules.wallboard_h)
        self.accounts.add_session(session, ended_ms=now_ms - round(longest_h * HOUR_MS))
        self.note(_caller(account, "session"), Action.SIGN_IN, place)
        return token

    def caller_of_session(self, token: str, *, using: bool = True) -> Caller:
        """
        Tell whose session it is.

        Parameters
        ----------
        token : str
            Of `sign_in`.
        using : bool
            False where a page merely stays open: that keeps no session from being idle.

        Returns
        -------
        caller : Caller
            With the role that the account has now.

        Raises
        ------
        SignInError
            If there is no such session, it was idle or is too old.
        """
        found = self.accounts.session(digest_of(token))
        if found is None or found[1].disabled:
            raise SignInError("not signed in; sign in")
        session, account = found
        now_ms, wallboard = self.now_ms(), account.role == Role.WALLBOARD
        lasts_h = self.rules.wallboard_h if wallboard else self.rules.reauthenticate_h
        if now_ms - session.began_ms >= round(lasts_h * HOUR_MS):
            self.accounts.end_session(session.digest)
            raise SignInError(f"a sign-in lasts {lasts_h:g} h; sign in again")
        idle_min = self.rules.idle_lock_min
        idle_ms = now_ms - session.seen_ms
        if idle_ms >= round(idle_min * MINUTE_MS) and not (wallboard or account.terminal):
            self.accounts.end_session(session.digest)
            raise SignInError(f"idle for {idle_min:g} min; sign in again")
        if using and idle_ms >= min(MINUTE_MS, idle_min * MINUTE_MS / 4):
            self.accounts.see_session(session.digest, now_ms)
        return _caller(account, "session")

    def sign_out(self, token: str) -> None:
        """
        End a session; one that is over stays so.

        Parameters
        ----------
        token : str
            Of `sign_in`.
        """
        found = self.accounts.session(digest_of(token))
        if found is not None:
            self.accounts.end_session(found[0].digest)
            self.note(_caller(found[1], "session"), Action.SIGN_OUT)

    def change_password(self, caller: Caller, old: str, new: str) -> None:
        """
        Give oneself another password; all one's sessions end.

        Parameters
        ----------
        caller : Caller
            Signed in.
        old, new : str
            As typed.

        Raises
        ------
        SignInError
            If the old one is wrong, which counts as a failed sign-in.
        """
        if caller.how != "session":
            raise SignInError("only who is signed in has a password; sign in")
        check_password(caller.name, new, self.rules)
        with self._turn():
            self._attempt(caller.name)
            account = self.accounts.account(caller.name)
            if not self.passwords.right(account.password if account else "", old):
                self.note(caller, Action.SIGN_IN_FAILED, why="old password")
                raise SignInError("the old password is wrong; try again")
            self.accounts.forget_attempts(caller.name)
            self.accounts.change_account(caller.name, password=self.passwords.hashed(new))
        self.note(caller, Action.ACCOUNT, caller.name, done="password")

    # -- machines ------------------------------------------------------------------------------

    def caller_of_key(self, text: str) -> Caller:
        """
        Tell whose key it is.

        Parameters
        ----------
        text : str
            The key, as it was shown once.

        Returns
        -------
        caller : Caller
            With the role and the units of the key.

        Raises
        ------
        SignInError
            If there is no such key, or it has ended.
        """
        known = self.caller_of_known_key(text)
        if known is not None:
            return known
        key = self._find_key(digest_of(text), self.now_ms())
        if key is None or (key.until_ms is not None and self.now_ms() >= key.until_ms):
            raise SignInError("unknown or revoked API key; ask an administrator for another")
        return _caller(key, "key")

    def caller_of_known_key(self, text: str) -> Caller | None:
        """
        Tell whose key it is without asking the database.

        Parameters
        ----------
        text : str
            The key.

        Returns
        -------
        caller : Caller or None
            None where it was not looked up within a second, or has ended.
        """
        now_ms = self.now_ms()
        key, known_ms = self._keys.get(digest_of(text), (None, 0))
        if key is None or now_ms - known_ms >= KEY_KNOWN_MS:
            return None
        if key.until_ms is not None and now_ms >= key.until_ms:
            return None
        return _caller(key, "key")

    def _find_key(self, digest: bytes, now_ms: int) -> ApiKey | None:
        """Look a key up, remember it for a second, and note that it is in use."""
        key = self.accounts.key(digest)
        if key is None:
            self._keys.pop(digest, None)
            return None
        if len(self._keys) >= KEYS_KNOWN:
            self._keys.clear()
        self._keys[digest] = key, now_ms
        if key.used_ms is None or now_ms - key.used_ms >= MINUTE_MS:
            self.accounts.use_key(key.key_id, now_ms)
        return key


def account_name(typed: str) -> str:
    """
    Give the one spelling by which a name is known.

    Parameters
    ----------
    typed : str
        By somebody.

    Returns
    -------
    name : str
        In lower case; what could be no name is given as a hash of it.
    """
    name = unicodedata.normalize("NFKC", typed).strip().casefold()
    if 0 < len(name) <= NAME_LENGTH and name.isprintable() and " " not in name:
        return name
    return "?" + hashlib.sha256(typed.encode(errors="surrogatepass")).hexdigest()[:16]


def csrf_token(token: str) -> str:
    """
    Give what a page must send along with whatever changes something.

    Parameters
    ----------
    token : str
        Of the session.

    Returns
    -------
    csrf : str
        Nobody who does not hold the token can make it.
    """
    return hmac.new(token.encode(), b"rollby csrf", hashlib.sha256).hexdigest()


def digest_of(secret: str) -> bytes:
    """
    Hash a token or a key: of 256 random bits, so that slow hashing would gain nothing.

    Parameters
    ----------
    secret : str
        As it was shown.

    Returns
    -------
    digest : bytes
        What is kept of it.
    """
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def _caller(known: Account | ApiKey, how: How) -> Caller:
    """Make a caller of an account or a key."""
    return Caller(
        name=known.name,
        role=Role(known.role),
        unit_ids=known.unit_ids,
        agency=known.agency,
        how=how,
    )
