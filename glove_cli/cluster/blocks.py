"""The blocks that a worker holds: slots for groups of words and of contexts, which come and go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.training.checkpoint_parts import read_part, write_part
from glove_cli.training.config import TrainConfig
from glove_cli.training.entries import PIECE, Entries, EntryStore
from glove_cli.training.state import aligned, row_width
from glove_cli.training.tiling import Deal

Rows = tuple[NDArray[Any], NDArray[Any]]  # states (n, row_width(dim)), and their lengths (n,)
_TOGETHER = 4 * PIECE  # entries that are read at once
_NAMES = (("words", "word_lengths"), ("contexts", "context_lengths"))


class FewerCalls:
    """Entries in a file, of which many jobs are read at once, so that a kernel is called seldom.

    Parameters
    ----------
    store : EntryStore
        The file.
    """

    def __init__(self, store: EntryStore) -> None:
        self.dtype, self.read, self.write, self.write_runs = store.dtype, store.read, store.write, store.write_runs
        self._rooms = threading.local()

    def parts(self, jobs: NDArray[np.int64], buffer: Entries) -> Iterator[tuple[slice, Entries, NDArray[np.int64]]]:
        """Yield the entries of jobs, as many jobs at a time as there is room for; see `EntryStore`."""
        room = getattr(self._rooms, "room", None)
        if room is None:
            room = self._rooms.room = np.empty(_TOGETHER, self.dtype)
        begin = 0
        while begin < len(jobs):
            ends = np.cumsum(jobs[begin:, 1] - jobs[begin:, 0])
            ends = ends[: np.searchsorted(ends, _TOGETHER, side="right")]
            some = jobs[begin : begin + len(ends)].copy()
            some[:, 0], some[:, 1] = ends - (some[:, 1] - some[:, 0]), ends
            for first, last, at in zip(
                *jobs[begin : begin + len(ends), :2].T.tolist(), some[:, 0].tolist(), strict=True
            ):
                self.read(first, last, room[at:])
            yield slice(begin, begin + len(ends)), room, some
            begin += len(ends)


class Side:
    """The groups of words, or of contexts, that a holder has: each in a slot of its own.

    Parameters
    ----------
    groups : int64 array (n,)
        What it has at first.
    rows : int
        Of a group.
    width : int
        Of a row.
    dtype : float32 or float64
    """

    def __init__(self, groups: NDArray[np.int64], rows: int, width: int, dtype: str) -> None:
        self.rows = rows
        self.states = aligned(len(groups) * rows, width, dtype)
        self.lengths = np.zeros(len(groups) * rows, dtype)
        self.slots = {group: slot for slot, group in enumerate(groups.tolist())}
        self._free: list[int] = []

    def group(self, group: int) -> Rows:
        """Return the rows of a group, not copied."""
        slot = self.slots[group]
        part = slice(slot * self.rows, (slot + 1) * self.rows)
        return self.states[part], self.lengths[part]

    def drop(self, group: int) -> None:
        """Let go of a group."""
        self._free.append(self.slots.pop(group))

    def put(self, group: int, rows: Rows) -> None:
        """Take a group in, where one was dropped."""
        self.slots[group] = self._free.pop()
        for target, values in zip(self.group(group), rows, strict=True):
            np.copyto(target, values)


class Blocks:
    """Groups of words and groups of contexts, as many of each.

    Parameters
    ----------
    deal : Deal
    group : int
        Blocks of a group.
    config : TrainConfig
    words, contexts : int64 arrays (n,)
        The groups that are held at first.
    """

    def __init__(
        self, deal: Deal, group: int, config: TrainConfig, words: NDArray[np.int64], contexts: NDArray[np.int64]
    ) -> None:
        self._deal, self._group, self._rows = deal, group, group * deal.block_size
        width = row_width(config.dim)
        self.sides = tuple(Side(groups, self._rows, width, config.dtype) for groups in (words, contexts))
        self._first_rows = np.full((2, deal.blocks), -1, np.int64)
        self.point()

    @property
    def arrays(self) -> list[NDArray[Any]]:
        """Words, contexts, and the lengths of both."""
        return [side.states for side in self.sides] + [side.lengths for side in self.sides]

    def read(self, checkpoint: Path) -> None:
        """Fill all from a checkpoint.

        Parameters
        ----------
        checkpoint : Path

        Raises
        ------
        FormatError
            If it was cut short.
        """
        for side, names in zip(self.sides, _NAMES, strict=True):
            for group in side.slots:
                for name, target in zip(names, side.group(group), strict=True):
                    read_part(checkpoint, name, group * self._rows, target)

    def write(self, folder: Path) -> None:
        """Write all into the files of a checkpoint.

        Parameters
        ----------
        folder : Path
            See `begin_parts`.

        Raises
        ------
        OutputError
            If it can't be written.
        """
        for side, names in zip(self.sides, _NAMES, strict=True):
            for part, name in enumerate(names):
                write_part(folder, name, self._parts(side, part))

    def place(self, jobs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return jobs with the rows where their blocks are held.

        Parameters
        ----------
        jobs : int64 array (n, 4)
            See `Tiles.jobs`.

        Raises
        ------
        IndexError
            If a block is not here.
        """
        placed = jobs.copy()
        size = self._deal.block_size
        placed[:, 2], placed[:, 3] = self._first_rows[0, jobs[:, 2] // size], self._first_rows[1, jobs[:, 3] // size]
        if placed.size and placed[:, 2:].min() < 0:
            raise IndexError("a block is not held here")
        return placed

    def point(self) -> None:
        """Write down where each block begins, when groups have come or gone."""
        g, size = self._group, self._deal.block_size
        for first_rows, side in zip(self._first_rows, self.sides, strict=True):
            first_rows[:] = -1
            for group, slot in side.slots.items():
                first_rows[group * g : (group + 1) * g] = slot * self._rows + np.arange(g) * size

    def _parts(self, side: Side, part: int) -> Iterator[tuple[int, NDArray[Any]]]:
        for group in sorted(side.slots):
            yield group * self._rows, side.group(group)[part]
