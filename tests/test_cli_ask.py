"""`glove nearest`, `analogy`, `similarity`, `odd-one-out`: by arguments and standard input, as text, JSON and TSV."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_cli_build_cooc import fails, glove

from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.load import load_vectors

WORDS = ["france", "paris", "italy", "rome", "new york", "zero"]


@pytest.fixture
def vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WordVectors:
    """Work in a folder with a file of vectors, which the variable GLOVE_RUN doesn't name."""
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(1).normal(size=(len(WORDS), 4))
    rows[-1] = 0
    lines = [f"{w} {' '.join(f'{x:.6f}' for x in row)}" for w, row in zip(WORDS, rows, strict=True)]
    Path("v.txt").write_text("\n".join(lines) + "\n")
    return load_vectors("v.txt")


def test_a_line_without_an_end_is_refused(vectors: WordVectors) -> None:
    result = glove("nearest", "--model", "v.txt", stdin=b"x" * ((1 << 24) + (1 << 17)))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: standard input: has a line of more than 16 MiB.")


def test_standard_input_is_answered_like_arguments(vectors: WordVectors) -> None:
    expected = glove("nearest", "paris", "new york", "--model", "v.txt").stdout
    for arguments in ([], ["-"]):
        result = glove("nearest", *arguments, "--model", "v.txt", stdin=b"paris\r\n\n new york")
        assert (result.exit_code, result.stdout, result.stderr) == (0, expected, "")


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_its_word(vectors: WordVectors) -> None:
    result = glove("nearest", "--model", "v.txt", "--tsv", "-n", "1", stdin=b"\xef\xbb\xbfparis\r\n")
    assert (result.exit_code, result.stdout[:6], result.stderr) == (0, "paris\t", "")


def test_tab_separated_lines_have_the_question_rank_word_and_score(vectors: WordVectors) -> None:
    lines = glove("nearest", "--model", "v.txt", "--tsv", "-n", "2", stdin=b"paris\nrome\n").stdout.splitlines()
    assert lines == [
        f"{query}\t{rank}\t{n.word}\t{n.similarity:.6f}"
        for query in ("paris", "rome")
        for rank, n in enumerate(vectors.nearest(query, 2), 1)
    ]


def test_unknown_words_are_reported_at_the_end_and_null_in_json(vectors: WordVectors) -> None:
    result = glove("nearest", "--model", "v.txt", "--json", "-n", "1", stdin=b"pariss\nrome\nqqqqq\n")
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(o["word"], o["nearest"] is None) for o in objects] == [("pariss", True), ("rome", False), ("qqqqq", True)]
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: standard input: 2 of 3 lines could not be answered: line 1: pariss is not among the 6 words (did you "
        "mean paris?); line 3: qqqqq is not among the 6 words. Mend these lines; the others were answered.\n"
    )


@pytest.mark.parametrize(
    ("metric", "key"), [("cosine", "similarity"), ("dot", "similarity"), ("euclidean", "distance")]
)
def test_a_measure_may_be_chosen(vectors: WordVectors, metric: str, key: str) -> None:
    options = ("--model", "v.txt", "--metric", metric, "--json")
    best = vectors.nearest("paris", 3, metric=metric, restrict=4)
    found = json.loads(glove("nearest", "paris", *options, "-n", "3", "--restrict", "4").stdout)
    assert found == [{"word": "paris", "nearest": [{"word": n.word, key: n.similarity} for n in best]}]
    pair = json.loads(glove("similarity", "paris", "rome", *options).stdout)
    assert pair == [{"a": "paris", "b": "rome", key: vectors.similarity("paris", "rome", metric=metric)}]


def test_analogies_come_from_standard_input(vectors: WordVectors) -> None:
    best = vectors.analogy("france", "paris", "italy", 1, method="mul")[0]
    options = ("--model", "v.txt", "--method", "mul", "-n", "1")
    result = glove("analogy", *options, "--tsv", stdin=b"france paris italy\nfrance paris\n")
    assert result.stdout == f"france\tparis\titaly\t1\t{best.word}\t{best.similarity:.6f}\n"
    assert (result.exit_code, "line 2: has 2 words, 3 were expected" in result.stderr) == (1, True)
    found = json.loads(glove("analogy", "france", "paris", "italy", *options, "--json").stdout)
    assert (found["computed"], found["nearest"]) == ("b * c / a", [{"word": best.word, "score": best.similarity}])


