"""Vectors changed after training: unit length, the mean or strong directions removed, whitening, fewer dimensions.

Steps are written as one text, `mean:10000,top:2,unit`, and done in that order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.vectors.keyed import WordVectors

NONE = "none"
_BLOCK_ROWS = 1 << 14
_DIMENSIONS_A_DIRECTION = 100  # Mu and Viswanath remove a direction for about each 100 dimensions
_Work = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # what a step makes of some rows
_FREQUENT = 10_000  # words that whitening looks at, unless it is said
_FLATTEST = 1e-6  # of the largest variance: directions with less are not magnified further
_ADVICE = "Give steps such as mean, mean:10000, top:2, whiten:0.3, pca:50, unit, with commas between them."


@dataclass(frozen=True)
class Step:
    """One change of the vectors.

    Attributes
    ----------
    name : {"unit", "mean", "top", "pca", "whiten"}
    number : int or None
        Words whose mean is removed, or that are looked at; directions that are removed, or dimensions that are left.
    power : float or None
        How far vectors are whitened.
    """

    name: str
    number: int | None = None
    power: float | None = None

    def __str__(self) -> str:
        return ":".join([self.name, *(f"{part:g}" for part in (self.power, self.number) if part is not None)])


def parse_steps(text: str) -> tuple[Step, ...]:
    """Read steps from a text.

    Parameters
    ----------
    text : str
        Steps with commas between them, in the order in which they are to be done:

        - `unit`: each vector is scaled to length 1; one of zeros stays.
        - `mean`: the mean of all vectors is subtracted from each; `mean:N`: that of the first N, the most
          frequent ones.
        - `top`: all-but-the-top (Mu and Viswanath 2018, algorithm 1): the mean of all is subtracted, then what lies
          along the d/100 strongest principal directions (at least one); `top:N`: along N of them.
        - `pca:N`: the coordinates along the N strongest principal directions (Raunak, Gupta and Metze 2019).
        - `whiten:P`, P above 0 and at most 1: the mean of the 10,000 most frequent words is subtracted, then what lies
          along each of their principal directions is divided by the P-th power of its standard deviation; `whiten:P:N`:
          of the first N words. 1 is whitening without a rotation (ZCA); less is part of the way.

    Returns
    -------
    tuple of Step

    Raises
    ------
    OptionError
        If a step is none of these.
    """
    if not isinstance(text, str):
        raise OptionError(f"--process: {text!r} is no text. Give steps such as mean,unit.")
    steps = []
    for part in text.split(","):
        name, *numbers = part.strip().split(":")
        power = None
        if name == "whiten" and numbers:
            power = _share(numbers.pop(0))
        counted = [
            int(number) for number in numbers if number.isascii() and number.isdigit() and 0 < int(number) < 2**31
        ]
        most = 0 if name == "unit" else 1
        needs = len(counted) == 1 if name == "pca" else power is not None if name == "whiten" else True
        if name not in _STEPS or len(counted) < len(numbers) or len(counted) > most or not needs:
            raise OptionError(f"--process: {part.strip()!r} is no step. {_ADVICE}")
        steps.append(Step(name, counted[0] if counted else None, power))
    return tuple(steps)


def chosen_steps(process: str | None, own: str | None = None) -> tuple[Step, ...]:
    """Return the steps to do.

    Parameters
    ----------
    process : str or None
        Steps, see `parse_steps`, or "none"; None if nothing was chosen.
    own : str or None
        The steps that come with the vectors, which are done if nothing was chosen.

    Returns
    -------
    tuple of Step

    Raises
    ------
    OptionError
        If a step is unknown.
    """
    text = own if process is None else process
    return () if text is None or text == NONE else parse_steps(text)


def process_vectors(vectors: WordVectors, steps: str | tuple[Step, ...]) -> WordVectors:
    """Return vectors after some steps.

    Parameters
    ----------
    vectors : WordVectors
        Most frequent words first; not changed.
    steps : str or tuple of Step
        See `parse_steps`.

    Returns
    -------
    WordVectors
        The same words; with `pca`, fewer dimensions.

    Raises
    ------
    OptionError
        If a step is unknown, asks for more than there is, or makes a number too large for 32 bits.

    Notes
    -----
    Means and directions are computed in float64. A direction's sign is that which makes its largest component positive.
    """
    return trace_steps(vectors, steps)[0]


@dataclass(frozen=True, eq=False)
class Changes:
    """What steps do to any vector, once the means and directions that they take from all vectors are known.

    Attributes
    ----------
    works : tuple of callable
        What each step makes of rows.
    """

    works: tuple[_Work, ...] = ()

    def apply(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return vectors after the steps.

        Parameters
        ----------
        rows : float64 array (n, d)
        """
        for work in self.works:
            rows = work(rows)
        return rows

    def jacobian(self, row: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how the changed vector moves with the vector: J[k, l] is the derivative of its number l by number k.

        Parameters
        ----------
        row : float64 array (d,)

        Returns
        -------
        float64 array (d, d after the steps)
            Of zeros where a vector of zeros was to be scaled to length 1.
        """
        found = np.eye(len(row))
        for work, matrix in zip(self.works, self._matrices(len(row)), strict=True):
            if matrix is None:
                length = np.linalg.norm(row)
                row = work(row[np.newaxis])[0]
                found = (found - np.outer(found @ row, row)) / length if length else np.zeros_like(found)
            else:
                row, found = work(row[np.newaxis])[0], found @ matrix
        return found

    def _matrices(self, d: int) -> list[NDArray[np.float64] | None]:
        """Return the matrix of each step, which is (v - m) M; None where it is the scaling."""
        matrices: list[NDArray[np.float64] | None] = []
        for work in self.works:
            if work is _scaled:
                matrices.append(None)
                continue
            matrix = work(np.eye(d)) - work(np.zeros((1, d)))
            matrices.append(matrix)
            d = matrix.shape[1]
        return matrices


def trace_steps(vectors: WordVectors, steps: str | tuple[Step, ...]) -> tuple[WordVectors, Changes]:
    """Return vectors after some steps, as `process_vectors`, and the steps as they can be done to other vectors.

    Parameters
    ----------
    vectors : WordVectors
    steps : str or tuple of Step

    Raises
    ------
    OptionError
        As `process_vectors`.
    """
    if isinstance(steps, str):
        steps = parse_steps(steps)
    matrix, ours, works = vectors.matrix, False, []
    for step in steps:
        works.append(_STEPS[step.name](matrix, step))
        width = step.number or 0 if step.name == "pca" else matrix.shape[1]
        matrix, ours = _by_blocks(matrix, width, works[-1], in_place=ours and width == matrix.shape[1]), True
    return WordVectors(vectors.words, matrix), Changes(tuple(works))


def _unit(matrix: NDArray[np.float32], step: Step) -> _Work:
    return _scaled


def _mean(matrix: NDArray[np.float32], step: Step) -> _Work:
    mean = _first(matrix, step, None).mean(axis=0, dtype=np.float64)
    return lambda rows: rows - mean


def _top(matrix: NDArray[np.float32], step: Step) -> _Work:
    V, d = matrix.shape
    number = step.number if step.number is not None else max(1, d // _DIMENSIONS_A_DIRECTION)
    if number >= min(V - 1, d):  # without their mean, V vectors span V - 1 dimensions
        raise OptionError(
            f"--process: {step} would leave nothing of {V:,} words with {d:,} dimensions. Give a smaller number."
        )
    mean, directions = _principal(matrix, number)

    def work(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = rows - mean
        return rows - (rows @ directions) @ directions.T

    return work


def _pca(matrix: NDArray[np.float32], step: Step) -> _Work:
    number = step.number or 0
    if number > min(matrix.shape):
        raise OptionError(
            f"--process: {step} asks for more than the {min(matrix.shape):,} dimensions there are. Give a smaller one."
        )
    mean, directions = _principal(matrix, number)
    return lambda rows: (rows - mean) @ directions


def _whiten(matrix: NDArray[np.float32], step: Step) -> _Work:
    mean, variances, directions = _spectrum(_first(matrix, step, _FREQUENT))
    largest = variances.max()
    if not largest > 0:
        raise OptionError(f"--process: {step} needs vectors that differ. These are all alike.")
    scale = np.maximum(variances, _FLATTEST * largest) ** (-(step.power or 0) / 2)
    change = (directions * scale) @ directions.T
    return lambda rows: (rows - mean) @ change


_STEPS: dict[str, Callable[[NDArray[np.float32], Step], _Work]] = {
    "unit": _unit,
    "mean": _mean,
    "top": _top,
    "pca": _pca,
    "whiten": _whiten,
}


def _by_blocks(matrix: NDArray[np.float32], width: int, work: _Work, *, in_place: bool) -> NDArray[np.float32]:
    """Return `work` of all rows, given to it as float64, some at a time."""
    result = matrix if in_place else np.empty((len(matrix), width), np.float32)
    for begin in range(0, len(matrix), _BLOCK_ROWS):
        rows = work(matrix[begin : begin + _BLOCK_ROWS].astype(np.float64))
        try:
            with np.errstate(over="raise"):
                result[begin : begin + _BLOCK_ROWS] = rows
        except FloatingPointError:
            raise OptionError("--process: makes numbers too large for 32 bits. Scale the vectors down first.") from None
    return result


def _scaled(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def _first(matrix: NDArray[np.float32], step: Step, most: int | None) -> NDArray[np.float32]:
    """Return the rows that a step looks at: as many as it says, else `most` (None: all)."""
    if step.number is not None and step.number > len(matrix):
        raise OptionError(f"--process: {step} asks for more words than the {len(matrix):,} there are. Give fewer.")
    return matrix[: most if step.number is None else step.number]


def _share(text: str) -> float | None:
    """Return a number above 0 and at most 1, or None if the text is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number <= 1 else None


def _principal(matrix: NDArray[np.float32], number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean (d,) and the strongest principal directions (d, number), strongest first."""
    mean, _, directions = _spectrum(matrix)
    directions = directions[:, ::-1][:, :number]
    largest = np.abs(directions).argmax(axis=0)
    return mean, directions * np.sign(directions[largest, np.arange(number)])


def _spectrum(matrix: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean (d,), the variances along the principal directions (d,), weakest first, and these (d, d)."""
    d = matrix.shape[1]
    mean = matrix.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((d, d))
    for begin in range(0, len(matrix), _BLOCK_ROWS):
        rows = matrix[begin : begin + _BLOCK_ROWS] - mean
        covariance += rows.T @ rows
    variances, directions = np.linalg.eigh(covariance / len(matrix))
    return mean, variances, directions
