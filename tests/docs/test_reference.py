"""The reference is what the code makes now; what the documents name of the API is there."""

from __future__ import annotations

import re

import pytest

from scripts.make_reference import PAGES, REFERENCE, all_requests, openapi
from tests.docs.pages import EVERY, text_of

REQUEST = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[\w/.{}-]+)")
TO_ANYBODY = {
    "GET /healthz",
    "GET /readyz",
    "POST /api/sign-in",
    "GET /api/oidc/start",
    "GET /api/oidc/back",
    "GET /",
    "GET /sign-in",
    "GET /officer",
    "GET /supervisor",
    "GET /wallboard",
    "GET /live-map.{kind}",
    "GET /worker.js",
    "GET /static/{name}",
}


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_is_what_the_code_makes(name: str) -> None:
    assert text_of(REFERENCE / name) == PAGES[name](), "run `make reference`"


@pytest.mark.parametrize("name", ["commands.md", "settings.md"])
def test_everything_has_a_meaning(name: str) -> None:
    assert re.findall(r"^\|.*\|  \|$", text_of(REFERENCE / name), re.MULTILINE) == []


def test_nothing_but_this_is_answered_to_anybody() -> None:
    of_all = {f"{method} {path}": may for (method, path), (_, may) in all_requests().items()}
    assert {name for name, may in of_all.items() if may == "anybody"} == TO_ANYBODY
    assert "whoever is known" in of_all.values()


def test_every_request_that_the_documents_name_exists() -> None:
    ways: dict[str, list[str]] = {}
    for method, path in all_requests():
        ways.setdefault(method, []).append(re.sub(r"\{\w+\}", r"[\\w{}-]+", path))
    ways["GET"].append("/api/openapi.json")
    ours = [path for path in EVERY if "traccar" not in path.name]  # of its API they tell
    named = {found for path in ours for found in REQUEST.findall(text_of(path))}
    assert len(named) > 40
    unknown = {
        f"{method} {path}"
        for method, path in named
        if not any(re.fullmatch(way, path.rstrip(".")) for way in ways[method])
    }
    assert unknown == set()


def test_a_body_holds_nothing_that_is_not_declared() -> None:
    spec = openapi()
    bodies = [
        content["schema"]["$ref"].rpartition("/")[2]
        for methods in spec["paths"].values()
        for one in methods.values()
        for content in one.get("requestBody", {}).get("content", {}).values()
    ]
    assert len(bodies) > 15
    defs = spec["components"]["schemas"]
    assert {name for name in bodies if defs[name].get("additionalProperties") is not False} == set()
