"""Who is it? On SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyotp
import pytest

from data.errors import FieldError, InputError
from data.settings import AccessRules, Settings
from data.store.accounts import Account
from rollby.service.access import Access, SignInError, account_name, csrf_token
from rollby.service.administration import (
    add_account,
    add_key,
    disable_account,
    new_totp,
    note_settings,
    revoke_key,
    rotate_key,
    set_password,
)
from rollby.service.passwords import NOBODYS, Passwords, check_password, totp_step
from rollby.service.rights import RIGHTS, Right, Role
from tests.rollby.service.conftest import CHIEF, QUICK, Hands

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from data.store.accounts import ApiKey

GOOD = "correct horse 7"


def join(
    access: Access, name: str = "anna", role: Role = Role.OFFICER, *, terminal: bool = False
) -> Account:
    wanted = Account(name=name, role=role, unit_ids=("2A*",), terminal=terminal, created_ms=1)
    return add_account(access, CHIEF, wanted, GOOD)


def code_of(access: Access, name: str) -> str:
    account = access.accounts.account(name)
    assert account is not None
    return pyotp.TOTP(account.totp).generate_otp(access.now_ms() // 30_000)


# -- rights ------------------------------------------------------------------------------------


def test_the_table_of_rights() -> None:
    """Written out a second time: a change of either is meant."""
    assert {str(role): sorted(map(str, rights)) for role, rights in RIGHTS.items()} == {
        "officer": ["answer", "report_own", "see_own"],
        "supervisor": ["check", "export", "override", "see_health", "see_history", "see_live"],
        "analyst": ["export", "see_history"],
        "administrator": ["administer", "see_audit", "see_health"],
        "feed": ["send"],
        "wallboard": ["see_live"],
    }
    assert set(RIGHTS) == set(Role)
    assert {right for rights in RIGHTS.values() for right in rights} == set(Right)


# -- signing in --------------------------------------------------------------------------------


def test_who_signs_in_is_known_by_the_token(access: Access) -> None:
    join(access)
    caller = access.caller_of_session(access.sign_in("  ANNA ", GOOD, place="127.0.0.1"))
    assert (caller.name, caller.role, caller.how) == ("anna", Role.OFFICER, "session")
    assert caller.may(Right.ANSWER)
    assert not caller.may(Right.SEE_LIVE)
    assert caller.speaks_for("2A11")
    assert not caller.speaks_for("2B11")
    assert not caller.speaks_for("2a11")


def test_nothing_kept_signs_in(access: Access, engine: Engine) -> None:
    """Whoever reads the database finds no password, token or key."""
    join(access)
    token = access.sign_in("anna", GOOD)
    key = add_key(access, CHIEF, name="cad", role=Role.FEED, unit_ids=("*",), agency="").text
    with engine.connect() as connection:
        for table in ("accounts", "sessions", "api_keys", "audit"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()  # noqa: S608 - ours
            kept = " ".join(
                str(bytes(v) if isinstance(v, memoryview) else v) for r in rows for v in r
            )
            assert rows
            assert not any(secret in kept for secret in (GOOD, token, key, key.split("_", 2)[2]))


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("anna", "wrong"),
        ("nobody", GOOD),
        ("", ""),
        ("\0", GOOD),
        ("\ud800", "\ud800"),
        ("x" * 300, ""),
    ],
)
def test_who_is_wrong_learns_nothing_more(access: Access, name: str, password: str) -> None:
    join(access)
    with pytest.raises(SignInError, match="name, password or one-time code is wrong") as caught:
        access.sign_in(name, password)
    assert caught.value.retry_after_s == 0
    last = list(access.audit.notes())[-1]
    assert last.action == "sign_in_failed"
    assert password == "" or password not in str(last)


def test_five_failures_lock_a_name_for_ten_minutes(access: Access, clock: Hands) -> None:
    join(access)
    for name in ("anna", "nobody"):
        for _ in range(5):
            with pytest.raises(SignInError, match="is wrong"):
                access.sign_in(name, "wrong")
            clock.pass_min(0.1)
        with pytest.raises(SignInError, match="too many failed sign-ins; try again in") as caught:
            access.sign_in(name, GOOD)
        assert 590 <= caught.value.retry_after_s <= 600
    clock.pass_min(9)
    with pytest.raises(SignInError, match="too many"):
        access.sign_in("ANNA", GOOD)
    clock.pass_min(1)
    access.sign_in("anna", GOOD)
    facts = [note.facts for note in access.audit.notes() if note.action == "sign_in_failed"]
    assert [one["locked"] for one in facts] == [False] * 4 + [True] + [False] * 4 + [True]


def test_a_right_one_begins_the_count_anew(access: Access) -> None:
    join(access)
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(SignInError, match="is wrong"):
                access.sign_in("anna", "wrong")
        access.sign_in("anna", GOOD)


def test_guesses_at_once_are_no_way_round_the_lock(access: Access) -> None:
    join(access)

    def guess(_number: int) -> str:
        try:
            access.sign_in("anna", "wrong")
        except SignInError as error:
            return str(error)[:8]
        return ""

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(guess, range(24)))
    assert said.count(str(SignInError("name, password"))[:8]) == 5
    assert said.count("too many") == 19


def test_too_many_at_once_are_sent_away_uncounted(
    engine: Engine, clock: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollby.service.passwords.WAIT_S", 0.01)
    passwords = Passwords(QUICK)
    access = Access(engine, AccessRules(failures_max=1), clock, passwords)
    join(access)
    with passwords.turn(), passwords.turn(), pytest.raises(SignInError, match="too many are"):
        access.sign_in("anna", GOOD)
    access.sign_in("anna", GOOD)


# -- one-time codes ----------------------------------------------------------------------------


def test_a_one_time_code_works_once(access: Access, clock: Hands) -> None:
    join(access, "boss", Role.SUPERVISOR)
    code = code_of(access, "boss")
    for wrong in ("", "000000" if code != "000000" else "111111", "12345\u0660"):
        with pytest.raises(SignInError, match="is wrong"):
            access.sign_in("boss", GOOD, wrong)
    access.sign_in("boss", GOOD, f" {code[:3]} {code[3:]} ")
    with pytest.raises(SignInError, match="is wrong"):
        access.sign_in("boss", GOOD, code)
    clock.pass_min(0.5)
    with pytest.raises(SignInError, match="is wrong"):
        access.sign_in("boss", GOOD, code)
    access.sign_in("boss", GOOD, code_of(access, "boss"))
    whys = [one.facts.get("why") for one in access.audit.notes() if one.facts.get("why")]
    assert whys == ["one-time code"] * 3 + ["one-time code used before"] * 2


def test_a_code_is_taken_one_step_either_way() -> None:
    secret, now_ms = pyotp.random_base32(), 1_800_000_000_000
    step = now_ms // 30_000
    taken = [
        totp_step(secret, pyotp.TOTP(secret).generate_otp(step + n), now_ms) for n in range(-3, 4)
    ]
    assert taken == [None, None, step - 1, step, step + 1, None, None]


def test_a_wrong_password_uses_up_no_code(access: Access) -> None:
    join(access, "boss", Role.SUPERVISOR)
    code = code_of(access, "boss")
    with pytest.raises(SignInError, match="is wrong"):
        access.sign_in("boss", "wrong", code)
    access.sign_in("boss", GOOD, code)


def test_a_role_that_needs_codes_does_not_sign_in_without(engine: Engine, clock: Hands) -> None:
    lax = Access(engine, AccessRules(totp_for=[]), clock, Passwords(QUICK))
    join(lax, "boss", Role.SUPERVISOR)
    lax.sign_in("boss", GOOD)
    strict = Access(engine, AccessRules(), clock, Passwords(QUICK))
    with pytest.raises(SignInError, match="have an administrator set one up"):
        strict.sign_in("boss", GOOD)
    new_totp(strict, CHIEF, "boss")
    strict.sign_in("boss", GOOD, code_of(strict, "boss"))


# -- sessions ----------------------------------------------------------------------------------


def test_an_idle_session_ends(access: Access, clock: Hands) -> None:
    join(access)
    token = access.sign_in("anna", GOOD)
    for _ in range(4):
        clock.pass_min(29)
        access.caller_of_session(token)
    clock.pass_min(30)
    with pytest.raises(SignInError, match="idle for 30 min; sign in again"):
        access.caller_of_session(token)
    with pytest.raises(SignInError, match="not signed in"):
        access.caller_of_session(token)


def test_a_page_that_merely_stays_open_keeps_no_session(access: Access, clock: Hands) -> None:
    join(access)
    token = access.sign_in("anna", GOOD)
    for _ in range(2):
        clock.pass_min(14)
        access.caller_of_session(token, using=False)
    clock.pass_min(2)
    with pytest.raises(SignInError, match="idle for 30 min"):
        access.caller_of_session(token, using=False)


def test_a_sign_in_lasts_twelve_hours(access: Access, clock: Hands) -> None:
    join(access)
    token = access.sign_in("anna", GOOD)
    for _ in range(12 * 4 - 1):
        clock.pass_min(15)
        access.caller_of_session(token)
    clock.pass_min(15)
    with pytest.raises(SignInError, match="a sign-in lasts 12 h; sign in again"):
        access.caller_of_session(token)


def test_terminals_and_wallboards_are_not_locked_for_being_idle(
    access: Access, clock: Hands
) -> None:
    join(access, "car", terminal=True)
    join(access, "wall", Role.WALLBOARD)
    car, wall = access.sign_in("car", GOOD), access.sign_in("wall", GOOD)
    clock.pass_min(11 * 60)
    assert access.caller_of_session(car).name == "car"
    clock.pass_min(20 * 24 * 60)
    with pytest.raises(SignInError, match="lasts 12 h"):
        access.caller_of_session(car)
    assert access.caller_of_session(wall).role == Role.WALLBOARD
    clock.pass_min(10 * 24 * 60)
    with pytest.raises(SignInError, match="lasts 720 h"):
        access.caller_of_session(wall)


def test_what_ends_sessions(access: Access) -> None:
    join(access)
    signed_out = access.sign_in("anna", GOOD)
    access.sign_out(signed_out)
    access.sign_out(signed_out)
    disabled = access.sign_in("anna", GOOD)
    disable_account(access, CHIEF, "Anna")
    with pytest.raises(SignInError, match="is wrong"):
        access.sign_in("anna", GOOD)
    disable_account(access, CHIEF, "anna", disabled=False)
    reset = access.sign_in("anna", GOOD)
    set_password(access, CHIEF, "anna", GOOD + "!")
    changed = access.sign_in("anna", GOOD + "!")
    access.change_password(access.caller_of_session(changed), GOOD + "!", GOOD + "?")
    for token in (signed_out, disabled, reset, changed, "", "made up", "\ud800"):
        with pytest.raises(SignInError, match="not signed in"):
            access.caller_of_session(token)
    access.sign_in("anna", GOOD + "?")


def test_a_session_that_begins_while_its_account_is_disabled_ends(access: Access) -> None:
    join(access)
    token = access.sign_in("anna", GOOD)
    access.accounts.change_account("anna", end_sessions=False, disabled=True)
    with pytest.raises(SignInError, match="not signed in"):
        access.caller_of_session(token)


def test_an_old_password_is_guessed_as_seldom_as_any(access: Access) -> None:
    join(access)
    caller = access.caller_of_session(access.sign_in("anna", GOOD))
    for _ in range(5):
        with pytest.raises(SignInError, match="old password is wrong"):
            access.change_password(caller, "wrong", GOOD + "!")
    with pytest.raises(SignInError, match="too many failed"):
        access.change_password(caller, GOOD, GOOD + "!")


def test_where_no_password_is_kept_none_is_right(access: Access) -> None:
    unit = {"role": Role.OFFICER, "unit_ids": ("*",), "created_ms": 1}
    add_account(access, CHIEF, Account(name="vouched", **unit), "")  # type: ignore[arg-type]
    for password in ("", NOBODYS):
        with pytest.raises(SignInError, match="is wrong"):
            access.sign_in("vouched", password)


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("short", "must have 12 to 200 characters"),
        ("x" * 201, "must have 12 to 200"),
        ("my name is Anna!", "must not hold the account's name"),
        ("121212121212", "more than three different"),
    ],
)
def test_weak_passwords_are_refused(password: str, rule: str) -> None:
    with pytest.raises(FieldError, match=rule) as caught:
        check_password("anna", password, AccessRules())
    assert password not in str(caught.value)


def test_names_have_one_spelling() -> None:
    assert account_name(" \uff2aosé ") == "josé" == account_name("JOSE\u0301")
    assert account_name("a b") != account_name("a c")
    assert account_name("a b").startswith("?")


def test_accounts_that_cannot_be(access: Access) -> None:
    join(access)
    with pytest.raises(InputError, match="name=anna: is taken"):
        join(access, "ANNA")
    with pytest.raises(FieldError, match="name='a b': must be 1 to 100 letters"):
        join(access, "a b")
    for bad in ("\0", "\ud800", "x" * 101):
        for change in ({"agency": bad}, {"unit_ids": (bad,)}):
            wanted = {"name": "o", "role": Role.OFFICER, "unit_ids": ("*",), "created_ms": 1}
            with pytest.raises(FieldError, match="must be at most 100 characters"):
                add_account(access, CHIEF, Account(**wanted | change), GOOD)  # type: ignore[arg-type]
            scope = {"name": "k", "role": Role.FEED, "unit_ids": ("*",), "agency": ""}
            with pytest.raises(FieldError, match="must be at most 100 characters"):
                add_key(access, CHIEF, **scope | change)  # type: ignore[arg-type]
        with pytest.raises(FieldError, match="must be 1 to 100 characters"):
            add_key(access, CHIEF, name=bad, role=Role.FEED, unit_ids=("*",), agency="")
    assert access.accounts.api_keys() == []
    with pytest.raises(FieldError, match="must name the units that this officer speaks for"):
        add_account(access, CHIEF, Account(name="o", role=Role.OFFICER, created_ms=1), GOOD)
    with pytest.raises(InputError, match="no such account; see `rollby users list`"):
        new_totp(access, CHIEF, "nobody")
    join(access, "root", Role.ADMINISTRATOR)
    with pytest.raises(InputError, match="is the last administrator; add another first"):
        disable_account(access, CHIEF, "root")


def test_the_csrf_token_is_not_the_token() -> None:
    assert csrf_token("a") == csrf_token("a") != csrf_token("b")
    assert "a" * 40 not in csrf_token("a" * 40)


# -- keys --------------------------------------------------------------------------------------


def test_a_key_is_its_scope(access: Access, clock: Hands) -> None:
    made = add_key(access, CHIEF, name="cad", role=Role.FEED, unit_ids=("2A?",), agency="City")
    caller = access.caller_of_key(made.text)
    assert (caller.name, caller.role, caller.agency, caller.how) == ("cad", "feed", "City", "key")
    assert caller.speaks_for("2A1")
    assert not caller.speaks_for("2A11")
    assert made.text.startswith(f"rollby_{made.key.key_id}_")
    for wrong in ("", made.text + "x", made.text[:-1], "\ud800"):
        with pytest.raises(SignInError, match="unknown or revoked API key"):
            access.caller_of_key(wrong)
    [kept] = access.accounts.api_keys()
    assert kept.used_ms == clock.ms
    clock.pass_min(5)
    access.caller_of_key(made.text)
    assert access.accounts.api_keys()[0].used_ms == clock.ms


def test_a_rotated_key_works_for_a_day(access: Access, clock: Hands) -> None:
    old = add_key(access, CHIEF, name="cad", role=Role.FEED, unit_ids=("*",), agency="")
    access.caller_of_key(old.text)
    new = rotate_key(access, CHIEF, old.key.key_id)
    assert access.caller_of_key(new.text) == access.caller_of_key(old.text)
    clock.pass_min(24 * 60 - 1)
    access.caller_of_key(old.text)
    with pytest.raises(InputError, match="no such key in use; see `rollby keys list`"):
        rotate_key(access, CHIEF, "nope")
    clock.pass_min(1)
    with pytest.raises(SignInError, match="unknown or revoked"):
        access.caller_of_key(old.text)
    with pytest.raises(InputError, match="no such key in use"):
        rotate_key(access, CHIEF, old.key.key_id)
    access.caller_of_key(new.text)


def test_a_revoked_key_is_refused_within_a_second(access: Access, clock: Hands) -> None:
    made = add_key(access, CHIEF, name="cad", role=Role.FEED, unit_ids=("*",), agency="")
    access.caller_of_key(made.text)
    revoke_key(access, CHIEF, made.key.key_id)
    clock.ms += 1000
    with pytest.raises(SignInError, match="unknown or revoked"):
        access.caller_of_key(made.text)
    with pytest.raises(InputError, match="no such key in use"):
        revoke_key(access, CHIEF, made.key.key_id)


def test_a_key_that_sends_all_the_time_asks_the_database_once_a_second(
    access: Access, clock: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = add_key(access, CHIEF, name="cad", role=Role.FEED, unit_ids=("*",), agency="")
    assert access.caller_of_known_key(made.text) is None
    asked: list[bytes] = []
    look_up = access.accounts.key

    def counted(digest: bytes) -> ApiKey | None:
        asked.append(digest)
        return look_up(digest)

    monkeypatch.setattr(access.accounts, "key", counted)
    for _ in range(20):
        access.caller_of_key(made.text)
        clock.ms += 100
    assert len(asked) == 2


def test_settings_are_written_down_when_they_change(access: Access) -> None:
    first = Settings.model_validate(
        {
            "policy": {"within_s": 90, "weight": {"custody": 2}},
            "agencies": {"shows": {"Sheriff": "none"}},
            "service": {"store": "postgresql://u:secret@h/d", "access": {"lock_min": 5}},
        }
    )
    for settings in (Settings(), Settings(), first, first, Settings()):
        note_settings(access, CHIEF, settings)
    notes = list(access.audit.notes())
    assert [note.facts["set"] for note in notes] == [
        {},
        {
            "policy.within_s": 90,
            "policy.weight.custody": 2,
            "agencies.shows.Sheriff": "none",
            "service.access.lock_min": 5,
        },
        {},
    ]
    assert {note.action for note in notes} == {"settings"}
    assert "secret" not in str(notes)


def test_many_write_at_once_and_none_fails(access: Access) -> None:
    """The audit log is one chain, whoever writes."""
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for turn in range(5):
            join(access, f"u{number}-{turn}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(access.accounts.accounts()) == 40
    assert [note.seq for note in access.audit.notes()] == list(range(1, 41))
    assert access.audit.faults() == []
