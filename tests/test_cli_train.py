"""`glove train`: what it says, and what it does with wrong input."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from conftest import file_hashes
from test_cli_build_cooc import fails, glove

from glove_cli.cooc.build import build_cooc
from glove_cli.model import GloveModel
from glove_cli.training.config import TrainConfig
from glove_cli.training.run import train

ROOT = Path(__file__).parents[1]
TIMED = ("meta.json", "history.jsonl")
QUICK = ("--dim", "4", "--epochs", "2")


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("train") / "cooc"
    build_cooc(ROOT / "corpora" / "sample.txt", path, min_count=2)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, matrix: Path) -> Path:
    """Work in a folder with a run that holds a matrix."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLOVE_RUN", raising=False)
    shutil.copytree(matrix, tmp_path / "glove-run" / "cooc")
    return tmp_path


def test_a_line_for_each_epoch_and_a_summary(folder: Path) -> None:
    result = glove("train", "--dim", "4", "--epochs", "3", "--x-max", "10")
    assert result.exit_code == 0, result.output
    epochs = [line for line in result.stderr.splitlines() if line.startswith("epoch")]
    pattern = r"epoch {}/3  cost 0\.\d{{6}}  [\d.,]+ ([kMG] )?entries/s"
    assert re.fullmatch(pattern.format(1) + r"  .* left", epochs[0])
    assert re.fullmatch(pattern.format(3), epochs[2])
    assert len(epochs) == 3
    lines = dict(line.split("  ", 1) for line in re.sub(r" {2,}", "  ", result.stdout).splitlines())
    model = GloveModel.load("glove-run/model")
    assert lines["words"] == f"{len(model.vocab):,}"
    assert (lines["dimensions"], lines["epochs"], lines["model"]) == ("4", "3", "glove-run/model")
    assert lines["cost"] == f"{model.meta['history'][-1]['cost']:.6f}"
    assert set(os.listdir(folder / "glove-run")) == {"cooc", "model", "tiles"}


def test_the_model_is_the_librarys(folder: Path) -> None:
    options = {
        "dim": 5,
        "epochs": 2,
        "x_max": 7.0,
        "alpha": 0.5,
        "eta": 0.04,
        "bias_eta": 0.5,
        "grad_clip": 10.0,
        "seed": 9,
    }
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    assert glove("train", *flags, "--threads", "1", "-o", "mine").exit_code == 0
    train(folder / "glove-run" / "cooc", **options).save("theirs")
    assert file_hashes(folder / "mine", leave_out=TIMED) == file_hashes(folder / "theirs", leave_out=TIMED)
    assert GloveModel.load("mine").meta["options"] == {**asdict(TrainConfig()), **options}


def test_the_defaults_are_the_librarys() -> None:
    from glove_cli.cli.train import command

    defaults = {p.name: p.default for p in command.params}
    defaults |= {name: defaults[name][0] if isinstance(defaults[name], tuple) else defaults[name] for name in defaults}
    assert asdict(TrainConfig()).items() <= defaults.items()


def test_paths_may_be_given(folder: Path) -> None:
    (folder / "glove-run" / "cooc").rename(folder / "matrix")
    assert glove("train", *QUICK, "--cooc", "matrix", "--model", "deep/vectors").exit_code == 0
    assert GloveModel.load("deep/vectors").dim == 4


def test_a_small_corpus_gets_a_better_x_max(folder: Path) -> None:
    result = glove("train", *QUICK)
    note = re.search(
        r"^Note: hardly any pair .* --x-max 100\. --x-max ([\d.]+) suits it better\.$", result.stderr, re.M
    )
    assert note, result.stderr
    again = glove("train", *QUICK, "--x-max", note[1], "--force")
    assert again.exit_code == 0
    assert "suits it better" not in again.stderr


# --- wrong input ----------------------------------------------------------------------------------------------------


def test_no_matrix(folder: Path) -> None:
    fails(
        glove("train", "--run", "other"),
        1,
        r"other/cooc: does not exist\. Make a matrix with `glove build-cooc CORPUS`",
    )
    fails(glove("train", "--cooc", "nothing"), 1, "nothing: does not exist")
    assert os.listdir(folder) == ["glove-run"]
    assert os.listdir(folder / "glove-run") == ["cooc"]


