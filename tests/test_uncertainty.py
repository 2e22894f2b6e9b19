"""The noise of word vectors and of their cosines, against sums entry by entry, finite differences and draws."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import pytest
import scipy.sparse
import scipy.stats
from conftest import change_meta, zipf_text
from hypothesis import given
from hypothesis import strategies as st

from glove_cli import (
    CoocMatrix,
    FormatError,
    GloveModel,
    OptionError,
    UnknownWordError,
    Vocab,
    WordVectors,
    build_cooc,
    similarity_intervals,
    train,
    uncertain_vectors,
    word_uncertainty,
)
from glove_cli.evaluation import evaluate_similarity
from glove_cli.evaluation.uncertain import uncertain_similarity
from glove_cli.spectral.factorize import factorize
from glove_cli.training.kernels_tiles import _is_held_out
from glove_cli.uncertainty import contexts
from glove_cli.uncertainty.contexts import Entries, groups
from glove_cli.uncertainty.cosines import cosine_gradients, draw_cosines, limits
from glove_cli.uncertainty.kernels import add_product
from glove_cli.uncertainty.solve import add_up, covariance
from glove_cli.uncertainty.training_noise import TrainingNoise
from glove_cli.uncertainty.vectors import UncertainVectors, WordUncertainty
from glove_cli.vectors.names import KINDS
from glove_cli.vectors.process import trace_steps

D = 4
RARE = "rare"
WORDS = ("w1", "w3", "w7", "w20")
X_MAX, ALPHA = 5.0, 0.6


@dataclasses.dataclass(frozen=True)
class Trained:
    cooc: CoocMatrix
    model: GloveModel
    X: np.ndarray


@pytest.fixture(scope="module", params=[True, False], ids=["symmetric", "one-sided"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("uncertain")
    (folder / "text.txt").write_bytes(zipf_text(8000, 120, 3) + b"\n" + 2 * f"w1 {RARE} w3\n".encode())
    context = "symmetric" if request.param else "left"
    cooc = build_cooc(folder / "text.txt", folder / "cooc", min_count=2, window=5, context=context)
    model = train(cooc, out=folder / "model", dim=D, epochs=20, x_max=X_MAX, alpha=ALPHA)
    return Trained(cooc, model, cooc.to_scipy().toarray())


@pytest.mark.parametrize("kind", KINDS)
def test_the_covariance_is_that_of_the_definition(trained: Trained, kind: str) -> None:
    model = trained.model
    parameters = oracle.Parameters(*(np.asarray(a, float) for a in (model.W, model.C, model.b_w, model.b_c)))
    take = {"word": np.eye(D, 2 * D), "context": np.eye(D, 2 * D, D), "concat": np.eye(2 * D)}
    take["sum"] = take["word"] + take["context"]
    for found in word_uncertainty(model, trained.cooc, WORDS, vectors=kind):
        i = model.vocab.words.index(found.word)
        joint = oracle.joint_covariance(trained.X, parameters, i, X_MAX, ALPHA, symmetric=trained.cooc.symmetric)
        assert found.covariance is not None
        np.testing.assert_allclose(found.covariance, take[kind] @ joint @ take[kind].T, rtol=1e-8, atol=1e-14)
        row, column = np.count_nonzero(trained.X[i]), np.count_nonzero(trained.X[:, i])
        assert found.contexts == {"word": row, "context": column}.get(kind, min(row, column))
        assert found.count == model.vocab.counts[i]
        assert found.size == pytest.approx(np.sqrt(np.trace(found.covariance)) / np.linalg.norm(found.vector))


def test_the_vector_is_the_one_that_is_looked_at(trained: Trained) -> None:
    for process in (None, "mean:20,unit", "pca:3"):
        source = uncertain_vectors(trained.model, trained.cooc, process=process)
        for found in source.each(WORDS):
            np.testing.assert_allclose(found.vector, source.vectors[found.word], rtol=1e-5, atol=1e-6)
            assert found.covariance is not None
            assert found.covariance.shape == (source.vectors.dim,) * 2


def test_pairs_that_were_held_out_are_left_out(trained: Trained) -> None:
    model = train(trained.cooc, dim=D, epochs=2, x_max=X_MAX, alpha=ALPHA, holdout=0.3)
    V, share = trained.cooc.V, np.uint64(int(0.3 * 2**64))
    held = np.array([[_is_held_out(i, j, share) for j in range(V)] for i in range(V)])
    parameters = oracle.Parameters(*(np.asarray(a, float) for a in (model.W, model.C, model.b_w, model.b_c)))
    X = np.where(held, 0, trained.X)
    assert 0.2 < 1 - np.count_nonzero(X) / np.count_nonzero(trained.X) < 0.4
    for found in word_uncertainty(model, trained.cooc, WORDS, vectors="concat"):
        i = model.vocab.words.index(found.word)
        joint = oracle.joint_covariance(X, parameters, i, X_MAX, ALPHA, symmetric=trained.cooc.symmetric)
        np.testing.assert_allclose(found.covariance, joint, rtol=1e-8, atol=1e-14)


def test_the_product_of_one_thread_is_the_product() -> None:
    rng = np.random.default_rng(4)
    for n, k, m in ((0, 2, 2), (1, 3, 1), (7, 2, 5), (64, 17, 4)):
        a, b, out = rng.normal(size=(n, k)), rng.normal(size=(n, m)), rng.normal(size=(k, m))
        expected = out + sum((np.outer(a[e], b[e]) for e in range(n)), np.zeros((k, m)))
        add_product(a, b, out)
        np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12)
    assert len(add_product.signatures) == 1


def test_threads_and_pieces_change_nothing(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    words = trained.cooc.vocab.words[:60]
    whole = word_uncertainty(trained.model, trained.cooc, words, threads=1)
    monkeypatch.setattr(contexts, "_PIECE", 37)
    monkeypatch.setattr(contexts, "_GROUP", 90)
    pieces = word_uncertainty(trained.model, trained.cooc, words, threads=3)
    for a, b in zip(whole, pieces, strict=True):
        assert (a.word, a.contexts, a.noise, a.shared) == (b.word, b.contexts, b.noise, b.shared)
        np.testing.assert_array_equal(a.covariance, b.covariance)


@given(st.lists(st.integers(0, 1 << 23), max_size=30))
def test_groups_hold_each_word_once_and_few_entries(sizes: list[int]) -> None:
    parts = list(groups(np.array(sizes, np.int64)))
    assert [k for part in parts for k in range(part.start, part.stop)] == list(range(len(sizes)))
    assert all(sum(sizes[part]) <= contexts._GROUP or part.stop - part.start == 1 for part in parts)


def test_a_word_may_be_asked_for_twice(trained: Trained) -> None:
    first, _, again = word_uncertainty(trained.model, trained.cooc, ["w3", "w1", "w3"])
    assert (first.word, again.word) == ("w3", "w3")
    np.testing.assert_array_equal(first.covariance, again.covariance)


def test_a_word_with_no_more_contexts_than_dimensions_is_unknown_and_named(trained: Trained) -> None:
    source = uncertain_vectors(trained.model, trained.cooc)
    found = list(source.each(["w1", RARE]))
    assert found[0].covariance is not None
    assert (found[1].covariance, math.isnan(found[1].noise), math.isnan(found[1].size)) == (None, True, True)
    assert list(source.rare) == [RARE]
    for draws in (0, 100):
        near, far = similarity_intervals(source, [("w1", "w3"), ("w1", RARE)], draws=draws)
        assert near.low < near.cosine < near.high
        assert far.cosine == source.vectors.similarity("w1", RARE)
        assert all(map(math.isnan, (far.se, far.low, far.high)))


def test_a_matrix_of_scipy_gives_the_same(trained: Trained) -> None:
    vocab = trained.cooc.vocab
    matrix = trained.cooc.to_scipy()
    model = train(matrix, vocab.words, counts=vocab.counts, dim=D, epochs=5, x_max=X_MAX)
    same = uncertain_vectors(model, matrix, words=vocab.words, counts=vocab.counts, vectors="word")
    there = dataclasses.replace(model, meta={**model.meta, "cooc": trained.model.meta["cooc"]})
    for a, b in zip(same.each(WORDS), word_uncertainty(there, trained.cooc, WORDS, vectors="word"), strict=True):
        np.testing.assert_allclose(a.covariance, b.covariance, rtol=1e-9)


def test_gradients_of_the_cosine_are_those_of_finite_differences() -> None:
    a, b = np.random.default_rng(2).normal(size=(2, 6))

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return a @ b / np.sqrt((a @ a) * (b @ b))

    by_a, by_b = cosine_gradients(a, b)
    for k, step in enumerate(1e-6 * np.eye(6)):
        assert by_a[k] == pytest.approx((cosine(a + step, b) - cosine(a - step, b)) / 2e-6, abs=1e-8)
        assert by_b[k] == pytest.approx((cosine(a, b + step) - cosine(a, b - step)) / 2e-6, abs=1e-8)


@pytest.mark.parametrize("steps", ["unit", "mean", "top:1", "pca:3", "whiten:0.5:40", "unit,mean,pca:4,unit"])
def test_the_derivatives_of_steps_are_those_of_finite_differences(steps: str) -> None:
    matrix = np.random.default_rng(3).normal(size=(50, 5)).astype(np.float32)
    made, changes = trace_steps(WordVectors([f"w{i}" for i in range(50)], matrix), steps)
    row = matrix[7].astype(float)
    np.testing.assert_allclose(changes.apply(row[np.newaxis])[0], made.matrix[7], atol=1e-5)
    step = 1e-6 * np.eye(5)
    expected = (changes.apply(row + step) - changes.apply(row - step)) / 2e-6
    np.testing.assert_allclose(changes.jacobian(row), expected, atol=1e-7)


def test_a_vector_of_zeros_has_no_direction() -> None:
    _, changes = trace_steps(WordVectors(["a", "b"], np.array([[0, 0], [3, 4]], np.float32)), "unit")
    np.testing.assert_array_equal(changes.jacobian(np.zeros(2)), np.zeros((2, 2)))


@pytest.mark.parametrize("process", ["none", "mean:20", "unit,mean"])
def test_draws_scatter_as_the_delta_method_says(trained: Trained, process: str) -> None:
    source = Quiet(**vars(uncertain_vectors(trained.model, trained.cooc, process=process)))
    pairs, draws = [("w1", "w3"), ("w3", "w7")], 4000
    delta = similarity_intervals(source, pairs)
    drawn = similarity_intervals(source, pairs, draws=draws)
    for a, b in zip(delta, drawn, strict=True):
        assert b.se == pytest.approx(a.se, rel=4 / math.sqrt(2 * draws) + 0.001)


class Quiet(UncertainVectors):
    """Vectors with a hundredth of their noise, within which a cosine is as good as linear."""

    def each(self, *arguments: Any, **options: Any) -> Iterator[WordUncertainty]:
        """Yield covariances that are smaller."""
        for found in super().each(*arguments, **options):
            assert found.covariance is not None
            yield dataclasses.replace(found, covariance=1e-4 * found.covariance)


def test_draws_depend_on_the_seed_and_the_word_alone(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    from glove_cli.uncertainty import cosines

    source = uncertain_vectors(trained.model, trained.cooc)
    whole = draw_cosines(source, [("w1", "w3"), ("w7", "w20")], draws=100, seed=1)
    monkeypatch.setattr(cosines, "_DRAWS_TOGETHER", 7 * D)
    np.testing.assert_allclose(draw_cosines(source, [("w7", "w20")], draws=100, seed=1)[:, 0], whole[:, 1], rtol=1e-9)
    assert not np.allclose(draw_cosines(source, [("w7", "w20")], draws=100, seed=2)[:, 0], whole[:, 1])


def test_intervals_stay_between_minus_1_and_1_and_grow_with_the_level() -> None:
    assert limits(0.99, 0.1, 0.9) == (pytest.approx(0.99 - 0.1 * 1.6448536), 1.0)
    assert limits(-0.99, 0.1, 0.9)[0] == -1
    assert limits(0, 0.1, 0.99)[1] > limits(0, 0.1, 0.9)[1]
    assert all(map(math.isnan, limits(0.5, math.nan, 0.9)))


def test_a_word_is_as_near_to_itself_as_can_be(trained: Trained) -> None:
    source = uncertain_vectors(trained.model, trained.cooc)
    (found,) = similarity_intervals(source, [("w1", "w1")])
    assert (found.se, found.high) == (0, 1)


def test_nine_of_ten_intervals_hold_what_the_counts_were_made_from() -> None:
    """Counts of two words are made from known vectors and noise of variance s^2 / f; each vector is fitted anew."""
    rng = np.random.default_rng(5)
    n, d, s, times = 150, 5, 0.3, 800
    vocab = Vocab([f"w{i}" for i in range(n)], np.full(n, 9))
    C = rng.normal(size=(n, d))
    x = rng.lognormal(0, 2, size=n)
    f = np.minimum(1, (x / X_MAX) ** ALPHA)
    entries = Entries(np.arange(n, dtype=np.int32), x)
    held = 0
    for _ in range(times):
        true = rng.normal(size=(2, d))
        fitted, covariances = [], []
        for w in true:
            noise = rng.normal(size=n) * s / np.sqrt(f)
            root = np.sqrt(f)
            estimate, *_ = np.linalg.lstsq(C * root[:, np.newaxis], root * (C @ w + noise), rcond=None)
            b_c = np.log(x) - C @ w - noise
            W = np.tile(estimate, (n, 1))
            model = GloveModel(vocab, W, C, np.zeros(n), b_c, W, C, np.zeros(n), np.zeros(n))
            solved = covariance(add_up(model, 0, entries, "w", X_MAX, ALPHA), d)
            assert solved is not None
            fitted.append(estimate)
            covariances.append(solved[0])
        by_a, by_b = cosine_gradients(*fitted)
        se = math.sqrt(by_a @ covariances[0] @ by_a + by_b @ covariances[1] @ by_b)
        cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in (true, fitted)]
        low, high = limits(cosines[1], se, 0.9)
        held += low <= cosines[0] <= high
    # Four standard deviations of a share of 0.9 among so many.
    assert abs(held / times - 0.9) < 4 * math.sqrt(0.9 * 0.1 / times)


@pytest.fixture
def saved(trained: Trained, tmp_path: Path) -> Path:
    trained.model.save(tmp_path / "model")
    return tmp_path / "model"


def test_another_matrix_is_refused_by_its_checksum(trained: Trained, saved: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes(zipf_text(8000, 120, 4))
    other = build_cooc(tmp_path / "text.txt", tmp_path / "other", min_count=2, window=5)
    with pytest.raises(OptionError, match=r"--cooc: .*other is not the matrix that .*model was trained on \(SHA-256"):
        uncertain_vectors(saved, other)
    whole = trained.cooc.to_scipy()
    with pytest.raises(OptionError, match="is not the matrix"):
        uncertain_vectors(saved, whole, words=trained.cooc.vocab.words)


def test_a_matrix_that_was_changed_is_refused(saved: Path, trained: Trained, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(trained.cooc.path, tmp_path / "changed")
    data = bytearray((tmp_path / "changed" / "data.npy").read_bytes())
    data[-3] ^= 1
    (tmp_path / "changed" / "data.npy").write_bytes(data)
    with pytest.raises(FormatError, match="was changed after it was written"):
        uncertain_vectors(saved, tmp_path / "changed")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda meta: meta.pop("cooc"), "doesn't say which matrix it was trained on"),
        (lambda meta: meta.pop("options"), "doesn't say which matrix it was trained on"),
        (lambda meta: meta["cooc"].pop("sha256"), "has no checksum of the matrix"),
        (lambda meta: meta["options"].update(anchor_strength=0.1), "is held to other vectors .--anchor-strength 0.1"),
        (lambda meta: meta["options"].update(holdout="x"), "doesn't say with which --x-max, --alpha and --holdout"),
        (lambda meta: meta["options"].pop("x_max"), "doesn't say with which --x-max, --alpha and --holdout"),
    ],
)
def test_a_model_that_is_no_plain_fit_of_its_matrix_is_refused(
    trained: Trained, saved: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    change_meta(saved, change)
    with pytest.raises(FormatError, match=message) as caught:
        uncertain_vectors(saved, trained.cooc)
    assert str(caught.value).startswith(f"{saved}: ")
    assert "Train" in str(caught.value)


def test_singular_vectors_are_refused(trained: Trained) -> None:
    with pytest.raises(FormatError, match="model: was made by ppmi-svd, which fits no vector by weighted"):
        uncertain_vectors(factorize(trained.cooc, dim=D), trained.cooc)


def test_a_wrong_call_is_refused(trained: Trained) -> None:
    source = uncertain_vectors(trained.model, trained.cooc)
    with pytest.raises(UnknownWordError, match="nonsense: is not among"):
        list(source.each(["nonsense"]))
    for options, message in (({"level": 1.0}, "--level: 1.0"), ({"draws": 50}, "--draws: 50 are too few")):
        with pytest.raises(OptionError, match=message):
            similarity_intervals(source, [("w1", "w3")], **options)
    with pytest.raises(OptionError, match="--vectors: 'all'"):
        uncertain_vectors(trained.model, trained.cooc, vectors="all")


@pytest.mark.parametrize("wrong", [{"draws": 200.5}, {"draws": "200"}, {"level": "0.9"}, {"draws": 200, "seed": -1}])
def test_options_of_a_wrong_kind_are_refused(trained: Trained, wrong: dict[str, Any]) -> None:
    source = uncertain_vectors(trained.model, trained.cooc)
    with pytest.raises(OptionError, match=rf"--{list(wrong)[-1]}: "):
        similarity_intervals(source, [("w1", "w3")], **wrong)
    assert similarity_intervals(source, [], draws=100) == []


def test_draws_that_memory_cannot_hold_are_refused(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    from glove_cli.uncertainty import cosines

    monkeypatch.setattr(cosines, "allowed_memory", lambda: 0)
    with pytest.raises(OptionError, match="100 draws of 1 pairs and the covariances of 2 words take"):
        draw_cosines(uncertain_vectors(trained.model, trained.cooc), [("w1", "w3")], draws=100)


def test_rho_is_that_of_the_score_with_an_interval(trained: Trained, tmp_path: Path) -> None:
    source = uncertain_vectors(trained.model, trained.cooc)
    lines = [f"w{a} w{a + b} {a * b % 7}\n" for a in range(1, 9) for b in (1, 3, 5)]
    (tmp_path / "pairs.txt").write_text("".join(lines))
    plain = evaluate_similarity(source.vectors.matrix, source.vectors.words, tmp_path / "pairs.txt")
    found = uncertain_similarity(source, tmp_path / "pairs.txt", draws=200)
    assert (found.name, found.pairs, found.of, found.rare) == ("pairs", 24, 24, ())
    assert found.rho == pytest.approx(plain.rho)
    assert found.low == pytest.approx(max(-1, found.rho - 1.6448536 * found.se), abs=1e-6)
    assert found == uncertain_similarity(source, tmp_path / "pairs.txt", draws=200)
    drawn = draw_cosines(source, [tuple(line.split()[:2]) for line in lines], draws=200)
    people = [float(line.split()[2]) for line in lines]
    assert found.se == pytest.approx(np.std([oracle.spearman(list(row), people) for row in drawn], ddof=1))


def test_pairs_with_a_rare_or_unknown_word_are_left_out_of_rho(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text(f"w1 w3 1\nw3 w7 3\nw7 w20 2\nw1 {RARE} 4\nw1 nonsense 5\n")
    found = uncertain_similarity(uncertain_vectors(trained.model, trained.cooc), tmp_path / "pairs.txt", draws=100)
    assert (found.pairs, found.of, found.rare) == (3, 5, (RARE,))
    (tmp_path / "few.txt").write_text(f"w1 w3 1\nw1 {RARE} 4\n")
    few = uncertain_similarity(uncertain_vectors(trained.model, trained.cooc), tmp_path / "few.txt", draws=100)
    assert (few.pairs, math.isnan(few.rho), math.isnan(few.low)) == (1, True, True)


def test_scipy_is_only_a_matrix_if_it_is_sparse(trained: Trained) -> None:
    with pytest.raises(TypeError, match="Give a matrix of glove"):
        uncertain_vectors(trained.model, scipy.sparse.eye_array(3).toarray())


@pytest.fixture
def again(trained: Trained) -> GloveModel:
    return train(trained.cooc, dim=D, epochs=20, x_max=X_MAX, alpha=ALPHA, seed=2)


def test_another_training_widens_intervals(trained: Trained, again: GloveModel) -> None:
    source = uncertain_vectors(trained.model, trained.cooc)
    noise = TrainingNoise.of(source, [again])
    pairs = [("w1", "w3"), ("w3", "w7"), ("w1", "w1")]
    narrow, wide = similarity_intervals(source, pairs), similarity_intervals(source, pairs, training=noise)
    added = noise.variances(pairs, np.array([each.cosine for each in narrow]))
    assert added[2] == 0
    assert added.max() > 0
    for a, b, more in zip(narrow, wide, added, strict=True):
        assert b.se == pytest.approx(math.sqrt(a.se**2 + more))


def test_noise_of_training_is_found_in_vectors_that_have_it() -> None:
    """Vectors are the same in every model but for noise of a known size, other for each word."""
    rng = np.random.default_rng(6)
    V, d, models = 400, 60, 6
    truth = rng.normal(size=(V, d))
    sizes = rng.choice([0.02, 0.1], V, p=[0.8, 0.2])
    words = [f"w{i}" for i in range(V)]
    made = [
        WordVectors(words, (truth + sizes[:, np.newaxis] * rng.normal(size=(V, d))).astype(np.float32))
        for _ in range(models)
    ]
    pairs = [(words[k], words[k + 1]) for k in range(0, V, 2)]
    cosines = np.array([made[0].similarity(a, b) for a, b in pairs])
    found = TrainingNoise(tuple(made), np.arange(V)).variances(pairs, cosines)
    # By the delta method: the gradient's length is sqrt(1 - c^2) / |a|, and |a|^2 about d.
    expected = (sizes[::2] ** 2 + sizes[1::2] ** 2) / d * (1 - cosines**2)
    loud = (sizes[::2] > 0.05) | (sizes[1::2] > 0.05)
    assert 20 < loud.sum() < 150
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    assert found[loud].mean() == pytest.approx(expected[loud].mean(), rel=0.1)
    assert (found[~loud] > expected[~loud]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 1}, "--also: model 1 has the --seed 1, as the model has"),
        ({"seed": 2, "epochs": 3}, "--also: model 1 was trained with --epochs 3, the model with 20"),
    ],
)
def test_another_training_differs_in_its_seed_alone(trained: Trained, options: dict[str, Any], message: str) -> None:
    other = train(trained.cooc, **{"dim": D, "epochs": 20, "x_max": X_MAX, "alpha": ALPHA, **options})
    with pytest.raises(OptionError, match=message):
        TrainingNoise.of(uncertain_vectors(trained.model, trained.cooc), [other])


def test_another_training_is_of_the_same_matrix(trained: Trained, again: GloveModel) -> None:
    other = dataclasses.replace(again, meta={**again.meta, "cooc": {"sha256": {}}})
    with pytest.raises(OptionError, match="--also: model 1 was trained on another matrix"):
        TrainingNoise.of(uncertain_vectors(trained.model, trained.cooc), [other])


@pytest.fixture
def resampled(trained: Trained, tmp_path: Path) -> list[GloveModel]:
    text = trained.cooc.meta["sources"][0]
    options = {key: trained.cooc.meta["options"][key] for key in ("window", "context")}
    coocs = [build_cooc(text, tmp_path / str(k), vocab=trained.cooc.vocab, resample=k, **options) for k in (1, 2, 3)]
    return [train(cooc, dim=D, epochs=20, x_max=X_MAX, alpha=ALPHA, seed=10 + k) for k, cooc in enumerate(coocs)]


def test_resampled_matrices_tell_the_whole_noise(trained: Trained, resampled: list[GloveModel]) -> None:
    source = uncertain_vectors(trained.model, trained.cooc)
    noise = TrainingNoise.of(source, resampled)
    assert noise.resampled
    assert len(noise.vectors) == 3
    pairs = [("w1", "w3"), ("w3", "w7"), ("w1", "w20"), ("w1", "w1")]
    found = similarity_intervals(source, pairs, training=noise)
    expected = noise.variances(pairs, np.array([each.cosine for each in found]))
    assert [each.se**2 for each in found] == pytest.approx(expected.tolist())
    assert expected[:3].min() > 0 == expected[3]
    # The vectors of the text itself are no sample: what they are makes no difference.
    unlike = dataclasses.replace(noise, vectors=noise.vectors[::-1])
    np.testing.assert_allclose(unlike.variances(pairs, np.zeros(4)), noise.variances(pairs, np.zeros(4)))
    with pytest.raises(OptionError, match="--draws: are of the noise of counts"):
        similarity_intervals(source, pairs, training=noise, draws=100)


def test_a_word_that_a_resampled_text_lacks_has_no_interval(trained: Trained, resampled: list[GloveModel]) -> None:
    source = uncertain_vectors(trained.model, trained.cooc)
    resampled[1].gradsq_W[source.vectors.row("w3")] = 1  # as where no entry has moved it
    noise = TrainingNoise.of(source, resampled)
    assert source.vectors.row("w3") in noise.unseen
    first, second = similarity_intervals(source, [("w1", "w3"), ("w1", "w7")], training=noise)
    assert np.isnan(first.se)
    assert second.se > 0
    assert list(noise.asked) == ["w3"]


def test_a_vector_of_zeros_has_no_interval_by_resampled_matrices_either(
    trained: Trained, resampled: list[GloveModel]
) -> None:
    source = uncertain_vectors(trained.model, trained.cooc)
    source.vectors.matrix[source.vectors.row("w3")] = 0
    noise = TrainingNoise.of(source, resampled)
    first, second = similarity_intervals(source, [("w1", "w3"), ("w1", "w7")], training=noise)
    assert np.isnan(first.se)
    assert second.se > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda our, them: (our, them[:1]), "--also: model 1 is of a resampled matrix, and one says nothing"),
        (
            lambda our, them: (our, [them[0], our]),
            "--also: model 2 is of a matrix that wasn't resampled, beside others",
        ),
        (lambda our, them: (our, [them[0], them[0]]), "--also: model 2 has the --seed 10, as model 1 has"),
        (
            lambda our, them: (our, [them[0], changed(them[1], resample=1)]),
            "--also: model 2 has the --resample 1, as model 1",
        ),
        (lambda our, them: (our, [them[0], changed(them[1], window=9)]), "--also: model 2 was counted with --window 9"),
        (lambda our, them: (changed(our, resample=9), them), "--also: the model itself is of a resampled matrix"),
        (
            lambda our, them: (our, [them[0], from_source(them[1], "b.txt")]),
            "--also: model 2 was counted from b.txt with",
        ),
        (lambda our, them: (our, [them[0], from_source(them[1], None, tokens=9)]), "with 9 tokens, the model from"),
        (lambda our, them: (our, [them[0], fewer_words(them[1])]), "--also: model 2 has other words. Count"),
    ],
)
def test_wrong_resampled_models_are_refused(
    trained: Trained, resampled: list[GloveModel], change: Any, message: str
) -> None:
    source = uncertain_vectors(trained.model, trained.cooc)
    model, others = change(trained.model, resampled)
    with pytest.raises(OptionError, match=message):
        TrainingNoise.of(dataclasses.replace(source, model=model), others)


def changed(model: GloveModel, **options: Any) -> GloveModel:
    cooc = model.meta["cooc"]
    return dataclasses.replace(model, meta={**model.meta, "cooc": {**cooc, "options": {**cooc["options"], **options}}})


def from_source(model: GloveModel, name: str | None, **other: Any) -> GloveModel:
    cooc = {**model.meta["cooc"], **({"sources": [name]} if name is not None else {}), **other}
    return dataclasses.replace(model, meta={**model.meta, "cooc": cooc})


def fewer_words(model: GloveModel) -> GloveModel:
    vocab = Vocab([*model.vocab.words[:-1], "other"], model.vocab.counts)
    return dataclasses.replace(model, vocab=vocab)


def test_rho_takes_its_noise_from_other_trainings(
    trained: Trained, again: GloveModel, resampled: list[GloveModel], tmp_path: Path
) -> None:
    lines = [f"w{a} w{a + b} {a * b % 7}\n" for a in range(1, 9) for b in (1, 3, 5)]
    (tmp_path / "pairs.txt").write_text("".join([*lines, f"w1 {RARE} 4\n"]))
    pairs, people = [tuple(line.split()[:2]) for line in lines], [float(line.split()[2]) for line in lines]
    source = uncertain_vectors(trained.model, trained.cooc)
    plain = uncertain_similarity(source, tmp_path / "pairs.txt", draws=200)

    def rhos(noise: TrainingNoise, pairs: list[Any], people: list[float]) -> list[float]:
        return [oracle.spearman([v.similarity(a, b) for a, b in pairs], people) for v in noise.vectors]

    seeds = TrainingNoise.of(source, [again])
    found = uncertain_similarity(source, tmp_path / "pairs.txt", draws=200, training=seeds)
    added = np.var(rhos(seeds, pairs, people), ddof=1)
    assert (found.pairs, found.rare, found.rho) == (24, (RARE,), plain.rho)
    assert found.se == pytest.approx(np.hypot(plain.se, np.sqrt(added)))
    t = scipy.stats.t(df=(plain.se**2 + added) ** 2 / added**2)
    assert found.high == pytest.approx(min(1, found.rho + t.ppf(0.95) * found.se))

    texts = TrainingNoise.of(source, resampled)
    found = uncertain_similarity(source, tmp_path / "pairs.txt", training=texts)
    lacking = RARE in [source.vectors.words[row] for row in texts.unseen]
    assert (found.pairs, found.rare) == ((24, (RARE,)) if lacking else (25, ()))
    if not lacking:
        pairs, people = [*pairs, ("w1", RARE)], [*people, 4.0]
    assert found.se == pytest.approx(np.std(rhos(texts, pairs, people), ddof=1))
    assert found.low == pytest.approx(max(-1, found.rho - 2.9199856 * found.se))  # Student's t of 2 degrees
