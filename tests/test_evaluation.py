"""Analogy and similarity scores: by hand, against the oracle, and protocol by protocol."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import oracle
import pytest
from conftest import SharedData
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli.errors import FormatError, GloveError, OptionError
from glove_cli.evaluation import answering, evaluate, evaluate_analogies, evaluate_similarity
from glove_cli.evaluation.questions import read_pairs, read_questions

# Two countries and their capitals on a regular grid, so that queen-like sums come out exactly; `far` is elsewhere.
WORDS = ["paris", "france", "rome", "italy", "far", "Italy", "gone"]
VECTORS = np.array(
    [[1, 0, 0, 2], [0, 1, 0, 2], [1, 0, 1, 2], [0, 1, 1, 2], [-1, -1, -1, -1], [0, 1, 1, 2.001], [0, 0, 0, 0]],
    np.float32,
)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    folder = tmp_path / "questions"
    folder.mkdir()
    write(folder / "capital.txt", "paris france rome italy\nrome italy paris france\nparis france rome unknown\n")
    write(folder / "gram1.txt", "paris france rome far\r\n\r\n")
    write(folder / "notes.md", "not a question file\n")
    return folder


def test_right_seen_and_all_are_counted_by_category(questions: Path) -> None:
    score = evaluate_analogies(VECTORS[:5], WORDS[:5], questions)
    assert [(c.name, c.right, c.seen, c.of) for c in score.categories] == [("capital", 2, 2, 3), ("gram1", 0, 1, 1)]
    assert (score.semantic.right, score.semantic.seen, score.semantic.of) == (2, 2, 3)
    assert (score.syntactic.right, score.syntactic.seen, score.syntactic.of) == (0, 1, 1)
    assert (score.total.right, score.total.seen, score.total.of) == (2, 3, 4)
    assert score.total.accuracy == pytest.approx(2 / 3)
    assert score.protocol == "reference"
    assert score.restrict is None


def test_no_question_seen_gives_no_accuracy(questions: Path) -> None:
    score = evaluate_analogies(VECTORS[4:5], WORDS[4:5], questions)
    assert score.total.seen == 0
    assert math.isnan(score.total.accuracy)


def test_given_words_never_answer(tmp_path: Path) -> None:
    # b - a + c is nearest to c itself here.
    vectors = np.array([[1, 0], [1, 0.01], [0, 1], [-1, 0.1]], np.float32)
    file = write(tmp_path / "q.txt", "a b c d\n")
    assert evaluate_analogies(vectors, ["a", "b", "c", "d"], file).total.right == 1


def test_reference_protocol_keeps_case(questions: Path) -> None:
    # `Italy` is a hair farther from the answer than `italy`; without `italy` it would be the answer, and wrong.
    assert evaluate_analogies(VECTORS, WORDS, questions / "capital.txt").total.right == 2
    cased = ["ITALY" if word == "italy" else word for word in WORDS]
    score = evaluate_analogies(VECTORS, cased, questions / "capital.txt")
    assert (score.total.right, score.total.seen) == (0, 0)


@pytest.mark.parametrize("protocol", ["word2vec", "gensim"])
def test_upper_case_protocols_ignore_case(questions: Path, protocol: str) -> None:
    cased = [word.title() for word in WORDS[:5]]
    score = evaluate_analogies(VECTORS[:5], cased, questions, protocol=protocol)
    assert (score.total.right, score.total.seen, score.total.of) == (2, 3, 4)


def test_protocols_differ_in_rows_of_the_same_spelling(tmp_path: Path) -> None:
    # a=paris, b=france, c=rome; `ROME` is the nearest row. word2vec lets it answer (wrong), gensim doesn't.
    words = ["paris", "france", "rome", "italy", "ROME", "ITALY"]
    vectors = np.array([[1, 0, 0], [1, 0.1, 0], [0, 1, 0], [0, 1, 0.9], [0, 1, 0.01], [0, 1, 0.5]], np.float32)
    file = write(tmp_path / "q.txt", "paris france rome italy\n")
    assert evaluate_analogies(vectors, words, file, protocol="word2vec").total.right == 0
    # The nearest row left is `ITALY`: another row than `italy`, but the right spelling.
    assert evaluate_analogies(vectors, words, file, protocol="gensim").total.right == 1
    assert evaluate_analogies(vectors, words, file, protocol="reference").total.right == 0


def test_word2vec_answers_by_spelling(tmp_path: Path) -> None:
    words = ["paris", "france", "rome", "italy", "Italy"]
    vectors = np.array([[1, 0, 0], [1, 0.1, 0], [0, 1, 0], [0, 1, 0.9], [0, 1, 0.5]], np.float32)
    file = write(tmp_path / "q.txt", "PARIS France rome Italy\n")
    assert evaluate_analogies(vectors, words, file, protocol="word2vec").total.right == 1


@pytest.mark.parametrize(("protocol", "limit"), [("reference", None), ("word2vec", 30_000), ("gensim", 300_000)])
def test_each_protocol_has_its_vocabulary(questions: Path, protocol: str, limit: int | None) -> None:
    assert evaluate_analogies(VECTORS, WORDS, questions, protocol=protocol).restrict == limit


def test_word2vec_uses_the_first_thirty_thousand_words(tmp_path: Path) -> None:
    words = [f"w{i}" for i in range(30_001)]
    vectors = np.random.default_rng(0).normal(size=(30_001, 2)).astype(np.float32)
    file = write(tmp_path / "q.txt", "w1 w2 w3 w29999\nw1 w2 w3 w30000\n")
    assert evaluate_analogies(vectors, words, file, protocol="word2vec").total.seen == 1
    assert evaluate_analogies(vectors, words, file, protocol="gensim").total.seen == 2


def test_restrict_leaves_the_rest_out(questions: Path) -> None:
    score = evaluate_analogies(VECTORS, WORDS, questions, restrict=3)
    assert (score.total.seen, score.total.of, score.restrict) == (0, 4, 3)


def test_unknown_words_can_count_as_wrong_for_gensim(questions: Path) -> None:
    score = evaluate_analogies(VECTORS[:5], WORDS[:5], questions, protocol="gensim", dummy4unknown=True)
    assert (score.total.right, score.total.seen, score.total.of) == (2, 4, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "fasttext"}, "protocol: 'fasttext'"),
        ({"restrict": 0}, "restrict: 0"),
        ({"dummy4unknown": True}, "dummy4unknown"),
    ],
)
def test_bad_options_are_refused(questions: Path, options: dict, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        evaluate_analogies(VECTORS, WORDS, questions, **options)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7))
def test_answers_equal_the_oracle(tmp_path_factory: pytest.TempPathFactory, seed: int, block: int) -> None:
    rng = np.random.default_rng(seed)
    V, d, n = int(rng.integers(5, 12)), int(rng.integers(1, 5)), 6
    vectors = rng.normal(size=(V, d)).astype(np.float32)
    asked = np.array([rng.permutation(V)[:4] for _ in range(n)])
    right = [oracle.analogy_answer(vectors.astype(float), *question[:3]) for question in asked.tolist()]
    file = tmp_path_factory.mktemp("q") / "q.txt"
    file.write_text("".join(" ".join(f"w{i}" for i in question) + "\n" for question in asked.tolist()))
    kept = answering._QUESTIONS, answering._WORDS
    answering._QUESTIONS, answering._WORDS = block, block  # several blocks of questions and of words
    try:
        score = evaluate_analogies(vectors, [f"w{i}" for i in range(V)], file)
    finally:
        answering._QUESTIONS, answering._WORDS = kept
    # In one dimension all cosines are 1, 0 or -1 and ties go to the first, in both.
    assert score.total.right == sum(a == q[3] for a, q in zip(right, asked.tolist(), strict=True))


def test_categories_inside_a_file(tmp_path: Path) -> None:
    file = write(tmp_path / "all.txt", ": capital\na b c d\n: gram1 adverbs\na b c d\ne f g h\n: none\n")
    assert [(name, len(asked)) for name, asked in read_questions(file)] == [("capital", 1), ("gram1 adverbs", 2)]


def test_bad_question_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"line 2 is not a question of four words: 'a b c'"):
        read_questions(write(tmp_path / "q.txt", "a b c d\na b c\n"))
    with pytest.raises(FormatError, match="holds no questions"):
        read_questions(write(tmp_path / "empty.txt", "\n"))
    with pytest.raises(FormatError, match=r"missing\.txt: can't be read"):
        read_questions(tmp_path / "missing.txt")


def test_a_byte_order_mark_is_no_part_of_a_question_or_a_pair(tmp_path: Path) -> None:
    path = tmp_path / "questions.txt"
    path.write_bytes(b"\xef\xbb\xbf: capitals\r\na b c d\r\n")
    assert read_questions(path) == [("capitals", [("a", "b", "c", "d")])]
    path.write_bytes(b"\xef\xbb\xbfa\tb\t1\r\n")
    assert read_pairs(path) == [("a", "b", 1.0)]


def test_vectors_that_are_not_finite_are_refused(questions: Path) -> None:
    vectors = VECTORS.copy()
    vectors[2, 1] = np.nan
    with pytest.raises(GloveError, match="'rome' "):
        evaluate_analogies(vectors, WORDS, questions)
    with pytest.raises(OptionError, match="7 words"):
        evaluate_analogies(VECTORS[:3], WORDS, questions)


def test_large_and_small_vectors_have_the_same_directions(questions: Path) -> None:
    scale = np.array([1e25, 1e-25, 3, 1e30, 1, 1, 1], np.float32)[:, None]
    assert evaluate_analogies(VECTORS * scale, WORDS, questions).total.right == 2


# --- similarity -----------------------------------------------------------------------------------------------------


def test_similarity_by_hand(tmp_path: Path) -> None:
    vectors = np.array([[1, 0], [2, 0.2], [0, 1], [-1, 0]], np.float32)  # cosines with a: b > c > d
    file = write(tmp_path / "pairs.txt", "A\tb\t9.0\na\tc\t5\na\td\t1\na\tnowhere\t3\n")
    score = evaluate_similarity(vectors, ["a", "b", "c", "d"], file)
    assert (score.name, score.pairs, score.of) == ("pairs", 3, 4)
    assert score.rho == pytest.approx(1.0)
    score = evaluate_similarity(vectors, ["a", "b", "c", "d"], file, lowercase=False)
    assert (score.pairs, score.rho) == (2, pytest.approx(1.0))


# Not a word with itself: such cosines are 1 but for rounding, and noise would order them.
PAIRS = [(a, b) for a in range(6) for b in range(6) if a != b]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(PAIRS).flatmap(lambda p: st.tuples(*map(st.just, p), st.integers(0, 4))), min_size=2))
def test_similarity_equals_the_oracle(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[int, int, int]]
) -> None:
    vectors = np.random.default_rng(3).normal(size=(6, 3)).astype(np.float32)
    file = tmp_path_factory.mktemp("s") / "s.txt"
    file.write_text("".join(f"w{a} w{b} {score}\n" for a, b, score in pairs))
    ours = evaluate_similarity(vectors, [f"w{i}" for i in range(6)], file)
    # Equal pairs must tie exactly, so cosines are looked up by pair; (a, b) and (b, a) are the same product.
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = [float(np.dot(unit[min(a, b)].astype(float), unit[max(a, b)].astype(float))) for a, b, _ in pairs]
    scores = [float(score) for _, _, score in pairs]
    if len(set(cosines)) == 1 or len(set(scores)) == 1:
        assert math.isnan(ours.rho)
    else:
        assert ours.rho == pytest.approx(oracle.spearman(cosines, scores), abs=1e-12)


@pytest.mark.parametrize("line", ["a\tb", "a b x", "a b nan", "\tb\t3", "a b c 3", "a b 1_000", "a b \u0661"])
def test_bad_similarity_lines_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(FormatError, match="line 2 is not two words and a number"):
        evaluate_similarity(VECTORS, WORDS, write(tmp_path / "s.txt", f"a b 1\n{line}\n"))


def test_both_at_once(questions: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "s.txt", "paris rome 1\nparis france 2\nparis far 0\n")
    scores = evaluate(VECTORS, WORDS, analogies=questions, similarity=[file, file], restrict=5)
    assert scores.analogies == evaluate_analogies(VECTORS, WORDS, questions, restrict=5)
    assert scores.similarity == (evaluate_similarity(VECTORS, WORDS, file),) * 2
    assert evaluate(VECTORS, WORDS, similarity=file).analogies is None


def test_folders_without_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds no questions"):
        evaluate(VECTORS, WORDS, analogies=tmp_path)
    with pytest.raises(FormatError, match=r"holds no \.txt file"):
        evaluate(VECTORS, WORDS, similarity=tmp_path)


def test_importing_does_not_import_scipy_or_numba() -> None:
    code = "import sys, glove_cli.evaluation; print(sorted({'scipy', 'numba'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_google_questions_split_into_semantic_and_syntactic(shared_data: SharedData) -> None:
    words = ["athens", "greece", "baghdad", "iraq"]
    score = evaluate_analogies(np.eye(4, dtype=np.float32), words, shared_data.root / "eval" / "analogies")
    assert len(score.categories) == 14
    assert (score.semantic.of, score.syntactic.of, score.total.of) == (8_869, 10_675, 19_544)
    files = (shared_data.root / "eval" / "analogies").glob("*.txt")
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert score.total.seen == sum(set(line.split()) <= set(words) for line in lines) > 0


@pytest.mark.parametrize(("name", "pairs"), [("WS-353-ALL", 353), ("SIMLEX-999", 999), ("MEN-TR-3k", 3000)])
def test_similarity_files_are_read_whole(shared_data: SharedData, name: str, pairs: int) -> None:
    score = evaluate_similarity(VECTORS, WORDS, shared_data.root / "eval" / "similarity" / f"EN-{name}.txt")
    assert score.of == pairs
