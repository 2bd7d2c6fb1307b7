"""What goes out as Cursor-on-Target, as the settings have it: one table `[cot.NAME]` a network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from data.setting_parts import Address, Interface, Section

Tell = Literal["suggestions", "flags"]
EVERYBODY = "*"


class CotOut(Section):
    """A TAK server that is called, or an address that datagrams are sent to."""

    server: Address = Field(description="HOST:PORT of the TAK server, or where datagrams are sent")
    transport: Literal["udp", "tcp", "tls"] = Field(
        "tls", description="how: tls, tcp, or udp (unicast, or to a multicast group)"
    )
    interface: Interface = Field(
        "", description="address of the interface that sends to a group; empty = the system's"
    )
    authority: str = Field(
        "", description="PEM file of who signed the server's certificate; empty = the system's"
    )
    server_name: str = Field(
        "", description="name that the server's certificate bears; empty = its host's"
    )
    certificate: str = Field("", description="PEM file that shows who we are; empty = none")
    key: str = Field("", description="PEM file of its key")
    agency: str = Field(
        "", description="whose eyes see it: agencies.shows holds; * = all, and so is empty"
    )
    units: list[str] = Field(
        ["*"], description="units whose stops and asks go out; * and ? as in keys"
    )
    tell: list[Tell] = Field(
        ["suggestions"], description="suggestions: who is asked to roll by; flags: who is alone"
    )
    audience: Literal["asked", "all"] = Field(
        "asked",
        description="asked: the unit that is asked, by its callsign, and the watchers; "
        "all: everybody on that network",
    )
    watchers: list[str] = Field([], description="callsigns that are told all of it")
    callsigns: dict[str, str] = Field({}, description="unit: its callsign; without, its own name")
    chat: bool = Field(default=False, description="a line of chat too when a unit is asked")
    stale_s: Annotated[float, Field(ge=30, le=3600)] = Field(
        60.0, description="a marker holds so long where nothing more is heard of it"
    )

    @model_validator(mode="after")
    def _go_together(self) -> CotOut:
        """
        Hold what a transport needs.

        Raises
        ------
        ValueError
            If one thing is there without the other.
        """
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate and key must name files together, or neither")
        if self.transport != "tls" and any((self.certificate, self.authority, self.server_name)):
            raise ValueError("transport must be tls where there is a certificate or an authority")
        if self.transport != "udp" and self.interface:
            raise ValueError("interface must be left out where transport is not udp")
        if self.transport == "udp" and self.audience != "all":
            raise ValueError("audience must be all where transport is udp: it addresses nobody")
        if "flags" in self.tell and self.audience == "asked" and not self.watchers:
            raise ValueError("watchers must name a callsign where flags are told to some only")
        return self
