"""How sure a score is, and whether one model's is really better: intervals by the bootstrap, and paired tests.

All random numbers come from a seed, so the same scores give the same intervals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.evaluation.analogies import RIGHT, UNKNOWN, AnalogyScore, QuestionScore
from glove_cli.evaluation.similarity import SimilarityScore, spearman

RESAMPLES = 1000
_PERCENTILES = (2.5, 97.5)
_BLOCK_VALUES = 1 << 20


class Interval(NamedTuple):
    """The limits between which 95 % of the resampled scores lie."""

    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """How much better one model is than another, on what both could be asked.

    Attributes
    ----------
    difference : float
        Score of the first minus that of the second; NaN if nothing could be compared.
    interval : Interval or None
        Its 95 % interval by the bootstrap; None without resamples, or if nothing could be compared.
    p : float
        How likely a difference as large as this one would be if both were equally good (two-sided).
    n : int
        Questions, or pairs, that both knew.
    test : str
        How p was found.
    """

    difference: float
    interval: Interval | None
    p: float
    n: int
    test: str


def accuracy_interval(score: QuestionScore, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval | None:
    """Return the interval of an accuracy.

    Parameters
    ----------
    score : QuestionScore
    resamples : int
        How often the questions are drawn again.
    seed : int

    Returns
    -------
    Interval or None
        None if no question was counted, or without resamples.

    Notes
    -----
    Percentile bootstrap (Efron and Tibshirani 1993, chapter 13): of n questions drawn with replacement from n, of which
    k are right, the number of right ones is binomial with n and k/n.
    """
    if not score.seen or not resamples:
        return None
    rng = np.random.default_rng(seed)
    return _interval(rng.binomial(score.seen, score.accuracy, resamples) / score.seen)


def macro_interval(score: AnalogyScore, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval | None:
    """Return the interval of the mean over categories; questions are drawn again within each.

    Parameters
    ----------
    score : AnalogyScore
    resamples : int
    seed : int

    Returns
    -------
    Interval or None
        None if no question was counted, or without resamples.
    """
    seen = [category for category in score.categories if category.seen]
    if not seen or not resamples:
        return None
    rng = np.random.default_rng(seed)
    drawn = [rng.binomial(category.seen, category.accuracy, resamples) / category.seen for category in seen]
    return _interval(np.mean(drawn, axis=0))


def rho_interval(score: SimilarityScore, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval | None:
    """Return the interval of a rank correlation; pairs are drawn again.

    Parameters
    ----------
    score : SimilarityScore
    resamples : int
    seed : int

    Returns
    -------
    Interval or None
        None if rho is not a number, or without resamples.
    """
    if np.isnan(score.rho) or not resamples:
        return None
    known = ~np.isnan(score.cosines)
    drawn = []
    for counts in _draws(int(known.sum()), resamples, seed):
        drawn.append(_rhos(_ranks(score.cosines[known], counts), _ranks(score.people[known], counts), counts))
    return _interval(np.concatenate(drawn))


def compare_analogies(
    first: AnalogyScore, second: AnalogyScore, *, resamples: int = RESAMPLES, seed: int = 0
) -> Difference:
    """Compare two models by the questions whose words both knew.

    Parameters
    ----------
    first, second : AnalogyScore
        Of the same questions.
    resamples : int
    seed : int

    Returns
    -------
    Difference
        Of their total accuracies on these questions.

    Notes
    -----
    McNemar's exact test: of the questions that only one of the two answered right, each is as likely to be the one's as
    the other's if they are equally good (`scipy.stats.binomtest`).
    """
    from scipy.stats import binomtest

    a, b = np.concatenate(first.outcomes), np.concatenate(second.outcomes)
    both = (a != UNKNOWN) & (b != UNKNOWN)
    right_a, right_b = a[both] == RIGHT, b[both] == RIGHT
    n = int(both.sum())
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    test = "McNemar, exact"
    if not n:
        return Difference(float("nan"), None, float("nan"), 0, test)
    p = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    interval = None
    if resamples:
        shares = np.array([only_a, only_b, n - only_a - only_b]) / n
        drawn = np.random.default_rng(seed).multinomial(n, shares, resamples)
        interval = _interval((drawn[:, 0] - drawn[:, 1]) / n)
    return Difference((only_a - only_b) / n, interval, p, n, test)


def compare_similarity(
    first: SimilarityScore, second: SimilarityScore, *, resamples: int = RESAMPLES, seed: int = 0
) -> Difference:
    """Compare two models by the pairs whose words both knew.

    Parameters
    ----------
    first, second : SimilarityScore
        Of the same file.
    resamples : int
    seed : int

    Returns
    -------
    Difference
        Of their rank correlations on these pairs.

    Notes
    -----
    Permutation test: if the two are equally good, what is the one's rank of a pair might as well be the other's
    (`scipy.stats.permutation_test` with `permutation_type="samples"` on the ranks of the cosines).
    """
    from scipy.stats import permutation_test, rankdata

    test = "permutation of ranks"
    both = ~np.isnan(first.cosines) & ~np.isnan(second.cosines)
    n = int(both.sum())
    a, b = rankdata(first.cosines[both]), rankdata(second.cosines[both])
    people = rankdata(first.people[both])
    difference = spearman(a, people) - spearman(b, people)
    if np.isnan(difference):
        return Difference(difference, None, float("nan"), n, test)
    if np.array_equal(a, b):
        return Difference(0.0, Interval(0.0, 0.0) if resamples else None, 1.0, n, test)
    interval = None
    if resamples:
        drawn = []
        for counts in _draws(n, resamples, seed):
            of_a, of_b, of_people = (_ranks(x, counts) for x in (a, b, people))
            drawn.append(_rhos(of_a, of_people, counts) - _rhos(of_b, of_people, counts))
        interval = _interval(np.concatenate(drawn))
    centred = people - people.mean()

    def statistic(x: NDArray[Any], y: NDArray[Any], axis: int) -> Any:
        x, y = np.moveaxis(x, axis, -1), np.moveaxis(y, axis, -1)
        return _correlations(x, centred) - _correlations(y, centred)

    found = permutation_test(
        (a, b),
        statistic,
        permutation_type="samples",
        vectorized=True,
        n_resamples=max(RESAMPLES, resamples),
        batch=max(1, _BLOCK_VALUES // n),
        random_state=np.random.default_rng(seed),
    )
    return Difference(difference, interval, float(found.pvalue), n, test)


def _draws(n: int, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield how often (some, n) each of n things is drawn, of n draws with replacement, `resamples` times in all."""
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK_VALUES // n)
    for begin in range(0, resamples, step):
        some = min(step, resamples - begin)
        drawn = rng.integers(0, n, (some, n)) + n * np.arange(some)[:, np.newaxis]
        yield np.bincount(drawn.ravel(), minlength=some * n).reshape(some, n)


