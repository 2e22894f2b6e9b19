"""Intervals and paired tests: against scipy, against each other, and the same for the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap, spearmanr

from glove_cli.evaluation import AnalogyScore, QuestionScore, SimilarityScore, evaluate, statistics
from glove_cli.evaluation.report import describe_difference, describe_scores
from glove_cli.evaluation.statistics import (
    accuracy_interval,
    compare_analogies,
    compare_similarity,
    macro_interval,
    rho_interval,
)


def analogy_score(*outcomes: list[int]) -> AnalogyScore:
    """Return the score of questions with these outcomes, a list for each category."""
    arrays = tuple(np.array(each, np.int8) for each in outcomes)
    parts = [QuestionScore(f"s{k}", int((a == 1).sum()), int((a >= 0).sum()), len(a)) for k, a in enumerate(arrays)]
    return AnalogyScore("reference", None, False, tuple(parts), outcomes=arrays)


def pair_score(cosines: np.ndarray, people: np.ndarray) -> SimilarityScore:
    known = ~np.isnan(cosines)
    rho = statistics.spearman(cosines[known], people[known])
    return SimilarityScore("pairs", rho, int(known.sum()), len(cosines), cosines, people)


def test_the_interval_of_an_accuracy_is_scipys() -> None:
    right = np.repeat([1, 0], [120, 280])
    theirs = bootstrap((right,), np.mean, n_resamples=20_000, method="percentile", rng=1).confidence_interval
    found = accuracy_interval(QuestionScore("s", 120, 400, 500), resamples=20_000, seed=3)
    # Steps of 1/400; a percentile of 20,000 draws with standard deviation .023 is sure to about .0004.
    assert found == pytest.approx((theirs.low, theirs.high), abs=0.004)


def test_the_interval_of_the_mean_weighs_categories_equally() -> None:
    # A category of 4 questions moves the mean far more than one of 4,000.
    score = analogy_score([1, 1, 0, 0], [1, 0] * 2000, [-1])
    found = macro_interval(score)
    assert found is not None
    assert score.macro == 0.5
    assert found.low < 0.3
    assert found.high > 0.7
    total = accuracy_interval(score.total)
    assert total is not None
    assert 0.48 < total.low < 0.5 < total.high < 0.52


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(1, 6))
def test_ranks_of_drawn_pairs_are_found_without_sorting(seed: int, n: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n), rng.integers(0, levels, n).astype(float)
    drawn = rng.integers(0, n, (5, n))
    counts = np.array([np.bincount(row, minlength=n) for row in drawn])
    found = statistics._rhos(statistics._ranks(a, counts), statistics._ranks(b, counts), counts)
    for row, rho in zip(drawn, found, strict=True):
        if len(set(a[row])) > 1 and len(set(b[row])) > 1:
            assert rho == pytest.approx(spearmanr(a[row], b[row]).statistic, abs=1e-12)
        else:
            assert np.isnan(rho)


def test_the_interval_of_rho_is_scipys(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    people = rng.integers(0, 11, 150).astype(float)
    cosines = people + 4 * rng.normal(size=150)
    theirs = bootstrap(
        (cosines, people),
        lambda x, y: spearmanr(x, y).statistic,
        paired=True,
        vectorized=False,
        n_resamples=2000,
        method="percentile",
        rng=2,
    ).confidence_interval
    cosines = np.append(cosines, np.nan)  # a pair with an unknown word counts for nothing
    found = rho_interval(pair_score(cosines, np.append(people, 9.0)), resamples=2000)
    # Standard deviation of rho .06, so that of its 2.5 % limit from 2,000 draws is .0035.
    assert found == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_without_resamples_or_anything_seen_there_is_no_interval() -> None:
    assert accuracy_interval(QuestionScore("s", 1, 2, 2), resamples=0) is None
    assert accuracy_interval(QuestionScore("s", 0, 0, 2)) is None
    assert macro_interval(analogy_score([-1])) is None
    assert macro_interval(analogy_score([1]), resamples=0) is None
    constant = pair_score(np.array([0.1, 0.2]), np.array([1.0, 1.0]))
    assert rho_interval(constant) is None
    assert rho_interval(pair_score(np.array([0.1, 0.2]), np.array([1.0, 2.0])), resamples=0) is None


def test_mcnemar_by_hand() -> None:
    first = analogy_score([1] * 8 + [0] + [1] * 5 + [0] * 6, [-1, 1])
    second = analogy_score([0] * 8 + [1] + [1] * 5 + [0] * 6, [1, -1])
    found = compare_analogies(first, second)
    # Nine questions that one of the two answered: 8 to 1. p = 2 (1 + 9) / 2**9.
    assert found.p == pytest.approx(20 / 512, abs=1e-12)
    assert (found.difference, found.n) == (pytest.approx(7 / 20), 20)
    assert found.interval is not None
    assert found.interval.low < 7 / 20 < found.interval.high
    other = compare_analogies(second, first)
    assert (other.difference, other.p) == (-found.difference, found.p)


def test_equal_models_do_not_differ() -> None:
    same = analogy_score([1, 0, 1, -1])
    found = compare_analogies(same, same)
    assert (found.difference, found.p, found.n, found.interval) == (0.0, 1.0, 3, (0.0, 0.0))
    score = pair_score(np.array([0.1, 0.5, 0.3, 0.2]), np.array([1.0, 2.0, 3.0, 4.0]))
    pairs = compare_similarity(score, score)
    assert (pairs.difference, pairs.p, pairs.interval) == (0.0, 1.0, (0.0, 0.0))


def test_nothing_in_common_can_not_be_compared() -> None:
    found = compare_analogies(analogy_score([1, -1]), analogy_score([-1, 1]))
    assert np.isnan([found.difference, found.p]).all()
    assert (found.n, found.interval) == (0, None)
    nan = float("nan")
    people = np.array([1.0, 2.0, 3.0])
    pairs = compare_similarity(pair_score(np.array([1, nan, nan]), people), pair_score(np.array([nan, 1, 2]), people))
    assert np.isnan([pairs.difference, pairs.p]).all()
    assert (pairs.n, pairs.interval) == (0, None)


def test_a_real_difference_of_rho_is_seen_and_noise_is_not() -> None:
    rng = np.random.default_rng(8)
    people = rng.normal(size=200)
    good, same, bad = (people + noise * rng.normal(size=200) for noise in (0.7, 0.7, 5))
    seen = compare_similarity(pair_score(good, people), pair_score(bad, people))
    assert seen.p <= 2 / 1001
    assert seen.interval is not None
    assert 0 < seen.interval.low < seen.difference < seen.interval.high
    assert seen.difference == pytest.approx(spearmanr(good, people)[0] - spearmanr(bad, people)[0])
    noise = compare_similarity(pair_score(good, people), pair_score(same, people))
    assert noise.p > 0.05
    assert noise.interval is not None
    assert noise.interval.low < 0 < noise.interval.high


def test_few_pairs_get_the_p_of_all_permutations() -> None:
    people = np.array([1.0, 2.0, 3.0, 4.0])
    a, b = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 1.0, 4.0, 3.0])
    # Sixteen ways to swap; correlations of the swapped ranks, by hand or by numpy.
    differences = []
    for mask in range(16):
        swap = np.array([mask >> k & 1 for k in range(4)], bool)
        x, y = np.where(swap, b, a), np.where(swap, a, b)
        r = [np.corrcoef(z, people)[0, 1] if np.ptp(z) else np.nan for z in (x, y)]
        differences.append(r[0] - r[1])
    larger = np.mean(np.array(differences) >= differences[0] - 1e-12)
    found = compare_similarity(pair_score(a, people), pair_score(b, people))
    assert found.p == pytest.approx(min(1.0, 2 * larger))


def test_one_seed_gives_one_report(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    words = [f"w{k}" for k in range(40)]
    asked = [" ".join(f"w{k}" for k in rng.permutation(40)[:4]) for _ in range(30)]
    (tmp_path / "q.txt").write_text("\n".join(asked) + "\n")
    (tmp_path / "s.txt").write_text("".join(f"w{k} w{k + 1} {k % 7}\n" for k in range(39)))
    files = {"analogies": tmp_path / "q.txt", "similarity": tmp_path / "s.txt"}
    first, second = (evaluate(rng.normal(size=(40, 2)), words, **files) for _ in range(2))
    same = [describe_scores(first, resamples=200, seed=4) for _ in range(2)]
    assert same[0] == same[1] != describe_scores(first, resamples=200, seed=5)
    differences = [describe_difference(second, first, resamples=200, seed=4) for _ in range(2)]
    assert differences[0] == differences[1]
    assert differences[0]["analogies"]["syntactic"] is None
    assert differences[0]["analogies"]["total"] == {
        key: value for key, value in differences[0]["analogies"]["sections"][0].items() if key != "name"
    }
