"""Matrix Market's `.mtx`: text with a line `row column value` for each entry, ids from 1.

Read by ourselves: SciPy's reader ends the process on some damaged files, and on some that lack the last line's end.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc.buckets import make_entries, transposed
from glove_cli.cooc.reference_format import stored_rows
from glove_cli.cooc.sources import EntrySource, Report, check_entries, check_shape
from glove_cli.cooc.store import CoocMatrix
from glove_cli.errors import FormatError, OutputError

_FIRST_ID = 1
_BLOCK_BYTES = 1 << 24
_LONGEST_LINE = 1 << 16
_LINE = np.dtype([("row", np.int64), ("col", np.int64), ("x", np.float64)])
_BANNER = [b"%%matrixmarket", b"matrix"]
_FIELDS = ("real", "integer", "unsigned-integer")
_SYMMETRIES = ("general", "symmetric")


class _Head(NamedTuple):
    """What stands before the entries."""

    rows: int
    columns: int
    entries: int
    symmetric: bool
    lines: int
    size: int  # in bytes


def open_market(path: Path, V: int) -> EntrySource:
    """Return the entries of a Matrix Market file: `coordinate`, `real` or `integer`, `general` or `symmetric`.

    Parameters
    ----------
    path : Path
    V : int
        Number of words.

    Returns
    -------
    EntrySource
        Of a symmetric file each entry and its mirror.

    Raises
    ------
    FormatError
        If the file is of another kind, or not of V rows and columns. Its batches raise it if a line is damaged, lines
        are missing or too many, or an entry can't be one of a matrix of V words.
    """
    try:
        with path.open("rb") as file:
            head = _read_head(path, file)
    except OSError as error:
        raise FormatError(f"{path}: can't be read: {error.strerror or error}. Name another file.") from error
    check_shape(path, (head.rows, head.columns), V)
    return EntrySource(str(path), None if head.symmetric else head.entries, _FIRST_ID, partial(_batches, path, V, head))


def write_market(cooc: CoocMatrix, file: BinaryIO, batch: int, report: Report) -> None:
    """Write a matrix as Matrix Market coordinates, of a symmetric one the lower half; numbers in full precision.

    Parameters
    ----------
    cooc : CoocMatrix
    file : binary file
    batch : int
        Entries held in memory at a time.
    report : callable
        Called with (stage, done, total).
    """
    kind = "symmetric" if cooc.symmetric else "general"
    file.write(f"%%MatrixMarket matrix coordinate real {kind}\n{cooc.V} {cooc.V} {cooc.stored}\n".encode())
    done = 0
    for entries in stored_rows(cooc, batch):
        file.write(_lines(entries, cooc.V))
        done += len(entries)
        report("writing", done, cooc.stored)


def _lines(entries: NDArray[np.void], V: int) -> bytes:
    """Return the lines that SciPy writes for these entries, without the head that would belong to them alone."""
    from scipy.io import mmwrite
    from scipy.sparse import coo_array

    matrix = coo_array((entries["x"].copy(), (entries["row"].copy(), entries["col"].copy())), shape=(V, V))
    buffer = io.BytesIO()
    try:
        mmwrite(buffer, matrix, field="real", symmetry="general")
    except RuntimeError as error:  # SciPy's writer starts threads of its own
        raise OutputError(f"Matrix Market: can't be written: {error}. Let the system start more threads.") from error
    text = buffer.getvalue()
    begin = 0
    while text[begin : begin + 1] == b"%":
        begin = text.index(b"\n", begin) + 1
    return text[text.index(b"\n", begin) + 1 :]


def _read_head(path: Path, file: BinaryIO) -> _Head:
    """Read the lines before the entries."""
    words = file.readline(_LONGEST_LINE).lower().split()
    if len(words) != 5 or words[:2] != _BANNER:
        raise FormatError(
            f"{path}: is not a Matrix Market file: its first line isn't `%%MatrixMarket matrix coordinate real general`"
            " or `symmetric`. Name another file."
        )
    form, field, symmetry = (word.decode("latin1") for word in words[2:])
    if form != "coordinate" or field not in _FIELDS or symmetry not in _SYMMETRIES:
        raise FormatError(
            f"{path}: is {f'{form} {field} {symmetry}'!r}. Give `coordinate`, `real` or `integer`, `general` or "
            "`symmetric`."
        )
    lines = 1
    while line := file.readline(_LONGEST_LINE):
        lines += 1
        if line.strip() and not line.startswith(b"%"):
            break
    numbers = [int(word) for word in line.split() if word.isdigit() and len(word) < 19]
    if len(numbers) != 3 or len(line.split()) != 3:
        raise FormatError(f"{path}: has no line `rows columns entries` after its comments. Make it again.")
    rows, columns, entries = numbers
    return _Head(rows, columns, entries, symmetry == "symmetric", lines, file.tell())


def _batches(path: Path, V: int, head: _Head, limit: int) -> Iterator[NDArray[np.void]]:
    """Yield the checked entries of a file, of a symmetric one also their mirrors."""
    done = 0
    for read in _parsed_blocks(path, head):
        done += len(read)
        if done > head.entries:
            break
        check_entries(read["row"], read["col"], read["x"], V, f"{path}: the entry", first_id=_FIRST_ID)
        for begin in range(0, len(read), limit):
            part = read[begin : begin + limit]
            entries = make_entries(part["row"] - _FIRST_ID, part["col"] - _FIRST_ID, part["x"])
            yield entries
            mirrors = entries[entries["row"] != entries["col"]]
            if head.symmetric and len(mirrors):
                yield transposed(mirrors)
    if done != head.entries:
        found = "more" if done > head.entries else f"{done:,}"
        raise FormatError(f"{path}: says that it has {head.entries:,} entries, and has {found}. Make it again.")


def _parsed_blocks(path: Path, head: _Head) -> Iterator[NDArray[np.void]]:
    """Yield the numbers of whole lines, block by block."""
    line = head.lines + 1
    rest = b""
    try:
        with path.open("rb") as file:
            file.seek(head.size)
            while block := file.read(_BLOCK_BYTES):
                whole, end, rest = (rest + block).rpartition(b"\n")
                yield _parsed(path, whole, line)
                line += whole.count(b"\n") + len(end)
                if len(rest) > _LONGEST_LINE:
                    break  # no line of numbers, and perhaps the whole file
    except OSError as error:
        raise FormatError(f"{path}: can't be read: {error.strerror or error}. Name another file.") from error
    yield _parsed(path, rest, line)


def _parsed(path: Path, text: bytes, line: int) -> NDArray[np.void]:
    """Return the numbers of some lines, the first of which is called `line`."""
    if not text.strip():
        return np.empty(0, _LINE)
    try:
        return np.loadtxt(io.StringIO(text.decode("latin1")), _LINE, comments=None, ndmin=1)
    except ValueError as error:
        for number, each in enumerate(text.split(b"\n"), line):
            if each.strip() and not _is_entry(each):
                shown = repr(each[:60].decode("ascii", "backslashreplace"))
                raise FormatError(
                    f"{path}: line {number:,} is not `row column value`: {shown}. Make the file again."
                ) from None
        raise FormatError(f"{path}: is damaged near line {line:,}: {error}. Make it again.") from None


def _is_entry(line: bytes) -> bool:
    try:
        row, col, x = line.split()
        float(x)
        return all(-(2**63) <= int(i) < 2**63 for i in (row, col))
    except ValueError:
        return False
