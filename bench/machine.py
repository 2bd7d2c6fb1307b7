"""What the figures were measured on: processor, load, versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

PACKAGES = (
    "igraph", "networkit", "networkx", "numba", "numpy", "osmium", "pandana", "routingkit_cch",
    "rustworkx", "scgraph_data", "scipy", "shapely",
)  # fmt: skip
THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
)  # fmt: skip


def machine_facts() -> dict[str, object]:
    """Describe the machine, without its name or its user's."""
    return {
        "name": machine_name(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "cache_kib": cache_sizes_kib(),
        "load_1_min": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "revision": revision(),
        "threads": {name: os.environ.get(name, "") for name in THREAD_VARIABLES},
    }


def machine_name() -> str:
    """Name a kind of machine: figures of two kinds are not compared."""
    text = f"{cpu_model()} {os.cpu_count()} cores"
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def cpu_model() -> str:
    """Give the processor's name."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def cache_sizes_kib() -> dict[str, int]:
    """Give what one core sees of each level of cache, KiB."""
    sizes: dict[str, int] = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = (index / "type").read_text().strip()
        if kind != "Instruction":
            level = (index / "level").read_text().strip()
            sizes[f"L{level}"] = int((index / "size").read_text().strip().rstrip("K"))
    return sizes


def revision() -> str:
    """Give the commit that was measured, with a + where files differ from it."""
    root = Path(__file__).parent.parent

    def git(*words: str) -> str:
        run = ["git", "-C", str(root), *words]
        return subprocess.run(run, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - git of the user

    return git("rev-parse", "--short", "HEAD") + (
        "+" if git("status", "--porcelain", "-uno") else ""
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
