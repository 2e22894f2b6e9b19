"""Answers are those of plain float64 arithmetic, by the rule of each protocol, however the work is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli.evaluation import answering, evaluate_analogies, evaluate_similarity


def plain_scores(unit: np.ndarray, a: int, b: int, c: int) -> np.ndarray:
    """Return the score of each row; each is a sum of its own, so that equal rows get equal ones."""
    target = unit[b] - unit[a] + unit[c]
    scores = np.array([(row * target).sum() for row in unit])
    scores[[a, b, c]] = -np.inf
    return scores


def unit_of(vectors: np.ndarray) -> np.ndarray:
    rows = vectors.astype(np.float64)
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def ask(path: Path, words: list[str], questions: np.ndarray) -> Path:
    path.write_text("".join(" ".join(words[k] for k in question) + "\n" for question in questions))
    return path


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 64]), st.sampled_from([1, 2, 7, 64]))
def test_equal_and_nearly_equal_rows_are_told_apart_in_float64(
    tmp_path_factory: pytest.TempPathFactory, seed: int, questions: int, rows: int
) -> None:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(6, 4)).astype(np.float32)
    # Twins, and rows that differ from others by less than float32 products are exact, and a row of zeros.
    vectors = np.concatenate([base, base, base * (1 + 1e-7 * rng.normal(size=base.shape)), np.zeros((1, 4))])
    vectors = vectors[rng.permutation(len(vectors))].astype(np.float32)
    words = [f"w{k}" for k in range(len(vectors))]
    asked = np.array([rng.permutation(len(words))[:4] for _ in range(30)])
    unit = unit_of(vectors)
    file = ask(tmp_path_factory.mktemp("q") / "q.txt", words, asked)
    kept = answering._QUESTIONS, answering._WORDS
    answering._QUESTIONS, answering._WORDS = questions, rows
    try:
        reference = evaluate_analogies(vectors, words, file)
        word2vec = evaluate_analogies(vectors, words, file, protocol="word2vec")
    finally:
        answering._QUESTIONS, answering._WORDS = kept
    for (a, b, c, _), found, positive in zip(
        asked.tolist(), reference.answers[0].tolist(), word2vec.answers[0].tolist(), strict=True
    ):
        scores = plain_scores(unit, a, b, c)
        # Sums of four products of numbers up to 3, rounded in another order, differ by less than 1e-14.
        assert scores[found] > scores.max() - 1e-14
        assert found == next(k for k, row in enumerate(vectors) if k not in (a, b, c) and (row == vectors[found]).all())
        assert positive == (found if scores.max() > 0 else -1)


def test_the_vocabulary_may_be_larger_than_a_block(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    V = 2 * answering._WORDS + 100
    vectors = rng.normal(size=(V, 5)).astype(np.float32)
    words = [f"w{k}" for k in range(V)]
    asked = rng.integers(0, V, (answering._QUESTIONS + 7, 4))
    score = evaluate_analogies(vectors, words, ask(tmp_path / "q.txt", words, asked))
    unit = unit_of(vectors)
    for k in (0, 1, answering._QUESTIONS - 1, answering._QUESTIONS, len(asked) - 1):
        assert score.answers[0][k] == plain_scores(unit, *asked[k, :3].tolist()).argmax()


def test_word2vec_needs_a_cosine_above_zero(tmp_path: Path) -> None:
    # Every other word lies opposite to b - a + c.
    words, vectors = ["a", "b", "c", "d", "e"], np.array([[1, 0], [1, 0], [0, 1], [0, -1], [1, -1]], np.float32)
    file = ask(tmp_path / "q.txt", words, np.array([[0, 1, 2, 4]]))
    assert evaluate_analogies(vectors, words, file).total.right == 1
    score = evaluate_analogies(vectors, words, file, protocol="word2vec")
    assert (score.total.right, score.total.seen, score.answers[0].tolist()) == (0, 1, [-1])


@pytest.mark.parametrize(("protocol", "right", "seen"), [("reference", 1, 1), ("word2vec", 0, 2), ("gensim", 0, 2)])
def test_in_the_reference_unk_is_no_word(tmp_path: Path, protocol: str, right: int, seen: int) -> None:
    words = ["a", "b", "c", "d", "<unk>"]
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0.5, 1], [0.1, 1]], np.float32)
    file = ask(tmp_path / "q.txt", words, np.array([[0, 1, 2, 3], [0, 1, 4, 3]]))
    file.write_text(file.read_text())
    score = evaluate_analogies(vectors, words, file, protocol=protocol)
    assert score.total.seen == seen
    assert int(score.outcomes[0][0]) == right


def test_no_word_left_is_no_answer(tmp_path: Path) -> None:
    words = ["a", "b", "c"]
    file = ask(tmp_path / "q.txt", words, np.array([[0, 1, 2, 0]]))
    for protocol in ("reference", "word2vec", "gensim"):
        score = evaluate_analogies(np.eye(3, dtype=np.float32), words, file, protocol=protocol)
        assert (score.total.right, score.total.seen, score.answers[0].tolist()) == (0, 1, [-1])


def test_a_vector_of_zeros_has_cosine_zero(tmp_path: Path) -> None:
    words = ["a", "b", "c", "zero", "d"]
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 0], [0, -1]], np.float32)
    file = ask(tmp_path / "q.txt", words, np.array([[0, 1, 2, 3]]))
    assert evaluate_analogies(vectors, words, file).total.right == 1
    pairs = tmp_path / "s.txt"
    pairs.write_text("a zero 2\na d 2\na b 3\nc d 1\n")
    assert evaluate_similarity(vectors, words, pairs).cosines.tolist() == [0.0, 0.0, 1.0, -1.0]


def test_words_known_and_unknown_are_counted(tmp_path: Path) -> None:
    words = ["a", "b", "c", "d"]
    file = tmp_path / "q.txt"
    file.write_text("a b c d\na b x y\nx b c d\n")
    score = evaluate_analogies(np.eye(4, dtype=np.float32), words, file)
    assert (score.asked, score.unknown) == (6, ("x", "y"))


def test_progress_ends_at_the_questions_seen(tmp_path: Path) -> None:
    words = ["a", "b", "c", "d"]
    file = tmp_path / "q.txt"
    file.write_text("a b c d\n" * 1000 + "a b c x\n")
    told: list[tuple[str, int, int | None, str]] = []
    evaluate_analogies(np.eye(4, dtype=np.float32), words, file, progress=lambda *args: told.append(args))
    assert told == [("answering", 512, 1000, "question"), ("answering", 1000, 1000, "question")]
