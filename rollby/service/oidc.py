"""People for whom an agency's own provider vouches: OpenID Connect, code flow with PKCE."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from authlib.integrations.base_client.errors import (  # type: ignore[import-untyped]
    OAuthError,
)
from authlib.integrations.requests_client import (  # type: ignore[import-untyped]
    OAuth2Session,
)
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from data.errors import RollbyError, SettingError
from rollby.service.access import HOUR_MS, MINUTE_MS, SignInError
from rollby.service.rights import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.settings import Oidc

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
TIMEOUT_S = 10.0
BEGUN_MS = 10 * MINUTE_MS
BEGUN = 1000
LEEWAY_S = 60
DISCOVERY = "/.well-known/openid-configuration"


class ProviderError(RollbyError, ConnectionError):
    """The provider does not answer, or answers what it must not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """
    Somebody for whom a provider vouches.

    Parameters
    ----------
    issuer : str
        The provider and its unchanging name of the person.
    name : str
        Of the account.
    role : Role
        What the settings make of the claim.
    unit_ids : tuple of str
        The units spoken for.
    agency : str
        Whose.
    """

    issuer: str
    name: str
    role: Role
    unit_ids: tuple[str, ...]
    agency: str


@dataclass(frozen=True, slots=True)
class _Begun:
    """A sign-in that is at the provider."""

    verifier: str
    nonce: str
    at_ms: int


