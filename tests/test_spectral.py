"""Singular vectors of counts, of their logarithms and of positive mutual information, against dense algebra."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from conftest import zipf_text

from glove_cli import GloveModel, build_cooc
from glove_cli.cooc.store import CoocMatrix
from glove_cli.errors import OptionError, OutputError, TrainingError
from glove_cli.spectral import factorize as module
from glove_cli.spectral.config import SpectralConfig
from glove_cli.spectral.factorize import factorize
from glove_cli.spectral.transform import Transformed, sums
from glove_cli.training.counts import find_counts

METHODS = [
    {"method": "pca"},
    {"method": "log-pca"},
    {"method": "ppmi-svd", "smoothing": 1},
    {"method": "ppmi-svd"},
    {"method": "ppmi-svd", "shift": 3, "smoothing": 0.5},
]


@pytest.fixture(scope="module", params=[True, False], ids=["symmetric", "one-sided"])
def counted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CoocMatrix:
    folder = tmp_path_factory.mktemp("counted")
    (folder / "text.txt").write_bytes(zipf_text(6000, 90, 3))
    context = "symmetric" if request.param else "left"
    return build_cooc(folder / "text.txt", folder / "cooc", min_count=2, window=5, context=context)


def dense(cooc: CoocMatrix, method: str, shift: float = 1, smoothing: float = 0.75) -> np.ndarray:
    """Return the transformed matrix by the formulas, entry by entry."""
    X = cooc.to_scipy().toarray()
    if method == "pca":
        return X
    if method == "log-pca":
        return np.log(1 + X)
    P_word = X.sum(axis=1) / X.sum()
    P_context = X.sum(axis=0) ** smoothing / (X.sum(axis=0) ** smoothing).sum()
    result = np.zeros_like(X)
    for i, j in zip(*np.nonzero(X), strict=True):
        result[i, j] = max(0, np.log(X[i, j] / X.sum() / (P_word[i] * P_context[j])) - np.log(shift))
    return result


@pytest.mark.parametrize("options", METHODS)
def test_the_matrix_is_what_the_formula_says(counted: CoocMatrix, options: dict[str, Any]) -> None:
    A = Transformed(find_counts(counted, None, None), SpectralConfig(**options))
    expected = dense(counted, **options)
    x = np.random.default_rng(1).normal(size=len(expected))
    np.testing.assert_allclose(A.times(x), expected @ x, atol=1e-8)
    np.testing.assert_allclose(A.transposed_times(x[:, np.newaxis]), expected.T @ x, atol=1e-8)
    np.testing.assert_allclose(A.norm2(), np.square(expected).sum())
    assert A.nnz == np.count_nonzero(expected)


@pytest.mark.parametrize("options", METHODS)
@pytest.mark.parametrize("eig", [0, 0.5, 1])
def test_the_model_is_the_closest_of_its_rank(counted: CoocMatrix, options: dict[str, Any], eig: float) -> None:
    model = factorize(counted, dim=7, eig=eig, **options)
    U, S, Vt = np.linalg.svd(dense(counted, **options))
    closest = (U[:, :7] * S[:7]) @ Vt[:7]
    np.testing.assert_allclose(model.W.astype(float) @ model.C.T.astype(float), closest, atol=2e-4 * S[0])
    np.testing.assert_allclose(model.meta["singular_values"], S[:7], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(model.W, axis=0), S[:7] ** eig, rtol=1e-4)
    assert model.meta["explained"] == pytest.approx(np.square(S[:7]).sum() / np.square(S).sum())


def test_pieces_are_the_whole(counted: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    from glove_cli.spectral import transform

    whole = factorize(counted, dim=5)
    monkeypatch.setattr(transform, "_PIECE", 37)
    X = counted.to_scipy()
    for found, axis in zip(sums(find_counts(counted, None, None)), (1, 0), strict=True):
        np.testing.assert_allclose(found, X.sum(axis=axis))
    np.testing.assert_array_equal(factorize(counted, dim=5).W, whole.W)


def test_the_same_call_gives_the_same_bytes(counted: CoocMatrix, tmp_path: Path) -> None:
    for name in ("a", "b"):
        factorize(counted, dim=5, out=tmp_path / name)
    for file in ("W.npy", "C.npy", "vocab.txt"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert np.array_equal(GloveModel.load(tmp_path / "a").W, factorize(counted, dim=5).W)


def test_any_matrix_of_scipy_will_do() -> None:
    matrix = scipy.sparse.random_array((30, 30), density=0.3, rng=1)
    words = [f"w{i}" for i in range(30)]
    model = factorize(matrix, words, method="pca", dim=4)
    U, S, Vt = np.linalg.svd(matrix.toarray())
    np.testing.assert_allclose(model.W @ model.C.T, (U[:, :4] * S[:4]) @ Vt[:4], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "svd"}, "--method: 'svd' is none of pca, log-pca, ppmi-svd"),
        ({"method": "glove"}, "--method: 'glove' is none of"),
        ({"dim": 0}, "--dim: 0 is not an integer from 1"),
        ({"shift": 0.5}, r"--shift: 0\.5 is not a number from 1"),
        ({"smoothing": 2}, "--smoothing: 2 is not a number from 0 to 1"),
        ({"eig": float("nan")}, "--eig: nan is not a number"),
        ({"epochs": 3}, "epochs: is not an option of it"),
    ],
)
def test_options_that_cannot_work_are_refused(counted: CoocMatrix, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        factorize(counted, **options)


def test_what_cannot_be_factorized_is_refused(counted: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match=r"--dim: \d+ numbers for \d+ words: there must be more words"):
        factorize(counted, dim=counted.V)
    with pytest.raises(TrainingError, match=r"--method: ppmi-svd leaves \d+ entries that aren't 0"):
        factorize(counted, dim=50, shift=1e6)
    with pytest.raises(TrainingError, match="not positive and finite"):
        factorize(scipy.sparse.csr_array(-np.eye(9)), [*"abcdefghi"], dim=2)
    monkeypatch.setattr(module, "allowed_memory", lambda: 1000)
    with pytest.raises(TrainingError, match="of memory, there are"):
        factorize(counted, dim=3)


def test_an_existing_model_stays(counted: CoocMatrix, tmp_path: Path) -> None:
    factorize(counted, dim=3, out=tmp_path / "m")
    with pytest.raises(OutputError, match="already exists"):
        factorize(counted, dim=4, out=tmp_path / "m")
    assert factorize(counted, dim=4, out=tmp_path / "m", force=True).dim == 4
