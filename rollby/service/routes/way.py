"""The way that an officer was asked to take: its line, its streets, and the roads around it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, HTTPException

from data.records import UnitFix
from geo.board import Board
from geo.network import RoadNetwork
from geo.router import search_back
from geo.snap import Position, snap
from rollby.service.callers import Caller
from rollby.service.guard import check_unit, needs
from rollby.service.rights import Right
from rollby.service.routes.officer import suggested
from rollby.service.running import InService

router = APIRouter(prefix="/api", tags=["officers"])
Asked = Annotated[Caller, Depends(needs(Right.ANSWER, Right.SEE_LIVE))]
AROUND = 0.15  # of the way's own size, on each side
LEAST_DEG = 0.002
MOST_ROADS = 4000


@router.get("/way/{suggestion_id:path}")
async def get_way(suggestion_id: str, service: InService, caller: Asked) -> dict[str, Any]:
    """Give the way from where the unit was last seen to the stop, by drive time."""
    asked, _ = await suggested(service, suggestion_id)
    if not caller.may(Right.SEE_LIVE):
        check_unit(caller, asked.unit_id)
    net, fix, place = await service.look(lambda board: _ends(board, asked.unit_id, asked.stop_id))
    if fix is None or place is None:
        raise HTTPException(
            404, f"suggestion_id={suggestion_id}: its stop is over, or off the road"
        )
    return await asyncio.to_thread(_way, net, fix, place)


def _ends(
    board: Board, unit_id: str, stop_id: str
) -> tuple[RoadNetwork, UnitFix | None, Position | None]:
    """Tell where a way begins and ends."""
    one = board.open.get(stop_id)
    return board.net, board.seen.fix_of(unit_id), one.position if one else None


def _way(net: RoadNetwork, fix: UnitFix, place: Position) -> dict[str, Any]:
    """Write a way as JSON holds it."""
    begin = snap(net, fix.lon_deg, fix.lat_deg, fix.heading_deg, speed_mps=fix.speed_mps)
    route = search_back(net, place).route(begin) if begin else None
    if route is None:
        raise HTTPException(404, "there is no way by road from where the unit was last seen")
    line = np.round(np.column_stack([route.lon_deg, route.lat_deg]), 5)
    return {
        "drive_time_s": round(route.drive_time_s, 1),
        "distance_m": round(route.distance_m),
        "on_foot": route.on_foot,
        "line": line.tolist(),
        "steps": [
            {"turn": turn, "street": street, "distance_m": round(driven_m)}
            for turn, (street, driven_m) in zip(route.turns, route.streets, strict=False)
        ],
        "roads": _roads(net, line),
    }


def _roads(net: RoadNetwork, line: np.ndarray) -> list[list[list[float]]]:
    """Give the lines of the roads around a way."""
    low, high = line.min(axis=0), line.max(axis=0)
    margin = np.maximum((high - low) * AROUND, LEAST_DEG)
    low, high = low - margin, high + margin
    table = net.table
    start = table.shape_start[:-1]
    lon_deg, lat_deg = table.shape_lon_deg[start], table.shape_lat_deg[start]
    inside = (lon_deg >= low[0]) & (lon_deg <= high[0]) & (lat_deg >= low[1]) & (lat_deg <= high[1])
    edges = np.flatnonzero(inside & ~table.reversed)[:MOST_ROADS]
    return [np.round(np.column_stack(table.shape(edge)), 5).tolist() for edge in edges.tolist()]
