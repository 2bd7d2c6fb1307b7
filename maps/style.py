"""Shapes, words and bands: what a reader sees, told by shape and word first and colour second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from data.records import Flag, Freshness, StopPhase, UnitStatus

if TYPE_CHECKING:
    from data.words import SpeedUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """
    How an agency likes its maps.

    Parameters
    ----------
    time_zone : str
        An IANA name.
    speed_unit : {"mph", "km/h"}
        Miles go with mph.
    tiles : bool
        Adds OpenStreetMap's tiles, which are fetched when the page is viewed.
    theme : {"auto", "light", "dark"}
        "auto" follows the device; a button in the page switches.
    """

    time_zone: str = "UTC"
    speed_unit: SpeedUnit = "mph"
    tiles: bool = False
    theme: Literal["auto", "light", "dark"] = "auto"


PLAIN: Final = Manner()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """
    How one value is shown. Its colour is the CSS class's, in assets/page.css.

    Parameters
    ----------
    word : str
        What it is called.
    symbol : str
        Id of the shape in assets/symbols.svg.
    css : str
        Class that colours it, in both themes.
    letter : str
        One letter within the shape; "" for none.
    meaning : str
        A line for the legend.
    """

    word: str
    symbol: str
    css: str
    letter: str = ""
    meaning: str = ""


FLAGS: Final = {
    Flag.ALONE: Look(
        word="alone",
        symbol="octagon",
        css="flag-alone",
        letter="A",
        meaning="backup is unlikely to be there in time",
    ),
    Flag.THIN: Look(
        word="thin",
        symbol="triangle",
        css="flag-thin",
        letter="T",
        meaning="backup is likely, but hangs on one unit or on luck",
    ),
    Flag.COVERED: Look(
        word="covered",
        symbol="disc",
        css="flag-covered",
        letter="C",
        meaning="has its officers, or backup would be there in time",
    ),
}

STATUSES: Final = {
    UnitStatus.AVAILABLE: Look(word="available", symbol="circle", css="status-idle"),
    UnitStatus.DISPATCHED: Look(word="dispatched", symbol="diamond", css="status-going"),
    UnitStatus.EN_ROUTE: Look(word="en route", symbol="chevron", css="status-going"),
    UnitStatus.ON_SCENE: Look(word="on scene", symbol="square", css="status-scene"),
    UnitStatus.ON_STOP: Look(word="on a stop", symbol="pentagon", css="status-scene"),
    UnitStatus.BUSY: Look(word="busy", symbol="bar", css="status-off"),
    UnitStatus.OUT_OF_SERVICE: Look(word="out of service", symbol="cross", css="status-off"),
}

FRESHNESS: Final = {
    Freshness.FRESH: Look(
        word="fresh", symbol="", css="fix-fresh", meaning="solid: the fix is fresh"
    ),
    Freshness.PARKED: Look(
        word="parked, quiet",
        symbol="ring",
        css="fix-parked",
        meaning="dashed ring: parked and quiet, still there",
    ),
    Freshness.SILENT: Look(
        word="silent",
        symbol="query",
        css="fix-silent",
        meaning="hollow, question mark: silent while moving",
    ),
    Freshness.STALE: Look(
        word="stale",
        symbol="strike",
        css="fix-stale",
        meaning="struck through: too old to count on",
    ),
}

LONG_MIN: Final = 5.0

EXPOSURES: Final = {
    "long": Look(
        word="long",
        symbol="octagon",
        css="flag-alone",
        letter="L",
        meaning=f"short of officers for {LONG_MIN:g} minutes or more",
    ),
    "brief": Look(
        word="brief",
        symbol="triangle",
        css="flag-thin",
        letter="B",
        meaning=f"short of officers for less than {LONG_MIN:g} minutes",
    ),
    "never": Look(
        word="never",
        symbol="disc",
        css="flag-covered",
        letter="N",
        meaning="had its officers all the time",
    ),
}
"""How long a stop was short of officers."""

MARKS: Final = {
    "start": Look(word="start", symbol="start", css="mark-end"),
    "finish": Look(word="finish", symbol="finish", css="mark-end"),
    "gap": Look(word="gap", symbol="gap", css="mark-gap"),
    "ready": Look(word="least ready", symbol="diamond", css="mark-gap"),
}

PHASES: Final = {
    StopPhase.CONTACT: "contact",
    StopPhase.SECURED: "secured",
    StopPhase.CUSTODY: "custody",
    StopPhase.AWAITING_TOW: "awaiting tow",
    StopPhase.CLEARED: "cleared",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """
    One band of drive time, told by width and dash as well as by colour.

    Parameters
    ----------
    css : str
        Colour variable in assets/palette.css.
    width_px : float
        Line width at zoom 14.
    dash_px : tuple of float
        Dash and space at zoom 14; () is a solid line.
    """

    css: str
    width_px: float
    dash_px: tuple[float, ...]


BANDS: Final = (
    Band(css="--band-0", width_px=2.0, dash_px=()),
    Band(css="--band-1", width_px=3.4, dash_px=()),
    Band(css="--band-2", width_px=3.4, dash_px=(9.0, 4.0)),
    Band(css="--band-3", width_px=3.4, dash_px=(4.0, 4.0)),
    Band(css="--band-4", width_px=2.4, dash_px=(1.0, 5.0)),
)
"""By the rows of `data.bands`: nearest first; the last is for roads that no unit can reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One step of a share of time, darker by day and lighter by night the larger it is.

    Parameters
    ----------
    css : str
        Class in assets/gaps.css; ``--`` before it is its colour, in assets/palette.css.
    up_to : float
        Upper bound, a share; infinity for the last.
    word : str
        For the legend.
    """

    css: str
    up_to: float
    word: str


SHARES: Final = (
    Step(css="share-0", up_to=0.0, word="never"),
    Step(css="share-1", up_to=0.1, word="up to 10\N{NO-BREAK SPACE}%"),
    Step(css="share-2", up_to=0.25, word="10 to 25\N{NO-BREAK SPACE}%"),
    Step(css="share-3", up_to=0.5, word="25 to 50\N{NO-BREAK SPACE}%"),
    Step(css="share-4", up_to=0.75, word="50 to 75\N{NO-BREAK SPACE}%"),
    Step(css="share-5", up_to=float("inf"), word="over 75\N{NO-BREAK SPACE}%"),
)
"""Of road and time beyond T."""

ROAD_CLASSES: Final = ("motorway", "trunk", "primary", "secondary", "tertiary", "other")
"""Classes the base map tells apart; links count as what they link."""

LIMITS: Final = "A suggestion, never an order; the dispatcher overrides."
OSM_CREDIT: Final = "\N{COPYRIGHT SIGN} OpenStreetMap contributors, ODbL"
