"""Recipes: other defaults for both commands, and steps that a model's vectors are used with."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from test_cli_build_cooc import glove

from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.store import load_cooc
from glove_cli.errors import OptionError
from glove_cli.model import GloveModel
from glove_cli.recipes import RECIPES
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import find_counts
from glove_cli.training.run import make_config, train
from glove_cli.training.x_max import choose_x_max
from glove_cli.vectors.export import export_vectors
from glove_cli.vectors.load import load_vectors
from glove_cli.vectors.process import parse_steps, process_vectors
from glove_cli.vectors.select import load_model, select_vectors

SAMPLE = Path(__file__).parents[1] / "corpora" / "sample.txt"
STEPS = "unit,whiten:0.3"
QUICK = ("--dim", "4", "--epochs", "2")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a run whose model is to be used with STEPS."""
    run = tmp_path_factory.mktemp("recipes") / "run"
    cooc = build_cooc(SAMPLE, run / "cooc", min_count=3)
    train(cooc, out=run / "model", dim=6, epochs=3, x_max=10, process=STEPS)
    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: Path) -> Path:
    """Work in a folder with that run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    shutil.copytree(trained, tmp_path / "glove-run")
    return tmp_path


# --- recipes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_names_options_that_exist(name: str) -> None:
    recipe = RECIPES[name]
    CoocConfig(**recipe.counting)
    training = dict(recipe.training)
    assert parse_steps(training.pop("process"))
    make_config(training)
    assert recipe.about.endswith(".")


def test_a_recipe_gives_the_commands_other_defaults(folder: Path) -> None:
    shutil.copy(SAMPLE, "corpus.txt")
    assert glove("build-cooc", "corpus.txt", "--recipe", "wide", "--run", "r").exit_code == 0
    options = load_cooc("r/cooc").meta["options"]
    assert options == {**asdict(CoocConfig()), **RECIPES["wide"].counting, **_as_kept(options)}
    result = glove("train", "--recipe", "wide", "--dim", "4", "--run", "r")
    assert result.exit_code == 0, result.output
    assert "was counted with" not in result.stderr
    meta = GloveModel.load("r/model").meta
    training = dict(RECIPES["wide"].training)
    assert meta["process"] == training.pop("process")
    assert training.pop("x_max") == "auto"
    x_max = choose_x_max(find_counts(load_cooc("r/cooc"), None, None))
    assert meta["options"] == {**asdict(TrainConfig()), **training, "x_max": x_max, "dim": 4}
    made = train(load_cooc("r/cooc"), **{**RECIPES["wide"].training, "dim": 4})
    assert np.array_equal(made.W, GloveModel.load("r/model").W)


def _as_kept(options: dict) -> dict:
    """Return the options that a matrix keeps beside those of `CoocConfig`, or in another form."""
    return {name: value for name, value in options.items() if name not in RECIPES["wide"].counting}


def test_what_is_typed_goes_before_the_recipe_wherever_it_stands(folder: Path) -> None:
    shutil.copy(SAMPLE, "corpus.txt")
    assert glove("build-cooc", "--window", "5", "corpus.txt", "--recipe", "wide", "--run", "r").exit_code == 0
    options = load_cooc("r/cooc").meta["options"]
    assert (options["window"], options["subsample"]) == (5, 1e-4)
    result = glove("train", *QUICK, "--process", "none", "--recipe", "wide", "--run", "r")
    assert result.exit_code == 0, result.output
    meta = GloveModel.load("r/model").meta
    assert (meta["options"]["epochs"], meta["options"]["min_weight"]) == (2, 0.1)
    assert "process" not in meta


def test_a_matrix_that_was_counted_in_another_way_is_noted(folder: Path) -> None:
    result = glove("train", "--recipe", "wide", *QUICK, "--force")
    assert result.exit_code == 0, result.output
    assert "was counted with --window 15 (60), --subsample 0.0 (0.0001)." in result.stderr
    assert "glove build-cooc --recipe wide" in result.stderr


def test_another_recipe_is_refused(folder: Path) -> None:
    for command in (("build-cooc", "corpus.txt"), ("train",)):
        result = glove(*command, "--recipe", "narrow")
        assert result.exit_code == 2
        assert "'narrow' is not 'wide'" in result.output


# --- steps that a model's vectors are used with ---------------------------------------------------------------------


def test_the_model_keeps_its_vectors_and_the_steps_beside_them(trained: Path) -> None:
    model = load_model(trained)
    plain = train(load_cooc(trained / "cooc"), dim=6, epochs=3, x_max=10)
    assert np.array_equal(model.W, plain.W)
    assert model.meta["process"] == STEPS
    raw = select_vectors(model, process="none")
    np.testing.assert_array_equal(raw.matrix, np.asarray(model.W) + np.asarray(model.C))
    expected = process_vectors(raw, STEPS).matrix
    np.testing.assert_array_equal(select_vectors(model).matrix, expected)
    np.testing.assert_array_equal(select_vectors(model, process="mean").matrix, process_vectors(raw, "mean").matrix)
    assert np.abs(expected - raw.matrix).max() > 0.1
    np.testing.assert_array_equal(load_vectors(trained).matrix, expected)


def test_every_command_uses_the_steps_unless_told_otherwise(folder: Path, trained: Path) -> None:
    model = load_model(trained)
    for options, steps in (((), STEPS), (("--process", "none"), None), (("--process", "mean"), "mean")):
        raw = select_vectors(model, process="none")
        vectors = process_vectors(raw, steps) if steps is not None else raw
        expected = [word for word, _ in vectors.nearest("paris", 5)]
        shown = json.loads(glove("nearest", "paris", "-n", "5", "--json", *options).stdout)
        assert [found["word"] for found in _neighbours(shown)] == expected
        assert glove("export", "out.npy", "--no-unk", "--force", *options).exit_code == 0
        np.testing.assert_array_equal(np.load("out.npy"), vectors.matrix)
        scored = json.loads(glove("evaluate", "--json", "--resamples", "0", *options).stdout)["models"]
        assert [each["process"] for each in scored] == [steps]
        assert scored[0]["analogies"] == _analogies(vectors)


def _neighbours(shown: object) -> list[dict]:
    """Return the neighbours in what `glove nearest --json` prints for one word."""
    entry = shown[0] if isinstance(shown, list) else shown
    assert isinstance(entry, dict)
    return entry["neighbours"] if "neighbours" in entry else entry["nearest"]


def _analogies(vectors: object) -> dict:
    export_vectors(vectors, "plain.txt", force=True)  # type: ignore[arg-type]
    result = glove("evaluate", "plain.txt", "--json", "--resamples", "0")
    return json.loads(result.stdout)["models"][0]["analogies"]


def test_an_exported_text_has_the_mean_of_the_changed_vectors_for_unknown_words(folder: Path) -> None:
    assert glove("export", "with.npy").exit_code == 0
    changed = np.load("with.npy")
    np.testing.assert_allclose(changed[-1], changed[:-1][-100:].mean(axis=0), atol=1e-6)


def test_info_says_what_they_are_used_with(folder: Path) -> None:
    assert f"used with   --process {STEPS}" in glove("info").stdout
    parts = json.loads(glove("info", "--json").stdout)["parts"]
    assert [part["process"] for part in parts if part["kind"] == "model"] == [STEPS]


def test_a_model_that_is_gone_on_with_starts_from_the_vectors_as_trained(folder: Path, trained: Path) -> None:
    cooc = load_cooc(trained / "cooc")
    from_folder = train(cooc, init=trained / "model", dim=6, epochs=1, x_max=10)
    from_model = train(cooc, init=train(cooc, dim=6, epochs=3, x_max=10), dim=6, epochs=1, x_max=10)
    assert np.array_equal(from_folder.W, from_model.W)


@pytest.mark.parametrize("wrong", ["mean,", "whiten", "sideways"])
def test_a_step_that_is_none_is_refused_before_training(folder: Path, wrong: str) -> None:
    result = glove("train", "--process", wrong, "--force")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: --process: ")
    with pytest.raises(OptionError, match="--process"):
        train(load_cooc("glove-run/cooc"), process=wrong)


def test_a_resumed_training_with_other_steps_is_refused(folder: Path) -> None:
    same = ("train", "--dim", "6", "--epochs", "3", "--x-max", "10", "--resume")
    assert "was finished already" in glove(*same, "--process", STEPS).stderr
    result = glove(*same, "--process", "mean")
    assert result.exit_code == 2
    assert "process" in result.stderr
