"""Maps the kernels in native/ to the subpackage reluplex_walk.native; the rest: pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=sorted({*find_packages(include=["reluplex_walk*"]), "reluplex_walk.native"}),
    package_dir={"reluplex_walk": "reluplex_walk", "reluplex_walk.native": "native"},
    package_data={"reluplex_walk": ["data/*.csv", "data/*.npz", "py.typed"]},
)
