"""How much memory and disk there is, and sizes as people write them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import sys
from pathlib import Path

from glove_cli.errors import OptionError, OutputError

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_UNKNOWN_MEMORY = 4 << 30
_USUAL_MEMORY = 64 << 20
_CGROUP_ROOT = Path("/sys/fs/cgroup")
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt (malloc.h)
_KEPT_BYTES = 1 << 25


def memory_limit(memory: int | str | None) -> int:
    """Return how many bytes of memory a job may take.

    Parameters
    ----------
    memory : int or str, optional
        Bytes, or a size such as "4G" (units of 1024). Without it, half of what this machine, or the control group
        that this process runs in, allows.

    Returns
    -------
    int

    Raises
    ------
    OptionError
        If it is no size.
    """
    if memory is None:
        return allowed_memory() // 2
    if isinstance(memory, str):
        match = _SIZE.fullmatch(memory.strip())
        if match is None:
            raise OptionError(f"--memory: {memory!r} is not a size. Give a number of bytes, or one such as 500M or 4G.")
        memory = int(min(float(match[1]) * _UNITS[match[2].upper()], 2.0**62))
    if isinstance(memory, bool) or not isinstance(memory, int) or memory < 1:
        raise OptionError(f"--memory: {memory!r} is not a size. Give a number of bytes, or one such as 500M or 4G.")
    return memory


def allowed_memory() -> int:
    """Return the bytes of memory that this process may use: those of the machine, or of its control group if fewer."""
    limits = [_machine_memory(), *_cgroup_limits()]
    return min(limit for limit in limits if limit > 0)


def used_memory() -> int:
    """Return the bytes of memory that this process holds already and can't give back.

    Where the system doesn't say (it does on Linux), what Python and its libraries usually take.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) << 10
    return _USUAL_MEMORY


def reuse_memory() -> None:
    """Have freed arrays of up to 32 MB kept for the next ones, as glibc does unless its environment says otherwise.

    Dask's workers are told to give all memory back at once; new memory costs reading and counting a third of their
    time. Elsewhere than on Linux with glibc nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_MMAP_THRESHOLD, _KEPT_BYTES)
        set_option(_TRIM_THRESHOLD, 2 * _KEPT_BYTES)


def check_disk(folder: Path, needed: int, what: str) -> None:
    """Refuse a job that the disk can't hold.

    Parameters
    ----------
    folder : Path
        An existing folder on the disk.
    needed : int
        Bytes.
    what : str
        What they are needed for.

    Raises
    ------
    OutputError
        With both figures, if fewer bytes are free.
    """
    free = free_disk(folder)
    if needed > free:
        raise OutputError(
            f"{folder}: {what} needs about {in_words(needed)}, {in_words(free)} are free. "
            "Free space there, or choose another place."
        )


def free_disk(folder: Path) -> int:
    """Return the bytes that are free on the disk of a folder.

    Parameters
    ----------
    folder : Path
    """
    return shutil.disk_usage(folder).free


def in_words(size: float) -> str:
    """Return bytes as people write them, in units of 1024, like `memory_limit` reads them."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"


def _machine_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN_MEMORY


def _cgroup_limits() -> list[int]:
    """Return the memory limits of all control groups that this process is in (Linux)."""
    try:
        groups = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    limits = []
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root, name = (
            (_CGROUP_ROOT, "memory.max")
            if not controllers
            else (
                _CGROUP_ROOT / "memory",
                "memory.limit_in_bytes",
            )
        )
        folder = root / path.lstrip("/")
        for each in (folder, *folder.parents):
            with contextlib.suppress(OSError, ValueError):  # "max" is no number
                limits.append(int((each / name).read_text()))
            if each == root:
                break
    return limits
