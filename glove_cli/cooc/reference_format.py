"""The reference's `cooccurrence.bin`: records of row, column (int32, beginning with 1) and value (float64), no header.

All numbers are little-endian. A symmetric matrix has both (i, j) and (j, i); in any other the row is the left word. Our
own writing is sorted by (row, column); a shuffled file, as the reference trains on, is read all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc.buckets import ENTRY, Buckets, by_row, cut_rows, make_entries, transposed, write_all
from glove_cli.cooc.sources import EntrySource, Report, check_entries
from glove_cli.cooc.store import CoocMatrix
from glove_cli.errors import FormatError

_FIRST_ID = 1


def open_reference(path: Path, V: int) -> EntrySource:
    """Return the entries of a file of the reference.

    Parameters
    ----------
    path : Path
    V : int
        Number of words.

    Returns
    -------
    EntrySource

    Raises
    ------
    FormatError
        If its size isn't that of whole records. Its batches raise it if the file can't be read, names a word beyond V,
        or has a value that isn't positive and finite.
    """
    size = path.stat().st_size
    if size % ENTRY.itemsize:
        raise FormatError(
            f"{path}: has {size:,} bytes, which is not a multiple of the {ENTRY.itemsize} of a record: it is cut short "
            "or no cooccurrence file. Make it again."
        )
    count = size // ENTRY.itemsize

    def batches(limit: int) -> Iterator[NDArray[np.void]]:
        done = 0
        try:
            with path.open("rb") as file:
                while done < count:
                    records = np.fromfile(file, ENTRY, min(limit, count - done))
                    if not len(records):
                        raise FormatError(f"{path}: became shorter while it was read. Import it again.")
                    row, col = records["row"], records["col"]
                    check_entries(row, col, records["x"], V, f"{path}: record", number=done + 1, first_id=_FIRST_ID)
                    done += len(records)
                    row -= _FIRST_ID
                    col -= _FIRST_ID
                    yield records
        except OSError as error:
            raise FormatError(f"{path}: can't be read: {error.strerror or error}. Name another file.") from error

    return EntrySource(str(path), count, _FIRST_ID, batches)


def write_reference(cooc: CoocMatrix, file: BinaryIO, scratch: Path, batch: int, report: Report) -> None:
    """Write a matrix as the reference's records, sorted by (row, column).

    Parameters
    ----------
    cooc : CoocMatrix
    file : binary file
    scratch : Path
        A folder for files that hold the mirrored half of a symmetric matrix meanwhile.
    batch : int
        Entries held in memory at a time.
    report : callable
        Called with (stage, done, total).

    Raises
    ------
    FormatError
        If a column isn't below V.
    """
    done = 0
    for entries in _whole_rows(cooc, scratch, batch, report) if cooc.symmetric else stored_rows(cooc, batch):
        done += len(entries)
        entries["row"] += _FIRST_ID
        entries["col"] += _FIRST_ID
        write_all(file, entries)
        report("writing", done, cooc.nnz)


def stored_rows(cooc: CoocMatrix, batch: int) -> Iterator[NDArray[np.void]]:
    """Yield the stored entries of a matrix in order, at most `batch` or a row at a time, after checking their columns.

    Parameters
    ----------
    cooc : CoocMatrix
    batch : int

    Yields
    ------
    entries : record array of ENTRY

    Raises
    ------
    FormatError
        If a column isn't below V, or in a symmetric matrix above its row.
    """
    for first, last in cut_rows(np.diff(cooc.indptr), batch):
        yield _stored(cooc, first, last)


def _stored(cooc: CoocMatrix, first: int, last: int) -> NDArray[np.void]:
    """Return the stored entries of rows first <= row < last."""
    begin, end = int(cooc.indptr[first]), int(cooc.indptr[last])
    rows = np.repeat(np.arange(first, last, dtype=np.int32), np.diff(cooc.indptr[first : last + 1]))
    entries = make_entries(rows, cooc.indices[begin:end], cooc.data[begin:end])
    most = rows if cooc.symmetric else cooc.V - 1
    if np.any((entries["col"] < 0) | (entries["col"] > most)):
        raise FormatError(
            f"{cooc.path / 'indices.npy'}: names a column that can't be. Make the matrix again: it is damaged."
        )
    return entries


def _whole_rows(cooc: CoocMatrix, scratch: Path, batch: int, report: Report) -> Iterator[NDArray[np.void]]:
    """Yield both halves of a symmetric matrix in order, from the lower one that is stored."""
    upper = np.zeros(cooc.V, np.int64)
    for entries in stored_rows(cooc, batch):
        upper += np.bincount(entries["col"][entries["col"] < entries["row"]], minlength=cooc.V)
    mirrored = Buckets(scratch, np.diff(cooc.indptr) + upper, batch)
    done = 0
    for entries in stored_rows(cooc, batch):
        done += len(entries)
        below = transposed(entries[entries["col"] < entries["row"]])
        mirrored.add(below["row"], below)
        report("mirroring", done, cooc.stored)
    for first, last, half in mirrored.take():
        # A row's lower half comes before its upper one, whose entries were added by ascending column.
        yield by_row(np.concatenate((_stored(cooc, first, last), half)), first, last)
