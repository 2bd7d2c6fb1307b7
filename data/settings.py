"""Every constant an agency may set: one frozen record, read from a TOML file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path  # noqa: TC003 - pydantic reads the annotation
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from data.cot_settings import CotOut  # noqa: TC001 - pydantic reads the annotation
from data.errors import SettingError
from data.feed_settings import KINDS, OWN_DOORS, AnyFeed, FeedName
from data.records import StopPhase, UnitStatus
from data.setting_parts import Address, NonNegative, Positive, Section, Share
from data.status_codes import Meaning, StatusCodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

OpenPhase = Literal[StopPhase.CONTACT, StopPhase.SECURED, StopPhase.CUSTODY, StopPhase.AWAITING_TOW]
PhaseTable = dict[OpenPhase, Positive]


class Policy(Section):
    """The constants of docs/model.md. Each field's description is its line in `rollby settings`."""

    within_s: Positive = Field(
        180.0, description="T: backup should be there within so many seconds (urban 180, "
        "suburban 300, rural 600)"
    )  # fmt: skip
    drive_time_spread: Positive = Field(
        0.35, description="sigma of ln(drive time): how far real drives scatter"
    )
    comes_when_asked: Share = Field(
        0.85, description="r: chance that a unit comes when it is asked"
    )
    heartbeat_s: Positive = Field(
        60.0, description="a parked unit reports at least so often; it may miss two"
    )
    standing_below_mps: Positive = Field(1.0, description="slower than this is parked")
    silent_after_s: Positive = Field(
        120.0, description="a unit last seen moving is shown as silent from this age of its fix"
    )
    stale_moving_s: Positive = Field(
        300.0, description="last seen moving (or speed unknown): asked no more past this age"
    )
    stale_parked_s: Positive = Field(
        900.0, description="last seen parked: asked no more past this age"
    )
    alone_below: Share = Field(0.6, description="G below this flags a stop as alone")
    covered_from: Share = Field(
        0.8, description="G from here on is covered, if the next line holds too"
    )
    covered_without_best: Share = Field(
        0.6, description="G without its best unit must still reach this to be covered"
    )
    duration_min: PhaseTable = Field(
        {
            StopPhase.CONTACT: 8.0,
            StopPhase.SECURED: 15.0,
            StopPhase.CUSTODY: 25.0,
            StopPhase.AWAITING_TOW: 20.0,
        },
        description="D: mean minutes that a stop still lasts, seen from a phase",
    )
    weight: PhaseTable = Field(
        {
            StopPhase.CONTACT: 1.0,
            StopPhase.SECURED: 1.0,
            StopPhase.CUSTODY: 1.2,
            StopPhase.AWAITING_TOW: 1.2,
        },
        description="m: what a minute alone weighs; secured never lowers it below contact",
    )
    coverage_weight: NonNegative = Field(
        1.0, description="lambda: how much the cover that a car leaves behind counts"
    )
    cover_spare_share: Share = Field(
        0.1, description="L0: so much of the demand's cover may leave with a car for nothing"
    )
    stops_per_unit_hour: NonNegative = Field(
        0.5, description="new stops an hour per unit on duty (gives Lambda)"
    )
    new_stop_min: Positive = Field(
        8.0, description="D0: minutes lost at a new stop that has lost its cover"
    )
    preparedness_second: Share = Field(
        0.5, description="gamma of the second car in preparedness, beside 1 of the first"
    )
    preparedness_third: Share = Field(0.25, description="gamma of the third: at most the second's")
    preparedness_nearest_s: Positive = Field(
        30.0, description="no car counts as nearer than this in preparedness"
    )
    preparedness_stops_min: Positive = Field(
        0.01, description="d_min: a zone counts as having at least so many stops an hour"
    )
    score_min: NonNegative = Field(0.5, description="officer-minutes a suggestion must be worth")
    drive_max_s: Positive = Field(
        600.0, description="nobody is asked to drive longer than this, or twice T if longer"
    )
    tie_share: Share = Field(
        0.01, description="scores this close are a tie: the least recently asked goes"
    )
    reserve_from_units: Annotated[int, Field(ge=2)] = Field(
        4, description="with so many idle units or more, one stays in reserve (never against alone)"
    )
    asks_per_hour_max: Annotated[int, Field(ge=1)] = Field(
        6, description="a unit is asked at most so often an hour"
    )
    present_within_m: Positive = Field(
        60.0, description="assigned backup this near to the stop is there"
    )
    present_after_s: Positive = Field(
        20.0, description="live: any car this long so near to a stop has arrived"
    )
    tick_s: Positive = Field(10.0, description="live: positions are weighed anew so often")
    alone_after_s: NonNegative = Field(
        60.0, description="live: alone is raised when it has lasted so long"
    )
    alone_until: Share = Field(0.7, description="live: and cleared when G is above this")
    status_stop_after_s: NonNegative = Field(
        15.0, description="live: a stop known by status alone is asked about after so long"
    )
    answer_within_s: Positive = Field(30.0, description="live: who is asked has so long to answer")
    round_units: Annotated[int, Field(ge=1)] = Field(
        3, description="live: so many units are asked one after the other, then the supervisor"
    )
    round_every_s: Positive = Field(
        300.0, description="live: the next round begins so long after the last began"
    )
    switch_saves_s: NonNegative = Field(
        60.0, description="live: an open suggestion gives way to one that is sooner by this"
    )
    mute_min: Positive = Field(15.0, description="live: a mute lasts so long")
    promise_late_s: NonNegative = Field(
        120.0, description="live: who is en route and so much later than twice the drive is not"
    )
    prompt_first_min: Positive = Field(
        3.0, description="live: dispatch is to check on an alone officer after so many minutes"
    )
    prompt_second_min: Positive = Field(8.0, description="live: a second time after so many")
    prompt_every_min: Positive = Field(10.0, description="live: and then every so many minutes")
    prompt_within_s: Positive = Field(
        60.0, description="live: a check that is not answered so soon goes to the supervisor"
    )
    sounds_per_hour_max: Annotated[int, Field(ge=0)] = Field(
        12, description="live: sounds to a supervisor an hour; the list is never cut"
    )

    @field_validator("duration_min", "weight")
    @classmethod
    def _fill_phases(cls, table: PhaseTable, info: ValidationInfo) -> PhaseTable:
        """Take the default of each phase that is left out."""
        default: PhaseTable = cls.model_fields[str(info.field_name)].default
        return {**default, **table}

    @model_validator(mode="after")
    def _values_fit(self) -> Policy:
        """
        Hold the rules that tie one value to another.

        Raises
        ------
        ValueError
            If secured weighs less than contact, the flags' bounds are out of order, or a third car
            counts for more than a second.
        """
        for name in ("duration_min", "weight"):
            table = getattr(self, name)
            if not table[StopPhase.SECURED] >= table[StopPhase.CONTACT]:
                raise ValueError(
                    f"policy.{name}.secured: must be at least that of contact; "
                    "secured never lowers the need for backup"
                )
        if not self.covered_from >= self.alone_below:
            raise ValueError("policy.covered_from: must be at least alone_below")
        if not self.preparedness_second >= self.preparedness_third:
            raise ValueError("policy.preparedness_third: must be at most preparedness_second")
        return self


