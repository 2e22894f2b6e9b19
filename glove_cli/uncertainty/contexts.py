"""All entries of some words' rows or columns, from a matrix of which half may be stored, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.training.counts import Counts

_PIECE = 1 << 22  # entries that are looked at together
_GROUP = 1 << 22  # entries that are kept together, unless a single word has more


class Entries(NamedTuple):
    """Entries of one word.

    Attributes
    ----------
    other : int32 array (n,)
        The words it occurs with.
    x : float64 array (n,)
        The counts.
    """

    other: NDArray[np.int32]
    x: NDArray[np.float64]


def row_entries(counts: Counts, row: int) -> Entries:
    """Return the stored entries of a row.

    Parameters
    ----------
    counts : Counts
    row : int
    """
    _, other, x = counts.rows(row, row + 1)
    return Entries(np.array(other), np.array(x))


def column_sizes(counts: Counts) -> NDArray[np.int64]:
    """Return how many entries are stored in each column, int64 (V,).

    Parameters
    ----------
    counts : Counts
    """
    sizes = np.zeros(counts.V, np.int64)
    for first, last in _pieces(counts):
        sizes += np.bincount(counts.rows(first, last)[1], minlength=counts.V)
        counts.release(first, last)
    return sizes


def columns_entries(counts: Counts, columns: NDArray[np.int64], *, diagonal: bool) -> list[Entries]:
    """Return the stored entries of each of some columns, found in one pass through the matrix.

    Parameters
    ----------
    counts : Counts
    columns : int64 array (n,)
        Each once.
    diagonal : bool
        Whether entries of the diagonal are among them.
    """
    place = np.full(counts.V, -1, np.int32)
    place[columns] = np.arange(len(columns), dtype=np.int32)
    which, rows, values = [], [], []
    for first, last in _pieces(counts):
        indptr, found, x = counts.rows(first, last)
        number = place[found]
        kept = np.flatnonzero(number >= 0)
        row = np.searchsorted(indptr, kept + indptr[first], side="right").astype(np.int32) - 1
        if not diagonal:
            off = row != found[kept]
            kept, row = kept[off], row[off]
        which.append(number[kept])
        rows.append(row)
        values.append(x[kept])
        counts.release(first, last)
    number, row, x = (np.concatenate(parts) for parts in (which, rows, values))
    order = np.argsort(number, kind="stable")
    ends = np.cumsum(np.bincount(number, minlength=len(columns)))[:-1]
    pieces = zip(np.split(row[order], ends), np.split(x[order], ends), strict=True)
    return [Entries(*piece) for piece in pieces]


def without_held_out(row: int, entries: Entries, share: float) -> Entries:
    """Return the entries that a training saw which held a share of the pairs out.

    Parameters
    ----------
    row : int
    entries : Entries
        Of this row or column.
    share : float

    Notes
    -----
    Which pairs are held out is decided by a hash (splitmix64) of both words, as when tiles are made.
    """
    if not share:
        return entries
    larger, smaller = (both(entries.other, row).astype(np.uint64) for both in (np.maximum, np.minimum))
    state = larger * np.uint64(0x9E3779B97F4A7C15) + (smaller + np.uint64(1))
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    kept = (state ^ (state >> np.uint64(31))) >= np.uint64(int(share * 2**64))
    return Entries(entries.other[kept], entries.x[kept])


def groups(sizes: NDArray[np.int64]) -> Iterator[slice]:
    """Yield stretches of words that have no more entries together than are to be held at once.

    Parameters
    ----------
    sizes : int64 array (n,)
        Entries of each word.
    """
    begin = total = 0
    for k, size in enumerate(sizes.tolist()):
        if total + size > _GROUP and k > begin:
            yield slice(begin, k)
            begin, total = k, 0
        total += size
    if begin < len(sizes):
        yield slice(begin, len(sizes))


def _pieces(counts: Counts) -> Iterator[tuple[int, int]]:
    """Yield stretches of rows, of some millions of entries each, or of one row."""
    first = 0
    while first < counts.V:
        last = int(np.searchsorted(counts.indptr, counts.indptr[first] + _PIECE, side="right")) - 1
        last = min(max(last, first + 1), counts.V)
        yield first, last
        first = last
