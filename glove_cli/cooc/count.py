"""Token ids to rows of counts: one chunk at a time, its rows by several threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc import kernels
from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.store import RowBlock
from glove_cli.corpus.chunks import Chunk
from glove_cli.parallel import ordered_map

BLOCK_ENTRIES = 1 << 18
TOP = 128  # words whose pairs with each other are counted at once, in as much memory as a core has near itself
_PIECE = 1 << 18
_RANGES = 256  # that rows are cut into at least, for several threads to share
_RANGES_ALONE = 16  # for one: that something is heard of it
Buffer = tuple[NDArray[np.int32], NDArray[np.float64]]


class Accumulator(NamedTuple):
    """One row of counts, dense, and a bit for each column in use; both zero between rows, but for spare places."""

    acc: NDArray[np.float64]
    bits: NDArray[np.uint64]

    @classmethod
    def of(cls, V: int, window: int = 0) -> Accumulator:
        """Make an accumulator for V columns, with places to spare for the neighbours of a window on one side."""
        # No number of `bits` holds both columns and spare places.
        words = -(-V // kernels.WORD) + -(-(window + 1) // kernels.WORD)
        return cls(np.zeros(words * kernels.WORD), np.zeros(words, np.uint64))


def count_chunk(
    chunk: Chunk,
    starts: NDArray[np.int64],
    positions: NDArray[np.int32],
    config: CoocConfig,
    threads: int,
    on_rows: Callable[[int], None],
    only: tuple[int, int] | None = None,
) -> Iterator[RowBlock]:
    """Count the pairs whose row word stands at the chunk's own positions.

    Parameters
    ----------
    chunk : Chunk
        Final ids with a margin of `config.window`.
    starts, positions : int64 array (V + 1,), int32 array
        The positions of each word, from `positions_by_word`; with `only`, from `word_starts` and
        `positions_of`.
    config : CoocConfig
    threads : int
    on_rows : callable
        Called with the number of positions done so far.
    only : (int, int), optional
        The first row and the one behind the last, unless all are wanted; of a symmetric matrix the first TOP rows are
        wanted together.

    Yields
    ------
    RowBlock
        The rows, in order; its arrays are overwritten when the next one is asked for.
    """
    weights = config.weights()
    to_right, to_left = config.context != "right", config.context != "left"
    lower = config.context == "symmetric"
    V = len(starts) - 1
    first_row, end = only if only is not None else (0, V)
    if config.context == "symmetric" and not first_row:
        block = top_rows(chunk, min(TOP, V), V, weights, threads)
        yield block
        first_row = len(block.sizes)
        on_rows(int(starts[first_row]))
    most = most_entries(starts, config)
    ranges = row_ranges(most[:end], np.diff(starts)[:end], threads, first_row)
    places = starts if only is None else starts - starts[first_row]
    room = max((int(most[first:last].sum()) for first, last in ranges), default=0) + 1
    buffers: list[Buffer] = []  # used again: new memory takes time, too

    def work(accumulator: Accumulator, bounds: tuple[int, int]) -> tuple[RowBlock, Buffer]:
        first, last = bounds
        sizes = np.empty(last - first, np.int64)
        try:
            indices, data = buffers.pop()
        except IndexError:
            indices, data = np.empty(room, np.int32), np.empty(room)
        n = kernels.count_rows(
            chunk.ids, positions, places, first, last, weights, to_right, to_left, lower,
            *accumulator, sizes, indices, data,
        )  # fmt: skip
        return RowBlock(sizes, indices[:n], data[:n]), (indices, data)

    states = [Accumulator.of(V, config.window) for _ in range(threads)]
    for (_, last), (block, buffer) in zip(ranges, ordered_map(work, ranges, states), strict=True):
        yield block
        buffers.append(buffer)
        on_rows(int(starts[last]))


def top_rows(chunk: Chunk, K: int, V: int, weights: NDArray[np.float64], threads: int) -> RowBlock:
    """Count the lower half of the first K rows: pairs of frequent words, of which half of a text consists.

    Parameters
    ----------
    chunk : Chunk
    K, V : int
        Rows to count, and words.
    weights : float64 array (window + 1,)
    threads : int

    Returns
    -------
    RowBlock
        K rows, with columns <= row.
    """
    window = len(weights) - 1
    room = min(_PIECE, chunk.end - chunk.begin) + window + 1

    def work(state: tuple[NDArray[np.int32], NDArray[np.int64]], begin: int) -> NDArray[np.float64]:
        top = np.zeros((K, K))
        kernels.count_top(chunk.ids, begin, min(begin + _PIECE, chunk.end), V, weights, *state, top)
        return top

    states = [(np.empty(room, np.int32), np.empty(room, np.int64)) for _ in range(threads)]
    pieces = range(chunk.begin, chunk.end, _PIECE)
    top = sum(ordered_map(work, pieces, states), np.zeros((K, K)))
    np.fill_diagonal(top, 2 * top.diagonal())  # two tokens of a word are neighbours of each other
    rows, columns = top.nonzero()
    return RowBlock(np.bincount(rows, minlength=K), columns.astype(np.int32), top[rows, columns])


def most_entries(starts: NDArray[np.int64], config: CoocConfig) -> NDArray[np.int64]:
    """Return how many entries each row can have at most.

    Parameters
    ----------
    starts : int64 array (V + 1,)
        Where each word's positions begin.
    config : CoocConfig

    Returns
    -------
    int64 array (V,)
    """
    symmetric = config.context == "symmetric"
    V = len(starts) - 1
    visits = config.window * (2 if symmetric else 1)
    return np.minimum(np.diff(starts) * visits, np.arange(V) + 1 if symmetric else V)


def word_starts(chunk: Chunk, V: int, threads: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count every word's positions.

    Parameters
    ----------
    chunk : Chunk
    V : int
    threads : int

    Returns
    -------
    starts : int64 array (V + 1,)
        Where word i's positions begin in a list of all of them.
    slots : int64 array (threads, V + 2)
        Where they begin for each thread, which counts a stretch of the chunk.
    """
    counts = np.zeros((threads, V + 2), np.int64)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(kernels.count_words, repeat(chunk.ids), *_stretches(chunk, threads), counts))
    starts = np.zeros(V + 1, np.int64)
    np.cumsum(counts[:, :V].sum(axis=0), out=starts[1:])
    # Each thread's positions of a word follow those of the threads before it.
    return starts, np.append(starts, starts[-1]) + np.cumsum(counts, axis=0) - counts


