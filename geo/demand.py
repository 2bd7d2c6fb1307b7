"""Where stops may begin: a few hundred points that stand for all roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.road_table import FloatArray, Int32Array

MOST_POINTS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """
    Points that stand for the demand of a whole network.

    Parameters
    ----------
    edge : ndarray of int32, shape (z,)
        Directed edges; the point is the middle of each.
    share : ndarray of float64, shape (z,)
        Of all demand, adding up to 1.
    """

    edge: Int32Array
    share: FloatArray


def demand_points(weight: FloatArray, most: int = MOST_POINTS) -> Demand:
    """
    Choose points that stand for the demand.

    Parameters
    ----------
    weight : ndarray of float64, shape (m,)
        Of every directed edge, >= 0: its length of road, or how many stops began on it.
    most : int
        How many points, at most.

    Returns
    -------
    demand : Demand
        All edges with their weights where those are few. Else a systematic sample of equal shares:
        edges follow each other along a Hilbert curve, so that equal steps of cumulated weight are
        spread over the ground as the weight is (Madow 1949, Annals of Mathematical Statistics 20).
    """
    weighted = np.flatnonzero(weight > 0).astype(np.int32)
    if len(weighted) <= most:
        return Demand(edge=weighted, share=weight[weighted] / max(weight.sum(), 1e-300))
    upto = np.cumsum(weight)
    steps = (np.arange(most) + 0.5) / most * upto[-1]
    edge = np.searchsorted(upto, steps, side="right").astype(np.int32)
    return Demand(edge=edge, share=np.full(most, 1 / most))
