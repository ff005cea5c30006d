"""Benchmarks of updates."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "template/scripts/customer-tools"))

from platform_tools.update import structured as structured
