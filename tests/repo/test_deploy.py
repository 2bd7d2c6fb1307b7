"""What deploy/ installs: locked down as the documents say, and made of what it copies."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def pins(lock: Path) -> set[tuple[str, str]]:
    return set(re.findall(r"^([\w.-]+)==([\w.]+)", lock.read_text("utf-8"), re.MULTILINE))


def test_what_is_installed_is_what_was_tested_and_all_that_is_named() -> None:
    installed = pins(ROOT / "deploy" / "requirements.txt")
    assert installed < pins(ROOT / "requirements.txt")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["build"]]
    assert {canonicalize_name(Requirement(one).name) for one in named} < {n for n, _ in installed}


def test_the_services_exposure_is_what_the_documents_say() -> None:
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("no systemd-analyze on this machine")
    unit = ROOT / "deploy" / "rollby.service"
    words = [analyze, "--offline=yes", "--no-pager", "security", str(unit)]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    (level,) = re.findall(r"Overall exposure level for rollby\.service: ([\d.]+ \w+)", run.stdout)
    said = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert f"`systemd-analyze security rollby` says *{level}*" in said


def test_the_install_script_copies_all_that_the_program_is_built_of(tmp_path: Path) -> None:
    script = (ROOT / "deploy" / "install.sh").read_text("utf-8")
    (names,) = re.findall(r'^cp -R (.+) "\$built"$', script, re.MULTILINE)
    for name in names.split():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
        else:
            shutil.copy(ROOT / name, tmp_path)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "out"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    (wheel,) = (tmp_path / "out").glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    assert {f"{name}/__init__.py" for name in ("data", "geo", "maps", "rollby")} < names
    assert {"LICENSE", "NOTICE"} < {name.rpartition("/")[2] for name in names}


def test_the_install_script_is_sound() -> None:
    subprocess.run(["/bin/sh", "-n", str(ROOT / "deploy" / "install.sh")], check=True)


def test_the_log_in_the_documents_is_of_this_install_script() -> None:
    script = (ROOT / "deploy" / "install.sh").read_text("utf-8")
    told = (ROOT / "docs" / "operations.md").read_text("utf-8")
    log = told.partition("$ sudo deploy/install.sh\n")[2].partition("```")[0]
    steps = [f"{one} ...\n" for one in re.findall(r'^ *step "(.+)"$', script, re.MULTILINE)]
    *always, with_systemd = steps
    assert "service is there" in with_systemd
    assert log == "".join(always) + script.partition("<<'END'\n")[2].removesuffix("END\n")
