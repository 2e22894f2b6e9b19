"""N-gram models with interpolated Kneser-Ney smoothing, as sorted tables of numbers.

An n-gram of order m is the pair (its first m - 1 words, its last word). The first m - 1 words have a number in the
table of order m - 1, so that an n-gram of any order is one integer, a table is a sorted array, and to look up all
n-grams of a text is one binary search for each order and token, done for the whole text at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import CorpusError
from glove_cli.language.config import checked_orders
from glove_cli.language.text import Text
from glove_cli.memory import allowed_memory, in_words, used_memory

_BYTES_A_TOKEN = 52  # and order, at most, while n-grams are counted
_Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NgramCounts:
    """All n-grams of a text, up to an order.

    Attributes
    ----------
    V : int
        Words; an id of V is the end of a line, V + 1 is <unk>, and V + 2 is the mark before a piece's beginning.
    keys : list of int64 arrays
        For each order m from 1, the n-grams: S * (number among those of order m - 1) + (id of the last word),
        ascending, with S = V + 3. Those of order 1 are the ids.
    counts : list of int64 arrays
        How often each occurs; 0 for the mark alone.
    continuations : list of int64 arrays
        Before how many different words each occurs, N1+(. w); for one that begins with the mark, how often it occurs.
    """

    V: int
    keys: list[_Ids]
    counts: list[_Ids]
    continuations: list[_Ids]

    @property
    def S(self) -> int:
        """Ids in all."""
        return self.V + 3

    @classmethod
    def of(cls, text: Text, order: int) -> NgramCounts:
        """Count.

        Parameters
        ----------
        text : Text
        order : int
            The highest one, from 1 to 5.

        Raises
        ------
        CorpusError
            If the text is shorter than the order, or takes more memory than there is.
        """
        (order,) = checked_orders("--order", order)
        if len(text) < order:
            raise CorpusError(f"--order: {order} tokens are more than the {len(text)} of the text. Give a longer text.")
        needed, allowed = len(text) * order * _BYTES_A_TOKEN, max(0, allowed_memory() - used_memory())
        if needed > allowed:
            raise CorpusError(
                f"--order: n-grams up to {order} of {len(text):,} tokens take {in_words(needed)} of memory, there "
                f"are {in_words(allowed)}. Give a shorter text, or a smaller order."
            )
        S, ids, begins = text.V + 3, *marked(text)
        keys: list[_Ids] = [np.arange(S, dtype=np.int64)]
        numbers = ids
        every, firsts = [numbers], [np.arange(S)]
        for m in range(2, order + 1):
            inside = np.arange(len(ids)) - begins >= m - 1
            made = np.full(len(ids), -1, np.int64)
            found, first, inverse = np.unique(
                numbers[np.flatnonzero(inside) - 1] * S + ids[inside], return_index=True, return_inverse=True
            )
            made[inside] = inverse.reshape(-1)
            keys.append(found)
            firsts.append(np.flatnonzero(inside)[first])
            numbers = made
            every.append(numbers)
        counts = [np.bincount(at[at >= 0], minlength=len(k)) for at, k in zip(every, keys, strict=True)]
        counts[0][-1] = 0
        continuations = []
        at_begin = np.arange(len(ids)) - begins
        for m in range(1, order + 1):
            if m == order:
                continuations.append(np.zeros(len(keys[-1]), np.int64))
                break
            longer = every[m - 1][firsts[m]]  # the last m words of each different n-gram of order m + 1
            before = np.bincount(longer, minlength=len(keys[m - 1]))
            marks = np.unique(every[m - 1][at_begin == m - 1]) if m > 1 else np.array([S - 1])
            before[marks] = counts[m - 1][marks]
            continuations.append(before)
        return cls(text.V, keys, counts, continuations)

    def numbers(self, text: Text, order: int) -> list[_Ids]:
        """Look up the n-grams that end at each token.

        Parameters
        ----------
        text : Text
            Of the same vocabulary.
        order : int

        Returns
        -------
        list of int64 arrays (N + P,)
            For each order m, the number of the n-gram of order m, or -1 if there is none; for the tokens and the marks
            before the pieces.
        """
        ids, begins = marked(text)
        inside = np.arange(len(ids)) - begins
        every = [ids]
        for m in range(2, order + 1):
            shorter = np.concatenate(([-1], every[-1][:-1]))
            every.append(np.where(inside >= m - 1, find(self.keys[m - 1], shorter, ids, self.S), -1))
        return every


@dataclass(frozen=True, eq=False)
class KneserNey:
    """An n-gram model with interpolated Kneser-Ney smoothing.

    Attributes
    ----------
    order : int
        n.
    table : NgramCounts
    discounts : tuple of float
        D of each order, from 1.
    values : list of int64 arrays
        The count of each n-gram that its order works with.
    sums, types : list of int64 arrays
        For each order m and each context (n-gram of order m - 1): the sum of these counts, and how many are positive.

    Notes
    -----
    With h' for h without its first word, interpolated as in Chen and Goodman (1999, section 3):

    p(w | h) = max(c(hw) - D, 0) / c(h .) + D N1+(h .) / c(h .) p(w | h')

    c is how often hw occurs at the highest order, and the number of different words before hw at lower ones (Kneser and
    Ney 1995); for an n-gram that begins a line, which has no word before it, how often it occurs, as in KenLM. Each
    order has one discount D = n1 / (n1 + 2 n2), where n1 and n2 n-grams have a count of 1 and 2; it is 1/2 where either
    is 0 and the estimate says nothing. Below the lowest order stands the uniform distribution over the V words, the end
    of a line, and <unk>, so that no word has a probability of 0.
    """

    order: int
    table: NgramCounts
    discounts: tuple[float, ...]
    values: list[_Ids]
    sums: list[_Ids]
    types: list[_Ids]

    @classmethod
    def of(cls, table: NgramCounts, order: int) -> KneserNey:
        """Make a model of counts.

        Parameters
        ----------
        table : NgramCounts
        order : int
            At most that of the counts.
        """
        values = [*table.continuations[: order - 1], table.counts[order - 1]]
        discounts, sums, types = [], [], []
        for m, value in enumerate(values):
            once, twice = int((value == 1).sum()), int((value == 2).sum())
            discounts.append(once / (once + 2 * twice) if once and twice else 0.5)
            contexts = table.keys[m] // table.S
            size = len(table.keys[m - 1]) if m else 1
            sums.append(np.bincount(contexts, value, minlength=size).astype(np.int64))
            types.append(np.bincount(contexts, value > 0, minlength=size).astype(np.int64))
        return cls(order, table, tuple(discounts), values, sums, types)

    @classmethod
    def train(cls, text: Text, order: int) -> KneserNey:
        """Make a model of a text.

        Parameters
        ----------
        text : Text
        order : int
            From 1 to 5.

        Raises
        ------
        OptionError
            If the order is another one.
        CorpusError
            If the text is shorter than the order.
        """
        return cls.of(NgramCounts.of(text, order), order)

    def probabilities(self, text: Text) -> NDArray[np.float64]:
        """Return the probability of each token of a text, given those before it in its piece.

        Parameters
        ----------
        text : Text
            Of the same vocabulary.

        Returns
        -------
        float64 array (N,)
        """
        every = self.table.numbers(text, self.order)
        ids = every[0]
        p = np.full(len(ids), 1.0 / (self.table.V + 2))
        for m in range(self.order):
            context = np.concatenate(([-1], every[m - 1][:-1])) if m else np.zeros(len(ids), np.int64)
            p = self._step(m, context, every[m], p)
        return p[ids != self.table.S - 1]

    def distribution(self, context: Sequence[int]) -> NDArray[np.float64]:
        """Return the probability of each outcome after a context.

        Parameters
        ----------
        context : sequence of int
            The ids since the beginning of the line; only the last n - 1 of them, and the mark before them, count.

        Returns
        -------
        float64 array (V + 2,)
            Of the V words, the end of a line, and <unk>.
        """
        S = self.table.S
        given = [S - 1, *context][max(0, len(context) + 2 - self.order) :]
        p = np.full(S - 1, 1.0 / (S - 1))
        ids = np.arange(S - 1)
        for m in range(min(self.order, len(given) + 1)):
            number = self._number(given[len(given) - m :]) if m else 0
            if number < 0:
                break
            at = np.full(S - 1, number)
            p = self._step(m, at, find(self.table.keys[m], at, ids, S), p)
        return p

    def _number(self, ids: Sequence[int]) -> int:
        """Return the number of an n-gram, or -1."""
        number = ids[0]
        for m, word in enumerate(ids[1:], 1):
            number = int(find(self.table.keys[m], np.array([number]), np.array([word]), self.table.S)[0])
            if number < 0:
                break
        return number

    def _step(self, m: int, contexts: _Ids, numbers: _Ids, p: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probabilities of order m + 1, for those of order m; these where a context was never seen."""
        if not len(self.values[m]):  # no line is so long
            return p
        seen = contexts >= 0
        total = np.where(seen, self.sums[m][contexts], 0)
        seen &= total > 0
        D = self.discounts[m]
        count = np.where(numbers >= 0, self.values[m][numbers], 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mixed = (np.maximum(count - D, 0.0) + D * self.types[m][contexts] * p) / total
        return np.where(seen, mixed, p)


def marked(text: Text) -> tuple[_Ids, _Ids]:
    """Return the ids of a text with a mark before each piece, and for each of them the place of its piece's mark.

    Parameters
    ----------
    text : Text
    """
    ids = np.insert(text.ids.astype(np.int64), text.starts[:-1], text.V + 2)
    places = text.starts[:-1] + np.arange(text.pieces)
    return ids, np.repeat(places, np.diff(text.starts) + 1)


def find(keys: _Ids, contexts: _Ids, words: _Ids, S: int) -> _Ids:
    """Return the number of each n-gram in a table, or -1 if it isn't there.

    Parameters
    ----------
    keys : int64 array
        Ascending.
    contexts, words : int64 array (N,)
        Numbers of the n-grams without their last words, or -1; the last words.
    S : int
        Ids in all.
    """
    wanted = np.where(contexts >= 0, contexts * S + words, -1)
    if not len(keys):
        return np.full(wanted.shape, -1, np.int64)
    places = np.searchsorted(keys, wanted)
    there = keys[np.minimum(places, len(keys) - 1)] == wanted
    return np.where(there, places, -1)


def perplexity(probabilities: NDArray[np.float64]) -> float:
    """Return exp of the mean of -log p.

    Parameters
    ----------
    probabilities : float array (N,)
    """
    return float(np.exp(-np.log(probabilities).mean()))
