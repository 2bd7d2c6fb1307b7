"""Places along the lines of edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.road_table import FloatArray, RoadTable


def shape_shares(table: RoadTable) -> FloatArray:
    """
    Work out how far along its edge each shape point lies.

    Parameters
    ----------
    table : RoadTable
        The roads.

    Returns
    -------
    share : ndarray of float64, shape (k,)
        Share of its edge's length that lies before each, 0 to 1.
    """
    lon, lat, start = table.shape_lon_deg, table.shape_lat_deg, table.shape_start
    east = np.diff(lon)
    east -= 360 * np.rint(east / 360)  # the short way across the date line
    step = np.hypot(east * np.cos(np.radians(lat[:-1])), np.diff(lat))
    step[start[1:-1] - 1] = 0  # from the end of one edge to the start of the next
    reached = np.concatenate([[0], np.cumsum(step)])
    owner = np.repeat(np.arange(table.edge_count), np.diff(start))
    whole = np.maximum(reached[start[1:] - 1] - reached[start[:-1]], 1e-12)
    share: FloatArray = (reached - reached[start[:-1]][owner]) / whole[owner]
    return share


def middles_deg(table: RoadTable, share: FloatArray) -> tuple[FloatArray, FloatArray]:
    """
    Find the middle of each edge's line.

    Parameters
    ----------
    table : RoadTable
        The roads.
    share : ndarray of float64, shape (k,)
        As `shape_shares` gives it.

    Returns
    -------
    lon_deg, lat_deg : ndarray of float64, shape (m,)
        WGS 84.
    """
    edge = np.arange(table.edge_count)
    key = np.repeat(edge, np.diff(table.shape_start)) + np.minimum(share, 0.999)
    after = np.searchsorted(key, edge + 0.5)
    after = np.clip(after, table.shape_start[:-1] + 1, table.shape_start[1:] - 1)
    begin, end = share[after - 1], share[after]
    part = np.clip((0.5 - begin) / np.maximum(end - begin, 1e-12), 0, 1)
    lon, lat = table.shape_lon_deg, table.shape_lat_deg
    return (
        lon[after - 1] + part * (lon[after] - lon[after - 1]),
        lat[after - 1] + part * (lat[after] - lat[after - 1]),
    )
