"""Every constant an agency may set: one frozen record, read from a TOML file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path  # noqa: TC003 - pydantic reads the annotation
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from data.cot_settings import CotOut  # noqa: TC001 - pydantic reads the annotation
from data.errors import SettingError
from data.feed_settings import KINDS, OWN_DOORS, AnyFeed, FeedName
from data.policy_settings import Policy
from data.records import UnitStatus  # noqa: TC001 - as above
from data.service_settings import AccessRules, Oidc, Service
from data.setting_parts import Positive, Section, TimeZone
from data.status_codes import Meaning, StatusCodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

__all__ = [
    "AccessRules",
    "Agencies",
    "Beats",
    "Oidc",
    "Policy",
    "Service",
    "Settings",
    "Units",
    "read_settings",
    "settings_of",
    "settings_toml",
]


class Units(Section):
    """How the agency writes its units' data, and likes to read them."""

    status: dict[str, UnitStatus] = Field(
        {}, description="the agency's own status codes: our statuses, e.g. \"10-8\" = \"available\""
    )  # fmt: skip
    speed_unit: Literal["mph", "km/h"] = Field("mph", description="shown to people")
    simulated: bool = Field(
        default=False, description="the data are made up: every answer and map says so"
    )
    time_zone: TimeZone = Field("UTC", description="shown to people; files and JSON stay UTC")


AgencyKind = Literal["police", "sheriff", "state", "security"]


class Agencies(Section):
    """Whose units may be asked for whose stops, what kind they are, and what they show."""

    share: Literal["all", "own", "listed"] = Field(
        "all", description="all: neighbours count too; own: nobody else's; listed: as in helps"
    )
    helps: dict[str, list[str]] = Field(
        {}, description='with share = "listed": an agency, and those whose stops its units help'
    )
    kinds: dict[str, AgencyKind] = Field(
        {}, description="what an agency is: police (default), sheriff, state, security"
    )
    shows: dict[str, Literal["all", "status", "helping", "none"]] = Field(
        {},
        description="what an agency's units show to the others: all (default), status without "
        "a position, all while helping and else nothing, none",
    )
    status: dict[str, dict[str, Meaning]] = Field(
        {},
        description="an agency's own status codes: our statuses, or none for a code that changes "
        "no status",
    )
    codes: dict[str, list[str]] = Field(
        {}, description="all codes that an agency uses: one that means nothing here is refused"
    )

    def may_help(self, helper: str, agency: str) -> bool:
        """
        Tell whether units of one agency may be asked for a stop of another.

        Parameters
        ----------
        helper, agency : str
            Whose unit, and whose stop; "" = not told, which may help and be helped.

        Returns
        -------
        allowed : bool
            Always true within one agency.
        """
        if self.share == "all" or helper == agency or not helper or not agency:
            return True
        return self.share == "listed" and agency in self.helps.get(helper, [])

    def kind_of(self, agency: str) -> AgencyKind:
        """
        Tell what kind of helper an agency's units are.

        Parameters
        ----------
        agency : str
            "" = not told.

        Returns
        -------
        kind : {'police', 'sheriff', 'state', 'security'}
            ``police`` where the settings say nothing.
        """
        return self.kinds.get(agency, "police")


class Beats(Section):
    """The agency's beats, for coverage and for a T of their own."""

    file: str = Field(
        "", description="GeoJSON of polygons, beside the settings' file; empty = none"
    )
    name: str = Field("name", description="the property that names a beat")
    within_s: dict[str, Positive] = Field(
        {}, description='T of single beats, e.g. "North" = 300; the others have policy.within_s'
    )  # fmt: skip


