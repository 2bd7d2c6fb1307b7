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
from geo.kernels.grid import (
    BACK,
    EAST0,
    EAST1,
    EDGE,
    FIRST,
    FLAGS,
    LAST,
    NORTH0,
    NORTH1,
    POINT,
)
from geo.kernels.kinds import (
    FLOAT_ROWS,
    FLOAT_ROWS_OUT,
    FLOATS,
    INT,
    INTS,
    LONGS,
    NOTHING,
    ROWS_OUT,
    TRUTHS,
    UINT_ROWS_OUT,
    UNCOUNTED,
    several,
)
from geo.kernels.near import (
    GRID,
    SAME_M,
    ask_ahead,
    corners_of,
    is_nearest,
    keep_near,
    least,
    measure_near,
)

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, Int32Array, IntArray
    from geo.kernels.near import Grid, Near, Rows

    Roads = tuple[FloatArray, FloatArray, FloatArray, Int32Array, Int32Array, Int32Array, BoolArray]
    Car = tuple[float, float, float, float, float, float, float]
    Choice = tuple[int, float, int]

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
WINDOW_SD = 4.0  # searched first: enough for all rivals of a road that is 1.25 sd away
SAME_LOG = 1e-9  # likelihoods so near to each other are the same
RIGHT_ANGLE = 1e-6  # a cosine so near to 0 is for neither way of a road
WHOLE_DEG = 359.0  # roads so far apart may be neighbours across the date line
TURNS_DEG = (0.0, -360.0, 360.0)
ROOM = 256  # segments near a fix, at first
NO_CHOICE = (-1, np.inf, 0)
AT_END_M = 0.01  # nearer to where an edge ends than that: rounding

# What bears on the choice; and the length of a unit eastward and northward, m.
_SIN, _COS, _HEADING_M, _SPEED, _ERROR_M, _EAST_M, _NORTH_M = 0, 1, 2, 3, 4, 5, 6
# Rows of what is asked, of whole numbers and of figures answered; a column a fix.
LON, LAT, HEADING, ACCURACY, SPEED, ASKED = 0, 1, 2, 3, 4, 5
ON, RUNNER_UP, PASSED_OVER, TURN_ROUND_MS, ANY_WAY, WHOLE = 0, 1, 2, 3, 4, 5
FRACTION, OFFSET, AT_LON, AT_LAT, CONFIDENCE, FIGURES = 0, 1, 2, 3, 4, 5

ROADS = several(FLOATS, FLOATS, FLOATS, INTS, INTS, INTS, TRUTHS)
"""`geo.snap.roads_of`."""

# What is called for each fix is inlined: passing arrays would take longer than the work itself.


@njit(inline="always")
def _vector(car: Car, segment: Int32Array, row: int) -> tuple[float, float]:
    """Give a segment's vector eastward and northward, m."""
    east = (float(segment[row, EAST1]) - segment[row, EAST0]) * car[_EAST_M]
    north = (float(segment[row, NORTH1]) - segment[row, NORTH0]) * car[_NORTH_M]
    return east, north


@njit(inline="always")
def _agrees(car: Car, segment: Int32Array, row: int) -> float:
    """
    Give the cosine between a car's heading and a segment; one of no length points north.

    Of an unknown heading, 0: it speaks for neither way.
    """
    agrees = 0.0
    if car[_HEADING_M] > 0:
        east, north = _vector(car, segment, row)
        square = east * east + north * north
        agrees = car[_COS]
        if square > 0:
            agrees = (east * car[_SIN] + north * car[_COS]) / np.sqrt(square)
    return agrees


@njit(inline="always")
def _too_fast(car: Car, road_mps: FloatArray, edge: int) -> float:
    """Grade from 0 to 1 how much too slow a road is for a car; an unknown speed says nothing."""
    grade = 0.0
    if car[_SPEED] > 0 and car[_SPEED] > FAST * road_mps[edge]:
        grade = min((car[_SPEED] / road_mps[edge] - FAST) / (TOO_FAST - FAST), 1.0)
    return grade


