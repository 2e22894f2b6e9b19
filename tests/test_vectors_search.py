"""Exact search against plain NumPy in float64, for every measure, however it is cut into pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli.errors import OptionError
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.names import METHODS, METRICS
from glove_cli.vectors.scores import EPSILON, Lengths
from glove_cli.vectors.search import measure_of, nearest_rows, search

KEY_TOLERANCE = 1e-12  # float64, some hundred terms of size 1


def make(matrix: Any) -> WordVectors:
    return WordVectors([f"w{i}" for i in range(len(matrix))], np.asarray(matrix, np.float32))


def unit(vector: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vector)
    return vector / length if length else vector


def naive_score(metric: str, a: np.ndarray, b: np.ndarray) -> float:
    """Score two vectors in float64, without anything of ours."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    if metric == "cosine":
        return float(unit(a) @ unit(b))
    return float(a @ b) if metric == "dot" else float(np.linalg.norm(a - b))


def is_best(found: list[tuple[str, float]], expected: dict[str, float], topn: int, rising: bool) -> None:
    """Check that words and scores are the best of all, in their order; equal ones by the order of the words."""
    sign = 1 if rising else -1
    keys = [sign * score for score in expected.values()]
    scale = max([1.0, *map(abs, keys)])
    assert len(found) == min(topn, len(expected))
    best = sorted(keys)[: len(found)]
    assert [sign * score for _, score in found] == pytest.approx(best, abs=KEY_TOLERANCE * scale)
    for word, score in found:
        assert score == pytest.approx(expected[word], abs=KEY_TOLERANCE * scale)
    order = [(sign * score, int(word[1:])) for word, score in found]
    assert order == sorted(order)
    # Where scores are equal to the last bit, the words that stand first are there.
    last = order[-1] if order else None
    missing = [w for w, s in expected.items() if last and sign * s < last[0] - KEY_TOLERANCE * scale]
    assert {word for word, _ in found} >= set(missing)


def awkward(V: int, d: int, seed: int, kind: str) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind == "few values":  # many ties
        return rng.integers(-1, 2, size=(V, d)).astype(np.float32)
    matrix = rng.normal(size=(V, d))
    if kind == "lengths":  # of all sizes
        matrix *= 10.0 ** rng.integers(-6, 7, size=(V, 1))
    if kind == "extreme":  # beyond what float32 can square
        matrix *= 10.0 ** rng.choice([-40, -20, 0, 0, 0, 20, 37], size=(V, 1))
    if kind == "close":  # differing by less than float32 shows
        matrix = matrix[:1] * (1 + 2e-7 * matrix)
    matrix[rng.random(V) < 0.1] = 0
    return matrix.astype(np.float32)


KINDS = ("few values", "plain", "lengths", "extreme", "close")
SIZES = (st.integers(2, 40), st.integers(1, 20), st.integers(1, 70), st.integers(0, 2**32), st.sampled_from(KINDS))


@pytest.mark.parametrize("metric", METRICS)
@settings(deadline=None, max_examples=30)
@given(*SIZES, st.none() | st.integers(1, 70))
def test_nearest_is_what_plain_numpy_finds(
    metric: str, V: int, d: int, topn: int, seed: int, kind: str, restrict: int | None
) -> None:
    vectors = make(awkward(V, d, seed, kind))
    for word, found in zip(
        vectors.words, vectors.nearest_many(vectors.words, topn, metric=metric, restrict=restrict), strict=True
    ):
        others = [w for w in vectors.words[:restrict] if w != word]
        is_best(found, {w: naive_score(metric, vectors[word], vectors[w]) for w in others}, topn, metric == "euclidean")


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=30)
@given(*SIZES, st.none() | st.integers(1, 70))
def test_analogies_are_what_plain_numpy_finds(
    method: str, V: int, d: int, topn: int, seed: int, kind: str, restrict: int | None
) -> None:
    vectors = make(awkward(V, d, seed, kind))
    rng = np.random.default_rng(seed)
    questions = [tuple(f"w{k}" for k in rng.integers(V, size=3)) for _ in range(5)]  # words may be repeated
    for (a, b, c), found in zip(
        questions, vectors.analogies(questions, topn, method=method, restrict=restrict), strict=True
    ):
        ua, ub, uc = (unit(vectors[w].astype(np.float64)) for w in (a, b, c))
        expected = {}
        for w in vectors.words[:restrict]:
            if w in (a, b, c):
                continue
            u = unit(vectors[w].astype(np.float64))
            if method == "add":
                expected[w] = float(u @ unit(ub - ua + uc))
            else:
                shifted = [(1 + u @ given) / 2 for given in (ua, ub, uc)]
                expected[w] = float(shifted[1] * shifted[2] / (shifted[0] + EPSILON))
        if np.linalg.norm(ub - ua + uc) < 1e-6:  # what is left is rounding, which has every direction
            continue
        is_best(found, expected, topn, False)


