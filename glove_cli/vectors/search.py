"""Exact search: which rows of a matrix are nearest to some questions.

The matrix is gone through in blocks; a block's estimates are one product of matrices. What can be among the best, given
the error of an estimate, gets its exact key, which decides; of equal keys the row that stands first wins. So the result
doesn't depend on the size of a block, the number of questions at a time, or the library that multiplies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glove_cli.errors import OptionError
from glove_cli.vectors.names import COSINE, DOT, EUCLIDEAN, METRICS
from glove_cli.vectors.scores import Cosine, Dot, Euclidean, Lengths, Measure, exact_keys

if TYPE_CHECKING:
    from glove_cli.vectors.keyed import WordVectors

_QUESTIONS = 256  # at a time
_ESTIMATES = 1 << 20  # held at a time: 4 MiB, which stay in a cache
_KEPT = 1 << 20  # results held at a time
_MOST_ROWS = 1 << 16
_MEASURES: dict[str, Callable[[NDArray[Any], Lengths, NDArray[Any]], Measure]] = {
    COSINE: Cosine,
    DOT: Dot,
    EUCLIDEAN: Euclidean,
}


def nearest_rows(
    vectors: WordVectors, rows: ArrayLike, topn: int = 10, *, metric: str = COSINE, restrict: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the rows nearest to each of some rows, exactly.

    Parameters
    ----------
    vectors : WordVectors
        V words.
    rows : int array (n,)
        The rows asked for, from 0; a row is not its own neighbour.
    topn : int
        How many neighbours.
    metric : {"cosine", "dot", "euclidean"}
        The larger cosine or product, or the smaller distance, is nearer.
    restrict : int, optional
        Only the first so many rows can be neighbours.

    Returns
    -------
    neighbours : int64 array (n, k)
        Nearest first; of equally near ones the row that stands first. k is at most `topn`; where a row has fewer
        neighbours than another, -1 fills up.
    scores : float32 array (n, k)
        Their cosines, products or distances; NaN fills up.

    Raises
    ------
    OptionError
        If `topn`, `metric` or `restrict` can't be, or there is no such row.

    Notes
    -----
    Memory beside the result is bounded: about 100 MB, whatever n and V are.
    """
    rows = np.asarray(rows)
    V = len(vectors)
    if rows.ndim != 1 or (rows.size and (rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= V)):
        raise OptionError(f"rows: {rows.dtype} {rows.shape} are not row numbers below {V:,}. Give an array of these.")
    rows = rows.astype(np.int64)

    def measure(begin: int, end: int) -> Measure:
        return measure_of(metric)(vectors.matrix, vectors.lengths, vectors.matrix[rows[begin:end]])

    check_topn(topn)
    measure_of(metric)
    found, keys = search(vectors, measure, rows[:, np.newaxis], topn, restrict)
    return found, scores_of(metric, keys).astype(np.float32)


