"""Arrays of a user's own: of another type, shape or order they are taken as they are meant, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from test_vectors_export import make_model

from glove_cli import train
from glove_cli.errors import FormatError, TrainingError
from glove_cli.model import GloveModel
from glove_cli.vectors.export import export_vectors
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.load import load_vectors
from glove_cli.vocab import Vocab

WORDS = [f"w{i}" for i in range(6)]
MATRIX = np.random.default_rng(1).integers(-40, 40, (6, 4)).astype(np.float32)
COUNTS = np.arange(6, 0, -1)
Change = Callable[[np.ndarray], Any]


@pytest.mark.parametrize(
    "change",
    [
        np.asfortranarray,
        np.ndarray.tolist,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a[::-1][::-1],
        *(lambda a, dtype=dtype: a.astype(dtype) for dtype in ("f8", "f2", ">f4", "i1", "i8")),
    ],
)
def test_vectors_in_any_array_of_numbers_are_the_same(tmp_path: Path, change: Change) -> None:
    plain, changed = WordVectors(WORDS, MATRIX), WordVectors(WORDS, change(MATRIX))
    assert changed.nearest("w1", 3) == plain.nearest("w1", 3)
    for name in ("v.txt", "v.bin", "v.npy", "v.kv", "v.safetensors"):
        export_vectors(changed, tmp_path / name)
        assert np.array_equal(load_vectors(tmp_path / name).matrix, MATRIX)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.astype(complex), "are complex64|are complex128"),
        (lambda a: a.astype(object), "are object"),
        (lambda a: a.astype(str), "are <U"),
        (lambda a: a > 0, "are bool"),
        (lambda a: a[:-1], r"6 words, but an array of shape \(5, 4\)"),
        (lambda a: a[:, 0], r"6 words, but an array of shape \(6,\)"),
        (lambda a: a[:, :, np.newaxis], r"shape \(6, 4, 1\)"),
        (lambda a: a[:, :0], r"shape \(6, 0\)"),
    ],
)
def test_what_is_no_array_of_vectors_is_refused(change: Change, message: str) -> None:
    with pytest.raises(FormatError, match=f"^vectors: .*({message})"):
        WordVectors(WORDS, change(MATRIX))


@pytest.mark.parametrize("change", [np.ndarray.tolist, lambda a: a.astype(np.uint8), lambda a: np.repeat(a, 2)[::2]])
def test_counts_in_any_array_of_integers_are_the_same(change: Change) -> None:
    vocab = Vocab(WORDS, change(COUNTS))
    assert vocab.counts.dtype == np.int64
    assert vocab == Vocab(WORDS, COUNTS)


@pytest.mark.parametrize(
    ("words", "counts", "message"),
    [
        (WORDS, COUNTS / 2, "its counts are float64"),
        (WORDS, COUNTS[:, np.newaxis], "its counts are int64, in 2 dimensions"),
        (WORDS, [None] * 6, "its counts are object"),
        (WORDS, COUNTS[:-1], "6 words but 5 counts"),
        ([b"a", b"b"], [2, 1], "has a word of type bytes"),
        (["a", 3], [2, 1], "has a word of type int"),
    ],
)
def test_what_is_no_vocabulary_is_refused(words: Any, counts: Any, message: str) -> None:
    with pytest.raises(FormatError, match=f"^vocabulary: {message}"):
        Vocab(words, counts)


@pytest.mark.parametrize("name", ["W", "C", "b_w", "gradsq_C", "gradsq_b_c"])
@pytest.mark.parametrize("cut", [lambda a: a[:-1], lambda a: a[..., np.newaxis], lambda a: a[:0]])
def test_a_model_whose_arrays_do_not_fit_together_is_refused(name: str, cut: Change) -> None:
    model = make_model()
    with pytest.raises(FormatError, match=r"^model: \w+ has the shape"):
        replace(model, **{name: cut(getattr(model, name))})


def test_vectors_and_contexts_of_different_lengths_are_refused() -> None:
    model = make_model()
    with pytest.raises(FormatError, match=r"^model: C has the shape"):
        replace(model, C=model.C[:, :-1], gradsq_C=model.gradsq_C[:, :-1])


def test_a_model_in_any_order_of_memory_is_the_same(tmp_path: Path) -> None:
    model = make_model()
    replace(model, W=np.asfortranarray(model.W), C=np.repeat(model.C, 2, axis=1)[:, ::2]).save(tmp_path / "m")
    assert np.array_equal(GloveModel.load(tmp_path / "m").W, model.W)
    assert np.array_equal(GloveModel.load(tmp_path / "m").C, model.C)


SQUARE = scipy.sparse.csr_array(np.arange(36.0).reshape(6, 6))


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.tocsc(), lambda m: m.tocoo(), lambda m: m.astype(np.float32), lambda m: m.astype(np.int16),
        lambda m: scipy.sparse.csr_array((m.data, m.indices.astype(np.int64), m.indptr)),
        lambda m: m[::-1][::-1],
    ],
)  # fmt: skip
def test_a_matrix_in_any_form_trains_to_the_same_bytes(tmp_path: Path, change: Callable[[Any], Any]) -> None:
    options: dict[str, Any] = {"words": WORDS, "dim": 4, "epochs": 2, "threads": 1}
    plain = train(SQUARE, out=tmp_path / "plain", **options)
    changed = train(change(SQUARE), out=tmp_path / "changed", **options)
    assert np.array_equal(plain.W, changed.W)
    assert np.array_equal(plain.b_c, changed.b_c)


def broken(**arrays: Any) -> scipy.sparse.csr_array:
    """Return a matrix whose arrays were changed behind SciPy's back."""
    matrix = SQUARE.copy()
    for name, array in arrays.items():
        setattr(matrix, name, array)
    return matrix


@pytest.mark.parametrize(
    "matrix",
    [
        broken(indices=SQUARE.indices + 1000),
        broken(indices=SQUARE.indices - 3),
        broken(indptr=SQUARE.indptr * 7),
        broken(indptr=SQUARE.indptr[::-1].copy()),
        broken(indptr=SQUARE.indptr[:-2]),
        broken(data=SQUARE.data[:-3]),
        broken(data=SQUARE.data[:, np.newaxis]),
        broken(data=SQUARE.data.astype(object)),
        broken(data=SQUARE.data - 3),
        broken(data=SQUARE.data * np.nan),
        SQUARE * 1j,
        SQUARE[:, :5],
        SQUARE[:5, :5],
    ],
)
def test_a_broken_matrix_is_refused_before_it_reaches_a_kernel(tmp_path: Path, matrix: Any) -> None:
    with pytest.raises(TrainingError, match=r"^matrix: "):
        train(matrix, words=WORDS, out=tmp_path / "model", dim=4, epochs=1, threads=1)
    assert list(tmp_path.iterdir()) == []
