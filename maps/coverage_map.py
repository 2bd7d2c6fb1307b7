"""The coverage map: how soon a first and a second car could be anywhere, and where none could."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from data import words
from data.bands import bands
from maps import style, views
from maps.layers import RoadData, page_of, road_bands, road_gaps, road_names
from maps.page import TEMPLATES, PageFacts
from maps.signs import Sign, sign_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from data.answers import Coverage, Gap, Readiness
    from data.road_table import RoadTable
    from data.words import SpeedUnit
    from maps.style import Manner

_GAPS_LISTED: Final = 30
_LARGE_GAP: Final = 0.25
_GAPS_MARKED: Final = 12
_READY_LISTED: Final = 10
_KM_M: Final = 1000


def coverage_map(
    roads: RoadTable,
    coverage: Coverage,
    ready: Sequence[Readiness] = (),
    manner: Manner = style.PLAIN,
) -> str:
    """
    Draw drive-time bands of the first and of the second car on the roads, and the gaps.

    Parameters
    ----------
    roads : RoadTable
        The network `coverage` was worked out on.
    coverage : Coverage
        What is drawn.
    ready : sequence of Readiness
        How ready zones are, the least ready first; the first of them are listed and marked.
    manner : Manner
        How figures are written, and what the page offers.

    Returns
    -------
    html : str
        A whole page that fetches nothing; the same input gives the same text.
    """
    data = RoadData(roads)
    first = bands(coverage.first_s, coverage.within_s)
    second = bands(coverage.second_s, coverage.within_s)
    within = words.drive(coverage.within_s)
    facts = PageFacts(
        title="Coverage",
        at=coverage.at,
        summary=(
            f"Second car within {within} on {_share(roads, second <= 1)} of road, "
            f"first on {_share(roads, first <= 1)}"
            f"{views.LEFT_OUT if coverage.left_out else ''}"
        ),
        panel=_panel(roads, coverage, (first, second), ready[:_READY_LISTED], manner),
        simulated=coverage.simulated,
        source=roads.source,
        manner=manner,
    )
    units = [views.unit_sign(unit, f"unit-{i}") for i, unit in enumerate(coverage.units)]
    gaps = [_gap_sign(i, gap, roads, manner) for i, gap in enumerate(coverage.gaps[:_GAPS_MARKED])]
    least = [_ready_sign(i, one) for i, one in enumerate(ready[:_READY_LISTED])]
    layers = [
        road_names(data),
        road_bands(data, first, name="First car", show=False),
        road_bands(data, second, name="Second car", show=True),
        road_gaps(data, coverage.gap.astype(np.int64)),
        sign_layer("Longest gaps", gaps),
        *([sign_layer("Least ready", least, show=False)] if least else []),
        sign_layer("Units", units),
    ]
    return page_of(facts, data, layers).render()


def _share(roads: RoadTable, rows: npt.NDArray[np.bool_]) -> str:
    """
    Write a share of road length.

    Returns
    -------
    text : str
        In percent.
    """
    total = float(roads.road_m.sum())
    return words.percent(min(1.0, float(roads.road_m[rows].sum()) / total) if total else np.nan)


def _gap_sign(row: int, gap: Gap, roads: RoadTable, manner: Manner) -> Sign:
    """
    Put a gap on the map.

    Returns
    -------
    sign : Sign
        Its number, and how much road is in it.
    """
    length = words.distance(gap.km * _KM_M, manner.speed_unit)
    return Sign(
        (gap.lat_deg, gap.lon_deg),
        kind="gap",
        look=replace(style.MARKS["gap"], letter=str(row + 1)),
        tag="Gap",
        detail=length,
        label=f"number {row + 1}, {_gap_name(gap, roads)}",
        panel=f"gap-{row}",
    )


def _ready_sign(row: int, zone: Readiness) -> Sign:
    """
    Put a zone on the map that is among the least ready.

    Returns
    -------
    sign : Sign
        Its number, and how soon a second car would be there.
    """
    return Sign(
        (zone.lat_deg, zone.lon_deg),
        kind="gap",
        look=replace(style.MARKS["ready"], letter=str(row + 1)),
        tag="Least ready",
        detail=f"second {words.drive(zone.second_s)}",
        label=f"number {row + 1}, {zone.name or 'road without a name'}",
    )


def _gap_name(gap: Gap, roads: RoadTable) -> str:
    """
    Name a gap by its longest road, unless it is so much of the network that no road stands for it.

    Returns
    -------
    name : str
        ``Walnut Street``, or ``99 % of all road``.
    """
    share = gap.km * _KM_M / float(roads.road_m.sum())
    if share >= _LARGE_GAP:
        return f"{words.percent(min(1.0, share))} of all road"
    return gap.street or "road without a name"


def band_rows(
    roads: RoadTable,
    within_s: float,
    rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    speed_unit: SpeedUnit,
) -> list[dict[str, object]]:
    """
    Measure the road in each band, for the panel.

    Parameters
    ----------
    roads : RoadTable
        The network.
    within_s : float
        T, seconds.
    rows : (ndarray, ndarray) of int64, shape (m,)
        The band of each edge, of the first and the second car.
    speed_unit : {"mph", "km/h"}
        Miles go with mph.

    Returns
    -------
    bands : list of dict
        As templates/bands.html wants them.
    """

    def length(chosen: npt.NDArray[np.bool_]) -> str:
        return words.distance(float(roads.road_m[chosen].sum()), speed_unit)

    return [
        {
            "look": style.BANDS[band],
            "word": word,
            "first": length(rows[0] == band),
            "first_share": _share(roads, rows[0] == band),
            "second": length(rows[1] == band),
            "second_share": _share(roads, rows[1] == band),
        }
        for band, word in enumerate(band_words(within_s))
    ]


def band_words(within_s: float) -> list[str]:
    """
    Name the bands in minutes.

    Parameters
    ----------
    within_s : float
        T, seconds.

    Returns
    -------
    texts : list of str
        One a band.
    """
    half, full, double = (words.drive(share * within_s) for share in (0.5, 1.0, 2.0))
    return [
        f"up to {half}",
        f"{half} to {full}",
        f"{full} to {double}",
        f"over {double}",
        "no way",
    ]


def _panel(
    roads: RoadTable,
    coverage: Coverage,
    rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    ready: Sequence[Readiness],
    manner: Manner,
) -> str:
    """
    Write the panel: the same as the map, in figures.

    Returns
    -------
    html : str
        Escaped.
    """
    listed, rest = coverage.gaps[:_GAPS_LISTED], coverage.gaps[_GAPS_LISTED:]
    return TEMPLATES.get_template("coverage.html").render(
        left_out=coverage.left_out,
        within=words.drive(coverage.within_s),
        bands=band_rows(roads, coverage.within_s, rows, manner.speed_unit),
        gap=words.distance(float(roads.road_m[coverage.gap].sum()), manner.speed_unit),
        gap_share=_share(roads, coverage.gap),
        gaps=[
            {
                "anchor": f"gap-{i}" if i < _GAPS_MARKED else "",
                "number": i + 1,
                "street": _gap_name(gap, roads),
                "length": words.distance(gap.km * _KM_M, manner.speed_unit),
            }
            for i, gap in enumerate(listed)
        ],
        ready=[
            {
                "number": i + 1,
                "name": one.name or "road without a name",
                "preparedness": f"{one.preparedness:.3g}",
                "second": words.drive(one.second_s),
                "stops": f"{24 * one.stops_an_hour:.2f}",
            }
            for i, one in enumerate(ready)
        ],
        more_gaps=words.count(len(rest), "shorter gap") if rest else "",
        more_length=words.distance(sum(gap.km for gap in rest) * _KM_M, manner.speed_unit),
        units=[views.unit_view(u, f"unit-{i}", manner) for i, u in enumerate(coverage.units)],
        idle=sum(state.askable for state in coverage.units),
        looks=views.legend_looks(),
    )
