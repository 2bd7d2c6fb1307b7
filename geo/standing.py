"""All stops that stand, and the drive times of all units to all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.kernels.read import by_state, read_back, read_standing
from geo.searching import limit_ms_of, searched, seconds
from geo.starts import ends_of, seeds_back

if TYPE_CHECKING:
    from data.road_table import FloatArray, Int32Array
    from geo.network import RoadNetwork
    from geo.snap import Position
    from geo.starts import Starts


MOST_NEW = 8  # stops that are read one by one before all are turned round again


class StandingStops:
    """
    Stops that stand, each searched backward once.

    What the searches reached is held by state rather than by stop: a fix then reads the few stops
    near it from one place in memory. That costs more to make than a few stops cost to read, so the
    newest are read one by one, and what is held of stops that are gone is passed over, until there
    are many of either.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    within_s : float
        Horizon, seconds, >= 0.

    Raises
    ------
    InputError
        If the horizon is below 0.
    """

    def __init__(self, net: RoadNetwork, *, within_s: float) -> None:
        self._net = net
        self._limit_ms = limit_ms_of(within_s)
        self._reached: dict[str, tuple[Int32Array, Int32Array]] = {}
        self._ends: dict[str, tuple[Int32Array, Int32Array]] = {}
        self._new: dict[str, tuple[Int32Array, Int32Array] | None] = {}
        self._slot: dict[str, int] = {}
        self._by_state = self._turned_round()

    @property
    def stop_ids(self) -> tuple[str, ...]:
        """The stops that stand, in the order they were put up."""
        return tuple(self._reached)

    def put(self, stop_id: str, place: Position) -> None:
        """
        Put a stop up, or where it is now.

        Parameters
        ----------
        stop_id : str
            Its name.
        place : Position
            Where it is.
        """
        self._slot.pop(stop_id, None)
        net = self._net
        ends = ends_of(net, place)
        with searched(net.spare, net.backward, *seeds_back(net, *ends), self._limit_ms) as found:
            touched = found.touched.copy()
            self._reached[stop_id] = touched, found.label_ms[touched]
            few = len(self._new.keys() | {stop_id}) <= MOST_NEW
            self._new[stop_id] = found.kept() if few else None
        self._ends[stop_id] = ends

    def clear(self, stop_id: str) -> None:
        """
        Take a stop down.

        Parameters
        ----------
        stop_id : str
            Its name; one that does not stand is no fault.
        """
        for held in (self._reached, self._ends, self._new, self._slot):
            held.pop(stop_id, None)

    def drive_times_ms(self, starts: Starts) -> Int32Array:
        """
        Read the drive times from many positions to all stops.

        Parameters
        ----------
        starts : Starts
            k positions (`geo.starts`).

        Returns
        -------
        time_ms : ndarray of int32, shape (k, stops)
            By `stop_ids`; `UNREACHED` where there is no way within the horizon.
        """
        slots = len(self._by_state[-1])
        gone = slots - len(self._slot)
        if None in self._new.values() or gone > MOST_NEW + len(self._slot):
            self._by_state = self._turned_round()
            slots = len(self._slot)
        known_ms = np.empty((len(starts.edge), slots), np.int32)
        limit_ms, roads = self._limit_ms, (self._net.end_state, self._net.edge_ms)
        legs = starts.edge, starts.done_ms, starts.price_ms
        read_standing(*self._by_state[:-1], *roads, *legs, limit_ms, known_ms)
        if len(self._slot) == slots == len(self._reached):
            return known_ms
        time_ms = np.empty((len(starts.edge), len(self._reached)), np.int32)
        one_ms = np.empty(len(starts.edge), np.int32)
        for column, stop_id in enumerate(self._reached):
            if pages := self._new.get(stop_id):
                read_back(*pages, *self._ends[stop_id], *roads, *legs, limit_ms, one_ms)
                time_ms[:, column] = one_ms
            else:
                time_ms[:, column] = known_ms[:, self._slot[stop_id]]
        return time_ms

    def drive_times_s(self, starts: Starts) -> FloatArray:
        """
        Read the drive times from many positions to all stops.

        Returns
        -------
        drive_time_s : ndarray of float64, shape (k, stops)
            By `stop_ids`; inf where there is no way within the horizon.
        """
        return seconds(self.drive_times_ms(starts))

    def _turned_round(self) -> tuple[Int32Array, Int32Array, Int32Array, Int32Array, Int32Array]:
        """Hold what the searches reached by state; none is new then."""
        self._new.clear()
        self._slot = {stop_id: slot for slot, stop_id in enumerate(self._reached)}
        none = [np.empty(0, np.int32)]
        touched, rest_ms = (
            np.concatenate(none + [part[i] for part in self._reached.values()]) for i in range(2)
        )
        sizes = [len(part) for part, _ in self._reached.values()]
        part_start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        slots = np.arange(len(sizes), dtype=np.int32)
        start, entry = by_state(self._net.backward.count, part_start, touched, rest_ms, slots)
        edge, done_ms = (
            np.concatenate(none + [part[i] for part in self._ends.values()]) for i in range(2)
        )
        slot = np.repeat(slots, [len(part) for part, _ in self._ends.values()])
        order = np.lexsort((slot, edge))
        end = np.stack([slot, done_ms], axis=1)[order].astype(np.int32)
        return start, entry, edge[order], end, slots
