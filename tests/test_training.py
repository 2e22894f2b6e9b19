"""Training as a whole: the same for any number of threads, from any matrix, and clear about wrong input."""

from __future__ import annotations

import importlib
import io
import json
import math
import os
import pkgutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import oracle
import pytest
from conftest import SharedData, describe_again, file_hashes, zipf_text
from numba.core.dispatcher import Dispatcher
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix
from training_runs import PARAMETERS, costs, same

import glove_cli
from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.store import CoocMatrix, load_cooc
from glove_cli.errors import FormatError, GloveError, OptionError, TrainingError
from glove_cli.model import GloveModel
from glove_cli.training.config import TrainConfig
from glove_cli.training.objective import objective
from glove_cli.training.report import EpochReport
from glove_cli.training.run import train

BOTH = ("kernels_plain.add_bias_sums", "kernels_tiles.deal_entries", "kernels_tiles._put")
SHORT = {"dim": 8, "epochs": 3, "x_max": 10.0}


# --- reproducible ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("context", ["symmetric", "left"])
@pytest.mark.parametrize("dim", [5, 100])
def test_the_model_is_the_same_for_any_threads(tmp_path: Path, context: str, dim: int) -> None:
    # Enough words for many tiles: with one tile there would be nothing to do in parallel.
    text = io.BytesIO(zipf_text(60_000, 20_000, 2))
    cooc = build_cooc(text, tmp_path / "cooc", min_count=1, window=4, context=context)
    hashes = []
    for threads in (1, 2, 3, 7, 2):
        out = tmp_path / f"model-{len(hashes)}"
        model = train(cooc, threads=threads, dim=dim, epochs=2, x_max=10.0)
        model.save(out)
        hashes.append(file_hashes(out) | {"history": costs(model)})
    assert set(hashes[0]) == {"vocab.txt", "history", *(f"{name}.npy" for name in PARAMETERS)}
    assert all(each == hashes[0] for each in hashes[1:])


def test_another_seed_gives_another_model(cooc: CoocMatrix) -> None:
    models = [train(cooc, seed=seed, **SHORT) for seed in (1, 1, 2)]
    assert same(models[0], models[1])
    assert not any(np.array_equal(getattr(models[0], name), getattr(models[2], name)) for name in PARAMETERS)


def test_a_path_and_an_open_matrix_give_the_same_model(cooc: CoocMatrix) -> None:
    assert same(train(cooc, **SHORT), train(cooc.path, **SHORT))
    assert same(train(cooc, **SHORT), train(str(cooc.path), **SHORT))


# --- what training does ---------------------------------------------------------------------------------------------


def test_the_cost_falls_and_is_reported(cooc: CoocMatrix) -> None:
    reports: list[EpochReport] = []
    steps: dict[str, list[tuple[int, int | None]]] = {}
    model = train(
        cooc,
        dim=8,
        epochs=6,
        x_max=10.0,
        on_epoch=reports.append,
        progress=lambda stage, done, total, unit: steps.setdefault(stage, []).append((done, total)),
    )
    assert [report.epoch for report in reports] == [1, 2, 3, 4, 5, 6]
    assert {report.epochs for report in reports} == {6}
    assert {report.entries for report in reports} == {cooc.nnz}
    falling = [report.cost for report in reports]
    assert falling == sorted(falling, reverse=True)
    assert all(report.seconds > 0 and report.entries_per_second > 0 for report in reports)
    assert reports[-1].seconds_left == 0
    assert [entry["epoch"] for entry in model.meta["history"]] == [1, 2, 3, 4, 5, 6]
    assert [entry["cost"] for entry in model.meta["history"]] == falling
    done, total = steps["training"][-1]
    assert done == total == 6 * cooc.nnz


def test_the_reported_cost_is_that_of_the_objective(cooc: CoocMatrix) -> None:
    # The report averages costs met during an epoch; with steps of nearly zero it is the objective of the start.
    tiny = {"eta": 1e-12, "bias_eta": 1e-12}
    reports: list[EpochReport] = []
    model = train(cooc, dim=8, epochs=1, x_max=10.0, on_epoch=reports.append, **tiny)
    whole = cooc.to_scipy().tocoo()
    parameters = [getattr(model, name) for name in PARAMETERS[:4]]
    j = objective(*parameters, whole.row, whole.col, whole.data, x_max=10.0, alpha=0.75)
    assert reports[0].cost == pytest.approx(0.5 * j / cooc.nnz, rel=1e-5)


