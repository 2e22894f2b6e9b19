"""SciPy's `.npz`: a sparse matrix in memory.

Read by ourselves: SciPy trusts the index arrays of a file, and a damaged one makes it write outside its memory.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc.buckets import make_entries
from glove_cli.cooc.sources import EntrySource, check_entries, check_shape
from glove_cli.cooc.store import CoocMatrix
from glove_cli.errors import FormatError
from glove_cli.folder import damaged_headers

_KINDS = ("csr", "csc", "coo")
_DAMAGED = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError, OverflowError, EOFError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def open_npz(path: Path, V: int) -> EntrySource:
    """Return the entries of a sparse matrix that `scipy.sparse.save_npz` wrote in the format csr, csc or coo.

    Parameters
    ----------
    path : Path
    V : int
        Number of words.

    Returns
    -------
    EntrySource
        The whole matrix is in memory.

    Raises
    ------
    FormatError
        If the file is damaged, or isn't a matrix of V rows and columns of real numbers. Its batches raise it if an
        entry can't be one of a matrix of V words.
    """
    try:
        with damaged_headers(), path.open("rb") as file:  # NumPy itself would leave a damaged file open
            arrays = _load(file)
        kind = arrays["format"].item()
        kind = kind.decode("ascii") if isinstance(kind, bytes) else str(kind)
        shape = tuple(int(length) for length in arrays["shape"])
        if kind not in _KINDS:
            raise FormatError(f"{path}: is stored as {kind!r}. Save matrix.tocsr() instead.")
        data = _vector(arrays, "data", "fiubc")
        if data.dtype.kind not in "fiu":
            raise FormatError(f"{path}: holds {data.dtype}. Give real numbers or integers.")
        check_shape(path, shape, V)
        row, col = _places(arrays, kind, V, len(data))
    except OSError as error:
        raise FormatError(f"{path}: can't be read: {error.strerror or error}. Name another file.") from error
    except _DAMAGED as error:
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise FormatError(
            f"{path}: is not a sparse matrix of SciPy, or damaged: {said}. Make it with scipy.sparse.save_npz."
        ) from error
    return EntrySource(str(path), len(row), 0, partial(_batches, path, row, col, data, V))


def write_npz(cooc: CoocMatrix, file: BinaryIO) -> None:
    """Write a matrix as `scipy.sparse.save_npz` does: a csr_array of float64, both halves, not compressed.

    Parameters
    ----------
    cooc : CoocMatrix
        Read into memory as a whole.
    file : binary file
    """
    from scipy.sparse import save_npz

    save_npz(file, cooc.to_scipy(), compressed=False)


def _load(file: BinaryIO) -> dict[str, NDArray[Any]]:
    """Return the arrays of an `.npz`."""
    with np.load(file, allow_pickle=False) as loaded:  # objects are refused: they could run code
        return {name: np.asarray(loaded[name]) for name in loaded.files}


def _vector(arrays: dict[str, NDArray[Any]], name: str, kinds: str) -> NDArray[Any]:
    """Return an array after checking that it has one dimension and numbers of these kinds."""
    array = arrays[name]
    if array.ndim != 1 or array.dtype.kind not in kinds:
        raise ValueError(f"{name} is {array.dtype} {array.shape}")
    return array


def _places(
    arrays: dict[str, NDArray[Any]], kind: str, V: int, entries: int
) -> tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]]]:
    """Return row and column of each entry; whether they are those of words is checked later."""
    if kind == "coo":
        if "coords" in arrays:  # as SciPy is going to write it
            arrays["row"], arrays["col"] = arrays["coords"]
        row, col = _vector(arrays, "row", "iu"), _vector(arrays, "col", "iu")
        if not len(row) == len(col) == entries:
            raise ValueError(f"{len(row)} rows, {len(col)} columns, {entries} values")
        return row, col
    indptr, indices = _vector(arrays, "indptr", "iu"), _vector(arrays, "indices", "iu")
    ends = indptr.astype(np.int64)
    if len(ends) != V + 1 or ends[0] != 0 or np.any(ends[1:] < ends[:-1]) or not ends[-1] <= len(indices) == entries:
        raise ValueError(f"indptr doesn't fit {len(indices)} indices and {entries} values")
    major = np.repeat(np.arange(V, dtype=np.int32), np.diff(ends))
    minor = indices[: len(major)]
    return (major, minor) if kind == "csr" else (minor, major)


def _batches(
    path: Path,
    row: NDArray[np.integer[Any]],
    col: NDArray[np.integer[Any]],
    data: NDArray[Any],
    V: int,
    limit: int,
) -> Iterator[NDArray[np.void]]:
    """Yield the checked entries."""
    for begin in range(0, len(row), limit):
        part = row[begin : begin + limit], col[begin : begin + limit], data[begin : begin + limit][: len(row) - begin]
        check_entries(*part, V, f"{path}: the entry")
        yield make_entries(*part)
