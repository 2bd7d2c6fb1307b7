"""A layer of an Esri feature service, asked for what has been edited since, page by page."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from data.errors import FieldError, SourceUnreachableError
from data.feeds.json_values import object_of, parsed
from data.feeds.web import LARGEST, UnreadError

if TYPE_CHECKING:
    import httpx

    from data.feeds.cad_rows import CadForm
    from data.feeds.web import Server

PAGE = 1000
MOST_PAGES = 1000
TRIES = 3
OVERLAP = timedelta(seconds=60)  # an edit may be committed later than it says


@dataclass(frozen=True, slots=True)
class _Nature:
    """What a layer says of itself."""

    object_id: str
    edited: str
    pages: bool
    most: int
    zone: ZoneInfo


class EsriLayer:
    """
    A layer.

    Parameters
    ----------
    server : Server
        Whose.
    url : str
        ``.../FeatureServer/0``.
    where : str
        Which rows, in SQL.
    edited : str
        The column of the last edit; empty: as the layer says.
    answers : str
        ``json`` or ``geojson``: in which format it is asked to answer.
    all_rows : bool
        Ask for all rows each time, not for the edited ones only.
    """

    def __init__(
        self,
        server: Server,
        url: str,
        where: str = "1=1",
        *,
        edited: str = "",
        answers: str = "json",
        all_rows: bool = False,
    ) -> None:
        self.server, self._url, self._where = server, url, where
        self._edited, self._answers, self._all = edited, answers, all_rows
        self._nature: _Nature | None = None
        self._since: datetime | None = None
        self._newest: datetime | None = None

    async def changed(self, client: httpx.AsyncClient) -> bytes:
        """
        Ask for all that has been edited since the last answer that was taken.

        Returns
        -------
        content : bytes
            One feature set.

        Raises
        ------
        SourceUnreachableError
            If the service says that something is wrong, or its rows change faster than they can
            be read.
        """
        for _ in range(TRIES):
            nature = self._nature = self._nature or await self._ask_nature(client)
            features = await self._all_pages(client, nature)
            if features is not None:
                self._newest = _newest(features, nature.edited)
                reference = {"wkid": 4326}
                kind = {"type": "FeatureCollection"} if self._answers == "geojson" else {}
                whole = {**kind, "spatialReference": reference, "features": features}
                return (await asyncio.to_thread(json.dumps, whole)).encode()
        raise SourceUnreachableError(
            f"{self.server.where}: its rows change while they are read; make `where` narrower"
        )

    def taken(self, at: datetime) -> None:
        """
        Ask from now on for later edits only, but for those of the last minute.

        Parameters
        ----------
        at : datetime
            When; an edit that says to be later does not hide those until then.
        """
        if self._newest and not self._all:
            newest = min(self._newest, at)
            self._since = max(newest, self._since or newest)

    def form(self, form: CadForm) -> CadForm:
        """
        Say how it writes: instants are milliseconds, and the last edit is when a row was told.

        Returns
        -------
        form : CadForm
            What the settings say comes first.
        """
        fields = dict(form.fields)
        if self._nature and self._nature.edited:
            fields.setdefault("at", self._nature.edited)
        return replace(form, fields=fields, instants=form.instants or "epoch_ms")

    async def _ask_nature(self, client: httpx.AsyncClient) -> _Nature:
        """Ask what the layer is like."""
        told, _ = await self._ask(client, self._url, {"f": "json"})
        tracking, advanced = (
            _object(told.get(name)) for name in ("editFieldsInfo", "advancedQueryCapabilities")
        )
        listed = told.get("fields")
        fields = [_object(one) for one in listed] if isinstance(listed, list) else []
        ids = [str(one.get("name")) for one in fields if one.get("type") == "esriFieldTypeOID"]
        most = told.get("maxRecordCount")
        return _Nature(
            object_id=str(told.get("objectIdField") or (ids[0] if ids else "OBJECTID")),
            edited=self._edited or str(tracking.get("editDateField") or ""),
            pages=bool(advanced.get("supportsPagination", told.get("supportsPagination", True))),
            most=min(PAGE, most) if isinstance(most, int) and most > 1 else PAGE,
            zone=_zone(told.get("dateFieldsTimeReference")),
        )

    async def _all_pages(
        self, client: httpx.AsyncClient, nature: _Nature
    ) -> list[dict[str, Any]] | None:
        """
        Read page by page; None where rows went meanwhile, so that others may have been missed.

        Raises
        ------
        SourceUnreachableError
            If there are more rows than the layer gives, or than can be held.
        UnreadError
            If a page is none.
        """
        features: list[dict[str, Any]] = []
        held = 0
        for _ in range(MOST_PAGES):
            # The last row comes again: where it does not, rows before it have gone.
            offset = max(0, len(features) - 1)
            query = self._query(nature, offset)
            page, size = await self._ask(client, f"{self._url}/query", query)
            held += size
            if held > LARGEST:
                rule = f"its pages must not hold more than {LARGEST >> 20} MiB"
                raise SourceUnreachableError(f"{self.server.where}: {rule}; make `where` narrower")
            found = page.get("features")
            if not isinstance(found, list):
                rule = "must have a list of features"
                raise UnreadError(json.dumps(page).encode(), rule)
            if features and (not found or _id(found[0], nature) != _id(features[-1], nature)):
                return None
            features += found[1:] if features else found
            flags = [page, _object(page.get("properties"))]
            if not any(one.get("exceededTransferLimit") is True for one in flags):
                return features
            if not nature.pages or len(found) <= 1:
                break
        rule = f"has more rows than it gives ({nature.most} at once); make `where` narrower"
        raise SourceUnreachableError(f"{self.server.where}: {rule}")

    def _query(self, nature: _Nature, offset: int) -> dict[str, str]:
        """Say which rows are asked for."""
        where = self._where
        if self._since and nature.edited:
            since = _local(self._since - OVERLAP, nature.zone)
            where = f"({where}) AND {nature.edited} >= TIMESTAMP '{since:%Y-%m-%d %H:%M:%S}'"
        query = {"where": where, "outFields": "*", "outSR": "4326", "f": self._answers}
        query["orderByFields"] = nature.object_id
        if nature.pages:
            query |= {"resultOffset": str(offset), "resultRecordCount": str(nature.most)}
        return query

    async def _ask(
        self, client: httpx.AsyncClient, address: str, query: dict[str, str]
    ) -> tuple[dict[str, Any], int]:
        """
        Ask; a query goes in the body, where no log has it; how large its answer is, in bytes.

        Raises
        ------
        SourceUnreachableError
            If the service says that something is wrong: it does so with a status of 200.
        UnreadError
            If it answers something else.
        """
        answer = await self.server.ask(client, "POST", address, data=query)
        try:
            told = object_of(await asyncio.to_thread(parsed, answer.content), "answer")
        except FieldError as unread:
            raise UnreadError(answer.content, str(unread)) from unread
        if "error" in told:
            error = _object(told["error"])
            code, why = error.get("code"), str(error.get("message"))[:200]
            raise SourceUnreachableError(
                f"{self.server.where}: answers with error {code} ({why}); look at its address, "
                "`where` and the token"
            )
        return told, len(answer.content)


def _id(feature: object, nature: _Nature) -> object:
    """Give what names a row of a layer."""
    return _row(feature).get(nature.object_id, _object(feature).get("id"))


def _row(feature: object) -> dict[str, Any]:
    """Give a feature's attributes, in either format."""
    known = _object(feature)
    return _object(known.get("attributes")) or _object(known.get("properties"))


def _object(value: object) -> dict[str, Any]:
    """Give an object; an empty one for whatever else a server may answer."""
    return value if isinstance(value, dict) else {}


def _newest(features: list[dict[str, Any]], edited: str) -> datetime | None:
    """Find the last edit."""
    edits_ms = [_row(one).get(edited) for one in features]
    known_ms = [one for one in edits_ms if isinstance(one, int) and 0 < one < 1 << 43]
    return datetime.fromtimestamp(max(known_ms) / 1000, UTC) if known_ms else None


def _local(instant: datetime, zone: ZoneInfo) -> datetime:
    """Give a local time that is not after an instant, whichever a service takes it for."""
    local = instant.astimezone(zone)
    offsets = [local.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1)]
    return local + (offsets[1] - offsets[0])  # back an hour, where it comes twice


def _zone(reference: object) -> ZoneInfo:
    """Read in which zone a layer takes instants of a query."""
    name = _object(reference).get("timeZoneIANA")
    try:
        return ZoneInfo(name if isinstance(name, str) else "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
