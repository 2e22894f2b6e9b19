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
from glove_cli.training.counts import Counts, find_counts
from glove_cli.training.run import train
from glove_cli.training.x_max import choose_x_max, suggest_x_max

pytestmark = pytest.mark.usefixtures("in_a_folder")


def counts_of(*entries: float) -> Counts:
    """Return counts with these entries in one row."""
    matrix = csr_array(np.array([[0.0] * len(entries), entries] + [[0.0] * len(entries)] * (len(entries) - 2)))
    return find_counts(matrix, [f"w{i}" for i in range(len(entries))], None)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((625.0, 0.5), 0.67),  # 5 / 7.5
        ((50_625.0, 0.5), 2.0),
        ((81e6, 19e6), 13.0),
        ((2e11, 5e10), 94.0),
        ((1e15, 1.0), 750.0),
        ((0.001, 0.001), 0.028),
    ],
)
def test_it_is_the_fourth_root_of_the_sum_by_seven_and_a_half(entries: tuple[float, ...], expected: float) -> None:
    assert choose_x_max(counts_of(*entries)) == pytest.approx(expected)


@pytest.mark.parametrize("entries", [(-1.0, -2.0), (np.inf, 1.0), (np.nan, 1.0), (-np.inf, 1.0)])
def test_nothing_is_chosen_by_entries_that_cant_be_trained_on(entries: tuple[float, ...]) -> None:
    assert choose_x_max(counts_of(*entries)) is None
    assert suggest_x_max(counts_of(*entries), 100.0) is None


def test_a_better_x_max_is_named_for_a_small_corpus(cooc: CoocMatrix) -> None:
    counts = find_counts(cooc, None, None)
    better = suggest_x_max(counts, 1000.0)
    assert better is not None
    assert 0 < better < 1000.0
    assert better == choose_x_max(counts)
    assert suggest_x_max(counts, 0.01) is None


def test_a_matrix_and_its_lower_half_are_nearly_alike(cooc: CoocMatrix) -> None:
    whole = find_counts(cooc.to_scipy(), cooc.vocab.words, None)  # in the half, entries on the diagonal weigh more
    assert choose_x_max(whole) == pytest.approx(choose_x_max(find_counts(cooc, None, None)), rel=0.05)


def test_it_follows_all_entries_not_those_that_are_looked_at(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = choose_x_max(find_counts(cooc, None, None))
    monkeypatch.setattr(counts_module, "_SAMPLE", 1 << 9)  # most of them pairs of the most frequent words
    monkeypatch.setattr(counts_module, "_PIECE", 1 << 10)
    counts = find_counts(load_cooc(cooc.path), None, None)
    assert np.mean(counts.sample()) > 2 * np.mean(counts.data)
    assert choose_x_max(counts) == chosen
    assert counts.total() == pytest.approx(float(np.sum(cooc.data)) * cooc.nnz / len(cooc.data))


def test_auto_is_the_chosen_number(cooc: CoocMatrix) -> None:
    chosen = choose_x_max(find_counts(cooc, None, None))
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
