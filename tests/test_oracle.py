"""The oracle against numbers worked by hand, against differences, and against what the reference wrote."""

from __future__ import annotations

import math
import re

import numpy as np
import oracle
import pytest
from conftest import SharedData


def test_tokens_end_at_space_tab_and_line_feed_only() -> None:
    text = b"a  b\tc\n\n \t\r\nd\re\x0bf\xc2\xa0g\x00 \xff"
    assert oracle.tokenize(text) == [[b"a", b"b", b"c"], [b"de\x0bf\xc2\xa0g\x00", b"\xff"]]


def test_vocabulary_orders_by_count_then_bytes() -> None:
    documents = [[b"b", b"a", b"\xc3\xa9", b"c", b"c"], [b"rare", b"a", b"b", b"\xc3\xa9"]]
    assert oracle.vocabulary(documents, 2) == [(b"a", 2), (b"b", 2), (b"c", 2), (b"\xc3\xa9", 2)]
    assert oracle.vocabulary(documents, 1, 1) == [(b"a", 2)]
    assert sorted([b"a", b"\xc3\xa9"], key=oracle.signed_bytes) == [b"\xc3\xa9", b"a"]


def test_cooccurrence_by_hand() -> None:
    # the document is "a b a x a" and x is unknown: a b a a
    documents = [[b"a", b"b", b"a", b"x", b"a"], [b"b"]]
    third = round(2**24 / 3) / 2**24
    left = oracle.cooccurrence(documents, [b"a", b"b"], window=3, context="left")
    assert left == {(0, 1): 1.0, (1, 0): 1.0 + 0.5, (0, 0): 0.5 + third + 1.0}
    right = oracle.cooccurrence(documents, [b"a", b"b"], window=3, context="right")
    assert right == {(j, i): x for (i, j), x in left.items()}
    both = oracle.cooccurrence(documents, [b"a", b"b"], window=3)
    assert both == {(0, 1): 2.5, (1, 0): 2.5, (0, 0): 2 * (1.5 + third)}
    flat = oracle.cooccurrence(documents, [b"a", b"b"], window=1, weighting="flat")
    assert flat == {(0, 1): 2.0, (1, 0): 2.0, (0, 0): 2.0}


@pytest.mark.parametrize("context", ["symmetric", "left", "right"])
@pytest.mark.parametrize("weighting", ["harmonic", "flat"])
def test_total_weight_is_the_sum_of_all_entries(context: str, weighting: str) -> None:
    documents = oracle.tokenize(b"a b c a b\nc c x c c a\nb\n")
    options = {"window": 4, "context": context, "weighting": weighting}
    entries = oracle.cooccurrence(documents, [b"a", b"b", b"c"], **options)
    assert sum(entries.values()) == oracle.total_weight(documents, [b"a", b"b", b"c"], **options)


def test_weights_are_within_half_a_unit_of_one_over_distance() -> None:
    for distance in range(1, 1000):
        assert abs(oracle.weight_units(distance, "harmonic") - 2**24 / distance) <= 0.5


def test_one_update_by_hand() -> None:
    # One entry, d = 1: w = 2, c = 3, biases 0.5 and 0.25, x = e, x_max = 4e, alpha = 0.5,
    # so f = 1/2, diff = 5.75, f diff = 2.875.
    theta = oracle.Parameters(np.array([[2.0]]), np.array([[3.0]]), np.array([0.5]), np.array([0.25]))
    gradsq = oracle.Parameters(np.array([[4.0]]), np.array([[9.0]]), np.array([16.0]), np.array([25.0]))
    entry = (np.array([0]), np.array([0]), np.array([math.e]))
    cost = oracle.adagrad_pass(theta, gradsq, *entry, x_max=4 * math.e, alpha=0.5, eta=0.1, bias_eta=0.2, grad_clip=8.0)
    assert cost == pytest.approx(0.5 * 0.5 * 5.75**2)
    assert theta.W[0, 0] == pytest.approx(2 - 0.1 * 8 / 2)  # 2.875 * 3 is clipped to 8
    assert theta.C[0, 0] == pytest.approx(3 - 0.1 * 2.875 * 2 / 3)  # from the w of before the update
    assert theta.b_w[0] == pytest.approx(0.5 - 0.2 * 2.875 / 4)
    assert theta.b_c[0] == pytest.approx(0.25 - 0.2 * 2.875 / 5)
    assert gradsq.W[0, 0] == pytest.approx(4 + 0.8**2)
    assert gradsq.C[0, 0] == pytest.approx(9 + 0.575**2)
    assert gradsq.b_w[0] == pytest.approx(16 + 0.575**2)
    assert gradsq.b_c[0] == pytest.approx(25 + 0.575**2)


