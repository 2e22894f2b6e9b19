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

from glove_cli.cli import train as train_module
from glove_cli.cli.progress import Progress
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


def test_the_bar_goes_before_the_summary_is_printed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(Progress, "__call__", lambda self, stage, *step: done.append(stage))
    monkeypatch.setattr(Progress, "close", lambda self: done.append("(no bar)"))
    monkeypatch.setattr(train_module, "_summarize", lambda *arguments: done.append("(summary)"))
    assert glove("train", *QUICK).exit_code == 0
    assert "preparing" in done
    assert done[done.index("(summary)") - 1] == "(no bar)"


def test_a_small_corpus_gets_a_better_x_max(folder: Path) -> None:
    result = glove("train", *QUICK)
    note = re.search(
        r"^Note: hardly any pair .* --x-max 100\. --x-max ([\d.]+), or auto, fits its counts\.$", result.stderr, re.M
    )
    assert note, result.stderr
    again = glove("train", *QUICK, "--x-max", note[1], "--force")
    assert again.exit_code == 0
    assert "fits its counts" not in again.stderr
    auto = glove("train", *QUICK, "--x-max", "auto", "--output", "auto")
    assert f"x_max {note[1]}, chosen by the matrix." in auto.stderr
    assert GloveModel.load("auto").meta["options"]["x_max"] == float(note[1])
    assert "fits its counts" not in auto.stderr


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


@pytest.mark.parametrize("name", ["indptr.npy", "indices.npy", "data.npy", "vocab.txt", "meta.json"])
def test_a_matrix_of_which_a_byte_was_changed(folder: Path, name: str) -> None:
    path = folder / "glove-run" / "cooc" / name
    data = bytearray(path.read_bytes())
    data[data.rfind(b"1") if name == "meta.json" else -2] ^= 1  # a digit stays a digit
    path.write_bytes(data)
    for arguments in (("train",), ("train", "--x-max", "auto"), ("export-cooc", "out.mtx")):
        fails(glove(*arguments), 1, rf"glove-run/cooc/{name}: (was changed after it was written|doesn't fit)")
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


def test_an_x_max_that_is_no_number_is_refused(folder: Path) -> None:
    fails(glove("train", *QUICK, "--x-max", "automatic"), 2, "--x-max: 'automatic' is not a valid float, nor auto")


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

    monkeypatch.setattr("glove_cli.training.job.prepare_tiles", never)
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


# --- several models, held-out pairs, questions, starts ---------------------------------------------------------------


def test_several_dimensions_and_seeds_are_models_of_their_own(folder: Path) -> None:
    result = glove("train", "--dim", "3,5", "--seed", "1,2", "--epochs", "2")
    assert result.exit_code == 0, result.output
    names = ["model-d3-s1", "model-d3-s2", "model-d5-s1", "model-d5-s2"]
    assert sorted(os.listdir("glove-run")) == ["cooc", *names, "tiles"]
    for name in names:
        assert f"glove-run/{name}:\n" in result.stderr
        dim, seed = int(name[7]), int(name[-1])
        one = train(folder / "glove-run" / "cooc", dim=dim, seed=seed, epochs=2)
        assert (one.W == GloveModel.load(f"glove-run/{name}").W).all()
    assert result.stdout.count("dimensions") == 4
    fails(glove("nearest", "the"), 1, "glove-run/model: does not exist, but model-d3-s1, model-d3-s2, ")
    described = glove("info")
    assert [line for line in described.stdout.splitlines() if line.startswith("model ")] == [
        f"model glove-run/{name}" for name in names
    ]
    again = glove("train", "--dim", "3,5", "--seed", "1,2", "--epochs", "2", "--resume")
    assert again.exit_code == 0
    assert again.stderr.count("was finished already") == 4
    fails(glove("train", "--dim", "3,4", "--epochs", "2", "--seed", "1,2"), 1, "glove-run/model-d3-s1: already exists")
    assert not os.path.exists("glove-run/model-d4-s1")


@pytest.mark.parametrize(("dims", "names"), [("4", ["model"]), ("4,4", ["model"]), ("4,6", ["model-d4", "model-d6"])])
def test_names_tell_models_apart_only_where_there_are_several(folder: Path, dims: str, names: list[str]) -> None:
    assert glove("train", "--dim", dims, "--epochs", "1").exit_code == 0
    assert sorted(os.listdir("glove-run")) == ["cooc", *names, "tiles"]


def test_held_out_cost_and_why_it_stopped_are_said(folder: Path) -> None:
    result = glove(
        "train", *QUICK[:2], "--epochs", "30", "--x-max", "5", "--holdout", "0.1", "--patience", "1",
        "--min-improvement", "0.05",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("epoch")]
    assert all(re.search(r"cost 0\.\d{6}  held out 0\.\d{6}  ", line) for line in lines)
    stopped = re.search(r"^Stopped after epoch (\d+): the cost has not improved for 1 epoch\.$", result.stderr, re.M)
    assert stopped, result.stderr
    assert int(stopped[1]) == len(lines) < 30
    assert re.search(r"^held out +0\.\d{6}$", result.stdout, re.M)
    assert re.search(rf"^epochs +{len(lines)}$", result.stdout, re.M)


