"""
The road each fix is on: looked for in a small window, and in a larger one where doubt is left.

A candidate is a segment near the fix. Of an edge only the nearest segment counts, however well
another agrees with the heading; at the point where two meet, the one that agrees better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from data.road_table import METRES_PER_DEG
from geo.kernels.grid import EDGE, FIRST, FLAGS, LAST, PAD_DEG, POINT, cell_of
from geo.kernels.kinds import (
    FLOAT,
    FLOAT_ROWS,
    FLOAT_ROWS_OUT,
    FLOATS,
    FLOATS_OUT,
    INT,
    INTS,
    LONGS,
    NOTHING,
    ROWS,
    ROWS_OUT,
    TRUTH,
    several,
)

if TYPE_CHECKING:
    from data.road_table import FloatArray, Int32Array, IntArray

    Grid = tuple[FloatArray, int, int, Int32Array, Int32Array, FloatArray]

FAR_M = 250.0  # no road so near: the position is a fault
MAIN_M = 100.0  # a road of the main part is preferred so much further over a cut-off scrap
# A road at right angles to the heading counts as so much further away, the opposite carriageway
# as twice that: more than the error of a fix in a street, less than the next street is away.
# A fix that errs by more than that leaves more to the heading: its error takes the place of this.
HEADING_M = 25.0
# A road that is commonly driven a quarter slower than the car goes is as good as any; one driven
# at 1 / 1.75 of it counts as far off as the fix may err, and never further: a car whose fix is
# good is where it is, however fast. A slow car says nothing: there are jams on motorways.
FAST, TOO_FAST = 1.25, 1.75
ERROR_M = 10.0  # of a fix that does not say its own: a common receiver in a street
# The radius that receivers state holds 68 % of fixes: 1.5 standard deviations on a plane.
ERROR_SD = 1.5
# Cars keep to a side of the line that is drawn for their road, and the line is some metres off.
ROAD_SD_M = 5.0
HEADING_LOG = 4.0  # sharpness of the von Mises law: headings err by 0.5 rad, a lane change included
TOO_FAST_LOG = 2.0  # a road so slow is that much less likely, in natural logarithms
RIVAL_LOG = 4.6  # a road a hundred times less likely is no rival
WINDOW_M = 40.0  # searched first: enough for most fixes in a town
SAME_M = 1e-6  # distances so near to each other are the same
WHOLE_DEG = 359.0  # roads so far apart may be neighbours across the date line

# Columns of a candidate: square of its distance, where on it that is, its vector eastward and
# northward, and the square of its length; m.
_SQUARE, _ALONG, _EAST, _NORTH, _LENGTH, _WIDTH = 0, 1, 2, 3, 4, 5
# What bears on the choice.
_SIN, _COS, _HEADING_M, _SPEED, _ERROR_M, _FACTS = 0, 1, 2, 3, 4, 5
# Columns of what is asked, of whole numbers and of figures answered; a row a fix.
LON, LAT, HEADING, ACCURACY, SPEED, ASKED = 0, 1, 2, 3, 4, 5
ON, RUNNER_UP, PASSED_OVER, WHOLE = 0, 1, 2, 3
FRACTION, OFFSET, AT_LON, AT_LAT, CONFIDENCE, FIGURES = 0, 1, 2, 3, 4, 5

GRID = several(FLOATS, INT, INT, INTS, ROWS, FLOAT_ROWS)
"""`geo.snap_grid.SnapGrid.cells`."""


@njit(
    INT(FLOATS, INT, INT, INTS, ROWS, FLOAT_ROWS, FLOATS_OUT, FLOAT, FLOAT_ROWS_OUT, ROWS_OUT, INT),
    cache=True,
    nogil=True,
)
def _list_near(
    frame: FloatArray,
    columns: int,
    rows: int,
    start: Int32Array,
    owner: Int32Array,
    line: FloatArray,
    fix: FloatArray,
    within_m: float,
    near: FloatArray,
    place: Int32Array,
    found: int,
) -> int:
    """List the segments within a distance, on the plane that touches the earth at the place."""
    lon, lat = fix[0], fix[1]
    west, south, width, height = frame[0], frame[1], frame[2], frame[3]
    east_m = METRES_PER_DEG * max(np.cos(np.radians(lat)), 1e-6)
    reach_lat = within_m / METRES_PER_DEG + PAD_DEG
    reach_lon = within_m / east_m + PAD_DEG
    beside = lon + reach_lon < west or lon - reach_lon > west + columns * width
    if beside or lat + reach_lat < south or lat - reach_lat > south + rows * height:
        return found
    first = cell_of(lon - reach_lon, west, width, columns)
    last = cell_of(lon + reach_lon, west, width, columns)
    bottom = cell_of(lat - reach_lat, south, height, rows)
    top = cell_of(lat + reach_lat, south, height, rows)
    for row in range(bottom, top + 1):
        # The cells of a row lie one after the other.
        for i in range(start[row * columns + first], start[row * columns + last + 1]):
            x = (line[i, 0] - lon) * east_m
            y = (line[i, 1] - lat) * METRES_PER_DEG
            dx = (line[i, 2] - lon) * east_m - x
            dy = (line[i, 3] - lat) * METRES_PER_DEG - y
            length = dx * dx + dy * dy
            dot = -(x * dx + y * dy)
            along = 0.0
            if dot > 0:
                along = 1.0 if dot >= length else dot / length
            x += along * dx
            y += along * dy
            square = x * x + y * y
            if square > within_m * within_m:
                continue
            if found < len(place):
                near[found, _SQUARE], near[found, _ALONG] = square, along
                near[found, _EAST], near[found, _NORTH] = dx, dy
                near[found, _LENGTH] = length
                place[found, 0], place[found, 1] = i, owner[i, EDGE]
            found += 1
    return found


@njit(TRUTH(FLOAT_ROWS_OUT, ROWS_OUT, INT, INT), cache=True, nogil=True)
def _is_nearest(near: FloatArray, place: Int32Array, found: int, i: int) -> bool:
    """Tell whether no other segment of the same edge is nearer."""
    limit_m = np.sqrt(near[i, _SQUARE]) - SAME_M
    for j in range(found):
        if place[j, 1] == place[i, 1] and limit_m > 0 and near[j, _SQUARE] < limit_m * limit_m:
            return False
    return True


@njit(FLOAT(FLOATS_OUT, FLOAT_ROWS_OUT, INT), cache=True, nogil=True)
def _agrees(car: FloatArray, near: FloatArray, i: int) -> float:
    """Give the cosine between a car's heading and a segment; one of no length points north."""
    if car[_HEADING_M] == 0:
        return 1.0
    if near[i, _LENGTH] == 0:
        return float(car[_COS])
    dot = near[i, _EAST] * car[_SIN] + near[i, _NORTH] * car[_COS]
    return float(dot / np.sqrt(near[i, _LENGTH]))


