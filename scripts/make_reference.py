"""
Make docs/reference/ from the code: commands, settings and the HTTP API.

    PYTHONPATH=. python scripts/make_reference.py

`make reference` does the same. A test holds the pages to what this makes.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from fastapi import FastAPI
from fastapi.routing import APIRoute

from data.settings import Settings
from rollby.cli import cli
from rollby.service.app import ROUTERS
from rollby.service.guard import caller
from rollby.service.problems import REFUSALS
from rollby.service.rights import RIGHTS, Right

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi.dependencies.models import Dependant

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
MADE = "*Made from the code by `make reference`; `tests/docs/test_reference.py` holds it so.*"
ENDLESS = 1e6
REFUSED = "400"
WORDS = {
    "boolean": "true or false",
    "date-time": "instant",
    "integer": "whole number",
    "string": "text",
}
Schema = dict[str, Any]

# What a name's ending says of its unit, the longest first.
ENDINGS = {
    "_per_unit_hour": "an hour",
    "_per_hour_max": "an hour",
    "_stops_min": "stops an hour",
    "_length_min": "characters",
    "score_min": "officer-minutes",
    "_mps": "metres a second",
    "_days": "days",
    "_min": "minutes",
    "_hz": "a second",
    "_mb": "megabytes",
    "_s": "seconds",
    "_h": "hours",
    "_m": "metres",
}
SECTIONS = {
    "policy": "Policy",
    "units": "Units",
    "agencies": "Agencies",
    "beats": "Beats",
    "service": "Service",
    "service.access": "AccessRules",
    "service.oidc": "Oidc",
}


def cell(text: str) -> str:
    """Write a text into a table's cell."""
    return " ".join(text.split()).replace("|", r"\|")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a table."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines)


def page(title: str, about: str, *parts: str) -> str:
    """Write a page."""
    return "\n".join([f"# {title}\n", f"{about}\n", f"{MADE}\n", *parts])


# Commands


