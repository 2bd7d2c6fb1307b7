"""All units against all open stops at once: the model of sections 3 and 4, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.records import Flag
from geo.backup import chance_within, horizon_s
from geo.kernels.weigh import odds_of, reckon_near
from geo.staleness import WORKING

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, IntArray
    from data.settings import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """
    What open stops want; each array of shape (s,).

    Parameters
    ----------
    within_s : ndarray of float64
        T.
    mean_min, weight : ndarray of float64
        D and m of the phase.
    short : ndarray of int
        Officers wanted and not there.
    """

    within_s: FloatArray
    mean_min: FloatArray
    weight: FloatArray
    short: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """
    Who could be at each stop, and how likely somebody is.

    Parameters
    ----------
    tau_s : ndarray of float64, shape (u, s)
        Working figure.
    chance : ndarray of float64, shape (u, s)
        F.
    probability, without_best : ndarray of float64, shape (s,)
        G, and G without its best unit.
    alone, covered : ndarray of bool, shape (s,)
        The flag; thin where neither.
    """

    tau_s: FloatArray
    chance: FloatArray
    probability: FloatArray
    without_best: FloatArray
    alone: BoolArray
    covered: BoolArray

    def flag(self, stop: int) -> Flag:
        """
        Give the flag of one stop.

        Returns
        -------
        flag : Flag
            Alone, covered or thin.
        """
        if self.alone[stop]:
            return Flag.ALONE
        return Flag.COVERED if self.covered[stop] else Flag.THIN


def weigh_cover(
    drive_time_s: FloatArray,
    effective_age_s: FloatArray,
    counts: BoolArray,
    needs: Needs,
    policy: Policy,
) -> Cover:
    """
    Reckon F, G and the flags.

    Parameters
    ----------
    drive_time_s : ndarray of float64, shape (u, s)
        From the last fix of each unit to each stop; inf for no way.
    effective_age_s : ndarray of float64, shape (u,)
        a of the model.
    counts : ndarray of bool, shape (u, s)
        Could be asked for it, or is on its way to it.
    needs : Needs
        Of the stops.
    policy : Policy
        Constants.

    Returns
    -------
    cover : Cover
        As `geo.exposure.expose` has it for one stop.
    """
    shape = drive_time_s.shape
    tau_s, chance = np.empty(shape), np.empty(shape)
    probability, without_best = np.empty(shape[1]), np.empty(shape[1])
    pair, near_s = np.empty(tau_s.size, np.int32), np.empty(tau_s.size)
    horizons_s = horizon_s(needs.within_s, policy)
    count = reckon_near(drive_time_s, effective_age_s, WORKING, horizons_s, tau_s, pair, near_s)
    pair = pair[:count]
    # Most pairs are out of reach of each other: only the others are worth a logarithm.
    near = chance_within(near_s[:count], needs.within_s[pair % max(shape[1], 1)], policy)
    odds_of(pair, near, counts, policy.comes_when_asked, chance, probability, without_best)
    enough = needs.short <= 0
    alone = ~enough & (probability < policy.alone_below)
    kept = (probability >= policy.covered_from) & (without_best >= policy.covered_without_best)
    return Cover(
        tau_s=tau_s,
        chance=chance,
        probability=probability,
        without_best=without_best,
        alone=alone,
        covered=enough | (kept & ~alone),
    )


def gain_min(
    tau_s: FloatArray,
    officers: IntArray,
    coming: list[list[float]],
    needs: Needs,
    policy: Policy,
) -> FloatArray:
    """
    Give the minutes of further officers that each stop gets if each unit sets out now.

    Parameters
    ----------
    tau_s : ndarray of float64, shape (u, s)
        Working figure.
    officers : ndarray of int, shape (u,)
        In each car.
    coming : list of list of float, length s
        tau of backup on its way, seconds, one for each of its officers, soonest drive first.
    needs : Needs
        Of the stops.
    policy : Policy
        r.

    Returns
    -------
    gain_min : ndarray of float64, shape (u, s)
        ``r D m sum over slots of max(0, exp(-tau/D) - exp(-tau_slot/D))``, officer-minutes; a unit
        takes the slots that would be filled last. 0 where no officer is missing.
    """
    mean_s = 60 * needs.mean_min
    mine = np.exp(-tau_s / mean_s)
    share = np.zeros(tau_s.shape)
    for slot in range(int(needs.short.max(initial=0))):
        # What the slot filled last but `slot` gives without the unit: nothing, if it stays empty.
        already = np.zeros(len(coming))
        for stop, taus_s in enumerate(coming):
            filled = sorted(taus_s[: int(needs.short[stop])])
            spare = int(needs.short[stop]) - len(filled)
            if spare <= slot < needs.short[stop]:
                already[stop] = np.exp(-filled[spare - slot - 1] / mean_s[stop])
        fills = (officers[:, None] > slot) & (needs.short > slot)
        share += np.where(fills, np.maximum(0.0, mine - already), 0.0)
    return policy.comes_when_asked * needs.mean_min * needs.weight * share


def cost_min(
    tau_s: FloatArray, lost_share: FloatArray, on_duty: int, needs: Needs, policy: Policy
) -> FloatArray:
    """
    Give the minutes without a second officer that each unit's leaving costs elsewhere.

    Parameters
    ----------
    tau_s : ndarray of float64, shape (u, s)
        Working figure.
    lost_share : ndarray of float64, shape (u,)
        L_u, 0 to 1.
    on_duty : int
        Units on duty, each of whom makes stops.
    needs : Needs
        Of the stops.
    policy : Policy
        lambda, Lambda, L0 and D0.

    Returns
    -------
    cost_min : ndarray of float64, shape (u, s)
        ``lambda Lambda (tau + D) max(0, L_u - L0) D0``, officer-minutes; inf where there is no way.
    """
    stops_per_min = policy.stops_per_unit_hour * on_duty / 60
    far = np.isinf(tau_s)
    away_min = np.where(far, 0.0, tau_s) / 60 + needs.mean_min
    bare_share = np.maximum(0.0, lost_share - policy.cover_spare_share)
    lost_min = policy.coverage_weight * stops_per_min * bare_share * policy.new_stop_min
    return np.where(far, np.inf, away_min * lost_min[:, None])
