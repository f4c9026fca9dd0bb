"""Checks that an sdist and a wheel hold what they should: ``python .ci/contents.py FOLDER``.

The wheel: every module of the checkout and the data, no tests, nothing of an earlier build.  The
sdist: what is needed to run the tests and to build the documentation.
"""

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = {".csv", ".npz", ".typed", ".css", ".html", ".js"}
BESIDE = ("tests", "notebooks", "benchmarks", "docs")  # what the sdist has beside the package
SUFFIXES = {".py", ".ipynb", ".md", ".npz", ".rst", ".png", ".css"}


def files(folder: Path) -> set[str]:
    """Files below `folder`, relative to the checkout."""
    found = {path.relative_to(ROOT).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if "__pycache__" not in name}


def compare(name: str, expected: set[str], found: set[str]) -> None:
    """Exit with what is missing or too much."""
    missing, extra = sorted(expected - found), sorted(found - expected)
    if missing or extra:
        sys.exit(f"{name}: missing {missing or 'nothing'}, not expected {extra or 'nothing'}")
    print(f"{name}: {len(found)} files, as expected")


out = Path(sys.argv[1])
(wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")

package = files(ROOT / "reluplex_walk") - {"reluplex_walk/native"}  # where links are text files
package = {name for name in package if not name.startswith("reluplex_walk/native/")}
package = {name for name in package if Path(name).suffix in DATA | {".py"}}
kernels = files(ROOT / "native")
with zipfile.ZipFile(wheel) as archive:
    names = {name for name in archive.namelist() if ".dist-info/" not in name}
compare(wheel.name, package | {f"reluplex_walk/{name}" for name in kernels}, names)

with tarfile.open(sdist) as archive:
    names = {name.partition("/")[2] for name in archive.getnames()}
beside = {name for folder in BESIDE for name in files(ROOT / folder)}
beside = {name for name in beside if Path(name).suffix in SUFFIXES}
names = {name for name in names if name.startswith((*BESIDE, "native/", "reluplex_walk/"))}
names = {name for name in names if Path(name).suffix}  # no folders
compare(sdist.name, package | kernels | beside, names)
