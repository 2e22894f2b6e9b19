"""The update kernel in float32: against the oracle in float64, and against what the reference wrote.

How far may float32 be from float64? One update of a parameter t by a step s makes three independent errors, u = 2^-24:

- rounding t itself: u |t|
- rounding within the step, whose size is at most rate f |diff| |other| / sqrt(G): a few u of it (products, the
  reciprocal square root, clipping): 4 u |s|
- the error of diff = w.c + b_w + b_c - log x, a sum of d + 3 rounded terms of size S at most: sqrt(d + 3) u S, times
  the rate

With `rate` the step for diff = 1 (f <= 1, G >= 1), so eta max|c| for vectors, bias_eta for biases, and |diff| <= S:

    sigma = u (|t| + rate S (4 + sqrt(d + 3)))

The errors of n updates have independent signs, and an update does not enlarge the errors made before it as long as
eta |c|^2 + bias_eta < 2, so they add up to sqrt(n) sigma; among tens of thousands of parameters six of that are never
exceeded.
"""

from __future__ import annotations

import re

import numpy as np
import oracle
import pytest
from conftest import SharedData

from glove_cli.training.config import TrainConfig
from glove_cli.training.in_order import run_entries

U = 2.0**-24
REFERENCE = {"x_max": 10.0, "alpha": 0.75, "eta": 0.05, "bias_eta": 1.0, "grad_clip": 100.0}
Entries = tuple[np.ndarray, np.ndarray, np.ndarray]


def allowed(theta: oracle.Parameters, entries: Entries, epochs: int, options: dict) -> dict[str, np.ndarray]:
    """Return how far each row of each parameter may be off after some epochs, by the rule above."""
    row, col, _ = entries
    V, d = theta.W.shape
    n = {"w": np.bincount(row, minlength=V) * epochs, "c": np.bincount(col, minlength=V) * epochs}
    vector, bias, terms = sizes(theta, entries)
    out = {}
    for name in theta.names:
        is_bias = name.startswith("b_")
        rate = options["bias_eta"] if is_bias else options["eta"] * vector
        size = bias if is_bias else vector
        sigma = U * (size + rate * terms * (4 + np.sqrt(d + 3)))
        rows = 6 * np.sqrt(n["w" if name in ("W", "b_w") else "c"]) * sigma
        out[name] = rows if is_bias else rows[:, None]
    return out


def sizes(theta: oracle.Parameters, entries: Entries) -> tuple[float, float, float]:
    """Return the largest component of a vector, the largest bias, and S, the largest term of a diff."""
    vector = max(np.abs(theta.W).max(), np.abs(theta.C).max())
    bias = max(np.abs(theta.b_w).max(), np.abs(theta.b_c).max())
    return vector, bias, max(np.abs(np.log(entries[2])).max(), bias, theta.W.shape[1] * vector**2)


def allowed_cost(theta: oracle.Parameters, entries: Entries, cost: float, limits: dict[str, np.ndarray]) -> float:
    """Return how far the mean cost may be off.

    If no diff is off by more than e, the mean of 1/2 f diff^2 is off by at most e sqrt(2 cost) + e^2 / 2 (f <= 1,
    Cauchy and Schwarz). A diff has rounding errors of its own, 6 sqrt(d + 3) u S, and those of the parameters, within
    their limits: of a product 6 sigma of 2 d errors of independent signs, which is sqrt(2 d) limits, and of two biases.
    """
    d = theta.W.shape[1]
    vector, _, terms = sizes(theta, entries)
    most = {name: float(limit.max()) for name, limit in limits.items()}
    e = 6 * np.sqrt(d + 3) * U * terms + np.sqrt(2 * d) * vector * max(most["W"], most["C"]) + most["b_w"] + most["b_c"]
    return e * np.sqrt(2 * cost) + e * e / 2


def single(parts: oracle.Parameters) -> list[np.ndarray]:
    return [np.ascontiguousarray(getattr(parts, name), np.float32) for name in parts.names]


def single_precision(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32).astype(np.float64)


def excess(ours: list[np.ndarray], theirs: oracle.Parameters, limits: dict[str, np.ndarray]) -> float:
    """Return the largest difference as a multiple of what is allowed; rows that no entry touches must be equal."""
    worst = 0.0
    for array, name in zip(ours, theirs.names, strict=True):
        difference = np.abs(array - getattr(theirs, name))
        limit = np.broadcast_to(limits[name], difference.shape)
        # Where nothing is updated, just the rounding of the start to float32 is left.
        slack = U * np.abs(getattr(theirs, name))
        worst = max(worst, float((difference / np.maximum(limit, slack + 1e-300)).max()))
    return worst