class Units(Section):
    """How the agency writes its units' data, and likes to read them."""

    status: dict[str, UnitStatus] = Field(
        {}, description="the agency's own status codes: our statuses, e.g. \"10-8\" = \"available\""
    )  # fmt: skip
    speed_unit: Literal["mph", "km/h"] = Field("mph", description="shown to people")
    simulated: bool = Field(
        default=False, description="the data are made up: every answer and map says so"
    )
    time_zone: str = Field("UTC", description="shown to people; files and JSON stay UTC")

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        """
        Hold the time zone to the names the IANA knows.

        Raises
        ------
        ValueError
            If nobody knows the name.
        """
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("must be an IANA name such as America/Denver") from error
        return name


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


RoleName = Literal["officer", "supervisor", "analyst", "administrator", "feed", "wallboard"]


class AccessRules(Section):
    """How people sign in to the live service, and for how long."""

    failures_max: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="so many failed sign-ins in a row lock a name"
    )
    lock_min: Positive = Field(10.0, description="for so many minutes")
    reauthenticate_h: Positive = Field(12.0, description="a sign-in lasts so many hours")
    wallboard_h: Positive = Field(720.0, description="that of a wallboard so many")
    idle_lock_min: Positive = Field(
        30.0, description="an idle session ends after this; not a wallboard's or in-car terminal's"
    )
    password_length_min: Annotated[int, Field(ge=8, le=200)] = Field(
        12, description="characters of a password, at least"
    )
    totp_for: list[RoleName] = Field(
        ["administrator", "supervisor", "analyst"],
        description="roles that sign in with a one-time code too",
    )
    key_grace_h: NonNegative = Field(
        24.0, description="an API key that was rotated still works for so many hours"
    )
    loopback_role: Literal["", RoleName] = Field(
        "", description="who calls from this machine itself has this role unasked; empty = nobody"
    )


