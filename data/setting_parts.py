"""What every table of the settings' file is made of."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
NonNegative = Annotated[float, Field(ge=0, le=1e6)]


class Section(BaseModel):
    """A table of the settings' file: frozen, and unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _address(listen: str) -> str:
    """
    Hold an address to HOST:PORT.

    Raises
    ------
    ValueError
        If it is something else.
    """
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or not int(port) <= 65535:  # noqa: PLR2004 - ports
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:8340 or [::1]:8340")
    return listen


Address = Annotated[str, AfterValidator(_address)]
MaybeAddress = Annotated[str, AfterValidator(lambda address: address and _address(address))]


def _zone(name: str) -> str:
    """
    Hold a time zone to the names that the IANA knows.

    Raises
    ------
    ValueError
        If nobody knows it.
    """
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("must be an IANA name such as America/Denver") from error


TimeZone = Annotated[str, AfterValidator(_zone)]
MaybeTimeZone = Annotated[str, AfterValidator(lambda name: name and _zone(name))]


def nobody_listens(address: str) -> bool:
    """
    Tell whether what goes to an address stays between the two.

    Parameters
    ----------
    address : str
        Of a server.

    Returns
    -------
    safe : bool
        By TLS, or on this machine.
    """
    url = urlsplit(address)
    here = url.hostname in {"127.0.0.1", "localhost", "::1"}
    return url.scheme == "https" or (url.scheme == "http" and here)


def _interface(address: str) -> str:
    """
    Hold an interface to its address.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return address and str(IPv4Address(address))
    except ValueError as error:
        raise ValueError(f"must be the interface's own IPv4 address; {error}") from error


Interface = Annotated[str, AfterValidator(_interface)]
