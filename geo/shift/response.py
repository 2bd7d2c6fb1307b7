"""How an officer responds when asked to roll by: drawn for the stop and the officer alone."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.shift.draws import draws

if TYPE_CHECKING:
    from geo.shift.plan import ShiftPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """
    What an officer does, whenever asked about one stop.

    Parameters
    ----------
    comes, says : bool
        Comes; or else says so.
    delay_s : float
        From the request to the answer.
    factor : float
        How long the drive takes, relative to the reckoned one.
    """

    comes: bool
    says: bool
    delay_s: float
    factor: float


def response(seed: int, plan: ShiftPlan, stop_id: str, row: int) -> Response:
    """
    Draw a response.

    Parameters
    ----------
    seed : int
        Of the shift.
    plan : ShiftPlan
        Chances.
    stop_id : str
        About which stop.
    row : int
        Of the car.

    Returns
    -------
    response : Response
        The same under every policy.
    """
    rng = draws(seed, "answer", zlib.crc32(stop_id.encode()), row)
    delay_s = plan.answer_s * float(np.exp(rng.normal(0, plan.answer_spread)))
    comes, says = rng.random() < plan.comes, rng.random() < 0.5  # noqa: PLR2004 - half
    factor = float(np.exp(rng.normal(0, plan.drive_spread)))
    return Response(comes=comes, says=says, delay_s=delay_s, factor=factor)
