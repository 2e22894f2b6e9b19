"""Entries of small weight, met by chance: which ones, how often, and that it is the same for any threads and memory."""

from __future__ import annotations

import io
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import oracle
import pytest
from conftest import file_hashes, zipf_text
from training_runs import PARAMETERS, QUICK, costs, equal, leave, same

from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.store import CoocMatrix
from glove_cli.errors import OptionError
from glove_cli.training import kernels, kernels_plain
from glove_cli.training import plan as plan_module
from glove_cli.training.entries import ENTRY, ENTRY64
from glove_cli.training.run import train

pytestmark = pytest.mark.usefixtures("in_a_folder")
BOTH = pytest.mark.parametrize(
    ("module", "entry"), [(kernels, ENTRY), (kernels_plain, ENTRY64)], ids=["float32", "float64"]
)
X_MAX, ALPHA, LEAST = 10.0, 0.75, 0.2
JOBS = np.array([[0, 700, 5, 1000], [700, 700, 0, 0], [700, 2000, 70, 3]])


def entries_of(entry: np.dtype, n: int = 2000) -> np.ndarray:
    rng = np.random.default_rng(3)
    made = np.zeros(n, entry)
    made["row"], made["col"] = rng.integers(0, 60_000, (2, n))
    made["log_x"] = rng.uniform(-4, 4, n)
    return made


def thinned(module: ModuleType, entries: np.ndarray, key: int, room: int = 4000) -> tuple[list[tuple], np.ndarray, int]:
    """Return (state row of the word, of the context, log x) of what stays, its jobs, and how many fitted."""
    number = np.float32 if entries.dtype == ENTRY else np.float64
    space = np.empty(2 * kernels.WEIGHTS, number)
    kept, kept_jobs = np.zeros(room, entries.dtype), np.zeros_like(JOBS)
    numbers = (number(ALPHA), number(math.log(X_MAX)), number(math.log(LEAST)))
    done = module.thin_entries(entries, JOBS, *numbers, np.uint64(key), space, kept, kept_jobs)
    found = [
        (int(row + e["row"]), int(col + e["col"]), float(e["log_x"]))
        for first, last, row, col in kept_jobs[:done].tolist()
        for e in kept[first:last]
    ]
    return found, kept_jobs, done


@BOTH
def test_the_kernels_keep_what_the_oracle_keeps(module: ModuleType, entry: np.dtype) -> None:
    entries = entries_of(entry)
    for key in (0, 1, 2**64 - 1):
        expected = []
        for first, last, row, col in JOBS.tolist():
            for e in entries[first:last]:
                i, j, log_x = int(row + e["row"]), int(col + e["col"]), float(e["log_x"])
                f = oracle.entry_weight(math.exp(log_x), X_MAX, ALPHA)
                if oracle.is_met(i, j, f, LEAST, key):
                    expected.append((i, j, log_x))
        found, _, done = thinned(module, entries, key)
        # An entry whose chance is within a rounding error of f / least may fall on either side.
        assert done == len(JOBS)
        assert len(set(found) ^ set(expected)) <= 1
        assert 0.3 * len(entries) < len(found) < 0.9 * len(entries)


@BOTH
def test_an_entry_is_met_as_often_as_its_weight_says(module: ModuleType, entry: np.dtype) -> None:
    entries = entries_of(entry)
    weights = np.minimum(1, (np.exp(entries["log_x"].astype(float)) / X_MAX) ** ALPHA)
    keys = np.random.default_rng(1).integers(2**63, size=400)
    kept = [len(thinned(module, entries, int(key))[0]) for key in keys]
    chances = np.minimum(1, weights / LEAST)
    spread = math.sqrt((chances * (1 - chances)).sum() / len(keys))
    assert abs(np.mean(kept) - chances.sum()) < 5 * spread
    always = {tuple(e)[-1] for e in entries[weights >= LEAST][["row", "col", "log_x"]].tolist()}
    for key in keys[:20]:
        assert always <= {log_x for _, _, log_x in thinned(module, entries, int(key))[0]}


@BOTH
def test_jobs_that_find_no_room_are_left(module: ModuleType, entry: np.dtype) -> None:
    entries = entries_of(entry)
    some, _, done = thinned(module, entries, 5, room=1300)
    everything, _, _ = thinned(module, entries, 5)
    assert done == 2
    assert some == everything[: len(some)]
    assert 0 < len(some) < len(everything)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_model_is_the_same_for_any_threads_and_from_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    cooc = build_cooc(io.BytesIO(zipf_text(40_000, 9_000, 2)), tmp_path / "cooc", min_count=1, window=6)
    settings: dict[str, Any] = {"dim": 6, "epochs": 3, "x_max": 10.0, "min_weight": 0.5, "dtype": dtype}
    hashes = []
    for number, threads in enumerate((1, 2, 7, 2)):
        if number == 3:  # from now on tiles are read from their file
            monkeypatch.setattr(plan_module.Plan, "streamed", True)
        out = tmp_path / f"model{number}"
        model = train(cooc, out=out, tiles=tmp_path / f"tiles{number}", threads=threads, **settings)
        files = file_hashes(out, leave_out=("meta.json", "history.jsonl"))
        hashes.append(files | {"history": costs(model)})
    assert {f"{name}.npy" for name in PARAMETERS} < set(hashes[0])
    assert all(each == hashes[0] for each in hashes[1:])


def test_a_resumed_training_meets_the_same_entries(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {**QUICK, "min_weight": 0.5}
    train(cooc, out="straight", **settings)
    leave(cooc, "model", monkeypatch, rounds=6, min_weight=0.5)
    train(cooc, out="model", resume=True, **settings)
    assert equal("straight", "model")


def test_each_epoch_and_seed_meets_other_entries(cooc: CoocMatrix) -> None:
    options = {"dim": 4, "epochs": 1, "x_max": 50.0, "eta": 1e-12, "bias_eta": 0.0}
    full = train(cooc, **options).meta["history"][0]["cost"]
    found = [train(cooc, **{**options, "epochs": 3}, min_weight=1.0, seed=seed).meta["history"] for seed in (1, 2)]
    estimates = [entry["cost"] for history in found for entry in history]
    assert len(set(estimates)) == 6  # the vectors hardly move, so only the choice of entries differs
    assert np.mean(estimates) == pytest.approx(full, rel=0.1)


def test_it_comes_to_nearly_the_same_cost(tmp_path: Path) -> None:
    cooc = build_cooc(io.BytesIO(zipf_text(60_000, 3_000, 5)), tmp_path / "cooc", min_count=1)
    settings = {"dim": 10, "epochs": 12, "x_max": 10.0}
    full, thin = (train(cooc, **settings, min_weight=least).meta["history"] for least in (0.0, 0.1))
    assert thin[-1]["cost"] < 0.7 * thin[0]["cost"]
    assert thin[-1]["cost"] == pytest.approx(full[-1]["cost"], rel=0.05)


def test_without_it_nothing_changes(cooc: CoocMatrix) -> None:
    assert same(train(cooc, **QUICK), train(cooc, **QUICK, min_weight=1e-9))


@pytest.mark.parametrize("wrong", [-0.1, 1.5, math.nan, "0.1", True])
def test_a_wrong_value_is_refused(cooc: CoocMatrix, wrong: object) -> None:
    with pytest.raises(OptionError, match="--min-weight"):
        train(cooc, min_weight=wrong)
