"""Third stage: sorted parts to the matrix. Each task adds up some rows and writes them where they belong.

The sums are exact, so that it makes no difference how the parts came about, nor which task adds which rows.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.cluster.count import Counted, Rows
from glove_cli.cluster.engine import worker_memory
from glove_cli.cluster.read import vocabulary_of
from glove_cli.cluster.tasks import whole_folder
from glove_cli.cooc.merge import MAX_PARTS, Part, merge_parts, part_folder
from glove_cli.cooc.store import COOC_FORMAT, COOC_VERSION, RowBlock, write_rows
from glove_cli.files import named_errors
from glove_cli.folder import NPY_HEADER_BYTES, VOCAB_NAME, FolderWriter, npy_header

RANGE_ENTRIES = 1 << 25  # that a task adds up and has in memory, at most, 12 bytes each
_ARRAYS = (("indices", np.dtype(np.int32)), ("data", np.dtype(np.float64)))


@dataclass(frozen=True)
class Size:
    """How much there is of some rows.

    Attributes
    ----------
    stored, diagonal : int
        Entries, and how many of them lie on the diagonal.
    largest : float
        The largest entry.
    counted : Counted, optional
        As in `Rows`.
    """

    stored: int
    diagonal: int
    largest: float
    counted: Counted | None


def merge_group(item: tuple[Path, list[Path]], lower: bool, tasks: int) -> Path:
    """Add up a group of parts to one. A task.

    Parameters
    ----------
    item : (Path, list of Path)
        The folder to make, and the parts.
    lower : bool
        Whether they hold columns <= row only.
    tasks : int
        That run on a worker at the same time.
    """
    target, paths = item
    if not target.exists():
        with whole_folder(target) as folder, part_folder(folder / "part") as writer:
            memory = worker_memory(tasks)
            write_rows(writer, merge_parts(paths, lower=lower, threads=1, on_rows=_nothing, memory=memory), lower=lower)
    return target / "part"


def groups_of(parts: Sequence[Path], folder: Path, level: int) -> list[tuple[Path, list[Path]]]:
    """Return which parts are to be added up first, and where; none if they can be added up at once.

    Parameters
    ----------
    parts : sequence of Path
    folder : Path
    level : int
        How often parts were merged already.
    """
    if len(parts) <= MAX_PARTS:
        return []
    groups = [list(parts[k : k + MAX_PARTS]) for k in range(0, len(parts), MAX_PARTS)]
    return [(folder / f"level-{level}-{k:05}", group) for k, group in enumerate(groups)]


def ranges_of(parts: Sequence[Path], slots: int) -> list[tuple[int, int]]:
    """Cut the rows of the matrix into ranges of about equal work. A task.

    Parameters
    ----------
    parts : sequence of Path
    slots : int
        Tasks that can be done at a time.

    Returns
    -------
    list of (first, last)
        Rows first <= row < last.
    """
    read = np.sum([Part(path).indptr() for path in parts], axis=0)
    V, total = len(read) - 1, int(read[-1])
    number = max(1, min(slots, V), -(-total // RANGE_ENTRIES))
    edges = np.searchsorted(read, np.linspace(0, total, number + 1))
    edges[0], edges[-1] = 0, V
    edges = np.unique(edges)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def merge_range(rows: tuple[int, int], parts: Sequence[Path], lower: bool, tasks: int) -> Rows:
    """Add up some rows of all parts; they stay with the worker. A task.

    Parameters
    ----------
    rows : (int, int)
    parts : sequence of Path
    lower : bool
    tasks : int
    """
    memory = worker_memory(tasks)
    merged = merge_parts(parts, lower=lower, threads=1, on_rows=_nothing, memory=memory, only=rows)
    return Rows(rows[0], [RowBlock(block.sizes, block.indices.copy(), block.data.copy()) for block in merged])


def size_of(rows: Rows, lower: bool) -> Size:
    """Return how much there is of some rows. A task where they are."""
    stored, diagonal, largest, first = 0, 0, 0.0, rows.first
    for block in rows.blocks:
        stored += len(block.indices)
        largest = max(largest, float(block.data.max(initial=0)))
        diagonal += block.on_diagonal(first) if lower else 0
        first += len(block.sizes)
    return Size(stored, diagonal, largest, rows.counted)


def make_arrays(folder: Path, stored: int, V: int) -> None:
    """Make the arrays of the matrix at their full size. A task.

    Parameters
    ----------
    folder : Path
        Of the result.
    stored, V : int
    """
    for name, dtype, size in (*((n, d, stored) for n, d in _ARRAYS), ("indptr", np.dtype(np.int64), V + 1)):
        with named_errors(folder), (folder / f"{name}.npy").open("wb") as file:
            file.write(npy_header(dtype, (size,)))
            file.truncate(NPY_HEADER_BYTES + size * dtype.itemsize)


def write_range(rows: Rows, folder: Path, begin: int) -> None:
    """Write some rows where they belong. A task where they are.

    Parameters
    ----------
    rows : Rows
    folder : Path
        Of the result.
    begin : int
        Entries of all rows before them.
    """
    sizes = np.concatenate([block.sizes for block in rows.blocks])
    _write(folder / "indices.npy", begin, [block.indices for block in rows.blocks])
    _write(folder / "data.npy", begin, [block.data for block in rows.blocks])
    # Where two ranges meet both write the same.
    _write(folder / "indptr.npy", rows.first, [begin + np.concatenate(([0], np.cumsum(sizes)))])


def _write(path: Path, place: int, arrays: Sequence[NDArray[Any]]) -> None:
    """Write arrays one after the other from a place in the array of a file on; who finishes sees them to the disk."""
    with named_errors(path), path.open("r+b", buffering=0) as file:
        file.seek(NPY_HEADER_BYTES + place * arrays[0].itemsize)
        for array in arrays:
            data = np.ascontiguousarray(array).data.cast("B") if array.size else memoryview(b"")
            while data.nbytes:
                data = data[file.write(data) :]


def finish_matrix(folder: Path, work: Path, meta: dict[str, Any]) -> None:
    """Write what is left of the result: its words, and meta.json with the checksums. A task.

    Parameters
    ----------
    folder : Path
        Of the result.
    work : Path
    meta : dict
    """
    shutil.copyfile(vocabulary_of(work) / VOCAB_NAME, folder / VOCAB_NAME)
    writer = FolderWriter(folder, ["data.npy", "indices.npy", "indptr.npy", VOCAB_NAME])
    writer.finish(COOC_FORMAT, COOC_VERSION, **meta)


def _nothing(n: int) -> None:
    """Tell nobody."""
