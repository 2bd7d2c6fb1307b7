"""A page that is open in a browser without network."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

PIXELS = """selector => Array.from(document.querySelectorAll(selector), c => {
    if (!c.width) return [];
    const copy = new OffscreenCanvas(c.width, c.height)
        .getContext("2d", {willReadFrequently: true});
    copy.drawImage(c, 0, 0);
    return copy.getImageData(0, 0, c.width, c.height).data;
})"""
INK = f"""selector => ({PIXELS})(selector).reduce((sum, data) => {{
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) sum++;
    return sum;
}}, 0)"""
BASE = ".leaflet-tile-pane canvas.leaflet-tile"


@dataclass
class Visit:
    """A page that is open, and what it asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def ink(self, selector: str = BASE) -> int:
        return int(self.page.evaluate(INK, selector))

    def texts(self, selector: str) -> list[str]:
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]


@contextmanager
def visiting(
    browser: Browser,
    path: Path,
    html: str,
    *,
    width: int = 1400,
    height: int = 900,
    scheme: Any = "light",
    quiet: bool = True,
) -> Iterator[Visit]:
    """Open a document; leaving it checks that all was quiet."""
    path.write_text(html, "utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, offline=True
    )
    visit = Visit(context.new_page())
    visit.page.set_default_timeout(8000)
    visit.page.on("request", lambda r: visit.requests.append(r.url))
    visit.page.on("console", lambda m: visit.complaints.append(m.text))
    visit.page.on("pageerror", lambda e: visit.complaints.append(str(e)))
    visit.page.goto(path.as_uri())
    visit.page.wait_for_selector("html.ready")
    yield visit
    outside = [url for url in visit.requests if not url.startswith(("file:", "data:"))]
    context.close()
    if quiet:
        assert outside == []
        assert [url for url in visit.requests if url.startswith("file:")] == [path.as_uri()]
        assert visit.complaints == []
