"""The package's own questions: made from their pairs by the rule, with their sources, and well-formed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glove_cli.errors import FormatError, OptionError
from glove_cli.evaluation import evaluate_analogies
from glove_cli.evaluation.own_questions import own_pairs, own_questions
from glove_cli.evaluation.own_questions.make import make_questions, question_file, read_relation
from glove_cli.evaluation.questions import read_questions

PAIRS = sorted(own_pairs().glob("*.txt"))


def name(path: Path) -> str:
    return path.stem


def test_the_sections_that_were_promised_are_there() -> None:
    named = " ".join(path.stem for path in PAIRS)
    promised = "capitals currencies family comparatives superlatives participles nationalities past-tenses plurals"
    assert [section for section in promised.split() if section not in named] == []


def test_there_are_at_least_two_thousand_questions_all_different() -> None:
    questions = [question for _, asked in read_questions(own_questions()) for question in asked]
    assert len(questions) == len(set(questions)) >= 2000


def test_every_question_file_belongs_to_pairs() -> None:
    assert [path.name for path in sorted(own_questions().glob("*.txt"))] == [path.name for path in PAIRS]


@pytest.mark.parametrize("path", PAIRS, ids=name)
def test_questions_are_what_the_pairs_make(path: Path) -> None:
    assert (own_questions() / path.name).read_text(encoding="utf-8") == question_file(path)


@pytest.mark.parametrize("path", PAIRS, ids=name)
def test_every_question_file_says_its_source(path: Path) -> None:
    title, source = (own_questions() / path.name).read_text(encoding="utf-8").splitlines()[:2]
    assert title.startswith("# ")
    assert source.startswith("# Source of facts: ")


@pytest.mark.parametrize("path", PAIRS, ids=name)
def test_own_words_are_single_and_lower_case(path: Path) -> None:
    _, pairs = read_relation(path)
    assert pairs == sorted(pairs)
    assert [word for pair in pairs for word in pair if not (word.isascii() and word.isalpha() and word.islower())] == []


def test_grammar_counts_as_syntactic_and_the_rest_as_semantic() -> None:
    score = evaluate_analogies(np.eye(4, dtype=np.float32), list("abcd"), own_questions())
    grammar = [category for category in score.categories if category.name.startswith("gram")]
    assert score.syntactic.of == sum(category.of for category in grammar) > 1500
    assert score.semantic.of == score.total.of - score.syntactic.of > 800


def test_regular_vectors_answer_all_own_questions() -> None:
    # A vector for each pair, plus one for each section that its second words have in common.
    rows: dict[str, np.ndarray] = {}
    for path in PAIRS:
        _, pairs = read_relation(path)
        basis = np.eye(len(pairs) + 1, dtype=np.float32)
        vectors = {a: basis[i] for i, (a, _) in enumerate(pairs)}
        vectors |= {b: basis[i] + basis[-1] for i, (_, b) in enumerate(pairs)}
        score = evaluate_analogies(np.array(list(vectors.values())), list(vectors), own_questions() / path.name)
        assert score.total.right == score.total.of > 0
        rows |= vectors
    assert len(rows) > 1000


# --- the rule -------------------------------------------------------------------------------------------------------


def test_three_pairs_make_three_questions() -> None:
    # SHA-256: "a b" is c8687a08..., "c d" is b561f19f..., "e f" is 526c8fec...: e f, c d, a b.
    expected = [("e", "f", "c", "d"), ("c", "d", "a", "b"), ("a", "b", "e", "f")]
    assert make_questions([("a", "b"), ("c", "d"), ("e", "f")]) == expected


@given(st.integers(3, 60), st.integers(1, 300), st.randoms())
def test_every_pair_is_given_as_often_as_asked_and_no_two_pairs_meet_twice(n: int, about: int, random: object) -> None:
    pairs = [(f"a{i}", f"b{i}") for i in range(n)]
    questions = make_questions(pairs, about=about)
    times = len(questions) // n
    assert Counter(q[:2] for q in questions) == Counter(q[2:] for q in questions) == dict.fromkeys(pairs, times)
    assert len({frozenset((q[:2], q[2:])) for q in questions}) == len(questions)
    assert abs(len(questions) - about) <= n / 2 or times in (1, (n - 1) // 2)
    random.shuffle(pairs)
    assert make_questions(pairs, about=about) == questions


def test_two_pairs_are_too_few() -> None:
    with pytest.raises(OptionError, match="pairs: 2 make no questions"):
        make_questions([("a", "b"), ("c", "d")])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# title\na b\nc\n", "line 3 is not a pair of words: 'c'"),
        ("a b\nc b\n", "'b' stands more than once"),
        ("a b\nb c\n", "'b' stands more than once"),
    ],
)
def test_bad_pairs_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    with pytest.raises(FormatError, match=message):
        read_relation(path)
    with pytest.raises(FormatError, match=r"missing\.txt: can't be read"):
        read_relation(tmp_path / "missing.txt")


def test_comments_stand_at_the_top_of_a_question_file(tmp_path: Path) -> None:
    path = tmp_path / "q.txt"
    path.write_text("# a title of four\n#\n\na b c d\n# b c d\n")
    assert read_questions(path) == [("q", [("a", "b", "c", "d"), ("#", "b", "c", "d")])]
    path.write_text("# a title\na b c d\n# a comment further down\n")
    with pytest.raises(FormatError, match="line 3"):
        read_questions(path)
