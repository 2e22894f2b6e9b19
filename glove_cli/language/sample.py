"""Text drawn from n-gram models, as lectures show it: order by order it looks more like what it was learned from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus.config import positive
from glove_cli.corpus.sources import CorpusLike
from glove_cli.language.config import checked_orders, checked_seed
from glove_cli.language.ngrams import KneserNey, NgramCounts
from glove_cli.language.text import read_text
from glove_cli.parallel import Progress

ORDERS = (1, 2, 3, 4)
WORDS = 50


class Sample(NamedTuple):
    """Text drawn from a model of one order: its lines, each a list of words."""

    order: int
    lines: list[list[str]]


def sample_text(
    corpus: CorpusLike,
    *,
    orders: int | Iterable[int] = ORDERS,
    words: int = WORDS,
    seed: int = 1,
    min_count: int = 1,
    max_vocab: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> list[Sample]:
    """Draw text from n-gram models of a corpus, with Kneser-Ney smoothing.

    Parameters
    ----------
    corpus : path-like, binary file, or an iterable of these
        As in `build_cooc`. A line is a sentence.
    orders : int or iterable of int
        Orders of the models, from 1 to 5.
    words : int
        How many words to draw of each.
    seed : int
        The same seed draws the same words, bit for bit.
    min_count : int
        Words that occur less often are never drawn.
    max_vocab : int, optional
        Only so many words, the most frequent ones, can be drawn.
    threads : int, optional
        Threads that read. The result doesn't depend on it.
    progress : callable, optional
        Called with ("reading", bytes done, bytes in all or None, "B").
    **options
        The fields of `TextConfig`, without `document`.

    Returns
    -------
    list of Sample
        One of each order.

    Raises
    ------
    OptionError
        If an option's value cannot work.
    CorpusError
        If the corpus can't be read, or is shorter than an order.

    Notes
    -----
    Each word is drawn from the model's distribution after the words before it in its line, without <unk>, and without
    the end of a line where one has just begun.
    """
    chosen, words, seed = checked_orders("--order", orders), positive("--words", words), checked_seed("--seed", seed)
    text, names = read_text(
        corpus, min_count=min_count, max_vocab=max_vocab, threads=threads, progress=progress, **options
    )
    table = NgramCounts.of(text, max(chosen))
    return [Sample(order, _lines(KneserNey.of(table, order), names, words, seed)) for order in chosen]


def _lines(model: KneserNey, names: Sequence[str], words: int, seed: int) -> list[list[str]]:
    """Draw words from a model until there are enough."""
    V, rng = len(names), np.random.default_rng(seed)
    lines: list[list[int]] = [[]]
    for _ in range(words):
        while (drawn := _draw(model.distribution(lines[-1]), V, not lines[-1], rng.random())) == V:
            lines.append([])
        lines[-1].append(drawn)
    return [[names[i] for i in line] for line in lines]


def _draw(p: NDArray[np.float64], V: int, begins: bool, at: float) -> int:
    """Return the outcome at a place from 0 to 1 of a distribution."""
    sums = np.cumsum(p[:V] if begins else p[: V + 1])
    return int(np.searchsorted(sums, at * sums[-1], side="right").clip(max=len(sums) - 1))