def leaves(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """List the commands that do something, by what one types."""
    if isinstance(command, click.Group):
        for child, deeper in command.commands.items():
            yield from leaves(f"{name} {child}", deeper)
    else:
        yield name, command


def commands_page() -> str:
    """Write the reference of the command line."""
    found = list(leaves("rollby", cli))
    rows = [(f"[`{name}`](#{name.replace(' ', '-')})", about_of(one)) for name, one in found]
    return page(
        "Commands",
        "What `rollby COMMAND --help` says, on one page. How they are used together is in the "
        "[analyst's tutorial](../tutorials/analyst.md); the files they read and write, and the "
        "exit codes, are in [formats](../formats.md).",
        table(("command", "what it does"), rows),
        *(command_part(name, one) for name, one in found),
    )


def about_of(command: click.Command) -> str:
    """Say what a command does."""
    return inspect.cleandoc(command.help or "")


def command_part(name: str, command: click.Command) -> str:
    """Write one command."""
    context = click.Context(command, info_name=name)
    options = [one for one in command.params if isinstance(one, click.Option)]
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    needed = [f"{one.opts[0]} {metavar(one, context)}" for one in options if one.required]
    rest = ["[OPTIONS]"] if len(options) > len(needed) else []
    words = [name, *(one.make_metavar(context) for one in arguments), *needed, *rest]
    rows = [option_row(one, context) for one in options]
    shown = [table(("option", "default", "meaning"), rows)] if rows else []
    return "\n".join([f"## {name}\n", f"{about_of(command)}\n", f"`{' '.join(words)}`\n", *shown])


def option_row(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    """Write one option."""
    value = "" if option.is_flag else f" {metavar(option, context)}"
    default = option.get_default(context)
    told = (
        "needed"
        if option.required
        else f"`{default}`"
        if option.show_default and default is not None
        else ""
    )
    low, high = getattr(option.type, "min", None), getattr(option.type, "max", None)
    bounds = f" From {low:g}" if low is not None else ""
    bounds += f" to {high:g}." if high is not None else "." if bounds else ""
    more = " May be given several times." if option.multiple else ""
    return f"`{', '.join(option.opts)}{value}`", told, (option.help or "") + bounds + more


def metavar(option: click.Option, context: click.Context) -> str:
    """Name an option's value; its bounds are said beside it."""
    return option.make_metavar(context).replace("FLOAT", "NUMBER").removesuffix(" RANGE")


# Settings


def settings_page() -> str:
    """Write the reference of the settings."""
    schema = Settings.model_json_schema()
    defs = schema["$defs"]
    (feed,) = schema["properties"]["feeds"]["patternProperties"].values()
    parts = [
        settings_part(f"[{name}]", defs[model], defs, prefix=f"{name}.")
        for name, model in SECTIONS.items()
    ]
    parts += [
        settings_part(f'[feeds.NAME], kind = "{kind}"', defs[ref.rpartition("/")[2]], defs)
        for kind, ref in feed["discriminator"]["mapping"].items()
    ]
    parts.append(settings_part("[cot.NAME]", defs["CotOut"], defs))
    return page(
        "Settings",
        "One TOML file, given with `--settings`. Every setting may be left out unless it says "
        "*needed*; one that does not exist is a fault. `rollby settings` prints the same as a "
        "file to begin with. Why the constants of `[policy]` are what they are is in the "
        "[model](../model.md); an example is in [formats](../formats.md#settings).",
        *parts,
    )


def settings_part(title: str, model: Schema, defs: Schema, prefix: str = "") -> str:
    """Write one table of the settings' file."""
    needed = model.get("required", [])
    rows = [
        (
            f"`{prefix}{name}`",
            "needed" if name in needed else default_of(one["default"]),
            kind_of(one, defs) + unit_of(name, one),
            one["description"],
        )
        for name, one in model["properties"].items()
        if "$ref" not in one and "const" not in one
    ]
    head = ("setting", "default", "value", "meaning")
    return f"## {title}\n\n{first_part(model['description'])}\n\n{table(head, rows)}"


def default_of(value: Any) -> str:
    """Write a default; what is empty is none."""
    if value in ("", [], {}):
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} `{one}`" for name, one in value.items())
    return f"`{json.dumps(value) if isinstance(value, list | bool) else value}`"


def unit_of(name: str, one: Schema) -> str:
    """Say in which unit a number is, as its name has it."""
    if one.get("type") not in {"number", "integer", "object"} or "enum" in one:
        return ""
    return next((f"; {unit}" for end, unit in ENDINGS.items() if name.endswith(end)), "")


# What values are


def kind_of(one: Schema, defs: Schema) -> str:
    """Say what a value is; an object with members by its link."""
    if "$ref" in one:
        name = one["$ref"].rpartition("/")[2]
        return f"[{name}](#objects)" if "properties" in defs[name] else kind_of(defs[name], defs)
    if "anyOf" in one:
        return " or ".join(kind_of(other, defs) for other in one["anyOf"])
    if "enum" in one or "const" in one:
        return ", ".join(f"`{value}`" for value in one.get("enum", [one.get("const")]) if value)
    for word, key in (("list", "items"), ("table", "additionalProperties")):
        if isinstance(one.get(key), dict):
            return f"{word} of {kind_of(one[key], defs)}"
    kind = one.get("format", one.get("type", "any JSON"))
    return ", ".join(word for word in (WORDS.get(kind, kind), bounds_of(one)) if word)


def bounds_of(one: Schema) -> str:
    """Say from what to what a number goes; where nobody would go further, that is not said."""
    low, above, high = (one.get(name) for name in ("minimum", "exclusiveMinimum", "maximum"))
    if above is not None:
        return f"more than {above:g}"
    if low is None:
        return ""
    return f"{low:g} or more" if high is None or high >= ENDLESS else f"{low:g} to {high:g}"


def first_part(text: str) -> str:
    """Cut a docstring before what it says to those who call it from Python."""
    return re.split(r"\n\n(?:Returns|Parameters)\n-", inspect.cleandoc(text))[0]


# The HTTP API


def api_page() -> str:
    """Write the reference of the HTTP API."""
    spec = openapi()
    defs = spec["components"]["schemas"]
    by_tag: dict[str, list[tuple[str, ...]]] = {}
    for (method, path), (about, may) in all_requests().items():
        one = spec["paths"].get(path, {}).get(method.lower(), {"tags": ["pages"], "responses": {}})
        row = (f"`{method} {path}`", about, may, sent(one, defs), comes(one, defs))
        by_tag.setdefault(one["tags"][0], []).append(row)
    head = ("request", "what it does", "who may", "takes", "comes back")
    parts = [f"## {tag.capitalize()}\n\n{table(head, rows)}" for tag, rows in by_tag.items()]
    used = {name: one for name, one in defs.items() if "properties" in one}
    members = [
        (f"`{name}`", members_of(one, defs), first_part(one.get("description", "")))
        for name, one in used.items()
    ]
    return page(
        "The HTTP API",
        "Every request that `rollby serve` answers; `GET /api/openapi.json` says it to programs. "
        "How they are used is in [the live service](../service.md), how callers show who they "
        "are in [who may do what](../access.md). What a role may see and change is narrowed "
        "further by its units and its agency. A refusal is problem JSON (RFC 9457) with a "
        "sentence that says what to do: 401 who is not known, 403 who may not, 404, 409, 412, "
        "413 or 422 what does not fit, 429 too much, 503 later.",
        *parts,
        f"## Objects\n\n{table(('object', 'members', 'what it is'), members)}",
    )


def openapi() -> Schema:
    """Give what `GET /api/openapi.json` answers, without a service."""
    app = FastAPI(responses=REFUSALS)
    for router in ROUTERS:
        app.include_router(router)
    return app.openapi()


def all_requests() -> dict[tuple[str, str], tuple[str, str]]:
    """List the requests: what each does and who may make it."""
    return {
        (method, route.path.replace(":path", "")): (
            first_part(route.description),
            callers_of(route.dependant),
        )
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    }


def callers_of(dependant: Dependant) -> str:
    """Say who may call a route, by the guard among what it depends on."""
    guards = list(dependencies(dependant))
    rights: set[Right] = set()
    for one in guards:
        rights |= set(inspect.getclosurevars(one).nonlocals.get("rights", ()))
    if rights:
        return ", ".join(role for role, has in RIGHTS.items() if has & rights)
    return "whoever is known" if caller in guards else "anybody"


def dependencies(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    """List all that a route depends on."""
    for one in dependant.dependencies:
        if inspect.isfunction(one.call):
            yield one.call
        yield from dependencies(one)


def sent(one: Schema, defs: Schema) -> str:
    """Say what a request takes beside its path."""
    marks = {"query": "?", "header": ""}
    told = [
        f"`{marks[given['in']]}{given['name']}` {kind_of(given['schema'], defs)}"
        for given in one.get("parameters", [])
        if given["in"] in marks
    ]
    bodies = one.get("requestBody", {}).get("content", {}).values()
    return "; ".join([*(kind_of(body["schema"], defs) for body in bodies), *told])


def comes(one: Schema, defs: Schema) -> str:
    """Say what an answer holds."""
    told = []
    for status, answer in one["responses"].items():
        if status < REFUSED:
            schema = answer.get("content", {}).get("application/json", {}).get("schema")
            told.append(f"{status} {kind_of(schema, defs) if schema else ''}".strip())
    return "; ".join(told)


def members_of(one: Schema, defs: Schema) -> str:
    """Name an object's members; those that may be left out with what they are then."""
    needed = one.get("required", [])
    return "; ".join(
        f"`{name}` {kind_of(value, defs)}"
        + ("" if name in needed else f" = `{json.dumps(value.get('default'))}`")
        + (f" ({value['description']})" if "description" in value else "")
        for name, value in one["properties"].items()
    )


PAGES = {"commands.md": commands_page, "settings.md": settings_page, "api.md": api_page}


def main() -> None:
    """Write the pages."""
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
