"""Where the project is, and recorded data beside it; tests that need the latter are skipped where it is absent."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "sixkeys.py"
# what is installed, beside the program
PACKAGES = ("config", "collectors", "warehouse", "dashboards", "sample_data")
SHARED = ROOT.parent / "shared"
RECORDED = SHARED / "real"
# make soak LONG=1: an hour in place of minutes
LONG = bool(os.environ.get("SIXKEYS_LONG"))
