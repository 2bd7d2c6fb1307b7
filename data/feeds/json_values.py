"""Values out of a device's JSON, each checked for what it must be."""

from __future__ import annotations

import json
import sys
from typing import Any, TypeVar

from data.errors import FieldError

Default = TypeVar("Default", float, None)
_NEEDED: Any = object()
LARGEST = sys.float_info.max  # a whole number of JSON may be larger than any float


def parsed(data: bytes) -> Any:
    """
    Read JSON.

    Returns
    -------
    value : any JSON value
        Without NaN and infinities.

    Raises
    ------
    FieldError
        If it is none.
    """
    try:
        return json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        shown = data[:80].decode("utf-8", "backslashreplace")
        raise FieldError("body", shown, f"must be JSON in UTF-8 ({error})") from error


def _no_constant(name: str) -> Any:
    """
    Refuse what Python's reader would let pass.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError(f"{name} is not JSON")


def object_of(value: Any, name: str) -> dict[str, Any]:
    """
    Hold a value to be an object.

    Returns
    -------
    value : dict
        As it came.

    Raises
    ------
    FieldError
        If it is another.
    """
    if not isinstance(value, dict):
        raise FieldError(name, value, "must be a JSON object")
    return value


def number(body: dict[str, Any], name: str, default: Default = _NEEDED) -> float | Default:
    """
    Take a number.

    Returns
    -------
    number : float
        The default where it is missing or null, if there is one.

    Raises
    ------
    FieldError
        If it is missing or something else.
    """
    value = body.get(name)
    if value is None and default is not _NEEDED:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
        raise FieldError(name, value, "must be a number")
    return float(value)


def text(body: dict[str, Any], name: str) -> str:
    """
    Take a text.

    Returns
    -------
    text : str
        Without blanks around it; a whole number is taken as its digits.

    Raises
    ------
    FieldError
        If it is missing, blank or something else.
    """
    value = body.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise FieldError(name, value, "must be a text")
    return value.strip()


def known(value: float | None) -> float | None:
    """
    Read the negative figure that devices send for an unknown one.

    Returns
    -------
    value : float or None
        None for it.
    """
    return None if value is None or value < 0 else value
