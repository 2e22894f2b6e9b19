"""Entries in any order to the rows that a result keeps: sorted, none twice, of a symmetric matrix the lower half."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc.buckets import Buckets, make_entries, transposed
from glove_cli.cooc.sources import EntrySource, Report
from glove_cli.cooc.store import RowBlock, write_rows
from glove_cli.errors import FormatError
from glove_cli.folder import FolderWriter
from glove_cli.temporary import remove_folder

ROUNDING = 1e-9  # relative; what adding up the same numbers in another order can make of a count


class _NotSymmetricError(Exception):
    """An entry has no equal mirror; says which."""


@dataclass
class Tally:
    """What was found while entries were stored.

    Attributes
    ----------
    symmetric : bool
        Whether the lower half only was stored.
    summed : int
        Entries that were added to others at the same place.
    rounded : int
        Pairs whose two values differ by rounding; the one of the lower half was stored.
    """

    symmetric: bool = False
    summed: int = 0
    rounded: int = 0


def store_entries(
    source: EntrySource,
    V: int,
    writer: FolderWriter,
    *,
    symmetric: bool | None,
    sum_duplicates: bool,
    batch: int,
    report: Report,
) -> tuple[dict[str, Any], Tally]:
    """Sort the entries of a file and write them as rows.

    Parameters
    ----------
    source : EntrySource
    V : int
        Number of words.
    writer : FolderWriter
        Also the place for temporary files.
    symmetric : bool, optional
        Whether to keep the lower half only; by default if every entry has an equal mirror.
    sum_duplicates : bool
        Whether several entries at one place are added up; else they are an error.
    batch : int
        Entries held in memory at a time, unless a row alone has more.
    report : callable
        Called with (stage, done, total).

    Returns
    -------
    sizes : dict
        "stored" and "nnz", as of `write_rows`.
    tally : Tally

    Raises
    ------
    FormatError
        If an entry is wrong, or given twice, or the matrix isn't as symmetric as it should be, or its first entry was
        counted twice by the reference.
    """
    survey = _Survey(source, V, batch, report)
    if symmetric is None and not survey.may_be_symmetric:
        symmetric = False
    job = _Job(source, V, survey, symmetric, sum_duplicates, batch, report)
    if symmetric is not False:
        try:
            return job.write(writer, lower=True)
        except _NotSymmetricError as error:
            if symmetric:
                raise FormatError(f"{error} Leave out --symmetric.") from None
        for name in ("indices.npy", "data.npy"):
            (writer.path / name).unlink()
    return job.write(writer, lower=False)


class _Survey:
    """What a first look through all entries says: entries of each row, and by the larger id; the first entry."""

    def __init__(self, source: EntrySource, V: int, batch: int, report: Report) -> None:
        self.rows = np.zeros(V, np.int64)
        self.larger = np.zeros(V, np.int64)
        columns = np.zeros(V, np.int64)
        self.first = V * V  # row * V + column
        done = 0
        for entries in source.batches(batch):
            row, col = entries["row"], entries["col"]
            self.rows += np.bincount(row, minlength=V)
            self.larger += np.bincount(np.maximum(row, col), minlength=V)
            columns += np.bincount(col, minlength=V)
            self.first = min(self.first, int(_places(entries, V).min()))
            done += len(entries)
            report("checking", done, source.count)
        if not done:
            raise FormatError(f"{source.name}: has no entries. Name another file.")
        self.count = done
        self.may_be_symmetric = np.array_equal(self.rows, columns)


@dataclass
class _Job:
    """The entries of a source on their way to rows."""

    source: EntrySource
    V: int
    survey: _Survey
    symmetric: bool | None
    sum_duplicates: bool
    batch: int
    report: Report

    def write(self, writer: FolderWriter, *, lower: bool) -> tuple[dict[str, Any], Tally]:
        """Write all rows, or the lower half of each if it has an equal upper one."""
        tally = Tally(symmetric=lower)
        folder = writer.path / "buckets"
        folder.mkdir()
        try:
            return write_rows(writer, self._blocks(folder, lower, tally), lower=lower), tally
        finally:
            remove_folder(folder)

    def _blocks(self, folder: Path, lower: bool, tally: Tally) -> Iterator[RowBlock]:
        # Put away by the larger id, an entry and its mirror come to lie in the same file.
        buckets = Buckets(folder, self.survey.larger if lower else self.survey.rows, self.batch)
        done = 0
        for entries in self.source.batches(self.batch):
            buckets.add(np.maximum(entries["row"], entries["col"]) if lower else entries["row"], entries)
            done += len(entries)
            self.report("sorting", done, self.survey.count)
        done = 0
        for first, last, entries in buckets.take():
            done += len(entries)
            rows = self._half(entries, tally) if lower else self._settled(entries, tally)
            sizes = np.bincount(rows["row"] - np.int32(first), minlength=last - first)
            yield RowBlock(sizes.astype(np.int64), rows["col"], rows["x"])
            self.report("writing", done, self.survey.count)

    def _half(self, entries: NDArray[np.void], tally: Tally) -> NDArray[np.void]:
        """Return the lower half of entries, sorted, after comparing it with the upper one."""
        is_lower = entries["row"] >= entries["col"]
        half = self._settled(entries[is_lower], tally)
        below = half[half["row"] > half["col"]]
        above = transposed(self._settled(entries[~is_lower], tally))
        above = above[np.argsort(_places(above, self.V))]
        common = min(len(below), len(above))
        elsewhere = _places(below[:common], self.V) != _places(above[:common], self.V)
        if elsewhere.any() or len(below) != len(above):
            k = int(elsewhere.argmax()) if elsewhere.any() else common
            candidates = [(*e[k].item(), e is above) for e in (below, above) if k < len(e)]
            row, col, x, mirrored = min(candidates)
            raise _NotSymmetricError(self._said(*((col, row) if mirrored else (row, col)), x, "none"))
        p, q = below["x"], above["x"]
        far = ~(np.abs(p - q) <= ROUNDING * np.maximum(p, q))
        wrong = far if self.symmetric else p != q
        if far.sum() == 1:
            self._check_first(below[far], above[far])
        if wrong.any():
            row, col, x = below[wrong.argmax()].item()
            raise _NotSymmetricError(self._said(row, col, x, repr(float(q[wrong.argmax()]))))
        tally.rounded += int((p != q).sum())
        return half

    def _check_first(self, below: NDArray[np.void], above: NDArray[np.void]) -> None:
        """Refuse a matrix whose only entry without an equal mirror is its first one, twice as large."""
        row, col, x = below[0].item()
        if col * self.V + row == self.survey.first and abs(above["x"][0] / x - 2) < ROUNDING:
            raise FormatError(
                f"{self._said(col, row, float(above['x'][0]), repr(x))} The reference counts its first record twice if "
                "its last overflow file is empty, as after every small corpus. Count again with `glove build-cooc`, or "
                "import with --no-symmetric if it is right."
            )

    def _said(self, row: int, col: int, x: float, mirror: str) -> str:
        i, j = row + self.source.first_id, col + self.source.first_id
        return f"{self.source.name}: row {i}, column {j} has the value {x!r}, its mirror {mirror}."

    def _settled(self, entries: NDArray[np.void], tally: Tally) -> NDArray[np.void]:
        """Return entries sorted by (row, column), several at one place added up or refused."""
        places = _places(entries, self.V)
        if np.all(places[1:] > places[:-1]):
            return entries
        order = np.argsort(places, kind="stable")
        places, entries = places[order], entries[order]
        same = places[1:] == places[:-1]
        if not same.any():
            return entries
        if not self.sum_duplicates:
            k = int(same.argmax())
            i, j = entries["row"][k] + self.source.first_id, entries["col"][k] + self.source.first_id
            values = f"{float(entries['x'][k])!r} and {float(entries['x'][k + 1])!r}"
            raise FormatError(
                f"{self.source.name}: has two values for row {i}, column {j}: {values}. Leave one out, or let "
                "--sum-duplicates add them up."
            )
        # By value as well, so that the sum is the same in whatever order they came.
        entries = entries[np.lexsort((entries["x"], places))]
        starts = np.flatnonzero(np.concatenate(([True], ~same)))
        tally.summed += len(entries) - len(starts)
        sums = np.add.reduceat(entries["x"], starts)
        return make_entries(entries["row"][starts], entries["col"][starts], sums)


def _places(entries: NDArray[np.void], V: int) -> NDArray[np.int64]:
    """Return row * V + column of each entry."""
    return entries["row"].astype(np.int64) * V + entries["col"]
