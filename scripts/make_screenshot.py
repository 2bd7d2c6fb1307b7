"""
Take the README's picture: the stops map of `make demo`, in Debian's Chromium.

    make demo && .venv/bin/python scripts/make_screenshot.py && \
    convert stops.png -colors 96 PNG8:docs/images/stops.png
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

PAGE = Path("demo/stops.html").resolve()


def main() -> None:
    """Open the map without network and take the picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
        page = context.new_page()
        page.goto(PAGE.as_uri())
        page.wait_for_function("document.querySelectorAll('canvas').length > 0")
        page.wait_for_timeout(500)
        page.screenshot(path="stops.png")
        browser.close()


if __name__ == "__main__":
    main()
