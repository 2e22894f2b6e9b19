"""The rows to be written: an array, or rows of a model that are put together block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError
from glove_cli.model import Floats, GloveModel
from glove_cli.vectors.names import KINDS

RAREST = 100
_BLOCK_VALUES = 1 << 20


@dataclass(frozen=True, eq=False)
class ModelRows:
    """The vectors of a model as one matrix, of which any stretch can be asked for.

    Attributes
    ----------
    model : GloveModel
    kind : {"sum", "word", "context", "concat"}
        W + C, W, C, or both side by side.
    unk : bool
        Whether a last row follows: the mean of the rarest words' rows, 100 of them at most.
    """

    model: GloveModel
    kind: str = "sum"
    unk: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"--vectors: {self.kind!r} is not one of {', '.join(KINDS)}. Choose one of them.")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.model.vocab) + self.unk, self.model.dim * (2 if self.kind == "concat" else 1)

    def __getitem__(self, key: slice) -> NDArray[np.float64]:
        """Return a stretch of rows as float64, in which a sum loses nothing that six decimals show."""
        V = len(self.model.vocab)
        begin, end, _ = key.indices(self.shape[0])
        rows = slice(begin, min(end, V))
        result = self._combine(self.model.W[rows], self.model.C[rows])
        if end > V:
            result = np.concatenate((result, self._combine(mean_of_rarest(self.model.W), mean_of_rarest(self.model.C))))
        return result

    def _combine(self, W: NDArray[Any], C: NDArray[Any]) -> NDArray[np.float64]:
        if self.kind == "sum":
            return np.add(W, C, dtype=np.float64)
        if self.kind == "concat":
            return np.concatenate((W, C), axis=1, dtype=np.float64)
        return np.asarray(W if self.kind == "word" else C, np.float64)


Rows = ModelRows | NDArray[np.float32] | NDArray[np.float64]


def blocks(rows: Rows, name: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Return the stretches (begin, end) in which rows are written, about a million values each.

    Raises
    ------
    FormatError
        If there aren't as many words as rows. `name` is what the error calls them.
    """
    n, d = rows.shape
    if n != len(words):
        raise FormatError(f"{name}: {len(words):,} words but {n:,} vectors. Give one vector a word.")
    step = max(1, _BLOCK_VALUES // max(1, d))
    return [(begin, min(begin + step, n)) for begin in range(0, n, step)]


def finite_block(rows: Rows, begin: int, end: int, name: str, words: Sequence[str]) -> NDArray[Any]:
    """Return a stretch of rows.

    Raises
    ------
    FormatError
        If one of its values isn't finite. `name` is what the error calls the whole.
    """
    block = np.ascontiguousarray(rows[begin:end])
    finite = np.isfinite(block).all(axis=1)
    if not finite.all():
        word = words[begin + int(np.argmin(finite))]
        raise FormatError(f"{name}: the vector of {word!r} isn't finite. Train again with a smaller --eta.")
    return block


def mean_of_rarest(matrix: Floats) -> NDArray[np.float64]:
    """Return the mean row (1, d) of the last (rarest) words, added in the reference's order.

    Parameters
    ----------
    matrix : float array (V, d)
    """
    last = np.asarray(matrix[-RAREST:], np.float64)
    total = np.zeros((1, matrix.shape[1]))
    for row in last:
        total += row / len(last)
    return total