def test_gradient_equals_finite_differences_of_the_objective() -> None:
    rng = np.random.default_rng(5)
    V, d, n = 4, 3, 9
    theta = oracle.Parameters(rng.normal(size=(V, d)), rng.normal(size=(V, d)), rng.normal(size=V), rng.normal(size=V))
    row, col, x = rng.integers(V, size=n), rng.integers(V, size=n), rng.uniform(0.1, 20, size=n)
    options = {"x_max": 10.0, "alpha": 0.75}
    exact = oracle.gradient(theta, row, col, x, **options)
    h = 1e-5
    for name in theta.names:
        array = getattr(theta, name)
        for position in np.ndindex(array.shape):
            kept = array[position]
            array[position] = kept + h
            above = oracle.objective(theta, row, col, x, **options)
            array[position] = kept - h
            below = oracle.objective(theta, row, col, x, **options)
            array[position] = kept
            # J is a polynomial of degree 2 in each parameter: a central difference has no truncation error,
            # only rounding, eps J / h.
            limit = 4 * np.finfo(float).eps * above / h
            assert abs((above - below) / (2 * h) - getattr(exact, name)[position]) <= limit


def test_analogies_and_spearman_by_hand() -> None:
    vectors = np.array([[1.0, 0.0], [2.0, 2.0], [0.0, 3.0], [-1.0, 1.0], [0.0, -1.0]])
    assert (
        oracle.analogy_answer(vectors, 0, 1, 2) == 3
    )  # nearest to (1,1)/sqrt2 - (1,0) + (0,1) but for the three given
    assert oracle.average_ranks([3.0, 1.0, 3.0]) == [2.5, 1.0, 2.5]
    assert oracle.spearman([1, 2, 3], [2, 4, 9]) == pytest.approx(1.0)
    assert oracle.spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
    assert oracle.spearman([1, 2, 2, 3], [1, 3, 2, 4]) == pytest.approx(3 / math.sqrt(10))


# --- against the reference's files ----------------------------------------------------------------------------------


def test_vocabulary_equals_the_reference(shared_data: SharedData) -> None:
    ours = oracle.vocabulary(oracle.tokenize(shared_data.bytes("stanford/corpus.txt")), 5)
    theirs = oracle.read_reference_vocab(shared_data.path("stanford/vocab.txt"))
    assert sorted(ours) == sorted(theirs)
    assert sorted(ours, key=lambda pair: (-pair[1], oracle.signed_bytes(pair[0]))) == theirs


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("symmetric.w15", {"window": 15}),
        ("left.w10", {"window": 10, "context": "left"}),
        ("flat.w5", {"window": 5, "weighting": "flat"}),
    ],
)
def test_cooccurrence_equals_the_reference(shared_data: SharedData, name: str, options: dict) -> None:
    documents = oracle.tokenize(shared_data.bytes("stanford/corpus.txt"))
    words = [word for word, _ in oracle.read_reference_vocab(shared_data.path("stanford/vocab.txt"))]
    ours = oracle.cooccurrence(documents, words, **options)
    row, col, x = oracle.read_reference_cooccurrence(shared_data.path(f"stanford/cooccurrence.{name}.bin"))
    theirs = dict(zip(zip(row.tolist(), col.tolist(), strict=True), x.tolist(), strict=True))
    assert ours.keys() == theirs.keys()
    # 1/d rounded to a multiple of 2^-24 is off by at most 2^-25, that is d 2^-25 relative to it: 4.5e-7 for d = 15.
    assert max(abs(ours[pair] / theirs[pair] - 1) for pair in ours) < 15 * 2.0**-25 + 1e-12


def test_training_equals_the_reference(shared_data: SharedData) -> None:
    V, d = 800, 16
    folder = "stanford/train800"
    theta = oracle.read_reference_parameters(shared_data.path(f"{folder}.000.bin"), V, d)
    gradsq = oracle.read_reference_parameters(shared_data.path(f"{folder}.gradsq.000.bin"), V, d)
    entries = oracle.read_reference_cooccurrence(shared_data.path("stanford/cooc800.shuf.bin"))
    logged = re.findall(rb"cost: ([0-9.]+)", shared_data.bytes(f"{folder}.log"))
    for epoch, expected in enumerate(logged, 1):
        options = {"x_max": 10.0, "alpha": 0.75, "eta": 0.05, "bias_eta": 1.0, "grad_clip": 100.0}
        cost = oracle.adagrad_pass(theta, gradsq, *entries, **options)
        assert f"{cost:.6f}".encode() == expected
        if epoch in (1, 3):
            for ours, name in ((theta, folder), (gradsq, f"{folder}.gradsq")):
                theirs = oracle.read_reference_parameters(shared_data.path(f"{name}.{epoch:03d}.bin"), V, d)
                for part in ours.names:
                    # Both are float64 and differ in the order of the sum in w . c: thousands of roundings of 1e-16.
                    np.testing.assert_allclose(getattr(ours, part), getattr(theirs, part), rtol=1e-10, atol=1e-12)
    assert len(logged) == 3