@pytest.mark.parametrize("metric", METRICS)
@settings(deadline=None, max_examples=30)
@given(*SIZES, st.integers(1, 70), st.integers(1, 9))
def test_blocks_and_batches_change_nothing(
    metric: str, V: int, d: int, topn: int, seed: int, kind: str, block: int, batch: int
) -> None:
    vectors = make(awkward(V, d, seed, kind))
    excluded = np.arange(V)[:, np.newaxis]

    def found(**cut: int) -> tuple[np.ndarray, np.ndarray]:
        return search(
            vectors,
            lambda begin, end: measure_of(metric)(vectors.matrix, vectors.lengths, vectors.matrix[begin:end]),
            excluded,
            topn,
            **cut,
        )

    rows, keys = found()
    cut_rows, cut_keys = found(block_rows=block, questions_at_a_time=batch)
    assert rows.tobytes() == cut_rows.tobytes()
    assert keys.tobytes() == cut_keys.tobytes()
    single = [vectors.nearest(word, topn, metric=metric) for word in vectors.words]
    assert single == vectors.nearest_many(vectors.words, topn, metric=metric)
    assert [[int(n.word[1:]) for n in one] for one in single] == [[r for r in row if r >= 0] for row in rows.tolist()]


@pytest.mark.parametrize("method", METHODS)
def test_many_analogies_are_answered_like_single_ones(method: str) -> None:
    vectors = make(awkward(300, 7, 5, "few values"))
    questions = [(f"w{k}", f"w{k + 1}", f"w{k + 7}") for k in range(280)]
    together = vectors.analogies(questions, 5, method=method)
    assert together == [vectors.analogy(*question, 5, method=method) for question in questions]
    assert vectors.analogies([], 5) == []


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("V", [5, 1000, 70_001])
def test_equally_near_words_come_in_their_order(metric: str, V: int) -> None:
    vectors = make(np.tile(np.random.default_rng(0).normal(size=3), (V, 1)))
    found = vectors.nearest("w1", 4, metric=metric)
    assert [n.word for n in found] == [f"w{i}" for i in range(V) if i != 1][:4]
    assert len({n.similarity for n in found}) == 1


def test_rows_have_neighbours_as_arrays() -> None:
    vectors = make(np.random.default_rng(1).normal(size=(500, 8)))
    rows, scores = nearest_rows(vectors, [3, 499, 3], 4)
    assert (rows.dtype, rows.shape, scores.dtype, scores.shape) == (np.int64, (3, 4), np.float32, (3, 4))
    for row, neighbours, cosines in zip([3, 499, 3], rows, scores, strict=True):
        best = vectors.nearest(f"w{row}", 4)
        assert [f"w{k}" for k in neighbours] == [n.word for n in best]
        assert cosines.tolist() == [np.float32(n.similarity) for n in best]
    assert nearest_rows(vectors, np.arange(500), 1000)[0].shape == (500, 499)
    rows, scores = nearest_rows(vectors, [0, 400], 9, restrict=3, metric="euclidean")
    assert (rows == -1).tolist() == np.isnan(scores).tolist() == [[False, False, True], [False] * 3]
    assert (scores[0, 0] > 0, nearest_rows(vectors, [], 3)[0].shape) == (True, (0, 0))


@pytest.mark.parametrize("rows", [[500], [-1], [0.5], [[1]], ["a"]])
def test_rows_that_are_none_are_refused(rows: Any) -> None:
    with pytest.raises(OptionError, match=r"rows: .* are not row numbers below 500"):
        nearest_rows(make(np.ones((500, 1))), rows)


def test_options_of_a_search_are_checked() -> None:
    vectors = make(np.eye(3))
    with pytest.raises(OptionError, match=r"--restrict: 0 is not a positive integer"):
        vectors.nearest("w0", restrict=0)
    with pytest.raises(OptionError, match=r"--metric: 'l1' is no measure\. Choose cosine, dot, euclidean"):
        vectors.nearest("w0", metric="l1")
    with pytest.raises(OptionError, match=r"--metric: 'l1' is no measure"):
        nearest_rows(vectors, [0], metric="l1")
    with pytest.raises(OptionError, match=r"--topn: 0 is not"):
        nearest_rows(vectors, [0], 0)
    with pytest.raises(OptionError, match=r"--method: 'sub' is no method\. Choose add or mul"):
        vectors.analogy("w0", "w1", "w2", method="sub")
    with pytest.raises(OptionError, match="positive: no word is given"):
        vectors.most_similar([], ["w1"])


def test_lengths_that_float32_cannot_square_are_known() -> None:
    lengths = Lengths.of(np.array([[3e38, 0], [0, 0], [3, 4], [1e-40, 0], [0, 1e-20]], np.float32))
    assert lengths.odd.tolist() == [0, 3, 4]
    assert lengths.norms.tolist() == [1, 0, 5, 1, 1]


