"""The entries of all tiles, one after the other: in memory, or in a file that is read piece by piece."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.files import named_errors
from glove_cli.training import kernels_tiles

# Row and column within their blocks, and log x; in units of 8 bytes.
ENTRY = np.dtype([("row", "<u2"), ("col", "<u2"), ("log_x", "<f4")])
ENTRY64 = np.dtype([("row", "<u2"), ("col", "<u2"), ("_", "<u4"), ("log_x", "<f8")])
ENTRIES = {"float32": ENTRY, "float64": ENTRY64}
PIECE = 1 << 16  # entries that are read, and trained on, at once; the result depends on it
Entries = NDArray[np.void]


class EntryStore(Protocol):
    """Where entries are."""

    dtype: np.dtype[np.void]

    def read(self, first: int, last: int, buffer: Entries) -> Entries:
        """Return entries first <= e < last; they may stand in `buffer`, which has room for them."""

    def write(self, first: int, entries: Entries) -> None:
        """Put entries at `first` and after."""

    def write_runs(self, entries: Entries, sizes: NDArray[np.int64], slots: NDArray[np.int64]) -> None:
        """Put runs of so many entries each, one after the other in `entries`, where `slots` says."""

    def parts(self, jobs: NDArray[np.int64], buffer: Entries) -> Iterator[tuple[slice, Entries, NDArray[np.int64]]]:
        """Yield the entries of jobs (see `Tiles.jobs`), some jobs at a time: which, entries, and the jobs in them."""


class MemoryEntries:
    """Entries in memory."""

    def __init__(self, array: Entries) -> None:
        self.array = array
        self.dtype = array.dtype

    def read(self, first: int, last: int, buffer: Entries) -> Entries:
        """Return entries; they aren't copied."""
        return self.array[first:last]

    def write(self, first: int, entries: Entries) -> None:
        """Put entries at `first` and after."""
        self.array[first : first + len(entries)] = entries

    def write_runs(self, entries: Entries, sizes: NDArray[np.int64], slots: NDArray[np.int64]) -> None:
        """Put runs of entries where `slots` says."""
        kernels_tiles.copy_runs(as_numbers(entries), sizes, slots, as_numbers(self.array))

    def parts(self, jobs: NDArray[np.int64], buffer: Entries) -> Iterator[tuple[slice, Entries, NDArray[np.int64]]]:
        """Yield all at once."""
        yield slice(None), self.array, jobs


class FileEntries:
    """Entries in a file, which is open as long as this object lives."""

    def __init__(self, path: Path, dtype: np.dtype[np.void], *, size: int | None = None) -> None:
        """Open the file; with `size`, make it, to hold so many entries."""
        self.dtype = dtype
        self._path = path
        self._lock = threading.Lock()
        with named_errors(path):
            self._file = path.open("rb" if size is None else "x+b", buffering=0)
            if size is not None:
                self._file.truncate(size * dtype.itemsize)

    def read(self, first: int, last: int, buffer: Entries) -> Entries:
        """Read entries into `buffer`."""
        entries = buffer[: last - first]
        rest = entries.view(np.uint8).data
        offset = first * self.dtype.itemsize
        while rest.nbytes:
            done = self._read_at(rest, offset)
            if not done:
                raise FormatError(f"{self._path}: was cut short while it was read. Train again, or with --resume.")
            rest, offset = rest[done:], offset + done
        return entries

    def write(self, first: int, entries: Entries) -> None:
        """Put entries at `first` and after."""
        rest = np.ascontiguousarray(entries).view(np.uint8).data
        offset = first * self.dtype.itemsize
        with named_errors(self._path):
            while rest.nbytes:
                done = self._write_at(rest, offset)
                rest, offset = rest[done:], offset + done

    def write_runs(self, entries: Entries, sizes: NDArray[np.int64], slots: NDArray[np.int64]) -> None:
        """Put runs of entries where `slots` says."""
        begin = 0
        for size, slot in zip(sizes.tolist(), slots.tolist(), strict=True):
            if size:
                self.write(slot, entries[begin : begin + size])
            begin += size

    def parts(self, jobs: NDArray[np.int64], buffer: Entries) -> Iterator[tuple[slice, Entries, NDArray[np.int64]]]:
        """Yield job after job; the system reads ahead, where it can."""
        for first, last in jobs[:, :2].tolist():
            self._expect(first, last)
        for k, (first, last, row, col) in enumerate(jobs.tolist()):
            entries = self.read(first, last, buffer)
            yield slice(k, k + 1), entries, np.array([[0, last - first, row, col]])

    def _read_at(self, target: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [target], offset)
        with self._lock:  # systems where reading at a place takes two calls
            self._file.seek(offset)
            return self._file.readinto(target) or 0

    def _write_at(self, data: memoryview, offset: int) -> int:
        if hasattr(os, "pwrite"):
            return os.pwrite(self._file.fileno(), data, offset)
        with self._lock:
            self._file.seek(offset)
            return self._file.write(data) or 0

    def _expect(self, first: int, last: int) -> None:
        """Let the system begin to read entries."""
        if hasattr(os, "posix_fadvise"):
            size = self.dtype.itemsize
            with contextlib.suppress(OSError):
                os.posix_fadvise(self._file.fileno(), first * size, (last - first) * size, os.POSIX_FADV_WILLNEED)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def as_numbers(entries: Entries) -> NDArray[np.uint64]:
    """Return the memory of entries as uint64 (n, bytes of an entry / 8)."""
    return entries.view(np.uint64).reshape(len(entries), -1)
