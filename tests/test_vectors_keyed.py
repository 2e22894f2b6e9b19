"""Neighbours and analogies: exact, deterministic, and helpful about unknown words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli.errors import FormatError, OptionError, UnknownWordError
from glove_cli.vectors.keyed import WordVectors


def make(rows: list[list[float]], words: list[str] | None = None) -> WordVectors:
    return WordVectors(words or [f"w{i}" for i in range(len(rows))], np.array(rows, np.float32))


def brute_force(vectors: WordVectors, query: np.ndarray, excluded: set[str]) -> list[tuple[str, float]]:
    """Return all words by falling cosine, computed one by one."""
    found = []
    for word in vectors.words:
        if word in excluded:
            continue
        row = vectors[word].astype(np.float64)
        product = np.linalg.norm(row) * np.linalg.norm(query)
        found.append((word, float(row @ query / product) if product else 0.0))
    return sorted(found, key=lambda pair: -pair[1])


@settings(deadline=None)
@given(st.integers(2, 40), st.integers(1, 20), st.integers(1, 50), st.integers(0, 2**32))
def test_nearest_equals_brute_force(V: int, d: int, topn: int, seed: int) -> None:
    vectors = make(np.random.default_rng(seed).normal(size=(V, d)).tolist())
    found = vectors.nearest("w0", topn)
    expected = brute_force(vectors, vectors["w0"].astype(np.float64), {"w0"})
    assert len(found) == min(topn, V - 1)
    assert [n.similarity for n in found] == pytest.approx([s for _, s in expected[: len(found)]], abs=1e-12)
    by_word = dict(expected)
    assert all(n.similarity == pytest.approx(by_word[n.word], abs=1e-12) for n in found)


def test_analogy_is_b_minus_a_plus_c_on_unit_rows_without_the_given_words() -> None:
    words = ["france", "paris", "italy", "rome", "cat"]
    rows = [[1, 0, 0], [3, 4, 0], [0, 0, 2], [-0.4, 0.8, 1.0], [1, 0, -1]]
    vectors = make(rows, words)
    unit = {word: np.array(row) / np.linalg.norm(row) for word, row in zip(words, rows, strict=True)}
    target = unit["paris"] - unit["france"] + unit["italy"]
    best = vectors.analogy("france", "paris", "italy")
    assert [n.word for n in best] == ["rome", "cat"]
    assert best[0].similarity == pytest.approx(unit["rome"] @ target / np.linalg.norm(target))
    assert vectors.analogy("france", "france", "italy", 1)[0].word == "rome"


def test_a_vector_may_be_asked_for() -> None:
    vectors = make([[1, 0], [0, 1]])
    assert [n.word for n in vectors.nearest(np.array([0.1, 1.0]), 1)] == ["w1"]
    with pytest.raises(OptionError, match=r"query: has shape \(3,\), the vectors have 2 numbers"):
        vectors.nearest(np.ones(3))


@pytest.mark.parametrize("V", [5, 1000, 4099])
def test_ties_are_decided_by_the_order_of_the_words(V: int) -> None:
    rng = np.random.default_rng(0)
    row = rng.normal(size=37)
    vectors = make([row.tolist()] * V)
    for topn in (1, 4):
        found = vectors.nearest("w1", topn)
        assert [n.word for n in found] == [f"w{i}" for i in range(V) if i != 1][:topn]
        assert {n.similarity for n in found} == {found[0].similarity}


def test_vectors_that_differ_by_less_than_float32_shows_are_ordered_exactly() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=60) * (1 + 2e-7 * rng.normal(size=(3000, 60)))
    vectors = make(rows.tolist())
    query = rng.normal(size=60)
    unit = vectors.matrix.astype(np.float64)
    exact = (unit * query).sum(axis=1) / np.sqrt((unit * unit).sum(axis=1)) / np.linalg.norm(query)
    for topn in (1, 10):
        found = [n.similarity for n in vectors.nearest(query, topn)]
        assert found == pytest.approx(np.sort(exact)[::-1][:topn].tolist(), abs=1e-14)


def test_zeros_have_no_direction_and_spoil_nothing() -> None:
    vectors = make([[0, 0], [1, 0], [0, 1], [-1, 0]])
    assert [tuple(n) for n in vectors.nearest("w0")] == [("w1", 0.0), ("w2", 0.0), ("w3", 0.0)]
    assert [tuple(n) for n in vectors.nearest("w1")] == [("w0", 0.0), ("w2", 0.0), ("w3", -1.0)]


def test_large_and_small_vectors_have_a_cosine() -> None:
    vectors = make([[3e38, 3e38], [1e-40, 1e-40], [-1, 1]])
    assert vectors.nearest("w0", 1)[0] == ("w1", pytest.approx(1.0, abs=1e-4))


def test_a_single_word_has_no_neighbour() -> None:
    assert make([[1.0]]).nearest("w0") == []


@pytest.mark.parametrize("topn", [0, -1, 1.5, True, "3"])
def test_the_number_of_neighbours_is_checked(topn: object) -> None:
    with pytest.raises(OptionError, match="--topn: "):
        make([[1], [2]]).nearest("w0", topn)


def test_unknown_words_get_suggestions() -> None:
    words = ["the", "Paris", "paris", "parish", "spar", "zebra", "caf\udcff"]
    vectors = make([[float(i)] for i in range(7)], words)
    with pytest.raises(
        UnknownWordError, match=r"^pariss: is not among the 7 words\. Did you mean paris or parish"
    ) as caught:
        vectors.nearest("pariss")
    assert caught.value.exit_code == 1
    assert vectors.suggestions("PARIS")[:2] == ["paris", "Paris"]
    assert vectors.suggestions("ZEBRA") == ["zebra"]
    assert vectors.suggestions("caff") == ["caf\\xff"]
    assert vectors.suggestions("") == []
    with pytest.raises(UnknownWordError, match="as the corpus wrote them"):
        vectors.row("qqqqqqqqqqqq")
    with pytest.raises(UnknownWordError):
        vectors.analogy("the", "paris", "nowhere")


def test_words_are_looked_up() -> None:
    vectors = make([[1, 2], [3, 4]], ["a", "b"])
    assert vectors["b"].tolist() == [3, 4]
    assert ("a" in vectors, "c" in vectors, len(vectors), vectors.dim) == (True, False, 2, 2)


def test_words_and_rows_must_agree() -> None:
    with pytest.raises(FormatError, match=r"2 words, but an array of shape \(1, 1\)"):
        make([[1]], ["a", "b"])
