"""Vectors of a model: which ones, the row of <unk>, and every format of the same numbers."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SharedData

from glove_cli.errors import FormatError, OptionError, OutputError
from glove_cli.model import GloveModel
from glove_cli.vectors.export import export_vectors
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.load import load_vectors
from glove_cli.vectors.names import FORMAT_NAMES, KINDS
from glove_cli.vectors.rows import ModelRows
from glove_cli.vectors.select import load_model, select_vectors
from glove_cli.vocab import Vocab


def make_model(V: int = 5, d: int = 3, words: list[str] | None = None, seed: int = 0) -> GloveModel:
    rng = np.random.default_rng(seed)
    W, C, gW, gC = rng.normal(size=(4, V, d)).astype(np.float32)
    b_w, b_c, gb_w, gb_c = rng.normal(size=(4, V)).astype(np.float32)
    vocab = Vocab(words or [f"w{i}" for i in range(V)], np.arange(V, 0, -1))
    return GloveModel(vocab, W, C, b_w, b_c, gW, gC, gb_w, gb_c)


def as_float64(model: GloveModel) -> GloveModel:
    arrays = {name: value.astype(np.float64) for name, value in vars(model).items() if isinstance(value, np.ndarray)}
    return replace(model, **arrays)


def expected(model: GloveModel, kind: str) -> np.ndarray:
    W, C = model.W.astype(np.float64), model.C.astype(np.float64)
    return {"sum": W + C, "word": W, "context": C, "concat": np.hstack((W, C))}[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("V", [1, 99, 100, 101, 250])
def test_rows_are_what_their_kind_says_and_unk_is_the_mean_of_the_rarest(kind: str, V: int) -> None:
    model = make_model(V)
    whole = expected(model, kind)
    rows = ModelRows(model, kind, unk=True)
    assert rows.shape == (V + 1, whole.shape[1])
    assert np.array_equal(rows[0:V], whole)
    assert rows[V : V + 1] == pytest.approx(whole[-100:].mean(axis=0, keepdims=True), abs=1e-12)
    assert np.array_equal(np.concatenate([rows[i : i + 7] for i in range(0, V + 1, 7)]), rows[0 : V + 1])
    assert np.array_equal(select_vectors(model, kind).matrix, whole.astype(np.float32))


def test_the_reference_text_comes_from_its_parameters(shared_data: SharedData) -> None:
    vocab = Vocab.load(shared_data.path("stanford/vocab800.txt"))
    W, C = np.frombuffer(shared_data.bytes("stanford/train800.003.bin")).reshape(2, len(vocab), -1)[:, :, :-1]
    zeros = np.zeros(len(vocab))
    model = GloveModel(vocab, W, C, zeros, zeros, np.ones(W.shape), np.ones(C.shape), zeros + 1, zeros + 1)
    file = io.BytesIO()
    export_vectors(model, file)
    assert file.getvalue() == shared_data.bytes("stanford/train800.txt")


@pytest.mark.parametrize("kind", KINDS)
def test_six_decimals_of_a_float64_model_come_from_float64(tmp_path: Path, kind: str) -> None:
    model = as_float64(make_model())
    model.W[0], model.C[0] = 12345.678901, 23456.789012  # of which float32 holds two decimals
    model.save(tmp_path / "model")
    export_vectors(tmp_path / "model", tmp_path / "v.txt", vectors=kind, unk=False)
    rows = [" ".join(f"{x:.6f}" for x in row) for row in expected(model, kind)]
    lines = [f"{word} {row}\n" for word, row in zip(model.vocab.words, rows, strict=True)]
    assert (tmp_path / "v.txt").read_text() == "".join(lines)


@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_float64_model_of_float32_numbers_gives_the_same_files(tmp_path: Path, name: str, kind: str) -> None:
    model = make_model()
    model.save(tmp_path / "single")
    as_float64(model).save(tmp_path / "double")
    for folder in ("single", "double"):
        export_vectors(tmp_path / folder, tmp_path / f"{folder}.out", vectors=kind, format=name)
    assert (tmp_path / "single.out").read_bytes() == (tmp_path / "double.out").read_bytes()
    single, double = (load_vectors(tmp_path / folder, vectors=kind) for folder in ("single", "double"))
    assert double.matrix.dtype == np.float32
    assert np.array_equal(single.matrix, double.matrix)
    assert single.nearest("w1", 3) == double.nearest("w1", 3)
    assert single.analogy("w0", "w1", "w2") == double.analogy("w0", "w1", "w2")


@pytest.mark.parametrize("name", FORMAT_NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_holds_the_same_numbers(tmp_path: Path, name: str, kind: str) -> None:
    model = make_model()
    model.save(tmp_path / "model")
    done = export_vectors(tmp_path / "model", tmp_path / "v", vectors=kind, unk=False, format=name)
    assert (done.words, done.dim, done.unk, done.own_unk) == (5, 6 if kind == "concat" else 3, False, False)
    read, direct = load_vectors(tmp_path / "v"), load_vectors(tmp_path / "model", vectors=kind)
    assert list(read.words) == list(direct.words)
    assert np.abs(read.matrix - direct.matrix).max() <= (6e-7 if name in ("glove", "word2vec") else 0)


@pytest.mark.parametrize(
    ("name", "header"),
    [("glove", False), ("glove", True), ("word2vec", False), ("word2vec-binary", False), ("npy", False)],
)
def test_unk_is_the_last_row_of_every_format(tmp_path: Path, name: str, header: bool) -> None:
    done = export_vectors(make_model(), tmp_path / "v", format=name, header=header)
    assert (done.words, done.unk) == (6, True)
    vectors = load_vectors(tmp_path / "v")
    assert vectors.words[-1] == "<unk>"
    assert vectors["<unk>"] == pytest.approx(expected(make_model(), "sum").mean(axis=0), abs=1e-6)


def test_a_word_unk_of_the_corpus_keeps_its_vector(tmp_path: Path) -> None:
    model = make_model(3, words=["a", "<unk>", "b"])
    done = export_vectors(model, tmp_path / "v.npy")
    assert (done.words, done.unk, done.own_unk) == (3, False, True)
    assert np.array_equal(load_vectors(tmp_path / "v.npy")["<unk>"], expected(model, "sum")[1].astype(np.float32))
    assert not export_vectors(model, tmp_path / "w.npy", unk=False).own_unk


def test_asking_for_a_second_unk_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--unk: the vocabulary has a word <unk> of its own\. Give --no-unk"):
        export_vectors(make_model(2, words=["a", "<unk>"]), tmp_path / "v.txt", unk=True)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vectors": "both"}, "--vectors: 'both' is not one of sum, word, context, concat"),
        ({"format": "text"}, "--format: 'text' is not one of"),
        ({"format": "npy", "header": True}, "--header: is for text"),
        ({"format": "word2vec-binary", "header": True}, "--header: is for text"),
        ({"threads": 0}, "--threads: 0"),
    ],
)
def test_options_that_cannot_work_are_refused(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        export_vectors(make_model(), tmp_path / "v.txt", **options)
    assert os.listdir(tmp_path) == []


def test_an_existing_output_is_refused_before_the_model_is_opened(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"v\.txt: already exists"):
        export_vectors(tmp_path / "no model", tmp_path / "v.txt")
    with pytest.raises(FormatError, match="no model: does not exist"):
        export_vectors(tmp_path / "no model", tmp_path / "v.txt", force=True)
    assert (tmp_path / "v.txt").read_text() == "mine"


def test_a_model_that_is_not_finite_is_not_exported(tmp_path: Path) -> None:
    model = make_model()
    model.W[2, 0] = np.nan
    for name in FORMAT_NAMES:
        with pytest.raises(FormatError, match="the vector of 'w2' isn't finite"):
            export_vectors(model, tmp_path / "v", format=name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_a_model_that_is_not_finite_has_no_neighbours(value: float) -> None:
    model = make_model()
    model.W[2, 0] = model.C[2, 0] = value
    with pytest.raises(FormatError, match="the vector of 'w2' isn't finite"):
        select_vectors(model)


def test_vectors_change_their_format(tmp_path: Path) -> None:
    export_vectors(make_model(), tmp_path / "a.bin")
    vectors = load_vectors(tmp_path / "a.bin")
    done = export_vectors(vectors, tmp_path / "b.npy")
    assert (done.words, done.unk, done.own_unk) == (6, False, False)
    assert np.array_equal(load_vectors(tmp_path / "b.npy").matrix, vectors.matrix)
    with pytest.raises(OptionError, match="are for a model"):
        export_vectors(WordVectors(["a"], np.ones((1, 1), np.float32)), tmp_path / "c", unk=True)


def test_models_are_found_in_their_run(tmp_path: Path) -> None:
    make_model().save(tmp_path / "run" / "model")
    for path in (tmp_path / "run", tmp_path / "run" / "model"):
        assert load_model(path).vocab.words[0] == "w0"
        assert len(load_vectors(path)) == 5
    with pytest.raises(FormatError, match="holds no finished result"):
        load_model(tmp_path)


@pytest.mark.parametrize("name", ["", ".", "/"])
@pytest.mark.parametrize("kind", FORMAT_NAMES)
def test_a_name_that_is_no_file_s_is_refused(tmp_path: Path, kind: str, name: str, in_a_folder: None) -> None:
    with pytest.raises(OutputError, match=r"(folder you are in|root of all folders), and can't be replaced"):
        export_vectors(WordVectors(["a", "b"], np.eye(2, dtype=np.float32)), name, format=kind, force=True)
