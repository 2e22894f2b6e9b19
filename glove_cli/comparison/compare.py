"""Comparing two sets of word vectors: which words have other neighbours in one than in the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glove_cli.comparison.chance import chances
from glove_cli.comparison.names import MIN_COUNT, NEIGHBOURS
from glove_cli.comparison.overlap import shares_kept
from glove_cli.comparison.result import Comparison
from glove_cli.comparison.rotation import cosines_between, rotation_between
from glove_cli.comparison.shared import Counts, SharedWords
from glove_cli.errors import OptionError
from glove_cli.parallel import Progress
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.search import check_restrict

NAMES = ("A", "B", "the control")


def compare(
    a: WordVectors,
    b: WordVectors,
    *,
    words: Sequence[str] | None = None,
    control: WordVectors | None = None,
    counts: Sequence[Counts] = (),
    min_count: int | None = None,
    restrict: int | None = None,
    neighbours: int = NEIGHBOURS,
    names: Sequence[str] = NAMES,
    progress: Progress | None = None,
) -> Comparison:
    """Compare the vectors of two corpora, word by word.

    Parameters
    ----------
    a, b : WordVectors
        Vectors of the two corpora, most frequent words first.
    words : sequence of str, optional
        The words to compare; all shared ones unless given.
    control : WordVectors, optional
        Other vectors of text like that of `a`: what differs between `a` and these is chance. Those of another part of
        the text show all of it, those of another seed only that of training, which is much less.
    counts : sequence of int64 arrays (V,) or None
        How often each word of `a`, of `b` and of `control` occurs; None where that isn't known.
    min_count : int, optional
        Words that occur less often in any of them, where that is known, are left out, also as neighbours; 100 unless
        given.
    restrict : int, optional
        Only the first so many words of each, the most frequent ones, are compared.
    neighbours : int
        How many neighbours of each word are looked at, k.
    names : sequence of str
        What messages call the vectors.
    progress : callable, optional
        Called with ("comparing", words done, words, "word").

    Returns
    -------
    Comparison

    Raises
    ------
    OptionError
        If an option's value can't be, or too few words are shared.
    UnknownWordError
        If one of `words` is not compared: it is missing somewhere, too rare, or a vector of zeros.
    FormatError
        If a number of a shared word's vector isn't finite.

    Notes
    -----
    For each word: the share of its k nearest neighbours among the shared words that is the same in both (Gonen et al.
    2020), and the cosine of its two vectors after a rotation that brings all shared words nearest to each other
    (Hamilton et al. 2016). The first needs no rotation, and also compares vectors of different numbers of dimensions;
    then there are no cosines. With a control, `chance` says how many words of similar frequency kept as little there.

    Examples
    --------
    >>> compare(load_vectors("a.txt"), load_vectors("b.txt")).changes(limit=10)  # doctest: +SKIP
    """
    vectors = [a, b] + ([control] if control is not None else [])
    for name, source in zip(("a", "b", "control"), vectors, strict=False):
        if not isinstance(source, WordVectors):
            raise OptionError(
                f"{name}: is a {type(source).__name__}. Give vectors, as load_vectors or select_vectors returns them."
            )
    try:
        counts = [None if given is None else np.asarray(given) for given in counts]
    except (TypeError, ValueError) as error:
        raise OptionError(f"counts: {error}. Give an array of integers for each of the vectors, or None.") from error
    counts = [*counts, None, None, None][: len(vectors)]
    check_options(min_count, restrict, neighbours)
    if isinstance(words, str):
        raise OptionError(f"words: {words!r} is one text. Give a list of words.")
    least = _check_counts(vectors, counts, min_count)
    names = [*names, *NAMES[len(names) :]][: len(vectors)]
    aligned = a.dim == b.dim
    shared = SharedWords(vectors, counts, names, min_count=least, restrict=restrict)
    n = len(shared)
    chosen = np.arange(n) if words is None else shared.find(list(dict.fromkeys(words)))
    shared.check_number(aligned=aligned)
    if neighbours >= n:
        raise OptionError(f"--neighbours: {neighbours} of {n:,} words: there must be fewer. Give a smaller number.")
    first, *others = shared.vectors
    report = progress or (lambda *step: None)
    every = np.arange(n) if control is not None else chosen
    kept = shares_kept(first, others, every, neighbours, lambda done: report("comparing", done, len(every), "word"))
    rotation = rotation_between(first.matrix, others[0].matrix) if aligned else None
    cosine = cosines_between(first.matrix[chosen], others[0].matrix[chosen], rotation) if rotation is not None else None
    chance = None
    if control is not None:
        frequency, control_frequency = _frequencies(shared)
        chance = chances(kept[0, chosen], frequency[chosen], kept[1], control_frequency)
    return Comparison(
        words=[shared.words[row] for row in chosen],
        rows=chosen,
        kept=kept[0, chosen] if control is not None else kept[0],
        kept_in_control=kept[1, chosen] if control is not None else None,
        chance=chance,
        cosine=cosine,
        rotation=rotation,
        neighbours=neighbours,
        min_count=least if any(given is not None for given in counts) else None,
        shared=shared,
    )


def check_options(
    min_count: int | None = None,
    restrict: int | None = None,
    neighbours: int = NEIGHBOURS,
    limit: int | None = None,
) -> None:
    """Refuse, before any work, numbers that can't be.

    Parameters
    ----------
    min_count, restrict, neighbours
        As `compare` takes them.
    limit : int, optional
        As `Comparison.changes` takes it.

    Raises
    ------
    OptionError
    """
    for name, value in (("--min-count", min_count), ("--neighbours", neighbours), ("--limit", limit)):
        wrong = isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1
        if wrong and (value is not None or name == "--neighbours"):
            raise OptionError(f"{name}: {value!r} is not a positive integer. Give 1 or more.")
    check_restrict(restrict)


def _check_counts(vectors: Sequence[WordVectors], counts: Sequence[Counts], min_count: int | None) -> int:
    """Refuse counts that don't fit the words; return the least count of a word."""
    for source, given in zip(vectors, counts, strict=True):
        if given is not None and (
            given.shape != (len(source),) or given.dtype.kind not in "iu" or given.min(initial=0) < 0
        ):
            raise OptionError(
                f"counts: are {given.dtype.name} of the shape {given.shape}, but there are {len(source):,} words. Give "
                "a number from 0 on for each."
            )
    if min_count is not None and all(given is None for given in counts):
        raise OptionError("--min-count: files of vectors have no counts of words. Give --restrict instead.")
    return MIN_COUNT if min_count is None else int(min_count)


def _frequencies(shared: SharedWords) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how often each word occurs in A or B, where it is rarer, and in A or the control; or its rank in A."""
    in_a, in_b, in_control = shared.counts
    if in_a is None or in_b is None or in_control is None:
        rank = -np.arange(len(shared), dtype=np.int64)
        return rank, rank
    return np.minimum(in_a, in_b), np.minimum(in_a, in_control)
