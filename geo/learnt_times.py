"""
Seconds per edge, learnt from drives that were matched to it (`geo.matching`).

A drive says how long a stretch of several edges took. What it took beyond the model's seconds for
turns is laid on its edges in proportion to the model's seconds for them. Groups of edges are then
compared with the model: by class of road, by square kilometre, by single edge, each against what
the one before it left, and last the hours of the week. Each group's ratio is shrunk towards 1 by
how sure it is (Buehlmann & Straub 1970, the credibility of actuaries: empirical Bayes for ratios
of sums), so that three slow drives move little, and a road that nobody drove only by its like.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from data.road_table import METRES_PER_DEG
from geo.hours import WEEK_HOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.road_table import FloatArray, IntArray
    from geo.matching import Drive
    from geo.network import RoadNetwork

CELL_M = 1000.0
FACTORS = (0.25, 4.0)  # whatever tracks say, nobody is that quick or slow


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """
    Edges driven; each array of shape (p,), a row an edge of a drive between two of its fixes.

    Parameters
    ----------
    drive : ndarray of int64
        Which drive.
    edge : ndarray of int64
        Which edge.
    hour : ndarray of int64
        Of the week, 0 to 167, Monday's first is 0.
    model_s : ndarray of float64
        Seconds that the network has for the part driven.
    taken_s : ndarray of float64
        Seconds that it took, turns apart; less than 0 where a turn took less than the model's.
    """

    drive: IntArray
    edge: IntArray
    hour: IntArray
    model_s: FloatArray
    taken_s: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """
    What tracks say of a network's seconds.

    Parameters
    ----------
    edge_factor : ndarray of float64, shape (m,)
        What the model's seconds of each edge are multiplied by.
    hour_factor : ndarray of float64, shape (168,)
        What they are in an hour of the week, beyond that.
    overall : float
        Seconds taken over the model's, all drives together.
    drives : int
        Learnt from.
    edges : int
        Driven at least once.
    """

    edge_factor: FloatArray
    hour_factor: FloatArray
    overall: float
    drives: int
    edges: int


def passes_of(net: RoadNetwork, drives: Sequence[Drive], hours: Sequence[IntArray]) -> Passes:
    """
    List what drives say of edges.

    Parameters
    ----------
    net : RoadNetwork
        The roads, as they were matched on.
    drives : sequence of Drive
        Matched.
    hours : sequence of ndarray of int64
        The hour of the week at each place of each drive, where the agency is.

    Returns
    -------
    passes : Passes
        None of a stretch on which the drive did not move on.
    """
    rows: list[tuple[int, int, int, float, float]] = []
    for number, (drive, hour) in enumerate(zip(drives, hours, strict=True)):
        for leg, way in enumerate(drive.way):
            model_s = _parts(drive, leg) * net.edge_ms[list(way)] / 1000
            whole_s = float(model_s.sum())
            if whole_s <= 0:
                continue
            taken_s = drive.at_s[leg + 1] - drive.at_s[leg] - turns_s(net, way)
            rows += [
                (number, edge, int(hour[leg]), part_s, taken_s * part_s / whole_s)
                for edge, part_s in zip(way, model_s.tolist(), strict=True)
            ]
    drive_no, edge, hour_no, model, taken = np.array(rows, np.float64).reshape(-1, 5).T
    return Passes(
        drive=drive_no.astype(np.int64),
        edge=edge.astype(np.int64),
        hour=hour_no.astype(np.int64),
        model_s=model,
        taken_s=taken,
    )


def learn(net: RoadNetwork, passes: Passes) -> Learnt:
    """
    Learn what to multiply a network's seconds by.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    passes : Passes
        On them.

    Returns
    -------
    learnt : Learnt
        All factors 1 where there are no passes.
    """
    count = len(net.edge_ms)
    total_s = passes.model_s.sum()
    overall = float(passes.taken_s.sum() / total_s) if total_s else 1.0
    factor = np.full(count, np.clip(overall, *FACTORS))
    for group in (net.table.highway.astype(np.int64), _square(net), np.arange(count)):
        model_s = passes.model_s * factor[passes.edge]
        ratio = credible_ratios(group[passes.edge], passes, model_s, int(group.max()) + 1)
        factor = factor * ratio[group]
    factor = np.clip(factor, *FACTORS)
    hour_factor = credible_ratios(
        passes.hour, passes, passes.model_s * factor[passes.edge], WEEK_HOURS
    )
    return Learnt(
        edge_factor=factor,
        hour_factor=hour_factor,
        overall=overall,
        drives=len(np.unique(passes.drive)),
        edges=len(np.unique(passes.edge)),
    )


def credible_ratios(group: IntArray, passes: Passes, model_s: FloatArray, count: int) -> FloatArray:
    """
    Compare groups of passes with the model, each shrunk towards 1 by how sure it is.

    Parameters
    ----------
    group : ndarray of int64, shape (p,)
        Of each pass.
    passes : Passes
        Seconds taken, and the drives, which are what is independent.
    model_s : ndarray of float64, shape (p,)
        Seconds expected.
    count : int
        Of groups.

    Returns
    -------
    ratio : ndarray of float64, shape (count,)
        1 for a group without passes; all 1 where groups differ no more than chance would have it.

    Notes
    -----
    A drive's ratio in a group scatters with variance s2 / w for w seconds expected of it, and the
    groups' own ratios with variance a about 1; both are estimated from all groups together. A
    group's ratio counts w / (w + s2 / a).
    """
    pair, row = np.unique(np.stack([group, passes.drive]), axis=1, return_inverse=True)
    weight = np.bincount(row, model_s, pair.shape[1])
    taken = np.bincount(row, passes.taken_s, pair.shape[1])
    owner, weight, taken = pair[0][weight > 0], weight[weight > 0], taken[weight > 0]
    whole = np.bincount(owner, weight, count)
    mean = np.divide(np.bincount(owner, taken, count), whole, np.ones(count), where=whole > 0)
    groups, spare = np.count_nonzero(whole), len(owner) - np.count_nonzero(whole)
    if spare <= 0:
        return np.ones(count)
    within = float((weight * (taken / weight - mean[owner]) ** 2).sum()) / spare
    between = (float((whole * (mean - 1) ** 2).sum()) - groups * within) / float(whole.sum())
    if between <= 0:
        return np.ones(count)
    trust = whole / (whole + within / between)
    ratio: FloatArray = np.clip(1 + trust * (mean - 1), *FACTORS)
    return ratio


def expected_s(net: RoadNetwork, drive: Drive) -> float:
    """
    Give the seconds that a network has for a drive.

    Parameters
    ----------
    net : RoadNetwork
        That it was matched on, or the same retimed.
    drive : Drive
        Matched.

    Returns
    -------
    seconds : float
        From its first place to its last, along its own way.
    """
    return sum(
        float((_parts(drive, leg) * net.edge_ms[list(way)]).sum()) / 1000 + turns_s(net, way)
        for leg, way in enumerate(drive.way)
    )


def turns_s(net: RoadNetwork, way: Sequence[int]) -> float:
    """
    Give the seconds that a network has for the turns of a way.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    way : sequence of int
        Edges, each from where the one before leads to.

    Returns
    -------
    seconds : float
        0 for a single edge.
    """
    return sum(
        min(ms for edge, _, ms in net.onward(net.left_in(before)) if edge == after) / 1000
        for before, after in pairwise(way)
    )


def _parts(drive: Drive, leg: int) -> FloatArray:
    """Give the share of each edge of a leg that was driven in it."""
    share = np.ones(len(drive.way[leg]))
    share[-1] = drive.fraction[leg + 1]
    share[0] -= drive.fraction[leg]
    return np.maximum(share, 0.0)  # below 0 where a fix slipped back


def _square(net: RoadNetwork) -> IntArray:
    """Give the square kilometre that the middle of each edge lies in."""
    lon, lat = net.middle_deg
    east = lon * np.cos(np.radians(np.median(lat)))
    row, column = (np.floor(deg * METRES_PER_DEG / CELL_M).astype(np.int64) for deg in (lat, east))
    return np.unique(np.stack([row, column]), axis=1, return_inverse=True)[1].astype(np.int64)
