"""The analyst's pages: choose a period, have it worked out, look at what came out, take it away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from fastapi.responses import FileResponse

from data import words
from data.store.audit import Action
from maps.gaps_report import report_policy
from rollby.service.callers import Caller
from rollby.service.guard import needs
from rollby.service.rights import Right
from rollby.service.routes.studies import (
    RECORDED,
    ROADS,
    Analyst,
    StudyId,
    found_study,
    list_studies,
    recorded_days,
    shown,
    studying_of,
)
from rollby.service.running import InService, Running
from rollby.service.screens import TEMPLATES, facts_of
from rollby.service.studies import Kind, State

if TYPE_CHECKING:
    from pathlib import Path as FilePath

    from rollby.service.studies import Study
    from rollby.service.studying import Studying

router = APIRouter(tags=["screens"], include_in_schema=False)
Exporter = Annotated[Caller, Depends(needs(Right.EXPORT))]
KEPT = {"Cache-Control": "no-store"}
EXPORTS = MappingProxyType(
    {
        Kind.GAPS: {
            "gaps.json": "JSON, all figures",
            "cells.csv": "CSV, a row a cell",
            "cells.geojson": "GeoJSON, cells",
            "cells.gpkg": "GeoPackage, cells",
            "cells.parquet": "GeoParquet, cells",
            "hours.csv": "CSV, a row a cell and hour of the week",
            "hours.parquet": "GeoParquet, cells by hour of the week",
            "map.html": "Map, one HTML file",
            "report.html": "Report, one HTML file",
        },
        Kind.POSTS: {
            "posts.json": "JSON, all figures",
            "posts.csv": "CSV, a row a post",
            "posts.geojson": "GeoJSON, posts",
            "map.html": "Map, one HTML file",
        },
        Kind.HISTORY: {},
    }
)
"""What can be taken away of each kind of study."""
PARTS = {"map.js": "text/javascript", "map.css": "text/css", "places.json": "application/json"}


@router.get("/analyst")
async def desk_page(request: Request, service: InService, caller: Analyst) -> Response:
    """Show what there is to choose from, and the caller's studies."""
    studying = studying_of(request)
    known = await asyncio.to_thread(recorded_days, service)
    studies = await list_studies(service, studying, caller)
    return _page(
        "analyst",
        service,
        title="Analyst",
        recorded=None if isinstance(known, str) else known,
        why_none=known if isinstance(known, str) else "",
        sources={"recorded": RECORDED, "roads": ROADS},
        histories=[one for one in studies if one.kind is Kind.HISTORY],
        studies=[one for one in studies if one.kind is not Kind.HISTORY],
        within_s=service.settings.policy.within_s,
        upload_mb=service.settings.service.upload_mb,
        study_days=service.settings.service.study_days,
        hour=_hour_in(service),
    )


@router.get("/analyst/{study_id}")
async def study_page(
    study_id: StudyId, request: Request, service: InService, caller: Analyst
) -> Response:
    """Show how far a study is, or what came out."""
    studying = studying_of(request)
    study = await found_study(studying, caller, study_id)
    body = ""
    if study.state is State.DONE and study.kind is not Kind.HISTORY:
        await service.note(caller, Action.LOOK_HISTORY, f"study {study_id}")
        body = await asyncio.to_thread(_out(studying, study, "body.html").read_text, "utf-8")
    return _page(
        "study",
        service,
        title=study.title,
        study=shown(study, studying, service),
        body=body,
        exports=EXPORTS[study.kind] if caller.may(Right.EXPORT) else {},
        hour=_hour_in(service),
    )


@router.get("/analyst/{study_id}/report")
async def report_of_study(
    study_id: StudyId, request: Request, service: InService, caller: Exporter
) -> Response:
    """Show the printable report: it may run nothing, here as anywhere."""
    studying = studying_of(request)
    path = _out(studying, await found_study(studying, caller, study_id), "report.html")
    await service.note(caller, Action.EXPORT, f"study {study_id}, report")
    html = await asyncio.to_thread(path.read_text, "utf-8")
    headers = {**KEPT, "Content-Security-Policy": report_policy(html)}
    return Response(html, media_type="text/html", headers=headers)


@router.get("/api/studies/{study_id}/files/{name}")
async def export_of_study(
    study_id: StudyId,
    name: Annotated[str, Path(max_length=40)],
    request: Request,
    service: InService,
    caller: Exporter,
) -> Response:
    """Give a file to take away."""
    studying = studying_of(request)
    study = await found_study(studying, caller, study_id)
    if name not in EXPORTS[study.kind]:
        have = ", ".join(EXPORTS[study.kind]) or "nothing"
        raise HTTPException(404, f"{name}: is not to be had of this study; there is {have}")
    path = _out(studying, study, name)
    await service.note(caller, Action.EXPORT, f"study {study_id}, {name}")
    return FileResponse(path, filename=f"rollby-{study_id}-{name}", headers=KEPT)


@router.get("/analyst/{study_id}/{name}")
async def part_of_study(
    study_id: StudyId,
    name: Annotated[str, Path(pattern="^(map[.]js|map[.]css|places[.]json)$")],
    request: Request,
    caller: Analyst,
) -> Response:
    """Give a script, a style or the places of a study's page; the look at it was written down."""
    studying = studying_of(request)
    path = _out(studying, await found_study(studying, caller, study_id), name)
    return FileResponse(path, media_type=PARTS[name], headers=KEPT)


def _out(studying: Studying, study: Study, name: str) -> FilePath:
    """
    Find a file that came out of a study.

    Raises
    ------
    HTTPException
        404 where there is none.
    """
    path = studying.studies.folder(study) / "out" / name
    if study.state is not State.DONE or not path.is_file():
        raise HTTPException(404, f"{name}: this study has none; it is {study.state}")
    return path


def _page(name: str, service: Running, **facts: Any) -> Response:
    """Fill a page's template."""
    frame = facts_of(service.settings, service.clock.rate)
    html = TEMPLATES.get_template(f"{name}.html").render(name=name, **frame, **facts)
    return Response(html, media_type="text/html", headers=KEPT)


def _hour_in(service: Running) -> Any:
    """Give what writes an instant as the agency's clocks show it, without seconds."""

    def hour(at: datetime | str) -> str:
        instant = datetime.fromisoformat(at) if isinstance(at, str) else at
        day, _, time = words.clock(
            instant.astimezone(UTC), service.settings.units.time_zone, day=True
        ).partition(", ")
        return f"{day}, {time[:5]}"

    return hour
