"""`glove train --method`: singular vectors by the commands that know GloVe's models."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from test_cli_build_cooc import fails, glove

from glove_cli import factorize, load_cooc, load_model
from glove_cli.model import GloveModel

TEXT = b"the cat sat on the mat the dog sat on the cat a dog and a cat sat\n" * 3


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a matrix."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    (tmp_path / "text.txt").write_bytes(TEXT)
    assert glove("build-cooc", "text.txt", "--min-count", "1").exit_code == 0
    return tmp_path / "glove-run"


@pytest.mark.parametrize("method", ["pca", "log-pca", "ppmi-svd"])
def test_a_model_of_singular_vectors_is_used_like_any(run: Path, method: str) -> None:
    result = glove("train", "--method", method, "--dim", "3")
    assert result.exit_code == 0, result.stderr
    assert f"method      {method}\n" in result.stdout
    expected = factorize(load_cooc(run / "cooc"), method=method, dim=3)
    assert np.array_equal(GloveModel.load(run / "model").W, expected.W)
    assert glove("nearest", "cat", "-n", "2").exit_code == 0
    assert glove("export", "v.txt").exit_code == 0
    assert load_model(run).meta["method"] == method
    described = glove("info").stdout
    assert re.search(rf"^  method +{method}, [\d.]+% of the sum of squares kept$", described, re.MULTILINE)
    assert "epochs" not in described
    model = json.loads(glove("info", "--json").stdout)["parts"][1]
    assert (model["method"], model["epochs"], model["cost"]) == (method, None, None)
    assert 0 < model["explained"] <= 1
    fails(glove("history"), 1, rf"glove-run/model: was made by {method}, which has no epochs")


def test_several_dimensions_give_several_models(run: Path) -> None:
    assert glove("train", "--method", "ppmi-svd", "--dim", "2,3", "--eig", "0", "--shift", "1.1").exit_code == 0
    assert [load_model(run / f"model-d{d}").dim for d in (2, 3)] == [2, 3]
    assert load_model(run / "model-d2").meta["options"]["shift"] == 1.1


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--method", "pca", "--epochs", "5"], "--epochs"),
        (["--method", "pca", "--shift", "5"], "--shift"),
        (["--method", "log-pca", "--smoothing", "1"], "--smoothing"),
        (["--method", "ppmi-svd", "--recipe", "wide"], "--recipe"),
        (["--method", "ppmi-svd", "--resume"], "--resume"),
        (["--method", "glove", "--eig", "1"], "--eig"),
        (["--shift", "5"], "--shift"),
    ],
)
def test_options_without_meaning_are_refused(run: Path, arguments: list[str], option: str) -> None:
    method = arguments[1] if arguments[0] == "--method" else "glove"
    fails(glove("train", *arguments, "--dim", "3"), 2, f"{option}: has no meaning with --method {method}. Leave it out")
    assert not (run / "model").exists()


def test_a_model_that_exists_is_replaced_by_force_only(run: Path) -> None:
    assert glove("train", "--dim", "3", "--epochs", "1").exit_code == 0
    fails(glove("train", "--method", "pca", "--dim", "3"), 1, "glove-run/model: already exists")
    assert glove("train", "--method", "pca", "--dim", "3", "--force").exit_code == 0
    assert load_model(run).meta["method"] == "pca"
    fails(
        glove("train", "--dim", "3", "--epochs", "2", "--resume"), 2, "--resume: the model glove-run/model was trained"
    )


def test_what_cannot_work_is_refused_before_any_work(run: Path) -> None:
    fails(glove("train", "--method", "pca", "--dim", "100"), 1, "--dim: 100 numbers for 8 words")
    fails(glove("train", "--method", "ppmi-svd", "--eig", "2"), 2, "--eig: 2.0 is not a number from 0 to 1")
    fails(glove("train", "--method", "pca", "--cooc", "none"), 1, "none: does not exist")
    assert not (run / "model").exists()
