"""Settings of Cursor-on-Target, in and out: what goes together, and why not where it does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from data.errors import SettingError
from data.settings import Settings, read_settings, settings_of, settings_toml

if TYPE_CHECKING:
    from pathlib import Path

TLS = {"transport": "tls", "certificate": "c", "key": "k"}


@pytest.mark.parametrize(
    "feed",
    [
        {"listen": "0.0.0.0:4242"},
        {"listen": "239.2.3.1:6969", "interface": "10.8.0.1", "from": ["10.8.0.0/16"]},
        {"listen": "0.0.0.0:8087", "transport": "tcp", "named_by": "callsign"},
        {"listen": "0.0.0.0:8089", **TLS, "clients": "ca", "named_by": "certificate"},
        {"server": "tak.example:8087", "transport": "tcp"},
        {"server": "tak.example:8089", **TLS, "authority": "ca", "server_name": "takserver"},
        {"listen": "0.0.0.0:4242", "others": "count", "devices": {"ANDROID-1": "4A12"}},
    ],
)
def test_feeds_are_written_and_read_again(tmp_path: Path, feed: dict[str, Any]) -> None:
    out = {"server": "tak.example:8089", "callsigns": {"4A12": 'CAR "12"'}, "watchers": ["W"]}
    settings = Settings.model_validate(
        {"feeds": {"tak": {"kind": "cot", **feed}}, "cot": {"maps": out}}
    )
    (tmp_path / "s.toml").write_text(settings_toml(settings))
    assert read_settings(tmp_path / "s.toml") == settings


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        ({}, "must have listen, or server, and not both"),
        ({"listen": "a:1", "server": "b:1"}, "must have listen, or server, and not both"),
        ({"listen": "a"}, "must be HOST:PORT"),
        ({"listen": "a:1", "certificate": "c"}, "certificate and key must name files together"),
        ({"listen": "a:1", "clients": "c"}, "transport must be tls where there is a certificate"),
        ({"listen": "a:1", "named_by": "certificate"}, "clients must name a file where devices"),
        ({"listen": "a:1", "transport": "tls"}, "certificate and key must name files where cli"),
        ({"listen": "a:1", **TLS, "authority": "c"}, "authority and server_name must be left out"),
        ({"listen": "a:1", "server_name": "c"}, "transport must be tls where there is a cert"),
        ({"listen": "a:1", "others": "count"}, "devices must name some by uid or callsign where"),
        (
            {
                "listen": "a:1",
                **TLS,
                "clients": "c",
                "named_by": "certificate",
                "others": "count",
                "devices": {"a": "b"},
            },
            "devices must name some by uid or callsign where",
        ),
        ({"listen": "239.2.3.1:1", "interface": "eth0"}, "must be the interface's own IPv4 add"),
        (
            {"listen": "a:1", "transport": "tcp", "interface": "127.0.0.1"},
            "interface must be left out but for a group",
        ),
        ({"server": "a:1"}, "server is called by tcp or tls, and from and clients are not"),
        (
            {"server": "a:1", "transport": "tcp", "from": ["10.0.0.0/8"]},
            "server is called by tcp or tls, and from and clients are not",
        ),
        ({"server": "a:1", **TLS, "clients": "c"}, "server is called by tcp or tls"),
    ],
)
def test_a_feed_that_cannot_be_says_why(feed: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingError, match=rf"^s.toml feeds\.tak.*{re.escape(why)}"):
        settings_of({"feeds": {"tak": {"kind": "cot", **feed}}}, "s.toml")


@pytest.mark.parametrize(
    ("out", "why"),
    [
        ({"server": ""}, "must be HOST:PORT"),
        ({"certificate": "c"}, "certificate and key must name files together"),
        ({"transport": "tcp", "authority": "c"}, "transport must be tls where there is"),
        ({"transport": "tcp", "server_name": "c"}, "transport must be tls where there is"),
        ({"interface": "127.0.0.1"}, "interface must be left out where transport is not udp"),
        ({"transport": "udp"}, "audience must be all where transport is udp: it addresses nobody"),
        ({"tell": ["flags"]}, "watchers must name a callsign where flags are told to some only"),
        ({"stale_s": 5}, "must be greater than or equal to 30"),
    ],
)
def test_an_outlet_that_cannot_be_says_why(out: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingError, match=rf"^s.toml cot\.maps.*{re.escape(why)}"):
        settings_of({"cot": {"maps": {"server": "a:1", **out}}}, "s.toml")


def test_whose_eyes_see_it_is_said_where_agencies_hide_something() -> None:
    raw = {"agencies": {"shows": {"Sheriff": "none"}}, "cot": {"maps": {"server": "a:1"}}}
    with pytest.raises(SettingError, match=r"must say in cot\.maps\.agency whose eyes see it"):
        settings_of(raw, "s.toml")
    for agency in ("City", "*"):
        settings_of({**raw, "cot": {"maps": {"server": "a:1", "agency": agency}}}, "s.toml")
