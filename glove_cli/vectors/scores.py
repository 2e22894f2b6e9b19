"""What makes one vector nearer than another: cosine, dot product, Euclidean distance, and the product of 3CosMul.

Each measure has two forms. The estimate is one matrix product in float32, with a bound of its error. The key is exact
(float64) and depends on nothing but the two vectors: the larger, the nearer.

With u = 2**-24, a float32 product of two vectors of d numbers is off by at most d u |a| |b| (Higham 2002, "Accuracy and
Stability of Numerical Algorithms", section 3.1). Rounding the question, the lengths and the quotient adds less than
(d/2 + 4) u. The bound used, (d + 8) 2**-23, is greater than all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_BLOCK_ROWS = 1 << 14
_EXACT_VALUES = 1 << 20  # numbers that are looked at in float64 at a time
_SMALLEST_SQUARE, _LARGEST_SQUARE = 1e-30, 1e30
EPSILON = 0.001  # Levy and Goldberg 2014, equation 4: keeps 3CosMul from dividing by zero


@dataclass(frozen=True)
class Lengths:
    """Lengths of the rows of a matrix.

    Attributes
    ----------
    norms : float32 array (V,)
        Euclidean length; 1 for an odd row.
    odd : int64 array
        Rows so long or short that float32 can't hold their squares: they have no estimate. Rising.
    """

    norms: NDArray[np.float32]
    odd: NDArray[np.int64]

    @classmethod
    def of(cls, matrix: NDArray[Any]) -> Lengths:
        """Measure the rows of a float array (V, d)."""
        norms = np.empty(len(matrix), np.float32)
        odd = []
        for begin in range(0, len(matrix), _BLOCK_ROWS):
            rows = np.asarray(matrix[begin : begin + _BLOCK_ROWS], np.float32)
            with np.errstate(over="ignore", under="ignore"):
                squares = np.einsum("ij,ij->i", rows, rows)
            unsure = np.flatnonzero(~((squares > _SMALLEST_SQUARE) & (squares < _LARGEST_SQUARE)))
            unsure = unsure[(rows[unsure] != 0).any(axis=1)]
            squares[unsure] = 1
            np.sqrt(squares, out=norms[begin : begin + _BLOCK_ROWS])
            odd.append(unsure + begin)
        return cls(norms, np.concatenate(odd) if odd else np.empty(0, np.int64))


def scaled(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return rows (n, d) scaled to length 1 in float64; rows of zeros stay zero."""
    rows = np.asarray(rows, np.float64)
    norms = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)


