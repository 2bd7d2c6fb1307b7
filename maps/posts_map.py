"""The posts map: where idle units should stand, and how soon two cars would be anywhere then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data import words
from data.bands import bands
from maps import style
from maps.coverage_map import band_rows
from maps.layers import RoadData, page_of, road_bands, road_names
from maps.page import TEMPLATES, PageFacts
from maps.signs import Sign, sign_layer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.road_table import FloatArray, RoadTable
    from maps.page import Page
    from maps.style import Manner


def posts_page(
    roads: RoadTable,
    time_s: FloatArray,
    posts: Sequence[Mapping[str, Any]],
    *,
    plans: Mapping[str, Mapping[str, float]],
    where: str,
    proof: str,
    within_s: float,
    simulated: bool = False,
    manner: Manner = style.PLAIN,
) -> Page:
    """
    Draw posts, and drive-time bands of the first and the second car that stand there.

    Parameters
    ----------
    roads : RoadTable
        The network.
    time_s : ndarray of float64, shape (m, 2)
        Drive time of the nearest and the second nearest post to the middle of every edge.
    posts : sequence of mapping
        As in ``rollby.posts/1``.
    plans : mapping of str to mapping
        What each plan gives, by its name.
    where : str
        What the shares are of.
    proof : str
        How sure it is that no choice is better.
    within_s : float
        T, seconds.
    simulated : bool
        Whether stops were made up.
    manner : Manner
        How figures are written, and what the page offers.

    Returns
    -------
    page : Page
        It fetches nothing; ``render`` gives one document, ``parts`` what a server sends apart.
    """
    data = RoadData(roads)
    first, second = bands(time_s[:, 0], within_s), bands(time_s[:, 1], within_s)
    within = words.drive(within_s)
    named = [{**post, "street": post["street"] or "road without a name"} for post in posts]
    own = next(iter(plans.values()))
    panel = TEMPLATES.get_template("posts.html").render(
        posts=[_entry(row, post) for row, post in enumerate(named)],
        plans=[_plan_row(name, plan) for name, plan in plans.items()],
        where=where,
        proof=proof,
        within=within,
        bands=band_rows(roads, within_s, (first, second), manner.speed_unit),
    )
    facts = PageFacts(
        title="Posts",
        subtitle=words.count(len(posts), "post"),
        at=None,
        summary=(
            f"Second car within {within} of {words.percent(own['second'])} of {where}, "
            f"first of {words.percent(own['first'])}"
        ),
        panel=panel,
        simulated=simulated,
        source=roads.source,
        manner=manner,
    )
    layers = [
        road_names(data),
        road_bands(data, first, name="First car", show=False),
        road_bands(data, second, name="Second car", show=True),
        sign_layer("Posts", [_sign(row, post) for row, post in enumerate(named)]),
    ]
    return page_of(facts, data, layers)


def _entry(row: int, post: Mapping[str, Any]) -> dict[str, Any]:
    """List a post in the panel."""
    place = f"{post['lat']:.6f}, {post['lon']:.6f}"
    return {**post, "anchor": f"post-{row}", "place": place}


def _plan_row(name: str, plan: Mapping[str, float]) -> dict[str, str]:
    """Say what a plan gives."""
    shares = {car: words.percent(plan[car]) for car in ("first", "second")}
    return {"name": name, **shares, "mean": words.drive(plan["mean_drive_s"])}


def _sign(row: int, post: Mapping[str, Any]) -> Sign:
    """Put a post on the map."""
    return Sign(
        (post["lat"], post["lon"]),
        kind="end",
        look=style.MARKS["finish"],
        tag=post["post"],
        label=f"a post on {post['street']}",
        panel=f"post-{row}",
    )
