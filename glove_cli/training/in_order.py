"""Training on entries in the order in which they stand, to compare with other implementations."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import TrainingError
from glove_cli.training import kernels, kernels_plain
from glove_cli.training.config import TrainConfig
from glove_cli.training.entries import ENTRIES
from glove_cli.training.kernels import WEIGHTS
from glove_cli.training.state import PARAMETERS, State
from glove_cli.training.tiling import MAX_BLOCK

Floats = NDArray[np.floating]


def run_entries(
    W: Floats,
    C: Floats,
    b_w: Floats,
    b_c: Floats,
    gradsq_W: Floats,
    gradsq_C: Floats,
    gradsq_b_w: Floats,
    gradsq_b_c: Floats,
    row: NDArray[np.integer],
    col: NDArray[np.integer],
    x: NDArray[np.floating],
    config: TrainConfig,
) -> float:
    """Train on entries in the order in which they stand, as the reference does with one thread.

    Parameters
    ----------
    W, C : arrays (V, d), of config.dtype as all that follow
        Word and context vectors; changed in place, as all that follow.
    b_w, b_c : arrays (V,)
        Biases.
    gradsq_W, gradsq_C : arrays (V, d)
        Sums of squared steps, at least 1.
    gradsq_b_w, gradsq_b_c : arrays (V,)
        Those of the biases.
    row, col : integer arrays (n,)
        Words and contexts, from 0; V is at most 65,536.
    x : array (n,)
        Counts, positive and finite.
    config : TrainConfig

    Returns
    -------
    float
        Mean cost, 1/2 f(x) diff^2.

    Raises
    ------
    TrainingError
        If the arrays don't fit together, or an entry is out of range or not positive and finite.
    """
    parameters = (W, C, b_w, b_c, gradsq_W, gradsq_C, gradsq_b_w, gradsq_b_c)
    V = len(b_w)
    shapes = {name: (V, config.dim) if name.endswith(("W", "C")) else (V,) for name in PARAMETERS}
    for name, array in zip(PARAMETERS, parameters, strict=True):
        if array.shape != shapes[name] or array.dtype != config.dtype:
            raise TrainingError(f"{name}: is {array.dtype} {array.shape}. Give {config.dtype} {shapes[name]}.")
    row, col, x = (np.asarray(array) for array in (row, col, x))
    if not 0 < V <= MAX_BLOCK or not len(row) == len(col) == len(x) > 0:
        raise TrainingError(f"entries: {len(row)}, {len(col)}, {len(x)} of {V} words. Give as many of each, and words.")
    for ids in (row, col):
        if ids.min() < 0 or ids.max() >= V:
            raise TrainingError(f"entries: words {ids.min()} to {ids.max()} of {V}. Give numbers from 0 to {V - 1}.")
    if not (np.isfinite(x) & (x > 0)).all():
        raise TrainingError("entries: some are not positive and finite. Leave them out.")
    entries = np.zeros(len(x), ENTRIES[config.dtype])
    entries["row"], entries["col"], entries["log_x"] = row, col, np.log(np.asarray(x, np.float64))
    state = State.pack(parameters, np.arange(V, dtype=np.int32), V, eta=config.eta, bias_eta=config.bias_eta)
    number = np.dtype(config.dtype).type
    numbers = [
        number(value) for value in (config.eta, config.grad_clip, config.alpha, math.log(config.x_max), -math.inf)
    ]
    cost = np.zeros(1)
    (kernels if config.dtype == "float32" else kernels_plain).train_tiles(
        state.words, state.contexts, state.word_lengths, state.context_lengths, entries,
        np.array([[0, len(x), 0, 0]]), config.dim, *numbers, np.empty(2 * WEIGHTS, config.dtype), cost,
    )  # fmt: skip
    state.unpack(parameters)
    return float(cost[0]) / len(x)
