"""Settings come from TOML and go back to it; each fault is named."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from data.errors import FieldError, SettingError
from data.records import StopPhase, UnitStatus
from data.settings import Settings, read_settings, settings_of, settings_toml
from data.status_codes import codes_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Read = Callable[[str | bytes], Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read settings from a text."""

    def from_text(text: str | bytes) -> Settings:
        path = tmp_path / "s.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_settings(path)

    return from_text


def test_nothing_set_is_the_defaults(read: Read) -> None:
    assert read("") == Settings()


def test_printed_settings_read_back(read: Read) -> None:
    assert read(settings_toml(Settings())) == Settings()
    changed = Settings.model_validate(
        {
            "policy": {"within_s": 90, "weight": {"custody": 2}},
            "units": {"status": {'10-8 "x"': "available"}, "time_zone": "America/Denver"},
            "agencies": {"share": "listed", "helps": {"Sheriff": ["City"]}},
            "beats": {"within_s": {"North Side": 300}},
        }
    )
    assert read(settings_toml(changed)) == changed


def test_every_setting_is_printed_with_a_comment() -> None:
    feed = {"kind": "taip", "listen": "127.0.0.1:21000"}
    out = {"server": "tak.example:8089"}
    settings = Settings.model_validate({"feeds": {"cars": feed}, "cot": {"tak": out}})
    lines = settings_toml(settings).splitlines()
    sections = {name: section for name, section in settings if name not in {"feeds", "cot"}}
    named = {'feeds."cars"': settings.feeds["cars"], 'cot."tak"': settings.cot["tak"]}
    for name, section in {**sections, **named}.items():
        for field, info in type(section).model_fields.items():
            key = info.alias or field
            starts = (f"{key} =", f"[{name}.{key}]")
            row = next(row for row, line in enumerate(lines) if line.startswith(starts))
            assert lines[row - 1].startswith("# ")


def test_a_phase_left_out_keeps_its_default(read: Read) -> None:
    policy = read("[policy.duration_min]\ncustody = 40\n").policy
    assert policy.duration_min[StopPhase.CUSTODY] == 40
    assert policy.duration_min[StopPhase.CONTACT] == 8


def test_status_codes_are_mapped(read: Read) -> None:
    units = read('[units.status]\n"10-8" = "available"\n').units
    assert units.status == {"10-8": UnitStatus.AVAILABLE}


def test_an_agencys_codes_come_before_those_of_all(read: Read) -> None:
    text = '[units.status]\n"10-8" = "available"\n'
    text += '[agencies.status.County]\n"10-8" = "busy"\n"10-4" = "none"\n'
    settings = read(text + '[agencies.codes]\nCounty = ["10-8", "10-4", "ON_STOP"]\n')
    codes = codes_of(settings)
    assert codes.status_of("10-8", "City") is UnitStatus.AVAILABLE
    assert codes.status_of(" 10-8", "County") is UnitStatus.BUSY
    assert codes.status_of("10-4", "County") is None
    assert codes.status_of("Available") is UnitStatus.AVAILABLE
    assert settings_of(tomllib.loads(settings_toml(settings)), "s") == settings


@pytest.mark.parametrize(
    ("code", "agency", "place"),
    [("10-99", "", "[units.status]"), ("10-4", "City", '[agencies.status."City"]')],
)
def test_a_code_that_nobody_mapped_says_where_to(
    read: Read, code: str, agency: str, place: str
) -> None:
    codes = codes_of(read('[agencies.status.County]\n"10-4" = "none"\n'))
    with pytest.raises(FieldError) as caught:
        codes.status_of(code, agency)
    assert f"map the agency's codes in {place} of the settings" in str(caught.value)


def test_codes_alike_but_for_capitals_are_not_guessed(read: Read) -> None:
    codes = codes_of(read('[units.status]\na = "busy"\nA = "available"\n'))
    assert codes.status_of("A") is UnitStatus.AVAILABLE
    codes = codes_of(read('[units.status]\nab = "busy"\nAb = "available"\n'))
    assert not codes.knows("AB")


def test_every_unmapped_code_is_named_when_settings_are_read(read: Read) -> None:
    text = '[units.status]\n"10-8" = "available"\n[agencies.status.County]\n"10-7" = "busy"\n'
    text += '[agencies.codes]\nCounty = ["10-7", "10-8", "10-23"]\nCity = ["10-7", "10-97"]\n'
    with pytest.raises(SettingError) as caught:
        read(text)
    assert str(caught.value).endswith(
        "must be mapped in agencies.status or units.status, if only to none: "
        "10-23 (County), 10-7 (City), 10-97 (City)"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[policy]\nwithin_s = -1", "policy.within_s=-1: must be greater than 0"),
        ("[policy]\nwithin_s = nan", "policy.within_s=nan: must be a finite number"),
        ("[policy]\nfoo = 2", "policy.foo=2: is no setting; remove it, or see `rollby settings`"),
        ("[polizei]\nx = 1", "polizei={'x': 1}: is no setting"),
        ("[policy]\ncomes_when_asked = 1.2", "policy.comes_when_asked=1.2: must be less than or"),
        (
            "[policy.weight]\nsecured = 0.5",
            "policy.weight.secured: must be at least that of",
        ),
        ("[policy]\ncovered_from = 0.1", "policy.covered_from: must be at least alone_below"),
        ("[policy.weight]\ncleared = 1", "policy.weight.cleared"),
        ('[units.status]\n"10-8" = "idle"', "units.status.10-8=idle: must be 'available', 'disp"),
        ('[units]\ntime_zone = "Mars"', "units.time_zone=Mars: must be an IANA name such as"),
        ("policy = 3", "policy=3: must be"),
        ("policy", "must be TOML in UTF-8"),
        (b"\xff\xfe", "must be TOML in UTF-8"),
    ],
)
def test_faults_are_named(read: Read, text: str | bytes, message: str) -> None:
    with pytest.raises(SettingError) as caught:
        read(text)
    assert message in str(caught.value)


def test_all_faults_at_once(read: Read) -> None:
    with pytest.raises(SettingError) as caught:
        read("[policy]\nwithin_s = 0\nfoo = 1\n[beats.within_s]\nN = 0\n")
    assert len(str(caught.value).splitlines()) == 3


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"cannot be read .No such file"):
        read_settings(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("share", "helper", "agency", "allowed"),
    [
        ("all", "Sheriff", "City", True),
        ("own", "Sheriff", "City", False),
        ("own", "City", "City", True),
        ("own", "", "City", True),
        ("listed", "Sheriff", "City", True),
        ("listed", "City", "Sheriff", False),
    ],
)
def test_sharing(share: str, helper: str, agency: str, allowed: bool) -> None:  # noqa: FBT001 - a case
    rules = {"share": share, "helps": {"Sheriff": ["City"]}}
    settings = Settings.model_validate({"agencies": rules})
    assert settings.agencies.may_help(helper, agency) is allowed
