"""Makes the pictures of docs/report.md anew: ``python docs/report_pictures.py``; needs Chromium."""

import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

import reluplex_walk as rw  # noqa: E402
from tests.reports.browser import DESKTOP, PHONE, draw_all, launched, opened  # noqa: E402

# File, size, theme, what is clicked, the part of the walk that was made.
PICTURES = [
    ("report_light.png", DESKTOP, "light", [], 0.6),
    ("report_dark.png", DESKTOP, "dark", ["here"], 0.4),
    ("report_phone.png", PHONE, "light", [], 0.6),
]


def main() -> None:
    """A walk on the motorcycle data, as the README has it."""
    data = rw.datasets.load_motorcycle()
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    traj = rw.walk(loss, seed=0)
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        path = rw.report(traj, Path(folder, "walk.html"))
        for name, size, theme, clicks, part in PICTURES:
            with opened(browser, path, size, theme, device_scale_factor=1) as page:
                take(page, str(DOCS / "_static" / name), clicks, round(part * traj.n_pivots))


def take(page, path: str, clicks: list[str], entry: int) -> None:
    """The window with the player, at an entry of the walk."""
    draw_all(page)
    page.evaluate("k => report.walk.show(k)", entry)
    for name in clicks:
        page.locator(f"[data-zoom='{name}']").click()
        page.wait_for_timeout(500)
    page.evaluate(
        "document.documentElement.style.scrollBehavior = 'auto';"
        "document.getElementById('walk').scrollIntoView()"
    )
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)
    page.screenshot(path=path)


if __name__ == "__main__":
    main()
