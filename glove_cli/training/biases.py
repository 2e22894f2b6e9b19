"""Biases that fit the counts before training: weighted least squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glove_cli.training import kernels_plain
from glove_cli.training.config import TrainConfig
from glove_cli.training.entries import Entries
from glove_cli.training.state import State
from glove_cli.training.workers import Workers

_MOST_SWEEPS = 10
_MOST_SWEEPS_WITH_VECTORS = 3
_CLOSE = 1e-3  # change of a bias that ends it


def fit_biases(workers: Workers, state: State, config: TrainConfig, *, with_vectors: bool) -> None:
    """Set the biases of a state to the least-squares fit of b_i + b_j to log x, each entry weighted by f(x).

    Parameters
    ----------
    workers : Workers
    state : State
    config : TrainConfig
    with_vectors : bool
        Whether w . c is part of the sum, as where vectors are given; else the vectors, small and random, are left out.

    Notes
    -----
    One side's best biases, the other's given, are b_i - sum_j f diff / sum_j f. So both sides take turns, each lowering
    the cost, until no bias changes much. A row of blocks belongs to one thread, so that the result is always the same.
    """
    small = state
    if not with_vectors:
        small = State.empty(state.place, len(state.words), 1, eta=1.0, bias_eta=1.0, dtype=state.words.dtype)
    for _ in range(_MOST_SWEEPS_WITH_VECTORS if with_vectors else _MOST_SWEEPS):
        change = max(_sweep(workers, small, config, side) for side in (0, 1))
        if change < _CLOSE:
            break
    ids = np.arange(len(state.place))
    for side in (0, 1):
        biases = small.take(side, ids).biases
        for part in np.array_split(ids, max(1, len(ids) >> 14)):
            fitted = {"biases": biases[part], "gradsq_biases": np.ones(len(part))}
            state.put(side, part, state.take(side, part)._replace(**fitted))


def _sweep(workers: Workers, state: State, config: TrainConfig, side: int) -> float:
    """Set the biases of one side; return the largest change."""
    blocks, size = workers.tiles.deal.blocks, workers.tiles.deal.block_size
    number = state.words.dtype.type
    how = (side, number(config.alpha), number(np.log(config.x_max)))
    fdiffs, weights = np.zeros((2, blocks * size))
    every = np.arange(blocks * blocks).reshape(blocks, blocks)

    def add(entries: Entries, jobs: NDArray[np.int64], space: object, costs: object) -> None:
        kernels_plain.add_bias_sums(state.words, state.contexts, entries, jobs, *how, fdiffs, weights)

    for future in [workers.submit(add, tiles) for tiles in (every.T if side else every).copy()]:
        future.result()
    column = state.dim + side
    array = (state.words, state.contexts)[side]
    # A word without entries keeps its bias.
    change = np.divide(fdiffs, weights, out=np.zeros_like(fdiffs), where=weights > 0)
    array[:, column] -= change.astype(array.dtype)
    state.measure(side)
    return float(np.abs(change).max())
