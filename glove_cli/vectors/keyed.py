"""Words and their vectors: look one up, find the nearest ones, answer an analogy, find the one that doesn't fit.

Search is exact, and ties are decided by the order of the words; see `glove_cli.vectors.search`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError, UnknownWordError
from glove_cli.vectors.names import ADD, COSINE, METHODS
from glove_cli.vectors.scores import Cosine, Lengths, Measure, Product, scaled
from glove_cli.vectors.search import measure_of, scores_of, search
from glove_cli.vectors.spelling import similar_words
from glove_cli.vocab import word_to_bytes

_BLOCK_ROWS = 1 << 14


class Neighbour(NamedTuple):
    """A word and how near its vector is: the cosine with what was asked for, or another measure that was asked for."""

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
        object.__setattr__(self, "matrix", np.asanyarray(self.matrix))
        if self.matrix.dtype.kind not in "fiu":
            raise FormatError(f"vectors: are {self.matrix.dtype}. Give real numbers.")
        if self.matrix.ndim != 2 or len(self.words) != len(self.matrix) or not self.matrix.shape[1]:
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
            unit[begin : begin + _BLOCK_ROWS] = scaled(self.matrix[begin : begin + _BLOCK_ROWS])
        return unit

    @cached_property
    def lengths(self) -> Lengths:
        """Lengths of the vectors."""
        return Lengths.of(self.matrix)

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

    def nearest(
        self,
        query: str | NDArray[Any],
        topn: int = 10,
        *,
        metric: str = COSINE,
        restrict: int | None = None,
    ) -> list[Neighbour]:
        """Find the words whose vectors are nearest.

        Parameters
        ----------
        query : str or float array (d,)
            A word, which isn't its own neighbour, or a vector.
        topn : int
            How many words.
        metric : {"cosine", "dot", "euclidean"}
            What is near: a large cosine, a large dot product, or a small distance.
        restrict : int, optional
            Only the first so many words, the most frequent ones, can be found.

        Returns
        -------
        list of Neighbour
            Nearest first; of equally near ones the word that stands first.

        Raises
        ------
        UnknownWordError
            If the word has no vector.
        OptionError
            If `topn` or `restrict` isn't positive, there is no such metric, or the vector has another length.
        """
        return self.nearest_many([query], topn, metric=metric, restrict=restrict)[0]

    def nearest_many(
        self,
        queries: Sequence[str | NDArray[Any]],
        topn: int = 10,
        *,
        metric: str = COSINE,
        restrict: int | None = None,
    ) -> list[list[Neighbour]]:
        """Find the words nearest to each of many words or vectors, much faster than one after the other.

        Parameters
        ----------
        queries : sequence of str or float array (d,)
        topn : int
            How many words for each.
        metric : {"cosine", "dot", "euclidean"}
            See `nearest`.
        restrict : int, optional
            Only the first so many words, the most frequent ones, can be found.

        Returns
        -------
        list of list of Neighbour
            For each query what `nearest` returns for it.

        Raises
        ------
        UnknownWordError, OptionError
            As `nearest`.
        """
        rows = [self.row(query) if isinstance(query, str) else -1 for query in queries]
        targets = np.empty((len(rows), self.dim))
        for number, (row, query) in enumerate(zip(rows, queries, strict=True)):
            targets[number] = self.matrix[row] if row >= 0 else self.check_query(query)
        measure = measure_of(metric)
        return self._search(
            lambda begin, end: measure(self.matrix, self.lengths, targets[begin:end]),
            [[row] if row >= 0 else [] for row in rows],
            topn,
            restrict,
            metric,
        )

    def analogy(
        self, a: str, b: str, c: str, topn: int = 10, *, method: str = ADD, restrict: int | None = None
    ) -> list[Neighbour]:
        """Answer "a is to b as c is to ...": the words nearest to b - a + c.

        Parameters
        ----------
        a, b, c : str
            "france", "paris" and "italy" ask for paris - france + italy.
        topn : int
            How many words.
        method : {"add", "mul"}
            3CosAdd or 3CosMul; see `most_similar`.
        restrict : int, optional
            Only the first so many words, the most frequent ones, can answer.

        Returns
        -------
        list of Neighbour
            By falling score, without the three given words.

        Raises
        ------
        UnknownWordError
            If a word has no vector.
        OptionError
            If `topn` or `restrict` isn't positive, or there is no such method.
        """
        return self.analogies([(a, b, c)], topn, method=method, restrict=restrict)[0]

    def analogies(
        self,
        questions: Sequence[tuple[str, str, str]],
        topn: int = 10,
        *,
        method: str = ADD,
        restrict: int | None = None,
    ) -> list[list[Neighbour]]:
        """Answer many analogies, much faster than one after the other.

        Parameters
        ----------
        questions : sequence of (str, str, str)
            a, b and c of each.
        topn : int
            How many words for each.
        method : {"add", "mul"}
            3CosAdd or 3CosMul; see `most_similar`.
        restrict : int, optional
            Only the first so many words, the most frequent ones, can answer.

        Returns
        -------
        list of list of Neighbour
            For each question what `analogy` returns for it.

        Raises
        ------
        UnknownWordError, OptionError
            As `analogy`.
        """
        rows = np.array([[self.row(word) for word in question] for question in questions], np.int64).reshape(-1, 3)
        return self._combined(rows[:, [1, 2]], rows[:, [0]], topn, method, restrict)

    def most_similar(
        self,
        positive: str | Sequence[str],
        negative: str | Sequence[str] = (),
        topn: int = 10,
        *,
        method: str = ADD,
        restrict: int | None = None,
    ) -> list[Neighbour]:
        """Find the words most similar to some words, and least similar to others.

        Parameters
        ----------
        positive, negative : str or sequence of str
            ["paris", "italy"] and ["france"] ask for paris + italy - france. At least one is positive.
        topn : int
            How many words.
        method : {"add", "mul"}
            "add" looks for the largest cosine with the sum of the positive less the negative vectors, all of length 1
            (3CosAdd); "mul" for the largest product of cosines with the positive ones over that with the negative ones
            (3CosMul).
        restrict : int, optional
            Only the first so many words, the most frequent ones, can be found.

        Returns
        -------
        list of Neighbour
            By falling score, without the given words.

        Raises
        ------
        UnknownWordError
            If a word has no vector.
        OptionError
            If no word is positive, `topn` or `restrict` isn't positive, or there is no such method.

        Notes
        -----
        3CosAdd: Mikolov, Yih and Zweig 2013, "Linguistic Regularities in Continuous Space Word Representations".
        3CosMul: Levy and Goldberg 2014, "Linguistic Regularities in Sparse and Explicit Word Representations",
        equation 4, with cosines shifted to 0 ... 1 and 0.001 added to the divisor (gensim adds 0.000001).
        """
        given = [[words] if isinstance(words, str) else list(words) for words in (positive, negative)]
        if not given[0]:
            raise OptionError("positive: no word is given. Give at least one.")
        plus, minus = (np.array([self.row(word) for word in words], np.int64)[np.newaxis] for words in given)
        return self._combined(plus, minus, topn, method, restrict)[0]

    def similarity(self, a: str, b: str, *, metric: str = COSINE) -> float:
        """Return how near two words are.

        Parameters
        ----------
        a, b : str
        metric : {"cosine", "dot", "euclidean"}
            Their cosine, dot product or distance.

        Returns
        -------
        float
            The cosine with a vector of zeros is 0.

        Raises
        ------
        UnknownWordError
            If a word has no vector.
        OptionError
            If there is no such metric.
        """
        rows = np.array([self.row(a), self.row(b)])
        pair = self.matrix[rows]
        key = measure_of(metric)(pair, Lengths.of(pair), pair[1:]).keys(np.array([0]), np.array([0]))
        return float(scores_of(metric, key)[0])

    def odd_one_out(self, words: Sequence[str]) -> list[Neighbour]:
        """Find the word that doesn't go with the others.

        Parameters
        ----------
        words : sequence of str
            At least three different words.

        Returns
        -------
        list of Neighbour
            Each word and its cosine with the mean of all, by rising cosine: the first one is the odd one. Of equal
            ones, that which was given first comes first.

        Raises
        ------
        UnknownWordError
            If a word has no vector.
        OptionError
            If there are fewer than three words, or one is given twice.

        Notes
        -----
        The rule of gensim's `doesnt_match`: the mean is that of the vectors of all words, scaled to length 1.
        """
        words = list(words)
        if len(words) < 3:
            raise OptionError(f"words: {len(words)} given, with which none can be the odd one. Give three or more.")
        repeated = next((word for word in words if words.count(word) > 1), None)
        if repeated is not None:
            raise OptionError(f"{repeated}: is given twice. Give different words.")
        unit = scaled(self.matrix[[self.row(word) for word in words]])
        cosines = (unit * scaled(unit.mean(axis=0, keepdims=True))).sum(axis=1)
        return [Neighbour(words[k], float(cosines[k])) for k in np.argsort(cosines, kind="stable")]

    def suggestions(self, word: str) -> list[str]:
        """Return up to three known words that look like `word`: in another case first, then of similar letters."""
        found = similar_words(word, self.words, self.index)
        return [word_to_bytes(w).decode("utf-8", "backslashreplace") for w in found]

    def without_direction(self, words: Sequence[str]) -> list[str]:
        """Return those of some known words whose vectors are all zeros, so that their cosines are 0 by definition."""
        return [word for word in dict.fromkeys(words) if not self.matrix[self.row(word)].any()]

    def check_query(self, query: Any) -> NDArray[np.float64]:
        """Return a vector that is asked for as float64 (d,).

        Raises
        ------
        OptionError
            If it has another length.
        """
        vector = np.asarray(query, np.float64)
        if vector.shape != (self.dim,):
            raise OptionError(
                f"query: has shape {vector.shape}, the vectors have {self.dim} numbers. Give one of these."
            )
        return vector

    def _combined(
        self, positive: NDArray[np.int64], negative: NDArray[np.int64], topn: int, method: str, restrict: int | None
    ) -> list[list[Neighbour]]:
        """Answer n questions of p positive and q negative rows, (n, p) and (n, q)."""
        if method not in METHODS:
            raise OptionError(f"--method: {method!r} is no method. Choose {' or '.join(METHODS)}.")

        def measure(begin: int, end: int) -> Measure:
            plus, minus = (
                scaled(self.matrix[rows[begin:end].ravel()]).reshape(end - begin, -1, self.dim)
                for rows in (positive, negative)
            )
            if method == ADD:
                return Cosine(self.matrix, self.lengths, plus.sum(axis=1) - minus.sum(axis=1))
            return Product(self.matrix, self.lengths, plus, minus)

        return self._search(measure, np.hstack((positive, negative)), topn, restrict, COSINE)

    def _search(
        self, measure: Any, excluded: Any, topn: int, restrict: int | None, metric: str
    ) -> list[list[Neighbour]]:
        rows, keys = search(self, measure, excluded, topn, restrict)
        scores = scores_of(metric, keys)
        return [
            [Neighbour(self.words[row], score) for row, score in zip(*pair, strict=True) if row >= 0]
            for pair in zip(rows.tolist(), scores.tolist(), strict=True)
        ]
