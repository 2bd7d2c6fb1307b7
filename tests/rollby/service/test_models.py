"""The models of the service are whole when they are imported: no thread builds one at first use."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from pydantic import BaseModel

import rollby.service

if TYPE_CHECKING:
    from collections.abc import Iterator


def below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in model.__subclasses__():
        yield one
        yield from below(one)


def test_every_model_is_whole_once_it_is_imported() -> None:
    """An annotation that only type checkers can see would be looked up by whichever comes first."""
    for module in pkgutil.walk_packages(rollby.service.__path__, "rollby.service."):
        importlib.import_module(module.name)
    ours = [one for one in below(BaseModel) if one.__module__.startswith(("rollby.", "data."))]
    assert "Health" in {one.__name__ for one in ours}
    assert [one for one in ours if not one.__pydantic_complete__] == []
