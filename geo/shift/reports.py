"""What in-car routers send: fixes with noise, heartbeats, and bursts after a dead zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.events import Fixes
from data.road_table import METRES_PER_DEG
from geo.shift.draws import draws
from geo.shift.trip import Ground

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.network import RoadNetwork
    from geo.shift.car import Car
    from geo.shift.plan import ShiftPlan

COLUMNS = (
    "unit_row", "fixed_at_s", "received_at_s", "lon_deg", "lat_deg",
    "heading_deg", "speed_mps", "accuracy_m",
)  # fmt: skip
ROUND_S = 3  # instants are whole milliseconds, as histories keep them


class Reports:
    """
    The fixes of a shift, in the order in which they arrive.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    plan : ShiftPlan
        How often, and how well.
    seed : int
        Of the shift.
    cars : sequence of Car
        Who reports.
    """

    def __init__(self, net: RoadNetwork, plan: ShiftPlan, seed: int, cars: Sequence[Car]) -> None:
        self._net, self._plan, self._cars = net, plan, cars
        self._ground = Ground(net)
        self._unit_ids = tuple(car.unit_id for car in cars)
        rng = draws(seed, "reports")
        self._noise = draws(seed, "noise")
        phase_s = np.round(np.sort(rng.uniform(0, plan.moving_s, len(cars))), ROUND_S)
        self._phase_s = phase_s[rng.permutation(len(cars))]
        self.order = np.argsort(self._phase_s, kind="stable")
        self.due_s = self._phase_s[self.order]
        node = rng.integers(0, net.table.node_count, plan.dead_zones)
        self._zones = np.stack([net.table.lon_deg[node], net.table.lat_deg[node]], axis=1)
        self._scale = float(np.cos(np.radians(net.table.lat_deg.mean())))
        area_m2 = np.ptp(net.table.lon_deg) * self._scale * np.ptp(net.table.lat_deg)
        area_m2 *= METRES_PER_DEG**2
        self._dead_m = np.sqrt(plan.dead_share * area_m2 / (np.pi * max(plan.dead_zones, 1)))
        self.sent: list[Fixes] = []

    def send(self, window_s: float, first: int, last: int) -> Fixes | None:
        """
        Report from the cars whose turn it is.

        Parameters
        ----------
        window_s : float
            When this round of reports began, seconds since the epoch.
        first, last : int
            Rows of `order`.

        Returns
        -------
        fixes : Fixes or None
            What arrives; None for nothing.
        """
        plan = self._plan
        rows: list[tuple[Car, float, int, float, float]] = []
        for i in range(first, last):
            car = self._cars[int(self.order[i])]
            now_s = round(window_s + float(self.due_s[i]), ROUND_S)
            edge, fraction = car.trip.at(now_s)
            moving = car.trip.enter_s[0] <= now_s < car.trip.end_s and (
                len(car.trip.edges) > 1 or car.trip.begin != car.trip.end
            )
            just_parked = car.was_moving and not moving
            if moving or just_parked or now_s - car.last_fix_s >= plan.parked_s:
                car.last_fix_s, car.was_moving = now_s, moving
                mps = 1000 * self._net.table.length_m[edge] / max(int(self._net.edge_ms[edge]), 1)
                rows.append((car, now_s, edge, fraction, float(mps) if moving else 0.0))
        if not rows:
            return None
        lon, lat, heading = self._ground.places(
            np.array([row[2] for row in rows]), np.array([row[3] for row in rows])
        )
        error = self._noise.normal(0, 1, (len(rows), 3))
        far_m = np.hypot(
            (lon[:, None] - self._zones[:, 0]) * self._scale, lat[:, None] - self._zones[:, 1]
        )
        dead = np.any(far_m * METRES_PER_DEG < self._dead_m, axis=1)
        lon = lon + plan.noise_m * error[:, 0] / METRES_PER_DEG / self._scale
        lat = lat + plan.noise_m * error[:, 1] / METRES_PER_DEG
        arrived: list[tuple[float, ...]] = []
        for i, (car, now_s, _, _, mps) in enumerate(rows):
            fix = (
                car.row,
                round(now_s + car.skew_s, ROUND_S),
                now_s,
                float(lon[i]),
                float(lat[i]),
                float(heading[i] + 5 * error[i, 2]) % 360 if mps else np.nan,
                mps,
                plan.noise_m,
            )
            if dead[i]:
                car.stored.append(fix)
                continue
            arrived += [(*stored[:2], now_s, *stored[3:]) for stored in car.stored]
            car.stored.clear()
            arrived.append(fix)
        if not arrived:
            return None
        columns = dict(zip(COLUMNS, np.array(arrived).T, strict=True))
        unit_row = columns.pop("unit_row").astype(np.int32)
        fixes = Fixes(unit_ids=self._unit_ids, unit_row=unit_row, **columns)
        self.sent.append(fixes)
        return fixes

    def all(self) -> Fixes:
        """
        Give all that arrived.

        Returns
        -------
        fixes : Fixes
            In the order in which they arrived.
        """
        return Fixes(
            unit_ids=self._unit_ids,
            **{
                name: np.concatenate([getattr(part, name) for part in self.sent])
                for name in COLUMNS
            },
        )