@njit(inline="always")
def _better(best: Choice, other: Choice) -> Choice:
    """Choose between two candidates: the one of the lower cost, ties by the lower edge."""
    lower = (other[1] < best[1]) | ((other[1] == best[1]) & (other[2] < best[2]))
    return other if lower else best


@njit(inline="always")
def _choose(cost: FloatArray, edge: Rows, found: int) -> int:
    """Choose the candidate of the lowest cost, ties by the lower edge; -1 where none is finite."""
    best = NO_CHOICE
    for i in range(found):
        best = _better(best, (i, cost[i], edge[i]))
    return best[0]


@njit(inline="always")
def _score(
    segment: Int32Array,
    road_mps: FloatArray,
    joined: int,
    main_m: float,
    car: Car,
    square: float,
    agrees: float,
    row: int,
) -> tuple[float, int]:
    """Score a segment, and choose the edge in whose direction it is driven."""
    turned, flags, back = 1 - agrees, segment[row, FLAGS], segment[row, BACK]
    edge = segment[row, EDGE]
    # A car that leaves the map on one carriageway is not on the other, though that is
    # joined: what is driven the other way is not preferred.
    ahead_main = (flags & joined != 0) & (turned <= 1 + RIGHT_ANGLE)
    back_main = (flags & joined << 1 != 0) & (2 - turned <= 1 + RIGHT_ANGLE)
    ahead = car[_HEADING_M] * turned + car[_ERROR_M] * _too_fast(car, road_mps, edge)
    ahead += 0.0 if ahead_main else main_m
    behind = car[_HEADING_M] * (2 - turned) + car[_ERROR_M] * _too_fast(car, road_mps, back)
    behind += 0.0 if back_main else main_m
    turn = (back >= 0) & (behind < ahead)
    # Rounded, so that roads on one line are told apart by their rows, not by a last bit.
    score = np.rint((np.sqrt(square) + (behind if turn else ahead)) * (1 / SAME_M)) * SAME_M
    return score, back if turn else edge


@njit(inline="always")
def _best(
    segment: Int32Array,
    road_mps: FloatArray,
    joined: int,
    main_m: float,
    car: Car,
    near: Near,
    found: int,
) -> tuple[int, float, bool]:
    """
    Choose the candidate of the lowest score; its edge is then the one in `edge`.

    Returns it, its score, and whether all candidates are of the main part.
    """
    square, _, row, cost, of, edge, agrees = near
    all_main, choice = True, NO_CHOICE
    for i in range(found):
        agrees[i] = _agrees(car, segment, row[i])
        cost[i], edge[i] = _score(
            segment, road_mps, joined, main_m, car, square[i], agrees[i], row[i]
        )
        choice = _better(choice, (i, cost[i], edge[i]))
        of[i], flags = segment[row[i], EDGE], segment[row[i], FLAGS]
        back_main = (segment[row[i], BACK] < 0) | (flags & joined << 1 != 0)
        all_main &= (flags & joined != 0) & back_main
    best = choice[0]
    while best >= 0 and not is_nearest(square, of, found, best):
        cost[best] = np.inf
        best = _choose(cost, edge, found)
    return best, cost[best] if best >= 0 else np.inf, all_main


@njit(inline="always")
def _against(
    car: Car, segment: Int32Array, road_mps: FloatArray, agrees: float, row: int, leg: int
) -> float:
    """Give how much less likely heading and speed make a road, in natural logarithms."""
    against = TOO_FAST_LOG * _too_fast(car, road_mps, segment[row, EDGE + leg])
    if car[_HEADING_M] > 0:
        against += HEADING_LOG * (1 - (agrees if leg == 0 else -agrees))
    return against


@njit(inline="always")
def _reach_square(variance: float, square: float, against: float) -> float:
    """Give how far away rivals of a candidate may be, squared, m2."""
    return square + 2 * (RIVAL_LOG + against) * max(variance, square)


