"""Bengio's network: what stays frozen, what is the same bit for bit, when it stops, and what it can learn."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from glove_cli.errors import TrainingError
from glove_cli.language import network as module
from glove_cli.language.config import LanguageConfig
from glove_cli.language.network import FROZEN, RANDOM, STARTS, TUNED, StoppedError, train_network
from glove_cli.language.ngrams import perplexity
from glove_cli.language.text import Text, text_of

try:
    import torch
except ImportError:
    if os.environ.get("GLOVE_REQUIRE_TORCH") == "1":
        raise
    pytest.skip("PyTorch is not installed (the extra lm; see GLOVE_REQUIRE_TORCH)", allow_module_level=True)

V, D = 12, 5
SMALL = LanguageConfig(context=3, hidden=8, epochs=3, batch=32, negatives=6, seeds=(1,), shares=(1.0,))


def random_text(tokens: int, seed: int) -> Text:
    rng = np.random.default_rng(seed)
    return text_of(np.minimum(rng.zipf(1.5, tokens) - 1, V + 1).astype(np.int32), V)


def cycle(lines: int) -> Text:
    return text_of(np.array([*range(V), V] * lines, np.int32), V)


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(V, D)).astype(np.float32)


def trained(start: str, vectors: np.ndarray, config: LanguageConfig = SMALL, seed: int = 1) -> module.Network:
    return train_network(random_text(600, 1), random_text(200, 2), vectors, start=start, seed=seed, config=config)


@pytest.mark.parametrize("direct", [False, True])
def test_frozen_vectors_stay_and_others_move(vectors: np.ndarray, direct: bool) -> None:
    config = LanguageConfig(**{**vars(SMALL), "direct": direct})
    scaled = vectors * (module.SCALE / np.sqrt(np.mean(vectors.astype(float) ** 2)))
    begin = scaled.astype(np.float32)
    np.testing.assert_array_equal(trained(FROZEN, vectors, config).vectors, begin)
    tuned = trained(TUNED, vectors, config).vectors
    moved = np.abs(tuned - begin).max(axis=1)
    assert 0 < moved.max() < 1
    other = trained(RANDOM, vectors, config).vectors
    assert np.sqrt(np.mean(other**2)) == pytest.approx(module.SCALE, rel=0.3)
    assert np.abs(np.corrcoef(other.ravel(), begin.ravel())[0, 1]) < 0.5


def test_what_has_no_vector_is_learned_also_beside_frozen_ones(vectors: np.ndarray) -> None:
    one = trained(FROZEN, vectors, LanguageConfig(**{**vars(SMALL), "epochs": 1})).tensors["E2"]
    rng = np.random.default_rng((1, STARTS.index(FROZEN)))
    begin = rng.normal(0, module.SCALE, (4, D)).astype(np.float32)
    assert not one[0].any()
    assert np.abs(one[2:].numpy() - begin[2:]).max() > 0


@pytest.mark.parametrize("start", STARTS)
def test_the_same_seed_gives_the_same_numbers_whatever_runs_beside(start: str, vectors: np.ndarray) -> None:
    first = trained(start, vectors)
    found: list[module.Network] = []
    threads = [threading.Thread(target=lambda: found.append(trained(start, vectors))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    for other in found:
        assert other.perplexities == first.perplexities
        assert all(torch.equal(other.tensors[name], tensor) for name, tensor in first.tensors.items())
    assert trained(start, vectors, seed=2).perplexities != first.perplexities


def test_pytorchs_settings_are_as_before(vectors: np.ndarray) -> None:
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    trained(TUNED, vectors)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_the_best_pass_is_kept(vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([50.0, 40.0, 45.0, 41.0, 42.0, 30.0])
    seen = []

    def scored(p: np.ndarray) -> float:
        seen.append(p)
        return next(told)

    monkeypatch.setattr(module, "perplexity", scored)
    config = LanguageConfig(**{**vars(SMALL), "epochs": 6, "patience": 3})
    network = trained(TUNED, vectors, config)
    assert network.perplexities == [50.0, 40.0, 45.0, 41.0, 42.0]
    assert network.best_epoch == 2
    np.testing.assert_array_equal(network.probabilities(random_text(200, 2)), seen[1])
    assert not np.array_equal(seen[1], seen[4])


def test_a_text_that_goes_round_is_learned(vectors: np.ndarray) -> None:
    config = LanguageConfig(context=2, hidden=16, epochs=20, patience=20, batch=16, negatives=0, eta=0.5)
    network = train_network(cycle(40), cycle(3), vectors, start=TUNED, seed=1, config=config)
    assert perplexity(network.probabilities(cycle(3))) < 1.1


def test_before_it_learns_it_knows_how_frequent_words_are(vectors: np.ndarray) -> None:
    text = random_text(400, 3)
    tensors = module._begin(text, vectors, RANDOM, np.random.default_rng(0), SMALL)
    p = module.Network(V, 3, tensors).probabilities(text)
    counts = np.bincount(text.ids, minlength=V + 2) + 1
    np.testing.assert_allclose(p, (counts / counts.sum())[text.ids], rtol=1e-5)


def test_probabilities_are_those_of_the_equation(vectors: np.ndarray) -> None:
    config = LanguageConfig(**{**vars(SMALL), "direct": True})
    text = text_of(np.array([4, 0, 7, V, 1, V + 1], np.int32), V)
    network = trained(TUNED, vectors, config)
    t = {name: tensor.detach().numpy().astype(float) for name, tensor in network.tensors.items()}
    table = np.vstack([t["E"][:V], t["E2"][1:]])  # the words, the end of a line, <unk>, the mark
    mark = V + 2
    contexts = [[mark] * 3, [mark, mark, 4], [mark, 4, 0], [4, 0, 7], [mark] * 3, [mark, mark, 1]]
    for context, target, p in zip(contexts, text.ids, network.probabilities(text), strict=True):
        x = table[context].ravel()
        scores = t["b"][:, 0] + t["U"] @ np.tanh(t["d"] + t["H"] @ x) + t["D"] @ x
        assert p == pytest.approx(float(np.exp(scores[target]) / np.exp(scores).sum()), rel=1e-4)


def test_words_drawn_stand_for_the_whole_vocabulary(vectors: np.ndarray) -> None:
    text = cycle(60)
    config = {**vars(SMALL), "epochs": 4, "patience": 4, "batch": 8}
    drawn, whole = (
        train_network(text, cycle(2), vectors, start=TUNED, seed=1, config=LanguageConfig(**{**config, "negatives": n}))
        for n in (5, 0)
    )
    assert min(drawn.perplexities) < 0.6 * V
    assert min(drawn.perplexities) == pytest.approx(min(whole.perplexities), rel=0.5)


def test_training_can_be_stopped(vectors: np.ndarray) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        train_network(cycle(2), cycle(2), vectors, start=TUNED, seed=1, config=SMALL, stop=stop)


def test_vectors_of_zeros_are_refused(vectors: np.ndarray) -> None:
    for bad in (np.zeros((V, D)), np.full((V, D), np.nan)):
        with pytest.raises(TrainingError, match="are zeros or not finite"):
            train_network(cycle(2), cycle(2), bad, start=FROZEN, seed=1, config=SMALL)


def test_the_chance_to_be_drawn_is_taken_off_a_score(vectors: np.ndarray) -> None:
    text = random_text(400, 3)
    tensors = module._begin(text, vectors, RANDOM, np.random.default_rng(0), SMALL)  # U is 0: scores are log q
    contexts, targets = module._Windows(text, 3).batch(slice(0, 5))
    loss = module._Learner(text, SMALL, np.random.default_rng(5)).loss(tensors, contexts, targets)
    q = (np.bincount(text.ids, minlength=V + 2) + 1.0) / (len(text) + V + 2)
    drawn = np.searchsorted(np.cumsum(q), np.random.default_rng(5).random(SMALL.negatives), side="right")
    words = sorted({*drawn.tolist(), *targets.tolist()})
    odds = q / (1 - (1 - q) ** (SMALL.negatives + SMALL.batch))
    expected = -sum(np.log(odds[target] / odds[words].sum()) for target in targets.tolist())
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)
