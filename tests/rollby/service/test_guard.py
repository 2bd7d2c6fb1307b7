"""The guard, asked through a real server as browsers and machines ask it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trustme
from structlog.testing import capture_logs

from data.errors import SettingError
from data.settings import AccessRules
from data.store.opening import prepared
from rollby.service.access import Access
from rollby.service.administration import add_key
from rollby.service.binding import check_bind
from rollby.service.guard import is_loopback
from rollby.service.passwords import Passwords
from rollby.service.rights import RIGHTS, Role
from tests.rollby.service.conftest import CHIEF, QUICK, Hands
from tests.rollby.service.small_app import served, small_app
from tests.rollby.service.test_access import GOOD, code_of, join

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def address(tmp_path: Path) -> str:
    """SQLite is enough here: what is kept was tested on both."""
    return f"sqlite:///{tmp_path}/rollby.db"


@pytest.fixture
def plain(access: Access) -> Iterator[httpx.Client]:
    with served(small_app(access, secure=False)) as url, httpx.Client(base_url=url) as client:
        yield client


def key_of(access: Access, role: Role, *unit_ids: str) -> dict[str, str]:
    made = add_key(access, CHIEF, name=f"a {role}", role=role, unit_ids=unit_ids, agency="")
    return {"Authorization": f"Bearer {made.text}"}


def signed_in(client: httpx.Client, access: Access, name: str) -> dict[str, str]:
    """Sign in; give what the page sends along."""
    account = access.accounts.account(name)
    code = code_of(access, name) if account and account.totp else ""
    answer = client.post("/api/sign-in", json={"name": name, "password": GOOD, "code": code})
    assert answer.status_code == 200, answer.text
    return {"X-Rollby-CSRF": answer.json()["csrf"]}


def refused(answer: httpx.Response, status: int, part: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert part in said["detail"]
    assert said["title"]


# -- who may what ------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_a_role_passes_where_its_rights_do(plain: httpx.Client, access: Access, role: Role) -> None:
    key = key_of(access, role, "2A*")
    doors = {
        "see_live": [("GET", "/live")],
        "administer": [("GET", "/api/accounts"), ("GET", "/api/keys")],
        "see_audit": [("GET", "/api/audit")],
        "send": [("POST", "/positions/2A11")],
    }
    mine = RIGHTS[role] | ({"send"} if role == Role.OFFICER else set())
    for right, routes in doors.items():
        for method, path in routes:
            answer = plain.request(method, path, headers=key)
            if right in mine:
                assert answer.status_code == 200, answer.text
            else:
                refused(answer, 403, f"; the role {role} lacks it")


def test_nobody_known_passes_nowhere(plain: httpx.Client) -> None:
    for method, path in [
        ("GET", "/live"),
        ("POST", "/positions/1"),
        ("GET", "/api/me"),
        ("POST", "/api/sign-out"),
        ("POST", "/api/password"),
        ("GET", "/api/accounts"),
        ("POST", "/api/accounts"),
        ("PATCH", "/api/accounts/a"),
        ("POST", "/api/accounts/a/totp"),
        ("GET", "/api/keys"),
        ("POST", "/api/keys"),
        ("POST", "/api/keys/a/rotate"),
        ("DELETE", "/api/keys/a"),
        ("GET", "/api/audit"),
    ]:
        answer = plain.request(method, path)
        refused(answer, 401, "sign in, or send an API key")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for headers in ({"Authorization": "Bearer x"}, {"X-API-Key": "x"}):
        refused(plain.get("/live", headers=headers), 401, "unknown or revoked API key")
    cookie = {"Cookie": "rollby=made-up"}
    refused(plain.get("/live", headers=cookie), 401, "not signed in; sign in")


def test_every_route_of_the_api_is_tested_above(access: Access) -> None:
    paths = small_app(access, secure=False).openapi()["paths"]
    asked = {(method, path) for path, methods in paths.items() for method in methods}
    assert {path for _, path in asked if path.startswith("/api")} == {
        "/api/sign-in",
        "/api/sign-out",
        "/api/me",
        "/api/password",
        "/api/accounts",
        "/api/accounts/{name}",
        "/api/accounts/{name}/totp",
        "/api/keys",
        "/api/keys/{key_id}",
        "/api/keys/{key_id}/rotate",
        "/api/audit",
    }


def test_a_feed_speaks_for_its_units_only(plain: httpx.Client, access: Access) -> None:
    key = key_of(access, Role.FEED, "2A*")
    assert plain.post("/positions/2A11", headers=key).status_code == 200
    refused(plain.post("/positions/2B11", headers=key), 403, "2B11 is not yours; you speak for 2A*")
    same = {"X-API-Key": key["Authorization"].removeprefix("Bearer ")}
    assert plain.post("/positions/2A11", headers=same).status_code == 200


# -- sessions in a browser ---------------------------------------------------------------------


def test_a_browser_signs_in_and_out(plain: httpx.Client, access: Access) -> None:
    join(access, "wall", Role.WALLBOARD)
    csrf = signed_in(plain, access, "wall")
    cookie = plain.cookies["rollby"]
    me = plain.get("/api/me").json()
    assert (me["name"], me["role"], me["rights"], me["how"]) == (
        "wall",
        "wallboard",
        ["see_live"],
        "session",
    )
    assert me["csrf"] == csrf["X-Rollby-CSRF"]
    assert plain.get("/live").json() == "wall"
    out = plain.post("/api/sign-out", headers=csrf)
    assert out.status_code == 204
    assert "rollby" not in plain.cookies
    refused(plain.get("/live", headers={"Cookie": f"rollby={cookie}"}), 401, "not signed in")
    assert [note.action for note in access.audit.notes()][-2:] == ["sign_in", "sign_out"]


@pytest.mark.parametrize("waiting", [False, True])
def test_a_page_that_asks_by_itself_keeps_no_session_from_being_idle(
    plain: httpx.Client, access: Access, clock: Hands, *, waiting: bool
) -> None:
    join(access)
    signed_in(plain, access, "anna")
    clock.pass_min(20)
    headers = {"X-Rollby-Waiting": "1"} if waiting else {}
    assert plain.get("/api/me", headers=headers).status_code == 200
    clock.pass_min(20)
    assert plain.get("/api/me").status_code == (401 if waiting else 200)


def test_the_cookie_without_tls(plain: httpx.Client, access: Access) -> None:
    join(access)
    answer = plain.post("/api/sign-in", json={"name": "anna", "password": GOOD})
    parts = answer.headers["set-cookie"].split("; ")
    assert parts[0].startswith("rollby=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(parts)
    assert "Secure" not in parts


def test_the_cookie_and_headers_by_tls(access: Access, tmp_path: Path) -> None:
    join(access)
    authority, pem = trustme.CA(), tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    app = small_app(access, secure=True)
    with (
        served(app, (str(pem), str(pem))) as url,
        httpx.Client(base_url=url, verify=context) as client,
    ):
        answer = client.post("/api/sign-in", json={"name": "anna", "password": GOOD})
        parts = answer.headers["set-cookie"].split("; ")
        assert parts[0].startswith("__Host-rollby=")
        assert {"HttpOnly", "SameSite=strict", "Path=/", "Secure"} <= set(parts)
        assert not any(part.startswith("Domain") for part in parts)
        assert client.get("/api/me").json()["name"] == "anna"
        assert "max-age=31536000" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, False),
        ({"X-Rollby-CSRF": ""}, False),
        ({"X-Rollby-CSRF": "0" * 64}, False),
    ],
)
def test_another_site_makes_a_browser_do_nothing(
    plain: httpx.Client, access: Access, headers: dict[str, str], *, passes: bool
) -> None:
    join(access)
    csrf = signed_in(plain, access, "anna")
    answer = plain.post("/positions/2A11", headers={**csrf, **headers})
    if passes:
        assert answer.status_code == 200
    else:
        refused(answer, 403, "")
    if "X-Rollby-CSRF" not in headers:
        wrong = plain.post("/api/sign-in", json={"name": "x", "password": "y"}, headers=headers)
        assert wrong.status_code == (401 if passes else 403)
    own = str(plain.base_url).rstrip("/")
    assert plain.post("/positions/2A11", headers={**csrf, "Origin": own}).status_code == 200
    assert plain.get("/api/me", headers=headers).status_code == 200


def test_locked_says_when_to_try_again(plain: httpx.Client) -> None:
    for _ in range(5):
        body = {"name": "x", "password": "secret-that-was-typed"}
        refused(plain.post("/api/sign-in", json=body), 401, "is wrong; try again")
    locked = plain.post("/api/sign-in", json=body)
    refused(locked, 429, "too many failed sign-ins")
    assert locked.headers["retry-after"] == "600"


def test_what_was_sent_is_not_sent_back(plain: httpx.Client) -> None:
    for body in (
        {"name": "x", "password": ["secret"]},
        {"name": "x", "password": "y", "more": "secret"},
        {"name": "x", "password": "secret" * 100},
    ):
        answer = plain.post("/api/sign-in", json=body)
        refused(answer, 422, "body.")
        assert "secret" not in answer.text
    refused(plain.get("/nowhere"), 404, "Not Found")
    refused(plain.put("/api/me"), 405, "Method Not Allowed")


def test_who_is_refused_is_logged_without_what_was_sent(
    plain: httpx.Client, access: Access
) -> None:
    feed = key_of(access, Role.FEED, "2A*")
    with capture_logs() as logged:
        plain.post("/positions/9X1?secret=1", headers=feed, json={"secret": 1})
        plain.get("/live", headers={"X-API-Key": "secret"})
        plain.get("/api/me")
        plain.get("/nowhere")
    assert [(one["status"], one["method"], one["path"], one["place"]) for one in logged] == [
        (403, "POST", "/positions/9X1", "127.0.0.1"),
        (401, "GET", "/live", "127.0.0.1"),
    ]
    assert logged[0]["why"] == "unit 9X1 is not yours; you speak for 2A*"
    assert "secret" not in str(logged)


def test_what_is_no_json_by_its_type_is_refused(plain: httpx.Client) -> None:
    body = '{"name": "x", "password": "y"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = plain.post("/api/sign-in", content=body, headers={"Content-Type": kind})
        refused(answer, 422, "body: ")
    refused(plain.post("/api/sign-in", content=body), 422, "body: ")


# -- administration ----------------------------------------------------------------------------


def test_an_administrator_makes_accounts_and_keys(
    plain: httpx.Client, access: Access, clock: Hands
) -> None:
    join(access, "root", Role.ADMINISTRATOR)
    csrf = signed_in(plain, access, "root")

    def post(path: str, body: Any = None) -> httpx.Response:
        return plain.post(f"/api{path}", json=body, headers=csrf)

    scope = {"name": "Boss", "role": "supervisor", "agency": "City"}
    made = post("/accounts", {**scope, "password": GOOD})
    assert made.status_code == 201
    assert made.json()["totp_uri"].startswith("otpauth://totp/rollby:boss?secret=")
    refused(post("/accounts", {**scope, "password": GOOD}), 422, "name=boss: is taken")
    refused(post("/accounts", {**scope, "name": "c", "password": "short"}), 422, "12 to 200")
    refused(post("/accounts", {**scope, "role": "king", "password": GOOD}), 422, "body.role")
    assert post("/accounts/boss/totp").json()["totp"] != made.json()["totp"]
    changed = plain.patch("/api/accounts/boss", json={"disabled": True}, headers=csrf)
    assert changed.status_code == 204
    assert [one["disabled"] for one in plain.get("/api/accounts").json()] == [True, False]

    key = post("/keys", {"name": "cad", "role": "feed", "unit_ids": ["*"]}).json()
    new = post(f"/keys/{key['key_id']}/rotate").json()
    assert plain.delete(f"/api/keys/{new['key_id']}", headers=csrf).status_code == 204
    clock.ms += 1000
    with httpx.Client(base_url=plain.base_url) as machine:
        old = machine.post("/positions/1", headers={"X-API-Key": key["key"]})
        assert old.status_code == 200
        gone = machine.post("/positions/1", headers={"X-API-Key": new["key"]})
        refused(gone, 401, "unknown or revoked")
    listed = plain.get("/api/keys")
    assert {one["key_id"] for one in listed.json()} == {key["key_id"], new["key_id"]}
    assert key["key"] not in listed.text

    notes = plain.get("/api/audit", params={"most": 1000}).json()
    done = [(one["who"], one["action"], one["facts"].get("done")) for one in notes]
    assert done[1:] == [
        ("root", "sign_in", None),
        ("root", "account", "added"),
        ("root", "account", "one-time codes"),
        ("root", "account", "disabled"),
        ("root", "key", "added"),
        ("root", "key", "rotated"),
        ("root", "key", "revoked"),
        ("root", "read_audit", None),
    ]


def test_a_new_password_by_oneself(plain: httpx.Client, access: Access) -> None:
    join(access)
    csrf = signed_in(plain, access, "anna")
    body = {"old": GOOD, "new": "short"}
    refused(plain.post("/api/password", json=body, headers=csrf), 422, "12 to 200 characters")
    body = {"old": "wrong", "new": GOOD + "!"}
    refused(plain.post("/api/password", json=body, headers=csrf), 401, "old password is wrong")
    body = {"old": GOOD, "new": GOOD + "!"}
    assert plain.post("/api/password", json=body, headers=csrf).status_code == 204
    refused(plain.get("/api/me"), 401, "sign in")
    key = key_of(access, Role.SUPERVISOR)
    refused(plain.post("/api/password", json=body, headers=key), 401, "only who is signed in")


# -- from this machine -------------------------------------------------------------------------


def test_this_machine_has_a_role_only_where_the_settings_say_so(tmp_path: Path) -> None:
    engine = prepared(f"sqlite:///{tmp_path}/other.db")
    access = Access(engine, AccessRules(loopback_role="supervisor"), Hands(), Passwords(QUICK))
    with served(small_app(access, secure=False)) as url, httpx.Client(base_url=url) as client:
        assert client.get("/api/me").json()["how"] == "loopback"
        assert client.get("/live").json() == "loopback"
        refused(client.get("/api/keys"), 403, "the role supervisor lacks it")
        for headers in (
            {"X-Forwarded-For": "203.0.113.9"},
            {"Forwarded": "for=203.0.113.9"},
            {"Host": "evil.example"},
        ):
            refused(client.get("/live", headers=headers), 401, "sign in")
        crossed = client.post("/api/sign-out", headers={"Sec-Fetch-Site": "cross-site"})
        refused(crossed, 403, "another site asked for this")
    engine.dispose()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "::ffff:127.0.0.1"])
def test_loopback_may_always_be_listened_on(host: str) -> None:
    assert is_loopback(host)
    check_bind(host, tls=False, word=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "rollby.example", "127.1"])  # noqa: S104 - it is refused
def test_elsewhere_wants_tls_or_a_word(host: str) -> None:
    with pytest.raises(SettingError, match="others could read along; set tls_certificate"):
        check_bind(host, tls=False, word=False)
    check_bind(host, tls=True, word=False)
    check_bind(host, tls=False, word=True)


# -- headers -----------------------------------------------------------------------------------


def test_every_answer_is_hardened(plain: httpx.Client, access: Access) -> None:
    for path in ("/api/me", "/nowhere", "/openapi.json"):
        headers = plain.get(path).headers
        policy = dict(
            part.partition(" ")[::2] for part in headers["content-security-policy"].split("; ")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "strict-transport-security" not in headers
    known = plain.get("/api/me", headers=key_of(access, Role.WALLBOARD))
    assert known.status_code == 200
    assert known.headers["cache-control"] == "no-store"
