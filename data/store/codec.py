"""Reports and what the board said, as the texts that the store keeps; exact both ways."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from data import events, records, reports, said
from data.events import Answer, StatusChange, StopChange
from data.records import UnitFix
from data.reports import Checked, FixReport, Picked, Resumed, Silenced, Undone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.reports import Report
    from data.said import Said

_NAMES = {
    "datetime": datetime,
    **{
        name: value
        for module in (records, events, reports, said)
        for name, value in vars(module).items()
        if isinstance(value, type)
    },
}
_FIX = ("lon_deg", "lat_deg", "heading_deg", "speed_mps", "accuracy_m")


def adapter_of(kind: type, names: Mapping[str, Any] = MappingProxyType({})) -> TypeAdapter[Any]:
    """
    Make what turns records into what JSON can hold, and back.

    Parameters
    ----------
    kind : type
        A record.
    names : mapping of str to type
        Those that its fields use, beside the records of `data`.

    Returns
    -------
    adapter : TypeAdapter
        Exact both ways, but for `json` itself having to allow infinities.
    """
    adapter = TypeAdapter[Any](kind)
    adapter.rebuild(force=True, _types_namespace={**_NAMES, **names})
    return adapter


_OTHERS: dict[str, type] = {
    "status": StatusChange,
    "stop": StopChange,
    "answer": Answer,
    "check": Checked,
    "pick": Picked,
    "silence": Silenced,
    "undo": Undone,
    "resume": Resumed,
}
OTHER_KINDS = tuple(_OTHERS)
"""Reports that are no fixes."""
_KINDS: dict[str, type] = {
    **_OTHERS,
    **{kind.__name__.lower(): kind for kind in said.Said.__args__},
}
_KIND_OF = {kind: name for name, kind in _KINDS.items()}
_ADAPTERS = {name: adapter_of(kind) for name, kind in _KINDS.items()}


_INSTANT = TypeAdapter(datetime)


def instant_text(instant: datetime) -> str:
    """
    Write an instant as bodies have it.

    Returns
    -------
    text : str
        Without its quotes.
    """
    return str(_INSTANT.dump_python(instant, mode="json"))


def encoded(one: Report | Said) -> tuple[str, str]:
    """
    Write a report or a saying.

    Returns
    -------
    kind, body : str
        For `decoded`. A fix is ``[fixed_at_us, lon, lat, heading, speed, accuracy]``: there are
        hundreds of them for each of the others.
    """
    if isinstance(one, FixReport):
        fix = one.fix
        fixed_us = round(fix.fixed_at.timestamp() * 1e6)
        return "fix", json.dumps([fixed_us, *(getattr(fix, name) for name in _FIX)])
    kind = _KIND_OF[type(one)]
    return kind, json.dumps(_ADAPTERS[kind].dump_python(one, mode="json"))


def decoded(kind: str, subject: str, body: str) -> Any:
    """
    Read what `encoded` wrote.

    Parameters
    ----------
    kind, subject, body : str
        As stored; `subject` names the unit of a fix.

    Returns
    -------
    one : Report or Said
        Equal to what was written.
    """
    if kind == "fix":
        fixed_us, *values = json.loads(body)
        fix = UnitFix(
            fixed_at=datetime.fromtimestamp(fixed_us / 1e6, UTC),
            **dict(zip(_FIX, values, strict=True)),
        )
        return FixReport(unit_id=subject, fix=fix)
    return _ADAPTERS[kind].validate_python(json.loads(body))
