"""How words are dealt out to blocks, how many blocks there are, and how many tiles are worked on in one go.

The cost of an entry is that of its arithmetic, which is the same whatever the tiles are, and that of loading states
into the cache. With B words a block, a tile loads 2 B states for n entries, so that there are 2 B / n loads an entry:

    B = V / blocks      n = nnz / blocks^2      loads = 2 V blocks / nnz

Few blocks, therefore; but a tile's states should fit into the cache, or every entry loads its context again, and a
round should have work for many cores. The rule, from the strongest wish to the weakest:

1. a row within a block is a number of 16 bits:       blocks >= V / 65,536
2. a state that is loaded serves some entries:        blocks <= nnz / (12 V), so that loads <= 1/6
3. a block has some words:                            blocks <= V / 8
4. tiles for 64 cores in every round:                 blocks >= 64
5. a tile's states fit into the cache:                blocks >= 2 V state / TILE_BYTES
6. a tile can be put in order within memory:          blocks >= sqrt(nnz / TILE_ENTRIES)

64 blocks are more than the cache asks for where V is small. So neighbouring tiles are worked on together, `group` by
`group` of them, as long as their states fit into a larger cache. `docs/tiles.md` shows the measured curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glove_cli.training.state import row_width

MAX_BLOCK = 1 << 16
CORES = 64
TILE_BYTES = 8 << 20  # of states that a tile works on
GROUP_BYTES = 12 << 20  # of states that a group of tiles works on
TILE_ENTRIES = 1 << 22
_LEAST_REUSE = 6  # entries that a state serves once it is loaded
_LEAST_ROWS = 8  # of a block
_LEAST_GROUPS = 16  # so that several threads have work


@dataclass(frozen=True)
class Deal:
    """Which block each word belongs to.

    Attributes
    ----------
    place : int32 array (V,)
        block * block_size + row within the block.
    block_size : int
        Rows of a block, the last one perhaps without a word.
    blocks : int
        Number of blocks.
    """

    place: NDArray[np.int32]
    block_size: int
    blocks: int

    @property
    def rows(self) -> int:
        """Number of places."""
        return self.blocks * self.block_size


def block_count(V: int, dim: int, nnz: int) -> int:
    """Return into how many blocks to deal V words of d dimensions that have nnz entries.

    Parameters
    ----------
    V, dim, nnz : int

    Returns
    -------
    int
        See above. The number of threads has no influence: it would change the result.
    """
    by_index = -(-V // MAX_BLOCK)
    by_cache = -(-2 * V * 4 * row_width(dim) // TILE_BYTES)
    by_memory = math.isqrt(nnz // TILE_ENTRIES) + 1
    wanted = max(CORES, by_cache, by_memory)
    useful = min(wanted, nnz // (2 * _LEAST_REUSE * V), V // _LEAST_ROWS)
    if useful >= CORES:
        useful -= useful % 16  # so that there are groups
    return max(1, by_index, useful)


def group_size(V: int, dim: int, blocks: int) -> int:
    """Return how many neighbouring blocks of words, and of contexts, are worked on in one go.

    Parameters
    ----------
    V, dim, blocks : int

    Returns
    -------
    int
        1, 2, 4 or 8, a divisor of `blocks`.
    """
    state = 2 * 4 * row_width(dim) * -(-V // blocks)
    fitting = [g for g in (2, 4, 8) if blocks % g == 0 and blocks // g >= _LEAST_GROUPS and g * state <= GROUP_BYTES]
    return max(fitting, default=1)


def deal_words(sizes: NDArray[np.int64], blocks: int) -> Deal:
    """Deal words out to blocks at random, and evenly.

    Parameters
    ----------
    sizes : int64 array (V,)
        Entries of each row of the matrix.
    blocks : int
        Number of blocks.

    Returns
    -------
    Deal

    Notes
    -----
    As cards are dealt: the words in order of their sizes, `blocks` at a time, one to each block at random. So every
    block has its share of frequent words, tiles are of similar size, and neighbouring rows of similar length. The same
    sizes are always dealt out alike, so that all trainings on a matrix can share its tiles.
    """
    V = len(sizes)
    block_size = -(-V // blocks)
    rng = np.random.default_rng(1)
    block = rng.permuted(np.tile(np.arange(blocks, dtype=np.int32), (block_size, 1)), axis=1).reshape(-1)[:V]
    place = np.empty(V, np.int32)
    place[np.argsort(-sizes, kind="stable")] = block * block_size + np.arange(V, dtype=np.int32) // blocks
    return Deal(place, block_size, blocks)
