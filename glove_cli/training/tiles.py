"""The entries of a matrix, cut into tiles: entry (i, j) belongs to tile (block of i, block of j).

A tile touches the states of one block of words and one block of contexts, and nothing else. What training needs of an
entry takes 8 bytes: row and column within the blocks, and log x. A tile's entries stand in the order in which they are
trained, those that are held out after them.

The tiles depend on the matrix, the number of blocks and the share held out, not on the other options. They are made
in bounded memory: a piece of the matrix at a time is dealt out to tiles, and each tile's share of it is put where it
belongs; then each tile is put in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import TrainingError
from glove_cli.parallel import ordered_map
from glove_cli.training import kernels_tiles
from glove_cli.training.counts import Counts
from glove_cli.training.entries import PIECE, Entries, EntryStore, as_numbers
from glove_cli.training.tiling import Deal

ROWS_TOGETHER = 16  # rows of a tile whose entries stand together: their states stay in the nearest cache
_CHUNK = 1 << 22  # entries that are dealt out at once, if memory allows
_LEAST_CHUNK = 1 << 12
_BATCH = 1 << 18  # entries that are put in order at once


@dataclass(frozen=True)
class Tiles:
    """All entries, tile by tile.

    Attributes
    ----------
    deal : Deal
    starts : int64 array (2 * blocks * blocks + 1,)
        Tile t = r * blocks + c trains on entries starts[2 t] <= e < starts[2 t + 1], and holds out those from there to
        starts[2 t + 2].
    entries : EntryStore
    """

    deal: Deal
    starts: NDArray[np.int64]
    entries: EntryStore

    @property
    def trained(self) -> int:
        """Number of entries that are trained on."""
        return int(np.sum(self.starts[1::2] - self.starts[:-1:2]))

    @property
    def held_out(self) -> int:
        """Number of entries that are held out."""
        return int(self.starts[-1]) - self.trained

    def sizes(self, tiles: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many entries of each tile are trained on."""
        return self.starts[2 * tiles + 1] - self.starts[2 * tiles]

    def jobs(self, tiles: NDArray[np.int64], *, held_out: bool = False) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the work of some tiles, in pieces of at most PIECE entries.

        Parameters
        ----------
        tiles : int64 array (n,)
        held_out : bool
            Whether the entries that are held out are meant.

        Returns
        -------
        jobs : int64 array (m, 4)
            First entry, the one after the last, first row of words, first row of contexts.
        owners : int64 array (m,)
            Index into `tiles` of each.
        """
        first, last = self.starts[2 * tiles + held_out], self.starts[2 * tiles + held_out + 1]
        pieces = np.maximum(1, -(-(last - first) // PIECE))
        owners = np.repeat(np.arange(len(tiles)), pieces)
        piece = np.arange(len(owners)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        jobs = np.empty((len(owners), 4), np.int64)
        jobs[:, 0] = first[owners] + piece * PIECE
        jobs[:, 1] = np.minimum(jobs[:, 0] + PIECE, last[owners])
        row_blocks, col_blocks = np.divmod(tiles, self.deal.blocks)
        jobs[:, 2], jobs[:, 3] = row_blocks[owners] * self.deal.block_size, col_blocks[owners] * self.deal.block_size
        return jobs, owners


def check_entries(counts: Counts, threads: int, memory: int) -> NDArray[np.int64]:
    """Refuse entries that can't be trained on; return how many each row of the whole matrix has.

    Parameters
    ----------
    counts : Counts
    threads : int
    memory : int
        Bytes for pieces of the matrix.

    Returns
    -------
    sizes : int64 array (V,)

    Raises
    ------
    TrainingError
        If an entry is out of range, or not positive and finite.
    """
    with ThreadPoolExecutor(threads) as pool:
        sizes = np.zeros((threads, counts.V), np.int64)
        most = _piece(memory, threads * counts.entry_bytes)
        ranges = [list(row_ranges(counts.indptr, first, last, most)) for first, last in _shares(counts, threads)]

        def check(k: int) -> NDArray[np.int64]:
            found = np.zeros(2, np.int64)
            for first, last in ranges[k]:
                indptr, indices, data = counts.rows(first, last)
                offset = indptr[first]
                found += kernels_tiles.check_entries(
                    indptr, indices, data, offset, first, last, counts.symmetric, sizes[k]
                )
                counts.release(first, last)
            return found

        outside, bad = np.sum(list(pool.map(check, range(len(ranges)))), axis=0).tolist()
    if outside:
        raise TrainingError(f"{counts.name}: {outside:,} entries have a column out of range. Make the matrix again.")
    if bad:
        raise TrainingError(
            f"{counts.name}: {bad:,} entries are not positive and finite. Train on positive counts only."
        )
    return sizes.sum(axis=0)


def row_ranges(indptr: NDArray[np.int64], first: int, last: int, most: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows with at most `most` stored entries each, or of one row.

    Parameters
    ----------
    indptr : int64 array (V + 1,)
    first, last : int
        Rows to part.
    most : int
        Entries.
    """
    while first < last:
        end = int(np.searchsorted(indptr, indptr[first] + most, side="right")) - 1
        end = min(max(end, first + 1), last)
        yield first, end
        first = end