class Measure(Protocol):
    """How near the rows of a matrix are to n questions."""

    n: int

    def estimate(self, begin: int, end: int) -> tuple[NDArray[np.float32], Any]:
        """Return float32 (n, end - begin) for some rows, the larger the nearer, and a bound of its error."""

    def least(self, keys: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return, for a key a question, what no estimate of a row with this key is below, its error apart."""

    def keys(self, questions: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the exact key of each pair of a question and a row."""


class Cosine:
    """The cosine of the angle between two vectors; with a vector of zeros it is 0."""

    def __init__(self, matrix: NDArray[Any], lengths: Lengths, targets: NDArray[Any]) -> None:
        self.n = len(targets)
        self._matrix = matrix
        self._divisors = np.where(lengths.norms > 0, lengths.norms, np.float32(1))
        self._unit = scaled(targets)
        self._unit32 = self._unit.astype(np.float32)
        self._error = _error(matrix)

    def estimate(self, begin: int, end: int) -> tuple[NDArray[np.float32], Any]:
        """Return the cosines of some rows, and a bound of their error."""
        found = _products(self._unit32, self._matrix[begin:end])
        found /= self._divisors[begin:end]
        return found, self._error

    def least(self, keys: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the keys as the least estimates."""
        return _down(keys)

    def keys(self, questions: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return exact cosines."""
        return (scaled(self._matrix[rows]) * self._unit[questions]).sum(axis=1)


class Dot:
    """The dot product of two vectors."""

    def __init__(self, matrix: NDArray[Any], lengths: Lengths, targets: NDArray[Any]) -> None:
        self.n = len(targets)
        self._matrix = matrix
        self._targets = np.asarray(targets, np.float64)
        lengths_of_targets = np.sqrt((self._targets * self._targets).sum(axis=1))
        self._scale = np.where(lengths_of_targets > 0, lengths_of_targets, 1.0)
        self._unit32 = (self._targets / self._scale[:, np.newaxis]).astype(np.float32)
        self._errors = lengths.norms * _error(matrix)

    def estimate(self, begin: int, end: int) -> tuple[NDArray[np.float32], Any]:
        """Return the products of some rows with questions of length 1, and a bound of their error."""
        return _products(self._unit32, self._matrix[begin:end]), self._errors[begin:end]

    def least(self, keys: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the least estimates for some keys."""
        return _down(keys / self._scale)

    def keys(self, questions: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return exact products."""
        return (np.asarray(self._matrix[rows], np.float64) * self._targets[questions]).sum(axis=1)


class Euclidean:
    """The Euclidean distance of two vectors. Its key is negative: a smaller distance is a larger key.

    Estimated is a·b - |a|²/2, which for one question b falls as the distance rises: |a - b|² = |b|² - 2 (a·b - |a|²/2).
    """

    def __init__(self, matrix: NDArray[Any], lengths: Lengths, targets: NDArray[Any]) -> None:
        self.n = len(targets)
        self._matrix = matrix
        self._targets = np.asarray(targets, np.float64)
        self._squares = (self._targets * self._targets).sum(axis=1)
        # A question that float32 can't square has every row for a candidate.
        usual = (self._squares > _SMALLEST_SQUARE) & (self._squares < _LARGEST_SQUARE) | (self._squares == 0)
        self._unusual = np.flatnonzero(~usual)
        self._targets32 = np.where(usual[:, np.newaxis], self._targets, 0).astype(np.float32)
        self._norms32 = np.where(usual, np.sqrt(self._squares), 0).astype(np.float32)
        self._norms = lengths.norms
        self._error = _error(matrix)

    def estimate(self, begin: int, end: int) -> tuple[NDArray[np.float32], Any]:
        """Return what stands above for some rows, and a bound of its error."""
        norms = self._norms[begin:end]
        found = _products(self._targets32, self._matrix[begin:end])
        found -= norms * norms / 2
        found[self._unusual] = np.inf
        return found, (self._norms32[:, np.newaxis] * norms + norms * norms) * self._error

    def least(self, keys: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the least estimates for some keys; the slack is what float64 may have rounded."""
        slack = (self._matrix.shape[1] + 8) * 2.0**-52 * (self._squares + keys * keys)
        return _down((self._squares - keys * keys) / 2 - slack)

    def keys(self, questions: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return exact distances with a minus."""
        difference = np.asarray(self._matrix[rows], np.float64) - self._targets[questions]
        return -np.sqrt((difference * difference).sum(axis=1))


class Product:
    """3CosMul: the product of the cosines to some vectors over the product of those to others.

    Cosines are shifted to 0 ... 1, (1 + cos) / 2, and the divisor is larger by 0.001 (Levy and Goldberg 2014,
    "Linguistic Regularities in Sparse and Explicit Word Representations", equation 4 and footnote 7).
    """

    def __init__(self, matrix: NDArray[Any], lengths: Lengths, positive: NDArray[Any], negative: NDArray[Any]) -> None:
        """Take float arrays (n, p, d) and (n, q, d)."""
        self.n = len(positive)
        self._cosines = [
            [Cosine(matrix, lengths, vectors[:, k]) for k in range(vectors.shape[1])]
            for vectors in (positive, negative)
        ]
        self._error = np.float32(_error(matrix) / 2 + 2.0**-23)

    def estimate(self, begin: int, end: int) -> tuple[NDArray[np.float32], Any]:
        """Return the middle between what a row's score can be at least and at most, and half their difference."""
        shape, error = (self.n, end - begin), self._error
        low, high, below_low, below_high = (np.ones(shape, np.float32) for _ in range(4))
        for cosine in self._cosines[0]:
            shifted = (1 + cosine.estimate(begin, end)[0]) / 2
            low *= np.maximum(shifted - error, 0)
            high *= shifted + error
        for cosine in self._cosines[1]:
            shifted = (1 + cosine.estimate(begin, end)[0]) / 2
            below_low *= np.maximum(shifted - error, 0)
            below_high *= shifted + error
        low /= below_high + np.float32(EPSILON)
        high /= below_low + np.float32(EPSILON)
        rounding = np.float32(2.0**-23 * (4 + sum(map(len, self._cosines))))
        errors = (high - low) / 2 + high * rounding
        low += high
        low /= 2
        return low, errors

    def least(self, keys: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the keys as the least estimates."""
        return _down(keys)

    def keys(self, questions: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return exact scores."""
        above, below = (
            np.prod([(1 + cosine.keys(questions, rows)) / 2 for cosine in cosines], axis=0) for cosines in self._cosines
        )
        return np.asarray(above / (below + EPSILON) + np.zeros(len(rows)))


def exact_keys(measure: Measure, questions: NDArray[np.int64], rows: NDArray[np.int64], d: int) -> NDArray[np.float64]:
    """Return the exact keys of any number of pairs, some at a time."""
    step = max(1, _EXACT_VALUES // d)
    found = [measure.keys(questions[k : k + step], rows[k : k + step]) for k in range(0, len(rows), step)]
    return np.concatenate(found) if found else np.empty(0)


def _error(matrix: NDArray[Any]) -> np.float32:
    return np.float32((matrix.shape[1] + 8) * 2.0**-23)


def _products(questions: NDArray[np.float32], rows: NDArray[Any]) -> NDArray[np.float32]:
    return questions @ np.asarray(rows, np.float32).T


def _down(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to float32, downwards."""
    with np.errstate(over="ignore"):
        return np.nextafter(values.astype(np.float32), np.float32(-np.inf))