def test_training_starts_as_the_reference_does(cooc: CoocMatrix) -> None:
    model = train(cooc, dim=8, epochs=1, x_max=10.0, eta=1e-12, bias_eta=1e-12)
    for name in ("W", "C"):
        values = np.abs(getattr(model, name))
        assert values.max() <= 0.5 / 8
        assert values.max() > 0.45 / 8
        assert abs(float(getattr(model, name).mean())) < 0.05 / 8
    assert all((getattr(model, name) == 1).all() for name in PARAMETERS[4:])


def test_training_goes_where_the_oracle_goes(cooc: CoocMatrix) -> None:
    # The order of the entries differs, so the paths do; the cost after some epochs is nearly the same.
    whole = cooc.to_scipy().tocoo()
    V, d = cooc.V, 8
    rng = np.random.default_rng(0)
    order = rng.permutation(len(whole.data))
    entries = (whole.row[order], whole.col[order], whole.data[order])
    theta = oracle.Parameters(*((rng.random(shape) - 0.5) / d for shape in ((V, d), (V, d), V, V)))
    gradsq = oracle.Parameters.ones(V, d)
    options = {"x_max": 10.0, "alpha": 0.75, "eta": 0.05, "bias_eta": 1.0, "grad_clip": 100.0}
    expected = [oracle.adagrad_pass(theta, gradsq, *entries, **options) for _ in range(3)]
    reports: list[EpochReport] = []
    train(cooc, dim=d, epochs=3, on_epoch=reports.append, **options)
    costs = [report.cost for report in reports]
    assert costs[0] == pytest.approx(expected[0], rel=0.1)
    assert costs[1:] == pytest.approx(expected[1:], rel=0.03)


def test_the_model_says_how_it_was_made(cooc: CoocMatrix, tmp_path: Path) -> None:
    model = train(cooc, seed=7, alpha=0.5, **SHORT)
    assert (model.dim, model.W.shape, model.b_c.shape) == (8, (cooc.V, 8), (cooc.V,))
    assert model.vocab == cooc.vocab
    assert model.meta["options"] == {**asdict(TrainConfig()), **SHORT, "alpha": 0.5, "seed": 7}
    assert (model.meta["cooc"]["V"], model.meta["cooc"]["nnz"]) == (cooc.V, cooc.nnz)
    for name in PARAMETERS:
        array = getattr(model, name)
        assert array.dtype == (np.float64 if name.startswith("gradsq_b") else np.float32)
        assert np.isfinite(array).all()
    model.save(tmp_path / "model")
    loaded = GloveModel.load(tmp_path / "model")
    assert same(model, loaded)
    assert loaded.meta == json.loads(json.dumps(model.meta))


# --- any sparse matrix ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [csr_array, csc_array, coo_array, csr_matrix])
def test_any_scipy_matrix_trains(cooc: CoocMatrix, kind: type) -> None:
    matrix = kind(cooc.to_scipy())
    words = list(cooc.vocab.words)
    reports: list[EpochReport] = []
    model = train(matrix, words, counts=cooc.vocab.counts, on_epoch=reports.append, **SHORT)
    assert model.vocab == cooc.vocab
    expected: list[EpochReport] = []
    train(cooc, on_epoch=expected.append, **SHORT)
    assert reports[-1].entries == cooc.nnz
    assert reports[-1].cost == pytest.approx(expected[-1].cost, rel=0.01)
    assert same(model, train(kind(cooc.to_scipy()), words, **SHORT))
    assert (matrix != kind(cooc.to_scipy())).nnz == 0  # not changed


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("indices", [[1, 0, 1], [1, 1, 1]], ids=["not sorted", "twice the same"])
def test_a_matrix_that_is_not_in_order_is_left_as_it_is(dtype: type, indices: list[int]) -> None:
    def matrix() -> csr_array:
        return csr_array((np.array([2, 1, 3], dtype), np.array(indices), np.array([0, 2, 3])), shape=(2, 2))

    given = matrix()
    train(given, ["a", "b"], **SHORT)
    for name in ("data", "indices", "indptr"):
        assert np.array_equal(getattr(given, name), getattr(matrix(), name)), name


