"""x_max chosen by the matrix."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from training_runs import QUICK, equal

from glove_cli.cooc.store import CoocMatrix, load_cooc
from glove_cli.errors import TrainingError
from glove_cli.training import counts as counts_module
from glove_cli.training.counts import find_counts
from glove_cli.training.run import train
from glove_cli.training.x_max import choose_x_max, suggest_x_max

pytestmark = pytest.mark.usefixtures("in_a_folder")


@pytest.mark.parametrize(
    ("reached", "expected"),
    [
        (1.0, 1.0),
        (1.9, 1.0),
        (2.0, 2.0),
        (4.9, 2.0),
        (5.0, 5.0),
        (99.0, 50.0),
        (100.0, 100.0),
        (0.3, 0.2),
        (0.05, 0.05),
    ],
)
def test_the_largest_round_number_that_enough_entries_reach_is_chosen(reached: float, expected: float) -> None:
    few = np.full(1000, reached / 1000)
    few[:3] = reached  # three of a thousand
    assert choose_x_max(few) == pytest.approx(expected)
    few[1:3] = reached / 1000  # one of a thousand isn't enough
    chosen = choose_x_max(few)
    assert chosen is not None
    assert chosen < expected


@pytest.mark.parametrize("sample", [[], [-1.0], [0.0, 0.0], [np.inf], [np.nan]])
def test_nothing_is_chosen_by_entries_that_cant_be_trained_on(sample: list[float]) -> None:
    assert choose_x_max(np.array(sample)) is None
    assert suggest_x_max(np.array(sample), 100.0) is None


def test_a_better_x_max_is_named_for_a_small_corpus(cooc: CoocMatrix) -> None:
    better = suggest_x_max(cooc.data, 1000.0)
    assert better is not None
    assert 0 < better < 1000.0
    assert suggest_x_max(cooc.data, better) is None
    assert suggest_x_max(cooc.data, 0.01) is None
    assert choose_x_max(cooc.data) == better


def test_auto_is_the_chosen_number(cooc: CoocMatrix) -> None:
    chosen = choose_x_max(cooc.data)
    assert chosen is not None
    options = {**QUICK, "x_max": chosen}
    said: list[str] = []
    train(cooc, out="auto", note=said.append, **{**QUICK, "x_max": "auto"})
    train(cooc, out="number", **options)
    assert equal("auto", "number")
    assert f"x_max {chosen:g}, chosen by the matrix." in said
    resumed: list[str] = []
    train(cooc, out="auto", resume=True, note=resumed.append, **options)  # the same job, however it was typed
    assert any("was finished already" in text for text in resumed)


def test_auto_of_entries_that_cant_be_trained_on_is_refused_as_ever(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="not positive and finite"):
        train(csr_array(np.array([[0.0, -1.0], [-1.0, 0.0]])), ["a", "b"], x_max="auto")


def test_a_sample_of_a_large_matrix_is_from_all_over(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts_module, "_SAMPLE", 1 << 11)
    on_disk = find_counts(load_cooc(cooc.path), None, None)
    in_memory = replace(on_disk, mappings={})
    assert on_disk.mappings
    assert np.array_equal(on_disk.sample(), in_memory.sample())
    assert len(on_disk.sample()) == 1 << 11 < len(cooc.data)
    assert np.array_equal(on_disk.sample()[:256], cooc.data[:256])
    assert np.array_equal(on_disk.sample()[-256:], cooc.data[-256:])
