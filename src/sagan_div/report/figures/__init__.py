"""Results -> matplotlib figures -> PNG, PDF and SVG, the same bytes for the same results: a module for each."""

import os
import sys
from contextlib import suppress

if "matplotlib" not in sys.modules:  # which ends where a notebook that started this process names a backend that it lacks
    _named = os.environ.pop("MPLBACKEND", None)
    import matplotlib

    if _named:
        os.environ["MPLBACKEND"] = _named
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = _named  # a notebook's own figures appear in it as ever
