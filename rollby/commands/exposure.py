"""``--map`` of ``rollby simulate`` and ``rollby replay``: how long each stop was exposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.exposed import exposed_stops
from rollby.files import write_text
from rollby.output import manner_of

if TYPE_CHECKING:
    from pathlib import Path

    from data.events import History
    from data.settings import Settings
    from geo.network import RoadNetwork


def draw_exposure(
    path: Path, net: RoadNetwork, history: History, settings: Settings, *, tiles: bool
) -> None:
    """
    Write the exposure map of a recorded period.

    Parameters
    ----------
    path : Path
        The HTML file.
    net : RoadNetwork
        Its base map.
    history : History
        What was recorded.
    settings : Settings
        Time zone and speed unit; whether the data are made up.
    tiles : bool
        Lay OpenStreetMap's online tiles beneath it.
    """
    from maps.exposure_map import exposure_map

    page = exposure_map(
        net.table,
        exposed_stops(history),
        simulated=history.simulated or settings.units.simulated,
        manner=manner_of(settings, tiles=tiles),
    )
    write_text(path, page, what="map")
