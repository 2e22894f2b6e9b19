"""The protocol `gensim` gives gensim's numbers, on the same vectors and the same files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import SharedData

from glove_cli.evaluation import AnalogyScore, evaluate_analogies, evaluate_similarity
from glove_cli.evaluation.questions import read_questions

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from gensim.models import KeyedVectors

PAIR_FILES = ("EN-RG-65", "EN-WS-353-ALL", "EN-SIMLEX-999", "EN-MEN-TR-3k")


@pytest.fixture(autouse=True)
def _quiet_gensim() -> Iterator[None]:
    """Let gensim warn as it likes: of constant numbers, for one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def keyed(words: list[str], vectors: np.ndarray) -> KeyedVectors:
    found = KeyedVectors(vectors.shape[1])
    found.add_vectors(words, vectors)
    return found


def sections(found: list[dict]) -> list[tuple[str, int, int]]:
    """Return name, right and counted questions of gensim's sections, without its total."""
    return [(s["section"], len(s["correct"]), len(s["correct"]) + len(s["incorrect"])) for s in found[:-1]]


def ours(score: AnalogyScore) -> list[tuple[str, int, int]]:
    return [(section.name, section.right, section.seen) for section in score.categories]


def cased_words(rng: np.random.Generator, stems: int, variants: int) -> list[str]:
    """Return words of few letters, each in several mixtures of upper and lower case, in any order."""
    words: set[str] = set()
    for number in range(stems):
        stem = f"abcdefgh{chr(97 + number % 26)}{chr(97 + number // 26)}"
        for _ in range(variants):
            words.add("".join(c.upper() if rng.random() < 0.5 else c for c in stem))
    every = sorted(words)
    return [every[k] for k in rng.permutation(len(every))]