@njit(inline="always")
def _lies_beyond(
    car: Car,
    segment: Int32Array,
    tail: Int32Array,
    head: Int32Array,
    row: int,
    along: float,
    own: int,
) -> bool:
    """Tell whether what is nearest of a road is the crossing where it meets another."""
    beyond, flags, edge = False, segment[row, FLAGS], segment[row, EDGE]
    east, north = _vector(car, segment, row)
    square = east * east + north * north
    if flags & FIRST and along * along * square <= SAME_M * SAME_M:
        beyond = tail[edge] in (tail[own], head[own])
    elif flags & LAST and (1 - along) * (1 - along) * square <= SAME_M * SAME_M:
        beyond = head[edge] in (tail[own], head[own])
    return beyond


@njit(inline="always")
def _rival(
    segment: Int32Array,
    road_mps: FloatArray,
    tail: Int32Array,
    head: Int32Array,
    per_square: float,
    car: Car,
    near: Near,
    found: int,
    own: int,
    floor: float,
) -> tuple[int, float]:
    """Choose the likeliest other road, ties by the lower edge: it, and the log of that."""
    square, along, row, cost, of, edge, agrees = near
    choice = NO_CHOICE
    for i in range(found):
        back = segment[row[i], BACK]
        ahead = _against(car, segment, road_mps, agrees[i], row[i], 0)
        behind = _against(car, segment, road_mps, agrees[i], row[i], 1)
        turn = (back >= 0) & (behind < ahead)
        log = per_square * square[i] - (behind if turn else ahead)
        log = np.rint(log * (1 / SAME_LOG)) * SAME_LOG
        cost[i] = -log if (of[i] != own) & (log > floor) else np.inf
        edge[i] = back if turn else of[i]
        choice = _better(choice, (i, cost[i], edge[i]))
    rival = choice[0]
    while rival >= 0 and (
        _lies_beyond(car, segment, tail, head, row[rival], along[rival], own)
        or not is_nearest(square, of, found, rival)
    ):
        cost[rival] = np.inf
        rival = _choose(cost, edge, found)
    return rival, -cost[rival] if rival >= 0 else floor


@njit(inline="always")
def _car(asked: FloatArray, k: int, east_m: float, north_m: float) -> Car:
    """Note what bears on the choice: sine, cosine and weight of the heading, speed, error."""
    heading, error_m = asked[HEADING, k], asked[ACCURACY, k]
    error_m = ERROR_M if np.isnan(error_m) else min(max(error_m, 0.0), FAR_M)
    sin, cos, heading_m = 0.0, 1.0, 0.0
    if np.isfinite(heading):
        sin, cos = np.sin(np.radians(heading)), np.cos(np.radians(heading))
        heading_m = max(HEADING_M, error_m)
    return sin, cos, heading_m, asked[SPEED, k], error_m, east_m, north_m


@njit(inline="always")
def _blank(whole: Int32Array, figures: FloatArray, k: int) -> None:
    """Answer that a fix is on no road."""
    for row in range(ANY_WAY):
        whole[row, k] = -1
    whole[ANY_WAY, k] = 0
    for row in range(CONFIDENCE):
        figures[row, k] = np.nan
    figures[CONFIDENCE, k] = 0.0


@njit(inline="always")
def _between(begin: int, end: int, along: float) -> float:
    """Give the coordinate part of the way from one to another."""
    return begin + along * (float(end) - begin)


@njit(inline="always")
def _fraction(fraction: float, leg: int, length_m: float) -> float:
    """Count a part of an edge from the tail of the one that was chosen, and round at its ends."""
    fraction = min(fraction if leg == 0 else 1 - fraction, 1.0)
    if fraction * length_m < AT_END_M:
        fraction = 0.0
    return 1.0 if (1 - fraction) * length_m < AT_END_M else fraction


