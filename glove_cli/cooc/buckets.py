"""Entries in any order, to be sorted in bounded memory: spread over files by ranges of rows, then taken one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OutputError

# Also the record of the reference's files, but for ids that begin with 0 here.
ENTRY = np.dtype([("row", "<i4"), ("col", "<i4"), ("x", "<f8")])
_FEW = 1 << 16  # numbers below it are sorted in linear time


class Buckets:
    """Entries on disk: a file for each range of rows, its entries in the order in which they were added.

    Parameters
    ----------
    folder : Path
        Where to make the files; it must exist.
    sizes : int64 array (V,)
        How many entries each row will get.
    limit : int
        Entries that a range may hold, unless it is a single row.

    Attributes
    ----------
    folder : Path
    ranges : list of (first, last)
        Rows first <= row < last of each file; all rows, in order.
    """

    def __init__(self, folder: Path, sizes: NDArray[np.int64], limit: int) -> None:
        self.folder = folder
        self.ranges = cut_rows(sizes, limit)
        lengths = [last - first for first, last in self.ranges]
        self._range_of_row = np.repeat(np.arange(len(self.ranges)), lengths).astype(_small(len(self.ranges)))

    def add(self, keys: NDArray[Any], entries: NDArray[np.void]) -> None:
        """Add entries to the files of their rows.

        Parameters
        ----------
        keys : integer array (entries,)
            The row by which each entry is put away; not always its own.
        entries : record array (entries,) of ENTRY
        """
        files = self._range_of_row[keys]
        entries = entries[np.argsort(files, kind="stable")]
        ends = np.cumsum(np.bincount(files, minlength=len(self.ranges)))
        begin = 0
        for number, end in enumerate(ends.tolist()):
            if end > begin:
                with self._path(number).open("ab", buffering=0) as file:  # one open file, however many there are
                    write_all(file, entries[begin:end])
            begin = end

    def take(self) -> Iterator[tuple[int, int, NDArray[np.void]]]:
        """Yield the rows of each range and its entries, and remove its file.

        Yields
        ------
        first, last : int
            Rows first <= row < last.
        entries : record array of ENTRY
        """
        for number, (first, last) in enumerate(self.ranges):
            path = self._path(number)
            if path.exists():
                count = path.stat().st_size // ENTRY.itemsize
                entries = np.fromfile(path, ENTRY, count)  # without a number, what can't be read would be garbage
                if len(entries) != count:
                    raise OutputError(f"{path}: can't be read to its end. Try again, or choose another place.")
                yield first, last, entries
                path.unlink()
            else:
                yield first, last, np.empty(0, ENTRY)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number}.entries"


def cut_rows(sizes: NDArray[np.int64], limit: int) -> list[tuple[int, int]]:
    """Cut rows into ranges that hold at most `limit` entries, or one row.

    Parameters
    ----------
    sizes : int64 array (V,)
        Entries of each row.
    limit : int

    Returns
    -------
    list of (first, last)
        Rows first <= row < last; all rows, in order.
    """
    ends = np.cumsum(sizes)
    ranges, first, before = [], 0, 0
    while first < len(sizes):
        last = max(first + 1, int(np.searchsorted(ends, before + limit, side="right")))
        ranges.append((first, last))
        first, before = last, int(ends[last - 1])
    return ranges


def make_entries(row: NDArray[Any], col: NDArray[Any], x: NDArray[Any]) -> NDArray[np.void]:
    """Return rows, columns and values as an array of ENTRY; each (entries,)."""
    entries = np.empty(len(x), ENTRY)
    entries["row"], entries["col"], entries["x"] = row, col, x
    return entries


def transposed(entries: NDArray[np.void]) -> NDArray[np.void]:
    """Return entries (an array of ENTRY) with rows and columns exchanged."""
    return make_entries(entries["col"], entries["row"], entries["x"])


def by_row(entries: NDArray[np.void], first: int, last: int) -> NDArray[np.void]:
    """Return entries of rows first <= row < last in the order of their rows; those of a row stay as they were."""
    rows = (entries["row"] - np.int32(first)).astype(_small(last - first))
    return entries[np.argsort(rows, kind="stable")]


def write_all(file: Any, entries: NDArray[np.void]) -> None:
    """Write entries (an array of ENTRY) to a file, which may take only a part at a time."""
    rest = np.ascontiguousarray(entries).view(np.uint8).data
    while rest.nbytes:
        rest = rest[file.write(rest) :]


def _small(numbers: int) -> type[np.uint16] | type[np.int32]:
    return np.uint16 if numbers <= _FEW else np.int32