def test_options_may_be_numbers_of_numpy(tmp_path: Path) -> None:
    made = build_cooc(io.BytesIO(b"a b c a b\n" * 9), tmp_path / "cooc", window=np.int64(2), max_vocab=np.int32(2))
    assert made.meta["options"]["window"] == 2
    options = {"dim": np.int32(3), "epochs": np.int64(1), "x_max": np.float32(10), "seed": np.uint8(4)}
    train(made, **options).save(tmp_path / "model")
    assert GloveModel.load(tmp_path / "model").meta["options"]["x_max"] == 10.0


def test_duplicates_of_a_coo_matrix_are_added_up() -> None:
    once = coo_array(([3.0, 2.0], ([0, 1], [1, 0])), shape=(2, 2))
    twice = coo_array(([1.0, 2.0, 2.0], ([0, 1, 0], [1, 0, 1])), shape=(2, 2))
    assert same(train(once, ["a", "b"], **SHORT), train(twice, ["a", "b"], **SHORT))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32])
def test_counts_of_any_type_train(dtype: type) -> None:
    matrix = csr_array(np.array([[1, 2], [3, 0]], dtype))
    assert same(train(matrix, ["a", "b"], **SHORT), train(matrix.astype(np.float64), ["a", "b"], **SHORT))


def test_row_sums_stand_in_for_counts() -> None:
    matrix = csr_array(np.array([[0, 2.6, 0], [2.6, 0, 0.1], [0, 0.1, 0]]))
    model = train(matrix, ["a", "b", "c"], **SHORT)
    assert list(model.vocab.words) == ["a", "b", "c"]
    assert model.vocab.counts.tolist() == [3, 3, 1]


def test_a_matrix_that_is_not_symmetric_trains_as_it_is(tmp_path: Path) -> None:
    left = build_cooc(io.BytesIO(b"a b c a b\n" * 3), tmp_path / "left", min_count=1, window=2, context="left")
    reports: list[EpochReport] = []
    train(left, on_epoch=reports.append, **SHORT)
    assert reports[0].entries == left.nnz == left.to_scipy().nnz


def test_a_single_entry_trains() -> None:
    model = train(csr_array(np.array([[4.0]])), ["a"], dim=1, epochs=200, x_max=1.0, eta=0.5)
    reached = float(model.W[0, 0] * model.C[0, 0] + model.b_w[0] + model.b_c[0])
    assert reached == pytest.approx(math.log(4.0), abs=0.01)


# --- wrong input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_entries_that_are_not_positive_and_finite_are_refused(value: float) -> None:
    matrix = csr_array(([1.0, value, 2.0], ([0, 0, 1], [0, 1, 1])), shape=(2, 2))
    assert matrix.nnz == 3
    with pytest.raises(TrainingError, match="positive"):
        train(matrix, ["a", "b"], **SHORT)


def test_bad_entries_of_a_matrix_on_disk_are_refused(tmp_path: Path) -> None:
    path = build_cooc(io.BytesIO(b"a b c\n"), tmp_path / "cooc", min_count=1).path
    data = np.load(path / "data.npy")
    data[1] = -data[1]
    np.save(path / "data.npy", data)
    describe_again(path, "data.npy")
    with pytest.raises(GloveError, match="positive"):
        train(path, **SHORT)


@pytest.mark.parametrize(
    ("matrix", "words", "counts"),
    [
        (csr_array((2, 2)), ["a", "b"], None),
        (csr_array((0, 0)), [], None),
        (csr_array(np.ones((2, 3))), ["a", "b"], None),
        (csr_array(np.ones((2, 2))), ["a", "b", "c"], None),
        (csr_array(np.ones((2, 2))), ["a"], None),
        (csr_array(np.ones((2, 2))), None, None),
        (csr_array(np.ones((2, 2))), ["a", "a"], None),
        (csr_array(np.ones((2, 2))), ["a", "b"], [1]),
        (csr_array(np.ones((2, 2))), ["a", "b"], [1, 0]),
        (csr_array(np.ones((2, 2))), ["a", ""], None),
        (csr_array(np.ones((2, 2)) * 1j), ["a", "b"], None),
        (np.ones((2, 2)), ["a", "b"], None),
        (None, None, None),
    ],
    ids=[
        "no entries",
        "no words",
        "not square",
        "more words",
        "fewer words",
        "words missing",
        "twice the same word",
        "fewer counts",
        "a count of 0",
        "an empty word",
        "complex",
        "not sparse",
        "None",
    ],
)
def test_matrices_and_words_that_do_not_fit_are_refused(matrix: object, words: object, counts: object) -> None:
    with pytest.raises((GloveError, TypeError)) as caught:
        train(matrix, words, counts=counts, **SHORT)
    assert str(caught.value)