def excess_of_sums(ours: list[np.ndarray], theirs: oracle.Parameters, epochs_entries: int) -> float:
    """Return the largest relative difference of the squared-gradient sums as a multiple of what is allowed.

    G is a sum of n squares of steps, each off by a relative 2 (4 + sqrt(d + 3)) u S / |diff|; small diffs count for
    little in the sum, so that it is off by about 2 (4 + sqrt(d + 3)) u, and by sqrt(n) u of rounding it: together below
    6 (30 + sqrt(n)) u for d <= 100.
    """
    limit = 6 * (30 + np.sqrt(epochs_entries)) * U
    return max(
        float((np.abs(array / getattr(theirs, name) - 1) / limit).max())
        for array, name in zip(ours, theirs.names, strict=True)
    )


def random_problem(V: int, d: int, n: int, seed: int) -> tuple[oracle.Parameters, oracle.Parameters, Entries]:
    """Return vectors of a length around 1, sums above 1, and entries of all sizes; all representable in float32."""
    rng = np.random.default_rng(seed)
    scale = min(1.0, 2 / np.sqrt(d))

    def draw(*shape: int) -> np.ndarray:
        return single_precision(rng.uniform(-1, 1, size=shape))

    theta = oracle.Parameters(*(single_precision(scale * draw(V, d)) for _ in "WC"), draw(V), draw(V))
    sums = oracle.Parameters(*(1 + np.abs(draw(*getattr(theta, name).shape)) for name in theta.names))
    gradsq = oracle.Parameters(*(single_precision(getattr(sums, name)) for name in sums.names))
    return theta, gradsq, (rng.integers(V, size=n), rng.integers(V, size=n), np.exp(rng.uniform(-2, 4, size=n)))


def run_both(problem: tuple, options: dict, *, kernel_options: dict | None = None) -> tuple[float, float, float]:
    """Run one pass of both; return the excesses of parameters, sums and cost."""
    theta, gradsq, entries = problem
    parameters, sums = single(theta), single(gradsq)
    config = TrainConfig(dim=theta.W.shape[1], **(kernel_options or options))
    cost = run_entries(*parameters, *sums, *entries, config)
    theta, gradsq = theta.copy(), gradsq.copy()
    expected = oracle.adagrad_pass(theta, gradsq, *entries, **options)
    limits = allowed(theta, entries, 1, options)
    cost_excess = abs(cost - expected) / allowed_cost(theta, entries, expected, limits)
    return excess(parameters, theta, limits), excess_of_sums(sums, gradsq, len(entries[0])), cost_excess


@pytest.mark.parametrize("d", [1, 2, 15, 16, 17, 100])
@pytest.mark.parametrize("n", [1, 2, 300])
def test_kernel_equals_the_oracle(d: int, n: int) -> None:
    for seed in range(3):
        parameters, sums, cost = run_both(random_problem(12, d, n, seed), REFERENCE)
        assert parameters < 1
        assert sums < 1
        assert cost < 1


@pytest.mark.parametrize(
    "options",
    [
        {**REFERENCE, "bias_eta": 0.05},
        {**REFERENCE, "eta": 0.2},
        {**REFERENCE, "alpha": 0.5, "x_max": 3.0},
        {**REFERENCE, "alpha": 1.0, "x_max": 1000.0},
        {**REFERENCE, "grad_clip": 0.01},
    ],
)
def test_kernel_equals_the_oracle_for_other_options(options: dict) -> None:
    for d in (1, 16, 50):
        parameters, sums, cost = run_both(random_problem(10, d, 200, d), options)
        assert parameters < 1
        assert sums < 1
        assert cost < 1


@pytest.mark.parametrize("grows", ["W", "C"])
def test_a_step_that_becomes_too_large_during_a_pass_is_cut(grows: str) -> None:
    # Two entries share a row, which grows so much with the first one that the second makes too large a step, though its
    # diff would not have been too large for the row before.
    options = {**REFERENCE, "eta": 1.0, "bias_eta": 0.0, "grad_clip": 30.0}
    theta, gradsq, _ = random_problem(3, 16, 1, 0)
    theta.W[2], theta.C[2] = (single_precision(-0.2 * part[1]) for part in (theta.W, theta.C))
    row, col = (np.array([0, 0]), np.array([1, 2])) if grows == "W" else (np.array([1, 2]), np.array([0, 0]))
    log_x = [10.0]
    after = theta.copy()
    oracle.adagrad_pass(after, gradsq.copy(), row[:1], col[:1], np.exp(log_x), **options)
    log_x.append(after.W[row[1]] @ after.C[col[1]] + after.b_w[row[1]] + after.b_c[col[1]] + 12.0)
    assert log_x[1] > np.log(options["x_max"])  # f = 1
    problem = (theta, gradsq, (row, col, np.exp(log_x)))
    assert run_both(problem, options)[0] < 1
    assert run_both(problem, options, kernel_options={**options, "grad_clip": 1000.0})[0] > 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"eta": 0.0505},
        {"bias_eta": 0.99},
        {"alpha": 0.76},
        {"x_max": 10.2},
        {"grad_clip": 0.2},
    ],
)
def test_a_slightly_wrong_option_would_be_seen(wrong: dict) -> None:
    parameters, _, _ = run_both(random_problem(12, 16, 300, 0), REFERENCE, kernel_options={**REFERENCE, **wrong})
    assert parameters > 2


