"""Vectors changed after training, against the same written with plain NumPy."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from glove_cli.errors import OptionError
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.process import Step, parse_steps, process_vectors

V, D = 300, 12
VALUES = np.random.default_rng(3).normal(size=(V, D)).astype(np.float32) * np.linspace(1, 4, D, dtype=np.float32) + 1
VECTORS = WordVectors([f"w{i}" for i in range(V)], VALUES)


def processed(steps: str) -> np.ndarray:
    return process_vectors(VECTORS, steps).matrix


def principal(values: np.ndarray) -> np.ndarray:
    """Return the principal directions as rows, strongest first."""
    return np.linalg.svd(values - values.mean(axis=0), full_matrices=False)[2]


def test_unit_scales_each_vector_to_length_one_and_leaves_zeros() -> None:
    np.testing.assert_allclose(np.linalg.norm(processed("unit"), axis=1), 1, rtol=1e-6)
    zeros = process_vectors(WordVectors(["a", "b"], np.array([[0, 0], [3, 4]], np.float32)), "unit")
    np.testing.assert_allclose(zeros.matrix, [[0, 0], [0.6, 0.8]], rtol=1e-6)


def test_mean_subtracts_that_of_all_or_of_the_first_words() -> None:
    np.testing.assert_allclose(processed("mean"), VALUES - VALUES.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(processed("mean:10"), VALUES - VALUES[:10].mean(axis=0), atol=1e-5)


@pytest.mark.parametrize(("step", "number"), [("top", 1), ("top:1", 1), ("top:5", 5)])
def test_top_removes_the_strongest_directions(step: str, number: int) -> None:
    centred = VALUES - VALUES.mean(axis=0)
    directions = principal(VALUES)[:number]
    np.testing.assert_allclose(processed(step), centred - centred @ directions.T @ directions, atol=1e-4)


def test_pca_gives_the_coordinates_along_the_strongest_directions() -> None:
    found = processed("pca:4")
    directions = principal(VALUES)[:4]
    directions *= np.sign(directions[np.arange(4), np.abs(directions).argmax(axis=1)])[:, np.newaxis]
    assert found.shape == (V, 4)
    np.testing.assert_allclose(found, (VALUES - VALUES.mean(axis=0)) @ directions.T, atol=1e-4)


@pytest.mark.parametrize(
    ("steps", "power", "number"), [("whiten:0.3", 0.3, V), ("whiten:1", 1.0, V), ("whiten:.5:40", 0.5, 40)]
)
def test_whiten_evens_out_the_directions_of_the_first_words(steps: str, power: float, number: int) -> None:
    some = VALUES[:number].astype(float)
    found = processed(steps).astype(float)
    np.testing.assert_allclose(found[:number].mean(axis=0), 0, atol=1e-5)
    before, after = (np.linalg.eigvalsh(np.cov(rows.T, bias=True)) for rows in (some, found[:number]))
    np.testing.assert_allclose(after, before ** (1 - power), rtol=1e-4)
    directions = principal(some)
    coordinates = (VALUES - some.mean(axis=0)) @ directions.T
    expected = coordinates / coordinates[:number].std(axis=0) ** power @ directions
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_whiten_does_not_magnify_what_hardly_varies() -> None:
    flat = VALUES.copy()
    flat[:, 0] = 1
    flat[-1, 0] = 2
    found = process_vectors(WordVectors(VECTORS.words, flat), "whiten:1:299").matrix
    assert np.abs(found).max() < 1100  # a factor of 1000 at most
    with pytest.raises(OptionError, match=r"whiten:0\.5 needs vectors that differ"):
        process_vectors(WordVectors(["a", "b"], np.ones((2, 3), np.float32)), "whiten:0.5")


@pytest.mark.parametrize("text", ["unit", "mean:10", "top:2", "pca:4", "whiten:0.3", "whiten:0.3:5000"])
def test_a_step_is_written_as_it_is_read(text: str) -> None:
    assert ",".join(map(str, parse_steps(text))) == text


def test_steps_are_done_in_their_order() -> None:
    assert parse_steps("mean:10, top:2,unit") == (Step("mean", 10), Step("top", 2), Step("unit"))
    unit = VALUES / np.linalg.norm(VALUES, axis=1, keepdims=True)
    np.testing.assert_allclose(processed("unit,mean"), unit - unit.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(processed("mean,unit"), axis=1), 1, rtol=1e-6)


def test_vectors_that_are_processed_are_not_changed() -> None:
    before = VALUES.copy()
    processed("unit,mean,top,pca:3")
    assert np.array_equal(VALUES, before)


def test_several_steps_need_the_memory_of_one() -> None:
    V, d = 400_000, 8
    vectors = WordVectors(range(V), np.ones((V, d), np.float32))  # type: ignore[arg-type]
    tracemalloc.start()
    process_vectors(vectors, "mean,unit,mean,unit")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * V * d * 4  # one result, and some blocks of 16,384 rows in float64


def test_what_top_leaves_is_never_rounding_errors_alone() -> None:
    few = WordVectors(["a", "b", "c", "d"], VALUES[:4])  # they span three dimensions around their mean
    assert np.abs(process_vectors(few, "top:2").matrix).max() > 0.1
    with pytest.raises(OptionError, match=r"top:3 would leave nothing of 4 words with 12 dimensions"):
        process_vectors(few, "top:3")
    with pytest.raises(OptionError, match=r"top would leave nothing of 2 words"):
        process_vectors(WordVectors(["a", "b"], VALUES[:2]), "top")


@pytest.mark.parametrize(
    "steps",
    [
        *("", "mean,", "Mean", "unit:2", "pca", "pca:", "pca:0", "top:-1", "top:1.5", "mean:٣", "pca:2:3"),
        *("whiten", "whiten:0", "whiten:1.1", "whiten:nan", "whiten:x", "whiten:0.3:0", "whiten:0.3:5:6"),
    ],
)
def test_a_step_that_is_none_is_refused(steps: str) -> None:
    with pytest.raises(OptionError, match=r"--process: .* is no step"):
        parse_steps(steps)


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("mean:301", "more words than the 300"),
        ("top:12", "leave nothing of 300 words with 12"),
        ("pca:13", "more than the 12"),
        ("whiten:0.3:301", "more words than the 300"),
    ],
)
def test_a_step_that_asks_for_more_than_there_is_is_refused(steps: str, reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        processed(steps)


def test_a_step_that_makes_numbers_too_large_is_refused() -> None:
    matrix = np.zeros((4, 2), np.float32)
    matrix[3] = 3.3e38
    with pytest.raises(OptionError, match="--process: makes numbers too large for 32 bits"):
        process_vectors(WordVectors(["a", "b", "c", "d"], matrix), "pca:2")
