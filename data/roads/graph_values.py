"""Attributes as OSMnx users have them: single, listed by simplifying, or texts read from files."""

from __future__ import annotations

import ast
import math
from typing import Any

from data.roads.rules import ROAD_CLASSES, SERVICE

_CLASSES = (*ROAD_CLASSES, SERVICE)


def values(attribute: Any) -> list[Any]:
    """
    List the values of an attribute.

    Parameters
    ----------
    attribute : object
        One value, a list of them, or the text of a list, as files keep it.

    Returns
    -------
    values : list
        Without None and NaN.
    """
    if isinstance(attribute, str) and attribute.startswith("[") and attribute.endswith("]"):
        try:
            attribute = ast.literal_eval(attribute)
        except (ValueError, SyntaxError):
            return [attribute]
    many = attribute if isinstance(attribute, list | tuple | set) else [attribute]
    return [one for one in many if one is not None and not _is_nan(one)]


def joined_text(attribute: Any) -> str:
    """
    Write an attribute as one text.

    Parameters
    ----------
    attribute : object
        See `values`.

    Returns
    -------
    text : str
        Several values by the alphabet, joined by ``;`` as OSM does; "" for none.
    """
    if isinstance(attribute, str) and not attribute.startswith("["):
        return attribute  # as nearly all are
    texts = {f"{one:g}" if isinstance(one, float) else str(one) for one in values(attribute)}
    return ";".join(sorted(texts))


def car_class(attribute: Any) -> str | None:
    """
    Choose the class that cars drive at.

    Parameters
    ----------
    attribute : object
        The ``highway`` of an edge; see `values`.

    Returns
    -------
    highway : str or None
        The least important class of those that cars drive; "" where none is given, None where
        none is for cars.
    """
    if isinstance(attribute, str) and attribute in _CLASSES:
        return attribute  # as nearly all are
    given = values(attribute)
    driven = [one for one in given if one in _CLASSES]
    if not driven:
        return None if given else ""
    return str(max(driven, key=_CLASSES.index))


def smallest_id(attribute: Any) -> int:
    """
    Choose one of the ways that an edge was merged of.

    Parameters
    ----------
    attribute : object
        The ``osmid`` of an edge; see `values`.

    Returns
    -------
    way_id : int
        The smallest; 0 for none.
    """
    return min((int(one) for one in values(attribute)), default=0)


def flag(attribute: Any) -> bool:
    """
    Read a truth value.

    Parameters
    ----------
    attribute : object
        Booleans or their texts; see `values`.

    Returns
    -------
    truth : bool
        True if all of them are; False for none.
    """
    given = values(attribute)
    return bool(given) and all(str(one).lower() in {"true", "1", "yes"} for one in given)


def _is_nan(value: Any) -> bool:
    """Say whether a value is NaN, as tables have it for unknown."""
    return isinstance(value, float) and math.isnan(value)
