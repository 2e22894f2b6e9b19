"""`glove sample` and `glove evaluate --lm`: what they print, and one clear word about wrong calls."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import zipf_text
from test_cli_build_cooc import fails, glove
from test_cli_evaluate import write_vectors

from glove_cli import evaluate_language, load_vectors
from glove_cli.cli import score_language
from glove_cli.language import compare, network

SMALL = ["--lm-share", "1,0.5", "--lm-seed", "1,2", "--lm-epochs", "1", "--lm-order", "3", "--lm-hidden", "4"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with texts and vectors for their words."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("train", "valid", "test")):
        (tmp_path / f"{name}.txt").write_bytes(zipf_text(4000 if name == "train" else 600, 100, number))
    words = [f"w{k}" for k in range(1, 101)]
    for name in ("a.txt", "b.txt"):
        write_vectors(tmp_path / name, np.random.default_rng(len(name)).normal(size=(100, 3)), words)
    return tmp_path


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for PyTorch's networks."""

    def train_network(*given: Any, start: str, seed: int, **how: Any) -> Any:
        size = {"random": 40, "frozen": 30, "tuned": 20}[start] + seed
        return SimpleNamespace(best_epoch=1, probabilities=lambda test: np.full(len(test), 1 / size))

    monkeypatch.setattr(network, "require_torch", lambda option: None)
    monkeypatch.setattr(compare, "require_torch", lambda option: None)
    monkeypatch.setattr(compare, "train_network", train_network)


def test_a_sample_shows_each_order(folder: Path) -> None:
    done = glove("sample", "train.txt", "--words", "12", "--order", "1,3")
    assert (done.exit_code, done.stderr) == (0, "")
    first, second = done.stdout.split("\n\n")
    assert [text.split("\n")[0] for text in (first, second)] == ["1-gram", "3-gram"]
    assert len(first.split()) == 1 + 12
    assert glove("sample", "train.txt", "--words", "12", "--order", "1,3").stdout == done.stdout
    found = json.loads(glove("sample", "train.txt", "--words", "12", "--order", "1,3", "--json").stdout)
    assert [one["order"] for one in found] == [1, 3]
    assert [" ".join(line) for line in found[1]["lines"]] == second.strip().split("\n")[1:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train.txt", "--order", "6"], "Error: --order: 6 is not an integer from 1 to 5. Give one."),
        (["train.txt", "--order", "two"], "Error: --order: 'two' is not a valid integer. See glove sample"),
        (["train.txt", "--words", "0"], "Error: --words: 0 is not a positive integer."),
        (["nowhere.txt"], "Error: nowhere.txt: "),
    ],
)
def test_a_wrong_sample_is_one_line(folder: Path, arguments: list[str], message: str) -> None:
    done = glove("sample", *arguments)
    assert done.exit_code
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


def test_models_are_compared_in_a_table(folder: Path, no_torch: None) -> None:
    done = glove(
        "evaluate", "a.txt", "b.txt", "--lm", "train.txt", "--valid", "valid.txt", "--test", "test.txt", *SMALL
    )
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "a.txt: knows 100.0% of the test text's words." in lines
    # Student's t of 1 degree of freedom is 12.7 at 97.5 %: a factor of exp(12.7 log(22 / 21) / 2) of sqrt(21 * 22).
    assert sum(line.startswith("b.txt, tuned 21.5 16.0 to 28.9 1 ") for line in lines) == 2
    assert sum(line.startswith("random, d=3 41.5 35.6 to 48.4 1 ") for line in lines) == 2
    (at,) = [k for k, line in enumerate(lines) if line.startswith("the whole training text, ")]
    assert lines[at + 1].startswith("3-gram, Kneser-Ney ")
    assert lines[at + 7].startswith("0.5 of it, ")
    assert max(map(len, done.stdout.splitlines())) <= 110


