from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import pytest

from tests.accessible import AXE

ASSETS = files("maps") / "assets"
SUMS = re.findall(
    r"^\| `(leaflet/[^`]+)` \| `([0-9a-f]{64})` \|$",
    (ASSETS / "README.md").read_text(),
    re.MULTILINE,
)

AXE_SUMS = re.findall(
    r"^\| `axe/([^`]+)` \| `([0-9a-f]{64})` \|$", (AXE / "README.md").read_text(), re.MULTILINE
)


@pytest.mark.parametrize(("name", "sha256"), AXE_SUMS)
def test_what_the_tests_bring_along_is_what_its_readme_says(name: str, sha256: str) -> None:
    assert hashlib.sha256((AXE / name).read_bytes()).hexdigest() == sha256


def test_all_of_it_is_listed_with_its_licence() -> None:
    assert {one.name for one in AXE.iterdir()} == {"README.md", *(name for name, _ in AXE_SUMS)}
    assert "LICENSE" in dict(AXE_SUMS)


@pytest.mark.parametrize(("name", "sha256"), SUMS)
def test_a_vendored_file_is_what_its_readme_says(name: str, sha256: str) -> None:
    assert hashlib.sha256((ASSETS / name).read_bytes()).hexdigest() == sha256


def test_every_vendored_file_is_listed_and_has_a_licence() -> None:
    folder = ASSETS / "leaflet"
    found = {f"leaflet/{f.name}" for f in folder.iterdir() if f.is_file()}
    found |= {f"leaflet/images/{f.name}" for f in (folder / "images").iterdir()}
    assert found == {name for name, _ in SUMS}
    assert "leaflet/LICENSE" in found


def test_the_script_is_the_version_the_readme_names() -> None:
    script = (ASSETS / "leaflet/leaflet.js").read_text()
    assert 't.version="1.9.4"' in script
    assert "Leaflet 1.9.4" in (ASSETS / "README.md").read_text()


OURS = sorted(f.name for f in ASSETS.iterdir() if f.is_file() and f.name != "README.md")


def test_every_asset_of_ours_is_listed() -> None:
    ours = (ASSETS / "README.md").read_text().partition("## Ours")[2]
    assert {*re.findall(r"`([a-z]+\.[a-z]+)`", ours)} == {*OURS}


@pytest.mark.parametrize("name", OURS)
def test_our_own_assets_fetch_nothing(name: str) -> None:
    text = (ASSETS / name).read_text()
    for way_out in (
        "fetch(",
        "XMLHttpRequest",
        "@import",
        "import(",
        "WebSocket",
        "sendBeacon",
        "src=",
    ):
        assert way_out not in text
    assert not re.search(r"url\((?!#)", text)