def positions_by_word(chunk: Chunk, V: int, threads: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """List every word's positions by a counting sort.

    Parameters
    ----------
    chunk : Chunk
    V : int
    threads : int

    Returns
    -------
    starts : int64 array (V + 1,)
        Word i's positions are `starts[i]:starts[i + 1]`.
    positions : int32 array
        Ascending for each word.
    """
    starts, slots = word_starts(chunk, V, threads)
    positions = np.empty(int(starts[-1]), np.int32)
    with ThreadPoolExecutor(threads) as pool:
        rest = (repeat(0), repeat(V), slots, repeat(positions))
        list(pool.map(kernels.sort_positions, repeat(chunk.ids), *_stretches(chunk, threads), *rest))
    return starts, positions


def positions_of(
    chunk: Chunk, starts: NDArray[np.int64], only: tuple[int, int], config: CoocConfig
) -> NDArray[np.int32]:
    """List the positions that `count_chunk` needs to count some rows.

    Parameters
    ----------
    chunk : Chunk
    starts : int64 array (V + 1,)
        From `word_starts`.
    only : (int, int)
        The first row and the one behind the last.
    config : CoocConfig

    Returns
    -------
    int32 array
        Word i's positions are `starts[i] - starts[first]:starts[i + 1] - starts[first]` of it, where `first` is the
        first row that isn't counted at once with others.
    """
    first, last = only
    if config.context == "symmetric" and not first:
        first = min(TOP, last)
    slots = np.append(starts, starts[-1]) - starts[first]
    positions = np.empty(int(starts[last] - starts[first]), np.int32)
    kernels.sort_positions(chunk.ids, chunk.begin, chunk.end, first, last, slots, positions)
    return positions


def _stretches(chunk: Chunk, threads: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each thread's stretch of a chunk begins and ends."""
    edges = np.linspace(chunk.begin, chunk.end, threads + 1).astype(np.int64)
    return edges[:-1], edges[1:]


def row_ranges(
    most: NDArray[np.int64], work: NDArray[np.int64], threads: int, first: int = 0, block_entries: int | None = None
) -> list[tuple[int, int]]:
    """Cut the rows into ranges that hold at most so many entries, or one row, and about equal work.

    Parameters
    ----------
    most : int64 array (V,)
        Entries that each row can have at most.
    work : int64 array (V,)
        What each row costs.
    threads : int
        Among which they are shared.
    first : int
        The first row.
    block_entries : int, optional
        Entries of a range; BLOCK_ENTRIES unless given.

    Returns
    -------
    list of (first, last)
        Rows first <= row < last.
    """
    limit = BLOCK_ENTRIES if block_entries is None else block_entries
    share = max(1, int(work[first:].sum()) // (_RANGES if threads > 1 else _RANGES_ALONE))
    ranges, entries, cost = [], 0, 0
    for row, row_entries, row_cost in zip(
        range(first, len(most)), most[first:].tolist(), work[first:].tolist(), strict=True
    ):
        if row > first and (entries + row_entries > limit or cost + row_cost > share):
            ranges.append((first, row))
            first, entries, cost = row, 0, 0
        entries += row_entries
        cost += row_cost
    if first < len(most):
        ranges.append((first, len(most)))
    return ranges
