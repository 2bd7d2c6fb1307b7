"""The doors that listen, as the settings have them: one class a kind of `[feeds.NAME]`."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from data.setting_parts import Address, Positive, Section

FeedName = Annotated[str, Field(pattern=r"^[\w-]{1,40}$")]


def _networks(senders: list[str]) -> list[str]:
    """
    Hold them to addresses of networks.

    Raises
    ------
    ValueError
        If one is none.
    """
    for one in senders:
        try:
            ip_network(one)
        except ValueError as error:
            raise ValueError(f"must be networks such as 10.8.0.0/16; {error}") from error
    return senders


class Feed(Section):
    """What every door has."""

    units: list[str] = Field(["*"], description="units that it may speak for; * and ? as in keys")
    devices: dict[str, str] = Field(
        {}, description="device: unit; empty = the device's name is the unit's"
    )


class Listening(Feed):
    """What every door has that devices call at."""

    senders: Annotated[list[str], AfterValidator(_networks)] = Field(
        [], alias="from", description='networks that may send, e.g. ["10.8.0.0/16"]; empty = all'
    )

    listen: Address = Field(description="HOST:PORT")
    most_hz: Positive = Field(
        50.0, description="messages a second of one sender, on average; 10,000 at a stretch"
    )


class TaipFeed(Listening):
    """TAIP by UDP."""

    kind: Literal["taip"] = Field(description="TAIP by UDP")


class NmeaFeed(Listening):
    """NMEA 0183."""

    kind: Literal["nmea"] = Field(description="NMEA 0183")
    transport: Literal["udp", "tcp", "tls"] = Field(
        "udp", description="how it comes: udp, tcp, or tls over tcp"
    )
    certificate: str = Field("", description="PEM file, for tls")
    key: str = Field("", description="PEM file of its key")
    clients: str = Field(
        "", description="PEM file of who signs the senders' certificates; empty = they need none"
    )

    @model_validator(mode="after")
    def _go_together(self) -> NmeaFeed:
        """
        Hold what TLS needs.

        Raises
        ------
        ValueError
            If it lacks its certificate, or has one and is not asked for.
        """
        files = bool(self.certificate), bool(self.key)
        if self.transport == "tls" and not all(files):
            raise ValueError("certificate and key must name files where transport is tls")
        if self.transport != "tls" and (any(files) or self.clients):
            raise ValueError("transport must be tls where there is a certificate, key or clients")
        return self


AnyFeed = Annotated[TaipFeed | NmeaFeed, Field(discriminator="kind")]
KINDS = {"taip", "nmea"}
