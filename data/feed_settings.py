"""The doors that listen, as the settings have them: one class a kind of `[feeds.NAME]`."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from data.setting_parts import Address, Section

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


class TaipFeed(Listening):
    """TAIP by UDP."""

    kind: Literal["taip"] = Field(description="TAIP by UDP")
    listen: Address = Field(description="HOST:PORT, UDP")


AnyFeed = TaipFeed
KINDS = {"taip"}