# --- the same as gensim -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both() -> tuple[WordVectors, Any]:
    """Give random vectors, also as gensim's."""
    keyed = pytest.importorskip("gensim.models.keyedvectors")
    vectors = make(np.random.default_rng(2).normal(size=(400, 12)))
    theirs = keyed.KeyedVectors(12)
    theirs.add_vectors(list(vectors.words), vectors.matrix)
    return vectors, theirs


def same(ours: Any, theirs: Any) -> None:
    assert [n.word for n in ours] == [word for word, _ in theirs]
    assert [n.similarity for n in ours] == pytest.approx([score for _, score in theirs], abs=2e-6)  # theirs: float32


def test_neighbours_are_gensims(both: tuple[WordVectors, Any]) -> None:
    ours, theirs = both
    for k in range(20):
        same(ours.nearest(f"w{k}"), theirs.most_similar(f"w{k}"))
        same(ours.nearest(f"w{k}", restrict=50), theirs.most_similar(f"w{k}", restrict_vocab=50))
        given = {"positive": [f"w{k}", f"w{k + 9}"], "negative": [f"w{k + 3}", f"w{k + 5}"]}
        same(ours.most_similar(**given), theirs.most_similar(**given))
        assert ours.similarity("w0", f"w{k}") == pytest.approx(theirs.similarity("w0", f"w{k}"), abs=2e-6)
    same(ours.analogy("w1", "w2", "w3"), theirs.most_similar(positive=["w2", "w3"], negative=["w1"]))
    same(ours.most_similar("w1"), theirs.most_similar(positive="w1"))


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")  # gensim's own call
def test_products_of_cosines_are_gensims_but_for_epsilon(
    both: tuple[WordVectors, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = both
    monkeypatch.setattr("glove_cli.vectors.scores.EPSILON", 1e-6)
    for k in range(20):
        given = {"positive": [f"w{k}", f"w{k + 9}"], "negative": [f"w{k + 3}"]}
        found = ours.most_similar(**given, method="mul")
        assert [n.word for n in found] == [word for word, _ in theirs.most_similar_cosmul(**given)]
        assert found[0].similarity == pytest.approx(theirs.most_similar_cosmul(**given)[0][1], rel=1e-5)
    same(ours.most_similar("w1", method="mul"), theirs.most_similar_cosmul("w1"))


def test_the_odd_one_is_gensims(both: tuple[WordVectors, Any]) -> None:
    ours, theirs = both
    rng = np.random.default_rng(4)
    for size in (3, 4, 9):
        words = [f"w{k}" for k in rng.choice(400, size, replace=False)]
        found = ours.odd_one_out(words)
        assert found[0].word == theirs.doesnt_match(words)
        same(found[::-1], [(word, score) for score, word in theirs.rank_by_centrality(words)])


# --- similarity and the odd one ---------------------------------------------------------------------------------------


def test_two_words_have_a_similarity_in_every_measure() -> None:
    vectors = make([[3, 4], [4, 3], [0, 0]])
    assert vectors.similarity("w0", "w1") == pytest.approx(24 / 25)
    assert vectors.similarity("w0", "w1", metric="dot") == 24
    assert vectors.similarity("w0", "w1", metric="euclidean") == pytest.approx(2**0.5)
    assert vectors.similarity("w0", "w0") == pytest.approx(1)
    assert vectors.similarity("w0", "w2") == vectors.similarity("w2", "w2") == 0
    assert vectors.similarity("w0", "w2", metric="euclidean") == 5
    with pytest.raises(OptionError, match="--metric"):
        vectors.similarity("w0", "w1", metric="l1")


def test_the_odd_one_is_farthest_from_the_mean_of_all() -> None:
    vectors = make([[1, 0], [1, 0.1], [0, 1], [0, 0]])
    found = vectors.odd_one_out(["w0", "w1", "w2"])
    assert [n.word for n in found] == ["w2", "w0", "w1"]
    mean = unit(sum(unit(row.astype(np.float64)) for row in vectors.matrix[:3]))
    assert found[0].similarity == pytest.approx(float(mean @ [0, 1]))
    assert vectors.odd_one_out(["w0", "w3", "w1"])[0] == ("w3", 0.0)
    assert vectors.without_direction(["w0", "w3", "w3"]) == ["w3"]


def test_equally_odd_words_come_as_they_were_given() -> None:
    vectors = make([[1, 0], [1, 0], [1, 0]])
    assert [n.word for n in vectors.odd_one_out(["w2", "w0", "w1"])] == ["w2", "w0", "w1"]


def test_what_has_no_odd_one_is_refused() -> None:
    vectors = make(np.eye(4))
    with pytest.raises(OptionError, match="words: 2 given, with which none can be the odd one"):
        vectors.odd_one_out(["w0", "w1"])
    with pytest.raises(OptionError, match="w1: is given twice"):
        vectors.odd_one_out(["w1", "w0", "w1"])