class Provider:
    """
    A provider, as the settings name it.

    Parameters
    ----------
    rules : Oidc
        With an issuer.
    secret : str
        The client's; "" for a public client.
    now_ms : callable
        The present, milliseconds since the epoch.
    longest_h : float
        How long ago somebody may have shown the provider who they are.
    """

    def __init__(
        self, rules: Oidc, secret: str, now_ms: Callable[[], int], longest_h: float
    ) -> None:
        self._rules, self._secret, self._now_ms = rules, secret, now_ms
        self._longest_s = round(longest_h * HOUR_MS / 1000)
        self._begun: dict[str, _Begun] = {}
        self._lock = threading.Lock()

    def begin(self) -> tuple[str, str]:
        """
        Begin a sign-in.

        Returns
        -------
        address, state : str
            Where the browser is to go, and what it must bring back.
        """
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        with self._client() as client:
            address, state = client.create_authorization_url(
                self._about()["authorization_endpoint"],
                code_verifier=verifier,
                nonce=nonce,
                max_age=self._longest_s,
            )
        now_ms = self._now_ms()
        with self._lock:
            self._begun = {
                key: one for key, one in self._begun.items() if now_ms - one.at_ms < BEGUN_MS
            }
            while len(self._begun) >= BEGUN:
                del self._begun[next(iter(self._begun))]
            self._begun[state] = _Begun(verifier, nonce, now_ms)
        return str(address), str(state)

    def finish(self, code: str, state: str) -> Vouched:
        """
        Take what the browser brought back to the provider, and read what it says.

        Parameters
        ----------
        code, state : str
            As they came.

        Returns
        -------
        vouched : Vouched
            For `Access.sign_in_vouched`.

        Raises
        ------
        SignInError
            If it was not begun here, took too long, or gives no role.
        ProviderError
            If the provider's word cannot be taken.
        """
        with self._lock:
            begun = self._begun.pop(state, None)
        if begun is None or self._now_ms() - begun.at_ms >= BEGUN_MS:
            raise SignInError("this sign-in was not begun here or took too long; sign in again")
        about = self._about()
        try:
            with self._client() as client:
                token = client.fetch_token(
                    about["token_endpoint"],
                    code=code,
                    code_verifier=begun.verifier,
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                )
        except (OAuthError, RequestException, ValueError) as error:
            raise ProviderError(f"the provider gives no token ({error}); sign in again") from error
        return self._vouched(self._claims(token, about, begun.nonce))

    def _client(self) -> Any:
        """Make what speaks OAuth."""
        return OAuth2Session(
            self._rules.client_id,
            self._secret or None,
            scope="openid profile email",
            redirect_uri=self._rules.redirect,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
        )

    def _about(self) -> dict[str, Any]:
        """
        Ask the provider where its doors are.

        Raises
        ------
        ProviderError
            If it is not the one that the settings name.
        """
        about = _fetched(self._rules.issuer.rstrip("/") + DISCOVERY)
        if about.get("issuer") != self._rules.issuer:
            raise ProviderError(
                f"service.oidc.issuer={self._rules.issuer}: it calls itself {about.get('issuer')}"
            )
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(about.get(name), str):
                raise ProviderError(f"service.oidc.issuer={self._rules.issuer}: has no {name}")
        return about

    def _claims(self, token: dict[str, Any], about: dict[str, Any], nonce: str) -> dict[str, Any]:
        """
        Read a token of identity, and hold it to what was asked.

        Raises
        ------
        ProviderError
            If it is not signed by the provider, for us, now and for this sign-in.
        SignInError
            If somebody showed the provider who they are too long ago.
        """
        rules, now_s = self._rules, self._now_ms() // 1000
        try:
            keys = KeySet.import_key_set(_fetched(about["jwks_uri"]))  # type: ignore[arg-type]
            claims = jwt.decode(str(token.get("id_token")), keys, ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                now=now_s,
                leeway=LEEWAY_S,
                iss={"essential": True, "value": rules.issuer},
                aud={"essential": True, "value": rules.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            raise ProviderError(f"the provider's token cannot be taken ({error})") from error
        if not compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise ProviderError("the provider's token is of another sign-in")
        if claims.get("azp", rules.client_id) != rules.client_id:
            raise ProviderError("the provider's token is for somebody else")
        shown_s = claims.get("auth_time", now_s)
        if not isinstance(shown_s, int) or now_s - shown_s > self._longest_s + LEEWAY_S:
            raise SignInError("too long ago that you signed in at the provider; do so again")
        return dict(claims)

    def _vouched(self, claims: dict[str, Any]) -> Vouched:
        """
        Make of claims what the settings say.

        Raises
        ------
        SignInError
            If they give no name or no role.
        """
        rules = self._rules
        name = claims.get(rules.name_claim)
        if not isinstance(name, str) or not name or not claims["sub"].isprintable():
            raise SignInError(f"the provider names nobody in {rules.name_claim}")
        held = set(_texts(claims.get(rules.role_claim)))
        role = next((role for value, role in rules.roles.items() if value in held), None)
        if role is None:
            raise SignInError(f"nothing in {rules.role_claim} gives a role here; ask for one")
        return Vouched(
            issuer=f"{rules.issuer} {claims['sub']}",
            name=name,
            role=Role(role),
            unit_ids=tuple(filter(str.isprintable, _texts(claims.get(rules.units_claim)))),
            agency=rules.agency,
        )


def provider_for(rules: Oidc, now_ms: Callable[[], int], longest_h: float) -> Provider | None:
    """
    Make the provider that the settings name.

    Parameters
    ----------
    rules, now_ms, longest_h : Oidc, callable, float
        As for `Provider`.

    Returns
    -------
    provider : Provider or None
        None where they name none.

    Raises
    ------
    SettingError
        If the file with the secret cannot be read.
    """
    if not rules.issuer:
        return None
    try:
        secret = Path(rules.client_secret).read_text().strip() if rules.client_secret else ""
    except (OSError, ValueError) as error:
        raise SettingError(
            f"service.oidc.client_secret={rules.client_secret}: cannot be read; check the name"
        ) from error
    return Provider(rules, secret, now_ms, longest_h)


def _fetched(address: str) -> dict[str, Any]:
    """
    Fetch JSON from the provider.

    Raises
    ------
    ProviderError
        If it does not come.
    """
    try:
        answer = httpx.get(address, timeout=TIMEOUT_S).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise ProviderError(f"{address}: does not answer ({error}); try again later") from error
    if not isinstance(answer, dict):
        raise ProviderError(f"{address}: is no JSON object")
    return answer


def _texts(claim: Any) -> list[str]:
    """Read one text or a list of them."""
    if isinstance(claim, str):
        return [claim]
    return [one for one in claim if isinstance(one, str)] if isinstance(claim, list) else []
