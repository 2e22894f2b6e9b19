"""Find the word that answers each analogy question: one product of matrices for many questions at once.

Scores come from float32 products. Where the two best of a question lie closer than such a product is exact, they are
computed again in float64; so an answer is that of float64 arithmetic, at the speed of float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.evaluation.protocols import Protocol, Spellings
from glove_cli.evaluation.questions import unit_in_float64

NO_ANSWER = -1
_QUESTIONS = 512  # of a block
_WORDS = 1 << 13  # of a block: 16 MiB of scores, which stay in the cache while the best are looked for
_GENSIM_LOOKS_AT = 5


def answer(
    vectors: NDArray[Any],
    unit: NDArray[np.float32],
    given: NDArray[np.int64],
    spellings: Spellings,
    rules: Protocol,
    *,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.int64]:
    """Return the row that answers each question.

    Parameters
    ----------
    vectors : float array (V, d)
        The vectors as they were given.
    unit : float32 array (V, d)
        The same, scaled to length 1.
    given : int64 array (n, 3)
        Rows of the words a, b, c of each question.
    spellings : Spellings
    rules : Protocol
    progress : callable, optional
        Told how many questions are done.

    Returns
    -------
    answers : int64 array (n,)
        The first of the rows with the largest cosine to b - a + c; `NO_ANSWER` where no row can answer.
    """
    answers = np.full(len(given), NO_ANSWER, np.int64)
    # Two scores closer than this could change places in float32: unit rows and their product are both rounded.
    least = np.float32(8 * (unit.shape[1] + 4) * 2.0**-24)
    scores = np.empty(_QUESTIONS * _WORDS, np.float32)
    for start in range(0, len(given), _QUESTIONS):
        some = given[start : start + _QUESTIONS]
        variants = (
            [spellings.others.get(row, []) for row in some.ravel().tolist()] if rules.exclude_same_spelling else []
        )
        excluded = _excluded(some, variants, spellings.barred)
        best, rows, gap = _best_two(unit, _targets(unit, some), excluded, scores)
        if rules.positive_only:
            gap = np.minimum(gap, np.abs(best))
        found = np.where(np.isneginf(best), NO_ANSWER, rows)
        for k in np.flatnonzero(gap <= least).tolist():
            found[k] = _exact(
                vectors, unit, some[k], excluded[1][excluded[0] == k], best[k] - least, rules.positive_only
            )
        if rules.positive_only:
            found[best < -least] = NO_ANSWER
        for k in range(len(some)) if any(variants) else ():
            others = sorted({row for group in variants[3 * k : 3 * k + 3] for row in group} - set(some[k].tolist()))
            if len(others) >= _GENSIM_LOOKS_AT:
                found[k] = _of_five(vectors, some[k], others, int(found[k]))
        answers[start : start + len(some)] = found
        if progress is not None:
            progress(start + len(some))
    return answers


def _targets(unit: NDArray[np.float32], given: NDArray[np.int64]) -> NDArray[np.float32]:
    a, b, c = given.T
    return unit[b] - unit[a] + unit[c]


def _excluded(
    given: NDArray[np.int64], variants: Sequence[Sequence[int]], barred: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of question and row, the rows that can't answer it, by rising row."""
    questions, rows = np.repeat(np.arange(len(given)), 3), given.ravel()
    more = [(k // 3, row) for k, group in enumerate(variants) for row in group]
    more += [(k, row) for row in barred for k in range(len(given))]
    if more:
        questions = np.concatenate([questions, [k for k, _ in more]])
        rows = np.concatenate([rows, [row for _, row in more]])
    order = np.argsort(rows, kind="stable")
    return questions[order], rows[order]


def _best_two(
    unit: NDArray[np.float32],
    targets: NDArray[np.float32],
    excluded: tuple[NDArray[np.int64], NDArray[np.int64]],
    buffer: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Return the best score of each question, its row, and how far the second best is below it."""
    n = len(targets)
    which = np.arange(n)
    best = np.full(n, -np.inf, np.float32)
    second = best.copy()
    rows = np.zeros(n, np.int64)
    for begin in range(0, len(unit), _WORDS):
        block = unit[begin : begin + _WORDS]
        scores = np.matmul(targets, block.T, out=buffer[: n * len(block)].reshape(n, len(block)))
        some = slice(*np.searchsorted(excluded[1], [begin, begin + len(block)]))
        scores[excluded[0][some], excluded[1][some] - begin] = -np.inf
        row = scores.argmax(axis=1)
        top = scores[which, row]
        scores[which, row] = -np.inf
        second = np.maximum(np.maximum(second, scores.max(axis=1)), np.minimum(best, top))
        better = top > best
        best[better], rows[better] = top[better], row[better] + begin
    with np.errstate(invalid="ignore"):
        gap = np.where(np.isneginf(best), np.inf, best - second).astype(np.float32)
    return best, rows, gap


def _exact(
    vectors: NDArray[Any],
    unit: NDArray[np.float32],
    given: NDArray[np.int64],
    excluded: NDArray[np.int64],
    least: np.float32,
    positive_only: bool,
) -> int:
    """Return the answer to one question in float64, among the rows whose float32 score is at least `least`."""
    scores = unit @ _targets(unit, given[np.newaxis])[0]
    scores[excluded] = -np.inf
    rows = np.flatnonzero(scores >= least)
    exact = _float64_scores(vectors, given, rows)
    best = int(exact.argmax())
    return NO_ANSWER if positive_only and exact[best] <= 0 else int(rows[best])


def _of_five(vectors: NDArray[Any], given: NDArray[np.int64], others: list[int], found: int) -> int:
    """Return gensim's answer where five rows or more are spelled like the given words: its fifth row, if all are."""
    scores = _float64_scores(vectors, given, np.array([*others, found]) if found != NO_ANSWER else np.array(others))
    order = sorted(range(len(others)), key=lambda k: (-scores[k], others[k]))
    fifth = order[_GENSIM_LOOKS_AT - 1]
    seen = found != NO_ANSWER and scores[-1] > scores[fifth]
    return found if seen else others[fifth]


def _float64_scores(vectors: NDArray[Any], given: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the products of some rows with b - a + c, all of length 1, in float64.

    Equal rows get equal scores: each is a sum of its own, not one of a product of matrices.
    """
    a, b, c = unit_in_float64(vectors[given])
    return (unit_in_float64(vectors[rows]) * (b - a + c)).sum(axis=1)
