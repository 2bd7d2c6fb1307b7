"""Pages for people: their templates, and what their scripts and styles are."""

from __future__ import annotations

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

TEMPLATES: Final = Environment(
    loader=PackageLoader("rollby.service.screens"), autoescape=True, undefined=StrictUndefined
)
"""Every value is escaped; a value that is missing is an error."""
