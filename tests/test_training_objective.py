"""The objective and its gradient: against the oracle, automatic differentiation, and finite differences."""

from __future__ import annotations

import autograd
import autograd.numpy as anp
import numpy as np
import oracle
import pytest
from scipy.sparse import csr_array

from glove_cli.training.anchor import Anchor
from glove_cli.training.objective import anchor_gradient, anchor_penalty, gradient, objective
from glove_cli.training.state import Rows, State

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


# --- the penalty towards given vectors ------------------------------------------------------------------------------

KNOWN = np.array([0, 2, 5])
STRENGTH = 0.3


@pytest.fixture
def anchored(problem: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give word vectors, context vectors, and vectors that three words are held to."""
    (W, C, *_), _ = problem
    return W, C, np.random.default_rng(4).normal(size=(len(KNOWN), D))


def test_the_penalty_is_that_of_the_paper(anchored: tuple) -> None:
    W, C, r = anchored
    expected = sum(
        STRENGTH * float(np.sum((W[i] + C[i] - r[k]) ** 2)) for k, i in enumerate(KNOWN.tolist())
    )  # mu sum ||w_i + c_i - r_i||^2
    assert anchor_penalty(W, C, r, KNOWN, STRENGTH) == pytest.approx(expected, rel=1e-14)


def test_gradient_of_the_penalty_equals_automatic_differentiation(anchored: tuple) -> None:
    W, C, r = anchored

    def penalty(W: np.ndarray, C: np.ndarray) -> float:
        return STRENGTH * anp.sum((W[KNOWN] + C[KNOWN] - r) ** 2)

    for number, ours in enumerate(anchor_gradient(W, C, r, KNOWN, STRENGTH)):
        theirs = autograd.grad(penalty, number)(W, C)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=8 * 2.0**-52 * np.abs(theirs).max())


def test_gradient_of_the_penalty_equals_finite_differences(anchored: tuple) -> None:
    W, C, r = anchored
    h = 1e-5
    for array, slopes in zip((W, C), anchor_gradient(W, C, r, KNOWN, STRENGTH), strict=True):
        for position in np.ndindex(array.shape):
            kept = array[position]
            values = []
            for moved in (kept + h, kept - h):
                array[position] = moved
                values.append(anchor_penalty(W, C, r, KNOWN, STRENGTH))
            array[position] = kept
            # A polynomial of degree 2: rounding errors only.
            assert abs((values[0] - values[1]) / (2 * h) - slopes[position]) <= 4 * 2.0**-52 * values[0] / h


def pulled(W: np.ndarray, C: np.ndarray, r: np.ndarray, sums: np.ndarray, strength: float, eta: float) -> State:
    """Return the state after a step of the penalty; both sides have the same sums of squares."""
    place = np.array([3, 0, 4, 1, 6, 2], np.int32)
    state = State.empty(place, 8, D, eta=eta, bias_eta=1.0, dtype="float64")
    for side, vectors in enumerate((W, C)):
        state.put(side, np.arange(V), Rows(vectors, np.zeros(V), sums, np.ones(V)))
    vectors, known = np.zeros((8, D)), np.zeros(8, bool)
    vectors[place[KNOWN]], known[place[KNOWN]] = r, True
    anchor = Anchor(vectors, known, strength)
    for first in (0, 4):
        anchor.pull(state, first, first + 4, eta)
    return state


def test_a_weak_pull_is_a_step_by_adagrad_along_the_gradient(anchored: tuple) -> None:
    W, C, r = anchored
    sums = np.random.default_rng(6).uniform(1, 9, size=(V, D))
    strength, eta = 1e-7, 0.05
    state = pulled(W, C, r, sums, strength, eta)
    for side, (before, slope) in enumerate(zip((W, C), anchor_gradient(W, C, r, KNOWN, strength), strict=True)):
        after = state.take(side, np.arange(V))
        # The step is an implicit one; it differs from the explicit one by the square of the rate, 1e-8 of it.
        # Half the gradient, as with the entries.
        np.testing.assert_allclose(after.vectors - before, -eta * slope / 2 / np.sqrt(sums), rtol=1e-6, atol=1e-16)


@pytest.mark.parametrize("strength", [0.1, 1.0, 1e3, 1e12])
def test_a_pull_solves_the_implicit_step(anchored: tuple, strength: float) -> None:
    W, C, r = anchored
    sums = np.random.default_rng(6).uniform(1, 9, size=(V, D))
    eta = 0.05
    state = pulled(W, C, r, sums, strength, eta)
    new_W, new_C = (state.take(side, np.arange(V)).vectors for side in (0, 1))
    for before, after, slope in zip(
        (W, C), (new_W, new_C), anchor_gradient(new_W, new_C, r, KNOWN, strength), strict=True
    ):
        # The gradient at the new point, not at the old one; for a huge strength it is a small difference of large ones.
        size = eta * strength * 2.0**-50
        np.testing.assert_allclose(after, before - eta * slope / 2 / np.sqrt(sums), rtol=1e-12, atol=size + 1e-15)
        if strength <= 1e3:
            grown = state.take(0, np.arange(V)).gradsq - sums
            np.testing.assert_allclose(grown, (eta * slope / 2) ** 2, rtol=1e-6, atol=1e-9)
    apart = np.abs((new_W + new_C)[KNOWN] - r)
    assert (apart <= np.abs((W + C)[KNOWN] - r)).all()  # never beyond
    others = np.setdiff1d(np.arange(V), KNOWN)
    assert np.array_equal(new_W[others], W[others])
    assert np.array_equal(new_C[others], C[others])
    for side, lengths in ((state.words, state.word_lengths), (state.contexts, state.context_lengths)):
        values = side[:, : side.shape[1] // 2]
        assert (lengths >= np.linalg.norm(values, axis=1)).all()
