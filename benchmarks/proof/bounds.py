"""What the machine can do: bandwidth of memory and cache, arithmetic rate, disk. Each in the best of several tries.

Kernels run in threads of their own, without Python's lock, as the program's do.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numba
import numpy as np

from proof.checks import Check, check

FLOAT = 4  # bytes
HORNER = 12  # steps of the polynomial: enough to hide loads, few enough that several chains run at once
ARITHMETIC = 2_048  # numbers of a thread, within the first cache
TRIES = 5


@numba.njit(nogil=True, error_model="numpy", fastmath={"contract"})
def triad(a, b, c, factor, repeats):
    """Write a = b + factor c, so many times; the arrays are float32."""
    for _ in range(repeats):
        for k in range(a.size):
            a[k] = b[k] + factor * c[k]


@numba.njit(nogil=True, error_model="numpy", fastmath={"contract"})
def horner(x, factor, term, repeats):
    """Write x = x factor + term HORNER times over to each number, so many times: one load and one store for all."""
    for _ in range(repeats):
        for k in range(x.size):
            value = x[k]
            for _ in range(HORNER):
                value = value * factor + term
            x[k] = value


def bandwidth(size: int, threads: int, seconds: float = 0.2) -> dict[str, Any]:
    """Return bytes per second of triad over three arrays of `size` bytes in all, dealt out to threads.

    A triad reads two numbers and writes one: 12 bytes. That a write to memory also reads the line that it changes isn't
    counted, as in the STREAM benchmark.
    """
    each = max(16, size // (3 * FLOAT * threads))
    factor = np.float32(3)
    parts = [tuple(np.full(each, k, np.float32) for k in (0, 1, 2)) for _ in range(threads)]
    triad(*(array[:16] for array in parts[0]), factor, 1)  # compiles
    once = _fastest(lambda part: triad(*part, factor, 1), parts, 2)
    repeats = max(1, int(seconds / once))
    best = _fastest(lambda part: triad(*part, factor, repeats), parts, TRIES)
    right = all(bool((a == 7).all()) for a, _, _ in parts)
    return {
        "value": 3 * FLOAT * each * threads * repeats / best,
        "unit": "bytes/s",
        "threads": threads,
        "about": f"triad over {3 * FLOAT * each * threads:,} bytes",
        "checks": [check("1 + 3 x 2 = 7 everywhere", right)],
    }


def arithmetic(threads: int, seconds: float = 0.2) -> dict[str, Any]:
    """Return float32 operations per second, a multiplication and an addition counting as two."""
    start = np.linspace(0, 1, ARITHMETIC, dtype=np.float32)
    factor, term = np.float32(0.5), np.float32(0.25)
    tried = start.copy()
    horner(tried, factor, term, 1)
    expected = start.astype(np.float64)
    for _ in range(HORNER):
        expected = expected * 0.5 + 0.25
    checks = [check("the polynomial's values", bool(np.allclose(tried, expected, rtol=1e-5)))]
    parts = [start.copy() for _ in range(threads)]
    once = _fastest(lambda part: horner(part, factor, term, 100), parts, 2) / 100
    repeats = max(1, int(seconds / once))
    best = _fastest(lambda part: horner(part, factor, term, repeats), parts, TRIES)
    return {
        "value": 2 * HORNER * ARITHMETIC * threads * repeats / best,
        "unit": "flop/s",
        "threads": threads,
        "about": "float32, chains of multiply-add in registers",
        "checks": checks,
    }


def disk(folder: Path, size: int) -> list[dict[str, Any]]:
    """Return bytes per second of writing a file to the disk, synced, and of reading it once it is let go."""
    path = folder / "disk.bin"
    piece = np.random.default_rng(1).integers(0, 256, 1 << 22, dtype=np.uint8).tobytes()
    count = max(1, size // len(piece))
    os.sync()
    begin = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        for _ in range(count):
            file.write(piece)
        os.fsync(file.fileno())
    written = time.perf_counter() - begin
    checks: list[Check] = []
    with path.open("rb", buffering=0) as file:
        with contextlib.suppress(OSError, AttributeError):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        same, begin = True, time.perf_counter()
        seconds = 0.0
        for _ in range(count):
            begin = time.perf_counter()
            found = file.read(len(piece))
            seconds += time.perf_counter() - begin
            same &= found == piece
        checks.append(check("what was read is what was written", same))
    path.unlink()
    total = count * len(piece)
    about = f"a file of {total:,} bytes"
    return [
        {"value": total / written, "unit": "bytes/s", "threads": 1, "about": f"{about}, synced", "checks": []},
        {"value": total / seconds, "unit": "bytes/s", "threads": 1, "about": about, "checks": checks},
    ]


def _fastest(work: Callable[[Any], object], parts: list[Any], tries: int) -> float:
    best = float("inf")
    with ThreadPoolExecutor(len(parts)) as pool:
        for _ in range(tries):
            begin = time.perf_counter()
            list(pool.map(work, parts))
            best = min(best, time.perf_counter() - begin)
    return best
