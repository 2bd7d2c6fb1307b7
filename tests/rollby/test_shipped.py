"""What is shipped is whole: wheel and sdist, the demonstration without a source tree, the SBOM."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from rollby import __version__
from tests.repo.test_notice import files_of_ours, works
from tests.rollby.wheel import ROOT, apart

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = ("data", "geo", "maps", "rollby")
WHEEL_BYTES_MAX, SDIST_BYTES_MAX = 1_500_000, 8_000_000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make dist` fills."""
    folder = tmp_path_factory.mktemp("dist")
    for words in (["-m", "hatchling", "build", "-d"], ["scripts/sbom.py"]):
        subprocess.run(
            [sys.executable, *words, str(folder)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
            check=True,
        )
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> set[str]:
    with zipfile.ZipFile(built / f"rollby-{__version__}-py3-none-any.whl") as file:
        return set(file.namelist())


@pytest.fixture(scope="module")
def sdist(built: Path) -> set[str]:
    with tarfile.open(built / f"rollby-{__version__}.tar.gz") as file:
        return {name.partition("/")[2] for name in file.getnames()}


def test_the_wheel_holds_every_file_of_the_program_and_no_other(wheel: set[str]) -> None:
    ours = {
        one for one in files_of_ours() if one.startswith(tuple(f"{name}/" for name in PACKAGES))
    }
    assert {"data/sample/denver.roads", "maps/assets/templates/page.html"} < ours
    assert {one for one in wheel if ".dist-info/" not in one} == ours


def test_the_sdist_is_the_tree(sdist: set[str]) -> None:
    assert sdist == {*files_of_ours(), "PKG-INFO"}


def test_licences_come_along(wheel: set[str]) -> None:
    about = f"rollby-{__version__}.dist-info/licenses"
    assert {f"{about}/LICENSE", f"{about}/NOTICE"} < wheel
    shipped = [text for path, text in works().items() if path.startswith(PACKAGES)]
    assert shipped
    for text in shipped:
        texts = re.findall(r"\((\S*LICEN[^\s)]*)\)", text)
        assert set(texts) < wheel if texts else "https://www.openstreetmap.org/copyright" in text


def test_neither_has_grown_beyond_measure(built: Path) -> None:
    (one,), (other,) = built.glob("*.whl"), built.glob("*.tar.gz")
    assert one.stat().st_size < WHEEL_BYTES_MAX
    assert other.stat().st_size < SDIST_BYTES_MAX


def test_the_list_of_what_it_is_made_of_is_the_lock_and_what_is_carried(built: Path) -> None:
    text = (built / f"rollby-{__version__}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    listed = json.loads(text)
    lock = (ROOT / "deploy" / "requirements.txt").read_text()
    pinned = re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.MULTILINE)
    assert len(pinned) > 50
    found = [(one["name"], one["version"]) for one in listed["components"]]
    assert sorted(found) == sorted([*pinned, ("leaflet", "1.9.4")])
    assert listed["metadata"]["component"]["name"] == "rollby"
    licences = {one["name"]: one.get("licenses") for one in listed["components"]}
    assert licences["click"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert licences["leaflet"] == [{"license": {"id": "BSD-2-Clause"}}]


def test_the_demonstration_runs_without_a_source_tree(installed: Path, tmp_path: Path) -> None:
    run = subprocess.run(
        [str(installed.parent / "rollby"), "demo"],
        cwd=tmp_path,
        env=apart(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "SIMULATED" in run.stdout
    assert {one.name for one in (tmp_path / "demo").iterdir()} == {"stops.html", "coverage.html"}
    page = (tmp_path / "demo" / "stops.html").read_text("utf-8")
    assert "rollby.decodeRoads" in page
    assert str(ROOT) not in run.stderr
