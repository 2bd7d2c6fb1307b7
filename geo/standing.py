"""All stops that stand, and the drive times of all units to all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.kernels.read import by_state, read_back, read_standing
from geo.searching import limit_ms_of, searched, seconds
from geo.starts import ends_of, seeds_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.road_table import FloatArray, Int32Array
    from geo.network import RoadNetwork
    from geo.snap import Position
    from geo.starts import Starts


MOST_NEW = 64  # stops that are read one by one before all are turned round again
CALL = 100  # labels that could be read in the time that reading one more stop takes to begin


class StandingStops:
    """
    Stops that stand, each searched backward once.

    What the searches reached is held by state rather than by stop: a fix then reads the few stops
    near it from one place in memory. That costs more to make than a few stops cost to read, so the
    newest are read one by one, and what is held of stops that are gone is passed over, until that
    has cost as much as turning all round, or there are many of either.

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
        self._read = self._labels = 0
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
        self._labels -= self._labels_of(stop_id)
        self._slot.pop(stop_id, None)
        net = self._net
        ends = ends_of(net, place)
        with searched(net.spare, net.backward, *seeds_back(net, *ends), self._limit_ms) as found:
            touched = found.touched.copy()
            self._reached[stop_id] = touched, found.label_ms[touched]
            self._labels += len(touched)
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
        self._labels -= self._labels_of(stop_id)
        for held in (self._reached, self._ends, self._new, self._slot):
            held.pop(stop_id, None)

    def _labels_of(self, stop_id: str) -> int:
        """Count what a stop's search reached; 0 for one that does not stand."""
        return len(self._reached[stop_id][0]) if stop_id in self._reached else 0

    def drive_times_ms(self, starts: Starts, stop_ids: Sequence[str] | None = None) -> Int32Array:
        """
        Read the drive times from many positions to stops.

        Parameters
        ----------
        starts : Starts
            k positions (`geo.starts`).
        stop_ids : sequence of str or None
            Of stops that stand; None for all, by `stop_ids`.

        Returns
        -------
        time_ms : ndarray of int32, shape (k, stops)
            In that order; `UNREACHED` where there is no way within the horizon.
        """
        wanted = self.stop_ids if stop_ids is None else tuple(stop_ids)
        slots = len(self._by_state[-1])
        gone = slots - len(self._slot)
        apart = [stop_id for stop_id in wanted if stop_id in self._new]
        self._read += len(apart) * (len(starts.edge) + CALL)
        many = None in self._new.values() or gone > MOST_NEW + len(self._slot)
        if many or self._read > self._labels:
            self._by_state = self._turned_round()
            slots = len(self._slot)
        limit_ms, roads = self._limit_ms, (self._net.end_state, self._net.edge_ms)
        legs = starts.edge, starts.done_ms, starts.price_ms
        known_ms = np.empty((len(starts.edge), slots), np.int32)
        if any(stop_id in self._slot for stop_id in wanted):
            read_standing(*self._by_state[:-1], *roads, *legs, limit_ms, known_ms)
        if len(self._slot) == slots and wanted == tuple(self._slot):
            return known_ms
        time_ms = np.empty((len(wanted), len(starts.edge)), np.int32)
        for row, stop_id in enumerate(wanted):
            if pages := self._new.get(stop_id):
                read_back(*pages, *self._ends[stop_id], *roads, *legs, limit_ms, time_ms[row])
            else:
                time_ms[row] = known_ms[:, self._slot[stop_id]]
        return np.ascontiguousarray(time_ms.T)

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
        self._read = 0
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