class Oidc(Section):
    """A provider (OpenID Connect) that vouches for people, where an agency has one."""

    issuer: str = Field("", description="its address, as its tokens name it; empty = none")
    client_id: str = Field("", description="what this service is called there")
    client_secret: str = Field("", description="file with its secret; empty = a public client")
    redirect: str = Field(
        "", description="where it sends people back: https://HOST/api/oidc/back of this service"
    )
    name_claim: str = Field(
        "preferred_username", description="the claim that names the account; one that never moves"
    )
    role_claim: str = Field("groups", description="the claim that holds groups or a role")
    roles: dict[str, RoleName] = Field(
        {}, description="a value of that claim: the role it gives; the first that fits counts"
    )
    units_claim: str = Field("", description="the claim that lists units spoken for; empty = none")
    agency: str = Field("", description="whose people they are; empty = all")

    @model_validator(mode="after")
    def _go_together(self) -> Oidc:
        """
        Hold what an issuer needs.

        Raises
        ------
        ValueError
            If it is incomplete, or not reached by TLS.
        """
        if not self.issuer:
            return self
        for name in ("client_id", "redirect", "roles"):
            if not getattr(self, name):
                raise ValueError(f"must have service.oidc.{name} where there is an issuer")
        for address in (self.issuer, self.redirect):
            url = urlsplit(address)
            if url.scheme != "https" and url.hostname not in {"127.0.0.1", "localhost"}:
                raise ValueError(f"must be https: {address}")
        return self


class Service(Section):
    """The live service, `rollby serve`."""

    store: str = Field(
        "sqlite:///rollby.db",
        description="where events, accounts and the audit log are kept: sqlite:///FILE or "
        "postgresql://USER@HOST/NAME",
    )
    listen: Address = Field("127.0.0.1:8340", description="HOST:PORT to listen on")
    tls_certificate: str = Field("", description="PEM file; empty = no TLS, on loopback only")
    tls_key: str = Field("", description="PEM file of its key")
    behind_proxy: bool = Field(
        default=False, description="a proxy before it has TLS: it may listen without its own"
    )
    history: str = Field(
        "", description="folder in which the day is recorded for replay and gaps; empty = none"
    )
    raw_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        30, description="raw positions, and what was refused, are kept so many days"
    )
    most_hz: Positive = Field(
        50.0, description="fixes a second of one unit by HTTP, on average; 10,000 at a stretch"
    )
    studies: Annotated[str, Field(min_length=1)] = Field(
        "rollby-studies", description="folder in which what analysts upload and work out is kept"
    )
    study_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        30, description="that is kept so many days"
    )
    upload_mb: Annotated[int, Field(ge=1, le=100_000)] = Field(
        500, description="largest history that an analyst may upload, unpacked, in megabytes"
    )
    undo_s: NonNegative = Field(30.0, description="an officer's word can be taken back so long")
    lock_above_mps: NonNegative = Field(
        6.7, description="faster than this, an officer's page takes 'en route' only (6.7: 15 mph)"
    )
    webhooks: dict[str, str] = Field(
        {}, description='name: https address that is told what the board says, e.g. "cad" = "..."'
    )
    webhook_secret: str = Field(
        "", description="file with the secret that signs them; needed where there are webhooks"
    )

    access: AccessRules = Field(
        AccessRules(), description="how people and machines are let in, and for how long"
    )
    oidc: Oidc = Field(Oidc(), description="a provider that vouches for people, if there is one")

    @model_validator(mode="after")
    def _go_together(self) -> Service:
        """
        Hold the rules that tie one value to another.

        Raises
        ------
        ValueError
            If a certificate has no key, or webhooks have no secret or no address.
        """
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key must both be given, or neither")
        if self.webhooks and not self.webhook_secret:
            raise ValueError("webhook_secret must name a file where there are webhooks")
        for name, address in self.webhooks.items():
            if not address.startswith(("https://", "http://127.0.0.1", "http://localhost")):
                raise ValueError(f"webhooks.{name} must begin with https://, but on this machine")
        return self


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