@pytest.mark.parametrize("option", ["dim", "epochs", "x_max", "alpha", "eta", "bias_eta", "grad_clip", "seed"])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "ten", None, True])
def test_options_that_cannot_work_are_refused(option: str, value: object) -> None:
    name = "--" + option.replace("_", "-")
    with pytest.raises(OptionError, match=f"^{name}: ") as caught:
        TrainConfig(**{option: value})
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("option", ["dim", "seed", "x_max", "alpha", "eta", "bias_eta", "grad_clip"])
def test_too_large_numbers_are_refused(option: str) -> None:
    with pytest.raises(OptionError, match=f"^--{option.replace('_', '-')}: .* is too large"):
        TrainConfig(**{option: 10**40})


@pytest.mark.parametrize("option", ["dim", "epochs", "x_max", "eta", "grad_clip"])
def test_zero_is_refused(option: str, cooc: CoocMatrix) -> None:
    with pytest.raises(OptionError, match=f"^--{option.replace('_', '-')}: 0"):
        train(cooc, **{option: 0})


def test_unknown_options_and_thread_counts_are_refused(cooc: CoocMatrix) -> None:
    with pytest.raises((OptionError, TypeError), match="dims"):
        train(cooc, dims=10)
    with pytest.raises(OptionError, match="--threads: 0"):
        train(cooc, threads=0)


def test_no_matrix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="does not exist"):
        train(tmp_path / "cooc")
    assert os.listdir(tmp_path) == []


def test_a_cost_that_is_not_finite_stops_training() -> None:
    rng = np.random.default_rng(0)
    matrix = csr_array(rng.uniform(0.1, 1e30, size=(20, 20)))
    # Biases that move by 1e20 a step overflow within a few entries.
    with pytest.raises(TrainingError, match="finite"):
        train(matrix, [f"w{i}" for i in range(20)], dim=4, epochs=5, bias_eta=1e20, eta=1e20, grad_clip=1e30)


# --- kernels --------------------------------------------------------------------------------------------------------


def test_every_kernel_is_compiled_for_one_signature(cooc: CoocMatrix, tmp_path: Path) -> None:
    text = b"a b c a b\n\na b \xff\n" * 30
    for context in ("symmetric", "left", "right"):
        for chunk in (7, 1000):
            made = build_cooc(
                io.BytesIO(text), tmp_path / f"{context}{chunk}", context=context, _chunk_tokens=chunk, threads=2
            )
            train(made, dim=3, epochs=1, threads=1)
    train(load_cooc(cooc.path), threads=2, **SHORT)
    train(csr_array(np.ones((2, 2), np.int32)), ["a", "b"], dim=np.int32(20), epochs=1, x_max=10, alpha=1, eta=1)
    found = {}
    for module in pkgutil.walk_packages(glove_cli.__path__, "glove_cli."):
        if module.name.rpartition(".")[2].startswith("kernels"):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, Dispatcher):
                    found[f"{module.name}.{name}"] = len(value.signatures)
    assert len(found) >= 4
    # What takes numbers or entries of either data type has a signature for each.
    twice = {f"glove_cli.training.{name}" for name in BOTH}
    assert {name: n for name, n in found.items() if n > (2 if name in twice else 1)} == {}


def test_the_reference_corpus_trains_to_a_lower_cost_with_more_dimensions(
    shared_data: SharedData, tmp_path: Path
) -> None:
    cooc = build_cooc(shared_data.path("stanford/corpus.txt"), tmp_path / "cooc")
    costs = {}
    for dim in (10, 40):
        reports: list[EpochReport] = []
        model = train(cooc, dim=dim, epochs=15, x_max=10.0, on_epoch=reports.append)
        costs[dim] = reports[-1].cost
        assert all(np.isfinite(getattr(model, name)).all() for name in PARAMETERS)
    assert costs[40] < costs[10]
