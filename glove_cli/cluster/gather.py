"""Third stage: sorted parts to rows of the matrix, which each task adds up some of; and the end of the result.

The sums are exact, so that it makes no difference how the parts came about, nor which task adds which rows.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from glove_cli.cluster.count import kept, least_ranges
from glove_cli.cluster.engine import worker_memory
from glove_cli.cluster.ranges import Rows, write_at
from glove_cli.cluster.read import vocabulary_of
from glove_cli.cluster.tasks import whole_folder
from glove_cli.cooc.merge import MAX_PARTS, Part, merge_parts, part_folder
from glove_cli.cooc.store import COOC_FORMAT, COOC_VERSION, write_rows
from glove_cli.folder import VOCAB_NAME, FolderWriter, npy_header


def merge_group(target: Path, paths: Sequence[Path], lower: bool, tasks: int) -> Path:
    """Add up a group of parts to one. A task.

    Parameters
    ----------
    target : Path
        The folder to make.
    paths : sequence of Path
        The parts.
    lower : bool
        Whether they hold columns <= row only.
    tasks : int
        That run on a worker at the same time.
    """
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


def ranges_of(parts: Sequence[Path], slots: int, memory: int) -> list[tuple[int, int]]:
    """Cut the rows of the matrix into ranges of about equal work. A task.

    Parameters
    ----------
    parts : sequence of Path
    slots : int
        Tasks that can be done at a time.
    memory : int
        Bytes that a task may take on any worker.

    Returns
    -------
    list of (first, last)
        Rows first <= row < last.
    """
    read = np.sum([Part(path).indptr() for path in parts], axis=0)
    V, total = len(read) - 1, int(read[-1])
    number = max(1, min(slots, V), least_ranges(total, memory))
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
    memory = worker_memory(tasks) // 2
    merged = merge_parts(parts, lower=lower, threads=1, on_rows=_nothing, memory=memory, only=rows)
    return Rows(rows[0], kept(merged))


def finish_matrix(folder: Path, work: Path, meta: dict[str, Any]) -> None:
    """Write what is left of the result: headers, words, and meta.json with the checksums. A task.

    Parameters
    ----------
    folder : Path
        Of the result.
    work : Path
    meta : dict
    """
    arrays = (
        ("indices", np.int32, meta["stored"]),
        ("data", np.float64, meta["stored"]),
        ("indptr", np.int64, meta["V"] + 1),
    )
    for name, dtype, size in arrays:  # after which this machine reads the file as others have written it
        write_at(folder / f"{name}.npy", 0, np.frombuffer(npy_header(np.dtype(dtype), (size,)), np.uint8))
    shutil.copyfile(vocabulary_of(work) / VOCAB_NAME, folder / VOCAB_NAME)
    writer = FolderWriter(folder, ["data.npy", "indices.npy", "indptr.npy", VOCAB_NAME])
    writer.finish(COOC_FORMAT, COOC_VERSION, **meta)


def _nothing(n: int) -> None:
    """Tell nobody."""