def test_questions_are_asked_every_some_epochs(folder: Path) -> None:
    words = GloveModel.load("glove-run/model") if os.path.exists("glove-run/model") else None
    assert words is None
    first = [line.split()[0] for line in (folder / "glove-run/cooc/vocab.txt").read_text().splitlines()[:8]]
    (folder / "questions.txt").write_text(f": some\n{' '.join(first[:4])}\n{' '.join(first[4:])}\n")
    result = glove("train", *QUICK[:2], "--epochs", "4", "--evaluate-every", "2", "--questions", "questions.txt")
    assert result.exit_code == 0, result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("epoch")]
    assert [bool(re.search(r"  questions \d+\.\d\d%  ", line)) for line in lines] == [False, True, False, True]
    shown = glove("history")
    assert "accuracy" in shown.stdout.splitlines()[0]
    fails(glove("train", "--evaluate-every", "2", "--force"), 2, "--evaluate-every: there are no questions")
    fails(glove("train", "--evaluate-every", "0", "--questions", "questions.txt", "--force"), 2, "--evaluate-every: 0")
    fails(glove("train", "--questions", "nowhere", "--force"), 1, "nowhere: ")
    (folder / "bad.txt").write_text("one two three\n")
    fails(glove("train", "--questions", "bad.txt", "--force"), 1, "bad.txt: line 1 is not a question of four words")


def test_training_starts_from_vectors(folder: Path) -> None:
    assert glove("train", *QUICK).exit_code == 0
    assert glove("export", "vectors.txt").exit_code == 0
    for start in ("glove-run", "glove-run/model", "vectors.txt"):
        result = glove("train", *QUICK, "--init", start, "-o", "on", "--force")
        assert result.exit_code == 0, result.stderr
        assert re.search(rf"^Starting from {start}: ([\d,]+) of \1 words are known there\.$", result.stderr, re.M)
    pulled = glove("train", *QUICK, "--init", "vectors.txt", "--anchor-strength", "0.5", "-o", "near")
    assert pulled.exit_code == 0
    fails(glove("train", "--dim", "5", "--init", "vectors.txt", "-o", "x"), 2, r"--init: vectors\.txt has 4 dimensions")
    fails(glove("train", *QUICK, "--init", "nowhere", "-o", "x"), 1, "nowhere: ")
    fails(glove("train", "--dim", "4,5", "--init", "vectors.txt", "-o", "x"), 2, "--init: .* --dim is 5")
    assert sorted(path.name for path in folder.glob("x*")) == []
    fails(glove("train", "-o", ".", "--force"), 1, r"\.: is a folder that is there already")
    fails(glove("train", *QUICK, "--anchor-strength", "0.5", "-o", "x"), 2, "--anchor-strength: there are no vectors")
    assert not os.path.exists("x")


def test_a_divergence_is_one_line(folder: Path) -> None:
    result = glove("train", *QUICK, "--eta", "1000", "--bias-eta", "1000", "--x-max", "5")
    assert result.exit_code == 1
    assert re.search(r"^Error: --eta: training has diverged in epoch 1: .*halve-eta do it\.$", result.stderr, re.M)
    assert sorted(os.listdir("glove-run")) == ["cooc", "tiles"]
    halved = glove(
        "train", *QUICK, "--eta", "1000", "--bias-eta", "1000", "--x-max", "5", "--on-divergence", "halve-eta"
    )
    assert halved.exit_code == 0, halved.stderr
    assert re.search(r"^epoch 1/2  diverged in round \d+: .*; eta halved to 500$", halved.stderr, re.M)
    assert "eta halved to 500" in glove("history").stdout


def test_the_plan_and_a_limit_are_said(folder: Path) -> None:
    result = glove("train", *QUICK, "--memory", "200M")
    assert re.search(
        r"^Memory: .* for parameters; beside them at most 200 MiB, .* of tiles are in memory\.$", result.stderr, re.M
    )
    fails(glove("train", *QUICK, "--memory", "1M", "--force", "--x-max", "5"), 2, r"--memory: 1 MiB are too little")
    fails(glove("train", *QUICK, "--memory", "much", "--force", "--x-max", "5"), 2, r"--memory: 'much' is not a size")
    fails(glove("train", *QUICK, "--checkpoint-every", "soon", "--force"), 2, r"--checkpoint-every: 'soon' is no inter")


def test_tiles_may_be_elsewhere_and_info_says_what_they_are(folder: Path) -> None:
    assert glove("train", *QUICK, "--tiles", "deep/prepared").exit_code == 0
    assert not os.path.exists("glove-run/tiles")
    assert re.search(r"^tiles deep/prepared\n  pairs ", glove("info", "deep/prepared").stdout, re.M)
    fails(glove("info", "deep/prepared", "--verify"), 1, "deep/prepared: has no checksums")
    assert glove("train", *QUICK, "--force").exit_code == 0
    described = glove("info", "--verify")
    assert described.exit_code == 0
    assert "tiles glove-run/tiles" in described.stdout


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("holdout", "0.6", "is too large a share"),
        ("holdout", "-1", "is not a number of 0 or more"),
        ("patience", "-1", "is not an integer of 0 or more"),
        ("min-improvement", "0.1", "has no effect without --patience"),
        ("target-cost", "0", "is not a positive number"),
        ("dtype", "float16", "is not one of"),
        ("on-divergence", "panic", "is not one of"),
        ("init-biases", "some", "is not one of"),
        ("anchor-strength", "nan", "is not a number of 0 or more"),
        ("dim", "5,x", "is not a valid integer or several"),
        ("dim", "5,0", "is not a positive integer"),
        ("seed", "1,,2", "is not a valid integer or several"),
    ],
)
def test_options_that_cannot_work(folder: Path, option: str, value: str, message: str) -> None:
    fails(glove("train", f"--{option}", value), 2, rf"--{option}: .*{message}")
    assert os.listdir(folder / "glove-run") == ["cooc"]