class Settings(Section):
    """Everything that can be set; the defaults are those of docs/model.md."""

    policy: Policy = Policy()
    units: Units = Units()
    agencies: Agencies = Agencies()
    beats: Beats = Beats()
    service: Service = Service()
    feeds: dict[FeedName, AnyFeed] = Field(default_factory=dict)
    cot: dict[FeedName, CotOut] = Field(default_factory=dict)

    @field_validator("cot")
    @classmethod
    def _whose_eyes(cls, cot: dict[str, CotOut], info: ValidationInfo) -> dict[str, CotOut]:
        """
        Have it said whose eyes see what goes out, where agencies hide something.

        Raises
        ------
        ValueError
            If it is not.
        """
        agencies = info.data.get("agencies")
        for name, out in cot.items():
            if agencies and agencies.shows and not out.agency:
                where = f"must say in cot.{name}.agency whose eyes see it, or * for all"
                raise ValueError(f"{where}; agencies.shows hides something")
        return cot

    @field_validator("feeds")
    @classmethod
    def _doors_are_told_apart(cls, feeds: dict[FeedName, AnyFeed]) -> dict[FeedName, AnyFeed]:
        """
        Keep feeds from being counted, and read again, as something else.

        Raises
        ------
        ValueError
            If one is called like a door of the service's own.
        """
        for name in OWN_DOORS & feeds.keys():
            raise ValueError(f"must not be called {name}: that is what comes by HTTP; rename it")
        return feeds

    @field_validator("agencies")
    @classmethod
    def _codes_have_a_meaning(cls, agencies: Agencies, info: ValidationInfo) -> Agencies:
        """
        Hold all codes that agencies use to those that are mapped.

        Raises
        ------
        ValueError
            Naming every one that is not.
        """
        units = info.data.get("units", Units())
        known = StatusCodes(common=units.status, of_agency=agencies.status)
        unmapped = [
            f"{code} ({agency})"
            for agency, codes in agencies.codes.items()
            for code in codes
            if not known.knows(code, agency)
        ]
        if unmapped:
            rule = "must be mapped in agencies.status or units.status, if only to none:"
            raise ValueError(f"{rule} {', '.join(unmapped)}")
        return agencies


def read_settings(path: Path) -> Settings:
    """
    Read a TOML file of settings; what it leaves out keeps its default.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    settings : Settings
        Checked.

    Raises
    ------
    SettingError
        If the file cannot be read, is no TOML, or holds unknown keys or values out of range: every
        one of them is named.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    except ValueError as error:
        raise SettingError(f"{path}: must be TOML in UTF-8; {error}") from error
    return settings_of(raw, str(path))


def settings_of(raw: Mapping[str, Any], where: str) -> Settings:
    """
    Check settings.

    Parameters
    ----------
    raw : mapping
        By section.
    where : str
        What to call their place in a message.

    Returns
    -------
    settings : Settings
        What is left out keeps its default.

    Raises
    ------
    SettingError
        With every unknown key and every value out of range.
    """
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        faults = [
            f"{where} {_name(fault)}={_shown(fault['input'])}: {_rule(fault)}"
            for fault in error.errors()
        ]
        raise SettingError("\n".join(faults)) from error


def _name(fault: ErrorDetails) -> str:
    """Name a setting as the file does: pydantic puts a feed's kind between its name and its key."""
    loc = fault["loc"]
    tagged = loc[0] == "feeds" and len(loc) > 2 and loc[2] in KINDS  # noqa: PLR2004 - feeds, NAME
    return ".".join(map(str, (*loc[:2], *loc[3:]) if tagged else loc))


def _shown(value: object) -> str:
    """Shorten a value for a message."""
    return str(value)[:80]


def _rule(fault: ErrorDetails) -> str:
    """Say what is allowed, in the words of the other messages."""
    if fault["type"] == "extra_forbidden":
        return "is no setting; remove it, or see `rollby settings` for the names"
    rule = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return rule if rule.startswith(("must", "policy.")) else f"must be {rule}"


def settings_toml(settings: Settings) -> str:
    """
    Write settings as a whole TOML file, each line with its description as a comment.

    Parameters
    ----------
    settings : Settings
        The values.

    Returns
    -------
    text : str
        `read_settings` gives the same settings back.
    """
    sections = [(name, section) for name, section in settings if isinstance(section, Section)]
    for table, named in (("feeds", settings.feeds), ("cot", settings.cot)):
        sections += [(f"{table}.{json.dumps(name)}", one) for name, one in named.items()]
    lines = [line for name, section in sections for line in ("", *_section_lines(name, section))]
    return "\n".join(lines).lstrip() + "\n"


def _section_lines(name: str, section: Section) -> list[str]:
    """Write one table, and those within it."""
    lines, tables = [f"[{name}]"], []
    for key, info in type(section).model_fields.items():
        value = getattr(section, key)
        if isinstance(value, Section):
            tables += ["", f"# {info.description}", *_section_lines(f"{name}.{key}", value)]
        elif isinstance(value, dict):
            tables += ["", f"# {info.description}", f"[{name}.{key}]"]
            tables += [f"{json.dumps(str(k))} = {_toml(v)}" for k, v in value.items()]
        else:
            lines += [f"# {info.description}", f"{info.alias or key} = {_toml(value)}"]
    return lines + tables


def _toml(value: object) -> str:
    """Write one value; JSON's texts, numbers and lists are TOML's too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(k))} = {_toml(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
