"""A penalty that keeps vectors near given ones (Dingwall and Potts 2018, "Mittens").

The objective becomes

    J + mu sum over known words i of ||w_i + c_i - r_i||^2

Its gradient is 2 mu (w_i + c_i - r_i), for w_i and c_i alike; the factor 2 is left out, as with the entries. The tile
(b, b) holds both vectors of the words of block b; after its entries the penalty takes one step by AdaGrad, an implicit
one: with s = w + c - r after the step,

    a_w = mu eta / sqrt(G_w)      s = (w + c - r) / (1 + a_w + a_c)
    w -= a_w s                    G_w += (mu eta s)^2              and the same for the context

For a small mu that is the usual step; a large one puts w + c at r and can't overshoot. What the entries that come after
move stays until the next epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.training.config import TrainConfig
from glove_cli.training.start import Start
from glove_cli.training.state import State, row_steps


@dataclass(frozen=True)
class Anchor:
    """The vectors that words are held to.

    Attributes
    ----------
    vectors : float array (rows, d)
        r, in the order of the state's rows.
    known : bool array (rows,)
        Which rows have one.
    strength : float
        mu.
    """

    vectors: NDArray[Any]
    known: NDArray[np.bool_]
    strength: float

    @classmethod
    def of(cls, start: Start, words: Sequence[str], state: State, config: TrainConfig) -> Anchor:
        """Return the anchor of a training that starts from some vectors.

        Parameters
        ----------
        start : Start
        words : sequence of str (V,)
            The words of the state.
        state : State
        config : TrainConfig
        """
        ids, rows = start.known(words, config)
        at = state.place[ids]
        vectors = np.zeros((len(state.words), state.dim), state.words.dtype)
        known = np.zeros(len(state.words), np.bool_)
        known[at] = True
        for part in row_steps(len(at), state.dim):
            vectors[at[part]] = start.sums(rows[part])
        return cls(vectors, known, config.anchor_strength)

    def pull(self, state: State, first: int, last: int, eta: float) -> None:
        """Take a step for the rows first <= row < last.

        Parameters
        ----------
        state : State
        first, last : int
        eta : float
            Learning rate.
        """
        rows = first + np.flatnonzero(self.known[first:last])
        if not rows.size:
            return
        d, half = state.dim, state.words.shape[1] // 2
        number = state.words.dtype.type
        rate = number(self.strength * eta)
        w, c = state.words[rows, :d], state.contexts[rows, :d]
        sums_w, sums_c = state.words[rows, half : half + d], state.contexts[rows, half : half + d]
        a_w, a_c = rate / np.sqrt(sums_w), rate / np.sqrt(sums_c)
        s = (w + c - self.vectors[rows]) / (1 + a_w + a_c)
        state.words[rows, :d] = w - a_w * s
        state.contexts[rows, :d] = c - a_c * s
        grown = np.square(rate * s)
        state.words[rows, half : half + d] = sums_w + grown
        state.contexts[rows, half : half + d] = sums_c + grown
        for side in (0, 1):
            state.measure(side, rows)
