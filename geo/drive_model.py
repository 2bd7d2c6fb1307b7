"""
Every constant of the drive times, with its reason, in one table; docs/model.md#drive-time explains.

Nobody has the truth for a patrol car, so two routers that many people rely on were read and
measured: OSRM's car (``profiles/car.lua``) and Valhalla's auto (``mjolnir/speed_assigner.h``,
``lua/graph.lua``, ``sif/osrm_car_duration.h``). Where both have a figure ours lies between: the
geometric mean of speeds, the mean of seconds. docs/accuracy.md says how well that agrees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Driven km/h of a class in town and in the country: the geometric mean of OSRM's `speeds`, which
# know no town, and Valhalla's `urban_rc_speed` and `default_speed` (ramps: x 0.8 and x 0.85).
CLASS_KMH: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "motorway": (89.5, 97.2),  # 90 with 89, 105
        "motorway_link": (61.5, 63.3),  # 45 with 84, 89
        "trunk": (78.8, 87.5),  # 85 with 73, 90
        "trunk_link": (53.7, 55.5),  # 40 with 72, 77
        "primary": (60.9, 69.8),  # 65 with 57, 75
        "primary_link": (42.4, 43.8),  # 30 with 60, 64
        "secondary": (51.9, 57.4),  # 55 with 49, 60
        "secondary_link": (35.7, 35.7),  # 25 with 51
        "tertiary": (40.0, 44.7),  # 40 with 40, 50
        "tertiary_link": (29.3, 29.3),  # 20 with 43
        "unclassified": (29.6, 31.6),  # 25 with 35, 40
        "residential": (27.4, 29.6),  # 25 with 30, 35
        "living_street": (14.1, 15.8),  # 10 with 20, 25
        "service": (17.3, 19.4),  # 15 with 20, 25
    }
)
OTHER_KMH = (14.1, 15.8)  # `road` and the unknown: OSRM's default 10 with Valhalla's 20, 25

# No faster than this whatever the sign says, km/h (OSRM, `surface_speeds`); paved ...
PAVED_KMH: Mapping[str, float] = MappingProxyType(
    {
        "cement": 80.0,
        **dict.fromkeys(("paving_stones", "metal", "bricks"), 60.0),
        **dict.fromkeys(("sett", "wood"), 40.0),
    }
)
# ... and rough: what Valhalla counts as `kPavedRough` or worse, and slows down for.
ROUGH_KMH: Mapping[str, float] = MappingProxyType(
    {
        **dict.fromkeys(("compacted", "fine_gravel"), 80.0),
        **dict.fromkeys(("grass", "grass_paver", "gravel", "pebblestone", "unpaved"), 40.0),
        **dict.fromkeys(("dirt", "ground", "unhewn_cobblestone"), 40.0),
        **dict.fromkeys(("cobblestone", "clay", "snow"), 30.0),
        **dict.fromkeys(("earth", "stone", "rocky", "sand", "ice"), 20.0),
        "laterite": 15.0,
        "mud": 10.0,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveModel:
    """
    One way of driving: speeds on edges and prices of passages.

    Parameters
    ----------
    pace : float
        Every edge's speed is multiplied by this.
    sign_factor : float
        Driven speed over the sign's.
    urban_km_per_km2 : float
        Roads denser than this around an edge make it urban.
    learn_weight : float
        How far a class's own signs move the figure for the rest of it: 0 not at all, 1 wholly,
        at most, where the whole class has signs.
    rough_factor, rough_sign_factor : float
        Of the speed on a rough surface without a sign, and with one.
    roundabout_factor : float
        Of the speed without a sign on a roundabout.
    turn_s, right_bias : float
        Height of the turn curve, seconds, and how much sharper a turn away from oncoming traffic
        may be for the same price.
    oncoming_s : float
        More for a turn across oncoming traffic, seconds.
    yield_s : float
        For crossing or joining a larger road where no signals help, seconds.
    u_turn_s : float
        For turning round, beyond the bend, seconds.
    signals_s, signals_ahead_s : float
        At signals in the middle of a junction, and at those drawn ahead of it, seconds.
    stop_s, give_way_s, gate_s, toll_s : float
        At a stop sign, a give-way sign (or a mini roundabout), a gate, a toll booth, seconds.
    """

    pace: float = 1.0
    # Drivers average less than the sign says: OSRM takes 0.8 of it, Valhalla all of it.
    sign_factor: float = 0.894
    # Valhalla's line between rural and urban, 12.1 km of road of all kinds to a km2 within 2 km.
    # Without service roads 11 splits columbus_oh, harrisburg_pa and porto_pt most as it does.
    urban_km_per_km2: float = 11.0
    learn_weight: float = 0.5
    rough_factor: float = 0.707  # OSRM 1, Valhalla 0.5
    rough_sign_factor: float = 0.91  # OSRM 1, Valhalla 5 km/h less below 50, 10 from there on
    roundabout_factor: float = 0.707  # OSRM 1, Valhalla 0.5
    turn_s: float = 7.5  # OSRM, and Valhalla after it
    right_bias: float = 1.075  # as above
    oncoming_s: float = 1.0  # OSRM 2, Valhalla 0
    yield_s: float = 1.0  # a choice: neither counts it as time, both weigh it to choose a way
    u_turn_s: float = 20.0  # OSRM, and Valhalla after it
    signals_s: float = 2.0  # OSRM, and Valhalla after it
    signals_ahead_s: float = 1.0  # OSRM 2, Valhalla 0
    stop_s: float = 1.0  # OSRM 2, Valhalla 0
    give_way_s: float = 0.5  # OSRM 1, Valhalla 0
    gate_s: float = 30.0  # OSRM 60, Valhalla 0: somebody gets out, or it stands open
    toll_s: float = 7.5  # OSRM 0, Valhalla's toll_booth_cost 15


ROUTINE = DriveModel()
# Lights and siren. A choice of ours, measured nowhere: an agency that has tracks should put its
# own figures here. Quicker between junctions, slower into them: a siren does not clear a crossing.
RESPONSE = replace(ROUTINE, pace=1.25, signals_s=4.0, stop_s=3.0, u_turn_s=10.0)
