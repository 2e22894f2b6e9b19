"""`glove info`, `glove nearest`, `glove analogy`: plain tables, JSON, suggestions."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from test_cli_build_cooc import fails, glove
from test_vectors_export import as_float64, make_model

from glove_cli.vectors.export import export_vectors
from glove_cli.vectors.select import select_vectors

ROOT = Path(__file__).parents[1]
WORDS = ["france", "paris", "italy", "rome", "\udcff"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a whole run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    shutil.copy(ROOT / "corpora" / "sample.txt", tmp_path / "corpus.txt")
    assert glove("build-cooc", "corpus.txt", "--min-count", "3").exit_code == 0
    make_model(words=WORDS).save("glove-run/model")
    return tmp_path


# --- info -----------------------------------------------------------------------------------------------------------


def test_a_run_is_its_matrix_and_its_model(folder: Path) -> None:
    result = glove("info")
    assert result.exit_code == 0, result.output
    for text in ("run glove-run\n", "matrix glove-run/cooc\n", "model glove-run/model\n", "min_count 3", "corpus.txt"):
        assert text in result.stdout
    described = json.loads(glove("info", "glove-run", "--json").stdout)
    assert described["kind"] == "run"
    matrix, model = described["parts"]
    assert matrix == {**json.loads(glove("info", "glove-run/cooc", "--json").stdout)}
    assert (matrix["kind"], matrix["documents"], matrix["options"]["min_count"]) == ("matrix", 398, 3)
    assert (model["kind"], model["V"], model["dim"]) == ("model", 5, 3)
    digest = hashlib.sha256((folder / "glove-run" / "cooc" / "data.npy").read_bytes()).hexdigest()
    assert matrix["files"]["data.npy"]["sha256"] == digest
    assert digest in result.stdout


def test_a_data_type_other_than_float32_is_shown(folder: Path) -> None:
    assert "data type" not in glove("info").stdout
    as_float64(make_model(words=WORDS)).save("double")
    text = glove("info", "double").stdout
    assert re.search(r"^  data type +float64$", text, re.M), text
    types = [json.loads(glove("info", path, "--json").stdout)["dtype"] for path in ("glove-run/model", "double")]
    assert types == ["float32", "float64"]
    for arguments in (["nearest", "paris"], ["analogy", "france", "paris", "italy"], ["export", "-"]):
        assert glove(*arguments, "--model", "double").stdout == glove(*arguments).stdout != ""


def test_a_model_of_another_matrix_is_said(folder: Path) -> None:
    assert glove("train", "--dim", "3", "--epochs", "1", "--force").exit_code == 0
    assert "not the matrix of this run" not in glove("info").stdout
    assert json.loads(glove("info", "--json").stdout)["parts"][1]["from"]["same_matrix"] is True
    assert glove("build-cooc", "corpus.txt", "--min-count", "4", "--force").exit_code == 0
    assert "(not the matrix of this run as it is now)" in glove("info").stdout
    assert "glove-run/cooc" in glove("info", "glove-run/model").stdout


def test_checksums_are_compared_when_asked(folder: Path) -> None:
    assert "not compared" in glove("info").stdout
    assert glove("info", "--verify").stdout.count("compared, all equal") == 2
    path = folder / "glove-run" / "model" / "W.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert glove("info").exit_code == 0
    fails(glove("info", "--verify"), 1, r"glove-run/model/W\.npy: was changed after it was written")


@pytest.mark.parametrize("name", ["v.txt", "v.vec", "v.bin", "v.npy"])
def test_a_file_of_vectors_is_described(folder: Path, name: str) -> None:
    assert glove("export", name).exit_code == 0
    described = json.loads(glove("info", name, "--json").stdout)
    assert (described["kind"], described["V"], described["dim"]) == ("vectors", 6, 3)
    assert (described["first_words"][0], described["last_word"]) == ("france", "<unk>")
    assert described["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    text = glove("info", name).stdout
    assert "first words  france paris italy rome \\xff <unk>" in text


def test_what_is_nothing_is_refused(folder: Path) -> None:
    fails(glove("info", "nothing"), 1, "nothing: does not exist")
    fails(glove("info", "--run", "other"), 1, "other: does not exist")
    (folder / "empty").mkdir()
    fails(glove("info", "empty"), 1, r"empty: holds no result of glove\. Make one with")
    (folder / "glove-run" / "cooc" / "data.npy").write_bytes(b"")
    fails(glove("info"), 1, r"glove-run/cooc/data\.npy: has 0 bytes")
    (folder / "picture").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    fails(glove("info", "picture"), 1, "picture: ")
    fails(glove("info", "picture", "--verify"), 1, "picture: is a file without checksums")


# --- nearest and analogy --------------------------------------------------------------------------------------------


def test_neighbours_are_a_table(folder: Path) -> None:
    result = glove("nearest", "paris", "rome", "-n", "2")
    assert result.exit_code == 0, result.output
    best = select_vectors(make_model(words=WORDS)).nearest("paris", 2)
    first, second = result.stdout.split("\n\n")
    assert first.splitlines()[0] == "nearest to paris"
    assert first.splitlines()[1].split() == ["word", "cosine"]
    rows = [line.split() for line in first.splitlines()[2:]]
    assert rows == [[n.word.replace("\udcff", "\\xff"), f"{n.similarity:.4f}"] for n in best]
    assert second.startswith("nearest to rome\n")


def test_neighbours_are_json(folder: Path) -> None:
    found = json.loads(glove("nearest", "paris", "--json").stdout)
    best = select_vectors(make_model(words=WORDS)).nearest("paris")
    assert found == [{"word": "paris", "nearest": [{"word": n.word, "similarity": n.similarity} for n in best]}]


def test_an_analogy_says_what_it_computed(folder: Path) -> None:
    result = glove("analogy", "france", "paris", "italy", "--topn", "1")
    best = select_vectors(make_model(words=WORDS)).analogy("france", "paris", "italy", 1)[0]
    lines = result.stdout.splitlines()
    assert lines[0] == "france is to paris as italy is to: nearest to paris - france + italy"
    assert lines[2].split() == [best.word.replace("\udcff", "\\xff"), f"{best.similarity:.4f}"]
    found = json.loads(glove("analogy", "france", "paris", "italy", "--json").stdout)
    assert (found["a"], found["b"], found["c"], found["computed"]) == ("france", "paris", "italy", "b - a + c")
    assert found["nearest"][0]["word"] == best.word


@pytest.mark.parametrize("name", ["v.txt", "v.vec", "v.bin", "v.npy"])
def test_files_and_models_may_be_named(folder: Path, name: str) -> None:
    export_vectors(make_model(words=WORDS), name, unk=False)
    shown = glove("nearest", "paris").stdout
    assert glove("nearest", "paris", "--model", name).stdout == shown
    (folder / "glove-run" / "model").rename(folder / "mine")
    assert glove("nearest", "paris", "--model", "mine").stdout == shown
    assert glove("analogy", "paris", "rome", "italy", "--model", "mine").exit_code == 0
    fails(glove("nearest", "paris"), 1, r"glove-run/model: does not exist\. Train a model")
    fails(
        glove("nearest", "paris", "--model", name, "--vectors", "word"),
        2,
        f"--vectors: {name} is a file, which has one",
    )
    fails(glove("nearest", "paris", "--model", "nothing"), 1, "nothing: does not exist")


def test_unknown_words_get_suggestions(folder: Path) -> None:
    fails(glove("nearest", "rome", "Pariss"), 1, r"Pariss: is not among the 5 words\. Did you mean paris\?")
    fails(glove("analogy", "france", "paris", "italia"), 1, r"italia: is not among .* Did you mean italy\?")


@pytest.mark.parametrize("value", ["0", "-1"])
def test_the_number_of_words_is_checked(folder: Path, value: str) -> None:
    fails(glove("nearest", "paris", "-n", value), 2, f"--topn: {value} is not a positive integer")


def test_a_damaged_file_is_refused_with_its_line(folder: Path) -> None:
    (folder / "v.txt").write_bytes(b"a 1 2\nb 3\nc 4 5\n")
    fails(glove("nearest", "a", "--model", "v.txt"), 1, r"v\.txt: line 2 has 1 numbers, 2 were expected")
