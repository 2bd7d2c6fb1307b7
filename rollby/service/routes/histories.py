"""Histories that analysts upload: file by file, then read whole and checked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from data.atomic import written
from data.store.audit import Action
from data.uploaded import check_name
from rollby.service.routes.studies import (
    Analyst,
    InStudying,
    Shown,
    StudyId,
    begin_study,
    check_room,
    check_state,
    found_study,
    new_study,
    shown,
)
from rollby.service.running import InService
from rollby.service.studies import Kind, State

router = APIRouter(prefix="/api", tags=["studies"])
MEGABYTE = 1_000_000


class NewHistory(BaseModel):
    """A history that is going to be uploaded."""

    model_config = ConfigDict(extra="forbid")
    title: Annotated[str, Field(min_length=1, max_length=100)]


@router.post("/histories", status_code=201)
async def begin_history(
    new: NewHistory, service: InService, studying: InStudying, caller: Analyst
) -> Shown:
    """Begin to upload a history: its files follow, then its check."""
    study = new_study(service, caller, Kind.HISTORY, new.title, State.RECEIVING)
    await check_room(studying, caller)
    await service.note(caller, Action.UPLOAD, f"history {study.study_id}")
    await asyncio.to_thread(studying.studies.keep, study)
    return shown(study, studying, service)


@router.put("/histories/{study_id}/files/{name}", status_code=204)
async def take_file(
    study_id: StudyId,
    name: Annotated[str, InPath(max_length=200)],
    request: Request,
    service: InService,
    studying: InStudying,
    caller: Analyst,
) -> Response:
    """Take a file of a history as it is: a `.zip` of its folder, or one of its tables."""
    study = await found_study(studying, caller, study_id)
    check_state(study, State.RECEIVING, "takes no more files")
    folder = studying.studies.folder(study)
    kept = check_name(name)
    target = folder / kept if kept.endswith(".zip") else folder / "history" / kept
    most = service.settings.service.upload_mb * MEGABYTE
    await asyncio.to_thread(target.parent.mkdir, exist_ok=True)
    left = most - await asyncio.to_thread(_bytes_in, folder)
    with written(target) as kept_in, kept_in.open("wb") as out:  # whole, or not at all
        async for part in request.stream():
            left -= len(part)
            if left < 0:
                limit = service.settings.service.upload_mb
                raise HTTPException(413, f"{name}: more than {limit} MB; send a shorter period")
            await asyncio.to_thread(out.write, part)
    return Response(status_code=204)


@router.post("/histories/{study_id}/check", status_code=202)
async def check_history(
    study_id: StudyId, service: InService, studying: InStudying, caller: Analyst
) -> Shown:
    """Have an uploaded history read; `GET /api/studies/ID` says what is wrong with it."""
    study = await found_study(studying, caller, study_id)
    check_state(study, State.RECEIVING, "was checked already")
    folder = studying.studies.folder(study)
    upload = folder / "history.zip"
    zipped = await asyncio.to_thread(upload.exists)
    await asyncio.to_thread((folder / "history").mkdir, exist_ok=True)
    return await begin_study(
        service,
        studying,
        caller,
        replace(study, state=State.WAITING),
        history=folder / "history",
        upload=upload if zipped else None,
        most_bytes=service.settings.service.upload_mb * MEGABYTE,
    )


def _bytes_in(folder: Path) -> int:
    """Count what a folder holds."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
