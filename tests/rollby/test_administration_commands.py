"""Users, keys, the audit log, backup and restore, as they are typed."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from sqlalchemy import text

from data.store.opening import engine_of
from rollby.cli import main

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "correct horse 7"


class Run(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def rollby(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Any:
    """Run the program in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, typed: str = "") -> Run:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return run


def add(rollby: Any, name: str, role: str, *more: str) -> Run:
    options = ["--role", role, "--password-stdin", *more]
    run: Run = rollby("users", "add", name, *options, typed=f"{GOOD}\nnot read\n")
    return run


def test_users(rollby: Any, tmp_path: Path) -> None:
    made = add(rollby, "Root", "administrator")
    assert made.code == 0
    assert re.fullmatch(r"root: administrator, added\nsecret: [A-Z2-7]{32}\n", made.out)
    assert "shown this once" in made.err
    assert (
        add(rollby, "anna", "officer", "--unit", "2A*", "--terminal").out
        == "anna: officer, added\n"
    )
    assert rollby("users", "disable", "ANNA").out == "ANNA: disabled\n"
    listed = rollby("users", "list").out
    assert re.search(r"anna +officer +2A\* +disabled, in-car terminal", listed)
    assert rollby("users", "enable", "anna").code == 0
    answer = json.loads(rollby("users", "list", "--json").out)
    assert answer["schema"] == "rollby.users/1"
    assert [(one["name"], one["disabled"]) for one in answer["users"]] == [
        ("anna", False),
        ("root", False),
    ]
    assert rollby("users", "password", "anna", "--password-stdin", typed=GOOD + "!").code == 0
    codes = rollby("users", "totp", "anna", "--qr", "anna.svg")
    assert codes.err.endswith("anna.svg: delete it when it was read\n")
    assert "<svg" in (tmp_path / "anna.svg").read_text()
    assert (tmp_path / "anna.svg").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("users", "add", "a b", "--role", "analyst", "--password-stdin"), "name='a b': must be 1"),
        (("users", "add", "x", "--role", "officer", "--password-stdin"), "unit_ids=: must name"),
        (("users", "disable", "nobody"), "name=nobody: there is no such account"),
        (("users", "disable", "root"), "is the last administrator; add another first"),
        (("keys", "revoke", "nope"), "key=nope: there is no such key in use"),
        (("audit", "verify", "--head", "x"), "--head=x: must be SEQ:HASH"),
        (("audit", "verify", "--store", "sqlite:///no.db"), "is not there; check --store"),
        (("users", "list", "--store", "mysql://x/y"), "must be sqlite:///FILE or postgresql"),
        (("restore", "none.backup", "--store", "sqlite:///no.db"), "none.backup: is not there"),
    ],
)
def test_what_cannot_be_is_said(rollby: Any, arguments: tuple[str, ...], said: str) -> None:
    add(rollby, "root", "administrator")
    run = rollby(*arguments, typed=GOOD)
    assert run.code == 3
    assert said in run.err
    assert run.out == ""


def test_keys(rollby: Any) -> None:
    made = rollby("keys", "add", "cad", "--role", "feed", "--unit", "2A*", "--unit", "9")
    assert re.fullmatch(r"rollby_[0-9a-f]{8}_[\w-]{43}\n", made.out)
    key_id = made.out.split("_")[1]
    assert made.err == f"key {key_id}, shown this once\n"
    rotated = rollby("keys", "rotate", key_id)
    assert f"{key_id} works for 24 h more" in rotated.err
    assert rotated.out != made.out
    assert rollby("keys", "revoke", key_id).out == f"{key_id}: revoked\n"
    listed = rollby("keys", "list").out
    assert re.search(rf"{key_id} +cad +feed +2A\*, 9 +never +ended", listed)
    answer = json.loads(rollby("keys", "list", "--json").out)
    assert len(answer["keys"]) == 2
    assert made.out.strip() not in rollby("keys", "list", "--json").out


def test_audit(rollby: Any, tmp_path: Path) -> None:
    add(rollby, "root", "administrator")
    verified = rollby("audit", "verify")
    assert verified.out.startswith("1 row, all as they were written\nhead 1:")
    head = verified.out.split()[-1]
    assert rollby("audit", "verify", "--head", head).code == 0
    assert "account root, done added, role administrator" in rollby("audit", "show").out
    assert [n["action"] for n in json.loads(rollby("audit", "show", "--json").out)["notes"]] == [
        "account",
        "read_audit",
        "read_audit",
    ]
    assert rollby("audit", "export", "x.txt").code == 2
    assert rollby("audit", "export", "x.csv").out == "4 rows: x.csv\n"
    with (tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[3]["about"] == "export"
    assert rollby("audit", "export", "x.jsonl").code == 0
    lines = (tmp_path / "x.jsonl").read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4, 5]
    engine = engine_of("sqlite:///rollby.db")
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_no_delete"))
        connection.execute(text("DELETE FROM audit WHERE seq = 2"))
    engine.dispose()
    altered = rollby("audit", "verify")
    assert (altered.code, altered.err) == (3, "audit row 2: removed\n")


def test_backup_and_restore(rollby: Any, tmp_path: Path) -> None:
    add(rollby, "root", "administrator")
    (tmp_path / "other.toml").write_text('[service]\nstore = "sqlite:///other.db"\n')
    made = rollby("backup", "x.backup")
    assert re.fullmatch(r"x.backup: 3 rows of 12 tables, SHA-256 [0-9a-f]{64}\n", made.out)
    restored = rollby("restore", "x.backup", "--settings", "other.toml")
    assert restored.out == made.out.replace("x.backup", "restored")
    users = rollby("users", "list", "--json").out
    assert rollby("users", "list", "--json", "--store", "sqlite:///other.db").out == users
    again = rollby("restore", "x.backup", "--settings", "other.toml")
    assert again.code == 3
    assert "is not empty; restore into a new place" in again.err
