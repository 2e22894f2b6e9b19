"""The entries of a matrix, cut into tiles: entry (i, j) belongs to tile (block of i, block of j).

A tile touches the states of one block of words and one block of contexts, and nothing else. What training needs of an
entry is computed once: 12 bytes, row and column within the blocks, log x and f(x).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import TrainingError
from glove_cli.parallel import ordered_map
from glove_cli.training import kernels_tiles
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import Counts
from glove_cli.training.state import row_width

ENTRY = np.dtype([("row", "<u2"), ("col", "<u2"), ("log_x", "<f4"), ("weight", "<f4")])
MAX_BLOCK = 1 << 16
TILE_BYTES = 8 << 20  # of states that a tile works on
GROUP_BYTES = 16 << 10  # of words' states that stay in the nearest cache
LEAST_BLOCKS = 8  # so that several threads have work
LEAST_ROWS = 8  # of a block
_RANGES = 64  # pieces of the matrix that threads share; the result doesn't depend on them
_MOST_COUNTERS = 1 << 24


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


@dataclass(frozen=True)
class Tiles:
    """All entries, tile by tile.

    Attributes
    ----------
    deal : Deal
    entries : record array (nnz,) of ENTRY
    starts : int64 array (blocks * blocks + 1,)
        Tile (r, c) holds `entries[starts[t]:starts[t + 1]]`, t = r * blocks + c.
    """

    deal: Deal
    entries: NDArray[np.void]
    starts: NDArray[np.int64]

    def tile(self, row_block: int, col_block: int) -> NDArray[np.void]:
        """Return the entries of one tile."""
        t = row_block * self.deal.blocks + col_block
        return self.entries[self.starts[t] : self.starts[t + 1]]


def block_count(V: int, dim: int) -> int:
    """Return into how many blocks to deal V words of d dimensions.

    Parameters
    ----------
    V : int
    dim : int

    Returns
    -------
    int
        So many that the states of a tile's words and contexts fill TILE_BYTES, rounded up to a multiple of
        LEAST_BLOCKS; fewer where a block would have less than LEAST_ROWS words. No block has more than MAX_BLOCK.

    Notes
    -----
    A smaller tile leaves the states that it has loaded after too few entries; a larger one doesn't fit into the cache.
    Each round has as many tiles as there are blocks, to share among threads. Their number has no influence: it would
    change the result.
    """
    by_cache = -(-V * 2 * 4 * row_width(dim) // TILE_BYTES)
    by_index = -(-V // MAX_BLOCK)
    wanted = -(-max(by_cache, by_index) // LEAST_BLOCKS) * LEAST_BLOCKS
    return max(1, by_index, min(wanted, V // LEAST_ROWS))


def deal_words(sizes: NDArray[np.int64], blocks: int, seed: int) -> Deal:
    """Deal words out to blocks at random, and evenly.

    Parameters
    ----------
    sizes : int64 array (V,)
        Entries of each row of the matrix.
    blocks : int
        Number of blocks.
    seed : int

    Returns
    -------
    Deal

    Notes
    -----
    As cards are dealt: the words in order of their sizes, `blocks` at a time, one to each block at random. So every
    block has its share of frequent words, tiles are of similar size, and neighbouring rows of similar length.
    """
    V = len(sizes)
    block_size = -(-V // blocks)
    rng = np.random.default_rng([seed, 1])
    block = rng.permuted(np.tile(np.arange(blocks, dtype=np.int32), (block_size, 1)), axis=1).reshape(-1)[:V]
    place = np.empty(V, np.int32)
    place[np.argsort(-sizes, kind="stable")] = block * block_size + np.arange(V, dtype=np.int32) // blocks
    return Deal(place, block_size, blocks)


def build_tiles(
    counts: Counts, config: TrainConfig, *, threads: int, on_entries: Callable[[int], None] = lambda _: None
) -> Tiles:
    """Cut a matrix into tiles.

    Parameters
    ----------
    counts : Counts
    config : TrainConfig
    threads : int
        The result doesn't depend on it.
    on_entries : callable
        Called with the number of entries done so far.

    Returns
    -------
    Tiles

    Raises
    ------
    TrainingError
        If an entry is out of range, or not positive and finite.
    """
    matrix = (counts.indptr, counts.indices, counts.data)
    with ThreadPoolExecutor(threads) as pool:
        sizes = _check(counts, threads, pool)
        deal = deal_words(sizes, block_count(counts.V, config.dim), config.seed)
        where = (counts.symmetric, deal.place, deal.block_size, deal.blocks)
        # The more tiles, the fewer ranges, each of which counts them all.
        ranges = _row_ranges(counts.indptr, max(1, min(_RANGES, _MOST_COUNTERS // deal.blocks**2)))
        table = np.zeros((len(ranges), deal.blocks**2), np.int64)
        list(
            pool.map(
                lambda k: kernels_tiles.count_entries(*matrix[:2], *ranges[k], *where, table[k]), range(len(ranges))
            )
        )
        starts = np.concatenate(([0], np.cumsum(table.sum(axis=0))))
        # A tile's entries come in the order of the matrix, whoever writes them.
        slots = starts[:-1] + np.cumsum(table, axis=0) - table
        entries = np.empty(int(starts[-1]), ENTRY)
        how = (config.x_max, config.alpha)
        list(
            pool.map(
                lambda k: kernels_tiles.deal_entries(*matrix, *ranges[k], *where, *how, slots[k], entries),
                range(len(ranges)),
            )
        )
    tiles = Tiles(deal, entries, starts)
    rng = np.random.default_rng([config.seed, 2])
    steps = [_step(int(n), *rng.random(2)) for n in np.diff(starts)]
    group = max(1, GROUP_BYTES // (4 * row_width(config.dim)))
    most = int(np.diff(starts).max())
    workspaces = [
        (np.empty(-(-deal.block_size // group), np.int64), np.empty((most, 3), np.uint32)) for _ in range(threads)
    ]

    def put_in_order(workspace: tuple[NDArray[np.int64], NDArray[np.uint32]], t: int) -> int:
        tile = entries[starts[t] : starts[t + 1]].view(np.uint32).reshape(-1, 3)
        out = workspace[1][: len(tile)]
        kernels_tiles.order_tile(tile, *steps[t], group, workspace[0], out)
        tile[:] = out
        return len(tile)

    done = 0
    for n in ordered_map(put_in_order, range(deal.blocks**2), workspaces):
        done += n
        on_entries(done)
    return tiles


def _step(n: int, first: float, second: float) -> tuple[int, int]:
    """Return where to begin and how far to step, about the golden section of n, to visit n entries once each."""
    step = max(1, int(n * (0.618 + 0.01 * second)))
    while math.gcd(n, step) != 1 and n:
        step += 1
    return int(first * n), step


def _check(counts: Counts, threads: int, pool: ThreadPoolExecutor) -> NDArray[np.int64]:
    """Refuse entries that can't be trained on; return how many each row of the whole matrix has."""
    ranges = _row_ranges(counts.indptr, threads)
    sizes = np.zeros((len(ranges), counts.V), np.int64)
    matrix = (counts.indptr, counts.indices, counts.data)
    found = pool.map(
        lambda k: kernels_tiles.check_entries(*matrix, *ranges[k], counts.symmetric, sizes[k]), range(len(ranges))
    )
    outside, bad = np.sum(list(found), axis=0).tolist()
    if outside:
        raise TrainingError(f"{counts.name}: {outside:,} entries have a column out of range. Make the matrix again.")
    if bad:
        raise TrainingError(
            f"{counts.name}: {bad:,} entries are not positive and finite. Train on positive counts only."
        )
    return sizes.sum(axis=0)


def _row_ranges(indptr: NDArray[np.int64], ranges: int) -> list[tuple[int, int]]:
    """Return ranges of rows with about as many entries each."""
    edges = np.searchsorted(indptr, np.linspace(0, indptr[-1], ranges + 1))
    edges[0], edges[-1] = 0, len(indptr) - 1
    return list(pairwise(np.unique(edges).tolist()))
