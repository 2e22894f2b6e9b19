"""Tiles on disk: the same model from them, used again, made again when damaged; and memory that is planned."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import zipf_text
from training_runs import QUICK, equal, same

from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.store import CoocMatrix
from glove_cli.errors import OptionError, TrainingError
from glove_cli.model import GloveModel
from glove_cli.training import plan as plan_module
from glove_cli.training import tile_folder
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import find_counts
from glove_cli.training.plan import make_plan
from glove_cli.training.run import train

pytestmark = pytest.mark.usefixtures("in_a_folder")


# --- tiles: kept, used again, read from disk ------------------------------------------------------------------------


@pytest.mark.parametrize("holdout", [0.0, 0.1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tiles_read_from_disk_give_the_same_model(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch, holdout: float, dtype: str
) -> None:
    options = {**QUICK, "holdout": holdout, "dtype": dtype}
    train(cooc, out="memory", **options)
    monkeypatch.setattr(plan_module.Plan, "streamed", True)
    said: list[str] = []
    train(cooc, out="streamed", tiles="others", note=said.append, threads=3, **options)
    assert any("read from disk piece by piece" in text for text in said)
    assert equal("memory", "streamed")
    train(cooc, out="again", **options)  # from the tiles of the first
    assert equal("memory", "again")
    assert same(GloveModel.load("memory"), train(cooc, **options))  # in a temporary folder
    assert sorted(os.listdir()) == ["again", "memory", "others", "streamed", "tiles"]


@pytest.mark.parametrize(
    ("options", "used_again"),
    [
        ({"eta": 0.1, "seed": 5, "x_max": 3.0, "alpha": 0.5, "epochs": 2, "dim": 9}, True),
        ({"holdout": 0.1}, False),
        ({"dtype": "float64"}, False),
    ],
)
def test_tiles_are_used_again_when_only_training_changes(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch, options: dict, used_again: bool
) -> None:
    train(cooc, out="first", **QUICK)
    expected = train(cooc, **{**QUICK, **options})
    built: list[object] = []
    build = tile_folder.TileBuilder.build
    monkeypatch.setattr(tile_folder.TileBuilder, "build", lambda *a, **o: built.append(a) or build(*a, **o))
    model = train(cooc, out="second", **{**QUICK, **options})
    assert bool(built) is not used_again
    assert same(model, expected)


def test_tiles_of_a_matrix_that_differs_in_one_entry_are_not_used(cooc: CoocMatrix) -> None:
    matrix, words = cooc.to_scipy(), list(cooc.vocab.words)
    train(matrix, words, out="first", **QUICK)
    matrix.data[5] *= 1.5
    assert same(train(matrix, words, out="second", **QUICK), train(matrix, words, **QUICK))


def test_tiles_of_another_matrix_are_not_used(cooc: CoocMatrix) -> None:
    train(cooc, out="first", **QUICK)
    other = build_cooc(io.BytesIO(zipf_text(30_000, 2000, 2)), "other", window=5)
    assert same(train(other, out="second", **QUICK), train(other, **QUICK))


@pytest.mark.parametrize("name", ["entries.bin", "starts.npy", "place.npy", "meta.json"])
@pytest.mark.parametrize("damage", ["cut short", "missing", "changed"])
def test_damaged_tiles_are_made_again(cooc: CoocMatrix, name: str, damage: str) -> None:
    train(cooc, out="first", **QUICK)
    path = Path("tiles") / name
    data = bytearray(path.read_bytes())
    data[-20] ^= 0xFF
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(data if damage == "changed" else data[:-8])
    train(cooc, out="second", **QUICK)
    assert equal("first", "second")
    assert set(os.listdir("tiles")) == {"entries.bin", "meta.json", "place.npy", "starts.npy"}


# --- memory ---------------------------------------------------------------------------------------------------------


def test_the_plan_is_said_before_the_start(cooc: CoocMatrix) -> None:
    said: list[str] = []
    train(cooc, memory="1G", note=said.append, **QUICK)
    assert len([text for text in said if text.startswith("Memory: ")]) == 1
    assert re.fullmatch(r"Memory: .* for parameters; beside them at most 1 GiB, .* of tiles are in memory\.", said[-1])


def test_what_cannot_fit_is_refused_with_the_largest_dimension_that_would(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = find_counts(cooc, None, None)
    how = {"threads": 1, "memory": None, "anchored": False, "returned": False}
    allowed = 40 << 20
    monkeypatch.setattr(plan_module, "allowed_memory", lambda: (30 << 20) + plan_module._PROGRAM + allowed)
    monkeypatch.setattr(plan_module, "used_memory", lambda: 30 << 20)
    with pytest.raises(TrainingError, match=r"--dim: vectors of 30000 numbers .* Give --dim (\d+) or less") as caught:
        train(cooc, out="model", dim=30_000, epochs=1, threads=1)
    fitting = int(str(caught.value).split("Give --dim ")[1].split()[0])
    assert os.listdir() == []
    largest = make_plan(counts, TrainConfig(dim=fitting), **how)
    assert largest.parameters + largest.buffers <= allowed
    with pytest.raises(TrainingError):
        make_plan(counts, TrainConfig(dim=fitting + 1), **how)
    monkeypatch.setattr(plan_module, "allowed_memory", lambda: 1 << 20)
    with pytest.raises(TrainingError, match="Count fewer words"):
        train(cooc, **QUICK)


@pytest.mark.parametrize("memory", ["1M", "20M", 5])
def test_a_limit_that_is_too_small_is_refused_with_what_would_do(cooc: CoocMatrix, memory: Any) -> None:
    with pytest.raises(
        OptionError, match=r"--memory: .* too little beside the parameters\. Give (\d+)M or more"
    ) as caught:
        train(cooc, out="model", memory=memory, **QUICK)
    enough = str(caught.value).split("Give ")[1].split()[0]
    train(cooc, out="model", memory=enough, **QUICK)


def test_copies_of_the_parameters_are_in_the_plan(cooc: CoocMatrix) -> None:
    counts = find_counts(cooc, None, None)
    how: dict[str, Any] = {"threads": 2, "memory": "1G"}
    one = make_plan(counts, TrainConfig(**QUICK), anchored=False, returned=False, **how).parameters
    two = make_plan(counts, TrainConfig(on_divergence="halve-eta", **QUICK), anchored=False, returned=False, **how)
    assert two.parameters == 2 * one
    assert make_plan(counts, TrainConfig(**QUICK), anchored=False, returned=True, **how).parameters == 2 * one
    assert make_plan(
        counts, TrainConfig(dtype="float64", **QUICK), anchored=False, returned=False, **how
    ).parameters == (2 * one)
    assert make_plan(counts, TrainConfig(**QUICK), anchored=True, returned=False, **how).parameters > one