@njit(NOTHING(ROADS, INT, FLOAT_ROWS, LONGS, ROWS_OUT, FLOAT_ROWS_OUT), cache=True, nogil=True)
def _go_along(
    roads: Roads,
    u_turn_ms: int,
    asked: FloatArray,
    order: IntArray,
    whole: Int32Array,
    figures: FloatArray,
) -> None:
    """
    Work out how far along their edges fixes are, and how they may turn round.

    A loop of its own: waiting for one edge's figures, it already asks for the next one's.
    """
    _, length_m, share, _, _, twin, may_turn = roads
    for k in order:
        edge, point, leg = whole[ON, k], whole[TURN_ROUND_MS, k], whole[ANY_WAY, k]
        if edge < 0:
            continue
        before, after = share[point], share[point + 1]
        along = before + figures[FRACTION, k] * (after - before)
        fraction = _fraction(along, leg, length_m[edge])
        known = np.isfinite(asked[HEADING, k])
        free = twin[edge] >= 0 and (may_turn[edge] or not known)
        whole[TURN_ROUND_MS, k] = (u_turn_ms if known else 0) if free else -1
        whole[ANY_WAY, k] = not known and fraction in (0.0, 1.0)
        figures[FRACTION, k] = fraction


@njit(
    several(INT, INT)(
        GRID,
        ROADS,
        INT,
        FLOAT_ROWS,
        LONGS,
        INTS,
        INT,
        FLOAT_ROWS_OUT,
        UINT_ROWS_OUT,
        ROWS_OUT,
        FLOAT_ROWS_OUT,
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
    **UNCOUNTED,
)
def _snap_from(
    grid: Grid,
    roads: Roads,
    joined: int,
    asked: FloatArray,
    order: IntArray,
    corner: Int32Array,
    begin: int,
    room: FloatArray,
    rows_room: Rows,
    whole: Int32Array,
    figures: FloatArray,
) -> tuple[int, int]:
    """
    Put fixes on roads, beginning with one; stop where there is too little room, to be called again.

    Returns
    -------
    p : int
        The fix to go on with; how many there are, at the end.
    wanted : int
        The room wanted then.
    """
    lon_0, lat_0, unit_deg, frame, columns, rows, start, segment = grid
    road_mps, _, _, tail, head, _, _ = roads
    near = (room[0], room[1], rows_room[0], room[2], rows_room[1], rows_room[2], room[3])
    square, along, row, _, of, edge, agrees = near
    middle = lon_0 + (frame[0] + columns * frame[2] / 2) * unit_deg
    turns = 3 if columns * frame[2] * unit_deg > WHOLE_DEG else 1
    north_m = METRES_PER_DEG * unit_deg
    for p in range(begin, len(order)):
        k = order[p]
        ask_ahead(start, segment, columns, corner, p)
        _blank(whole, figures, k)
        lat = asked[LAT, k]
        lon = asked[LON, k] - 360 * np.rint((asked[LON, k] - middle) / 360)
        if not (np.isfinite(lon) and np.isfinite(lat)):
            continue
        east_m = north_m * max(np.cos(np.radians(lat)), 1e-6)
        north = (lat - lat_0) / unit_deg
        car = _car(asked, k, east_m, north_m)
        error_sd = car[_ERROR_M] / ERROR_SD
        variance = error_sd * error_sd + ROAD_SD_M * ROAD_SD_M
        window_m = min(WINDOW_SD * np.sqrt(variance), FAR_M)
        best, floor, per_square, found, all_main = -1, 0.0, 0.0, 0, True
        while True:
            found, clear_m = 0, FAR_M
            for turn in range(turns):
                east = (lon - lon_0 + TURNS_DEG[turn]) / unit_deg
                found, to_m = measure_near(
                    frame,
                    columns,
                    rows,
                    start,
                    segment,
                    east,
                    north,
                    (east_m, north_m),
                    window_m,
                    near,
                    found,
                )
                clear_m = min(clear_m, to_m)
            if found > len(row):
                return p, found
            reach_m = np.sqrt(_reach_square(variance, least(square, found), 0.0))
            window_m = max(window_m, min(clear_m, reach_m))
            found = keep_near(near, found, window_m)
            best, reach_m, all_main = _best(segment, road_mps, joined, MAIN_M, car, near, found)
            if best >= 0:
                leg = int(edge[best] != of[best])
                against = _against(car, segment, road_mps, agrees[best], row[best], leg)
                per_square = -0.5 / max(variance, square[best])
                floor = per_square * square[best] - against - RIVAL_LOG
                reach_m = max(reach_m, np.sqrt(_reach_square(variance, square[best], against)))
            reach_m = min(reach_m, FAR_M)
            if window_m >= reach_m:
                break
            window_m = reach_m if best >= 0 else min(3 * window_m, FAR_M)
        if best < 0:
            continue
        on, own, i = edge[best], of[best], row[best]
        leg = int(on != own)
        if not all_main and segment[i, FLAGS] & joined << leg:
            bare, _, _ = _best(segment, road_mps, joined, 0.0, car, near, found)
            back = int(edge[bare] != of[bare])
            if not segment[row[bare], FLAGS] & joined << back:
                whole[PASSED_OVER, k] = edge[bare]
        whole[ON, k], whole[TURN_ROUND_MS, k], whole[ANY_WAY, k] = on, segment[i, POINT], leg
        share, figures[FRACTION, k] = along[best], along[best]
        rival, rival_log = _rival(
            segment,
            road_mps,
            tail,
            head,
            per_square,
            car,
            near,
            found,
            own,
            floor,
        )
        figures[CONFIDENCE, k] = 1.0
        if rival >= 0:
            whole[RUNNER_UP, k] = edge[rival]
            figures[CONFIDENCE, k] = 1 / (1 + np.exp(rival_log - floor - RIVAL_LOG))
        figures[OFFSET, k] = np.sqrt(square[best])
        at_lon = lon_0 + unit_deg * _between(segment[i, EAST0], segment[i, EAST1], share)
        figures[AT_LON, k] = at_lon - 360 * np.rint(at_lon / 360)
        figures[AT_LAT, k] = lat_0 + unit_deg * _between(
            segment[i, NORTH0], segment[i, NORTH1], share
        )
    return len(order), 0


@njit(
    NOTHING(GRID, ROADS, INT, INT, FLOAT_ROWS, LONGS, ROWS_OUT, FLOAT_ROWS_OUT),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def snap_fixes(
    grid: Grid,
    roads: Roads,
    joined: int,
    u_turn_ms: int,
    asked: FloatArray,
    order: IntArray,
    whole: Int32Array,
    figures: FloatArray,
) -> None:
    """
    Put fixes on roads.

    Parameters
    ----------
    grid
        `geo.snap_grid.SnapGrid.cells`.
    roads
        `geo.snap.roads_of`.
    joined : int
        The flag of edges that are not cut off.
    u_turn_ms : int
        What turning round takes.
    asked : ndarray of float64, shape (5, k)
        Longitude, latitude, heading, accuracy and speed of each fix, NaN for what is unknown.
    order : ndarray of int64, shape (k,)
        In which fixes are taken: neighbours after each other are found in the same memory.
    whole : ndarray of int32, shape (5, k)
        Filled: edge, runner-up, the nearer edge that was passed over and what turning round
        takes, -1 for none; 1 where any way out is free, else 0.
    figures : ndarray of float64, shape (5, k)
        Filled: fraction, offset, longitude and latitude on the road, NaN for fixes on no road;
        confidence.
    """
    size, p = ROOM, 0
    corner = corners_of(grid, asked, order)
    while p < len(order):
        room, rows_room = np.empty((4, size)), np.empty((3, size), np.uint32)
        p, wanted = _snap_from(
            grid, roads, joined, asked, order, corner, p, room, rows_room, whole, figures
        )
        size = 2 * wanted
    _go_along(roads, u_turn_ms, asked, order, whole, figures)
