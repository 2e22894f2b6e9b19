"""How training lays out its parameters in memory.

A word's state is one row, `[values | sums]`, aligned to cache lines and padded with zeros to whole registers:

    word     values = (w, b_w, 1)      sums = sums of squared steps of each, at the same offsets
    context  values = (c, 1, b_c)

so that the product of two rows is w . c + b_w + b_c. Two tricks let one rule update all of it:

- The constant 1 has a sum of squares so large that no step moves it, and that no step changes.
- A bias b is to move by bias_eta f diff / sqrt(G), G growing by (bias_eta f diff)^2; the rule has eta in both places.
  With G' = (eta / bias_eta)^2 G in place of G both are the same: eta f diff / sqrt(G') is the wanted step, and G' grows
  by (eta f diff)^2 when G grows by (bias_eta f diff)^2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glove_cli.training.kernels import LANES

PARAMETERS = ("W", "C", "b_w", "b_c", "gradsq_W", "gradsq_C", "gradsq_b_w", "gradsq_b_c")
# Sums of squares that stop all movement, in units of what a number can hold.
_STILL = {"float32": 1e30, "float64": 1e300}
_ALIGNMENT = 64  # bytes
_STEP_VALUES = 1 << 20
Array = NDArray[Any]


def row_width(dim: int) -> int:
    """Return how many numbers a word's state takes."""
    return 2 * (-(-(dim + 2) // LANES) * LANES)


class Rows(NamedTuple):
    """The parameters of some words, or of some contexts: arrays (n, d), (n,), (n, d), (n,)."""

    vectors: Array
    biases: Array
    gradsq: Array
    gradsq_biases: Array


@dataclass(frozen=True)
class State:
    """The parameters of all words and contexts during training.

    Attributes
    ----------
    words, contexts : float32 or float64 arrays (rows, row_width(dim))
        Rows that belong to no word hold zeros and sums of 1.
    word_lengths, context_lengths : arrays (rows,)
        No less than the length of each row's values; the kernel keeps them so.
    place : int array (V,)
        Row of each word.
    dim : int
    bias_scale : float
        What a bias's sum of squares is multiplied by in here; 0 if biases don't move.
    """

    words: Array
    contexts: Array
    word_lengths: Array
    context_lengths: Array
    place: NDArray[np.int32]
    dim: int
    bias_scale: float

    @classmethod
    def empty(
        cls, place: NDArray[np.int32], rows: int, dim: int, *, eta: float, bias_eta: float, dtype: DTypeLike
    ) -> State:
        """Lay out parameters that are all 0, with sums of 1.

        Parameters
        ----------
        place : int array (V,)
            Row of each word.
        rows : int
            Number of rows.
        dim : int
        eta, bias_eta : float
            Learning rates.
        dtype : float32 or float64
        """
        words, contexts = (aligned(rows, row_width(dim), dtype) for _ in "WC")
        lengths = np.zeros(rows, dtype), np.zeros(rows, dtype)
        state = cls(words, contexts, *lengths, place, dim, bias_scale(eta, bias_eta))
        state.clear()
        return state

    def clear(self) -> None:
        """Make something of rows of zeros that is a state: sums of 1, and the constants of rows that have a word."""
        has_word = np.zeros(len(self.words), np.bool_)
        has_word[self.place] = True
        step = max(1, _STEP_VALUES // self.words.shape[1])
        for number, (side, _, one) in enumerate(self._sides()):
            half = side.shape[1] // 2
            for first in range(0, len(side), step):
                rows = slice(first, first + step)
                side[rows, half:] = 1
                side[rows, one] = has_word[rows]
                side[rows, half + one] = _STILL[side.dtype.name]
                self.release(number)

    def release(self, side: int) -> None:
        """Let go of memory that isn't needed just now, where there is such.

        Parameters
        ----------
        side : int
            0 for words, 1 for contexts.
        """

    @classmethod
    def pack(
        cls, parameters: Sequence[Array], place: NDArray[np.int32], rows: int, *, eta: float, bias_eta: float
    ) -> State:
        """Lay out parameters.

        Parameters
        ----------
        parameters : sequence of arrays
            In the order of PARAMETERS: (V, d) twice, (V,) twice, and the sums of squares alike.
        place : int array (V,)
            Row of each word.
        rows : int
            Number of rows.
        eta, bias_eta : float
            Learning rates.
        """
        W, C, b_w, b_c, gradsq_W, gradsq_C, gradsq_b_w, gradsq_b_c = parameters
        state = cls.empty(place, rows, W.shape[1], eta=eta, bias_eta=bias_eta, dtype=W.dtype)
        ids = np.arange(len(place))
        state.put(0, ids, Rows(W, b_w, gradsq_W, gradsq_b_w))
        state.put(1, ids, Rows(C, b_c, gradsq_C, gradsq_b_c))
        return state

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays = (self.words, self.contexts, self.word_lengths, self.context_lengths)
        return sum(array.nbytes for array in arrays)

    def put(self, side: int, ids: NDArray[np.integer], rows: Rows) -> None:
        """Set the parameters of some words (side 0) or of some contexts (side 1).

        Parameters
        ----------
        side : int
        ids : int array (n,)
            Words.
        rows : Rows
        """
        array, bias, _ = self._sides()[side]
        half, d, at = array.shape[1] // 2, self.dim, self.place[ids]
        array[at, :d] = rows.vectors
        array[at, bias] = rows.biases
        array[at, half : half + d] = rows.gradsq
        array[at, half + bias] = (
            np.asarray(rows.gradsq_biases, np.float64) * self.bias_scale
            if self.bias_scale
            else _STILL[array.dtype.name]
        )
        self.measure(side, at)
        self.release(side)

    def take(self, side: int, ids: NDArray[np.integer]) -> Rows:
        """Return the parameters of some words (side 0) or of some contexts (side 1).

        Parameters
        ----------
        side : int
        ids : int array (n,)
            Words.

        Returns
        -------
        Rows
            The biases' sums of squares as float64, in which they come back to the last bit; 1 where biases don't move.
        """
        array, bias, _ = self._sides()[side]
        half, d, at = array.shape[1] // 2, self.dim, self.place[ids]
        sums = array[at, half + bias].astype(np.float64)
        gradsq_biases = sums / self.bias_scale if self.bias_scale else np.ones(len(at))
        rows = Rows(array[at, :d], array[at, bias], array[at, half : half + d], gradsq_biases)
        self.release(side)
        return rows

    def bias_sums(self, side: int) -> Array:
        """Return the sums of squares of the biases of words (side 0) or contexts (side 1) as they are kept, (V,).

        Parameters
        ----------
        side : int
        """
        array, bias, _ = self._sides()[side]
        return array[self.place, array.shape[1] // 2 + bias]

    def set_bias_sums(self, side: int, sums: Array) -> None:
        """Set what `bias_sums` returns.

        Parameters
        ----------
        side : int
        sums : array (V,)
        """
        array, bias, _ = self._sides()[side]
        array[self.place, array.shape[1] // 2 + bias] = sums

    def measure(self, side: int, at: Any = slice(None)) -> None:
        """Find the lengths of rows anew.

        Parameters
        ----------
        side : int
        at : index
            Which rows.
        """
        array = (self.words, self.contexts)[side]
        values = array[at, : array.shape[1] // 2]
        lengths = np.sqrt(np.einsum("rk,rk->r", values, values))
        # Rounded up: never less than the true length.
        (self.word_lengths, self.context_lengths)[side][at] = lengths * (1 + 1e-5)

    def unpack(self, parameters: Sequence[Array]) -> None:
        """Write the parameters back into arrays like those that were packed; what was not moved stays as it was."""
        ids = np.arange(len(self.place))
        W, C, b_w, b_c, gradsq_W, gradsq_C, gradsq_b_w, gradsq_b_c = parameters
        for side, arrays in enumerate(((W, b_w, gradsq_W, gradsq_b_w), (C, b_c, gradsq_C, gradsq_b_c))):
            rows = self.take(side, ids)
            for array, values in zip(arrays[:3], rows[:3], strict=True):
                array[:] = values
            if self.bias_scale:
                before = (arrays[3].astype(np.float64) * self.bias_scale).astype(self.words.dtype)
                moved = (rows.gradsq_biases * self.bias_scale).astype(self.words.dtype) != before
                arrays[3][moved] = rows.gradsq_biases[moved]

    def _sides(self) -> tuple[tuple[Array, int, int], tuple[Array, int, int]]:
        """Return, of words and of contexts, the array, the column of the bias and that of the constant."""
        d = self.dim
        return (self.words, d, d + 1), (self.contexts, d + 1, d)


def bias_scale(eta: float, bias_eta: float) -> float:
    """Return what a bias's sum of squares is multiplied by; 0 if biases don't move.

    Parameters
    ----------
    eta, bias_eta : float
        Learning rates.
    """
    return (eta / bias_eta) ** 2 if bias_eta else 0.0


def row_steps(n: int, dim: int) -> Iterator[NDArray[np.int64]]:
    """Yield the numbers below n in stretches, of as many rows as can be taken at once in a few MB.

    Parameters
    ----------
    n : int
    dim : int
    """
    step = max(1, _STEP_VALUES // dim)
    for first in range(0, n, step):
        yield np.arange(first, min(first + step, n))


def aligned(rows: int, width: int, dtype: DTypeLike) -> Array:
    """Return zeros whose rows begin at multiples of 64 bytes (the width of a row is one, with any LANES).

    Parameters
    ----------
    rows, width : int
    dtype : float32 or float64

    Returns
    -------
    float32 or float64 array (rows, width)
    """
    size = np.dtype(dtype).itemsize
    raw = np.zeros(rows * width * size + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + rows * width * size].view(dtype).reshape(rows, width)
