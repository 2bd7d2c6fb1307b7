"""The doors that listen, as the settings have them: one class a kind of `[feeds.NAME]`."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from data.setting_parts import Address, Interface, MaybeAddress, Positive, Section

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


class CotFeed(Feed):
    """Cursor-on-Target, of TAK clients that call here or of a TAK server that is called."""

    kind: Literal["cot"] = Field(description="Cursor-on-Target of TAK clients")
    listen: MaybeAddress = Field(
        "", description="HOST:PORT at which clients call; a multicast group is joined"
    )
    server: MaybeAddress = Field(
        "", description="HOST:PORT of a TAK server to call, in the place of listen"
    )
    transport: Literal["udp", "tcp", "tls"] = Field(
        "udp", description="how it comes: udp, tcp, or tls over tcp"
    )
    interface: Interface = Field(
        "", description="address of the interface at which a group is joined; empty = the system's"
    )
    senders: Annotated[list[str], AfterValidator(_networks)] = Field(
        [], alias="from", description='networks that may send, e.g. ["10.8.0.0/16"]; empty = all'
    )
    named_by: Literal["uid", "callsign", "certificate"] = Field(
        "uid", description="what names the device: its uid, callsign, or certificate's common name"
    )
    certificate: str = Field("", description="PEM file that shows who we are, for tls")
    key: str = Field("", description="PEM file of its key")
    clients: str = Field(
        "", description="PEM file of who signs the senders' certificates; empty = they need none"
    )
    authority: str = Field(
        "", description="PEM file of who signed the server's certificate; empty = the system's"
    )
    server_name: str = Field(
        "", description="name that the server's certificate bears; empty = its host's"
    )
    others: Literal["refuse", "count"] = Field(
        "refuse",
        description="devices that devices does not name: refuse keeps what they send, with the "
        "reason; count only counts it, where many share a server",
    )
    most_hz: Positive = Field(
        50.0, description="messages a second of one sender, on average; 10,000 at a stretch"
    )

    @model_validator(mode="after")
    def _go_together(self) -> CotFeed:
        """
        Hold what a port needs, and what a call.

        Raises
        ------
        ValueError
            If one thing is there without the other.
        """
        if bool(self.listen) == bool(self.server):
            raise ValueError("must have listen, or server, and not both")
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate and key must name files together, or neither")
        if self.transport != "tls" and any(
            (self.certificate, self.clients, self.authority, self.server_name)
        ):
            raise ValueError("transport must be tls where there is a certificate or an authority")
        if self.named_by == "certificate" and not self.clients:
            raise ValueError("clients must name a file where devices are named_by certificate")
        if self.interface and (self.server or self.transport != "udp"):
            raise ValueError("interface must be left out but for a group that is joined by udp")
        if self.server and (self.senders or self.clients or self.transport == "udp"):
            raise ValueError("server is called by tcp or tls, and from and clients are not asked")
        if self.listen and (self.authority or self.server_name):
            raise ValueError("authority and server_name must be left out where clients call")
        if self.others == "count" and (not self.devices or self.named_by == "certificate"):
            raise ValueError("devices must name some by uid or callsign where others are counted")
        if self.listen and self.transport == "tls" and not self.certificate:
            raise ValueError("certificate and key must name files where clients call by tls")
        return self


AnyFeed = Annotated[TaipFeed | NmeaFeed | MqttFeed | CotFeed, Field(discriminator="kind")]
KINDS = {"taip", "nmea", "mqtt", "cot"}
