"""What training will need of memory, said and checked before it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glove_cli.errors import OptionError, TrainingError
from glove_cli.memory import allowed_memory, in_words, memory_limit, used_memory
from glove_cli.training.config import MAX_DIM, TrainConfig
from glove_cli.training.counts import Counts
from glove_cli.training.entries import ENTRIES
from glove_cli.training.state import row_width
from glove_cli.training.tiling import block_count

_BUFFERS = 24 << 20  # bytes, at least, for pieces of the matrix and of tiles
_PROGRAM = 48 << 20  # for what the program itself takes on the way: compiled code, a result's pieces
_A_THREAD = 2 << 20
_PICKED = 4 << 20  # for the entries that are picked out with min_weight, in each thread


@dataclass(frozen=True)
class Plan:
    """Bytes that training takes.

    Attributes
    ----------
    blocks : int
        Blocks of words, see `tiling`.
    parameters : int
        Vectors, biases, their sums of squares, and copies of them that options ask for.
    tiles : int
        The entries of all tiles.
    limit : int
        For tiles and buffers.
    buffers : int
        Of it, what is needed in any case.
    """

    blocks: int
    parameters: int
    tiles: int
    limit: int
    buffers: int

    @property
    def streamed(self) -> bool:
        """Whether tiles stay on the disk and are read piece by piece."""
        return self.tiles + self.buffers > self.limit

    def __str__(self) -> str:
        where = "read from disk piece by piece" if self.streamed else "in memory"
        return (
            f"Memory: {in_words(self.parameters)} for parameters; beside them at most {in_words(self.limit)}, "
            f"{in_words(self.buffers)} of it for buffers: {in_words(self.tiles)} of tiles are {where}."
        )


def make_plan(
    counts: Counts,
    config: TrainConfig,
    *,
    threads: int,
    memory: int | str | None,
    anchored: bool,
    returned: bool,
    evaluated: bool = False,
    mapped: bool = False,
) -> Plan:
    """Find out what training will need.

    Parameters
    ----------
    counts : Counts
    config : TrainConfig
    threads : int
    memory : int or str, optional
        Limit for tiles and buffers, see `train`.
    anchored : bool
        Whether there are vectors to be held to.
    returned : bool
        Whether the parameters are returned as arrays in memory as well.
    evaluated : bool
        Whether vectors are evaluated on the way, which takes copies of them.
    mapped : bool
        Whether the parameters stay in files.

    Returns
    -------
    Plan

    Raises
    ------
    OptionError
        If the limit is too small to work with.
    TrainingError
        If the machine's memory can't hold the parameters; the message names the largest dimension that would fit.
    """
    V = counts.V
    blocks = block_count(V, config.dim, counts.nnz)
    buffers = _BUFFERS + threads * (_A_THREAD + _PICKED * bool(config.min_weight) + 8 * V) + 32 * V + 32 * blocks**2
    allowed = max(0, allowed_memory() - used_memory() - _PROGRAM)

    def parameters(dim: int) -> int:
        size = np.dtype(config.dtype).itemsize
        if mapped:
            return 0
        state = 2 * (V + blocks) * (row_width(dim) + 1) * size
        copies = 1 + (config.on_divergence == "halve-eta") + returned
        return state * copies + anchored * (V + blocks) * dim * size + evaluated * 2 * V * dim * 4

    needed = parameters(config.dim)
    if needed + buffers > allowed:
        fitting = _largest(lambda dim: parameters(dim) + buffers <= allowed)
        advice = f"Give --dim {fitting} or less" if fitting else "Count fewer words (--max-vocab)"
        raise TrainingError(
            f"--dim: vectors of {config.dim} numbers for {V:,} words take {in_words(needed)} of memory, and "
            f"{in_words(buffers)} more are needed; there are {in_words(allowed)} beside the program itself. {advice}, "
            "or take another machine."
        )
    limit = memory_limit(memory) if memory is not None else max(buffers, allowed_memory() // 2 - needed)
    if limit < buffers:
        raise OptionError(
            f"--memory: {in_words(limit)} are too little beside the parameters. Give {(buffers >> 20) + 1}M or more."
        )
    itemsize = ENTRIES[config.dtype].itemsize
    return Plan(blocks, needed, counts.nnz * itemsize, min(limit, allowed - needed), buffers)


def _largest(fits: Callable[[int], bool]) -> int:
    """Return the largest dimension that fits, or 0."""
    low, high = 0, MAX_DIM
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low
