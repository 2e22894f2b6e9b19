"""Which words a picture shows: the most frequent ones, those named, those of pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from glove_cli.errors import OptionError
from glove_cli.plots.fonts import label_of
from glove_cli.plots.projection import LEAST_WORDS
from glove_cli.vectors.keyed import WordVectors

TOP = 200
MOST_WORDS = 10_000
_NAMED = 5
_LEAST_PAIRS = 2


class Choice(NamedTuple):
    """The words of a picture.

    Attributes
    ----------
    rows : list of int
        Row of each word, all different.
    pairs : list of (int, int)
        Pairs of words, as places in `rows`.
    notes : list of str
        What was left out, and why.
    """

    rows: list[int]
    pairs: list[tuple[int, int]]
    notes: list[str]


def choose_words(
    vectors: WordVectors,
    words: Sequence[str] | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    *,
    top: int | None = None,
    skip: int | None = None,
    unknown: str = "error",
) -> Choice:
    """Choose the words of a picture.

    Parameters
    ----------
    vectors : WordVectors
        Most frequent words first.
    words : sequence of str, optional
        The words; the most frequent ones unless these or `pairs` are given.
    pairs : sequence of (str, str), optional
        Pairs of words, which are shown, too. Those with an unknown word are left out.
    top : int, optional
        How many of the most frequent words; 200 unless given.
    skip : int, optional
        How many of the most frequent words are left out before them.
    unknown : {"error", "skip"}
        Whether an unknown word among `words` is refused or left out.

    Returns
    -------
    Choice

    Raises
    ------
    UnknownWordError
        If a word is unknown and `unknown` is `error`.
    OptionError
        If a number can't be, `top` or `skip` are given with words, or what is left is too little.
    """
    notes: list[str] = []
    if words is None and pairs is None:
        rows = _most_frequent(vectors, TOP if top is None else top, skip or 0, top is not None, notes)
    else:
        for name, value in (("--top", top), ("--skip", skip)):
            if value is not None:
                raise OptionError(f"{name}: {value} goes with the most frequent words, but others are named. Drop one.")
        kept = known_pairs(vectors, pairs, notes) if pairs is not None else []
        rows = [vectors.index[word] for word in dict.fromkeys(word for pair in kept for word in pair)]
        rows = list(dict.fromkeys((*rows, *_named(vectors, words or (), unknown, notes))))
    usable = np.abs(vectors.matrix[rows]).max(axis=1, initial=0.0)
    empty = [row for row, largest in zip(rows, usable, strict=True) if not (0 < largest < np.inf)]
    if empty:
        notes.append(
            f"{_of(len(empty), len(rows), 'word')} left out, of zeros or numbers that aren't finite: "
            f"{listed(vectors.words[row] for row in empty)}."
        )
        rows = [row for row in rows if row not in set(empty)]
    if len(rows) < LEAST_WORDS:
        some = f"{len(rows)} of them" if rows else "none"
        left = f" ({notes[-1].removesuffix('.')})" if empty else ""
        raise OptionError(f"words: {some}{left}, but a picture needs {LEAST_WORDS} or more. Name more words.")
    if len(rows) > MOST_WORDS:
        raise OptionError(f"words: {len(rows):,} are more than a picture can show. Choose {MOST_WORDS:,} or fewer.")
    place = {row: number for number, row in enumerate(rows)}
    drawn = [(vectors.index[a], vectors.index[b]) for a, b in kept] if pairs is not None else []
    return Choice(rows, [(place[a], place[b]) for a, b in drawn if a in place and b in place], notes)


def listed(words: Iterable[str]) -> str:
    """Return some words, and how many more there are.

    Parameters
    ----------
    words : iterable of str
    """
    words = list(words)
    text = ", ".join(map(label_of, words[:_NAMED]))
    return text if len(words) <= _NAMED else f"{text} and {len(words) - _NAMED:,} more"


def _most_frequent(vectors: WordVectors, top: int, skip: int, given: bool, notes: list[str]) -> list[int]:
    for name, value, least in (("--top", top, 1), ("--skip", skip, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise OptionError(f"{name}: {value!r} is not an integer of {least} or more. Give one.")
    if skip >= len(vectors):
        raise OptionError(f"--skip: {skip:,} leaves none of the {len(vectors):,} words. Skip fewer.")
    rows = list(range(skip, min(skip + top, len(vectors))))
    if given and len(rows) < top:
        notes.append(f"There are {len(rows):,} words, fewer than the {top:,} asked for: all of them are used.")
    return rows


def _named(vectors: WordVectors, words: Sequence[str], unknown: str, notes: list[str]) -> list[int]:
    """Return the rows of words that were named, each once."""
    if isinstance(words, str):
        raise OptionError(f"words: {words!r} is one text. Give a list of words.")
    different = list(dict.fromkeys(words))
    if len(different) < len(words):
        times = "time" if len(words) - len(different) == 1 else "times"
        notes.append(f"Words were named again {len(words) - len(different):,} {times}; each is drawn once.")
    if unknown == "error":
        return [vectors.row(word) for word in different]
    strange = [word for word in different if word not in vectors.index]
    if strange:
        notes.append(f"{_of(len(strange), len(different), 'word')} left out, unknown: {_guesses(vectors, strange)}.")
    return [vectors.index[word] for word in different if word in vectors.index]


def known_pairs(vectors: WordVectors, pairs: Sequence[tuple[str, str]], notes: list[str]) -> list[tuple[str, str]]:
    """Return the pairs of which both words are known.

    Parameters
    ----------
    vectors : WordVectors
    pairs : sequence of (str, str)
    notes : list of str
        Is told what is left out.

    Returns
    -------
    list of (str, str)

    Raises
    ------
    OptionError
        If fewer than two are left.
    """
    kept = [(a, b) for a, b in pairs if a in vectors.index and b in vectors.index]
    if len(kept) < len(pairs):
        strange = dict.fromkeys(word for pair in pairs for word in pair if word not in vectors.index)
        what = (
            f"{_of(len(pairs) - len(kept), len(pairs), 'pair')} left out, unknown: {_guesses(vectors, list(strange))}."
        )
        if len(kept) < _LEAST_PAIRS:
            raise OptionError(
                f"--pairs: {what} {len(kept)} left, {_LEAST_PAIRS} are needed. Name words that are known."
            )
        notes.append(what)
    if len(kept) < _LEAST_PAIRS:
        raise OptionError(f"--pairs: {len(kept)} pair, but {_LEAST_PAIRS} or more are needed. Name more.")
    return kept


def _guesses(vectors: WordVectors, words: Sequence[str]) -> str:
    """Return some unknown words, each with what it may have been meant for."""
    texts = []
    for word in words[:_NAMED]:
        similar = vectors.suggestions(word)
        texts.append(label_of(word) + (f" (did you mean {similar[0]}?)" if similar else ""))
    more = f" and {len(words) - _NAMED:,} more" if len(words) > _NAMED else ""
    return ", ".join(texts) + more


def _of(number: int, total: int, what: str) -> str:
    return f"{number:,} of {total:,} {what}s"