def test_json_and_lines_hold_what_the_library_finds(folder: Path, no_torch: None) -> None:
    arguments = ["evaluate", "a.txt", "--lm", "train.txt", "--valid", "valid.txt", "--test", "test.txt", *SMALL]
    found = json.loads(glove(*arguments, "--json").stdout)
    report = evaluate_language(
        {"a.txt": load_vectors("a.txt")}, "train.txt", valid="valid.txt", test="test.txt", shares=(1, 0.5),
        seeds=(1, 2), epochs=1, orders=3, hidden=4,
    )  # fmt: skip
    assert [score["perplexities"] for score in found["scores"]] == [list(s.perplexities) for s in report.scores]
    assert found["V"] == report.V
    assert found["overlap"] == report.overlap._asdict()
    assert found["scores"][0]["interval"] is None
    rows = [line.split("\t") for line in glove(*arguments, "--tsv").stdout.splitlines()]
    assert [(row[0], row[1], row[3]) for row in rows[:4]] == [
        ("n-gram", "", "1"), ("random", "", "1"), ("frozen", "a.txt", "1"), ("tuned", "a.txt", "1"),
    ]  # fmt: skip
    assert {len(row) for row in rows} == {8}
    assert float(rows[0][5]) == pytest.approx(report.scores[0].perplexity, abs=1e-3)


def test_what_is_cut_off_is_said_and_a_picture_is_drawn(folder: Path, no_torch: None) -> None:
    pytest.importorskip("matplotlib")
    done = glove("evaluate", "a.txt", "--lm", "train.txt", "--lm-plot", "sizes.svg", *SMALL)
    assert done.exit_code == 0, done.output
    assert "Note: --valid isn't given: what says when to stop is the end of the training text, " in done.stderr
    assert "Note: --test isn't given: the test text is the end of the training text, " in done.stderr
    assert "<svg" in (folder / "sizes.svg").read_text()
    again = glove("evaluate", "a.txt", "--lm", "train.txt", "--lm-plot", "sizes.svg", *SMALL)
    fails(again, 1, "sizes.svg: already exists. Use --force")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--valid", "valid.txt"], "--valid: belongs to language models. Add --lm TRAIN."),
        (["--lm-epochs", "2"], "--lm-epochs: belongs to language models."),
        (["--lm", "train.txt", "--analogies", "x"], "--analogies: can't be combined with --lm."),
        (["--lm", "train.txt", "--seed", "2"], "--seed: can't be combined with --lm."),
        (["--lm", "train.txt", "--tsv", "--json"], "--tsv: can't be combined with --json."),
        (["--lm", "nowhere.txt"], "nowhere.txt: "),
        (["--lm", "-"], "--lm: can't come from standard input."),
        (["--lm", "train.txt", "--test", "nowhere.txt"], "nowhere.txt: "),
        (["--lm", "train.txt", "--lm-order", "7"], "--lm-order: 7 is not an integer from 1 to 5."),
        (["--lm", "train.txt", "--lm-share", "2"], "--lm-share: 2 is no share of a text."),
        (["--lm", "train.txt", "--lm-plot", "x.gif"], "x.gif: ends in .gif, which is no kind of picture"),
        (["--lm", "train.txt", "--threads", "0"], "--threads: 0 is not a positive integer."),
        (["--lm", "train.txt", "--process", "nonsense"], "--process: "),
    ],
)
def test_a_wrong_call_is_one_line(folder: Path, no_torch: None, arguments: list[str], message: str) -> None:
    done = glove("evaluate", "a.txt", *arguments)
    assert done.exit_code
    assert done.stdout == ""
    assert done.stderr.startswith(f"Error: {message}"), done.stderr
    assert done.stderr.count("\n") == 1


def test_without_pytorch_the_extra_is_named_before_anything_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    done = glove("evaluate", "a.txt", "--lm", "train.txt")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: --lm: needs the package torch. Install it with: pip install 'glove-cli[lm]'.\n"


def test_options_without_numbers_are_those_of_the_config() -> None:
    from glove_cli.cli.main import main
    from glove_cli.language.config import LanguageConfig

    context = main.commands["evaluate"].make_context("evaluate", [])
    assert score_language.config_of(context.params) == LanguageConfig()


def test_the_command_trains_real_networks(folder: Path) -> None:
    if os.environ.get("GLOVE_REQUIRE_TORCH") != "1":
        pytest.importorskip("torch", reason="PyTorch is not installed (the extra lm; see GLOVE_REQUIRE_TORCH)")
    arguments = [
        "evaluate",
        "a.txt",
        "--lm",
        "train.txt",
        "--valid",
        "valid.txt",
        "--test",
        "test.txt",
        *SMALL,
        "--json",
    ]
    found = [glove(*arguments, "--threads", threads) for threads in ("1", "2")]
    assert [done.exit_code for done in found] == [0, 0], found[0].output
    first, second = ([score["perplexities"] for score in json.loads(done.stdout)["scores"]] for done in found)
    assert first == second
    assert all(1 < value < 102 for values in first for value in values)
