"""A page held to WCAG 2.2 by axe, and walked through by the Tab key."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).parent / "axe"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """async ([tags, enhanced]) => {
    const rules = {"color-contrast-enhanced": {enabled: enhanced}};
    const told = {runOnly: {type: "tag", values: tags}, rules: rules, resultTypes: ["violations"]};
    const found = await axe.run(document, told);
    return [found.passes.length, found.violations.flatMap(one => one.nodes.map(node =>
        [one.id, node.target.join(" "), node.failureSummary, node.html.slice(0, 120)].join(": ")))];
}"""
STOPS = """() => Array.from(document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex]")).filter(one =>
    one.tabIndex >= 0 && !one.disabled && one.checkVisibility({visibilityProperty: true})
    && !(one.type === "radio" && !one.checked)).length"""
TO_THE_TOP = """() => {
    window.walked = new Map();
    const one = document.createElement("a");
    one.tabIndex = -1;
    document.body.prepend(one);
    one.focus();
    one.remove();
}"""
FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body || one === document.documentElement) return null;
    window.walked = window.walked || new Map();
    if (!walked.has(one)) walked.set(one, walked.size);
    const look = getComputedStyle(one), mark = one.querySelector(".symbol");
    const ring = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    const box = one.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return {
        row: walked.get(one),
        name: (one.id || one.textContent.trim() || one.getAttribute("aria-label") || one.tagName)
            .slice(0, 60),
        marked: ring(look) || Boolean(mark && ring(getComputedStyle(mark))),
    };
}"""


@cache
def _axe() -> str:
    return (AXE / "axe.min.js").read_text()


def faults(page: Page, *, enhanced: bool = False) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA; `enhanced` asks for contrast AAA too."""
    page.evaluate(_axe())
    passed, found = page.evaluate(RUN, [[*LEVELS, *(["wcag2aaa"] if enhanced else [])], enhanced])
    assert passed > 5, "axe has looked at nothing"
    return list(found)


def walk(page: Page) -> list[str]:
    """Press Tab from the page's beginning to its end; the names of what had the focus, in order."""
    page.evaluate(TO_THE_TOP)
    there: int = page.evaluate(STOPS)
    names: list[str] = []
    for _ in range(there + 20):
        page.keyboard.press("Tab")
        at: dict[str, Any] | None = page.evaluate(FOCUSED)
        if at is None or at["row"] < len(names):
            break
        assert at["marked"], f"nobody sees that {at['name']} has the focus"
        names.append(at["name"])
    assert len(names) >= there, f"Tab reaches {len(names)} of {there}: {names}"
    return names
