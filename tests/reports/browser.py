"""A browser without a window, found on this machine; pages that collect what goes wrong in them.

Chromium or Chrome as the system has it, or as ``playwright install chromium`` put it there.
"""

import shutil
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# Root may have no sandbox; 3-D is drawn by the processor where there is no graphics card.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

DESKTOP = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}


@contextmanager
def launched():
    """The browser; RuntimeError that says why where there is none."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise RuntimeError("playwright is not installed") from None
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as play:
        try:
            browser = play.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        except Error as error:
            reason = str(error).strip().splitlines()[0]
            raise RuntimeError(
                f"no Chromium that starts ({found or 'none found'}): {reason}"
            ) from None
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser, path: Path, size=DESKTOP, theme="light", before="", **options):
    """A page at `path`, ready; `page.wrong` lists errors of the console and of scripts."""
    phone = size["width"] < 600
    context = browser.new_context(
        viewport=size, color_scheme=theme, has_touch=phone, is_mobile=phone, **options
    )
    page = context.new_page()
    page.wrong = []
    page.add_init_script(before)
    page.on("console", lambda m: page.wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("request", lambda r: page.wrong.append(r.url) if r.url.startswith("http") else None)
    try:
        page.goto(path.as_uri())
        if options.get("java_script_enabled", True):
            page.wait_for_function("document.documentElement.dataset.ready", timeout=60_000)
        yield page
    finally:
        context.close()


def draw_all(page) -> None:
    """Scroll through the page, until every figure is drawn."""
    for k in range(page.locator("div.plot").count()):
        plot = page.locator("div.plot").nth(k)
        plot.scroll_into_view_if_needed()
        page.wait_for_function(
            "k => document.querySelectorAll('div.plot')[k].matches('.drawn, .failed')",
            arg=k,
            timeout=60_000,
        )
