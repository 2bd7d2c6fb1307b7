"""What a door refused, read again as it would be now: after settings or a reader were mended."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import PurePath
from typing import TYPE_CHECKING

from data.feed_settings import CadFolderFeed, CadLayerFeed
from data.feeds.cad_rows import READERS, read_cad
from data.feeds.heard import Refusal, Sighting
from data.feeds.mqtt import device_of, parse_message
from data.feeds.senders import Senders
from data.feeds.traccar_positions import parse_position
from data.status_codes import codes_of
from rollby.service.doors import reader_of
from rollby.service.problems import ProblemError
from rollby.service.sources import form_of

if TYPE_CHECKING:
    from data.feeds.heard import Heard, Told
    from data.settings import Settings
    from data.store.reading import DeadLetter


def read_again(letter: DeadLetter, settings: Settings) -> list[Heard | Told]:
    """
    Read a refused message as its door would.

    Parameters
    ----------
    letter : DeadLetter
        By one of the settings' feeds.
    settings : Settings
        As they are now.

    Returns
    -------
    heard : list of Heard or Told
        For the door's `Intake`; the letter's sender is the peer.

    Raises
    ------
    ProblemError
        409 where nobody can tell any more whose it was.
    """
    feed, sender = settings.feeds[letter.door], letter.sender
    arrived_at = datetime.fromtimestamp(letter.received_ms / 1000, UTC)
    if isinstance(feed, CadFolderFeed | CadLayerFeed):
        return _rows(feed, letter, settings, arrived_at)
    if feed.kind == "traccar":
        return _named(parse_position(letter.raw, arrived_at), sender)
    if feed.kind == "mqtt":
        heard = parse_message(letter.raw, arrived_at)
        device = device_of(sender, feed.topics) or sender
        return [*heard] if feed.named_by == "tid" else _named(heard, device)
    address = _is_address(sender)
    senders = getattr(feed, "senders", [])
    if address and (reason := Senders(letter.door, reader_of(feed), senders).stranger(sender)):
        return [Refusal(raw=letter.raw, reason=reason)]
    heard = reader_of(feed)()(letter.raw, arrived_at)
    if getattr(feed, "named_by", "") == "certificate":
        return _named(heard, "" if address else sender)
    return [*heard]


def _named(heard: list[Heard], device: str) -> list[Heard | Told]:
    """
    Call what was heard by its device.

    Raises
    ------
    ProblemError
        409 where that was not kept.
    """
    if not device:
        rule = "does not say which device it was; it cannot be read again, only sent again"
        raise ProblemError(409, f"sender=: {rule}")
    return [replace(one, device=device) if isinstance(one, Sighting) else one for one in heard]


def _is_address(sender: str) -> bool:
    """Tell an address from a device's name."""
    try:
        ip_address(sender)
    except ValueError:
        return False
    return True


def _rows(
    feed: CadFolderFeed | CadLayerFeed, letter: DeadLetter, settings: Settings, at: datetime
) -> list[Heard | Told]:
    """Read a dispatch system's row, which is kept under our names; or a file as it came."""
    form, ending = form_of(feed, codes_of(settings)), PurePath(letter.sender).suffix.lower()
    if feed.kind == "cad_layer" and feed.source == "esri":
        form = replace(form, instants=form.instants or "epoch_ms")
    if _is_row(letter.raw):
        form, ending = replace(form, fields={}, only={}), ".json"
    ending = ending if ending in READERS else ".json"
    return read_cad(letter.raw, ending, form, letter.sender, clock=at, written_at=at)


def _is_row(raw: bytes) -> bool:
    """Tell a row from a file."""
    try:
        row = json.loads(raw)
    except ValueError:
        return False
    return isinstance(row, dict) and "features" not in row and row.get("type") != "Feature"
