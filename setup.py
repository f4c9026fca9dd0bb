"""Maps the kernels in native/ to the subpackage reluplex_walk.native; the rest: pyproject.toml."""

import shutil

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py


class CleanBuild(build_py):
    """What an earlier build left in build/ is not shipped: it may be of modules since deleted."""

    def run(self) -> None:
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(
    cmdclass={"build_py": CleanBuild},
    packages=sorted({*find_packages(include=["reluplex_walk*"]), "reluplex_walk.native"}),
    package_dir={"reluplex_walk": "reluplex_walk", "reluplex_walk.native": "native"},
    package_data={
        "reluplex_walk": ["data/*.csv", "data/*.npz", "py.typed"],
        "reluplex_walk.reports": ["assets/*.css", "assets/*.html", "assets/*.js"],
    },
)