@njit(FLOAT(FLOATS_OUT, FLOATS, INT), cache=True, nogil=True)
def _too_fast(car: FloatArray, road_mps: FloatArray, edge: int) -> float:
    """Grade from 0 to 1 how much too slow a road is for a car; an unknown speed says nothing."""
    if car[_SPEED] > 0 and car[_SPEED] > FAST * road_mps[edge]:
        return min(float(car[_SPEED] / road_mps[edge] - FAST) / (TOO_FAST - FAST), 1.0)
    return 0.0


@njit(
    several(INT, INT, FLOAT)(ROWS, FLOATS, INT, FLOAT, FLOATS_OUT, FLOAT_ROWS_OUT, ROWS_OUT, INT),
    cache=True,
    nogil=True,
)
def _best(
    owner: Int32Array,
    road_mps: FloatArray,
    joined: int,
    main_m: float,
    car: FloatArray,
    near: FloatArray,
    place: Int32Array,
    found: int,
) -> tuple[int, int, float]:
    """Choose the candidate of the lowest score, ties by the lower edge: it, leg and score."""
    best, best_leg, best_edge, best_score = -1, 0, -1, np.inf
    for i in range(found):
        if near[i, _SQUARE] > (best_score + 1) * (best_score + 1) * SAME_M * SAME_M:
            continue
        distance_m = np.sqrt(near[i, _SQUARE])
        turned = 1 - _agrees(car, near, i)
        for leg in range(2):
            edge = owner[place[i, 0], EDGE + leg]
            if edge < 0:
                break
            away = turned if leg == 0 else 2 - turned
            score = distance_m + car[_HEADING_M] * away
            score += car[_ERROR_M] * _too_fast(car, road_mps, edge)
            # A car that leaves the map on one carriageway is not on the other, though that is
            # joined: what is driven the other way is not preferred.
            if away > 1 or not owner[place[i, 0], FLAGS] & joined << leg:
                score += main_m
            # Rounded, so that roads on one line are told apart by their rows, not by a last bit.
            score = np.rint(score * (1 / SAME_M))
            lower = score < best_score or (score == best_score and edge < best_edge)
            if lower and _is_nearest(near, place, found, i):
                best, best_leg, best_edge, best_score = i, leg, edge, score
    return best, best_leg, best_score * SAME_M


