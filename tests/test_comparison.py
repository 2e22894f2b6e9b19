"""Comparing two corpora: rotations are undone, moved words are found, what can't be compared is refused."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glove_cli import (
    FormatError,
    OptionError,
    UnknownWordError,
    WordVectors,
    build_cooc,
    compare,
    select_vectors,
    train,
)
from glove_cli.comparison.chance import chances
from glove_cli.comparison.overlap import share_in_both, shares_kept
from glove_cli.comparison.result import with_errors
from glove_cli.comparison.rotation import cosines_between, rotation_between

N, D = 60, 5


def some_vectors(n: int = N, d: int = D, seed: int = 0) -> WordVectors:
    return WordVectors([f"w{k}" for k in range(n)], np.random.default_rng(seed).normal(size=(n, d)))


def rotation(d: int = D, seed: int = 9) -> np.ndarray:
    """Return a random orthogonal matrix; half of them reflect."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def rotated(vectors: WordVectors, R: np.ndarray) -> WordVectors:
    return WordVectors(vectors.words, vectors.matrix @ R)


# --- rotation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_rotation_is_recovered(seed: int) -> None:
    R = rotation(seed=seed)
    A = some_vectors(seed=seed).matrix
    found = rotation_between(A, A @ R.T)
    assert np.abs(found - R).max() < 1e-12
    assert np.abs(cosines_between(A, A @ R.T, found) - 1).max() < 1e-12
    single = rotation_between(A.astype(np.float32), (A @ R.T).astype(np.float32))
    assert np.abs(single - R).max() < 1e-6


def test_no_rotation_brings_the_rows_nearer() -> None:
    A, B = some_vectors(seed=1).matrix, some_vectors(seed=2).matrix
    R = rotation_between(A, B)
    assert np.abs(R @ R.T - np.eye(D)).max() < 1e-12
    best = cosines_between(A, B, R).sum()
    for seed in range(20):
        assert cosines_between(A, B, rotation(seed=seed)).sum() < best
        generator = np.random.default_rng(seed).normal(size=(D, D)) * 1e-3
        near = np.linalg.qr(np.eye(D) + generator - generator.T)[0]
        near *= np.sign(np.diag(near))
        assert cosines_between(A, B, R @ near).sum() < best


def test_rows_are_summed_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    A, B = some_vectors(seed=1).matrix, some_vectors(seed=2).matrix
    whole = rotation_between(A, B)
    monkeypatch.setattr("glove_cli.comparison.rotation._BLOCK_ROWS", 7)
    assert np.abs(rotation_between(A, B) - whole).max() < 1e-12
    assert np.abs(cosines_between(A, B, whole) - np.einsum("ij,ij->i", unit(A), unit(B) @ whole)).max() < 1e-12


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_arrays_of_different_shapes_have_no_rotation() -> None:
    with pytest.raises(OptionError, match=r"vectors: have the shapes \(60, 5\) and \(60, 4\)"):
        rotation_between(some_vectors().matrix, some_vectors(d=4).matrix)


