"""`glove evaluate`: tables, JSON, lines, several models, and one clear word about wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from test_cli_build_cooc import fails, glove
from test_vectors_export import make_model

from glove_cli.evaluation import evaluate
from glove_cli.evaluation.own_questions import own_questions
from glove_cli.evaluation.questions import read_questions

WORDS = ["paris", "france", "rome", "italy", "berlin", "germany", "far"]
GRID = np.array(
    [[1, 0, 0, 0, 2], [1, 0, 0, 1, 2], [0, 1, 0, 0, 2], [0, 1, 0, 1, 2], [0, 0, 1, 0, 2], [0, 0, 1, 1, 2], [-1] * 5]
)


def write_vectors(path: Path, vectors: np.ndarray, words: list[str] = WORDS) -> None:
    path.write_text(
        "".join(f"{w} {' '.join(f'{x:.6f}' for x in row)}\n" for w, row in zip(words, vectors, strict=True))
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with vectors, questions and pairs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    write_vectors(tmp_path / "good.txt", GRID)
    write_vectors(tmp_path / "bad.txt", np.roll(GRID, 2, axis=0))
    (tmp_path / "questions").mkdir()
    capitals = [("paris", "france"), ("rome", "italy"), ("berlin", "germany")]
    lines = [f"{a} {b} {c} {d}\n" for a, b in capitals for c, d in capitals if a != c]
    (tmp_path / "questions" / "capital.txt").write_text("".join(lines) + "paris france oslo norway\n")
    (tmp_path / "questions" / "gram1.txt").write_text("paris france rome far\n")
    (tmp_path / "pairs.txt").write_text(
        "paris\tfrance\t9\nparis\trome\t8\nparis\tfar\t1\nrome\toslo\t5\nrome\titaly\t8\n"
    )
    return tmp_path


def evaluated(*arguments: str) -> dict:
    result = glove("evaluate", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_sections_sums_and_unknown_words_are_shown(folder: Path) -> None:
    result = glove("evaluate", "good.txt", "--analogies", "questions", "--similarity", "pairs.txt")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["capital", "6", "6", "7", "100.0", "%", "100.0", "to", "100.0"] in lines
    assert ["gram1", "0", "1", "1", "0.0", "%", "0.0", "to", "0.0"] in lines
    assert ["semantic", "6", "6", "7", "100.0", "%", "100.0", "to", "100.0"] in lines
    assert lines[-5][:5] == ["total", "6", "7", "8", "85.7"]
    assert lines[-4][:7] == ["total,", "unknown", "wrong", "6", "8", "8", "75.0"]
    assert ["mean", "of", "sections", "50.0", "%", "50.0", "to", "50.0"] in lines
    assert lines[-1][:3] == ["pairs", "4", "5"]
    assert "reference protocol: words as written, all words\n" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_json_holds_what_the_library_finds(folder: Path) -> None:
    (model,) = evaluated("good.txt", "--analogies", "questions", "--similarity", "pairs.txt")["models"]
    scores = evaluate(GRID, WORDS, analogies=folder / "questions", similarity=folder / "pairs.txt")
    assert scores.analogies is not None
    total = scores.analogies.total
    assert {key: model["analogies"]["total"][key] for key in ("right", "seen", "of")} == {
        "right": total.right,
        "seen": total.seen,
        "of": total.of,
    }
    assert model["analogies"]["total"]["accuracy"] == total.accuracy
    assert model["analogies"]["total"]["accuracy_of_all"] == 0.75
    assert model["analogies"]["macro"]["accuracy"] == 0.5
    assert [s["name"] for s in model["analogies"]["sections"]] == ["capital", "gram1"]
    assert model["similarity"][0]["rho"] == pytest.approx(scores.similarity[0].rho)
    assert (model["similarity"][0]["pairs"], model["similarity"][0]["of"]) == (4, 5)
    assert model["analogies"]["unknown_words"] == ["norway", "oslo"]
    assert (model["V"], model["dim"], model["vectors_of_zeros"]) == (7, 5, 0)


def test_settings_say_the_protocol(folder: Path) -> None:
    settings = evaluated("good.txt", "--analogies", "questions", "--protocol", "gensim", "--seed", "3")["settings"]
    assert settings == {
        "protocol": "gensim",
        "restrict": None,
        "dummy4unknown": False,
        "resamples": 1000,
        "seed": 3,
        "own_questions": False,
    }
    assert glove("evaluate", "good.txt", "--protocol", "word2vec", "--analogies", "questions").stdout.startswith(
        "word2vec protocol: upper case, the first 30,000 words\n"
    )


def test_the_own_questions_are_asked_where_nothing_else_is(folder: Path) -> None:
    words = [word for _, group in read_questions(own_questions())[:1] for question in group[:3] for word in question]
    write_vectors(folder / "own.txt", np.eye(len(set(words))), sorted(set(words)))
    result = glove("evaluate", "own.txt", "--json")
    assert "Note: the package's own questions are asked" in result.stderr
    (model,) = json.loads(result.stdout)["models"]
    assert [s["name"] for s in model["analogies"]["sections"]] == [name for name, _ in read_questions(own_questions())]
    assert model["similarity"] == []


def test_questions_and_pairs_may_come_from_several_places(folder: Path) -> None:
    files = ["questions/gram1.txt", "questions"]
    arguments = [argument for file in files for argument in ("--analogies", file)]
    (model,) = evaluated("good.txt", *arguments, "--similarity", "pairs.txt", "--similarity", "pairs.txt")["models"]
    assert [s["name"] for s in model["analogies"]["sections"]] == ["gram1", "capital", "gram1"]
    assert len(model["similarity"]) == 2


def test_several_models_stand_side_by_side_with_a_test_against_the_first(folder: Path) -> None:
    asked = ("--analogies", "questions", "--similarity", "pairs.txt")
    result = evaluated("good.txt", "bad.txt", *asked)
    assert [model["label"] for model in result["models"]] == ["good.txt", "bad.txt"]
    (found,) = result["comparisons"]
    assert (found["model"], found["against"]) == ("bad.txt", "good.txt")
    right = [model["analogies"]["total"]["right"] for model in result["models"]]
    assert found["analogies"]["total"]["difference"] == pytest.approx((right[1] - right[0]) / 7)
    # All questions that one of the two answered, one answered alone: p = 2 / 2**n.
    n = abs(right[1] - right[0])
    assert found["analogies"]["total"]["p"] == pytest.approx(min(1, 2 / 2**n))
    rho = [model["similarity"][0]["rho"] for model in result["models"]]
    assert found["similarity"][0]["difference"] == pytest.approx(rho[1] - rho[0])
    text = glove("evaluate", "good.txt", "bad.txt", *asked).stdout
    head = next(line for line in text.splitlines() if line.startswith("section"))
    assert head.split() == ["section", "of", "good.txt", "bad.txt"]
    assert "against good.txt" in text
    assert max(map(len, text.splitlines())) <= 80


def test_long_names_become_numbers(folder: Path) -> None:
    name = "a-very-long-name-of-vectors.txt"
    write_vectors(folder / name, GRID)
    text = glove("evaluate", name, "bad.txt", "--analogies", "questions").stdout
    assert f"1  {name}" in text
    head = next(line for line in text.splitlines() if line.startswith("section"))
    assert head.split() == ["section", "of", "1", "2"]
    assert "against 1" in text


def test_process_and_kind_may_be_given_several_times(folder: Path) -> None:
    make_model(words=WORDS[:5]).save("model")
    asked = ("model", "--analogies", "questions", "--resamples", "0")
    result = evaluated(*asked, "--process", "none", "--process", "mean", "--vectors", "word", "--vectors", "concat")
    assert [model["label"] for model in result["models"]] == ["word none", "word mean", "concat none", "concat mean"]
    dims = [model["dim"] for model in result["models"]]
    assert dims[2] == 2 * dims[0]
    one = evaluated(*asked, "--process", "mean", "--vectors", "concat")["models"][0]
    kept = ("V", "dim", "vectors", "process", "analogies")
    assert {key: one[key] for key in kept} == {key: result["models"][3][key] for key in kept}


def test_the_runs_model_is_scored_by_default(folder: Path) -> None:
    make_model(words=WORDS[:5]).save("glove-run/model")
    assert evaluated("--analogies", "questions")["models"][0]["path"] == "glove-run/model"
    make_model(words=WORDS[:5]).save("other/model")
    assert evaluated("--run", "other", "--analogies", "questions")["models"][0]["path"] == "other/model"


def test_lines_are_tab_separated(folder: Path) -> None:
    asked = ("good.txt", "--analogies", "questions", "--similarity", "pairs.txt")
    rows = [line.split("\t") for line in glove("evaluate", *asked, "--tsv").stdout.splitlines()]
    assert {len(row) for row in rows} == {9}
    assert rows[0] == ["good.txt", "analogies", "capital", "6", "6", "7", "1.0", "1.0", "1.0"]
    assert rows[-1][:6] == ["good.txt", "similarity", "pairs", "", "4", "5"]


def test_every_answer_can_be_had(folder: Path) -> None:
    asked = ("good.txt", "--analogies", "questions", "--answers", "answers.tsv")
    assert glove("evaluate", *asked).exit_code == 0
    head, *rows = [line.split("\t") for line in (folder / "answers.tsv").read_text().splitlines()]
    assert head == ["model", "section", "a", "b", "c", "expected", "answered", "outcome"]
    assert len(rows) == 8
    assert ["good.txt", "capital", "paris", "france", "rome", "italy", "italy", "right"] in rows
    assert ["good.txt", "capital", "paris", "france", "oslo", "norway", "", "unknown"] in rows
    assert ["good.txt", "gram1", "paris", "france", "rome", "far", "italy", "wrong"] in rows
    fails(glove("evaluate", *asked), 1, r"answers\.tsv: already exists")
    assert glove("evaluate", *asked, "--force").exit_code == 0


def test_no_resamples_no_intervals(folder: Path) -> None:
    asked = ("good.txt", "bad.txt", "--analogies", "questions", "--similarity", "pairs.txt", "--resamples", "0")
    text = json.dumps(evaluated(*asked))
    assert text.count('"interval": null') == text.count('"interval"') > 0


# --- wrong input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere.txt"], 1, r"nowhere\.txt: "),
        (["good.txt", "--analogies", "missing"], 1, r"missing: can't be read"),
        (["good.txt", "--similarity", "empty"], 1, r"empty\S*: holds no \.txt file"),
        (["good.txt", "--analogies", "short.txt"], 1, r"short\.txt: line 2 is not a question of four words: 'a b c'"),
        (["good.txt", "--similarity", "short.txt"], 1, r"short\.txt: line 1 is not two words and a number"),
        (["good.txt", "--analogies", "nothing.txt"], 1, r"nothing\.txt\S*: holds no questions"),
        (["good.txt", "--similarity", "nothing.txt"], 1, r"nothing\.txt: holds no pairs"),
        (["good.txt", "--restrict", "0"], 2, r"--restrict: 0"),
        (["good.txt", "--resamples", "-1"], 2, r"--resamples: -1"),
        (["good.txt", "--seed", "-1"], 2, r"--seed: -1"),
        (["good.txt", "--dummy4unknown"], 2, r"--dummy4unknown: .*--protocol gensim"),
        (["good.txt", "--vectors", "concat"], 2, r"--vectors: good\.txt is a file"),
        (["good.txt", "--process", "half"], 2, r"--process: 'half' is no step"),
        (["good.txt", "--json", "--tsv"], 2, r"--tsv: can't be combined with --json"),
        (["good.txt", "--similarity", "pairs.txt", "--answers", "x"], 2, r"--answers: there are no questions"),
        (["good.txt", "--protocol", "fasttext"], 2, r"--protocol: 'fasttext' is not one of"),
    ],
)
def test_wrong_calls_get_one_line(folder: Path, arguments: list[str], code: int, message: str) -> None:
    (folder / "short.txt").write_text("a b c d\na b c\n")
    (folder / "nothing.txt").write_text("\n")
    (folder / "empty").mkdir()
    fails(glove("evaluate", *arguments), code, message)


def test_nothing_seen_at_all_is_an_error(folder: Path) -> None:
    write_vectors(folder / "other.txt", GRID, [f"{word}x" for word in WORDS])
    for asked in (["--analogies", "questions"], ["--similarity", "pairs.txt"], []):
        fails(
            glove("evaluate", "other.txt", *asked), 1, r"other\.txt: none of the questions or pairs has all its words"
        )


def test_a_section_that_no_word_can_answer_is_said(folder: Path) -> None:
    (folder / "questions" / "none.txt").write_text("a b c d\n" * 3)
    result = glove("evaluate", "good.txt", "--analogies", "questions")
    assert "Note: 0 of 3 questions seen in none: each has an unknown word." in result.stderr
    assert [line.split() for line in result.stdout.splitlines() if line.startswith("none")] == [
        ["none", "0", "0", "3", "-", "-"]
    ]
    sections = evaluated("good.txt", "--analogies", "questions")["models"][0]["analogies"]["sections"]
    assert (sections[2]["accuracy"], sections[2]["interval"]) == (None, None)


def test_capitals_under_the_exact_protocol_are_said(folder: Path) -> None:
    text = (folder / "questions" / "capital.txt").read_text().title()
    (folder / "capital.txt").write_text(text + "far far far far\n")
    result = glove("evaluate", "good.txt", "--analogies", "capital.txt")
    assert "6 of the unknown words are known in lower case. Add --protocol gensim or word2vec" in result.stderr
    fails(
        glove("evaluate", "good.txt", "--analogies", "capital.txt", "--restrict", "1"),
        1,
        r"good\.txt: none .* known in lower case.*",
    )
    assert (
        "lower case" not in glove("evaluate", "good.txt", "--analogies", "capital.txt", "--protocol", "gensim").stderr
    )


def test_vectors_of_zeros_are_counted(folder: Path) -> None:
    vectors = GRID.copy()
    vectors[-1] = 0
    write_vectors(folder / "zeros.txt", vectors)
    result = glove("evaluate", "zeros.txt", "--analogies", "questions")
    assert result.exit_code == 0
    assert "1 of 7 vectors are zeros; their cosine with any other counts as 0." in result.stderr
    assert evaluated("zeros.txt", "--analogies", "questions")["models"][0]["vectors_of_zeros"] == 1


@pytest.mark.parametrize("text", ["paris france 1\nrome oslo 2\n", "paris france 3\nparis rome 3\nrome italy 3\n"])
def test_too_few_or_constant_pairs_give_no_number(folder: Path, text: str) -> None:
    (folder / "few.txt").write_text(text)
    asked = ("--similarity", "few.txt")
    result = glove("evaluate", "good.txt", "bad.txt", *asked)
    assert result.exit_code == 0, result.output
    few = next(line for line in result.stdout.splitlines() if line.startswith("few"))
    assert few.split()[-2:] == ["-", "-"]
    found = evaluated("good.txt", "bad.txt", *asked)
    assert [model["similarity"][0]["rho"] for model in found["models"]] == [None, None]
    assert found["comparisons"][0]["similarity"][0]["p"] is None