def _ranks(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the average ranks (some, n) of n values that stand `counts` (some, n) times."""
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    begins = np.concatenate([[0], np.cumsum(size)[:-1]])
    together = np.add.reduceat(counts[:, np.argsort(group, kind="stable")], begins, axis=1)
    middle = np.cumsum(together, axis=1) - (together - 1) / 2
    return middle[:, group]


def _rhos(a: NDArray[np.float64], b: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return Spearman's rho of average ranks (some, n) that stand `counts` times; NaN where one side is constant."""
    mean = (a.shape[1] + 1) / 2
    x, y = a - mean, b - mean
    weighted = counts * x
    with np.errstate(invalid="ignore", divide="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", weighted, x) * np.einsum("ij,ij,ij->i", counts, y, y))
        rho: NDArray[np.float64] = np.einsum("ij,ij->i", weighted, y) / lengths
    return rho


def _correlations(x: NDArray[Any], centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's r of rows (..., n) with numbers (n,) whose mean is 0; NaN where a row is constant."""
    x = x - x.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        r: NDArray[np.float64] = x @ centred / np.sqrt((x * x).sum(axis=-1) * (centred @ centred))
    return r


def _interval(drawn: NDArray[np.float64]) -> Interval:
    drawn = drawn[np.isfinite(drawn)]
    if not drawn.size:
        return Interval(float("nan"), float("nan"))
    low, high = np.percentile(drawn, _PERCENTILES)
    return Interval(float(low), float(high))
