"""What a training starts from, and is held to; and matrices of all kinds."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import zipf_text
from scipy.sparse import csr_array
from scipy.sparse.linalg import lsqr
from training_runs import PARAMETERS, QUICK, equal, leave, same

from glove_cli import WordVectors
from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.store import CoocMatrix, load_cooc
from glove_cli.errors import FormatError, OptionError, TrainingError
from glove_cli.training.counts import find_counts
from glove_cli.training.run import train

pytestmark = pytest.mark.usefixtures("in_a_folder")


# --- starting from something ----------------------------------------------------------------------------------------


def test_a_model_goes_on_where_it_ended(cooc: CoocMatrix) -> None:
    first = train(cooc, out="first", **QUICK)
    still = train(cooc, init="first", dim=6, epochs=1, x_max=10.0, eta=1e-12, bias_eta=1e-12)
    for name in PARAMETERS:
        np.testing.assert_allclose(getattr(still, name), getattr(first, name), rtol=1e-6, atol=1e-9)
    on = train(cooc, init=first, **QUICK)
    assert on.meta["history"][0]["cost"] < first.meta["history"][-1]["cost"]
    assert same(on, train(cooc, init="first", **QUICK))


def test_a_run_is_a_start_also_for_a_model_within_it(cooc: CoocMatrix) -> None:
    train(cooc, out="run/model", **QUICK)
    on = train(cooc, out="run/on", init="run", **QUICK)
    assert same(on, train(cooc, init="run/model", **QUICK))
    assert sorted(os.listdir("run")) == ["model", "on", "tiles"]


def test_vectors_are_shared_out_and_new_words_drawn_like_the_known_ones(cooc: CoocMatrix) -> None:
    rng = np.random.default_rng(1)
    known = list(cooc.vocab.words)[::2]
    deviation = np.array([0.1, 0.2, 0.5, 1.0, 2.0, 3.0])
    matrix = (rng.normal(size=(len(known), 6)) * deviation + [5, 4, 3, 2, 1, 0]).astype(np.float32)
    start = WordVectors([*known, "elsewhere"], np.vstack([matrix, np.full((1, 6), 99, np.float32)]))
    said: list[str] = []
    still = {"dim": 6, "epochs": 1, "x_max": 10.0, "eta": 1e-12, "bias_eta": 0.0}
    model = train(cooc, init=start, init_biases="zero", note=said.append, **still)
    assert f"Starting from init: {len(known)} of {cooc.V} words are known there." in said
    ids = [cooc.vocab.index[word] for word in known]
    np.testing.assert_allclose(model.W[ids], matrix / 2, rtol=1e-6)
    np.testing.assert_allclose(model.C[ids], matrix / 2, rtol=1e-6)
    new = np.setdiff1d(np.arange(cooc.V), ids)
    drawn = (model.W + model.C)[new]
    assert np.abs((drawn.mean(axis=0) - [5, 4, 3, 2, 1, 0]) / deviation).max() < 5 / np.sqrt(len(new))
    np.testing.assert_allclose(drawn.std(axis=0), deviation, rtol=5 / np.sqrt(2 * len(new)))
    assert np.abs(model.b_w).max() < 1e-20


def test_random_biases_are_drawn_also_where_a_model_is_given(cooc: CoocMatrix) -> None:
    first = train(cooc, **QUICK)
    still = {"dim": 6, "epochs": 1, "x_max": 10.0, "eta": 1e-12, "bias_eta": 0.0}
    drawn = train(cooc, init=first, init_biases="random", **still)
    assert 0 < np.abs(drawn.b_w).max() <= 0.5 / 6
    assert (drawn.gradsq_b_w == 1).all()
    np.testing.assert_allclose(drawn.W, first.W, rtol=1e-6)
    np.testing.assert_allclose(train(cooc, init=first, **still).b_w, first.b_w, rtol=1e-6)
    refitted = train(cooc, init=first, init_biases="fit", dim=6, epochs=1, x_max=10.0, eta=1e-12, bias_eta=1e-12)
    np.testing.assert_allclose(refitted.gradsq_b_w, 1)


def test_one_known_word_does_not_make_all_others_alike(cooc: CoocMatrix) -> None:
    start = WordVectors([cooc.vocab.words[0]], np.ones((1, 6), np.float32))
    model = train(cooc, init=start, dim=6, epochs=1, x_max=10.0, eta=1e-12, bias_eta=0.0)
    assert len(np.unique(model.W, axis=0)) == cooc.V


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_no_start(cooc: CoocMatrix, value: float) -> None:
    matrix = np.ones((cooc.V, 6), np.float32)
    matrix[-1, 3] = value
    with pytest.raises(TrainingError, match="--init: init holds numbers that aren't finite"):
        train(cooc, init=WordVectors(cooc.vocab.words, matrix), **QUICK)


def test_any_readable_vectors_will_do(cooc: CoocMatrix) -> None:
    from glove_cli import export_vectors

    first = train(cooc, out="model", **QUICK)
    for name in ("vectors.txt", "vectors.bin", "vectors.npy"):
        export_vectors(first, name)
        model = train(cooc, init=name, init_biases="zero", dim=6, epochs=1, x_max=10.0, eta=1e-12, bias_eta=0.0)
        np.testing.assert_allclose(model.W, (first.W + first.C) / 2, atol=1e-6)


def test_a_larger_matrix_goes_on_from_a_smaller_one(cooc: CoocMatrix) -> None:
    small = train(cooc, **{**QUICK, "epochs": 15})
    text = zipf_text(30_000, 2000, 1) + zipf_text(40_000, 5000, 7)
    larger = build_cooc(io.BytesIO(text), "larger", window=5)
    assert larger.V > cooc.V
    cold = train(larger, **QUICK).meta["history"]
    warm = train(larger, init=small, **QUICK).meta["history"]
    assert warm[0]["cost"] < cold[0]["cost"]


def test_a_damaged_checkpoint_is_no_start(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(cooc, "model", monkeypatch, rounds=6)
    path = Path(".model.work/checkpoint-00-000002-000002")
    train(cooc, init=path, **QUICK)
    words = path / "words.npy"
    data = bytearray(words.read_bytes())
    data[-5] ^= 1
    words.write_bytes(data)
    with pytest.raises(FormatError, match=r"words\.npy: was changed"):
        train(cooc, init=path, **QUICK)


def test_starts_that_cannot_be_are_refused(cooc: CoocMatrix) -> None:
    strangers = WordVectors(["no such", "word"], np.ones((2, 6), np.float32))
    with pytest.raises(TrainingError, match="has none of the words"):
        train(cooc, init=strangers, **QUICK)
    with pytest.raises(OptionError, match=r"--init: init has 3 dimensions, --dim is 6\. Give --dim 3"):
        train(cooc, init=WordVectors(cooc.vocab.words, np.ones((cooc.V, 3), np.float32)), **QUICK)
    with pytest.raises(FormatError, match="nowhere"):
        train(cooc, init="nowhere", **QUICK)
    with pytest.raises(TypeError, match="init: is a int"):
        train(cooc, init=5, **QUICK)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="--anchor-strength: there are no vectors"):
        train(cooc, anchor_strength=0.1, **QUICK)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_biases_fit_the_counts_by_weighted_least_squares(cooc: CoocMatrix, dtype: str) -> None:
    still = {"dim": 1, "epochs": 1, "x_max": 10.0, "eta": 1e-12, "bias_eta": 0.0}
    model = train(cooc, init_biases="fit", dtype=dtype, **still)
    whole = cooc.to_scipy().tocoo()
    f = np.minimum(1, (whole.data / 10) ** 0.75)
    V, n = cooc.V, len(whole.data)
    design = csr_array(
        (np.repeat(np.sqrt(f), 2), np.column_stack([whole.row, V + whole.col]).ravel(), np.arange(0, 2 * n + 1, 2)),
        shape=(n, 2 * V),
    )
    best = lsqr(design, np.sqrt(f) * np.log(whole.data), atol=1e-12, btol=1e-12)[0]

    def cost(b_w: np.ndarray, b_c: np.ndarray) -> float:
        return float(np.mean(f * (b_w[whole.row] + b_c[whole.col] - np.log(whole.data)) ** 2))

    reached, least = cost(model.b_w, model.b_c), cost(best[:V], best[V:])
    assert least * (1 - 1e-9) <= reached < least * 1.001
    assert train(cooc, init_biases="zero", **still).meta["history"][0]["cost"] > 1.5 * reached / 2


def test_biases_fitted_to_given_vectors_take_them_into_account(cooc: CoocMatrix) -> None:
    rng = np.random.default_rng(3)
    start = WordVectors(cooc.vocab.words, rng.normal(size=(cooc.V, 6)).astype(np.float32))
    still = {"dim": 6, "epochs": 1, "x_max": 10.0, "eta": 1e-12, "bias_eta": 0.0}
    cost = {
        kind: train(cooc, init=start, init_biases=kind, **still).meta["history"][0]["cost"]
        for kind in ("zero", "fit", None)
    }
    assert cost["fit"] < 0.9 * cost["zero"]
    assert cost[None] == cost["fit"]


@pytest.mark.parametrize("kind", ["zero", "random", "fit"])
def test_fitted_biases_are_the_same_for_any_threads(cooc: CoocMatrix, kind: str) -> None:
    first, *others = (train(cooc, init_biases=kind, threads=threads, **QUICK) for threads in (1, 2, 5))
    assert all(same(first, other) for other in others)


# --- held to given vectors ------------------------------------------------------------------------------------------


def test_a_strong_anchor_holds_vectors_and_a_weak_one_lets_go(cooc: CoocMatrix) -> None:
    rng = np.random.default_rng(5)
    known = list(cooc.vocab.words)[:200]
    vectors = rng.normal(size=(200, 6)).astype(np.float32)
    start = WordVectors(known, vectors)
    apart = {}
    for strength in (0.0, 0.01, 1.0, 100.0, 1e9):
        model = train(cooc, init=start, anchor_strength=strength, **{**QUICK, "epochs": 8})
        ids = [cooc.vocab.index[word] for word in known]
        apart[strength] = float(np.abs((model.W + model.C)[ids] - vectors).mean())
        assert all(np.isfinite(getattr(model, name)).all() for name in PARAMETERS)
    series = list(apart.values())
    assert series == sorted(series, reverse=True)
    assert apart[0.0] > 0.1
    assert apart[1e9] < apart[0.0] / 5  # what the entries after the last pull have moved
    print(apart)


@pytest.mark.parametrize("threads", [2, 7])
def test_anchored_training_is_the_same_for_any_threads_and_when_resumed(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    vectors = np.random.default_rng(5).normal(size=(cooc.V, 6)).astype(np.float32)
    options = {**QUICK, "anchor_strength": 0.3, "init": WordVectors(cooc.vocab.words, vectors)}
    train(cooc, out="whole", threads=1, **options)
    leave(cooc, "model", monkeypatch, rounds=6, threads=threads, **options)
    train(cooc, out="model", resume=True, threads=threads, **options)
    assert equal("model", "whole")


# --- all kinds of matrices ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [1, 2, 1024])
@pytest.mark.parametrize("words", [1, 2, 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_few_words_many_threads_and_odd_dimensions(dim: int, words: int, dtype: str) -> None:
    matrix = csr_array(np.random.default_rng(0).uniform(0.5, 20, size=(words, words)))
    names = [f"w{i}" for i in range(words)]
    options = {"dim": dim, "epochs": 3, "x_max": 10.0, "dtype": dtype}
    model = train(matrix, names, out="model", threads=16, **options)
    assert model.W.shape == (words, dim)
    assert model.dtype == dtype
    assert same(model, train(matrix, names, threads=1, **options))


def test_a_scipy_matrix_is_resumed_only_if_it_is_the_same(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, words = cooc.to_scipy(), list(cooc.vocab.words)
    train(matrix, words, out="whole", **QUICK)
    leave(matrix, "model", monkeypatch, rounds=6, words=words)
    changed = matrix.copy()
    changed.data[5] *= 1.5
    with pytest.raises(OptionError, match="had another matrix"):
        train(changed, words, out="model", resume=True, **QUICK)
    train(matrix, words, out="model", resume=True, **QUICK)
    assert equal("model", "whole")


def test_float64_goes_where_float32_goes(cooc: CoocMatrix) -> None:
    single, double = (train(cooc, dtype=dtype, **QUICK) for dtype in ("float32", "float64"))
    assert double.W.dtype == np.float64
    for name in PARAMETERS[:4]:
        np.testing.assert_allclose(getattr(single, name), getattr(double, name), atol=2e-3)
    for a, b in zip(single.meta["history"], double.meta["history"], strict=True):
        assert a["cost"] == pytest.approx(b["cost"], rel=1e-5)


def test_a_place_is_needed_to_resume(cooc: CoocMatrix) -> None:
    with pytest.raises(OptionError, match="resume: there is no place"):
        train(cooc, resume=True, **QUICK)


def test_matrices_on_disk_are_read_by_ranges_of_rows(cooc: CoocMatrix) -> None:
    counts = find_counts(load_cooc(cooc.path), None, None)
    assert set(counts.mappings) == {"indices", "data"}
    for first, last in ((0, 1), (3, 40), (0, cooc.V), (7, 7)):
        indptr, indices, data = counts.rows(first, last)
        begin, end = int(indptr[first]), int(indptr[last])
        for _ in range(2):  # what was let go of is there again when it is read
            assert np.array_equal(indices, cooc.indices[begin:end])
            assert np.array_equal(data, cooc.data[begin:end])
            counts.release(first, last)


def test_a_matrix_that_is_replaced_meanwhile_is_trained_on_as_it_was(cooc: CoocMatrix) -> None:
    shutil.copytree(cooc.path, "matrix")
    expected = train(cooc, **QUICK)

    def replace_it(text: str) -> None:
        build_cooc(io.BytesIO(zipf_text(5000, 300, 9)), "matrix", window=3, force=True)

    assert same(train("matrix", out="model", note=replace_it, **QUICK), expected)