@njit(
    FLOAT(ROWS, FLOATS, FLOAT, FLOATS_OUT, FLOAT_ROWS_OUT, ROWS_OUT, INT, INT),
    cache=True,
    nogil=True,
)
def _likelihood(
    owner: Int32Array,
    road_mps: FloatArray,
    sd_m: float,
    car: FloatArray,
    near: FloatArray,
    place: Int32Array,
    i: int,
    leg: int,
) -> float:
    """Give the log of how likely a fix is for a car on a candidate, up to a constant."""
    log = -0.5 * near[i, _SQUARE] / (sd_m * sd_m)
    if car[_HEADING_M] > 0:
        agrees = _agrees(car, near, i)
        log -= HEADING_LOG * (1 - (agrees if leg == 0 else -agrees))
    return float(log) - TOO_FAST_LOG * _too_fast(car, road_mps, owner[place[i, 0], EDGE + leg])


@njit(
    several(INT, FLOAT)(
        ROWS,
        FLOATS,
        INTS,
        INTS,
        FLOAT,
        FLOATS_OUT,
        FLOAT_ROWS_OUT,
        ROWS_OUT,
        INT,
        INT,
        FLOAT,
    ),
    cache=True,
    nogil=True,
)
def _rival(
    owner: Int32Array,
    road_mps: FloatArray,
    tail: Int32Array,
    head: Int32Array,
    sd_m: float,
    car: FloatArray,
    near: FloatArray,
    place: Int32Array,
    found: int,
    best: int,
    floor: float,
) -> tuple[int, float]:
    """
    Choose the likeliest other road, ties by the lower edge: it, and the log of its likelihood.

    A road whose nearest point is the crossing where it meets the best is none: it lies beyond.
    """
    one, other = tail[place[best, 1]], head[place[best, 1]]
    rival, rival_log = -1, floor
    for i in range(found):
        if place[i, 1] == place[best, 1] or -0.5 * near[i, _SQUARE] / (sd_m * sd_m) < rival_log:
            continue
        for leg in range(2):
            edge = owner[place[i, 0], EDGE + leg]
            if edge < 0:
                break
            log = _likelihood(owner, road_mps, sd_m, car, near, place, i, leg)
            if log > rival_log or (log == rival_log and edge < rival):
                flags, along = owner[place[i, 0], FLAGS], near[i, _ALONG]
                beyond = False
                if flags & FIRST and along <= 0:
                    beyond = tail[place[i, 1]] in (one, other)
                elif flags & LAST and along >= 1:
                    beyond = head[place[i, 1]] in (one, other)
                if not beyond and _is_nearest(near, place, found, i):
                    rival, rival_log = edge, log
    return rival, rival_log


@njit(NOTHING(FLOAT_ROWS, INT, FLOATS_OUT), cache=True, nogil=True)
def _weigh(asked: FloatArray, k: int, car: FloatArray) -> None:
    """Note what bears on the choice."""
    heading, error_m = asked[k, HEADING], asked[k, ACCURACY]
    error_m = ERROR_M if np.isnan(error_m) else min(max(error_m, 0.0), FAR_M)
    known = np.isfinite(heading)
    car[_SIN] = np.sin(np.radians(heading)) if known else 0.0
    car[_COS] = np.cos(np.radians(heading)) if known else 1.0
    car[_HEADING_M] = max(HEADING_M, error_m) if known else 0.0
    car[_SPEED], car[_ERROR_M] = asked[k, SPEED], error_m


