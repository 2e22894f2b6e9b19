"""Parameters as the kernel wants them: one aligned row a word, words of a block next to each other.

A row is `[values | sums]`, each half padded with zeros to whole registers:

    word      values = (w, b_w, 1)      context      values = (c, 1, b_c)

so that the product of two rows is w . c + b_w + b_c. Two tricks let one rule update all of it:

- The constant 1 has a sum of squares so large that no step moves it, and that no step changes.
- A bias b is to move by bias_eta f diff / sqrt(G), G growing by (bias_eta f diff)^2; the rule has eta in both places.
  With G' = (eta / bias_eta)^2 G in place of G both are the same: eta f diff / sqrt(G') is the wanted step, and G' grows
  by (eta f diff)^2 when G grows by (bias_eta f diff)^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glove_cli.training.kernels import LANES

PARAMETERS = ("W", "C", "b_w", "b_c", "gradsq_W", "gradsq_C", "gradsq_b_w", "gradsq_b_c")
_STILL = np.float32(1e30)  # a sum of squares that stops all movement
_ALIGNMENT = 64  # bytes


def row_width(dim: int) -> int:
    """Return how many float32 a word's state takes."""
    return 2 * (-(-(dim + 2) // LANES) * LANES)


@dataclass(frozen=True)
class State:
    """The parameters of all words and contexts during training.

    Attributes
    ----------
    words, contexts : float32 arrays (rows, row_width(dim))
        Rows that belong to no word hold zeros and sums of 1.
    place : int array (V,)
        Row of each word.
    dim : int
    bias_scale : float
        What a bias's sum of squares is multiplied by in here; 0 if biases don't move.
    """

    words: NDArray[np.float32]
    contexts: NDArray[np.float32]
    place: NDArray[np.int32]
    dim: int
    bias_scale: float

    @classmethod
    def pack(
        cls,
        parameters: Sequence[NDArray[np.float32]],
        place: NDArray[np.int32],
        rows: int,
        *,
        eta: float,
        bias_eta: float,
    ) -> State:
        """Lay out parameters.

        Parameters
        ----------
        parameters : sequence of float32 arrays
            In the order of PARAMETERS: (V, d) twice, (V,) twice, and the sums of squares alike.
        place : int array (V,)
            Row of each word.
        rows : int
            Number of rows.
        eta, bias_eta : float
            Learning rates.
        """
        W, C, b_w, b_c, gradsq_W, gradsq_C, gradsq_b_w, gradsq_b_c = parameters
        d = W.shape[1]
        scale = (eta / bias_eta) ** 2 if bias_eta else 0.0
        words, contexts = (_aligned(rows, row_width(d)) for _ in "WC")
        sides = ((words, W, b_w, gradsq_W, gradsq_b_w, d), (contexts, C, b_c, gradsq_C, gradsq_b_c, d + 1))
        for side, vectors, biases, gradsq, gradsq_b, bias in sides:
            half = side.shape[1] // 2
            one = 2 * d + 1 - bias
            side[:, half:] = 1
            side[place, :d] = vectors
            side[place, bias] = biases
            side[place, one] = 1
            side[place, half : half + d] = gradsq
            side[place, half + bias] = gradsq_b * np.float32(scale) if bias_eta else _STILL
            side[:, half + one] = _STILL
        return cls(words, contexts, place, d, scale)

    def unpack(self, parameters: Sequence[NDArray[np.float32]]) -> None:
        """Write the parameters back into the arrays that were packed."""
        W, C, b_w, b_c, gradsq_W, gradsq_C, gradsq_b_w, gradsq_b_c = parameters
        d, place = self.dim, self.place
        sides = ((self.words, W, b_w, gradsq_W, gradsq_b_w, d), (self.contexts, C, b_c, gradsq_C, gradsq_b_c, d + 1))
        for side, vectors, biases, gradsq, gradsq_b, bias in sides:
            half = side.shape[1] // 2
            vectors[:] = side[place, :d]
            gradsq[:] = side[place, half : half + d]
            biases[:] = side[place, bias]
            if self.bias_scale:
                scale = np.float32(self.bias_scale)
                sums = side[place, half + bias]
                moved = sums != gradsq_b * scale  # the others would come back rounded
                gradsq_b[moved] = sums[moved] / scale


def _aligned(rows: int, width: int) -> NDArray[np.float32]:
    """Return zeros whose rows begin at multiples of 64 bytes (the width of a row is one, with any LANES)."""
    raw = np.zeros(rows * width * 4 + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + rows * width * 4].view(np.float32).reshape(rows, width)
