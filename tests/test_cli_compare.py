"""`glove compare`: a table, JSON and lines of fields, a picture, and one error for each wrong call."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import zipf_text
from test_cli_build_cooc import fails, glove
from test_vectors_export import make_model

import glove_cli
from glove_cli import (
    OptionError,
    WordVectors,
    compare,
    draw_changes,
    export_vectors,
    load_model,
    select_vectors,
    uncertain_vectors,
)

WORDS = [f"w{k}" for k in range(40)]
K = ("-k", "6")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with the models a and again, and b, in which w3 and w30 have changed places."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    a = make_model(40, words=WORDS, d=4)
    rng = np.random.default_rng(3)
    order = np.arange(40)
    order[[3, 30]] = 30, 3
    for name, W, C in (
        ("a", a.W, a.C),
        ("b", a.W[order] + 0.02 * rng.normal(size=a.W.shape), a.C[order]),
        ("again", a.W + 0.02 * rng.normal(size=a.W.shape), a.C),
    ):
        replace(a, W=W.astype(np.float32), C=C.astype(np.float32)).save(tmp_path / name)
    export_vectors(load_model("b"), "b.txt")
    return tmp_path


def expected(control: bool = False) -> list[glove_cli.comparison.result.Change]:
    names = ["a", "b"] + ["again"] * control
    models = [load_model(name) for name in names]
    vectors = [select_vectors(model) for model in models]
    counts = [model.vocab.counts for model in models]
    third = vectors[2] if control else None
    return compare(*vectors[:2], control=third, counts=counts, min_count=1, neighbours=6).changes(5)


def test_the_words_that_changed_most_are_a_table(folder: Path) -> None:
    result = glove("compare", "a", "b", *K, "--min-count", "1", "-n", "5")
    assert (result.exit_code, result.stderr) == (0, "")
    head, table = result.stdout.split("\n\n")
    assert head.splitlines()[2] == "words  40 of 40 shared ones are compared"
    assert re.fullmatch(r"kept   \d\d\.\d% of 6 neighbours on average", head.splitlines()[3])
    header, *rows = table.splitlines()
    assert header.split() == ["word", "in", "A", "in", "B", "kept", "cosine", "near", "in", "A", "near", "in", "B"]
    changes = expected()
    assert {changes[0].word, changes[1].word} == {"w3", "w30"}
    for row, change in zip(rows, changes, strict=True):
        word, in_a, in_b, kept, cosine, *near = row.split()
        assert (word, in_a, in_b) == (change.word, *map(str, change.counts))
        assert (kept, cosine) == (f"{change.kept:.2f}", f"{change.cosine:.3f}")
        assert [name.strip(",") for name in near] == [*change.neighbours_a[:4], *change.neighbours_b[:4]]


def test_json_and_fields_say_the_same(folder: Path) -> None:
    options = ("a", "b", *K, "--control", "again", "--min-count", "1", "-n", "5")
    found = json.loads(glove("compare", *options, "--json").stdout)
    assert (found["a"], found["b"], found["control"]) == ("a", "b", "again")
    assert (found["shared"], found["too_rare"], found["compared"], found["neighbours"]) == (40, 0, 40, 6)
    assert set(found["mean"]) == {"kept", "kept_in_control", "cosine"}
    changes = expected(control=True)
    assert found["changes"] == [
        {
            "word": c.word,
            "count_a": c.counts[0],
            "count_b": c.counts[1],
            "kept": round(c.kept, 6),
            "cosine": round(c.cosine or 0, 6),
            "kept_in_control": round(c.kept_in_control or 0, 6),
            "chance": round(c.chance or 0, 6),
            "excess": None,
            "neighbours_a": c.neighbours_a,
            "neighbours_b": c.neighbours_b,
        }
        for c in changes
    ]
    lines = glove("compare", *options, "--tsv").stdout.splitlines()
    assert lines == [
        f"{c.word}\t{c.kept:.6f}\t{c.cosine:.6f}\t{c.kept_in_control:.6f}\t{c.chance:.6f}\t{c.counts[0]}\t{c.counts[1]}\t"
        for c in changes
    ]
    beyond = sum((c.chance or 0) <= 0.01 for c in expected(control=True))
    assert found["beyond_chance"] == beyond
    head, table = glove("compare", *options).stdout.split("\n\n")
    assert f"beyond   {beyond} words ({beyond / 40:.1%}) have a chance of 0.01 or less" in head
    assert {"control", "chance"} <= set(table.splitlines()[0].split())


def test_files_of_vectors_have_no_counts(folder: Path) -> None:
    result = glove("compare", "b.txt", "a", "w3", *K, "--tsv", "--min-count", "1")
    word, kept, cosine, in_control, chance, in_a, in_b, moved = result.stdout.rstrip("\n").split("\t")
    (change,) = (c for c in expected() if c.word == "w3")
    assert (word, kept, in_control, chance, in_a, in_b, moved) == ("w3", f"{change.kept:.6f}", "", "", "", "37", "")
    assert abs(float(cosine) - (change.cosine or 0)) < 1e-5  # six decimals in the file
    assert result.stderr == "Note: b.txt: files of vectors have no counts, so rare words there are not left out.\n"
    header = glove("compare", "b.txt", "b.txt", *K).stdout.split("\n\n")[1].splitlines()[0]
    assert "in B " not in header.replace("near in B", "")
    fails(glove("compare", "b.txt", "b.txt", "--min-count", "5"), 2, "--min-count: files of vectors have no counts")


def test_what_is_left_out_is_said(folder: Path) -> None:
    result = glove("compare", "a", "b", *K, "--min-count", "6", "--restrict", "38")
    why = "rarer than 6 or beyond --restrict in one of the models"
    assert result.stderr == f"Note: 5 of the 40 shared words are left out, {why}.\n"
    make_model(40, words=WORDS, d=4).save("zeros")
    W = np.load("zeros/W.npy")
    model = load_model("zeros")
    W[2] = -model.C[2]
    replace(model, W=W).save("zeros2")
    result = glove("compare", "a", "zeros2", *K, "--min-count", "1")
    assert result.stderr.splitlines()[0] == "Note: 1 word is left out: vectors of zeros have no direction."


def test_the_same_model_twice_is_said_and_differs_in_nothing(folder: Path) -> None:
    result = glove("compare", "a", "a", *K, "--min-count", "1", "--tsv")
    assert result.stderr == "Note: a and a have the same vectors: no word differs.\n"
    assert {tuple(line.split("\t")[1:3]) for line in result.stdout.splitlines()} == {("1.000000", "1.000000")}


def test_other_numbers_of_dimensions_leave_the_neighbours(folder: Path) -> None:
    make_model(40, words=WORDS, d=3).save("small")
    result = glove("compare", "a", "small", *K, "--min-count", "1")
    note = "Note: vectors of 4 and of 3 numbers can't be turned onto each other: there are no cosines.\n"
    assert (result.exit_code, result.stderr) == (0, note)
    assert "cosine" not in result.stdout
    found = json.loads(glove("compare", "a", "small", *K, "--min-count", "1", "--json").stdout)
    assert found["changes"][0]["cosine"] is None
    message = r"--plot: vectors of 4 and 3 numbers can't be turned onto each other"
    fails(glove("compare", "a", "small", *K, "--min-count", "1", "--plot", "p.png"), 2, message)


def test_wrong_calls_are_one_line(folder: Path) -> None:
    Path("nothing").mkdir()
    for arguments, code, message in (
        (("a", "missing"), 1, r"missing: does not exist"),
        (("a", "nothing"), 1, r"nothing"),
        (("a", "b", "w3", "nope", *K, "--min-count", "1"), 1, r"nope: is not in a or b\. Name a word that all have\."),
        (("a", "b", "w38", *K, "--min-count", "5"), 1, r"w38: occurs 2 times in a, less than --min-count 5"),
        (("a", "b"), 2, r"words: 0 of 40 shared ones \(40 too rare\) can be compared, but 20 are needed; a has 40"),
        (("a", "b", "-k", "0"), 2, r"--neighbours: 0 is not a positive integer"),
        (("a", "b", "-n", "-1"), 2, r"--limit: -1 is not a positive integer"),
        (("a", "b", "--process", "nope"), 2, r"--process: "),
        (("a", "b", "--json", "--tsv"), 2, r"--tsv: can't be combined with --json"),
        (("a", "b", "--plot", "p.gif"), 2, r"p\.gif: ends in \.gif"),
        (("a", "b", "--title", "x"), 2, r"--title: goes with --plot"),
        (("a", "b", *WORDS[:13], "--plot", "p.png"), 2, r"words: a picture has room for 1 to 12, not 13"),
    ):
        fails(glove("compare", *arguments), code, message)
    assert not Path("p.png").exists()


def test_any_number_of_threads_gives_the_same_bytes(folder: Path) -> None:
    make_model(600, 120, seed=1).save("large")
    make_model(600, 120, seed=2).save("other")
    code = "import sys\nfrom glove_cli.cli.main import main\nmain(sys.argv[1:])"
    outputs = set()
    for threads in ("1", "3"):
        env = {**os.environ, "PYTHONPATH": str(Path(glove_cli.__file__).parents[1]), "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", code, "compare", "large", "other", "--min-count", "1", "--json", "-n", "600"],
            env=env, capture_output=True, check=True,
        )  # fmt: skip
        outputs.add(done.stdout)
    assert len(outputs) == 1


# --- pictures -------------------------------------------------------------------------------------------------------


def test_a_picture_shows_the_words_with_their_neighbours(folder: Path) -> None:
    result = glove("compare", "a", "b", *K, "--min-count", "1", "--plot", "p.svg", "--title", "A to B")
    assert (result.exit_code, result.stderr) == (0, "Drew 6 words: p.svg.\n")
    texts = re.findall(r">([^<>\n]+)</text>", Path("p.svg").read_text())
    (change, *_) = expected()
    assert texts.count(change.word) >= 2
    assert {*change.neighbours_a[:6], *change.neighbours_b[:6]} <= set(texts)
    assert {"A to B", "near in a", "near in b", "near in both"} <= set(texts)
    fails(glove("compare", "a", "b", *K, "--min-count", "1", "--plot", "p.svg"), 1, r"p\.svg: ")
    first = Path("p.svg").read_bytes()
    again = glove(
        "compare", "a", "b", *K, "--min-count", "1", "--plot", "p.svg", "--title", "A to B", "--force", "--json"
    )
    assert len(json.loads(again.stdout)["changes"]) == 20
    assert Path("p.svg").read_bytes() == first


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
@pytest.mark.parametrize("number", [1, 4, 5, 12])
def test_a_picture_has_a_panel_for_each_word(folder: Path, suffix: str, number: int) -> None:
    a, b = (select_vectors(load_model(name)) for name in ("a", "b"))
    found = compare(a, b, neighbours=6)
    drawn = draw_changes(found, f"p{suffix}", found.changes(number))
    assert drawn.words == [change.word for change in found.changes(number)]
    assert Path(f"p{suffix}").stat().st_size > 1000
    columns = {1: 1, 4: 2, 5: 3, 12: 3}[number]
    assert round(drawn.inches[0] / 4.6) == columns


def test_long_names_of_models_keep_their_ends_below_a_single_word(folder: Path) -> None:
    Path("a").rename("a" * 60 + "end")
    result = glove("compare", "a" * 60 + "end", "b", "w3", *K, "--min-count", "1", "--plot", "p.svg")
    assert result.stderr == "Drew 1 word: p.svg.\n"
    assert f"near in \u2026{'a' * 36}end<" in Path("p.svg").read_text(encoding="utf-8")


def test_equal_and_strange_vectors_and_words_can_be_drawn(tmp_path: Path) -> None:
    words = ["a$b$c", "\udcff", "\u4e2d\u6587", "x" * 80, *(f"w{k}" for k in range(30))]
    matrix = np.random.default_rng(0).normal(size=(34, 4))
    matrix[1:5] = matrix[1]
    vectors = WordVectors(words, matrix)
    found = compare(vectors, WordVectors(words, matrix * 3), neighbours=6, words=words[:6])
    drawn = draw_changes(found, tmp_path / "p.svg")
    assert len(drawn.words) == 6
    assert "a$b$c" in (tmp_path / "p.svg").read_text(encoding="utf-8")
    with pytest.raises(OptionError, match="words: a picture has room for 1 to 12, not 0"):
        draw_changes(found, tmp_path / "q.svg", [])


def test_errors_come_from_the_matrices_of_both_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}.txt").write_bytes(zipf_text(6000, 60, seed))
        assert glove("build-cooc", f"{name}.txt", "--run", name, "--window", "4").exit_code == 0
        assert glove("train", "--run", name, "--dim", "4", "--epochs", "5", "--x-max", "10").exit_code == 0
    options = ("a", "b", *K, "--min-count", "1", "-n", "3")
    result = glove("compare", *options, "--errors")
    assert (result.exit_code, "moved" in result.stdout) == (0, True)
    changes = json.loads(glove("compare", *options, "--errors", "--json").stdout)["changes"]
    for change in changes:
        sizes = [next(uncertain_vectors(name, f"{name}/cooc").each([change["word"]])).size for name in ("a", "b")]
        expected = np.sqrt((2 - 2 * change["cosine"]) / np.square(sizes).sum())
        assert change["excess"] == pytest.approx(expected, rel=1e-4)
    assert [line.split("\t")[7] for line in glove("compare", *options, "--errors", "--tsv").stdout.splitlines()] == [
        f"{change['excess']:.6f}" for change in changes
    ]
    assert all(
        change["excess"] is None for change in json.loads(glove("compare", *options, "--json").stdout)["changes"]
    )
    assert glove("export", "b.vec", "--run", "b").exit_code == 0
    fails(
        glove("compare", "a", "b.vec", *K, "--errors"), 1, r"b\.vec: holds vectors only, and their errors can't be told"
    )
    assert glove("train", "--run", "b", "--dim", "5", "--epochs", "1", "-o", "b5").exit_code == 0
    fails(glove("compare", "a", "b5", *K, "--errors"), 2, "--errors: vectors of 4 and 5 numbers can't be turned")
