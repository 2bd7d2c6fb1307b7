"""
The most memory that a process held.

It imports next to nothing: what it imports would count.
"""

from __future__ import annotations

import platform
import resource
from pathlib import Path

_TO_MB = 1024 if platform.system() == "Linux" else 1024**2


def peak_mb() -> float:
    """Give the most this process held, MiB; where the system tells, its parent's not counted."""
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return float(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _TO_MB
