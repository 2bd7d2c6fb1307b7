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


def _topics(topics: list[str]) -> list[str]:
    """
    Hold them to what a broker can be asked for.

    Raises
    ------
    ValueError
        If one is none.
    """
    for one in topics:
        levels = one.split("/")
        if levels.count("{device}") > 1 or any(
            not level
            or (
                (set(level) & set("+#{}") and level not in {"+", "{device}"})
                and not (level == "#" and place == len(levels) - 1)
            )
            for place, level in enumerate(levels)
        ):
            raise ValueError(f"must be topics such as owntracks/{{device}}/+, not {one}")
    return topics


class MqttFeed(Feed):
    """OwnTracks by way of an MQTT broker."""

    kind: Literal["mqtt"] = Field(description="OwnTracks by way of an MQTT broker")
    broker: Address = Field(description="HOST:PORT of the broker")
    topics: Annotated[list[str], AfterValidator(_topics), Field(min_length=1)] = Field(
        ["owntracks/{device}/+"],
        description="what is subscribed to; {device} is the level that names the device, + any "
        "level, # at the end all that follow; without {device} the whole topic is the name",
    )
    named_by: Literal["topic", "tid"] = Field(
        "topic", description="what names the device: its topic, or the message's own tid"
    )
    client_id: str = Field(
        "", description="by which the broker keeps what comes meanwhile; empty = rollby-NAME"
    )
    user: str = Field("", description="name at the broker")
    password_file: str = Field("", description="file that holds the password, and nothing else")
    transport: Literal["tcp", "tls"] = Field("tls", description="how it is called: tls, or tcp")
    authority: str = Field(
        "", description="PEM file of who signed the broker's certificate; empty = the system's"
    )
    certificate: str = Field("", description="PEM file that shows who we are; empty = none")
    key: str = Field("", description="PEM file of its key")
    most_hz: Positive = Field(
        50.0, description="messages a second of one device, on average; 10,000 at a stretch"
    )

    @model_validator(mode="after")
    def _go_together(self) -> MqttFeed:
        """
        Hold what TLS and a password need.

        Raises
        ------
        ValueError
            If one is there without the other.
        """
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate and key must name files together, or neither")
        if self.transport != "tls" and (self.certificate or self.authority):
            raise ValueError("transport must be tls where there is an authority or a certificate")
        if self.password_file and not self.user:
            raise ValueError("user must be set where there is a password_file")
        return self


AnyFeed = Annotated[TaipFeed | NmeaFeed | MqttFeed, Field(discriminator="kind")]
KINDS = {"taip", "nmea", "mqtt"}