def test_pairs_have_a_similarity(vectors: WordVectors) -> None:
    score = vectors.similarity("paris", "rome")
    assert glove("similarity", "paris", "rome", "--model", "v.txt").stdout.splitlines()[1].split() == [
        "paris",
        "rome",
        f"{score:.4f}",
    ]
    result = glove("similarity", "--model", "v.txt", "--tsv", stdin=b"paris rome\nnew york\tparis\n")
    assert result.stdout.splitlines()[0] == f"paris\trome\t{score:.6f}"
    assert result.stdout.splitlines()[1].startswith("new york\tparis\t")
    fails(glove("similarity", "paris", "--model", "v.txt"), 2, "A B: paris has no second word")


def test_the_odd_one_is_named(vectors: WordVectors) -> None:
    ranked = vectors.odd_one_out(["paris", "rome", "italy"])
    arguments = ("odd-one-out", "paris", "rome", "italy", "--model", "v.txt")
    assert glove(*arguments).stdout.startswith(f"odd one out: {ranked[0].word}\n")
    assert json.loads(glove(*arguments, "--json").stdout)["odd_one_out"] == ranked[0].word
    assert glove(*arguments, "--tsv").stdout == f"{ranked[0].word}\tparis\trome\titaly\n"
    fails(glove("odd-one-out", "paris", "rome", "--model", "v.txt"), 2, "words: 2 given")
    fails(glove("odd-one-out", "paris", "rome", "rome", "--model", "v.txt"), 2, "rome: is given twice")
    result = glove("odd-one-out", "--model", "v.txt", stdin=b"paris rome\nparis rome rome\n")
    assert "line 1: has 2 words, three or more were expected; line 2: rome is given twice" in result.stderr


def test_a_vector_of_zeros_is_noted_where_it_has_no_direction(vectors: WordVectors) -> None:
    note = "Note: zero: has a vector of zeros, so it has no direction: its cosines are 0.\n"
    for arguments in (["nearest", "zero"], ["similarity", "zero", "rome"], ["analogy", "paris", "rome", "zero"]):
        result = glove(*arguments, "--model", "v.txt")
        assert (result.exit_code, result.stderr) == (0, note)
    assert glove("nearest", "--model", "v.txt", stdin=b"zero\nzero\n").stderr == note
    assert glove("nearest", "zero", "--model", "v.txt", "--metric", "euclidean").stderr == ""


@pytest.mark.parametrize("command", ["nearest", "analogy", "similarity", "odd-one-out"])
def test_two_forms_or_no_question_are_refused(command: str) -> None:
    fails(glove(command, "a", "--json", "--tsv"), 2, r"--tsv: can't be combined with --json\. Choose one of them\.")
    assert "is missing. See glove" in glove(command).stderr


@pytest.mark.parametrize(
    "command", [["nearest", "paris"], ["similarity", "paris", "rome"], ["evaluate", "v.txt"], ["info", "v.txt"]]
)
def test_a_closed_standard_output_is_an_error(vectors: WordVectors, command: list[str]) -> None:
    code = "import sys; sys.stdout = None\nfrom glove_cli.cli.main import main\nmain(sys.argv[1:])"
    if command[0] in ("nearest", "similarity"):
        command = [*command, "--model", "v.txt"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code, *command], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: standard output: is closed")


def test_vectors_do_not_come_from_standard_input(vectors: WordVectors) -> None:
    fails(glove("nearest", "paris", "--model", "-"), 2, "--model: vectors can't come from standard input")


def test_a_training_that_has_begun_is_named(vectors: WordVectors) -> None:
    Path("glove-run/.model.work").mkdir(parents=True)
    fails(
        glove("nearest", "paris"),
        1,
        r"glove-run/model: does not exist, but a training of it has begun\. Let it end, or go on",
    )
