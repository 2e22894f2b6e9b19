"""The update that an entry makes, as the kernels are told it: the same for all of a state, and for a part of one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.training import kernels, kernels_plain
from glove_cli.training.config import TrainConfig
from glove_cli.training.entries import PIECE, Entries

_KEPT = 4 * PIECE  # entries that are picked out at once


def train_entries(
    arrays: Sequence[NDArray[Any]],
    config: TrainConfig,
    eta: float,
    epoch: int,
    entries: Entries,
    jobs: NDArray[np.int64],
    space: NDArray[Any],
    costs: NDArray[np.float64],
    *,
    place_jobs: Callable[[NDArray[np.int64]], NDArray[np.int64]] = lambda jobs: jobs,
) -> None:
    """Train on entries, in the thread that calls this.

    Parameters
    ----------
    arrays : sequence of arrays
        Words and contexts (rows, row_width(dim)), and the lengths of both (rows,), float32 or float64; changed in
        place. See `State`.
    config : TrainConfig
    eta : float
        Learning rate of the vectors.
    epoch : int
        With `min_weight`, which entries are met depends on it.
    entries : structured array (n,)
    jobs : int64 array (m, 4)
        See `Tiles.jobs`.
    space : float array
        Of the kernel's own.
    costs : float64 array (m,)
        Written.
    place_jobs : callable
        Called with jobs; returns them with the rows that `arrays` has them in, where these are a part of the state.
    """
    number = arrays[0].dtype.type
    chosen = kernels if arrays[0].dtype == np.float32 else kernels_plain
    rates = (number(eta), number(config.grad_clip))
    weighing = (number(config.alpha), number(math.log(config.x_max)))
    least = number(math.log(config.min_weight) if config.min_weight else -math.inf)
    if not config.min_weight:
        chosen.train_tiles(*arrays, entries, place_jobs(jobs), config.dim, *rates, *weighing, least, space, costs)
        return
    key = _epoch_key(config.seed, epoch)
    kept, kept_jobs, begin = np.empty(_KEPT, entries.dtype), np.empty_like(jobs), 0
    while begin < len(jobs):
        end = begin + chosen.thin_entries(entries, jobs[begin:], *weighing, least, key, space, kept, kept_jobs[begin:])
        part = slice(begin, end)
        chosen.train_tiles(
            *arrays, kept, place_jobs(kept_jobs[part]), config.dim, *rates, *weighing, least, space, costs[part]
        )
        begin = end


def find_entry_costs(
    arrays: Sequence[NDArray[Any]],
    config: TrainConfig,
    entries: Entries,
    jobs: NDArray[np.int64],
    space: NDArray[Any],
    costs: NDArray[np.float64],
    *,
    place_jobs: Callable[[NDArray[np.int64]], NDArray[np.int64]] = lambda jobs: jobs,
) -> None:
    """Find the costs of entries; nothing is changed.

    Parameters
    ----------
    arrays : sequence of arrays
        Words and contexts, and whatever follows.
    config, entries, jobs, space, costs, place_jobs
        See `train_entries`.
    """
    number = arrays[0].dtype.type
    chosen = kernels if arrays[0].dtype == np.float32 else kernels_plain
    weighing = (number(config.alpha), number(math.log(config.x_max)))
    chosen.find_costs(*arrays[:2], entries, place_jobs(jobs), *weighing, space, costs)


def _epoch_key(seed: int, epoch: int) -> np.uint64:
    """Return what the choice of entries in an epoch depends on."""
    return np.uint64(np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0])
