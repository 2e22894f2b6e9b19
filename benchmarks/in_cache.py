"""How fast the training kernel is when all its state lies in the L1 or L2 cache: the bound for training.

Not a benchmark of its own; `training.py` and `tiles.py` compare with it.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from glove_cli.training import kernels
from glove_cli.training.config import TrainConfig
from glove_cli.training.entries import ENTRY
from glove_cli.training.start import draw_parameters
from glove_cli.training.state import State, row_width

STATE_BYTES = (24 << 10, 256 << 10)  # of words and contexts of a thread: within the first and the second cache
ENTRIES = 400_000
REPEATS = 7


def rate(dim: int, threads: int) -> float:
    """Return entries per second of so many threads at once, each with its own small state; the better of two sizes."""
    return max(_rate(dim, threads, size) for size in STATE_BYTES)


def _rate(dim: int, threads: int, size: int) -> float:
    problems = [_problem(dim, max(2, size // (2 * 4 * row_width(dim))), seed) for seed in range(threads)]
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(REPEATS):
            begin = time.perf_counter()
            list(pool.map(_train, problems))
            best = max(best, threads * ENTRIES / (time.perf_counter() - begin))
    return best


def _problem(dim: int, rows: int, seed: int) -> tuple[State, np.ndarray]:
    """Return a small state and random entries, in groups of rows as in a tile."""
    rng = np.random.default_rng(seed)
    config = TrainConfig(dim=dim)
    place = np.arange(rows, dtype=np.int32)
    state = State.empty(place, rows, dim, eta=config.eta, bias_eta=config.bias_eta, dtype="float32")
    draw_parameters(state, config)
    entries = np.empty(ENTRIES, ENTRY)
    entries["row"], entries["col"] = rng.integers(0, rows, (2, ENTRIES))
    entries["log_x"] = rng.normal(size=ENTRIES)
    return state, entries[np.argsort(entries["row"] // 16, kind="stable")]


def _train(problem: tuple[State, np.ndarray]) -> None:
    state, entries = problem
    numbers = [np.float32(value) for value in (0.05, 100.0, 0.75, np.log(10.0), -np.inf)]
    kernels.train_tiles(
        state.words, state.contexts, state.word_lengths, state.context_lengths, entries,
        np.array([[0, len(entries), 0, 0]]), state.dim, *numbers, np.empty(2 * kernels.WEIGHTS, np.float32),
        np.zeros(1),
    )  # fmt: skip