@pytest.mark.parametrize("dummy4unknown", [False, True])
@pytest.mark.parametrize("spread", [0.01, 0.3, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_analogies_are_gensims_where_many_rows_share_a_spelling(
    tmp_path: Path, seed: int, spread: float, dummy4unknown: bool
) -> None:
    rng = np.random.default_rng(seed)
    words = cased_words(rng, 30, 9)
    stems = sorted({word.lower() for word in words})
    centres = dict(zip(stems, rng.normal(size=(len(stems), 8)), strict=True))
    # Rows of a spelling lie close together, so the nearest of a question are often all spelled like a given word.
    vectors = np.array([centres[w.lower()] + spread * rng.normal(size=8) for w in words], np.float32)
    matrix = np.array([centres[stem] / np.linalg.norm(centres[stem]) for stem in stems])
    lines = []
    for _ in range(300):
        a, b, c, d = rng.permutation(len(stems))[:4].tolist()
        scores = matrix @ (matrix[b] - matrix[a] + matrix[c])
        scores[[a, b, c]] = -np.inf
        expected = d if rng.random() < 0.3 else int(scores.argmax())  # one that is often found
        lines.append(" ".join(stems[k].title() for k in (a, b, c, expected)))
    lines += [f"{stems[0]} {stems[1]} {stems[2]} {stems[1]}", f"{stems[3]} {stems[3]} {stems[4]} {stems[4]}", "x y z w"]
    file = tmp_path / "q.txt"
    file.write_text(": one\n" + "\n".join(lines[:100]) + "\n: gram two\n" + "\n".join(lines[100:]) + "\n")
    for limit in (300_000, len(words) // 2):
        theirs = keyed(words, vectors).evaluate_word_analogies(str(file), limit, dummy4unknown=dummy4unknown)
        score = evaluate_analogies(vectors, words, file, protocol="gensim", restrict=limit, dummy4unknown=dummy4unknown)
        assert ours(score) == sections(theirs[1])
        assert score.total.accuracy == theirs[0]
        assert spread > 1 or 0 < score.total.right < score.total.seen


def test_gensim_looks_no_further_than_five_rows(tmp_path: Path) -> None:
    # b - a + c points along c; five more rows are spelled like c and nearer than the right answer.
    words = ["a", "b", "cde", "right", "Cde", "cDe", "cdE", "CDe", "CdE"]
    vectors = np.array(
        [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 1], *[[0, 1, 0.01 * k] for k in range(1, 6)]], np.float32
    )
    file = tmp_path / "q.txt"
    file.write_text(": one\na b cde right\n")
    for rows, right in ((9, 0), (8, 1)):
        theirs = keyed(words[:rows], vectors[:rows]).evaluate_word_analogies(str(file))
        score = evaluate_analogies(vectors[:rows], words[:rows], file, protocol="gensim")
        assert ours(score) == sections(theirs[1]) == [("one", right, 1)]


@pytest.mark.parametrize("dummy4unknown", [False, True])
@pytest.mark.parametrize("restrict", [None, 100])
def test_pairs_are_gensims(tmp_path: Path, dummy4unknown: bool, restrict: int | None) -> None:
    rng = np.random.default_rng(7)
    words = cased_words(rng, 60, 4)
    vectors = rng.normal(size=(len(words), 5)).astype(np.float32)
    stems = [*sorted({word.lower() for word in words}), "nowhere", "never"]
    chosen = rng.integers(0, len(stems), (150, 2))
    lines = [f"{stems[a]}\t{stems[b].title()}\t{rng.integers(0, 11)}" for a, b in chosen if a != b]
    file = tmp_path / "pairs.txt"
    file.write_text("\n".join(lines) + "\n")
    _, spearman, unknown = keyed(words, vectors).evaluate_word_pairs(
        str(file), restrict_vocab=restrict or 300_000, dummy4unknown=dummy4unknown
    )
    score = evaluate_similarity(vectors, words, file, protocol="gensim", restrict=restrict, dummy4unknown=dummy4unknown)
    assert score.rho == pytest.approx(spearman[0], abs=1e-9)
    assert score.of == len(lines)
    if not dummy4unknown:
        assert 100 * (1 - score.pairs / score.of) == pytest.approx(unknown)


@pytest.fixture(scope="module")
def real(shared_data: SharedData) -> tuple[list[str], np.ndarray]:
    """Give vectors with true neighbourhoods: words of the question sets by the documents of a text that hold them."""
    files = sorted((shared_data.root / "eval" / "analogies").glob("*.txt"))
    asked = {w for _, group in read_questions(files) for question in group for w in question}
    for name in PAIR_FILES:
        text = (shared_data.root / "eval" / "similarity" / f"{name}.txt").read_text()
        asked |= {word.lower() for line in text.splitlines() for word in line.split()[:2]}
    words = [w for k, w in enumerate(sorted(asked)) if k % 7]
    rng = np.random.default_rng(11)
    # Letters in common make vectors alike, so that a good part of the questions about grammar is answered.
    spelled = rng.normal(size=(40_000, 20)).astype(np.float32)
    grams = [[hash_of(word[i : i + n]) for n in (2, 3, 4) for i in range(len(word))] for word in words]
    return words, np.array([spelled[g].sum(axis=0) for g in grams], np.float32)


def hash_of(text: str) -> int:
    """Return a number below 40,000 that hangs on the letters alone."""
    number = 7
    for c in text.encode():
        number = (number * 257 + c) % 40_000
    return number


@pytest.mark.parametrize("dummy4unknown", [False, True])
def test_the_google_questions_get_gensims_numbers(
    shared_data: SharedData, real: tuple[list[str], np.ndarray], tmp_path: Path, dummy4unknown: bool
) -> None:
    words, vectors = real
    asked = read_questions(shared_data.root / "eval" / "analogies")
    file = tmp_path / "questions.txt"
    # Every twentieth, because gensim answers one at a time.
    file.write_text("".join(f": {name}\n" + "".join(f"{' '.join(q)}\n" for q in group[::20]) for name, group in asked))
    accuracy, theirs = keyed(words, vectors).evaluate_word_analogies(str(file), dummy4unknown=dummy4unknown)
    score = evaluate_analogies(vectors, words, file, protocol="gensim", dummy4unknown=dummy4unknown)
    assert ours(score) == sections(theirs)
    assert score.total.accuracy == accuracy
    assert 0.05 < accuracy < 0.95


@pytest.mark.parametrize("dummy4unknown", [False, True])
@pytest.mark.parametrize("name", PAIR_FILES)
def test_similarity_files_get_gensims_numbers(
    shared_data: SharedData, real: tuple[list[str], np.ndarray], tmp_path: Path, name: str, dummy4unknown: bool
) -> None:
    words, vectors = real
    lines = (shared_data.root / "eval" / "similarity" / f"{name}.txt").read_text().splitlines()
    file = tmp_path / f"{name}.txt"
    file.write_text("".join("\t".join(line.split()) + "\n" for line in lines))
    _, spearman, unknown = keyed(words, vectors).evaluate_word_pairs(str(file), dummy4unknown=dummy4unknown)
    score = evaluate_similarity(vectors, words, file, protocol="gensim", dummy4unknown=dummy4unknown)
    # Cosines of equal words differ in the last bit; one rank of some hundred moves rho by less than this.
    assert score.rho == pytest.approx(spearman[0], abs=1e-5)
    if not dummy4unknown:
        assert 100 * (1 - score.pairs / score.of) == pytest.approx(unknown)
