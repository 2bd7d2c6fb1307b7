"""A map as one still figure, for paper: cells by their share, the roads over them, the worst cells numbered."""  # noqa: E501 - one sentence

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import h3
import numpy as np

from data import words
from maps import style
from maps.encode import chain_points
from maps.page import TEMPLATES
from maps.streets import QUANTUM, road_class, streets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from data.past_gaps import PastGaps
    from data.road_table import FloatArray, IntArray, RoadTable

WIDE, TALLEST, EDGE = 1600.0, 1700.0, 24.0  # of the figure, in its own steps
MOST_POINTS = 60_000  # of roads; more of them than that are a grey blot on paper
LENGTHS: Final = {
    "mph": [m * 1609.344 for m in (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)],
    "km/h": [m * 1000.0 for m in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)],
}
METRES_A_DEGREE: Final = 111_195.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """
    From degrees to the steps of a figure.

    Parameters
    ----------
    west, north : float
        Its corner, degrees.
    across, down : float
        Steps a degree of longitude, and of latitude.
    wide, tall : float
        In steps.
    """

    west: float
    north: float
    across: float
    down: float
    wide: float
    tall: float

    @classmethod
    def around(cls, lon: FloatArray, lat: FloatArray) -> Frame:
        """
        Fit a figure around places.

        Returns
        -------
        frame : Frame
            As wide, or as tall, as one may be.
        """
        west, east, south, north = lon.min(), lon.max(), lat.min(), lat.max()
        shorter = float(np.cos(np.radians((south + north) / 2)))
        span_x, span_y = max((east - west) * shorter, 1e-6), max(north - south, 1e-6)
        down = min((WIDE - 2 * EDGE) / span_x, (TALLEST - 2 * EDGE) / span_y)
        wide, tall = span_x * down + 2 * EDGE, span_y * down + 2 * EDGE
        across = down * shorter
        return cls(
            west=float(west - EDGE / across),
            north=float(north + EDGE / down),
            across=across,
            down=down,
            wide=wide,
            tall=tall,
        )

    def steps(self, lon: FloatArray, lat: FloatArray) -> IntArray:
        """
        Place degrees in the figure.

        Returns
        -------
        steps : ndarray of int64, shape (k, 2)
            Right and down.
        """
        placed = np.column_stack([(lon - self.west) * self.across, (self.north - lat) * self.down])
        return np.rint(placed).astype(np.int64)


def still_map(
    roads: RoadTable,
    gaps: PastGaps,
    *,
    numbered: Sequence[int] = (),
    speed_unit: words.SpeedUnit = "mph",
) -> str:
    """
    Draw the second car's shares by cell.

    Parameters
    ----------
    roads : RoadTable
        The network. Where it is large, smaller classes of road are left out.
    gaps : PastGaps
        What is drawn.
    numbered : sequence of int
        Rows of cells that bear a number, from 1.
    speed_unit : {"mph", "km/h"}
        Miles go with mph.

    Returns
    -------
    svg : str
        Escaped, coloured by classes of assets/report.css; the same input gives the same text.
    """
    rings = [np.array(h3.cell_to_boundary(one)) for one in gaps.cell.tolist()]
    corners = np.concatenate(rings)
    frame = Frame.around(corners[:, 1], corners[:, 0])
    shapes = [frame.steps(ring[:, 1], ring[:, 0]) for ring in rings]
    step = np.searchsorted([one.up_to for one in style.SHARES], gaps.beyond[:, 1])
    cells = [
        {
            "css": look.css,
            "path": "".join(_path(shapes[i]) + "z" for i in np.flatnonzero(step == row).tolist()),
        }
        for row, look in enumerate(style.SHARES)
    ]
    marks = [
        {"number": number, "x": int(x), "y": int(y)}
        for number, (x, y) in enumerate((shapes[row].mean(axis=0) for row in numbered), 1)
    ]
    return TEMPLATES.get_template("still_map.svg").render(
        frame=frame,
        cells=cells,
        roads=list(_roads(roads, frame)),
        marks=marks,
        scale=_scale(frame, speed_unit),
    )


def _roads(roads: RoadTable, frame: Frame) -> Iterator[dict[str, str]]:
    """Draw each class of road as one path, the largest first, as long as there is room."""
    drawn = streets(roads)
    points, new = chain_points(roads, drawn)
    placed = frame.steps(points[:, 0] / QUANTUM, points[:, 1] / QUANTUM)
    line = np.repeat(np.arange(len(new)), new)
    chain = np.cumsum(drawn.begins)[line]
    begins = np.r_[True, np.diff(chain) > 0]
    keep = begins | np.r_[True, (np.diff(placed, axis=0) != 0).any(axis=1)]
    placed, begins = placed[keep], begins[keep]
    kind = road_class(roads)[drawn.edge][line][keep]
    room = np.cumsum(np.bincount(kind, minlength=len(style.ROAD_CLASSES))) <= MOST_POINTS
    for row in np.flatnonzero(room).tolist():
        some, starts = placed[kind == row], np.flatnonzero(begins[kind == row])
        parts = np.split(some, starts[1:]) if len(some) else []
        yield {
            "css": f"road-{style.ROAD_CLASSES[row]}",
            "path": "".join(_path(part) for part in parts if len(part) > 1),
        }


def _path(places: npt.NDArray[np.integer]) -> str:
    """Write a line, each place by how far it is from the one before."""
    (x, y), deltas = places[0].tolist(), np.diff(places, axis=0).tolist()
    return f"M{x} {y}l" + " ".join(f"{dx} {dy}" for dx, dy in deltas)


def _scale(frame: Frame, speed_unit: words.SpeedUnit) -> dict[str, str | float]:
    """Choose a round length for the scale bar, up to a quarter of the figure."""
    a_step_m = METRES_A_DEGREE / frame.down
    fits = [one for one in LENGTHS[speed_unit] if one / a_step_m <= frame.wide / 4]
    length_m = (fits or LENGTHS[speed_unit])[-1 if fits else 0]
    return {"steps": round(length_m / a_step_m, 1), "word": words.distance(length_m, speed_unit)}
