"""A co-occurrence matrix on disk: compressed sparse rows in a result folder.

A symmetric matrix keeps its lower half only (column <= row); `to_scipy` mirrors it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.folder import FolderWriter, ResultFolder, check_mapped
from glove_cli.vocab import Vocab

if TYPE_CHECKING:
    from scipy.sparse import csr_array

COOC_FORMAT = "glove-cooc"
COOC_VERSION = 1
_TYPES: dict[str, type] = {"shard": list, "options": dict, "sources": list, "vocabulary": str}
EXACT_UP_TO = 2.0**29  # sums of multiples of 2**-24 are exact in float64
_REMEDY = "Make a matrix with `glove build-cooc CORPUS`, or name its folder with --cooc."


@dataclass(frozen=True)
class RowBlock:
    """Consecutive rows of a matrix.

    Attributes
    ----------
    sizes : int64 array (rows,)
        Entries of each row.
    indices : int32 array (entries,)
        Columns, ascending within a row.
    data : float64 array (entries,)
    """

    sizes: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: NDArray[np.float64]

    def on_diagonal(self, first: int) -> int:
        """Count the entries on the diagonal of a lower half, if its first row is row `first` of the matrix."""
        filled = np.flatnonzero(self.sizes)
        last = np.cumsum(self.sizes)[filled] - 1
        return int(np.count_nonzero(self.indices[last] == filled + first))


@dataclass(frozen=True, eq=False)
class CoocMatrix:
    """A co-occurrence matrix of V words, mapped from disk.

    Attributes
    ----------
    path : Path
        The folder.
    vocab : Vocab
        The words of rows and columns.
    indptr : int64 array (V + 1,)
        Row i is `indptr[i]:indptr[i + 1]`.
    indices : int32 array (stored,)
        Columns, ascending within a row.
    data : float64 array (stored,)
        Counts, all positive.
    meta : dict
        What `meta.json` says: options, sizes, sources.
    """

    path: Path
    vocab: Vocab
    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: NDArray[np.float64]
    meta: dict[str, Any]

    @property
    def symmetric(self) -> bool:
        """Whether only the half with column <= row is stored."""
        return bool(self.meta["symmetric"])

    @property
    def V(self) -> int:
        """Number of words."""
        return len(self.vocab)

    @property
    def stored(self) -> int:
        """Number of entries on disk."""
        return len(self.indices)

    @property
    def nnz(self) -> int:
        """Number of entries of the whole matrix, both halves."""
        return int(self.meta["nnz"])

    @property
    def exact(self) -> bool:
        """Whether no sum lost a bit: none is larger than 2**29. Older matrices don't say, and count as exact."""
        return bool(self.meta.get("largest", 0) <= EXACT_UP_TO)

    def to_scipy(self) -> csr_array:
        """Return the whole matrix, both halves.

        Returns
        -------
        scipy.sparse.csr_array, float64 (V, V)
            With sorted columns.

        Raises
        ------
        FormatError
            If a file was changed after it was written, or a column isn't below V: SciPy would write outside its arrays.
        """
        from scipy.sparse import csr_array, tril

        self.verify()
        if self.stored and not 0 <= int(self.indices.min()) <= int(self.indices.max()) < self.V:
            raise FormatError(f"{self.path / 'indices.npy'}: names a word beyond the {self.V:,} words. {_REMEDY}")
        lower = csr_array((self.data, self.indices, self.indptr), shape=(self.V, self.V))
        whole = csr_array(lower + tril(lower, -1).T) if self.symmetric else lower.copy()
        whole.sort_indices()
        return whole

    def verify(self) -> None:
        """Compare the arrays, as they are mapped, with their checksums; the words were compared when they were read.

        Raises
        ------
        FormatError
            If a file was changed after it was written.
        """
        check_mapped(self.path, self.meta, {name: getattr(self, name) for name in ("indptr", "indices", "data")})


def load_cooc(path: str | os.PathLike[str]) -> CoocMatrix:
    """Open a co-occurrence matrix.

    Parameters
    ----------
    path : path-like
        The folder that `build_cooc` made.

    Returns
    -------
    CoocMatrix
        Its arrays are mapped into memory, read only.

    Raises
    ------
    FormatError
        If there is no matrix, or its files disagree or are cut short.
    """
    return open_cooc(path)


def open_cooc(path: str | os.PathLike[str], vocab: Vocab | None = None) -> CoocMatrix:
    """Open a co-occurrence matrix whose vocabulary may be known already; otherwise like `load_cooc`."""
    folder = ResultFolder.open(path, COOC_FORMAT, COOC_VERSION, remedy=_REMEDY, types=_TYPES)
    shard = folder.meta.get("shard")
    if shard is not None and (len(shard) != 2 or not all(type(number) is int for number in shard)):
        raise FormatError(f"{path}: its meta.json has the shard {str(shard)[:60]}, not two numbers. {_REMEDY}")
    sizes = [folder.meta.get(key) for key in ("V", "stored", "nnz")]
    if not all(isinstance(size, int) and size >= 0 for size in sizes) or not isinstance(
        folder.meta.get("symmetric"), bool
    ):
        raise FormatError(f"{path}: its meta.json lacks V, stored, nnz or symmetric. {_REMEDY}")
    V, stored, _ = sizes
    vocab = folder.vocab() if vocab is None else vocab
    if len(vocab) != V:
        raise FormatError(f"{path}: its vocabulary has {len(vocab):,} words, its matrix {V:,} rows. {_REMEDY}")
    indptr = folder.array("indptr", np.int64, (V + 1,))
    if indptr[0] != 0 or indptr[-1] != stored or np.any(np.diff(indptr) < 0):
        raise FormatError(f"{folder.path / 'indptr.npy'}: doesn't fit the {stored:,} entries of the matrix. {_REMEDY}")
    indices = folder.array("indices", np.int32, (stored,))
    data = folder.array("data", np.float64, (stored,))
    return CoocMatrix(folder.path, vocab, indptr, indices, data, folder.meta)


def write_rows(writer: FolderWriter, blocks: Iterable[RowBlock], *, lower: bool) -> dict[str, Any]:
    """Write the rows of a matrix, from the first to the last, as `indptr`, `indices` and `data`.

    Parameters
    ----------
    writer : FolderWriter
    blocks : iterable of RowBlock
        All rows in order.
    lower : bool
        Whether the rows hold the columns <= row only, for a symmetric matrix.

    Returns
    -------
    sizes : dict
        "stored", the number of entries written; "nnz", that of the whole matrix; "largest", the largest entry.
    """
    sizes: list[NDArray[np.int64]] = [np.zeros(1, np.int64)]
    diagonal = 0
    row = 0
    largest = 0.0
    with writer.growing("indices", np.int32) as indices, writer.growing("data", np.float64) as data:
        for block in blocks:
            indices.append(block.indices)
            data.append(block.data)
            sizes.append(block.sizes)
            largest = max(largest, float(block.data.max(initial=0)))
            if lower:
                diagonal += block.on_diagonal(row)
            row += len(block.sizes)
    indptr = np.cumsum(np.concatenate(sizes))
    writer.array("indptr", indptr)
    stored = int(indptr[-1])
    return {"stored": stored, "nnz": 2 * stored - diagonal if lower else stored, "largest": largest}
