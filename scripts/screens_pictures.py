"""
Pictures of the screens, from the demonstration: simulated, and each says so.

    python scripts/screens_pictures.py docs/images          # the few that the documents show
    python scripts/screens_pictures.py /tmp/screens --all   # each by day and night, wide and phone

Starts `rollby serve --demo`, signs in to each screen in Debian's Chromium, and ends it again.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

TOLD = re.compile(r"(http://\S+?)(/\w+)  sign in as (\w+), (\S+)")
SIZES = {"wide": (1400, 900), "phone": (390, 844)}
FLAGS = ["--no-sandbox", "--disable-gpu"]
COLOURS = 256
SHOWN = {  # in the documents, and what they are called there
    "supervisor-wide-light-what-if": "supervisor",
    "supervisor-wide-light-why": "supervisor_why",
    "officer-phone-dark": "officer",
    "officer-phone-dark-going": "officer_going",
    "officer-phone-dark-stop": "officer_stop",
    "wallboard-wide-dark": "wallboard",
}
WARM_UP_MS = 60_000
ASKED_MS, ASK_EVERY_MS = 90_000, 500


class Screen(NamedTuple):
    """A screen of the demonstration, and who signs in there."""

    base: str
    path: str
    name: str
    password: str


@contextmanager
def demo() -> Iterator[list[Screen]]:
    """Run the demonstration; give its screens."""
    words = [sys.executable, "-m", "rollby", "serve", "--demo"]
    words += ["--listen", f"127.0.0.1:{free_port()}"]
    with subprocess.Popen(  # noqa: S603 - us
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        screens = []
        for line in process.stdout or ():
            screens += [Screen(*found) for found in TOLD.findall(line)]
            if "Ctrl-C" in line:
                break
        try:
            yield screens
        finally:
            process.terminate()


@contextmanager
def opened(browser: Browser, screen: Screen, size: str, scheme: str) -> Iterator[Page]:
    """Open a screen as the one whom it is for."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    told = {"name": screen.name, "password": screen.password}
    answer = context.request.post(f"{screen.base}/api/sign-in", data=told)
    if not answer.ok:
        sys.exit(answer.text())
    page = context.new_page()
    page.goto(f"{screen.base}{screen.path}")
    page.wait_for_timeout(7000)
    yield page
    context.close()


def keep(page: Page, path: Path) -> None:
    """Write a picture, in few colours."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def show_why(page: Page) -> None:
    """Open why of the most exposed stop."""
    page.locator("#stops button.entry").first.click()
    page.locator("#stops .why tbody").wait_for()


def show_thought(page: Page) -> None:
    """Put an idle unit elsewhere, with coverage on the map."""
    page.locator("#cover-car").select_option("second")
    page.locator("#what-if").click()
    idle = page.evaluate(
        "() => [...document.querySelectorAll('#units li')].find(one =>"
        " one.querySelector('.status').textContent.startsWith('available')).dataset.name"
    )
    page.locator("#what-if-unit").select_option(idle)
    page.evaluate("rollby.map.fitBounds(rollby.map.getBounds(), {animate: false})")
    page.locator("#what-if-put").click()
    page.locator("#what-if-said:not(:empty)").wait_for()
    page.locator("#cover-title").evaluate("one => one.scrollIntoView()")
    page.wait_for_timeout(1500)


def show_going(page: Page) -> None:
    """Say that the officer is on the way."""
    if page.locator("#asked").is_visible():
        page.locator('[data-answer="en_route"]').click()
    page.locator("#going").wait_for()


def show_stop(page: Page) -> None:
    """Have the officer, once standing, be on a stop of one's own, and wait for who is asked."""
    if page.locator("#going").is_visible():
        page.locator('#going [data-answer="cant"]:not([disabled])').click(timeout=ASKED_MS)
        page.locator("#nobody").wait_for()
    page.locator('[data-word="on_stop"]:not([disabled])').click(timeout=ASKED_MS)
    page.locator("#own-coming li").first.wait_for(timeout=ASKED_MS)


EXTRAS = {
    "supervisor": {"why": show_why, "what-if": show_thought},
    "officer": {"going": show_going, "stop": show_stop},
}


def be_asked(browser: Browser, screens: list[Screen], page: Page) -> None:
    """Have the supervisor ask the officer, until that one is asked or on the way; not for ever."""
    chief = next(one for one in screens if one.name == "supervisor")
    desk = browser.new_context().request
    told = {"name": chief.name, "password": chief.password}
    token = desk.post(f"{chief.base}/api/sign-in", data=told).json()["csrf"]
    unit = page.locator("#unit").text_content()
    for _ in range(ASKED_MS // ASK_EVERY_MS):
        if page.locator("#asked, #going").filter(visible=True).count():
            return
        for stop in desk.get(f"{chief.base}/api/live").json()["stops"]:
            ask = {"stop_id": stop["stop_id"], "unit_id": unit, "reason": "for a picture"}
            desk.post(f"{chief.base}/api/asks", data=ask, headers={"X-Rollby-CSRF": token})
        page.wait_for_timeout(ASK_EVERY_MS)


def take(
    browser: Browser,
    screens: list[Screen],
    screen: Screen,
    folder: Path,
    names: dict[str, str] | None,
) -> None:
    """Take the pictures of one screen that are wanted; None wants all."""
    for size in SIZES:
        for scheme in ("light", "dark"):
            name = f"{screen.name}-{size}-{scheme}"
            extra = EXTRAS.get(screen.name, {})
            mine = {name, *(f"{name}-{one}" for one in extra)}
            if names is not None and not mine & names.keys():
                continue
            with opened(browser, screen, size, scheme) as page:
                if screen.name == "officer":
                    be_asked(browser, screens, page)
                if names is None or name in names:
                    keep(page, folder / f"{(names or {}).get(name, name)}.png")
                for one, show in extra.items():
                    if names is None or f"{name}-{one}" in names:
                        show(page)
                        shown = (names or {}).get(f"{name}-{one}", f"{name}-{one}")
                        keep(page, folder / f"{shown}.png")


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", help="one screen")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    program = shutil.which("chromium") or sys.exit("apt install chromium")
    with demo() as screens, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page()
        page.wait_for_timeout(WARM_UP_MS)  # ten minutes of the shift
        signs = Screen(screens[0].base, "/sign-in", "sign-in", "")
        if given.all and given.only is None:
            for size, (width, height) in SIZES.items():
                for scheme in ("light", "dark"):
                    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
                    page.set_viewport_size({"width": width, "height": height})
                    page.goto(f"{signs.base}{signs.path}")
                    page.wait_for_timeout(1000)
                    keep(page, given.folder / f"sign-in-{size}-{scheme}.png")
        for screen in (one for one in screens if given.only in {None, one.name}):
            take(browser, screens, screen, given.folder, None if given.all else SHOWN)
        browser.close()


if __name__ == "__main__":
    main()