@pytest.mark.parametrize("name", ["indptr.npy", "indices.npy", "data.npy", "vocab.txt"])
def test_a_matrix_cut_short_or_without_a_file(folder: Path, name: str) -> None:
    path = folder / "glove-run" / "cooc" / name
    data = path.read_bytes()
    path.write_bytes(data[:-8])
    fails(glove("train"), 1, rf"glove-run/cooc/{name}: has [\d,]+ bytes, [\d,]+ were written")
    path.unlink()
    fails(glove("train"), 1, rf"glove-run/cooc/{name}: can't be read: No such file")
    assert os.listdir(folder / "glove-run") == ["cooc"]


def test_a_matrix_whose_files_disagree(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "text").write_bytes(b"a b c a b c\n")
    build_cooc(other / "text", other / "cooc", min_count=1)
    shutil.copy(other / "cooc" / "vocab.txt", folder / "glove-run" / "cooc" / "vocab.txt")
    fails(glove("train"), 1, r"glove-run/cooc/vocab\.txt: has ")
    (folder / "glove-run" / "cooc" / "meta.json").write_text("{")
    fails(glove("train"), 1, r"glove-run/cooc/meta\.json: is damaged")
    assert os.listdir(folder / "glove-run") == ["cooc"]


OPTIONS = ["dim", "epochs", "x-max", "alpha", "eta", "bias-eta", "grad-clip", "threads"]


@pytest.mark.parametrize("option", [option for option in OPTIONS if option not in ("alpha", "bias-eta")])
@pytest.mark.parametrize("value", ["0", "-1"])
def test_options_that_are_not_positive(folder: Path, option: str, value: str) -> None:
    fails(glove("train", f"--{option}", value), 2, rf"--{option}: {value}")
    assert os.listdir(folder / "glove-run") == ["cooc"]


@pytest.mark.parametrize("option", [*OPTIONS, "seed"])
@pytest.mark.parametrize("value", ["many", "", "1e"])
def test_options_that_are_not_numbers(folder: Path, option: str, value: str) -> None:
    fails(glove("train", f"--{option}", value), 2, rf"--{option}: '{value}' is not a valid (integer|float)")


@pytest.mark.parametrize("option", ["x-max", "alpha", "eta", "bias-eta", "grad-clip"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
def test_options_that_are_not_finite_or_negative(folder: Path, option: str, value: str) -> None:
    fails(glove("train", f"--{option}", value), 2, rf"--{option}: {value}")


def test_an_output_that_exists(folder: Path) -> None:
    assert glove("train", *QUICK).exit_code == 0
    before = file_hashes(folder / "glove-run" / "model", leave_out=())
    fails(glove("train", *QUICK, "--seed", "5"), 1, r"glove-run/model: already exists\. Use --force")
    assert file_hashes(folder / "glove-run" / "model", leave_out=()) == before
    assert glove("train", *QUICK, "--seed", "5", "--force").exit_code == 0
    assert file_hashes(folder / "glove-run" / "model") != before
    assert set(os.listdir(folder / "glove-run")) == {"cooc", "model", "tiles"}


def test_an_output_that_cannot_be_written_is_found_before_training(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("training began")

    monkeypatch.setattr("glove_cli.training.run.prepare_tiles", never)
    (folder / "file").write_text("mine")
    fails(glove("train", "-o", "file/model"), 1, "file/model: .*file is not a folder")
    fails(glove("train", "-o", "file", "--force"), 1, "file: is not a result of glove")
    if Path("/proc/self").exists():
        fails(glove("train", "-o", "/proc/model", "--x-max", "1"), 1, "/proc/model: ")
    assert (folder / "file").read_text() == "mine"


def test_a_failure_while_training_keeps_the_old_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert glove("train", *QUICK).exit_code == 0
    before = file_hashes(folder / "glove-run" / "model", leave_out=())

    def fail(*arguments: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr("glove_cli.training.run.train", fail)
    fails(glove("train", *QUICK, "--force", "--x-max", "1"), 1, "memory: there is not enough")
    assert file_hashes(folder / "glove-run" / "model", leave_out=()) == before
    assert set(os.listdir(folder / "glove-run")) == {"cooc", "model", "tiles"}
