"""Words and their vectors: look one up, find the nearest ones, answer an analogy.

Search is exact. Scores come from one pass in float32; the few best are computed again in float64, so that equal
vectors get equal scores, and ties are decided by the order of the words.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError, UnknownWordError
from glove_cli.vocab import word_to_bytes

_BLOCK_ROWS = 1 << 14
_MAX_SUGGESTIONS = 3


class Neighbour(NamedTuple):
    """A word and the cosine of its vector with the one asked for."""

    word: str
    similarity: float


@dataclass(frozen=True, eq=False)
class WordVectors:
    """V words with a vector of d numbers each.

    Attributes
    ----------
    words : sequence of str, length V
        Word of each row, all different.
    matrix : float32 array (V, d)
        The vectors.
    """

    words: Sequence[str]
    matrix: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or len(self.words) != len(self.matrix):
            raise FormatError(
                f"vectors: {len(self.words):,} words, but an array of shape {self.matrix.shape}. Give one row a word."
            )

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __getitem__(self, word: str) -> NDArray[np.float32]:
        """Return the vector of a word."""
        return self.matrix[self.row(word)]

    @property
    def dim(self) -> int:
        """Number of dimensions, d."""
        return int(self.matrix.shape[1])

    @cached_property
    def index(self) -> dict[str, int]:
        """Row of each word."""
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def unit_rows(self) -> NDArray[np.float32]:
        """The vectors scaled to length 1, float32 (V, d); a vector of zeros stays one."""
        unit = np.empty(self.matrix.shape, np.float32)
        for begin in range(0, len(unit), _BLOCK_ROWS):
            unit[begin : begin + _BLOCK_ROWS] = _scaled(self.matrix[begin : begin + _BLOCK_ROWS])
        return unit

    def row(self, word: str) -> int:
        """Return the row of a word.

        Raises
        ------
        UnknownWordError
            If there is no such word; the message suggests some that look like it.
        """
        found = self.index.get(word)
        if found is None:
            similar = self.suggestions(word)
            advice = (
                f"Did you mean {' or '.join(similar)}?" if similar else "Words are stored as the corpus wrote them."
            )
            raise UnknownWordError(f"{word}: is not among the {len(self):,} words. {advice}")
        return found

    def nearest(self, query: str | NDArray[Any], topn: int = 10) -> list[Neighbour]:
        """Find the words whose vectors point most nearly in the same direction.

        Parameters
        ----------
        query : str or float array (d,)
            A word, which isn't its own neighbour, or a vector.
        topn : int
            How many words.

        Returns
        -------
        list of Neighbour
            By falling cosine; of equal ones the word that stands first.

        Raises
        ------
        UnknownWordError
            If the word has no vector.
        OptionError
            If `topn` isn't positive, or the vector has another length.
        """
        if isinstance(query, str):
            row = self.row(query)
            return self._best(np.asarray(self.matrix[row], np.float64), topn, {row})
        vector = np.asarray(query, np.float64)
        if vector.shape != (self.dim,):
            raise OptionError(
                f"query: has shape {vector.shape}, the vectors have {self.dim} numbers. Give one of these."
            )
        return self._best(vector, topn, set())

    def analogy(self, a: str, b: str, c: str, topn: int = 10) -> list[Neighbour]:
        """Answer "a is to b as c is to ...": the words nearest to b - a + c.

        Parameters
        ----------
        a, b, c : str
            "france", "paris" and "italy" ask for paris - france + italy.
        topn : int
            How many words.

        Returns
        -------
        list of Neighbour
            By falling cosine, without the three given words.

        Raises
        ------
        UnknownWordError
            If a word has no vector.
        OptionError
            If `topn` isn't positive.

        Notes
        -----
        3CosAdd (Mikolov, Yih and Zweig 2013): all vectors have length 1 before they are added.
        """
        given = [self.row(word) for word in (a, b, c)]
        unit_a, unit_b, unit_c = _scaled(self.matrix[given])
        return self._best(unit_b - unit_a + unit_c, topn, set(given))

    def suggestions(self, word: str) -> list[str]:
        """Return up to three known words that look like `word`: in another case first, then of similar letters."""
        other_case = [w for w in dict.fromkeys((word.lower(), word.capitalize(), word.upper())) if w in self.index]
        folded, first = word.lower(), word[:1].lower()
        near = (
            w for w in self.words if abs(len(w) - len(word)) <= 2 and (w[:1].lower() == first or w[1:3] == word[1:3])
        )
        close = difflib.get_close_matches(folded, dict.fromkeys(near), n=_MAX_SUGGESTIONS, cutoff=0.7)
        found = [w for w in dict.fromkeys((*other_case, *close)) if w != word]
        return [word_to_bytes(w).decode("utf-8", "backslashreplace") for w in found[:_MAX_SUGGESTIONS]]

    def _best(self, query: NDArray[np.float64], topn: int, excluded: Iterable[int]) -> list[Neighbour]:
        """Return the rows of largest cosine with `query`."""
        if isinstance(topn, bool) or not isinstance(topn, int) or topn < 1:
            raise OptionError(f"--topn: {topn!r} is not a positive integer. Give 1 or more.")
        target = _scaled(query[np.newaxis])[0]
        scores = self.unit_rows @ target.astype(np.float32)
        excluded = list(excluded)
        scores[excluded] = -np.inf
        topn = min(topn, len(scores) - len(excluded))
        if topn < 1:
            return []
        # A float32 score is off by less than d / 2**23, so the true best are among those near the worst of the best.
        least = np.partition(scores, len(scores) - topn)[len(scores) - topn] - 2 * self.dim * 2.0**-23
        rows = np.flatnonzero(scores >= least)
        exact = (_scaled(self.matrix[rows]) * target).sum(axis=1)
        order = np.lexsort((rows, -exact))[:topn]
        return [Neighbour(self.words[rows[i]], float(exact[i])) for i in order]


def _scaled(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return rows scaled to length 1 in float64; rows of zeros stay zero."""
    rows = np.asarray(rows, np.float64)
    norms = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
