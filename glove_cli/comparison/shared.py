"""The words that several sets of vectors share, and why another word is not among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError, UnknownWordError
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.names import UNK

LEAST_WORDS = 20

Counts = NDArray[np.int64] | None


class SharedWords:
    """The words that are in all of some sets of vectors, are frequent enough, and have a direction in each.

    Attributes
    ----------
    vectors : tuple of m WordVectors
        Of the n shared words alone, in the order of the first set.
    rows : int64 array (m, n)
        Row of each word in each set.
    counts : tuple of m int64 arrays (n,) or None
        How often each word occurs, where that is known.
    restrict : int or None
        Of how many first words of each set they are.
    total, rare, zeros : int
        Number of words in all sets; of those left out because they are too rare, or have a vector of zeros.
    """

    def __init__(
        self,
        vectors: Sequence[WordVectors],
        counts: Sequence[Counts],
        names: Sequence[str],
        *,
        min_count: int,
        restrict: int | None = None,
    ) -> None:
        self._sources, self._counts, self._names = tuple(vectors), tuple(counts), tuple(names)
        self._min_count, self.restrict = min_count, restrict
        words = [word for word in vectors[0].words if all(word in other.index for other in vectors[1:])]
        if UNK in words and any(given is None for given in counts):
            words.remove(UNK)  # what `glove export` and other programs add to a file, for all words they lack
        self.total = len(words)
        rows = np.array([[source.index[word] for word in words] for source in vectors], np.int64)
        enough = np.ones(self.total, bool)
        for own, given in zip(rows, counts, strict=True):
            if restrict is not None:
                enough &= own < restrict
            if given is not None:
                enough &= given[own] >= min_count
        directed = np.ones(self.total, bool)
        for name, source, own in zip(names, vectors, rows, strict=True):
            directed &= _have_direction(source.matrix, own, enough, name, words)
        self.rare = int(np.count_nonzero(~enough))
        self.zeros = int(np.count_nonzero(enough & ~directed))
        kept = np.flatnonzero(enough & directed)
        chosen = [words[place] for place in kept]
        self.rows = rows[:, kept]
        self.vectors = tuple(
            WordVectors(chosen, source.matrix[own]) for source, own in zip(vectors, self.rows, strict=True)
        )
        self.counts = tuple(
            given[own] if given is not None else None for own, given in zip(self.rows, counts, strict=True)
        )

    def __len__(self) -> int:
        return len(self.vectors[0])

    @property
    def words(self) -> Sequence[str]:
        """The n words."""
        return self.vectors[0].words

    def check_number(self, *, aligned: bool) -> None:
        """Refuse too few words.

        Parameters
        ----------
        aligned : bool
            Whether the vectors are to be turned onto each other, which takes as many words as they have dimensions.

        Raises
        ------
        OptionError
        """
        least = max(LEAST_WORDS, self.vectors[0].dim) if aligned else LEAST_WORDS
        if len(self) >= least:
            return
        sizes = ", ".join(
            f"{name} has {len(source):,}" for name, source in zip(self._names, self._sources, strict=True)
        )
        left = [f"{self.rare:,} too rare"] * bool(self.rare) + [f"{self.zeros:,} vectors of zeros"] * bool(self.zeros)
        why = f" ({', '.join(left)})" if left else ""
        of = f" of {self.total:,} shared ones" if left else ""
        limit = "a smaller --min-count" if self.restrict is None else "a smaller --min-count, a larger --restrict"
        advice = f"Give {limit}, or models of more text." if self.rare else "Give models that share more words."
        need = f"{least:,} are needed" + (f" for vectors of {least:,} numbers" if least > LEAST_WORDS else "")
        raise OptionError(f"words: {len(self):,}{of}{why} can be compared, but {need}; {sizes}. {advice}")

    def find(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return the places of words among the shared ones.

        Parameters
        ----------
        words : sequence of str

        Returns
        -------
        int64 array

        Raises
        ------
        UnknownWordError
            If one is not compared; the message says where it is missing, or what else is the matter.
        """
        for word in words:
            if word not in self.vectors[0].index:
                raise UnknownWordError(f"{word}: {self._reason(word)}")
        return np.array([self.vectors[0].index[word] for word in words], np.int64)

    def _reason(self, word: str) -> str:
        missing = [n for n, source in zip(self._names, self._sources, strict=True) if word not in source.index]
        if missing:
            there = [n for n in self._names if n not in missing]
            where = f"is in {' and '.join(there)}, but not in" if there else "is not in"
            sources = [source for source in self._sources if word not in source.index]
            similar = next((found for source in sources if (found := source.suggestions(word))), None)
            advice = f"Did you mean {' or '.join(similar)}?" if similar else "Name a word that all have."
            return f"{where} {' or '.join(missing)}. {advice}"
        for name, source, given in zip(self._names, self._sources, self._counts, strict=True):
            row = source.index[word]
            if self.restrict is not None and row >= self.restrict:
                return f"is word {row + 1:,} of {name}, beyond --restrict {self.restrict:,}. Give a larger --restrict."
            if given is not None and given[row] < self._min_count:
                return (
                    f"occurs {given[row]:,} times in {name}, less than --min-count {self._min_count:,}. Give a smaller "
                    "--min-count."
                )
        return "has a vector of zeros, so it has no direction. Leave it out."


def _have_direction(
    matrix: NDArray[Any], rows: NDArray[np.int64], asked: NDArray[np.bool_], name: str, words: Sequence[str]
) -> NDArray[np.bool_]:
    """Return which of some rows are not all zeros; those not asked for count as such that aren't.

    Raises
    ------
    FormatError
        If a number isn't finite.
    """
    result = np.ones(len(rows), bool)
    step = 1 << 14
    for begin in range(0, len(rows), step):
        block = matrix[rows[begin : begin + step]]
        result[begin : begin + step] = block.any(axis=1)
        broken = ~np.isfinite(block).all(axis=1) & asked[begin : begin + step]
        if broken.any():
            word = words[begin + int(np.argmax(broken))]
            raise FormatError(f"{name}: the vector of {word!r} isn't finite. Leave this word out.")
    return result
