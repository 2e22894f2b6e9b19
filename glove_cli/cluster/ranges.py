"""Ranges of rows on workers to the files of the matrix, each as soon as it is known where it belongs.

Where a range belongs hangs on how many entries all before it have. Each task tells the client that number, so that
it needn't wait for anything else that the workers do; then the range is written where it is.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.cluster.engine import require_engine
from glove_cli.cluster.tasks import submit
from glove_cli.cooc.store import RowBlock
from glove_cli.files import named_errors, sync_file
from glove_cli.folder import NPY_HEADER_BYTES
from glove_cli.shared import open_shared

if TYPE_CHECKING:
    from distributed import Client

_on_the_way = threading.BoundedSemaphore(2)  # ranges that a worker keeps while the disk takes them


@dataclass(frozen=True)
class Rows:
    """Consecutive rows of the matrix, on a worker.

    Attributes
    ----------
    first : int
        The first of them.
    blocks : list of RowBlock
    """

    first: int
    blocks: list[RowBlock]

    @property
    def entries(self) -> int:
        """How many entries they have."""
        return sum(len(block.indices) for block in self.blocks)


@dataclass(frozen=True)
class Written:
    """Rows that were written.

    Attributes
    ----------
    stored, diagonal : int
        Entries, and how many of them lie on the diagonal.
    largest : float
        The largest entry.
    """

    stored: int = 0
    diagonal: int = 0
    largest: float = 0.0

    def __add__(self, other: Written) -> Written:
        return Written(self.stored + other.stored, self.diagonal + other.diagonal, max(self.largest, other.largest))


@contextlib.contextmanager
def written_ranges(
    client: Client,
    tasks: list[tuple[Any, ...]],
    folder: Path,
    lower: bool,
    on_range: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Written]:
    """Have rows made and written: all are when the block begins, and when it has ended they are on the disk, too.

    Parameters
    ----------
    client : distributed.Client
    tasks : list of tuple
        For each range, from the first row on: what makes its `Rows`, and what that is given. It is emptied, so that
        workers can let go of what they don't need any more.
    folder : Path
        Of the result.
    lower : bool
        Whether the rows hold columns <= row only.
    on_range : callable, optional
        Called with how many ranges are written, and how many there are.

    Yields
    ------
    Written
        All rows.

    Raises
    ------
    GloveError
        What a task raises; the others are dropped.
    """
    total = len(tasks)
    topic = uuid.uuid4().hex
    # [range, entries] when it is made, [range, *Written] when it is written, [] when a task has failed
    heard: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()

    def have(k: int, priority: float, task: Callable[..., Any], work: Callable[..., Any], *given: Any) -> Any:
        name = f"{work.__name__}-{topic}-{k}"
        future = submit(client, task, (topic, k), work, *given, name=name, priority=priority)
        future.add_done_callback(lambda ended: None if ended.status == "finished" else heard.put([]))
        return future

    client.subscribe_topic(topic, lambda event: heard.put(event[1]))
    rows: dict[int, Any] = {}
    entries: dict[int, int] = {}
    writing: list[Any] = []
    written: dict[int, Written] = {}
    begin = 0
    try:
        while tasks:  # the first ones first, since the others wait for them
            rows[len(rows)] = have(len(rows), -len(rows) / total, _make, *tasks.pop(0))
        while len(written) < total:
            message = heard.get()
            if not message:
                _raise_failure([*rows.values(), *writing])
            elif len(message) == 2:
                entries[message[0]] = message[1]
            else:
                written[message[0]] = Written(*message[1:])
                on_range(len(written), total)
            while (k := len(writing)) in entries and k in rows:
                writing.append(have(k, 1, _write, write_range, rows.pop(k), begin, folder, lower))
                begin += entries[k]
        yield sum(written.values(), Written())
        client.gather(writing)
    except BaseException:
        with contextlib.suppress(Exception):
            client.cancel([*rows.values(), *writing], force=True)
        raise
    finally:
        with contextlib.suppress(Exception):
            client.unsubscribe_topic(topic)


def _raise_failure(futures: list[Any]) -> None:
    """Raise what a task raised."""
    for future in futures:
        if future.status not in ("pending", "finished"):
            future.result()


def _make(place: tuple[str, int], work: Callable[..., Rows], *given: Any) -> Rows:
    """Make rows, and tell the client how many entries they have. A task."""
    rows = work(*given)
    _tell(place, [rows.entries])
    return rows


def _write(place: tuple[str, int], work: Callable[..., tuple[Written, list[Path]]], *given: Any) -> None:
    """Write rows, tell the client, and see them to the disk while the worker goes on with others. A task."""
    written, files = work(*given)
    _tell(place, astuple(written))
    with _on_the_way:
        require_engine().secede()
        for file in files:
            with named_errors(file):
                sync_file(file)


def _tell(place: tuple[str, int], numbers: Sequence[float]) -> None:
    """Send the client a message about a range."""
    topic, k = place
    require_engine().get_worker().log_event(topic, [k, *numbers])


def write_range(rows: Rows, begin: int, folder: Path, lower: bool) -> tuple[Written, list[Path]]:
    """Write rows where they belong.

    Parameters
    ----------
    rows : Rows
    begin : int
        Entries of all rows before them.
    folder : Path
        Of the result.
    lower : bool
        Whether they hold columns <= row only.

    Returns
    -------
    Written
    list of Path
        The files, which are still to be seen to the disk.
    """
    blocks = rows.blocks
    # Where two ranges meet both write the same.
    places = begin + np.concatenate(([0], np.cumsum(np.concatenate([block.sizes for block in blocks]))))
    files = [folder / f"{name}.npy" for name in ("indices", "data", "indptr")]
    write_at(files[0], NPY_HEADER_BYTES + 4 * begin, *(block.indices for block in blocks))
    write_at(files[1], NPY_HEADER_BYTES + 8 * begin, *(block.data for block in blocks))
    write_at(files[2], NPY_HEADER_BYTES + 8 * rows.first, places)
    row, diagonal = rows.first, 0
    for block in blocks:
        diagonal += block.on_diagonal(row) if lower else 0
        row += len(block.sizes)
    largest = max(float(block.data.max(initial=0)) for block in blocks)
    return Written(rows.entries, diagonal, largest), files


def write_at(path: Path, place: int, *arrays: NDArray[Any]) -> None:
    """Write arrays one after the other to a place of a file, which whoever comes first makes. Others write beside it.

    Parameters
    ----------
    path : Path
    place : int
        Bytes before it.
    *arrays : array
    """
    with named_errors(path), open_shared(path, write=True) as file:
        file.seek(place)
        for array in arrays:
            data = np.ascontiguousarray(array).data.cast("B") if array.size else memoryview(b"")
            while data.nbytes:
                data = data[file.write(data) :]
