"""What numbers depend on: the machine, the versions, the commit."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import Any

import common

VECTOR_FLAGS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512vl", "avx512_bf16", "asimd", "sve")


def facts() -> dict[str, Any]:
    """Return what is known of the machine."""
    return {
        "processor": common.processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "caches": caches(),
        "vector_flags": _flags(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Return the versions of what our side consists of."""
    import numba
    import numpy
    import scipy

    import glove_cli

    return {
        "glove": glove_cli.__version__,
        "Python": platform.python_version(),
        "numpy": numpy.__version__,
        "numba": numba.__version__,
        "scipy": scipy.__version__,
    }


def commit() -> dict[str, str]:
    """Return the commit, the last one that changed the program, and whether it has changed since."""
    git = ("git", "-C", str(common.REPOSITORY))
    changed = common.output(*git, "status", "--porcelain", "--", "glove_cli")
    program = common.output(*git, "log", "-1", "--format=%h", "--", "glove_cli") or "unknown"
    return {
        "commit": common.output(*git, "rev-parse", "--short", "HEAD") or "unknown",
        "program": f"{program}, and changes {_digest(changed)}" if changed else program,
    }


def _digest(changed: str) -> str:
    difference = common.output("git", "-C", str(common.REPOSITORY), "diff", "HEAD", "--", "glove_cli")
    return hashlib.sha256((changed + difference).encode()).hexdigest()[:8]


def caches() -> list[dict[str, Any]]:
    """Return level, kind, bytes, and the processors that share it, of the caches of the first core (Linux)."""
    found = []
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            text = {name: (folder / name).read_text().strip() for name in ("level", "type", "size", "shared_cpu_list")}
        except OSError:
            continue
        size = int(text["size"].rstrip("K")) << 10
        found.append(
            {"level": int(text["level"]), "kind": text["type"], "bytes": size, "shared by": text["shared_cpu_list"]}
        )
    return found


def _flags() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith(("flags", "Features"))), [])
    return [flag for flag in VECTOR_FLAGS if flag in flags]
