"""The doors that listen, as the settings have them: one class a kind of `[feeds.NAME]`."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from data.records import StopPhase  # noqa: TC001 - pydantic reads the annotation
from data.setting_parts import (
    Address,
    Interface,
    MaybeAddress,
    MaybeTimeZone,
    NonNegative,
    Positive,
    Section,
    nobody_listens,
)

OWN_DOORS = frozenset({"cad", "desk", "geojson", "officer", "osmand", "owntracks", "service"})
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
    most_connections: Annotated[int, Field(ge=1)] = Field(
        100, description="connections of one address at a time, by tcp or tls"
    )
    named_by: Literal["sender", "certificate"] = Field(
        "sender", description="what names the device: itself, or the common name of its certificate"
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
        if self.named_by == "certificate" and not self.clients:
            raise ValueError("clients must name a file where named_by is certificate")
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


CadField = Literal[
    "stop_id", "unit_id", "started_at", "ended_at", "lon", "lat", "heading_deg", "phase", "backup",
    "needs", "at", "status", "officers", "agency",
]  # fmt: skip


class Cad(Feed):
    """What every door of a dispatch system (CAD) has."""

    fields: dict[CadField, str] = Field(
        {}, description="our names of fields: those of the CAD, where they differ"
    )
    only: dict[str, list[str]] = Field(
        {},
        description="a column of the CAD: the values that rows must have; others are passed over",
    )
    phases: dict[str, StopPhase] = Field({}, description="the CAD's words for phases: ours")
    agency: str = Field("", description="whose units they are, where a row does not say")
    time_zone: MaybeTimeZone = Field(
        "", description="of instants without an offset, an IANA name; empty = these are refused"
    )
    instants: str = Field(
        "",
        description="how instants are written: empty = ISO 8601, epoch_ms, epoch_s, or as Python's "
        "strptime has it, e.g. %m/%d/%Y %H:%M:%S",
    )


class CadFolderFeed(Cad):
    """A folder into which a dispatch system drops files."""

    kind: Literal["cad_folder"] = Field(description="a folder into which a CAD drops files")
    folder: str = Field(min_length=1, description="where files come; it must be there")
    every_s: Positive = Field(1.0, description="it is looked at so often")
    still_s: NonNegative = Field(
        2.0, description="a file is read when it has not changed for so long; ten times as long if "
        "it looks cut off"
    )  # fmt: skip
    keep_days: NonNegative = Field(
        7.0, description="files in done and failed are deleted after so many days; 0 = never"
    )


def _https(address: str) -> str:
    """
    Hold an address to https, but on this machine; a secret has no place in it.

    Raises
    ------
    ValueError
        If it is something else.
    """
    url = urlsplit(address)
    if not nobody_listens(address):
        raise ValueError("must begin with https://, but on this machine")
    if not url.hostname or url.username or url.password:
        raise ValueError("must be an address without a name or password in it; see the files")
    return address.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_https)]


class CadLayerFeed(Cad):
    """A GeoJSON document, or a layer of an Esri feature service, that is asked again and again."""

    kind: Literal["cad_layer"] = Field(description="GeoJSON or an Esri layer that is polled")
    url: WebAddress = Field(description="of the GeoJSON, or of the layer: .../FeatureServer/0")
    source: Literal["geojson", "esri"] = Field(
        "geojson", description="what is there: one GeoJSON document, or an Esri layer"
    )
    every_s: Positive = Field(10.0, description="it is asked so often")
    where: str = Field("1=1", description="of an Esri layer: which rows, in SQL")
    edited: str = Field(
        "", description="of an Esri layer: its column of the last edit; empty = as the layer says"
    )
    answers: Literal["json", "geojson"] = Field(
        "json", description="of an Esri layer: in which format it is asked to answer"
    )
    absent: Literal["kept", "ended"] = Field(
        "kept", description="a stop that is listed no more: ended = it is over, once no answer has "
        "had it for absent_s, and two in a row"
    )  # fmt: skip
    absent_s: NonNegative = Field(
        60.0, description="so long; ten times as long where more than half of the stops, and more "
        "than two, are gone at once: that may be half a list"
    )  # fmt: skip
    token_file: str = Field("", description="file that holds the token, and nothing else")
    authority: str = Field(
        "", description="PEM file of who signed the server's certificate; empty = the system's"
    )


class TraccarFeed(Feed):
    """A Traccar server."""

    kind: Literal["traccar"] = Field(description="a Traccar server")
    server: WebAddress = Field(description="its address, as the web app has it")
    token_file: str = Field("", description="file that holds a user's token, and nothing else")
    user_id: Annotated[int, Field(ge=0)] = Field(
        0, description="the number of that user, as the web app's address of his account has it"
    )
    user: str = Field("", description="without a token: the user's e-mail or login")
    password_file: str = Field("", description="file that holds his password, and nothing else")
    named_by: Literal["name", "unique_id"] = Field(
        "name", description="what names the device: its name at Traccar, or its identifier"
    )
    catch_up_min: NonNegative = Field(
        60.0, description="after a gap, positions are fetched from at most so long ago"
    )
    most_hz: Positive = Field(
        50.0, description="messages a second of one device, on average; 10,000 at a stretch"
    )
    authority: str = Field(
        "", description="PEM file of who signed the server's certificate; empty = the system's"
    )

    @model_validator(mode="after")
    def _go_together(self) -> TraccarFeed:
        """
        Hold what a sign-in needs.

        Raises
        ------
        ValueError
            If it is neither a token and its user, nor a name and a password.
        """
        token, name = (self.token_file, self.user_id), (self.user, self.password_file)
        if not ((all(token) and not any(name)) or (all(name) and not any(token))):
            raise ValueError("token_file and user_id must be set, or else user and password_file")
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
    most_connections: Annotated[int, Field(ge=1)] = Field(
        100, description="connections of one address at a time, by tcp or tls"
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


AnyFeed = Annotated[
    TaipFeed | NmeaFeed | MqttFeed | CotFeed | CadFolderFeed | CadLayerFeed | TraccarFeed,
    Field(discriminator="kind"),
]
KINDS = {"taip", "nmea", "mqtt", "cot", "cad_folder", "cad_layer", "traccar"}
