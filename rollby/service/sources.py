"""The doors that fetch, made as the settings have them: folders, layers and servers."""

from __future__ import annotations

import ssl
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from data.errors import InputError
from data.feeds.cad_folder import FolderDoor, Watched
from data.feeds.cad_layer import Document, LayerDoor
from data.feeds.cad_rows import CadForm
from data.feeds.esri import EsriLayer
from data.feeds.senders import Senders
from data.feeds.traccar import Traccar, TraccarDoor
from data.feeds.traccar_positions import parse_position
from data.feeds.web import Server, connecting
from rollby.service.intake import change_of, speaker_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from data.feed_settings import Cad, CadFolderFeed, CadLayerFeed, TraccarFeed
    from data.feeds.door import Door
    from data.feeds.heard import Told
    from data.status_codes import StatusCodes

ESRI_TOKEN = "X-Esri-Authorization"  # noqa: S105 - the name of a header
TOKEN = "Authorization"  # noqa: S105 - as above


def source_of(
    name: str,
    feed: CadFolderFeed | CadLayerFeed | TraccarFeed,
    now: Callable[[], datetime],
    codes: StatusCodes,
    *,
    looking: bool,
) -> Door:
    """
    Make a door that fetches.

    Parameters
    ----------
    name : str
        Of the feed.
    feed : CadFolderFeed, CadLayerFeed or TraccarFeed
        Its settings.
    now : callable
        Tells the time.
    codes : StatusCodes
        What agencies' status codes mean.
    looking : bool
        Leave files where they are.

    Returns
    -------
    door : Door
        As the settings have it.
    """
    if feed.kind == "traccar":
        return _traccar(name, feed, now)
    check = partial(_check, name, feed)
    if feed.kind == "cad_layer":
        return _layer(name, feed, form_of(feed, codes), check, now)
    watched = Watched(
        folder=Path(feed.folder),
        form=form_of(feed, codes),
        every_s=feed.every_s,
        still_s=feed.still_s,
        keep_days=feed.keep_days,
        leaving=looking,
    )
    return FolderDoor(name, watched, check, now)


def _check(name: str, feed: Cad, told: Told) -> object:
    """Raise where a feed may not speak for a unit."""
    return change_of(told, feed, speaker_of(name, feed))


def form_of(feed: Cad, codes: StatusCodes) -> CadForm:
    """
    Say how a dispatch system writes.

    Returns
    -------
    form : CadForm
        As the settings have it.
    """
    return CadForm(
        fields={str(ours): theirs for ours, theirs in feed.fields.items()},
        only=feed.only,
        codes=codes,
        agency=feed.agency,
        phases=feed.phases,
        zone=ZoneInfo(feed.time_zone) if feed.time_zone else None,
        instants=feed.instants,
    )


def _layer(
    name: str,
    feed: CadLayerFeed,
    form: CadForm,
    check: Callable[[Told], object],
    now: Callable[[], datetime],
) -> LayerDoor:
    """Make what asks a document or a layer."""
    shown = feed.url.partition("?")[0]  # what follows may be a secret
    server = Server(f"feeds.{name}.url={shown}", f"feeds.{name}.token_file")
    ends = feed.absent == "ended"
    source: Document | EsriLayer = Document(server, feed.url)
    if feed.source == "esri":
        source = EsriLayer(
            server, feed.url, feed.where, edited=feed.edited, answers=feed.answers, all_rows=ends
        )
    headers = {}
    if feed.token_file:
        header = ESRI_TOKEN if feed.source == "esri" else TOKEN
        headers[header] = f"Bearer {_secret(name, 'token_file', feed.token_file)}"
    return LayerDoor(
        name,
        source,
        form,
        connecting(_tls(name, feed.authority), headers),
        every_s=feed.every_s,
        absent=timedelta(seconds=feed.absent_s) if ends else None,
        check=check,
        now=now,
    )


def _traccar(name: str, feed: TraccarFeed, now: Callable[[], datetime]) -> TraccarDoor:
    """Make what listens to a Traccar server."""
    tls, headers, password = _tls(name, feed.authority), {}, ""
    if feed.token_file:
        headers[TOKEN] = f"Bearer {_secret(name, 'token_file', feed.token_file)}"
    else:
        password = _secret(name, "password_file", feed.password_file)
    traccar = Traccar(
        address=feed.server,
        user_id=feed.user_id,
        user=feed.user,
        password=password,
        named_by=feed.named_by,
        catch_up=timedelta(minutes=feed.catch_up_min),
        tls=tls if feed.server.startswith("https:") else None,
    )
    senders = Senders(name, lambda: parse_position, (), feed.most_hz)
    return TraccarDoor(name, traccar, connecting(tls, headers), senders, now)


def _secret(name: str, key: str, file: str) -> str:
    """
    Read what nobody else is to know.

    Raises
    ------
    InputError
        If the file cannot be read, or holds none.
    """
    where = f"feeds.{name}.{key}={file}"
    try:
        secret = Path(file).read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise InputError(f"{where}: must be a file with it and nothing else; {error}") from error
    if not secret or not secret.isprintable():
        raise InputError(f"{where}: must hold it on one line, and nothing else")
    return secret


def _tls(name: str, authority: str) -> ssl.SSLContext:
    """
    Make what a server is asked to show.

    Raises
    ------
    InputError
        If the file cannot be read, or is none.
    """
    try:
        return ssl.create_default_context(cafile=authority or None)
    except OSError as error:
        rule = f"must be a readable PEM file; {error}"
        raise InputError(f"feeds.{name}.authority={authority}: {rule}") from error
