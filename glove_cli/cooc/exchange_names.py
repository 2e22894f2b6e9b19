"""Names of exchange formats, which the command line needs before anything is loaded."""

from __future__ import annotations

REFERENCE, NPZ, MARKET = "reference", "npz", "mtx"
FORMATS = (REFERENCE, NPZ, MARKET)
SUFFIXES = {".bin": REFERENCE, ".npz": NPZ, ".mtx": MARKET}
