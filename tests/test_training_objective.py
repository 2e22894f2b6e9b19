"""The objective and its gradient: against the oracle, automatic differentiation, and finite differences."""

from __future__ import annotations

import autograd
import autograd.numpy as anp
import numpy as np
import oracle
import pytest
from scipy.sparse import csr_array

from glove_cli.training.objective import gradient, objective

V, D, N = 6, 4, 25
OPTIONS = {"x_max": 10.0, "alpha": 0.75}


@pytest.fixture
def problem() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Give parameters and entries: each pair at most once, some above x_max, one at it."""
    rng = np.random.default_rng(11)
    parameters = [rng.normal(size=(V, D)), rng.normal(size=(V, D)), rng.normal(size=V), rng.normal(size=V)]
    pairs = rng.choice(V * V, size=N, replace=False)
    x = rng.uniform(0.01, 30.0, size=N)
    x[0] = OPTIONS["x_max"]
    return parameters, [pairs // V, pairs % V, x]


def test_equal_to_the_oracle(problem: tuple) -> None:
    parameters, entries = problem
    theta = oracle.Parameters(*parameters)
    expected = oracle.objective(theta, *entries, **OPTIONS)
    # Sums of N (resp. at most V) products of d terms, in another order: N d roundings of 1e-16 each.
    assert objective(*parameters, *entries, **OPTIONS) == pytest.approx(expected, rel=N * D * 2.0**-52)
    slopes = oracle.gradient(theta, *entries, **OPTIONS)
    for ours, name in zip(gradient(*parameters, *entries, **OPTIONS), oracle.Parameters.names, strict=True):
        theirs = getattr(slopes, name)
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=N * D * 2.0**-52 * np.abs(theirs).max())


def test_gradient_equals_automatic_differentiation(problem: tuple) -> None:
    parameters, (row, col, x) = problem

    def j(W: np.ndarray, C: np.ndarray, b_w: np.ndarray, b_c: np.ndarray) -> float:
        f = np.where(x < OPTIONS["x_max"], (x / OPTIONS["x_max"]) ** OPTIONS["alpha"], 1.0)
        diff = anp.sum(W[row] * C[col], axis=1) + b_w[row] + b_c[col] - np.log(x)
        return anp.sum(f * diff**2)

    assert objective(*parameters, row, col, x, **OPTIONS) == pytest.approx(j(*parameters), rel=1e-14)
    exact = gradient(*parameters, row, col, x, **OPTIONS)
    for number, ours in enumerate(exact):
        theirs = autograd.grad(j, number)(*parameters)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=N * D * 2.0**-52 * np.abs(theirs).max())


def test_gradient_equals_finite_differences(problem: tuple) -> None:
    parameters, entries = problem
    exact = gradient(*parameters, *entries, **OPTIONS)
    h = 1e-5
    for array, slopes in zip(parameters, exact, strict=True):
        for position in np.ndindex(array.shape):
            kept = array[position]
            values = []
            for moved in (kept + h, kept - h):
                array[position] = moved
                values.append(objective(*parameters, *entries, **OPTIONS))
            array[position] = kept
            # J is a polynomial of degree 2 in each parameter: a central difference has rounding errors only, eps J / h.
            assert abs((values[0] - values[1]) / (2 * h) - slopes[position]) <= 4 * 2.0**-52 * values[0] / h


def test_float32_parameters_are_summed_in_float64(problem: tuple) -> None:
    parameters, entries = problem
    single = [array.astype(np.float32) for array in parameters]
    double = [array.astype(np.float64) for array in single]
    assert objective(*single, *entries, **OPTIONS) == objective(*double, *entries, **OPTIONS)
    for ours, theirs in zip(
        gradient(*single, *entries, **OPTIONS), gradient(*double, *entries, **OPTIONS), strict=True
    ):
        assert ours.dtype == np.float64
        assert np.array_equal(ours, theirs)


def test_the_gradient_vanishes_where_every_entry_is_met() -> None:
    x = csr_array(np.array([[1.0, 4.0], [4.0, 16.0]])).tocoo()
    b = np.log([1.0, 4.0])
    parameters = [np.zeros((2, 3)), np.zeros((2, 3)), b, b]
    assert objective(*parameters, x.row, x.col, x.data, **OPTIONS) == 0
    assert all(not part.any() for part in gradient(*parameters, x.row, x.col, x.data, **OPTIONS))
