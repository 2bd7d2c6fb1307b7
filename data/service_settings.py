"""The live service, as the settings have it: the table `[service]` and those within it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from data.setting_parts import Address, NonNegative, Positive, Section, nobody_listens

RoleName = Literal["officer", "supervisor", "analyst", "administrator", "feed", "wallboard"]


class AccessRules(Section):
    """How people sign in to the live service, and for how long."""

    failures_max: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="so many failed sign-ins in a row lock a name"
    )
    lock_min: Positive = Field(10.0, description="it stays locked for so many minutes")
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
        "",
        description="who calls from this machine itself has this role unasked; empty = nobody. "
        "Only for a machine with one user and no proxy",
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
            if not nobody_listens(address):
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
        30, description="raw positions are kept so many days, in the store and in the history; "
        "what was refused, likewise"
    )  # fmt: skip
    most_hz: Positive = Field(
        50.0, description="fixes a second of one unit by HTTP, on average; 10,000 at a stretch, as "
        "a dead zone stores them. More is answered more slowly, and in the end with 429"
    )  # fmt: skip
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
            if not nobody_listens(address):
                raise ValueError(f"webhooks.{name} must begin with https://, but on this machine")
        return self