def test_a_slightly_wrong_cost_would_be_seen() -> None:
    _, _, cost = run_both(random_problem(12, 16, 300, 0), REFERENCE, kernel_options={**REFERENCE, "x_max": 10.02})
    assert cost > 1


def test_another_order_of_the_entries_would_be_seen() -> None:
    theta, gradsq, entries = random_problem(12, 16, 300, 0)
    parameters, sums = single(theta), single(gradsq)
    run_entries(*parameters, *sums, *(part[::-1].copy() for part in entries), TrainConfig(dim=16, **REFERENCE))
    oracle.adagrad_pass(theta, gradsq, *entries, **REFERENCE)
    assert excess(parameters, theta, allowed(theta, entries, 1, REFERENCE)) > 2


def test_updating_the_context_from_the_new_word_vector_would_be_seen() -> None:
    # The same pass with the mistake made in the oracle: w first, then c from the new w.
    theta, gradsq, entries = random_problem(12, 16, 300, 0)
    parameters, sums = single(theta), single(gradsq)
    run_entries(*parameters, *sums, *entries, TrainConfig(dim=16, **REFERENCE))
    for i, j, x in zip(*(part.tolist() for part in entries), strict=True):
        one = (np.array([i]), np.array([j]), np.array([x]))
        half, half_sums = theta.copy(), gradsq.copy()
        oracle.adagrad_pass(half, half_sums, *one, **REFERENCE)
        theta.W[i], gradsq.W[i] = half.W[i], half_sums.W[i]
        oracle.adagrad_pass(half := theta.copy(), half_sums := gradsq.copy(), *one, **REFERENCE)
        for name in ("C", "b_w", "b_c"):
            setattr(theta, name, getattr(half, name))
            setattr(gradsq, name, getattr(half_sums, name))
    assert excess(parameters, theta, allowed(theta, entries, 1, REFERENCE)) > 2


def test_rows_without_entries_stay_as_they_are() -> None:
    theta, gradsq, _ = random_problem(5, 7, 1, 0)
    parameters, sums = single(theta), single(gradsq)
    before = [array.copy() for array in (*parameters, *sums)]
    run_entries(*parameters, *sums, np.array([1]), np.array([3]), np.array([2.5]), TrainConfig(dim=7))
    for array, old, touched in zip((*parameters, *sums), before, (1, 3) * 4, strict=True):
        changed = np.flatnonzero((array != old).reshape(5, -1).any(axis=1))
        assert changed.tolist() == [touched]


# --- against the reference's files ----------------------------------------------------------------------------------


def test_three_epochs_equal_the_reference(shared_data: SharedData) -> None:
    V, d = 800, 16
    folder = "stanford/train800"
    entries = oracle.read_reference_cooccurrence(shared_data.path("stanford/cooc800.shuf.bin"))
    parameters = single(oracle.read_reference_parameters(shared_data.path(f"{folder}.000.bin"), V, d))
    sums = single(oracle.read_reference_parameters(shared_data.path(f"{folder}.gradsq.000.bin"), V, d))
    logged = [float(cost) for cost in re.findall(rb"cost: ([0-9.]+)", shared_data.bytes(f"{folder}.log"))]
    assert len(logged) == 3
    for epoch, expected in enumerate(logged, 1):
        cost = run_entries(*parameters, *sums, *entries, TrainConfig(dim=d, **REFERENCE))
        # The log has six decimals; the costs of 190,658 entries, each off by 1e-6, average to far less.
        assert abs(cost - expected) < 0.5e-6 + 1e-6 * expected
        if epoch in (1, 3):
            theirs = oracle.read_reference_parameters(shared_data.path(f"{folder}.{epoch:03d}.bin"), V, d)
            their_sums = oracle.read_reference_parameters(shared_data.path(f"{folder}.gradsq.{epoch:03d}.bin"), V, d)
            assert excess(parameters, theirs, allowed(theirs, entries, epoch, REFERENCE)) < 1
            assert excess_of_sums(sums, their_sums, epoch * V) < 1


