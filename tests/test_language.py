"""Texts for language models, their overlap, text drawn from models, and the comparison: all that needs no PyTorch."""

from __future__ import annotations

import io
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import zipf_text

from glove_cli import KneserNey, WordVectors, evaluate_language, sample_text
from glove_cli.errors import CorpusError, OptionError, TrainingError
from glove_cli.language import compare
from glove_cli.language.config import LanguageConfig
from glove_cli.language.ngrams import NgramCounts, perplexity
from glove_cli.language.overlap import find_overlap
from glove_cli.language.report import LanguageScore
from glove_cli.language.text import PIECE_TOKENS, Text, read_text, text_of

FAST: dict[str, Any] = {"shares": (1.0, 0.5), "seeds": (1, 2, 3), "epochs": 1, "orders": (2, 3)}


def read(data: bytes, words: list[str] | None = None, **options: Any) -> tuple[Text, list[str]]:
    return read_text(io.BytesIO(data), words, **options)


@pytest.fixture(scope="module")
def texts() -> dict[str, bytes]:
    return {
        name: zipf_text(tokens, 300, k)
        for k, (name, tokens) in enumerate([("train", 6000), ("valid", 700), ("test", 800)])
    }


def vectors_of(data: bytes, dim: int = 4, *, every: int = 1) -> WordVectors:
    words = sorted(set(data.decode().split()))[::every]
    return WordVectors(words, np.random.default_rng(0).normal(size=(len(words), dim)).astype(np.float32))


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Stand in for networks: each is uniform, and is written down with what it was given."""
    given: list[tuple[Any, ...]] = []

    def train_network(train: Text, valid: Text, vectors: np.ndarray, **how: Any) -> Any:
        def probabilities(test: Text) -> np.ndarray:
            given.append((how["start"], how["seed"], train, valid, vectors, test))
            return np.full(len(test), 1 / (test.V + 2))

        return SimpleNamespace(best_epoch=1, probabilities=probabilities)

    monkeypatch.setattr(compare, "require_torch", lambda option: None)
    monkeypatch.setattr(compare, "train_network", train_network)
    return given


def test_a_text_has_words_ends_of_lines_and_what_is_unknown() -> None:
    text, words = read(b"a b a\n\n  \nc <unk> a <unk>", min_count=2)
    assert words == ["a"]
    assert text.ids.tolist() == [0, 2, 0, 1, 2, 2, 0, 2, 1]
    assert text.starts.tolist() == [0, 4, 9]
    assert text.coverage == pytest.approx(3 / 7)
    again, _ = read(b"b A\n", ["b"], lowercase=True)
    assert again.ids.tolist() == [0, 2, 1]


def test_no_piece_is_longer_than_a_thousand_tokens() -> None:
    text = text_of(np.zeros(2500, np.int32), 3)
    assert np.diff(text.starts).tolist() == [PIECE_TOKENS, PIECE_TOKENS, 500]


def test_a_smaller_share_is_part_of_a_larger_one_and_keeps_the_order() -> None:
    text, _ = read(zipf_text(3000, 40, 1))
    pieces = {text.ids[a:b].tobytes() for a, b in zip(text.starts, text.starts[1:], strict=False)}
    before: set[bytes] | None = None
    for share in (0.01, 0.1, 0.5, 1.0):
        part = text.sample(share, 7)
        assert share * len(text) <= len(part) <= share * len(text) + 200
        own = {part.ids[a:b].tobytes() for a, b in zip(part.starts, part.starts[1:], strict=False)}
        assert own <= pieces
        assert before is None or before <= own
        before = own
    assert not np.array_equal(text.sample(0.1, 1).ids, text.sample(0.1, 2).ids)
    rows = text_of(np.arange(60, dtype=np.int32), 60)
    lines = Text(rows.ids, np.arange(0, 61, 3), 60)
    assert np.all(np.diff(lines.sample(0.4, 3).ids) > 0)


def test_the_end_of_a_text_is_cut_off_at_a_line() -> None:
    text, _ = read(b"a b\nc\nd e f\n")
    first, last = text.cut(5)
    assert (first.ids.tolist(), last.pieces) == (text.ids[:3].tolist(), 2)
    assert len(first) + len(last) == len(text)


def test_overlap_counts_lines_and_runs() -> None:
    line = " ".join("abcdefghi")  # nine words: two runs
    train, words = read(f"{line}\nx y z\n".encode())
    same, _ = read(f"{line}\nz y x\n".encode(), words)
    assert find_overlap(train, same) == (1.0, 1.0)
    assert find_overlap(train, same).is_large
    other, _ = read(f"q {line}\ni h g f e d c b a\n".encode(), words)
    found = find_overlap(train, other)  # runs: of 'q ...' two known and the one with the end; of the other line three
    assert found.lines == 0
    assert found.runs == pytest.approx(3 / 6)
    short, _ = read(b"x y z\n", words)
    assert np.isnan(find_overlap(train, short)).all()
    assert not find_overlap(train, short).is_large


def test_text_is_drawn_as_often_as_the_model_says() -> None:
    (sample,) = sample_text(io.BytesIO(b"a b\n" * 30 + b"a c\n" * 10), orders=2, words=4000, seed=3)
    seconds = [line[1] for line in sample.lines if len(line) > 1 and line[0] == "a"]
    text, words = read(b"a b\n" * 30 + b"a c\n" * 10)
    p = KneserNey.train(text, 2).distribution([words.index("a")])
    both = [p[words.index(word)] for word in "bc"]
    assert seconds.count("b") / len(seconds) == pytest.approx(both[0] / (p[: len(words)].sum()), abs=0.03)
    assert all(sample.lines)


def test_the_same_seed_draws_the_same_words_and_orders_do_not_hang_together() -> None:
    data = zipf_text(2000, 60, 1)
    first, second = (sample_text(io.BytesIO(data), seed=5, words=30) for _ in range(2))
    assert first == second
    assert [sample.order for sample in first] == [1, 2, 3, 4]
    assert sum(len(line) for line in first[0].lines) == 30
    (alone,) = sample_text(io.BytesIO(data), orders=(3,), seed=5, words=30)
    assert alone == first[2]
    assert sample_text(io.BytesIO(data), orders=3, seed=6, words=30) != [alone]


def test_unknown_words_are_never_drawn() -> None:
    (sample,) = sample_text(io.BytesIO(b"a x1 x2 x3\nb x4 x5 b x6\na\n"), orders=1, words=300, min_count=2)
    assert {word for line in sample.lines for word in line} == {"a", "b"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"orders": ()}, "--order: there is none"),
        ({"orders": 6}, "--order: 6 is not an integer from 1 to 5"),
        ({"words": 0}, "--words: 0 is not a positive integer"),
        ({"seed": -1}, "--seed: -1 is not an integer from 0"),
        ({"nonsense": 1}, "nonsense: is not an option"),
    ],
)
def test_wrong_wishes_of_a_sample_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        sample_text(io.BytesIO(b"a b\n"), **options)


def test_an_empty_or_short_text_is_refused() -> None:
    with pytest.raises(CorpusError, match="is empty"):
        sample_text(io.BytesIO(b" \n"))
    with pytest.raises(CorpusError, match="4 tokens are more than the 3 of the text"):
        sample_text(io.BytesIO(b"a b\n"))


def test_n_grams_alone_are_compared_by_share_and_order(texts: dict[str, bytes]) -> None:
    files = {name: io.BytesIO(data) for name, data in texts.items()}
    report = evaluate_language({}, files["train"], valid=files["valid"], test=files["test"], **FAST)
    assert [(s.kind, s.size, s.share, len(s.perplexities)) for s in report.scores] == [
        ("n-gram", 2, 1.0, 1), ("n-gram", 3, 1.0, 1), ("n-gram", 2, 0.5, 3), ("n-gram", 3, 0.5, 3),
    ]  # fmt: skip
    train, words = read(texts["train"], min_count=2)
    test, _ = read(texts["test"], words)
    for score, order in zip(report.scores, (2, 3), strict=False):
        assert score.perplexities == (perplexity(KneserNey.train(train, order).probabilities(test)),)
    part = NgramCounts.of(train.sample(0.5, 2), 2)
    assert report.scores[2].perplexities[1] == perplexity(KneserNey.of(part, 2).probabilities(test))
    assert len(words) == report.V
    assert report.coverage["test"] == test.coverage
    assert report.cut == ()


def test_all_models_score_the_same_tokens_out_of_the_same_words(
    texts: dict[str, bytes], networks: list[tuple[Any, ...]]
) -> None:
    models = {"whole": vectors_of(texts["train"]), "half": vectors_of(texts["train"], 6)}
    files = {name: io.BytesIO(data) for name, data in texts.items()}
    report = evaluate_language(models, files["train"], valid=files["valid"], test=files["test"], max_vocab=50, **FAST)
    assert report.V == 50
    kinds = [(score.kind, score.model, score.size) for score in report.scores if score.share == 1]
    assert kinds == [
        ("n-gram", None, 2), ("n-gram", None, 3), ("random", None, 4), ("random", None, 6),
        ("frozen", "whole", 4), ("tuned", "whole", 4), ("frozen", "half", 6), ("tuned", "half", 6),
    ]  # fmt: skip
    assert len(networks) == 6 * 2 * 3
    tested = {test.ids.tobytes() for *_, test in networks}
    assert len(tested) == 1
    for score in report.scores:
        if score.kind != "n-gram":
            assert score.perplexity == pytest.approx(52)  # of a uniform model
            assert score.interval == pytest.approx((52, 52))
    first, words = read(texts["train"], min_count=2, max_vocab=50)
    for start, seed, train, _, rows, _ in networks:
        part = first if len(train) == len(first) else first.sample(0.5, seed)
        np.testing.assert_array_equal(train.ids, part.ids)
        if start == "frozen" and rows.shape[1] == 4:
            np.testing.assert_array_equal(rows, [models["whole"][word] for word in words])


def test_the_vocabulary_is_what_all_models_know(texts: dict[str, bytes], networks: list[tuple[Any, ...]]) -> None:
    common = [f"w{k}" for k in range(1, 41)]
    models = {"all": vectors_of(texts["train"]), "few": WordVectors(common, np.eye(40, dtype=np.float32))}
    report = evaluate_language(models, io.BytesIO(texts["train"]), **{**FAST, "seeds": 1})
    assert report.V == 40
    assert report.known["few"] == pytest.approx(report.coverage["test"])
    assert report.known["few"] < report.known["all"] <= 1
    assert report.cut == ("valid", "test")


def test_what_is_cut_off_and_what_overlaps_is_said(texts: dict[str, bytes]) -> None:
    said: list[str] = []
    evaluate_language({}, io.BytesIO(texts["train"]), note=said.append, **FAST)
    assert [line.split(":")[1].strip() for line in said] == ["--valid isn't given", "--test isn't given"]
    said.clear()
    lines = b"\n".join(line for line in texts["train"].split(b"\n") if len(line.split()) > 8)
    files = (io.BytesIO(texts["train"]), io.BytesIO(texts["valid"]), io.BytesIO(lines))
    report = evaluate_language({}, files[0], valid=files[1], test=files[2], note=said.append, **FAST)
    assert report.overlap == (1.0, 1.0)
    (warning,) = said
    assert warning.startswith(
        "Warning: 100% of the test text's lines and 100% of its runs of 8 tokens stand in the train"
    )


def test_texts_in_other_words_than_the_vectors_are_refused(
    texts: dict[str, bytes], networks: list[tuple[Any, ...]]
) -> None:
    other = WordVectors(["W1", "w2"], np.ones((2, 3), np.float32))
    with pytest.raises(
        CorpusError, match=r"only \d+% of the test text's .* words are among the 1 that .*; mine knows \d+%"
    ):
        evaluate_language({"mine": other}, io.BytesIO(texts["train"]), **FAST)
    with pytest.raises(CorpusError, match=r"only 0% of the test text's .* words are among the 0 that"):
        evaluate_language({"mine": WordVectors(["q"], np.ones((1, 3)))}, io.BytesIO(texts["train"]), **FAST)
    assert networks == []


def test_texts_that_are_too_short_are_refused(texts: dict[str, bytes]) -> None:
    with pytest.raises(CorpusError, match=r"0\.01 of the training text are \d+ tokens, at least 100 are needed"):
        evaluate_language({}, io.BytesIO(texts["train"]), shares=0.01)
    with pytest.raises(CorpusError, match="is empty"):
        evaluate_language({}, io.BytesIO(texts["train"]), test=io.BytesIO(b"\n"), **FAST)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"orders": (4, 9)}, "--lm-order: 9 is not an integer from 1 to 5"),
        ({"shares": (1, 1.5)}, "--lm-share: 1.5 is no share"),
        ({"shares": ()}, "--lm-share: there is none"),
        ({"seeds": (True,)}, "--lm-seed: True is not an integer"),
        ({"max_vocab": 0}, "--lm-vocab: 0 is not a positive integer"),
        ({"context": 21}, "--lm-context: 21 words are too many"),
        ({"negatives": -1}, "negatives: -1 is not"),
        ({"eta": 0}, "eta: 0 is not positive"),
        ({"nonsense": 1}, "nonsense: is not an option"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        evaluate_language({}, io.BytesIO(b"a"), **options)


def test_options_are_put_in_order() -> None:
    assert LanguageConfig(epochs=5, most_tokens=1000).passes(300) == 3
    assert LanguageConfig(epochs=5, most_tokens=1000).passes(10) == 5
    assert LanguageConfig(epochs=5, most_tokens=1000).passes(5000) == 1
    config = LanguageConfig(orders=3, shares=(0.1, 1, 0.1), seeds=(7, 7))  # type: ignore[arg-type]
    assert (config.orders, config.shares, config.seeds) == ((3,), (1.0, 0.1), (7,))


def test_without_pytorch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, texts: dict[str, bytes]) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(TrainingError, match=r"needs the package torch. Install it with: pip install 'glove-cli\[lm\]'"):
        evaluate_language({"mine": vectors_of(texts["train"])}, io.BytesIO(texts["train"]), **FAST)


def test_the_interval_is_students_of_the_logarithms() -> None:
    score = LanguageScore("tuned", "m", 5, 1.0, (9, 9, 9), (80.0, 100.0, 125.0), (1, 1, 1), (1.0, 1.0, 1.0))
    assert score.perplexity == pytest.approx(100)
    low, high = score.interval or (0, 0)
    half = 4.302652729911275 * np.log(1.25) / np.sqrt(3)  # t of 2 degrees of freedom at 97.5 %
    assert (low, high) == pytest.approx((100 * np.exp(-half), 100 * np.exp(half)))
    assert LanguageScore("n-gram", None, 4, 1.0, (9,), (80.0,), (), (1.0,)).interval is None


def test_what_fails_in_a_thread_stops_the_others(texts: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    running, stopped = threading.Event(), threading.Event()

    def train_network(*given: Any, start: str, stop: threading.Event, **how: Any) -> Any:
        if start == "random":
            assert running.wait(30)
            raise TrainingError("--lm: no.")
        running.set()
        if stop.wait(30):
            stopped.set()
        raise TrainingError("--lm: late.")

    monkeypatch.setattr(compare, "require_torch", lambda option: None)
    monkeypatch.setattr(compare, "train_network", train_network)
    with pytest.raises(TrainingError, match="no"):
        evaluate_language(
            {"mine": vectors_of(texts["train"])},
            io.BytesIO(texts["train"]),
            threads=2,
            **{**FAST, "shares": 1, "seeds": 1},
        )
    assert stopped.is_set()


def test_the_picture_is_the_same_each_time(
    tmp_path: Path, texts: dict[str, bytes], networks: list[tuple[Any, ...]]
) -> None:
    pytest.importorskip("matplotlib")
    from glove_cli import draw_language

    report = evaluate_language({"a $b$": vectors_of(texts["train"])}, io.BytesIO(texts["train"]), **FAST)
    for name in ("one.svg", "two.svg"):
        draw_language(report, tmp_path / name, title="by size")
    one = (tmp_path / "one.svg").read_text()
    assert one == (tmp_path / "two.svg").read_text()
    for text in ("2-gram", "random, d=4", "a $b$, frozen", "a $b$, tuned", "by size", "tokens of the training text"):
        assert f">{text}<" in one


def test_networks_that_memory_cannot_hold_are_refused(
    texts: dict[str, bytes], networks: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glove_cli.language.network.allowed_memory", lambda: 1_000_000)
    monkeypatch.setattr("glove_cli.language.network.used_memory", lambda: 0)
    how: dict[str, Any] = {name: io.BytesIO(data) for name, data in texts.items()}
    with pytest.raises(OptionError, match=r"--lm-vocab: 2 networks with 10,000 units for \d+ words take [\d.]+ MiB"):
        evaluate_language({"a": vectors_of(texts["train"])}, **how, **FAST, hidden=10_000, threads=2)
    assert not networks
