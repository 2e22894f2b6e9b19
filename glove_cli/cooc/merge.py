"""Sorted parts, added up row by row. Counts are exact, so neither the number of parts nor their order matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc import kernels
from glove_cli.cooc.count import Accumulator, row_ranges
from glove_cli.cooc.store import RowBlock, write_rows
from glove_cli.folder import FolderWriter
from glove_cli.parallel import ordered_map

MAX_PARTS = 64  # files open at a time: three for each part


class Part:
    """The rows of a matrix, mapped from disk: `indptr` int64 (V + 1,), `indices` int32, `data` float64."""

    def __init__(self, path: Path) -> None:
        self.indptr: NDArray[np.int64] = np.load(path / "indptr.npy")
        self.indices: NDArray[np.int32] = np.load(path / "indices.npy", mmap_mode="r")
        self.data: NDArray[np.float64] = np.load(path / "data.npy", mmap_mode="r")


def merge_parts(
    paths: Sequence[Path], *, lower: bool, threads: int, on_rows: Callable[[int], None]
) -> Iterator[RowBlock]:
    """Add up matrices of the same words.

    Parameters
    ----------
    paths : sequence of Path
        Folders with `indptr`, `indices` and `data`, at least one; at most MAX_PARTS are read at a time, more are merged
        in several passes, through folders beside the first one.
    lower : bool
        Whether they hold columns <= row only.
    threads : int
    on_rows : callable
        Called with the number of entries read so far in the last pass.

    Yields
    ------
    RowBlock
        All V rows, in order.
    """
    paths = list(paths)
    passes = 0
    while len(paths) > MAX_PARTS:
        group, paths = paths[:MAX_PARTS], paths[MAX_PARTS:]
        merged = group[0].with_name(f"merged-{passes}")
        merged.mkdir()
        write_rows(
            FolderWriter(merged), merge_parts(group, lower=lower, threads=threads, on_rows=lambda _: None), lower=lower
        )
        paths.append(merged)
        passes += 1
    parts = [Part(path) for path in paths]
    indptrs = np.stack([part.indptr for part in parts])
    V = indptrs.shape[1] - 1
    read = indptrs.sum(axis=0)
    most = np.minimum(np.diff(read), np.arange(V) + 1 if lower else V)

    def work(accumulator: Accumulator, bounds: tuple[int, int]) -> RowBlock:
        first, last = bounds
        ends = [(int(indptr[first]), int(indptr[last])) for indptr in indptrs]
        before = np.concatenate(([0], np.cumsum([end - begin for begin, end in ends])))
        rows = np.ascontiguousarray(indptrs[:, first : last + 1] - indptrs[:, [first]] + before[:-1, None])
        read_indices = np.concatenate([part.indices[a:b] for part, (a, b) in zip(parts, ends, strict=True)])
        read_data = np.concatenate([part.data[a:b] for part, (a, b) in zip(parts, ends, strict=True)])
        room = int(most[first:last].sum()) + 1
        sizes, indices, data = np.empty(last - first, np.int64), np.empty(room, np.int32), np.empty(room)
        n = kernels.merge_rows(rows, read_indices, read_data, first, lower, *accumulator, sizes, indices, data)
        return RowBlock(sizes, indices[:n], data[:n])

    ranges = row_ranges(most, np.diff(read))
    states = [Accumulator.of(V) for _ in range(threads)]
    for (_, last), block in zip(ranges, ordered_map(work, ranges, states), strict=True):
        yield block
        on_rows(int(read[last]))
