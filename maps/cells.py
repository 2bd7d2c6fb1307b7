"""H3 cells as a page carries them, and their shares by hour of week."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import h3
import numpy as np

from maps import style
from maps.encode import encode_codes, varint, zigzag
from maps.streets import QUANTUM, quantise

if TYPE_CHECKING:
    import numpy.typing as npt

    from data.past_gaps import PastGaps

LEVELS: Final = 62
NOT_SEEN: Final = LEVELS + 1


def levels(shares: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.int64]:
    """
    Round shares to 63 levels; never and always stay what they are, and nothing else becomes it.

    Parameters
    ----------
    shares : ndarray of float, any shape
        From 0 to 1; NaN where nobody looked.

    Returns
    -------
    levels : ndarray of int64
        0 to `LEVELS`; `NOT_SEEN` for NaN.
    """
    between = np.clip(np.round(np.nan_to_num(shares) * LEVELS), 1, LEVELS - 1)
    rounded = np.where(shares <= 0, 0, np.where(shares >= 1, LEVELS, between))
    return np.where(np.isnan(shares), NOT_SEEN, rounded).astype(np.int64)


def outlines(cell: npt.NDArray[np.str_]) -> dict[str, Any]:
    """
    Encode the rings of cells.

    Parameters
    ----------
    cell : ndarray of str, shape (c,)
        H3 cells.

    Returns
    -------
    payload : dict
        JSON-ready. ``corners``: of every cell, varint in base64; ``deltas``: longitude and latitude
        of every corner less those of the one before, over all cells, zigzag and varint in base64.
    """
    rings = [h3.cell_to_boundary(one) for one in cell.tolist()]
    places = np.array([(lon, lat) for ring in rings for lat, lon in ring]).reshape(-1, 2)
    steps = np.column_stack([quantise(places[:, 0]), quantise(places[:, 1])])
    deltas = zigzag(np.diff(steps, axis=0, prepend=0).reshape(-1))
    corners = np.array([len(ring) for ring in rings], np.uint64)
    return {
        "quantum": QUANTUM,
        "corners": base64.b64encode(varint(corners)).decode("ascii"),
        "deltas": base64.b64encode(varint(deltas)).decode("ascii"),
    }


def week_payload(gaps: PastGaps) -> dict[str, Any]:
    """
    Encode what a page needs to show any hour of the week of any cell.

    Parameters
    ----------
    gaps : PastGaps
        What is shown.

    Returns
    -------
    payload : dict
        JSON-ready. ``whole`` and ``by_hour``: of each car a level a cell, the latter for each hour
        of ``seen``, one after the other.
    """
    seen = np.flatnonzero(gaps.hours)
    hourly = np.moveaxis(gaps.by_hour[seen], 2, 0)
    names, street = np.unique(np.array([*gaps.street, ""]), return_inverse=True)
    return {
        "cells": outlines(gaps.cell),
        "levels": LEVELS,
        "bounds": [band.up_to for band in style.SHARES[:-1]],
        "seen": seen.tolist(),
        "times": gaps.hours[seen].tolist(),
        "days": gaps.days,
        "days_alike": np.round(gaps.days_alike, 6).tolist(),
        "whole": [encode_codes(levels(gaps.beyond[:, car])) for car in range(2)],
        "by_hour": [encode_codes(levels(one).reshape(-1)) for one in hourly],
        "all_whole": np.round(gaps.all_road, 4).tolist(),
        "all_by_hour": np.round(gaps.all_by_hour[seen].T, 4).tolist(),
        "names": names.tolist(),
        "street": street.reshape(-1)[:-1].tolist(),
        "p90_s": _seconds(gaps.p90_s),
        "p90_low_s": _seconds(gaps.p90_low_s),
        "p90_high_s": _seconds(gaps.p90_high_s),
        "stops": [gaps.exposed(row) for row in range(len(gaps.cell))],
    }


def _seconds(times: npt.NDArray[np.float64] | None) -> list[list[int]] | None:
    """Write each car's drive times in whole seconds, -1 where nobody comes; null where unknown."""
    if times is None:
        return None
    return [np.where(np.isfinite(one), one, -1).astype(int).tolist() for one in times.T]
