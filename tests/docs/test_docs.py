"""Every example of the documents runs, every link leads somewhere, and manners are kept."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from data.settings import Settings
from tests.docs.pages import (
    BLOCK,
    DECISIONS,
    EVERY,
    HEADING,
    ROOT,
    Block,
    blocks,
    text_of,
)
from tests.docs.shell import Shell, agrees, steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROWING = [path for path in EVERY if path.parent.name == "tutorials" or path.name == "service.md"]
BLOCKS = [block for path in EVERY for block in blocks(path)]


def of_kind(*kinds: str) -> list[Any]:
    found = [block for block in BLOCKS if block.kind in kinds and not block.not_run]
    return [pytest.param(block, id=str(block)) for block in found]


def grows(param: Any) -> bool:
    """Tell whether a block belongs to a document whose examples build on each other."""
    return param.values[0].doc in GROWING


def write_named(shell: Shell, doc: Path) -> None:
    """Write the files that a document shows under their names."""
    for block in blocks(doc):
        if block.name and block.kind in {"csv", "sh", "toml"}:
            shell.write(block.name, block.text)


# Examples


@pytest.mark.parametrize("block", [one for one in of_kind("console") if not grows(one)])
def test_a_console_example_prints_what_it_shows(block: Block, folder: Path) -> None:
    with Shell(folder) as shell:
        write_named(shell, block.doc)
        hold(block, shell)


@pytest.mark.parametrize("doc", [pytest.param(doc, id=doc.name) for doc in GROWING])
def test_the_examples_of_a_document_build_on_each_other(doc: Path, folder: Path) -> None:
    with Shell(folder) as shell:
        write_named(shell, doc)
        for block in blocks(doc):
            if block.kind == "console" and not block.not_run:
                hold(block, shell)


def hold(block: Block, shell: Shell) -> None:
    """Run what a block shows, and compare what it prints."""
    shown = steps(block.text)
    assert shown, "a console block holds lines that begin with $"
    for command, expected in shown:
        printed = shell.run(command)
        if expected:
            assert agrees(expected, printed), f"$ {command}\n{printed}"


def test_dots_stand_for_lines_and_nothing_else() -> None:
    assert agrees("a\n...\nd\n", "a\nb\nc\nd\n")
    assert agrees("a \n", "a\n\n")
    assert not agrees("a\n...\nd\n", "a\nb\n")
    assert not agrees("a\n", "a\nb\n")
    assert agrees("sign in, ...\nb\n", "sign in, 7x\nb\n")
    assert not agrees("sign in, ...\n", "signed in\n")
    assert steps("$ one \\\n  two\nout\n$ three\n") == [("one two", "out\n"), ("three", "")]


@pytest.mark.parametrize("doc", [pytest.param(doc, id=doc.name) for doc in EVERY])
@pytest.mark.usefixtures("folder")
def test_python_examples_run_in_order(doc: Path) -> None:
    names: dict[str, object] = {}
    for block in blocks(doc):
        if block.kind == "python" and not block.not_run:
            exec(compile(block.text, str(block), "exec"), names)  # noqa: S102 - our own documents


@pytest.mark.parametrize("block", of_kind("json", "toml", "csv"))
def test_an_example_of_data_is_what_it_says(block: Block) -> None:
    if block.kind == "json":
        json.loads(block.text)
    elif block.kind == "toml":
        Settings.model_validate(tomllib.loads(block.text))
    else:
        rows = list(csv.reader(block.text.splitlines()))
        assert len(rows) > 1
        assert {len(row) for row in rows} == {len(rows[0])}


# Links


def anchors(path: Path) -> set[str]:
    """List what a link may name in a document, as GitHub makes it of headings."""
    text = BLOCK.sub("", text_of(path))
    slugs = {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in HEADING.findall(text)
    }
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def links(path: Path) -> Iterator[str]:
    text = BLOCK.sub("", text_of(path))
    for target in re.findall(r"!?\[[^\]]*\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            yield target


@pytest.mark.parametrize("doc", [pytest.param(doc, id=doc.name) for doc in EVERY])
def test_links_lead_somewhere(doc: Path) -> None:
    broken = []
    for target in links(doc):
        name, _, anchor = target.partition("#")
        file = (doc.parent / name).resolve() if name else doc
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("doc", [pytest.param(doc, id=doc.name) for doc in EVERY])
def test_files_named_exist(doc: Path) -> None:
    named = re.findall(
        r"`((?:data|docs|geo|maps|rollby|scripts|tests)/[\w/.-]*(?:\.\w+|/))`", text_of(doc)
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_links_in_code_lead_somewhere() -> None:
    for source in [*ROOT.glob("data/**/*.py"), *ROOT.glob("geo/**/*.py"), *ROOT.glob("maps/*.py")]:
        for name, anchor in re.findall(r"\b(docs/[\w/-]+\.md)(?:#([\w-]+))?", text_of(source)):
            assert (ROOT / name).exists(), f"{source}: {name}"
            assert not anchor or anchor in anchors(ROOT / name), f"{source}: {name}#{anchor}"


# Manners

INSTALLED = "opt/rollby|etc/rollby|var/lib/rollby|var/cache/rollby"  # by deploy/install.sh
SOMEBODYS_PATH = re.compile(
    rf"(?<![\w.)/:\]-])(?:~|/(?!api/|feeds/|{INSTALLED})[a-z]\w*)/[\w.-]+|\b[A-Z]:\\\\"
)


@pytest.mark.parametrize("doc", [pytest.param(doc, id=doc.name) for doc in EVERY])
def test_documents_name_no_path_of_anybodys_machine(doc: Path) -> None:
    assert SOMEBODYS_PATH.findall(text_of(doc)) == []


def test_what_counts_as_somebodys_path() -> None:
    for path in ("/srv/data/x.csv", "see `/a1/b`", "~/roads"):
        assert SOMEBODYS_PATH.search(path)
    for text in ("docs/model.md", "[x](../data/a.csv)", "https://a.org/b/c", "and/or", "1 / 2"):
        assert not SOMEBODYS_PATH.search(text)


@pytest.mark.parametrize("doc", [pytest.param(doc, id=doc.name) for doc in DECISIONS])
def test_decisions_have_one_shape(doc: Path) -> None:
    text = text_of(doc)
    title, *parts = HEADING.findall(text)
    assert title.startswith(f"{int(doc.name[:4])}. ")
    assert re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: \w+\.$", text, re.MULTILINE)
    assert parts == ["Context", "Decision", "Alternatives", "Consequences"]


def test_the_limits_stand_where_results_are_shown() -> None:
    for name in ("model.md", "privacy.md"):
        text = " ".join(text_of(ROOT / "docs" / name).split())
        for limit in (
            "never an order",
            "no lights or siren",
            "No prevention of injury is claimed",
            "iscipline tool",
            "imulated",
        ):
            assert limit in text, f"{name}: {limit}"
