"""How ready each zone is, as a map shows it: beats where there are some, else cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h3
import numpy as np

from data.answers import Readiness
from data.settings import Policy
from geo.cells import cells_of_edges, streets_of_cells
from geo.coverage import edges_in, middling_s
from geo.preparedness import preparedness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.answers import Coverage
    from data.beats import Beat
    from data.road_table import IntArray
    from geo.network import RoadNetwork


def readiness(
    net: RoadNetwork,
    coverage: Coverage,
    beats: Sequence[Beat] = (),
    policy: Policy | None = None,
) -> tuple[Readiness, ...]:
    """
    Give the preparedness of zones.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    coverage : Coverage
        Of each edge.
    beats : sequence of Beat
        The zones; without any, H3 cells with road are.
    policy : Policy or None
        The constants; None for the defaults.

    Returns
    -------
    zones : tuple of Readiness
        The least ready first; beats without road are left out.
    """
    chosen = policy or Policy()

    def zone(name: str, place: tuple[float, float], rows: IntArray) -> Readiness:
        time_s = middling_s(coverage.nearest_s[rows], np.maximum(net.table.road_m[rows], 1e-3))
        stops = float(coverage.stops_an_hour[rows].sum())
        ready = float(preparedness(time_s, np.array(stops), chosen))
        return Readiness(
            name=name,
            lon_deg=place[0],
            lat_deg=place[1],
            preparedness=ready,
            second_s=float(time_s[1]),
            stops_an_hour=stops,
        )

    if beats:
        inside = ((beat, np.flatnonzero(edges_in(net, beat))) for beat in beats)
        places = ((beat, beat.area.representative_point(), rows) for beat, rows in inside)
        zones = [zone(beat.name, (at.x, at.y), rows) for beat, at, rows in places if len(rows)]
    else:
        cell, row = cells_of_edges(net)
        order = np.argsort(row, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(row[order])) + 1)
        named = zip(cell.tolist(), streets_of_cells(net, row, len(cell)), groups, strict=True)
        middles = ((h3.cell_to_latlng(one), street, rows) for one, street, rows in named)
        zones = [zone(street, (lon, lat), rows) for (lat, lon), street, rows in middles]
    return tuple(sorted(zones, key=lambda one: one.preparedness))
