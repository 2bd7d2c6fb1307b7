"""The documents, their examples, and how these are run."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rollby.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
EVERY = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/**/*.md")})
FOR_DEVELOPERS = {"benchmarks.md", "CONTRIBUTING.md", "accuracy.md", "scale.md"}  # or of Dask
FOR_USERS = [path for path in EVERY if path not in DECISIONS and path.name not in FOR_DEVELOPERS]
NOT_RUN = re.compile(r"<!-- not run: \S[^>]* -->\s*$")
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
EVENING = (
    "--roads data/sample/denver.roads --units data/sample/simulated_units.csv "
    "--stops data/sample/simulated_stops.csv --settings data/sample/simulated_settings.toml"
)
STREET = """<osm version="0.6">
<bounds minlat="39.0" minlon="-105.0" maxlat="39.1" maxlon="-104.9"/>
<node id="1" lat="39.01" lon="-104.99"/><node id="2" lat="39.01" lon="-104.98"/>
<node id="3" lat="39.01" lon="-104.97"/><node id="4" lat="39.02" lon="-104.98"/>
<way id="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/></way>
<way id="2"><nd ref="2"/><nd ref="4"/><tag k="highway" v="residential"/></way>
</osm>
"""


class Block(NamedTuple):
    """One fenced block of a document."""

    doc: Path
    line: int
    kind: str
    name: str
    text: str
    not_run: bool

    def __str__(self) -> str:
        return f"{self.doc.relative_to(ROOT)}:{self.line}"


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path) -> Iterator[Block]:
    text = text_of(path)
    for match in BLOCK.finditer(text):
        before = text[: match.start()]
        yield Block(
            doc=path,
            line=before.count("\n") + 1,
            kind=match[1],
            name=match[2] or "",
            text=match[3],
            not_run=bool(NOT_RUN.search(before)),
        )


def run_here(arguments: list[str]) -> str:
    """Run rollby in this process, for to start another takes a second; give both streams."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = main(arguments)
    assert code == 0, out.getvalue()
    return out.getvalue()


def answer_of(command: str) -> Any:
    """Run a command that prints JSON, and read it."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        assert main(command.split()) == 0
    return json.loads(out.getvalue())
