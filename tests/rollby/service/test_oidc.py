"""Sign-ins by a provider: a real one, in a process of its own, and all that it may say wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from data.errors import SettingError
from data.settings import AccessRules, Oidc
from data.store.opening import prepared
from rollby.service import sign_in_vouched
from rollby.service.access import Access
from rollby.service.administration import disable_account, set_password
from rollby.service.guard import Guard
from rollby.service.oidc import Provider, provider_for
from rollby.service.passwords import Passwords
from tests.rollby.service.conftest import CHIEF, QUICK
from tests.rollby.service.small_app import served, small_app
from tests.rollby.service.test_access import join
from tests.rollby.service.test_guard import refused
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
BOSS = {"preferred_username": "Boss", "groups": ["staff", "watch"], "cars": ["2A*"]}


class Now:
    """The time of day, put forward by hand."""

    ahead_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


class Town(NamedTuple):
    """A service and the provider that vouches for its people."""

    client: httpx.Client
    access: Access
    issuer: str
    now: Now

    def says(self, **claims: Any) -> None:
        httpx.put(f"{self.issuer}/claims", json=claims).raise_for_status()

    def away(self) -> str:
        """Go to the provider; give the address that it sends the browser back to."""
        sent = self.client.get("/api/oidc/start")
        assert sent.status_code == 303
        back = httpx.get(sent.headers["location"])
        assert back.status_code == 302, back.text
        return urlsplit(back.headers["location"])._replace(scheme="", netloc="").geturl()

    def sign_in(self) -> httpx.Response:
        return self.client.get(self.away())


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture(scope="module")
def issuer(ports: tuple[int, int]) -> Iterator[str]:
    issuer = f"http://127.0.0.1:{ports[0]}"
    # Authlib takes http from nobody else; it is the loopback.
    mine = {"ISSUER": issuer, "REDIRECT": redirect(ports), "AUTHLIB_INSECURE_TRANSPORT": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.rollby.service.provider", str(ports[0])],
        cwd=ROOT,
        env=os.environ | mine,
    )
    for _ in range(400):
        try:
            httpx.get(f"{issuer}/keys").raise_for_status()
            break
        except httpx.HTTPError:
            assert process.poll() is None
            time.sleep(0.05)
    yield issuer
    process.terminate()
    process.wait()


def redirect(ports: tuple[int, int]) -> str:
    return f"http://127.0.0.1:{ports[1]}/api/oidc/back"


@pytest.fixture
def town(tmp_path: Path, issuer: str, ports: tuple[int, int]) -> Iterator[Town]:
    engine, now = prepared(f"sqlite:///{tmp_path}/x.db"), Now()
    access = Access(engine, AccessRules(), now, Passwords(QUICK))
    rules = Oidc(
        issuer=issuer,
        client_id="rollby",
        redirect=redirect(ports),
        roles={"bosses": "administrator", "watch": "supervisor", "staff": "officer"},
        units_claim="cars",
        agency="City",
    )
    app = small_app(access, secure=False)
    provider = Provider(rules, "a client's secret", now, 12)
    Guard(access, secure=False, provider=provider).install(app)
    app.include_router(sign_in_vouched.router)
    with served(app) as url, httpx.Client(base_url=url) as client:
        one = Town(client, access, issuer, now)
        one.says(**BOSS)
        yield one
    engine.dispose()


def test_whom_the_provider_vouches_for_is_let_in(town: Town) -> None:
    home = town.sign_in()
    assert home.status_code == 200, home.text
    assert 'content="0;url=/"' in home.text
    cookies = home.headers.get_list("set-cookie")
    assert any("rollby=" in one and "SameSite=strict" in one for one in cookies)
    me = town.client.get("/api/me").json()
    assert (me["name"], me["role"], me["agency"], me["unit_ids"]) == (
        "boss",
        "supervisor",
        "City",
        ["2A*"],
    )
    assert town.client.get("/live").json() == "boss"
    [note] = town.access.audit.notes()
    assert (note.who, note.action) == ("boss", "sign_in")


def test_what_is_asked_of_the_provider(town: Town) -> None:
    asked = town.client.get("/api/oidc/start").headers["location"]
    sent = parse_qs(urlsplit(asked).query)
    assert sent["response_type"] == ["code"]
    assert sent["code_challenge_method"] == ["S256"]
    assert sent["max_age"] == ["43200"]
    assert len(sent["state"][0]) >= 30
    assert len(sent["nonce"][0]) >= 30
    again = parse_qs(urlsplit(town.client.get("/api/oidc/start").headers["location"]).query)
    for name in ("state", "nonce", "code_challenge"):
        assert sent[name] != again[name]


def test_the_role_follows_the_provider(town: Town) -> None:
    town.sign_in()
    town.says(**BOSS | {"groups": "staff"})
    town.sign_in()
    assert town.client.get("/api/me").json()["role"] == "officer"
    assert [one.role for one in town.access.accounts.accounts()] == ["officer"]


def test_an_answer_is_taken_once_and_from_the_browser_that_asked(town: Town) -> None:
    back = town.away()
    with httpx.Client(base_url=town.client.base_url) as another:
        refused(another.get(back), 401, "this browser did not begin this sign-in")
    assert town.client.get(back).status_code == 200
    refused(town.client.get(back), 401, "this browser did not begin this sign-in")
    state = parse_qs(urlsplit(back).query)["state"][0]
    cookie = {"Cookie": f"rollby-begun={state}"}
    refused(town.client.get(back, headers=cookie), 401, "not begun here or took too long")


def test_an_answer_comes_in_ten_minutes_or_not_at_all(town: Town) -> None:
    back = town.away()
    town.now.ahead_ms = 10 * 60_000
    refused(town.client.get(back), 401, "not begun here or took too long")


def test_a_made_up_code_is_worth_nothing(town: Town) -> None:
    back = town.away()
    state = parse_qs(urlsplit(back).query)["state"][0]
    made_up = town.client.get("/api/oidc/back", params={"state": state, "code": "made-up"})
    refused(made_up, 503, "the provider gives no token")
    town.client.get("/api/oidc/start")
    state = town.client.cookies["rollby-begun"]
    denied = {"state": state, "error": "access_denied"}
    refused(town.client.get("/api/oidc/back", params=denied), 401, "did not let you in")


@pytest.mark.parametrize(
    ("claims", "status", "said"),
    [
        ({"forged": True}, 503, "token cannot be taken (bad_signature"),
        ({"iss": "http://127.0.0.1:9"}, 503, "token cannot be taken (invalid_claim"),
        ({"aud": "somebody else"}, 503, "token cannot be taken (invalid_claim"),
        ({"aud": ["rollby", "x"], "azp": "x"}, 503, "is for somebody else"),
        ({"exp": 1_000_000_000}, 503, "token cannot be taken (expired_token"),
        ({"nonce": "another"}, 503, "is of another sign-in"),
        ({"sub": None}, 503, "token cannot be taken"),
        ({"calls_itself": "http://127.0.0.1:9"}, 503, "it calls itself http://127.0.0.1:9"),
        ({"auth_time": 1_000_000_000}, 401, "too long ago that you signed in"),
        ({"groups": ["public"]}, 401, "nothing in groups gives a role here"),
        ({"groups": {"watch": 1}}, 401, "nothing in groups gives a role here"),
        ({"preferred_username": ""}, 401, "names nobody in preferred_username"),
        ({"sub": "\0"}, 401, "names nobody in preferred_username"),
        ({"preferred_username": 7}, 401, "names nobody in preferred_username"),
    ],
)
def test_a_word_that_cannot_be_taken(
    town: Town, claims: dict[str, Any], status: int, said: str
) -> None:
    back = town.away()
    town.says(**BOSS | claims)
    refused(town.client.get(back), status, said)
    refused(town.client.get("/api/me"), 401, "sign in")
    assert town.access.accounts.accounts() == []


def test_a_name_stays_with_whom_it_was_given_to(town: Town) -> None:
    join(town.access, "boss")
    refused(town.sign_in(), 401, "the name is another's here; ask an administrator")
    town.says(**BOSS | {"preferred_username": "b2"})
    assert town.sign_in().status_code == 200
    town.says(**BOSS | {"preferred_username": "b2", "sub": "4712"})
    refused(town.sign_in(), 401, "the name is another's here")
    [_, failed] = [n for n in town.access.audit.notes() if n.action == "sign_in_failed"]
    assert (failed.who, failed.how) == ("b2", "provider")


def test_who_is_disabled_here_stays_out(town: Town) -> None:
    assert town.sign_in().status_code == 200
    disable_account(town.access, CHIEF, "boss")
    refused(town.sign_in(), 401, "disabled; ask an administrator")


def test_who_is_vouched_for_has_no_password(town: Town) -> None:
    town.sign_in()
    with pytest.raises(ValueError, match="a provider vouches for it; it has no password here"):
        set_password(town.access, CHIEF, "boss", "correct horse 7")


def test_without_a_provider_there_is_no_such_way(access: Access) -> None:
    app = small_app(access, secure=False)
    app.include_router(sign_in_vouched.router)
    with served(app) as url:
        refused(httpx.get(f"{url}/api/oidc/start"), 404, "no provider is set up here")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"client_id": ""}, "must have service.oidc.client_id"),
        ({"redirect": ""}, "must have service.oidc.redirect"),
        ({"roles": {}}, "must have service.oidc.roles"),
        ({"roles": {"x": "king"}}, "officer"),
        ({"issuer": "http://provider.example"}, "must be https: http://provider.example"),
        ({"redirect": "http://rollby.example/api/oidc/back"}, "must be https"),
    ],
)
def test_settings_that_cannot_be(change: dict[str, Any], rule: str) -> None:
    whole: dict[str, Any] = {
        "issuer": "https://provider.example",
        "client_id": "rollby",
        "redirect": "https://rollby.example/api/oidc/back",
        "roles": {"watch": "supervisor"},
    }
    Oidc(**whole)
    with pytest.raises(ValueError, match=rule):
        Oidc(**whole | change)


def test_the_secret_is_in_a_file(town: Town, tmp_path: Path) -> None:
    rules = Oidc(
        issuer=town.issuer,
        client_id="rollby",
        client_secret=str(tmp_path / "secret"),
        redirect="https://rollby.example/api/oidc/back",
        roles={"watch": "supervisor"},
    )
    with pytest.raises(SettingError, match=r"service\.oidc\.client_secret=.*: cannot be read"):
        provider_for(rules, town.now, 12)
    (tmp_path / "secret").write_text("s\n")
    made = provider_for(rules, town.now, 12)
    assert made is not None
    assert made._secret == "s"  # noqa: S105 - of a test
    assert provider_for(Oidc(), town.now, 12) is None


def test_a_provider_that_is_away(town: Town, ports: tuple[int, int]) -> None:
    rules = Oidc(
        issuer=f"http://127.0.0.1:{free_port()}",
        client_id="rollby",
        redirect=redirect(ports),
        roles={"watch": "supervisor"},
    )
    app = small_app(town.access, secure=False)
    Guard(town.access, secure=False, provider=Provider(rules, "", town.now, 12)).install(app)
    app.include_router(sign_in_vouched.router)
    with served(app) as url:
        refused(httpx.get(f"{url}/api/oidc/start"), 503, "does not answer")