def _piece(memory: int, entry_bytes: int) -> int:
    """Return how many stored entries to take at once."""
    return min(_CHUNK, max(_LEAST_CHUNK, memory // entry_bytes))


def _shares(counts: Counts, shares: int) -> list[tuple[int, int]]:
    """Return at most so many ranges of rows with about as many entries each."""
    edges = np.searchsorted(counts.indptr, np.linspace(0, counts.indptr[-1], shares + 1))
    edges[0], edges[-1] = 0, counts.V
    return list(pairwise(np.unique(edges).tolist()))


@dataclass(frozen=True)
class TileBuilder:
    """Makes tiles of a matrix.

    Attributes
    ----------
    counts : Counts
    deal : Deal
    holdout : float
        Share of the pairs that are held out.
    dtype : dtype
        ENTRY or ENTRY64.
    threads : int
        The result doesn't depend on it.
    memory : int
        Bytes for buffers.
    """

    counts: Counts
    deal: Deal
    holdout: float
    dtype: np.dtype[np.void]
    threads: int
    memory: int

    def build(
        self, make_store: Callable[[int], EntryStore], on_entries: Callable[[int, int], None] = lambda done, total: None
    ) -> Tiles:
        """Make the tiles.

        Parameters
        ----------
        make_store : callable
            Makes room for so many entries.
        on_entries : callable
            Called with how much is done and how much there is to do, in entries.

        Returns
        -------
        Tiles

        Raises
        ------
        TrainingError
            If everything would be held out.
        """
        ranges = list(row_ranges(self.counts.indptr, 0, self.counts.V, self._chunk()))
        states = [None] * self.threads
        sizes = np.zeros(2 * self.deal.blocks**2, np.int64)
        for part in ordered_map(lambda _, rows: self._count(*rows), ranges, states):
            sizes += part
        tiles = Tiles(self.deal, np.concatenate(([0], np.cumsum(sizes))), make_store(int(sizes.sum())))
        if not tiles.trained:
            raise TrainingError(
                f"--holdout: {self.holdout:g} holds out all {tiles.held_out:,} entries of {self.counts.name}. "
                "Give less, or a larger matrix."
            )
        total = 2 * int(tiles.starts[-1])
        done = 0
        slots = tiles.starts[:-1].copy()
        # In the order of the matrix, whoever dealt a piece.
        for entries, runs in ordered_map(lambda _, rows: self._deal(*rows), ranges, states, ahead=1):
            tiles.entries.write_runs(entries, runs, slots)
            slots += runs
            done += len(entries)
            on_entries(done, total)
        for n in self._order(tiles):
            done += n
            on_entries(done, total)
        return tiles

    def _chunk(self) -> int:
        """Return how many stored entries to deal out at once."""
        copies = (2 if self.counts.symmetric else 1) * self.dtype.itemsize + self.counts.entry_bytes
        return _piece(self.memory, (self.threads + 2) * copies)

    def _where(self) -> tuple[bool, NDArray[np.int32], int, int, np.uint64]:
        threshold = np.uint64(int(self.holdout * 2**64))
        return self.counts.symmetric, self.deal.place, self.deal.block_size, self.deal.blocks, threshold

    def _count(self, first: int, last: int) -> NDArray[np.int64]:
        """Return how many entries of some rows go to each part."""
        sizes = np.zeros(2 * self.deal.blocks**2, np.int64)
        indptr, indices, _ = self.counts.rows(first, last)
        kernels_tiles.count_entries(indptr, indices, indptr[first], first, last, *self._where(), sizes)
        self.counts.release(first, last)
        return sizes

    def _deal(self, first: int, last: int) -> tuple[Entries, NDArray[np.int64]]:
        """Return the entries of some rows, part by part, and how many each has."""
        sizes = self._count(first, last)
        entries = np.empty(int(sizes.sum()), self.dtype)
        indptr, indices, data = self.counts.rows(first, last)
        slots = np.cumsum(sizes) - sizes
        kernels_tiles.deal_entries(indptr, indices, data, indptr[first], first, last, *self._where(), slots, entries)
        self.counts.release(first, last)
        return entries, sizes

    def _order(self, tiles: Tiles) -> Iterator[int]:
        """Put the entries of each tile in order; yield how many were."""
        tile_starts = tiles.starts[::2]
        batches = list(row_ranges(tile_starts, 0, len(tile_starts) - 1, _BATCH))
        most = max(int(tile_starts[last] - tile_starts[first]) for first, last in batches)
        begins, steps = _steps(tiles.sizes(np.arange(len(tile_starts) - 1)))
        groups = -(-self.deal.block_size // ROWS_TOGETHER)
        threads = max(1, min(self.threads, self.memory // (2 * most * self.dtype.itemsize)))

        def put_in_order(space: tuple[Entries, Entries, NDArray[np.int64]], batch: tuple[int, int]) -> int:
            first, last = batch
            edges = tiles.starts[2 * first : 2 * last + 1]
            batch_entries = tiles.entries.read(int(edges[0]), int(edges[-1]), space[0])
            out = space[1][: len(batch_entries)]
            kernels_tiles.order_tiles(
                as_numbers(batch_entries), edges - edges[0], begins[first:last], steps[first:last], ROWS_TOGETHER,
                space[2], as_numbers(out),
            )  # fmt: skip
            tiles.entries.write(int(edges[0]), out)
            return len(out)

        spaces = [
            (np.empty(most, self.dtype), np.empty(most, self.dtype), np.empty(groups, np.int64)) for _ in range(threads)
        ]
        yield from ordered_map(put_in_order, batches, spaces)


def _steps(sizes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where to begin in each tile and how far to step, about the golden section, to visit all entries once."""
    rng = np.random.default_rng(2)
    first, second = rng.random((2, len(sizes)))
    steps = np.maximum(1, (sizes * (0.618 + 0.01 * second)).astype(np.int64))
    wrong = np.flatnonzero(np.gcd(sizes, steps) > 1)
    while wrong.size:
        steps[wrong] += 1
        wrong = wrong[np.gcd(sizes[wrong], steps[wrong]) > 1]
    return (first * sizes).astype(np.int64), steps
