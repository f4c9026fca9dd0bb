"""Draws the pictures of docs/gallery/pictures.md from the code that the page shows.

The page is the only source: each block of code is run, in order, and the picture named below it is
what its last statement drew, once in matplotlib's default style and once in `dark_background`.
``python docs/gallery_pictures.py`` writes docs/gallery/pictures, as does every build of the site
that finds the page or the package changed.
"""

import ast
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "gallery" / "pictures.md"
FOLDER = DOCS / "gallery" / "pictures"
SOURCES = DOCS.parent / "reluplex_walk"

STYLES = {"": "default", "-dark": "dark_background"}


class Block(NamedTuple):
    """Code of the page, and the file name of its picture, "" if there is none."""

    code: str
    picture: str


def blocks() -> list[Block]:
    """All blocks of the page."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"```python\n(.*?)```\n(?:\n!\[.*?\]\(pictures/(\S+?)\))?", text, re.DOTALL)
    return [Block(*each) for each in found]


def draw(folder: Path) -> None:
    """Run the page, and put its pictures into `folder`."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    known: dict[str, Any] = {}
    before = Path.cwd()
    os.chdir(folder)  # the code names its files without one
    try:
        for code, picture in blocks():
            *first, last = ast.parse(code).body
            exec(_code(first), known)
            if not picture:
                exec(_code([last]), known)
            for suffix, style in STYLES.items() if picture else ():
                own = picture.replace(".", f"{suffix}.")
                with plt.style.context(style):
                    exec(ast.unparse(last).replace(picture, own), known)
                    for number in plt.get_fignums():
                        plt.figure(number).savefig(own, dpi=90)
                    plt.close("all")
    finally:
        os.chdir(before)


def _code(statements: list[ast.stmt]) -> Any:
    return compile(ast.Module(statements, []), PAGE.name, "exec")


def write() -> None:
    """Draw all pictures, unless they are younger than the page and every file of the package."""
    FOLDER.mkdir(exist_ok=True)
    sources = [PAGE, Path(__file__), *SOURCES.rglob("*.py")]
    wanted = [FOLDER / block.picture for block in blocks() if block.picture]
    if all(each.exists() for each in wanted):
        oldest = min(each.stat().st_mtime for each in wanted)
        if oldest > max(each.stat().st_mtime for each in sources):
            return
    draw(FOLDER)


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "Agg")
    FOLDER.mkdir(exist_ok=True)
    draw(FOLDER)
