"""Passwords and one-time codes: how they are made, judged and kept."""

from __future__ import annotations

import threading
import unicodedata
from contextlib import contextmanager
from hmac import compare_digest
from typing import TYPE_CHECKING

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from data.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.settings import AccessRules

LONGEST = 200
AT_ONCE = 2
WAIT_S = 3.0
STEP_S = 30
NOBODYS = "judged in the place of one that is not kept, and never right"


class BusyHashingError(Exception):
    """Too many passwords are being judged at once."""


class Passwords:
    """
    Judges passwords, few at a time: each takes 64 MiB, and nobody may fill the memory with them.

    Parameters
    ----------
    hasher : PasswordHasher or None
        None for Argon2id as RFC 9106 recommends it.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._nobody: str | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """
        Wait to be one of the few; within it, hash and judge.

        Yields
        ------
        nothing : None
            A turn.

        Raises
        ------
        BusyHashingError
            If it takes too long.
        """
        if not self._places.acquire(timeout=WAIT_S):
            raise BusyHashingError
        try:
            yield
        finally:
            self._places.release()

    def hashed(self, password: str) -> str:
        """
        Make what is kept of a password.

        Returns
        -------
        text : str
            Argon2's, with its salt and parameters.
        """
        return self._hasher.hash(_normal(password))

    def right(self, kept: str, password: str) -> bool:
        """
        Judge a password; where none is kept it takes as long, and is wrong.

        Returns
        -------
        right : bool
            Whether it is the one.
        """
        if self._nobody is None:
            self._nobody = self.hashed(NOBODYS)
        try:
            return self._hasher.verify(kept or self._nobody, _normal(password)) and bool(kept)
        except (Argon2Error, InvalidHashError):
            return False

    def outdated(self, kept: str) -> bool:
        """
        Tell whether what is kept was made with parameters that were raised since.

        Returns
        -------
        outdated : bool
            True: make it again.
        """
        return self._hasher.check_needs_rehash(kept)


def check_password(name: str, password: str, rules: AccessRules) -> None:
    """
    Hold a new password to the rules.

    Parameters
    ----------
    name : str
        Of the account.
    password : str
        The new one.
    rules : AccessRules
        How long it must be.

    Raises
    ------
    FieldError
        If it is too short or long, holds the name, or repeats one character.
    """
    least = rules.password_length_min
    if not least <= len(password) <= LONGEST:
        raise FieldError("password", "...", f"must have {least} to {LONGEST} characters")
    if name in _normal(password).casefold():
        raise FieldError("password", "...", "must not hold the account's name; choose another")
    if len(set(password)) < 4:  # noqa: PLR2004 - aaaaaaaaaaaa and 121212121212
        raise FieldError("password", "...", "must have more than three different characters")


def totp_uri(name: str, secret: str) -> str:
    """
    Write a secret as authenticator apps read it.

    Returns
    -------
    uri : str
        ``otpauth://totp/...``, for a QR code.
    """
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="rollby")


def totp_step(secret: str, code: str, now_ms: int) -> int | None:
    """
    Find the time step that a one-time code is of (RFC 6238: 30 s, six digits).

    Parameters
    ----------
    secret, code : str
        In base 32; as typed.
    now_ms : int
        The present; a clock may be one step off either way.

    Returns
    -------
    step : int or None
        None where the code is wrong.
    """
    typed = "".join(code.split()).encode()
    now = now_ms // 1000 // STEP_S
    totp = pyotp.TOTP(secret)
    for step in (now, now - 1, now + 1):
        if compare_digest(totp.generate_otp(step).encode(), typed):
            return step
    return None


def _normal(password: str) -> str:
    """Have one spelling of letters that keyboards write in several ways."""
    return (
        unicodedata.normalize("NFKC", password)
        .encode(errors="surrogatepass")
        .decode(errors="replace")
    )