@njit(
    NOTHING(GRID, FLOATS, FLOATS, INTS, INTS, INT, FLOAT_ROWS, LONGS, ROWS_OUT, FLOAT_ROWS_OUT),
    cache=True,
    nogil=True,
)
def snap_fixes(
    grid: Grid,
    road_mps: FloatArray,
    share: FloatArray,
    tail: Int32Array,
    head: Int32Array,
    joined: int,
    asked: FloatArray,
    order: IntArray,
    whole: Int32Array,
    figures: FloatArray,
) -> None:
    """
    Put fixes on roads.

    Parameters
    ----------
    grid, road_mps
        Of a `geo.snap_grid.SnapGrid`: `cells` and `road_mps`.
    share : ndarray of float64, shape (p,)
        Of its edge's length that lies before each shape point.
    tail, head : ndarray of int32, shape (m,)
        Of edges.
    joined : int
        The flag of edges that are not cut off.
    asked : ndarray of float64, shape (k, 5)
        Longitude, latitude, heading, accuracy and speed of each fix, NaN for what is unknown.
    order : ndarray of int64, shape (k,)
        In which fixes are taken: neighbours after each other are found in the same memory.
    whole : ndarray of int32, shape (k, 3)
        -1 for none; edge, runner-up and the nearer edge that was passed over, after.
    figures : ndarray of float64, shape (k, 5)
        NaN; fraction, offset, longitude and latitude on the road, and
        confidence after, of fixes that are on a road.
    """
    frame, columns, rows, start, owner, line = grid
    room = 256
    near, place = np.empty((room, _WIDTH)), np.empty((room, 2), np.int32)
    car = np.empty(_FACTS)
    middle = frame[0] + columns * frame[2] / 2
    turns = np.zeros(1)
    if columns * frame[2] > WHOLE_DEG:
        turns = np.array([0.0, -360.0, 360.0])
    place_deg = np.empty(2)
    for k in order:
        lat = asked[k, LAT]
        lon = asked[k, LON] - 360 * np.rint((asked[k, LON] - middle) / 360)
        if not (np.isfinite(lon) and np.isfinite(lat)):
            continue
        _weigh(asked, k, car)
        window_m, best, leg, sd_m, floor = WINDOW_M, -1, 0, 0.0, 0.0
        while True:
            found = 0
            for turn in turns:
                place_deg[0], place_deg[1] = lon + turn, lat
                found = _list_near(
                    frame,
                    columns,
                    rows,
                    start,
                    owner,
                    line,
                    place_deg,
                    window_m,
                    near,
                    place,
                    found,
                )
            if found > room:
                room = 2 * found
                near, place = np.empty((room, _WIDTH)), np.empty((room, 2), np.int32)
                continue
            best, leg, reach_m = _best(owner, road_mps, joined, MAIN_M, car, near, place, found)
            if best >= 0:
                sd_m = np.hypot(car[_ERROR_M] / ERROR_SD, ROAD_SD_M)
                sd_m = max(sd_m, np.sqrt(near[best, _SQUARE]))
                floor = _likelihood(owner, road_mps, sd_m, car, near, place, best, leg) - RIVAL_LOG
                reach_m = max(reach_m, sd_m * np.sqrt(-2 * floor))
            reach_m = min(reach_m, FAR_M)
            if window_m >= reach_m:
                break
            window_m = reach_m if best >= 0 else min(3 * window_m, FAR_M)
        if best < 0:
            continue
        rival, rival_log = _rival(
            owner, road_mps, tail, head, sd_m, car, near, place, found, best, floor
        )
        figures[k, CONFIDENCE] = 1.0
        if rival >= 0:
            whole[k, RUNNER_UP] = rival
            figures[k, CONFIDENCE] = 1 / (1 + np.exp(rival_log - floor - RIVAL_LOG))
        i, along = place[best, 0], near[best, _ALONG]
        whole[k, ON] = owner[i, EDGE + leg]
        if owner[i, FLAGS] & joined << leg:
            bare, back, _ = _best(owner, road_mps, joined, 0.0, car, near, place, found)
            if not owner[place[bare, 0], FLAGS] & joined << back:
                whole[k, PASSED_OVER] = owner[place[bare, 0], EDGE + back]
        fraction = share[owner[i, POINT]]
        fraction += along * (share[owner[i, POINT] + 1] - fraction)
        figures[k, FRACTION] = min(fraction if leg == 0 else 1 - fraction, 1.0)
        figures[k, OFFSET] = np.sqrt(near[best, _SQUARE])
        at = line[i, 0] + along * (line[i, 2] - line[i, 0])
        figures[k, AT_LON] = at - 360 * np.rint(at / 360)
        figures[k, AT_LAT] = line[i, 1] + along * (line[i, 3] - line[i, 1])
