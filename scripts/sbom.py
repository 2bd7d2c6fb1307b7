"""
Write what an installed rollby is made of, in CycloneDX's JSON: every locked package, and Leaflet.

    python scripts/sbom.py FOLDER

The packages and their versions are those of deploy/requirements.txt, where their hashes stand too;
the licences are what the packages say of themselves, where this Python has them.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import TYPE_CHECKING

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

from rollby import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "deploy" / "requirements.txt"
LEAFLET = re.compile(r"\*\*Leaflet ([\d.]+)\*\*, BSD 2-Clause")


def component(kind: str, name: str, version: str, licence: str | None) -> Component:
    """Describe a library."""
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        purl=PackageURL(kind, name=name, version=version),
        bom_ref=f"{kind}:{name}@{version}",
        licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
    )


def packages() -> Iterator[Component]:
    """List the locked packages; one of two versions, for two Pythons, comes twice."""
    for line in LOCK.read_text("utf-8").splitlines():
        if line[:1].isalnum():
            one = Requirement(line.rstrip("\\ "))
            (version,) = (part.version for part in one.specifier)
            yield component("pypi", one.name, version, licence_of(one.name))


def licence_of(name: str) -> str | None:
    """Give what an installed package says of its licence."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return None
    kinds = [one for one in said.get_all("Classifier", []) if one.startswith("License :: OSI")]
    return said.get("License-Expression") or (
        kinds[0].rpartition(" :: ")[2] if len(kinds) == 1 else said.get("License")
    )


def leaflet() -> Component:
    """Describe the one library that the maps carry with them."""
    (version,) = LEAFLET.findall((ROOT / "maps" / "assets" / "README.md").read_text("utf-8"))
    return component("npm", "leaflet", version, "BSD-2-Clause")


def bill() -> Bom:
    """Gather it all."""
    bom = Bom(components=[*packages(), leaflet()])
    bom.metadata.component = Component(
        name="rollby",
        version=__version__,
        type=ComponentType.APPLICATION,
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    return bom


if __name__ == "__main__":
    out = Path(sys.argv[1]) / f"rollby-{__version__}.cdx.json"
    JsonV1Dot6(bill()).output_to_file(str(out), allow_overwrite=True, indent=2)
    print(out)