@pytest.mark.parametrize("wrong", ["eta", "order"])
def test_a_mistake_would_not_equal_the_reference(shared_data: SharedData, wrong: str) -> None:
    V, d = 800, 16
    folder = "stanford/train800"
    entries = oracle.read_reference_cooccurrence(shared_data.path("stanford/cooc800.shuf.bin"))
    parameters = single(oracle.read_reference_parameters(shared_data.path(f"{folder}.000.bin"), V, d))
    sums = single(oracle.read_reference_parameters(shared_data.path(f"{folder}.gradsq.000.bin"), V, d))
    used = tuple(np.roll(part, 1) for part in entries) if wrong == "order" else entries
    options = {**REFERENCE, "eta": 0.0505} if wrong == "eta" else REFERENCE
    run_entries(*parameters, *sums, *used, TrainConfig(dim=d, **options))
    theirs = oracle.read_reference_parameters(shared_data.path(f"{folder}.001.bin"), V, d)
    assert excess(parameters, theirs, allowed(theirs, entries, 1, REFERENCE)) > 2


# --- plain loops, in both data types --------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 16, 50])
@pytest.mark.parametrize("options", [REFERENCE, {**REFERENCE, "grad_clip": 0.01, "alpha": 0.5, "x_max": 3.0}])
def test_the_plain_kernel_equals_the_oracle_in_float64(d: int, options: dict) -> None:
    theta, gradsq, entries = random_problem(12, d, 300, d)
    parameters = [np.array(getattr(theta, name)) for name in theta.names]
    sums = [np.array(getattr(gradsq, name)) for name in gradsq.names]
    cost = run_entries(*parameters, *sums, *entries, TrainConfig(dim=d, dtype="float64", **options))
    expected = oracle.adagrad_pass(theta, gradsq, *entries, **options)
    limits = allowed(theta, entries, 1, options)
    assert abs(cost - expected) < allowed_cost(theta, entries, expected, limits) * 2.0**-29
    for array, name in zip(parameters, theta.names, strict=True):
        # The limits are for float32, whose unit is 2^29 times that of float64.
        assert (np.abs(array - getattr(theta, name)) <= limits[name] * 2.0**-29 + 1e-15).all()
    for array, name in zip(sums, gradsq.names, strict=True):
        np.testing.assert_allclose(array, getattr(gradsq, name), rtol=1e-12)


def test_float64_equals_the_reference_to_the_digits_of_its_files(shared_data: SharedData) -> None:
    V, d = 800, 16
    folder = "stanford/train800"
    entries = oracle.read_reference_cooccurrence(shared_data.path("stanford/cooc800.shuf.bin"))

    def read(name: str) -> list[np.ndarray]:
        theirs = oracle.read_reference_parameters(shared_data.path(f"{folder}.{name}.bin"), V, d)
        return [np.ascontiguousarray(getattr(theirs, part), np.float64) for part in theirs.names]

    parameters, sums = read("000"), read("gradsq.000")
    for epoch in (1, 2, 3):
        run_entries(*parameters, *sums, *entries, TrainConfig(dim=d, dtype="float64", **REFERENCE))
        if epoch in (1, 3):
            for ours, theirs in zip(
                (*parameters, *sums), (*read(f"{epoch:03d}"), *read(f"gradsq.{epoch:03d}")), strict=True
            ):
                np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.75, 1.0, 3.0])
@pytest.mark.parametrize("x_max", [1e-3, 10.0, 1e6])
def test_the_weight_that_the_kernel_finds_is_f(alpha: float, x_max: float) -> None:
    # With all parameters 0 and eta so small that nothing moves, the cost of an entry is 1/2 f (log x)^2.
    for x in np.exp(np.linspace(-12, 12, 49)):
        zeros = [np.zeros(shape, np.float32) for shape in ((1, 1), (1, 1), 1, 1)]
        ones = [np.ones(shape, np.float32) for shape in ((1, 1), (1, 1), 1, 1)]
        config = TrainConfig(dim=1, alpha=alpha, x_max=x_max, eta=1e-12, bias_eta=1e-12)
        one = np.array([0])
        cost = run_entries(*zeros, *ones, one, one, np.array([x]), config)
        f = min(1.0, (x / x_max) ** alpha)
        # log x and log x_max are rounded to float32: their difference is off by u of their sizes, f by alpha as much.
        off = 4 * U * (1 + alpha * (abs(np.log(x)) + abs(np.log(x_max))))
        assert cost == pytest.approx(0.5 * f * np.log(x) ** 2, rel=5e-7 + off, abs=1e-37)