# --- neighbours -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [D, 3])
@pytest.mark.parametrize("k", [1, 7, N - 1])
def test_the_shares_kept_are_those_of_the_definition(k: int, d: int, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = some_vectors(), some_vectors(d=d, seed=1)
    expected = oracle.neighbour_overlap(a.matrix, b.matrix, k)
    done: list[int] = []
    monkeypatch.setattr("glove_cli.comparison.overlap._WORDS", 17)
    kept = shares_kept(a, [b, a], np.arange(N), k, done.append)
    assert kept.tolist() == [expected, [1.0] * N]
    assert done == [17, 34, 51, 60]
    rows = np.array([30, 2])
    assert shares_kept(a, [b], rows, k).tolist() == [[expected[30], expected[2]]]


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=50)
def test_the_share_in_both_is_that_of_sets_whatever_their_order(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (np.array([rng.permutation(12)[:k] for _ in range(4)]) for _ in range(2))
    expected = [len(set(p) & set(q)) / k for p, q in zip(first.tolist(), second.tolist(), strict=True)]
    assert share_in_both(first, second).tolist() == expected
    assert share_in_both(second, rng.permuted(first, axis=1)).tolist() == expected


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=50)
def test_chance_is_the_share_of_similar_words_that_kept_as_little(similar: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kept, control_kept = rng.integers(0, 5, size=8) / 4, rng.integers(0, 5, size=10) / 4
    frequency, control_frequency = rng.integers(1, 9, size=8), rng.integers(1, 9, size=10)
    found = chances(kept, frequency, control_kept, control_frequency, similar)
    control = list(zip(control_frequency.tolist(), control_kept.tolist(), strict=True))
    pairs = zip(kept.tolist(), frequency.tolist(), strict=True)
    assert found.tolist() == [oracle.chance(*pair, control, similar) for pair in pairs]


# --- comparisons ----------------------------------------------------------------------------------------------------


def planted(seed: int = 3) -> tuple[WordVectors, WordVectors]:
    """Return vectors, and the same a little noisy and rotated, with w7 and w40 in each other's place."""
    a = some_vectors(seed=seed)
    matrix = a.matrix + 0.02 * np.random.default_rng(seed + 1).normal(size=a.matrix.shape)
    matrix[[7, 40]] = matrix[[40, 7]]
    return a, WordVectors(a.words, matrix @ rotation())


def test_planted_moves_come_first() -> None:
    a, b = planted()
    found = compare(a, b, neighbours=8)
    changes = found.changes(3)
    assert {change.word for change in changes[:2]} == {"w7", "w40"}
    assert changes[1].kept < 0.5 < changes[2].kept
    assert changes[1].cosine is not None
    assert changes[1].cosine < 0.8
    assert np.median(found.cosine) > 0.99
    assert [change.counts for change in changes] == [(None, None)] * 3
    by_hand = [name for name, _ in a.nearest(changes[0].word, 10)]
    assert changes[0].neighbours_a == by_hand
    assert changes[0].neighbours_b == [name for name, _ in b.nearest(changes[0].word, 10)]


@given(st.integers(0, 1000), st.booleans())
@settings(deadline=None, max_examples=10)
def test_a_rotation_of_either_model_changes_nothing(seed: int, first: bool) -> None:
    a, b = planted()
    R = rotation(seed=seed)
    plain = compare(a, b, neighbours=8)
    other = compare(rotated(a, R), b, neighbours=8) if first else compare(a, rotated(b, R), neighbours=8)
    assert np.array_equal(plain.kept, other.kept)
    assert plain.cosine is not None
    assert other.cosine is not None
    assert np.abs(plain.cosine - other.cosine).max() < 1e-10
    assert [c.word for c in plain.changes()] == [c.word for c in other.changes()]


def test_last_bits_of_a_cosine_do_not_decide_which_word_comes_first() -> None:
    found = compare(*planted(), neighbours=8)
    cosine = np.full(N, 0.5)
    cosine[10] = 0.4
    even = replace(found, kept=np.ones(N), cosine=cosine - 1e-14 * np.arange(N))
    assert even.order().tolist() == [10, *range(10), *range(11, N)]


def test_the_order_and_the_scale_of_rows_change_no_share() -> None:
    a, b = planted()
    order = np.random.default_rng(0).permutation(N)
    shuffled = WordVectors([b.words[k] for k in order], b.matrix[order] * 7)
    plain, other = compare(a, b, neighbours=8), compare(a, shuffled, neighbours=8)
    assert np.array_equal(plain.kept, other.kept)
    assert np.allclose(plain.cosine, other.cosine, rtol=0, atol=1e-12)


def test_other_numbers_of_dimensions_leave_the_neighbours() -> None:
    a, b = some_vectors(), some_vectors(d=3, seed=1)
    found = compare(a, b, neighbours=7)
    assert found.kept.tolist() == oracle.neighbour_overlap(a.matrix, b.matrix, 7)
    assert (found.cosine, found.rotation) == (None, None)
    assert found.changes(1)[0].cosine is None
    assert np.array_equal(found.order(), np.argsort(found.kept, kind="stable"))
    with pytest.raises(OptionError, match="vectors: have 5 and 3 numbers"):
        found.turned_b(np.array([0]))


def test_the_same_vectors_differ_in_nothing() -> None:
    found = compare(some_vectors(), some_vectors(), neighbours=7)
    assert found.same
    assert (found.kept == 1).all()
    assert np.allclose(found.cosine, 1, rtol=0, atol=1e-12)
    assert not compare(*planted(), neighbours=7).same


def test_named_words_have_the_same_figures_as_among_all() -> None:
    a, b = planted()
    control = some_vectors(seed=8)
    for extra in ({}, {"control": control}):
        whole = {change.word: change for change in compare(a, b, neighbours=8, **extra).changes()}
        named = compare(a, b, words=["w3", "w40", "w3"], neighbours=8, **extra).changes()
        assert [change.word for change in named] == ["w40", "w3"]
        assert all(change == whole[change.word] for change in named)


def test_rare_words_are_neither_compared_nor_neighbours() -> None:
    a, b = planted()
    counts_a, counts_b = np.full(N, 100), np.full(N, 100)
    counts_a[5], counts_b[6] = 99, 3
    found = compare(a, b, counts=(counts_a, counts_b), neighbours=8)
    assert (found.min_count, found.shared.rare, len(found)) == (100, 2, N - 2)
    assert {"w5", "w6"}.isdisjoint(found.words)
    assert all({"w5", "w6"}.isdisjoint(change.neighbours_a) for change in found.changes())
    assert found.changes(1)[0].counts == (100, 100)
    assert len(compare(a, b, counts=(counts_a, counts_b), min_count=4, neighbours=8)) == N - 1
    assert len(compare(a, b, counts=(counts_a, None), min_count=100, neighbours=8)) == N - 1
    assert len(compare(a, b, restrict=40, neighbours=8)) == 40


def test_a_vector_of_zeros_is_left_out() -> None:
    a, b = planted()
    b.matrix[3] = 0
    found = compare(a, b, neighbours=8)
    assert (found.shared.zeros, len(found)) == (1, N - 1)
    with pytest.raises(UnknownWordError, match=r"w3: has a vector of zeros"):
        compare(a, b, words=["w3"], neighbours=8)


def test_with_a_control_what_is_beyond_chance_comes_first() -> None:
    a, b = planted()
    rng = np.random.default_rng(5)
    noise = 0.02 * rng.normal(size=a.matrix.shape)
    restless = a.matrix + noise
    restless[20] = rng.normal(size=D)
    b.matrix[20] = rng.normal(size=D)
    found = compare(a, b, control=WordVectors(a.words, restless), neighbours=8)
    assert found.kept_in_control is not None
    assert found.chance is not None
    expected = oracle.neighbour_overlap(a.matrix, restless, 8)
    assert found.kept_in_control.tolist() == expected
    control = [(-row, share) for row, share in enumerate(expected)]
    assert found.chance.tolist() == [oracle.chance(share, 0, control, 500) for share in found.kept.tolist()]
    assert found.beyond_chance == np.count_nonzero(found.chance <= 0.01)
    assert compare(a, b, neighbours=8).beyond_chance is None
    ranked = [change.word for change in found.changes()]
    assert set(ranked[:2]) == {"w7", "w40"}
    assert ranked.index("w20") > 2
    assert {change.word for change in compare(a, b, neighbours=8).changes(3)} == {"w7", "w20", "w40"}


@pytest.mark.parametrize("counted", [True, False])
def test_chance_looks_at_words_of_similar_frequency(counted: bool) -> None:
    n, rng = 1200, np.random.default_rng(1)
    a = some_vectors(n)
    b, control = (WordVectors(a.words, a.matrix + 0.5 * rng.normal(size=a.matrix.shape)) for _ in range(2))
    counts = rng.integers(1, 1000, size=(3, n))
    named = [f"w{k}" for k in range(0, n, 40)]
    extra = {"counts": list(counts), "min_count": 1} if counted else {}
    found = compare(a, b, control=control, neighbours=9, words=named, **extra)
    whole = compare(a, control, neighbours=9)
    frequency = np.minimum(counts[0], counts[1]) if counted else -np.arange(n)
    in_control = np.minimum(counts[0], counts[2]) if counted else -np.arange(n)
    words = list(zip(in_control.tolist(), whole.kept.tolist(), strict=True))
    assert found.chance is not None
    for row, share, chance in zip(found.rows.tolist(), found.kept.tolist(), found.chance.tolist(), strict=True):
        assert chance == oracle.chance(share, int(frequency[row]), words, 500)


def test_numbers_that_are_not_finite_have_no_rotation() -> None:
    with pytest.raises(OptionError, match="aren't finite"):
        rotation_between(np.full((3, 2), np.nan), np.ones((3, 2)))


def test_standard_errors_say_which_move_is_no_surprise() -> None:
    a, b = planted()
    changes = compare(a, b, neighbours=8).changes()
    assert all(change.excess is None for change in changes)
    errors = np.linspace(0.01, 0.05, N)
    found = with_errors(changes, errors, 2 * errors)
    for change, error in zip(found, errors, strict=True):
        assert change.cosine is not None
        assert change.excess == pytest.approx(np.sqrt(max(0.0, 2 - 2 * change.cosine) / (5 * error**2)))
    assert np.isnan(with_errors(changes[:1], [np.nan], [0.1])[0].excess)
    with pytest.raises(OptionError, match="errors: 3 and 60 for 60 words"):
        with_errors(changes, errors[:3], errors)
    without = compare(a, some_vectors(d=3), neighbours=8).changes(1)
    assert with_errors(without, [0.1], [0.1]) == without


def test_what_cannot_be_compared_is_refused_with_figures() -> None:
    a, b = planted()
    other = WordVectors([f"v{k}" for k in range(N)], b.matrix)
    with pytest.raises(OptionError, match=r"words: 0 can be compared, but 20 are needed; A has 60, B has 60\. Give"):
        compare(a, other)
    wide = some_vectors(d=70)
    with pytest.raises(OptionError, match=r"words: 60 can be compared, but 70 are needed for vectors of 70 numbers"):
        compare(wide, wide)
    counts = np.arange(N, 0, -1)
    message = r"words: 1 of 60 shared ones \(59 too rare\) can be compared, but 20 .* Give a smaller --min-count"
    with pytest.raises(OptionError, match=message):
        compare(a, b, counts=(counts, None), min_count=60)
    with pytest.raises(OptionError, match="--neighbours: 60 of 60 words: there must be fewer"):
        compare(a, b, neighbours=60)
    for extra in ({"neighbours": 0}, {"min_count": -1}, {"restrict": 0}, {"neighbours": True}):
        with pytest.raises(OptionError, match="is not a positive integer"):
            compare(a, b, **extra)
    with pytest.raises(OptionError, match="--min-count: files of vectors have no counts"):
        compare(a, b, min_count=5)
    with pytest.raises(OptionError, match="words: 'w3' is one text"):
        compare(a, b, words="w3")
    with pytest.raises(OptionError, match=r"counts: are int64 of the shape \(3,\), but there are 60 words"):
        compare(a, b, counts=(counts[:3], None))
    with pytest.raises(OptionError, match="counts: are float64"):
        compare(a, b, counts=(counts * 1.0, None))
    with pytest.raises(OptionError, match=r"b: is a str\. Give vectors, as load_vectors"):
        compare(a, "b.txt")  # type: ignore[arg-type]
    assert compare(a, b, counts=(counts.tolist(), None), min_count=1, neighbours=8).min_count == 1
    with pytest.raises(OptionError, match="--limit: 0 is not a positive integer"):
        compare(a, b, neighbours=8).changes(0)
    a.matrix[4, 2] = np.nan
    with pytest.raises(FormatError, match="A: the vector of 'w4' isn't finite"):
        compare(a, b, neighbours=8)


def test_a_word_that_is_not_compared_is_named_with_the_reason() -> None:
    a, b = planted()
    a = WordVectors([*a.words, "only"], np.concatenate((a.matrix, a.matrix[:1])))
    for word, extra, message in (
        ("only", {}, r"only: is in first, but not in second\. Name a word that all have"),
        ("W50", {}, r"W50: is not in first or second\. Did you mean w50"),
        ("w50", {"restrict": 50}, r"w50: is word 51 of first, beyond --restrict 50"),
        (
            "w0",
            {"counts": (None, np.arange(N)), "min_count": 2},
            r"w0: occurs 0 times in second, less than --min-count 2",
        ),
    ):
        with pytest.raises(UnknownWordError, match=message):
            compare(a, b, words=[word], names=("first", "second"), neighbours=8, **extra)


# --- trained --------------------------------------------------------------------------------------------------------


def topics(seed: int, replaced: dict[str, str] | None = None) -> bytes:
    """Return 4,000 sentences of ten words, most of them of one of ten topics; some replaced in half of the cases."""
    rng = np.random.default_rng(seed)
    shape = (4000, 10)
    topic = np.where(rng.random(shape) < 0.75, rng.integers(10, size=(shape[0], 1)), rng.integers(10, size=shape))
    number, half = rng.integers(12, size=shape), rng.random(shape) < 0.5
    lines = []
    for row in zip(topic.tolist(), number.tolist(), half.tolist(), strict=True):
        words = [(f"t{t}w{n}", change) for t, n, change in zip(*row, strict=True)]
        lines.append(" ".join((replaced or {}).get(word, word) if change else word for word, change in words))
    return "\n".join(lines).encode()


def test_words_that_stand_for_others_in_half_of_a_text_come_first(tmp_path: Path) -> None:
    new = {"t1": "t2w0", "t4": "t7w1", "t8": "t0w6"}
    replaced = {f"{topic}w{k}": word for topic, word in new.items() for k in (3, 4, 5)}
    models = []
    for number, (seed, change) in enumerate(((1, None), (2, replaced), (3, None))):
        cooc = build_cooc(io.BytesIO(topics(seed, change)), tmp_path / str(number), window=5, min_count=1)
        models.append(train(cooc, dim=10, epochs=30, seed=number))
    a, b, control = map(select_vectors, models)
    counts = [model.vocab.counts for model in models]
    plain = compare(a, b, neighbours=10, min_count=50, counts=counts)
    assert {change.word for change in plain.changes(3)} == set(new.values())
    found = compare(a, b, neighbours=10, min_count=50, counts=counts, control=control).changes(4)
    assert {change.word for change in found[:3]} == set(new.values())
    assert found[2].chance is not None
    assert found[3].chance is not None
    assert found[2].chance < 0.02
    assert found[3].chance > 0.2
    for change in found[:3]:
        topic = next(topic for topic, word in new.items() if word == change.word)
        assert topic not in {name[:2] for name in change.neighbours_a}
        assert topic in {name[:2] for name in change.neighbours_b}
