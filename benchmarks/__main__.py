"""``python -m benchmarks NAME [options]`` runs ``benchmarks/NAME.py``."""

import importlib
import pkgutil
import sys

import benchmarks

NAMES = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_")]

if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
    sys.exit(f"usage: python -m benchmarks NAME [options], NAME one of {', '.join(NAMES)}")
importlib.import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:])
