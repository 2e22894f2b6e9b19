"""The matrix whose singular vectors are taken: a function of the counts, sparse, as something that multiplies vectors.

Where half of a symmetric matrix is stored, half is kept: products with both halves are taken from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.spectral.config import SpectralConfig
from glove_cli.spectral.names import LOG_PCA, PCA
from glove_cli.training.counts import Counts

_PIECE = 1 << 22  # entries at a time
_Ids = NDArray[np.int64] | NDArray[np.int32]
_Value = Callable[[_Ids, _Ids, NDArray[np.float64]], NDArray[np.float64]]


class Transformed:
    """A sparse matrix A (V, V) of float64.

    Attributes
    ----------
    lower : scipy.sparse.csr_array
        The entries with column <= row; all, if the counts have no halves.
    upper : scipy.sparse.csr_array or None
        The entries with column > row, in the places of their mirror images; None if there are none, or if they are
        the same as the lower ones.
    symmetric : bool
        Whether A is its own transpose.
    """

    def __init__(self, counts: Counts, config: SpectralConfig) -> None:
        value = _function(counts, config)
        self.symmetric = counts.symmetric and (config.method in (PCA, LOG_PCA) or config.smoothing == 1)
        self.lower = _entries(counts, value)
        self.upper = None
        if counts.symmetric and not self.symmetric:
            self.upper = _entries(counts, lambda i, j, x: np.where(i == j, 0, value(j, i, x)))
        self._diagonal = self.lower.diagonal() if self.symmetric else np.zeros(counts.V)

    @property
    def nnz(self) -> int:
        """Number of entries that aren't 0, in both halves."""
        if self.symmetric:
            return 2 * self.lower.nnz - int(np.count_nonzero(self._diagonal))
        return self.lower.nnz + (self.upper.nnz if self.upper is not None else 0)

    def norm2(self) -> float:
        """Return the sum of squares of all entries."""
        total = float(np.square(self.lower.data).sum())
        if self.symmetric:
            return 2 * total - float(np.square(self._diagonal).sum())
        return total + (float(np.square(self.upper.data).sum()) if self.upper is not None else 0.0)

    def times(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return A x.

        Parameters
        ----------
        x : float64 array (V,) or (V, 1)
        """
        x = x.ravel()
        if self.symmetric:
            return self.lower @ x + self.lower.T @ x - self._diagonal * x
        return self.lower @ x + (self.upper.T @ x if self.upper is not None else 0)

    def transposed_times(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return A^T x.

        Parameters
        ----------
        x : float64 array (V,) or (V, 1)
        """
        if self.symmetric:
            return self.times(x)
        x = x.ravel()
        return self.lower.T @ x + (self.upper @ x if self.upper is not None else 0)


def _function(counts: Counts, config: SpectralConfig) -> _Value:
    """Return what makes values of rows, columns and counts."""
    if config.method == PCA:
        return lambda i, j, x: np.asarray(x, np.float64)
    if config.method == LOG_PCA:
        return lambda i, j, x: np.log1p(x)
    rows, columns = sums(counts)
    with np.errstate(divide="ignore"):  # of words without entries
        log_rows, log_columns = np.log(rows), config.smoothing * np.log(columns)
    log_all = float(np.log(np.power(columns[columns > 0], config.smoothing).sum()) - np.log(config.shift))

    def positive_information(i: _Ids, j: _Ids, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.maximum(np.log(x) - log_rows[i] - log_columns[j] + log_all, 0)

    return positive_information


def sums(counts: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of the rows and of the columns of the whole matrix, float64 (V,) each.

    Parameters
    ----------
    counts : Counts
    """
    rows, columns = np.zeros(counts.V), np.zeros(counts.V)
    for i, j, x in _pieces(counts):
        rows += np.bincount(i, x, counts.V)
        columns += np.bincount(j, x, counts.V)
        if counts.symmetric:
            mirrored = np.where(i == j, 0, x)
            rows += np.bincount(j, mirrored, counts.V)
            columns += np.bincount(i, mirrored, counts.V)
    return rows, columns


def _pieces(counts: Counts) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]]:
    """Yield rows, columns and counts of the stored entries, some millions at a time."""
    first = 0
    while first < counts.V:
        last = int(np.searchsorted(counts.indptr, counts.indptr[first] + _PIECE, side="right")) - 1
        last = min(max(last, first + 1), counts.V)
        indptr, j, x = counts.rows(first, last)
        yield np.repeat(np.arange(first, last), np.diff(indptr[first : last + 1])), j, x
        counts.release(first, last)
        first = last


def _entries(counts: Counts, value: _Value) -> Any:
    """Return the stored entries after a function, without those that become 0."""
    from scipy.sparse import csr_array

    sizes, columns, values = np.zeros(counts.V, np.int64), [], []
    for i, j, x in _pieces(counts):
        made = value(i, j, x)
        kept = made != 0
        sizes += np.bincount(i[kept], minlength=counts.V)
        columns.append(j[kept])
        values.append(made[kept])
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    indices = np.concatenate(columns)
    kind = np.int32 if len(indices) <= np.iinfo(np.int32).max else np.int64
    arrays = (np.concatenate(values), indices.astype(kind, copy=False), indptr.astype(kind))
    return csr_array(arrays, shape=(counts.V, counts.V))