def search(
    vectors: WordVectors,
    measure: Callable[[int, int], Measure],
    excluded: Sequence[Sequence[int]] | NDArray[np.int64],
    topn: int,
    restrict: int | None = None,
    *,
    questions_at_a_time: int = _QUESTIONS,
    block_rows: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the best rows for n questions.

    Parameters
    ----------
    vectors : WordVectors
    measure : function of two ints
        Returns the measure of the questions from the first number to before the second.
    excluded : sequence of n sequences of int
        The rows that can't answer each question.
    topn : int
        How many rows.
    restrict : int, optional
        Only the first so many rows can answer.
    questions_at_a_time, block_rows : int
        What is worked on at a time; the result is the same.

    Returns
    -------
    rows : int64 array (n, k)
        Best first, -1 where there are no more.
    keys : float64 array (n, k)
        Their exact keys, NaN where there are no more.

    Raises
    ------
    OptionError
        If `topn` or `restrict` isn't positive.
    """
    check_topn(topn)
    check_restrict(restrict)
    limit = len(vectors) if restrict is None else min(restrict, len(vectors))
    n, width = len(excluded), min(topn, limit)
    found, keys = np.full((n, width), -1, np.int64), np.full((n, width), np.nan)
    step = max(1, min(questions_at_a_time, _KEPT // width))
    for begin in range(0, n, step):
        end = min(n, begin + step)
        pairs = [(question, row) for question, given in enumerate(excluded[begin:end]) for row in set(map(int, given))]
        block = block_rows or max(1, min(_MOST_ROWS, _ESTIMATES // (end - begin)))
        question, row, key = _best(
            measure(begin, end), vectors, np.array(pairs, np.int64).reshape(-1, 2), width, limit, block
        )
        place = np.arange(len(row)) - np.searchsorted(question, question)
        found[begin + question, place], keys[begin + question, place] = row, key
    filled = int((found >= 0).sum(axis=1).max(initial=0))
    return found[:, :filled], keys[:, :filled]


def measure_of(metric: str) -> Callable[[NDArray[Any], Lengths, NDArray[Any]], Measure]:
    """Return the measure with this name.

    Raises
    ------
    OptionError
        If there is none.
    """
    if metric not in _MEASURES:
        raise OptionError(f"--metric: {metric!r} is no measure. Choose {', '.join(METRICS)}.")
    return _MEASURES[metric]


def scores_of(metric: str, keys: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a user calls near or far from keys: distances have no minus."""
    return np.abs(keys) if metric == EUCLIDEAN else keys


def check_topn(topn: int) -> None:
    """Refuse a number of words that isn't positive.

    Raises
    ------
    OptionError
    """
    _check_positive("--topn", topn)


def check_restrict(restrict: int | None) -> None:
    """Refuse a part of the vocabulary that isn't positive.

    Raises
    ------
    OptionError
    """
    if restrict is not None:
        _check_positive("--restrict", restrict)


def _check_positive(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise OptionError(f"{name}: {value!r} is not a positive integer. Give 1 or more.")


def _best(
    measure: Measure, vectors: WordVectors, excluded: NDArray[np.int64], topn: int, limit: int, block: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return question, row and key of the best rows: by question, then by falling key, then by row."""
    question, row, key = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    worst = np.full(measure.n, -np.inf)  # key of the last of the best, where there are as many as asked for
    for begin in range(0, limit, block):
        end = min(limit, begin + block)
        with np.errstate(all="ignore"):  # odd rows may overflow; their estimates aren't used
            estimates, errors = measure.estimate(begin, end)
        out = excluded[(excluded[:, 1] >= begin) & (excluded[:, 1] < end)]
        odd = vectors.lengths.odd
        odd = odd[np.searchsorted(odd, begin) : np.searchsorted(odd, end)] - begin
        estimates[:, odd] = -np.inf
        if np.ndim(errors) == 2:
            errors[:, odd] = 0
        estimates[out[:, 0], out[:, 1] - begin] = -np.inf
        least = measure.least(worst)
        fresh = np.flatnonzero(worst == -np.inf)
        if len(fresh) and topn <= end - begin:
            surely = (estimates if len(fresh) == measure.n else estimates[fresh]) - _rows_of(errors, fresh)
            least[fresh] = np.partition(surely, end - begin - topn, axis=1)[:, end - begin - topn]
        estimates += errors
        estimates[:, odd] = np.inf
        estimates[out[:, 0], out[:, 1] - begin] = np.nan  # which is never at least anything
        hits = np.flatnonzero(estimates >= least[:, np.newaxis])
        if not len(hits):
            continue
        new_question, new_row = np.divmod(hits, end - begin)
        new_row += begin
        new_key = exact_keys(measure, new_question, new_row, vectors.dim)
        question = np.concatenate((question, new_question))
        row = np.concatenate((row, new_row))
        key = np.concatenate((key, new_key))
        order = np.lexsort((row, -key, question))
        question, row, key = question[order], row[order], key[order]
        first = np.searchsorted(question, np.arange(measure.n))
        kept = np.arange(len(question)) - first[question] < topn
        question, row, key = question[kept], row[kept], key[kept]
        last = np.searchsorted(question, np.arange(measure.n), side="right") - 1
        counts = np.bincount(question, minlength=measure.n)
        full = counts == topn
        worst[full] = key[last[full]]
    return question, row, key


def _rows_of(errors: Any, chosen: NDArray[np.int64]) -> Any:
    """Return the errors of some questions, where each has its own."""
    return errors[chosen] if np.ndim(errors) == 2 else errors
