"""Draws the layers of the package from the contract that `lint-imports` checks, as an SVG picture.

The contract in pyproject.toml is the only source: the picture cannot disagree with the rule.  Each
box is a room (or a module) with the first line of its docstring; dashed arrows are the exceptions
the contract names.  ``python docs/architecture.py`` writes docs/_static/architecture.svg, and the
tree of files to docs/_static/tree.txt, as does every build of the site.
"""

import ast
import re
import textwrap
from html import escape
from pathlib import Path

from importlinter.api import read_configuration

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "reluplex_walk"
STATIC = ROOT / "docs" / "_static"

WIDTH, MARGIN, GAP, LINE = 760, 110, 12, 16  # pixels; MARGIN on the right, for the exceptions
CHARACTER = 6.3  # width of one, on average


def layers() -> list[list[str]]:
    """Rooms and modules of each layer, top to bottom."""
    return [
        [name.strip(" ()") for name in layer.replace(":", "|").split("|")]
        for layer in _contract()["layers"]
    ]


def exceptions() -> list[tuple[str, str]]:
    """Pairs of rooms (importing, imported) that the contract lets meet against the rule."""
    found = [line.split("->") for line in _contract().get("ignore_imports", [])]
    return sorted({(_room(importer), _room(imported)) for importer, imported in found})


def _contract() -> dict:
    contracts = read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
    return next(contract for contract in contracts if contract["type"] == "layers")


def _room(module: str) -> str:
    return module.strip().split(".")[1]


def purpose(path: Path) -> str:
    """First line of the docstring of a file, or of a folder's ``__init__``."""
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return re.sub(r":\w+:(?=`)", "", text.split("\n")[0]).replace("``", "`")


def place(name: str) -> Path:
    """Where the room or module `name` is; reluplex_walk/native is a link, if there are any."""
    return ROOT / name if name == "native" else ROOT / PACKAGE / name


def tree() -> str:
    """Every file of every room, with its purpose, from the top layer to the kernels."""
    lines: list[str] = []
    for name in (name for layer in layers() for name in layer):
        lines += _listed(place(name), 0)
    return "\n".join(lines) + "\n"


def _listed(path: Path, depth: int) -> list[str]:
    """A line for a file, or for a folder and all that is in it; subrooms after the files."""
    name = "    " * depth + path.stem + "/" * path.is_dir()
    inside = [each.with_suffix("") for each in path.glob("*.py") if each.stem != "__init__"]
    rooms = [each.parent for each in path.glob("*/__init__.py")]
    parts = [*sorted(inside), *sorted(rooms)]
    return [f"{name:<24}{purpose(path)}", *(s for each in parts for s in _listed(each, depth + 1))]


def draw() -> str:
    """The picture."""
    shapes, middle, top = [], {}, GAP
    for row in layers():
        boxes = [(name, purpose(place(name))) for name in row]
        if len(row) > 3:
            boxes = [("base modules", " · ".join(row))]
        width = (WIDTH - GAP * (len(boxes) - 1)) / len(boxes)
        texts = [textwrap.wrap(text.replace("`", ""), int(width / CHARACTER)) for _, text in boxes]
        height = LINE * (1 + max(map(len, texts))) + 14
        for k, (title, _) in enumerate(boxes):
            shapes.append(_box(1 + k * (width + GAP), top, width, height, title, texts[k]))
        middle.update(dict.fromkeys(row, top + height / 2))
        top += height + GAP
    for k, (importer, imported) in enumerate(exceptions()):
        shapes.append(_arrow(middle[importer], middle[imported], 34 + 22 * k))
    legend = ", ".join(f"{importer} to {imported}" for importer, imported in exceptions())
    shapes.append(f'<text x="1" y="{top + 8:g}">Dashed: named exceptions, {legend}.</text>\n')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + MARGIN} {top + 16:g}" '
        f'font-family="sans-serif" font-size="12">\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#b04a00"/></marker></defs>\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{"".join(shapes)}</svg>\n'
    )


def _box(left: float, top: float, width: float, height: float, name: str, lines: list[str]) -> str:
    fill = {"native": "#fde9d3", "cli": "#e3efe0", "__main__": "#e3efe0"}.get(name, "#e4edf6")
    texts = [
        f'<text x="{left + 8:g}" y="{top + 19 + LINE * k:g}"{style}>{escape(line)}</text>\n'
        for k, line in enumerate([name, *lines])
        for style in ["" if k else ' font-weight="bold"']
    ]
    return (
        f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="4" '
        f'fill="{fill}" stroke="#7a8ba0"/>\n{"".join(texts)}'
    )


def _arrow(start: float, end: float, reach: float) -> str:
    """From the right end of one row to that of another one, bulging by `reach`."""
    return (
        f'<path d="M{WIDTH + 1} {start:g} C{WIDTH + reach} {start:g} {WIDTH + reach} {end:g} '
        f'{WIDTH + 3} {end:g}" fill="none" stroke="#b04a00" stroke-dasharray="4 3" '
        'marker-end="url(#tip)"/>\n'
    )


def write() -> None:
    """Write the picture and the tree to :data:`STATIC`."""
    STATIC.mkdir(exist_ok=True)
    (STATIC / "architecture.svg").write_text(draw(), encoding="utf-8")
    (STATIC / "tree.txt").write_text(tree(), encoding="utf-8")


if __name__ == "__main__":
    write()
