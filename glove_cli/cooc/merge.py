"""Sorted parts, added up row by row. Counts are exact, so neither the number of parts nor their order matters.

A part is a folder with a matrix as `store.write_rows` writes it. Only the pieces that are being added are in memory,
and no file stays open between two of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glove_cli.cooc import kernels
from glove_cli.cooc.count import Accumulator, row_ranges
from glove_cli.cooc.store import RowBlock, write_rows
from glove_cli.errors import FormatError, OutputError
from glove_cli.files import META_NAME, sync_file
from glove_cli.folder import NPY_HEADER_BYTES, FolderWriter, ResultFolder
from glove_cli.parallel import ordered_map
from glove_cli.temporary import remove_folder

MAX_PARTS = 64  # added at a time
_PART_FORMAT, _PART_VERSION = "glove-part", 1
MERGE_ENTRIES = 1 << 20  # read at a time by a thread, at most
_ENTRY_BYTES = 40  # of memory: read, put together, and merged


class Part:
    """The rows of a matrix on disk: `indptr` int64 (V + 1,), `indices` int32, `data` float64."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def indptr(self, first: int = 0, last: int | None = None) -> NDArray[np.int64]:
        """Return where rows first <= row < last begin, and where the last one ends."""
        indptr = self._read("indptr", np.int64, first, None if last is None else last + 1)
        if not len(indptr) or indptr[0] < 0 or np.any(np.diff(indptr) < 0):
            raise OutputError(f"{self.path}: is damaged: its rows go back. Begin again, with --force.")
        return indptr

    def entries(self, begin: int, end: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Return columns and counts of some entries."""
        return self._read("indices", np.int32, begin, end), self._read("data", np.float64, begin, end)

    def _read(self, name: str, dtype: DTypeLike, begin: int, end: int | None) -> NDArray[Any]:
        path = self.path / f"{name}.npy"
        size = np.dtype(dtype).itemsize
        try:
            count = (path.stat().st_size - NPY_HEADER_BYTES) // size - begin if end is None else end - begin
            if count < 0:
                raise OutputError(f"{path}: is cut short. Begin again, with --force.")
            array = np.fromfile(path, dtype, count, offset=NPY_HEADER_BYTES + size * begin)
        except OSError as error:
            raise OutputError(
                f"{path}: can't be read: {error.strerror or error}. Begin again, with --force."
            ) from error
        if array.size != count:  # also where a disk fails: NumPy gives what it could read
            raise OutputError(f"{path}: is cut short, or can't be read to its end. Begin again, with --force.")
        return array


def merge_parts(
    paths: Sequence[Path],
    *,
    lower: bool,
    threads: int,
    on_rows: Callable[[int], None],
    memory: int | None = None,
    only: tuple[int, int] | None = None,
) -> Iterator[RowBlock]:
    """Add up matrices of the same words.

    Parameters
    ----------
    paths : sequence of Path
        Folders with `indptr`, `indices` and `data`, at least one.
    lower : bool
        Whether they hold columns <= row only.
    threads : int
    on_rows : callable
        Called with the number of entries read so far.
    memory : int, optional
        Bytes that may be taken.
    only : (int, int), optional
        The first row and the one behind the last, unless all are wanted.

    Yields
    ------
    RowBlock
        The rows, in order.
    """
    parts = [Part(path) for path in paths]
    read = parts[0].indptr()
    for part in parts[1:]:
        indptr = part.indptr()
        if len(indptr) != len(read):
            raise OutputError(f"{part.path}: is damaged: it has other rows than the others. Begin again, with --force.")
        read = read + indptr
    V = len(read) - 1
    most = np.minimum(np.diff(read), np.arange(V) + 1 if lower else V)

    def work(accumulator: Accumulator, bounds: tuple[int, int]) -> RowBlock:
        first, last = bounds
        room = int(most[first:last].sum()) + 1
        sizes, indices, data = np.empty(last - first, np.int64), np.empty(room, np.int32), np.empty(room)
        if last == first + 1:  # it may be long
            for part in parts:
                begin, end = part.indptr(first, last).tolist()
                kernels.add_row(*part.entries(begin, end), *accumulator)
            n = kernels.read_row(*accumulator, np.int64(first if lower else V - 1), indices, data)
            sizes[0] = n
        else:
            rows = np.stack([part.indptr(first, last) for part in parts])
            pieces = [part.entries(int(row[0]), int(row[-1])) for part, row in zip(parts, rows, strict=True)]
            before = np.cumsum([0, *(len(piece[0]) for piece in pieces[:-1])])
            rows += (before - rows[:, 0])[:, None]
            read_indices, read_data = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
            n = kernels.merge_rows(rows, read_indices, read_data, first, lower, *accumulator, sizes, indices, data)
        return RowBlock(sizes, indices[:n], data[:n])

    limit = MERGE_ENTRIES
    if memory is not None:
        limit = max(1 << 14, min(limit, memory // (2 * _ENTRY_BYTES * (threads + 3))))
    begin, end = only if only is not None else (0, V)
    ranges = row_ranges(np.diff(read)[:end], np.diff(read)[:end], threads, begin, block_entries=limit)
    states = [Accumulator.of(V) for _ in range(threads)]
    for (_, last), block in zip(ranges, ordered_map(work, ranges, states), strict=True):
        yield block
        on_rows(int(read[last] - read[begin]))


def merge_groups(
    paths: Sequence[Path],
    folder: Path,
    *,
    lower: bool,
    threads: int,
    on_rows: Callable[[int], None],
    disposable: Sequence[Path] = (),
    memory: int | None = None,
) -> list[Path]:
    """Merge so often that at most MAX_PARTS parts are left.

    Parameters
    ----------
    paths : sequence of Path
        Parts.
    folder : Path
        Where the merged parts go. What an interrupted call finished there is used.
    lower : bool
    threads : int
    on_rows : callable
        Called with the number of entries read so far, of all groups.
    disposable : sequence of Path
        Parts that are removed once they are merged; merged parts always are.
    memory : int, optional
        Bytes that may be taken.

    Returns
    -------
    list of Path
    """
    paths, gone = list(paths), set(disposable)
    passes = before = 0

    def on_group_rows(n: int) -> None:
        on_rows(before + n)

    while len(paths) > MAX_PARTS:
        group, paths = paths[:MAX_PARTS], paths[MAX_PARTS:]
        merged = folder / f"merged-{passes:05}"
        if not merged.exists():
            read = sum(entries_of(path) for path in group)
            with part_folder(merged) as writer:
                rows = merge_parts(group, lower=lower, threads=threads, on_rows=on_group_rows, memory=memory)
                write_rows(writer, rows, lower=lower)
            before += read
        for path in gone.intersection(group):
            _discard(path)
        paths.append(merged)
        gone.add(merged)
        passes += 1
    return paths


def _discard(part: Path) -> None:
    """Remove a part, first from under its name: whoever goes on after a kill would take what is left for a part."""
    gone = part.with_name(f"{part.name}.gone")
    remove_folder(gone)
    with contextlib.suppress(OSError):
        part.rename(gone)
    remove_folder(gone)


def entries_of(part: Path) -> int:
    """Return the number of entries of a part.

    Parameters
    ----------
    part : Path
    """
    return int(Part(part).indptr()[-1])


class part_folder:  # noqa: N801
    """Make a folder that appears under its name when it is whole and on the disk; used in a `with` statement."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = path.with_name(f"{path.name}.new")

    def __enter__(self) -> FolderWriter:
        remove_folder(self.temporary)
        self.temporary.mkdir(parents=True)
        self.writer = FolderWriter(self.temporary)
        return self.writer

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.writer.finish(_PART_FORMAT, _PART_VERSION)
            sync_file(self.temporary / META_NAME)
            self.temporary.rename(self.path)


def check_parts(folder: Path) -> None:
    """Compare the parts that an interrupted run left in a folder with their checksums.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    OutputError
        If one is damaged.
    """
    for part in sorted(folder.iterdir()) if folder.is_dir() else []:
        if part.is_dir() and not part.suffix:  # others were not finished, or are to be removed
            try:
                ResultFolder.open(part, _PART_FORMAT, _PART_VERSION, remedy="").verify()
            except FormatError as error:
                raise OutputError(
                    f"{part}: an interrupted run's part is damaged ({error}). Begin again with --force."
                ) from error
