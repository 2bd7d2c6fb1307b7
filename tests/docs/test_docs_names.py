"""Names, figures and layouts in the documents are those of the program."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import struct
import tomllib
import zlib
from dataclasses import fields
from pathlib import Path

import click
import pytest

from data import errors
from data.roadfile import read_roads
from data.settings import Policy
from geo.drive_model import CLASS_KMH, RESPONSE, ROUTINE
from rollby.cli import cli
from tests.docs.pages import EVENING, EVERY, FOR_USERS, ROOT, SAMPLE, answer_of, run_here, text_of

# Raised and caught within one module; whoever calls that sees the error above it in the tree.
WITHIN_A_MODULE = {"ServerBusyError"}


def commands() -> dict[str, click.Command]:
    """List every command that does something, by what one types after rollby."""
    found: dict[str, click.Command] = {}

    def walk(name: str, command: click.Command) -> None:
        if isinstance(command, click.Group):
            for child, deeper in command.commands.items():
                walk(f"{name} {child}".strip(), deeper)
        else:
            found[name] = command

    walk("", cli)
    return found


def options() -> set[str]:
    long = {"--help", "--version"}
    for command in commands().values():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                long |= {name for name in parameter.opts if name.startswith("--")}
    return long


SAID = "\n".join(text_of(path) for path in FOR_USERS)


def test_every_command_described_exists() -> None:
    known = {name.split()[0] for name in commands()}
    said = "\n".join(text_of(path) for path in EVERY)
    named = re.findall(r"(?:`|^\$ )rollby ([a-z]+)", said, re.MULTILINE)
    assert set(named) <= known


def test_every_option_described_exists() -> None:
    said = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", SAID))
    assert said - options() == set()


def constants() -> dict[str, float]:
    """Name the constants of the model, those of a phase apart, with their defaults."""
    found: dict[str, float] = {}
    for key, value in Policy().model_dump(mode="json").items():
        phases = (
            {f".{phase}": one for phase, one in value.items()} if isinstance(value, dict) else None
        )
        found |= {f"policy.{key}{phase}": one for phase, one in (phases or {"": value}).items()}
    return found


def test_every_constant_is_in_the_model_with_its_default() -> None:
    row = r"^\| `(policy\.[\w.]+)` \| ([\d.]+) \|"
    rows = re.findall(row, text_of(ROOT / "docs" / "model.md"), re.MULTILINE)
    assert {name: float(shown) for name, shown in rows} == constants()


def test_speeds_are_those_described() -> None:
    model = text_of(ROOT / "docs" / "model.md")
    section = model.partition('<a id="drive-time">')[2].partition('<a id="staleness">')[0]
    rows = re.findall(r"\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \| \d", section)
    assert {name: (float(town), float(country)) for name, town, country in rows} == CLASS_KMH


def test_constants_of_driving_are_those_described() -> None:
    model = text_of(ROOT / "docs" / "model.md")
    section = model.partition('<a id="drive-time">')[2].partition('<a id="staleness">')[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \| [A-Za-z]", section, re.MULTILINE)
    described = {name: (float(routine), float(response)) for name, routine, response in rows}
    names = [field.name for field in fields(ROUTINE)]
    assert described == {name: (getattr(ROUTINE, name), getattr(RESPONSE, name)) for name in names}


def test_every_error_stands_in_the_tree() -> None:
    for package in ("data", "geo", "maps", "rollby"):
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found, to_do = set(), [errors.RollbyError]
    while to_do:
        error = to_do.pop()
        found.add(error.__name__)
        to_do += error.__subclasses__()
    tree = (errors.__doc__ or "").partition("::")[2]
    drawn = set(re.findall(r"(?:├── |└── |^    )(?:[a-z]+\.)*([A-Z]\w+)", tree, re.MULTILINE))
    assert drawn - found == set()
    assert found - drawn <= WITHIN_A_MODULE


def test_golden_cases_are_listed() -> None:
    folder = ROOT / "tests" / "golden"
    listed = re.findall(
        r"^\| (.+) \| \[`(\w+\.toml)`\]", text_of(ROOT / "docs" / "model.md"), re.MULTILINE
    )
    cases = {path.name: tomllib.loads(text_of(path))["title"] for path in folder.glob("*.toml")}
    assert {name: title for title, name in listed} == cases


# What is written out


def first_cells(heading: str) -> set[str]:
    """Read the names in the first column of the tables under a heading of docs/formats.md."""
    formats = text_of(ROOT / "docs" / "formats.md")
    section = formats.partition(f"\n{heading}\n")[2]
    section = re.split(r"^##", section, maxsplit=1, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def key_paths(value: object, path: str = "") -> set[str]:
    """List the keys of a JSON answer: a.b, a[].b; geometry and settings are one each."""
    if isinstance(value, list):
        return {found for one in value for found in key_paths(one, f"{path}[]")}
    if not isinstance(value, dict) or path in {"settings", "roads"} or "coordinates" in value:
        return set()
    found = set()
    for key, one in value.items():
        name = f"{path}.{key}" if path else key
        found |= {name} | key_paths(one, name)
    return found


@pytest.mark.usefixtures("folder")
def test_keys_of_suggest_are_those_described() -> None:
    Path("units.csv").write_text(
        text_of(SAMPLE / "simulated_units.csv") + "2X99,0,0,,,,,,,\n", encoding="utf-8"
    )
    bad = EVENING.replace("data/sample/simulated_units.csv", "units.csv")
    answers = [answer_of("demo --json"), answer_of(f"suggest {bad} --json --skip-bad")]
    keys = {key for answer in answers for key in key_paths(answer)}
    runner_up = {key for key in first_cells("### `rollby.suggest/1`") if ".runner_up." in key}
    assert keys | runner_up == first_cells("### `rollby.suggest/1`")


@pytest.mark.usefixtures("folder")
def test_keys_of_coverage_are_those_described() -> None:
    west = [[-105.1, 39.7], [-104.98, 39.7], [-104.98, 39.8], [-105.1, 39.8], [-105.1, 39.7]]
    outline = {"type": "Polygon", "coordinates": [west]}
    beat = {"type": "Feature", "properties": {"name": "West"}, "geometry": outline}
    beats = {"type": "FeatureCollection", "features": [beat]}
    Path("beats.geojson").write_text(json.dumps(beats), encoding="utf-8")
    Path("own.toml").write_text('[beats]\nfile = "beats.geojson"\n', encoding="utf-8")
    evening = EVENING.replace("data/sample/simulated_settings.toml", "own.toml")
    answer = answer_of(f"coverage {evening} --json")
    keys = {key for key in key_paths(answer) if not re.match(r"beats\[\]\.\w+\.", key)}
    described = first_cells("### `rollby.coverage/1`")
    assert keys | {"simulated"} == described


@pytest.mark.usefixtures("folder")
def test_keys_of_time_are_those_described() -> None:
    places = "--from=-104.987,39.753 --to=-104.975,39.745"
    answer = answer_of(f"time --roads data/sample/denver.roads {places} --json")
    assert key_paths(answer) == first_cells("### `rollby.time/1`")


@pytest.mark.usefixtures("folder")
def test_columns_of_suggest_are_those_described() -> None:
    header, *_ = run_here(f"suggest {EVENING} --csv".split()).splitlines()
    formats = text_of(ROOT / "docs" / "formats.md")
    listed = formats.partition("`--csv` has one row a stop: ")[2].partition(". Values")[0]
    assert re.findall(r"`(\w+)`", listed) == header.split(",")


@pytest.mark.usefixtures("folder")
def test_arrays_and_facts_of_roads_are_those_described() -> None:
    arrays, _ = read_roads(SAMPLE / "denver.roads")
    facts = answer_of("roads info data/sample/denver.roads --json")
    assert first_cells("## Road networks (`.roads`)") == {*arrays, *facts}
    formats = text_of(ROOT / "docs" / "formats.md")
    for cell, kind in re.findall(r"^\| (`[^|]+) \| (\w+) \(", formats, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", cell):
            assert arrays[name].dtype == kind, name


def test_the_layout_of_roads_is_that_described() -> None:
    content = (SAMPLE / "denver.roads").read_bytes()
    magic, version, head_size, crc, zero = struct.unpack("<8sIIII", content[:24])
    assert (magic, version, zero) == (b"ROLLBYRD", 3, 0)
    assert crc == zlib.crc32(content[8:16] + content[24:])
    head = json.loads(content[24 : 24 + head_size])
    assert set(head) == {"facts", "arrays", "bytes"}
    assert set(head["facts"]) == {"texts", "source", "response", "learnt"}
    assert (24 + head_size) % 64 == 0
    assert len(content) == 24 + head_size + head["bytes"]
    arrays, _ = read_roads(SAMPLE / "denver.roads")
    for name, entry in head["arrays"].items():
        assert entry["offset"] % 64 == 0
        start = 24 + head_size + entry["offset"]
        assert content[start : start + arrays[name].nbytes] == arrays[name].tobytes()
