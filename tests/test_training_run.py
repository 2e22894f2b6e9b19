"""Training that is left alone: resumed, stopped early, gone wrong, streamed from disk, and started from something."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import file_hashes
from scipy.sparse import csr_array
from scipy.sparse.linalg import lsqr
from test_training import PARAMETERS, costs, same, zipf_text

from glove_cli import WordVectors, read_history
from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.store import CoocMatrix, load_cooc
from glove_cli.errors import FormatError, OptionError, OutputError, TrainingError
from glove_cli.model import GloveModel
from glove_cli.training import plan as plan_module
from glove_cli.training import running as run_module
from glove_cli.training import tile_folder
from glove_cli.training import trainer as trainer_module
from glove_cli.training.checkpoint import Interval, describe_checkpoints
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import find_counts
from glove_cli.training.objective import objective
from glove_cli.training.plan import make_plan
from glove_cli.training.report import EpochReport
from glove_cli.training.run import train
from glove_cli.training.stopping import reason_to_stop

QUICK: dict[str, Any] = {"dim": 6, "epochs": 4, "x_max": 10.0}
TIMED = ("meta.json", "history.jsonl")


@pytest.fixture(scope="module")
def cooc(tmp_path_factory: pytest.TempPathFactory) -> CoocMatrix:
    """Give a symmetric matrix of some hundred words, whose tiles are in four rounds."""
    out = tmp_path_factory.mktemp("run") / "cooc"
    return build_cooc(io.BytesIO(zipf_text(30_000, 2000, 1)), out, window=5)


@pytest.fixture(autouse=True)
def _work_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Killed(BaseException):
    """Ends a run; what tidies up is kept from running."""


def leave(cooc: CoocMatrix, out: str, monkeypatch: pytest.MonkeyPatch, *, rounds: int, **options: Any) -> None:
    """Leave what a run leaves that is killed after some rounds."""
    done = 0
    end_round = run_module.Running._end_round

    def dying(self: Any) -> None:
        nonlocal done
        end_round(self)
        done += 1
        if done == rounds:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(run_module.Running, "_end_round", dying)
        patch.setattr("shutil.rmtree", lambda *arguments, **options: None)
        with pytest.raises(Killed):
            train(cooc, out=out, checkpoint_every="0.0001s", **{**QUICK, **options})


def equal(a: str | Path, b: str | Path) -> bool:
    """Tell whether two models are the same to the last bit, histories included."""
    alike = file_hashes(Path(a), leave_out=TIMED) == file_hashes(Path(b), leave_out=TIMED)
    return alike and costs(GloveModel.load(a)) == costs(GloveModel.load(b))


# --- interrupted ----------------------------------------------------------------------------------------------------


def test_a_training_killed_at_any_moment_ends_with_the_same_bytes(cooc: CoocMatrix, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    program = str(Path(__file__).with_name("crash_train.py"))
    command = [sys.executable, program, str(cooc.path), str(tmp_path / "runs"), "7", "25"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    moments, kills, resumed = map(int, done.stdout.split())
    assert moments > 200
    assert kills >= 25
    assert resumed >= 5


def test_a_killed_training_is_gone_on_with_not_begun_again(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    train(cooc, out="whole", **QUICK)
    leave(cooc, "model", monkeypatch, rounds=10)  # in the third epoch of four rounds each
    assert not os.path.exists("model")
    said: list[str] = []
    reports: list[EpochReport] = []
    train(cooc, out="model", resume=True, note=said.append, on_epoch=reports.append, **QUICK)
    assert "Going on with an interrupted run: a checkpoint after 2 rounds of epoch 3." in said
    assert [report.epoch for report in reports] == [3, 4]
    assert equal("model", "whole")
    assert [entry["epoch"] for entry in read_history("model")] == [1, 2, 3, 4]
    assert not os.path.exists(".model.work")


@pytest.mark.parametrize("left", ["nothing", "an interrupted run"])
def test_without_resume_an_interrupted_run_is_neither_lost_nor_taken(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    if left == "nothing":
        train(cooc, out="model", resume=True, **QUICK)  # nothing to go on with: it begins
        assert os.path.exists("model")
        return
    leave(cooc, "model", monkeypatch, rounds=6)
    with pytest.raises(
        OutputError, match=r"an interrupted run left a checkpoint after 2 rounds of epoch 2 in .*--resume"
    ):
        train(cooc, out="model", **QUICK)
    assert describe_checkpoints(Path(".model.work"))
    said: list[str] = []
    train(cooc, out="model", force=True, note=said.append, **QUICK)
    assert not any("Going on" in text for text in said)


@pytest.mark.parametrize(
    "other",
    [
        {"dim": 7},
        {"eta": 0.04},
        {"bias_eta": 0.5},
        {"x_max": 9.0},
        {"alpha": 0.7},
        {"grad_clip": 9.0},
        {"seed": 2},
        {"dtype": "float64"},
        {"holdout": 0.1},
        {"patience": 1},
        {"target_cost": 0.01},
        {"on_divergence": "halve-eta"},
        {"init_biases": "fit"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_option_is_named_and_refused_and_the_work_stays(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch, other: dict
) -> None:
    leave(cooc, "model", monkeypatch, rounds=6)
    before = sorted(os.listdir(".model.work"))
    with pytest.raises(OptionError, match=rf"--resume: .* had another {next(iter(other))}: "):
        train(cooc, out="model", resume=True, **{**QUICK, **other})
    assert sorted(os.listdir(".model.work")) == before
    assert not os.path.exists("model")


def test_another_matrix_or_start_is_refused(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(cooc, "model", monkeypatch, rounds=6)
    other = build_cooc(io.BytesIO(zipf_text(9000, 2000, 2)), "other", window=5)
    with pytest.raises(OptionError, match="had another matrix"):
        train(other, out="model", resume=True, **QUICK)
    start = WordVectors(cooc.vocab.words, np.ones((cooc.V, 6), np.float32))
    with pytest.raises(OptionError, match="had another init"):
        train(cooc, out="model", resume=True, init=start, **QUICK)


def test_a_checkpoint_of_another_matrix_is_refused_wherever_it_comes_from(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(cooc, "model", monkeypatch, rounds=6)
    matrix, words = cooc.to_scipy(), list(cooc.vocab.words)
    matrix.data[5] *= 1.5
    leave(matrix, "other", monkeypatch, rounds=3, words=words)
    for path in Path(".model.work").glob("checkpoint-*"):
        shutil.rmtree(path)
    for path in Path(".other.work").glob("checkpoint-*"):
        shutil.copytree(path, Path(".model.work") / path.name)
    with pytest.raises(FormatError, match="is of another matrix or other options"):
        train(cooc, out="model", resume=True, **QUICK)


def test_threads_memory_epochs_and_checkpoints_may_be_others(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    train(cooc, out="whole", **{**QUICK, "epochs": 5})
    leave(cooc, "model", monkeypatch, rounds=6)
    train(cooc, out="model", resume=True, threads=3, memory="1G", checkpoint_every="2 epochs", **{**QUICK, "epochs": 5})
    assert equal("model", "whole")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias_eta", [0.3, 1.0, 0.05, 0.0])
def test_a_finished_training_goes_on_with_more_epochs(cooc: CoocMatrix, dtype: str, bias_eta: float) -> None:
    options = {**QUICK, "bias_eta": bias_eta, "holdout": 0.05, "dtype": dtype}
    train(cooc, out="whole", **{**options, "epochs": 6})
    train(cooc, out="model", **{**options, "epochs": 2})
    reports: list[EpochReport] = []
    train(cooc, out="model", resume=True, on_epoch=reports.append, **{**options, "epochs": 6})
    assert [report.epoch for report in reports] == [3, 4, 5, 6]
    assert equal("model", "whole")
    for name in ("first_cost", "halvings"):
        assert GloveModel.load("model").meta[name] == GloveModel.load("whole").meta[name]


def test_a_finished_training_whose_rates_were_halved_goes_on_with_more_epochs(cooc: CoocMatrix) -> None:
    options = {**WILD, "on_divergence": "halve-eta"}
    train(cooc, out="whole", **{**options, "epochs": 5})
    train(cooc, out="model", **{**options, "epochs": 2})
    reports: list[EpochReport] = []
    train(cooc, out="model", resume=True, on_epoch=reports.append, **{**options, "epochs": 5})
    assert [report.epoch for report in reports] == [3, 4, 5]
    assert equal("model", "whole")


def test_a_finished_training_is_kept(cooc: CoocMatrix) -> None:
    train(cooc, out="model", **QUICK)
    before = file_hashes(Path("model"), leave_out=())
    said: list[str] = []
    for epochs in (4, 3):
        train(cooc, out="model", resume=True, note=said.append, **{**QUICK, "epochs": epochs})
    assert said == ["model was finished already (4 epochs)."] * 2
    assert file_hashes(Path("model"), leave_out=()) == before
    with pytest.raises(OptionError, match="--resume: the model model was trained with another seed: 1, not 3"):
        train(cooc, out="model", resume=True, **{**QUICK, "seed": 3})


def test_fewer_epochs_than_were_done_are_refused(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(cooc, "model", monkeypatch, rounds=10)
    with pytest.raises(OptionError, match="--epochs: the interrupted run is in epoch 3 already"):
        train(cooc, out="model", resume=True, **{**QUICK, "epochs": 2})
    assert describe_checkpoints(Path(".model.work"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("where", ["in a round", "between rounds", "after an epoch", "raised by a callback"])
def test_an_interruption_is_written_down_at_the_end_of_the_round(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch, number: int, where: str
) -> None:
    train(cooc, out="whole", **QUICK)
    said: list[str] = []
    rounds = 0
    train_round = trainer_module.Trainer._train

    def interrupted(self: Any, *arguments: Any) -> float:
        nonlocal rounds
        rounds += 1
        if rounds == 7 and where == "in a round":
            os.kill(os.getpid(), number)
        return train_round(self, *arguments)

    def progress(stage: str, *step: Any) -> None:
        if rounds == 7 and where == "between rounds":
            os.kill(os.getpid(), number)

    def on_epoch(report: EpochReport) -> None:
        if report.epoch == 2 and where == "after an epoch":
            os.kill(os.getpid(), number)
        if report.epoch == 2 and where == "raised by a callback":
            raise KeyboardInterrupt

    def handler(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, handler)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(trainer_module.Trainer, "_train", interrupted)
            with pytest.raises(KeyboardInterrupt):
                train(cooc, out="model", note=said.append, progress=progress, on_epoch=on_epoch, **QUICK)
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, before)
    left = {
        "in a round": "3 rounds of epoch 2",
        "between rounds": "3 rounds of epoch 2",
        "after an epoch": "epoch 2",
        "raised by a callback": "4 rounds of epoch 2",
    }
    assert describe_checkpoints(Path(".model.work")) == f"a checkpoint after {left[where]}"
    assert said[-1].endswith("; go on from there with --resume.")
    train(cooc, out="model", resume=True, **QUICK)
    assert equal("model", "whole")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", Interval(seconds=90)),
        ("10m", Interval(seconds=600)),
        ("1.5h", Interval(seconds=5400)),
        ("1d", Interval(seconds=86_400)),
        ("1 epoch", Interval(epochs=1)),
        ("5epochs", Interval(epochs=5)),
        ("never", Interval()),
        (None, Interval()),
    ],
)
def test_intervals(text: str | None, expected: Interval) -> None:
    assert Interval.parse(text) == expected


@pytest.mark.parametrize("text", ["", "10", "ten", "0s", "-1m", "1.5 epochs", "1w", 5])
def test_what_is_no_interval_is_refused(cooc: CoocMatrix, text: Any) -> None:
    with pytest.raises(OptionError, match=r"--checkpoint-every: .* is no interval"):
        train(cooc, out="model", checkpoint_every=text, **QUICK)
    assert os.listdir() == []


@pytest.mark.parametrize(("every", "expected"), [("1 epoch", [2, 3, 4]), ("2 epochs", [3]), ("never", [])])
def test_checkpoints_by_epoch(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch, every: str, expected: list[int]
) -> None:
    saved: list[int] = []
    save = run_module.save_checkpoint

    def watched(folder: Path, state: Any, vocab: Any, position: Any, *arguments: Any) -> Any:
        saved.append(position.epoch)
        assert position.round == 0
        return save(folder, state, vocab, position, *arguments)

    monkeypatch.setattr(run_module, "save_checkpoint", watched)
    train(cooc, out="model", checkpoint_every=every, **QUICK)
    assert saved == expected


def test_the_last_two_checkpoints_are_kept(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(cooc, "model", monkeypatch, rounds=6)
    # What removes older ones was kept from running, as by a kill; the next checkpoint does it.
    assert len([name for name in os.listdir(".model.work") if name.startswith("checkpoint")]) == 6
    saved: list[list[str]] = []
    end_round = run_module.Running._end_round

    def watched(self: Any) -> None:
        end_round(self)
        saved.append(sorted(name for name in os.listdir(".model.work") if name.startswith("checkpoint")))

    monkeypatch.setattr(run_module.Running, "_end_round", watched)
    train(cooc, out="model", resume=True, checkpoint_every="0.0001s", **QUICK)
    assert {len(names) for names in saved} == {2}
    assert saved[0] == ["checkpoint-00-000002-000002", "checkpoint-00-000002-000003"]


@pytest.mark.parametrize("damage", ["cut short", "changed", "without meta.json", "meta.json cut short", "newer"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    train(cooc, out="whole", **QUICK)
    leave(cooc, "model", monkeypatch, rounds=6)
    folders = sorted(Path(".model.work").glob("checkpoint-*"))

    def break_it(folder: Path) -> None:
        words, meta = folder / "words.npy", folder / "meta.json"
        if damage == "cut short":
            words.write_bytes(words.read_bytes()[:-4])
        elif damage == "changed":
            data = bytearray(words.read_bytes())
            data[-5] ^= 1
            words.write_bytes(data)
        elif damage == "without meta.json":
            meta.unlink()
        elif damage == "meta.json cut short":
            meta.write_text(meta.read_text()[:-30])
        else:
            meta.write_text(meta.read_text().replace('"version": 1', '"version": 2'))

    shutil.copytree(".model.work", "kept")
    break_it(folders[-1])
    said: list[str] = []
    train(cooc, out="model", resume=True, note=said.append, **QUICK)
    assert any(text.endswith("Going back to the one before.") for text in said)
    assert equal("model", "whole")
    shutil.rmtree("model")
    shutil.copytree("kept", ".model.work")
    for folder in folders:
        break_it(folder)
    with pytest.raises(FormatError, match=r"checkpoint-00-000001-000001"):
        train(cooc, out="model", resume=True, **QUICK)
    assert not os.path.exists("model")


def test_a_disk_that_fills_during_a_checkpoint_costs_only_the_checkpoint(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(cooc, out="whole", **QUICK)
    written = 0
    array = run_module.save_checkpoint.__globals__["FolderWriter"].array
    said: list[str] = []

    def full(self: Any, name: str, values: np.ndarray) -> None:
        nonlocal written
        written += 1
        if 5 < written <= 9:  # the second checkpoint and the third
            raise OSError(errno.ENOSPC, "No space left on device")
        array(self, name, values)

    monkeypatch.setattr("glove_cli.training.checkpoint.FolderWriter.array", full)
    train(cooc, out="model", checkpoint_every="1 epoch", note=said.append, **QUICK)
    warnings = [text for text in said if text.startswith("Warning: no checkpoint: ")]
    assert len(warnings) >= 2
    assert "No space left" in warnings[0]
    assert "The last one, a checkpoint after epoch 1, stands." in warnings[0]
    assert equal("model", "whole")


def test_two_trainings_at_once_in_one_run_are_refused(cooc: CoocMatrix) -> None:
    refused: list[str] = []

    def again(report: EpochReport) -> None:
        with pytest.raises(OutputError, match="another run is making it now") as caught:
            train(cooc, out="model", resume=True, **QUICK)
        refused.append(str(caught.value))

    train(cooc, out="model", on_epoch=again, **QUICK)
    assert len(refused) == 4


def test_a_folder_that_cannot_be_written_is_refused_at_once(cooc: CoocMatrix, as_ordinary_user: Path) -> None:
    shutil.copytree(cooc.path, as_ordinary_user / "cooc") if os.access(cooc.path, os.R_OK) else None
    locked = as_ordinary_user / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    matrix = build_cooc(io.BytesIO(b"a b c a b\n" * 9), as_ordinary_user / "mine", min_count=1)
    with pytest.raises(OutputError, match="can't be written"):
        train(matrix, out=locked / "model", **QUICK)
    assert os.listdir(locked) == []
    locked.chmod(0o700)


# --- nothing is lost ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tiles", ["matrix", "matrix/tiles", "model", "model/tiles", ".", "first", "first/deep"])
def test_tiles_in_the_way_of_something_else_are_refused_at_once(cooc: CoocMatrix, tiles: str) -> None:
    shutil.copytree(cooc.path, "matrix")
    train(cooc, out="first", tiles="elsewhere", **QUICK)
    before = {name: file_hashes(Path(name), leave_out=()) for name in ("matrix", "first")}
    with pytest.raises((OptionError, OutputError), match=r"--tiles|can't be replaced"):
        train("matrix", out="model", init="first", tiles=tiles, force=True, **QUICK)
    assert {name: file_hashes(Path(name), leave_out=()) for name in before} == before
    assert sorted(os.listdir()) == ["elsewhere", "first", "matrix"]


@pytest.mark.parametrize("name", ["model", "meta.json", "notes.txt"])
def test_a_folder_of_something_else_is_not_taken_for_tiles(cooc: CoocMatrix, name: str) -> None:
    train(cooc, out="first", tiles="elsewhere", **QUICK)
    if name == "model":
        shutil.copytree("first", "mine")
    else:
        os.mkdir("mine")
        (Path("mine") / name).write_text('{"format": "glove-notes"}')
        (Path("mine") / "more.txt").write_text("mine")
    before = file_hashes(Path("mine"), leave_out=())
    with pytest.raises(OutputError, match="mine: holds something else than tiles"):
        train(cooc, out="second", tiles="mine", force=True, **QUICK)
    assert file_hashes(Path("mine"), leave_out=()) == before


def test_a_model_called_like_the_tiles_is_refused_before_training(cooc: CoocMatrix) -> None:
    with pytest.raises(OptionError, match="--tiles: tiles and tiles are in each other's way"):
        train(cooc, out="tiles", **QUICK)
    assert os.listdir() == []
    train(cooc, out="tiles", tiles="others", **QUICK)


def test_a_finished_model_does_not_cost_an_interrupted_run_beside_it(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(cooc, out="whole", **{**QUICK, "epochs": 6})
    train(cooc, out="model", **{**QUICK, "epochs": 1})
    leave(cooc, "model", monkeypatch, rounds=8, resume=True, **{"epochs": 6})
    said: list[str] = []
    train(cooc, out="model", resume=True, note=said.append, **{**QUICK, "epochs": 1})
    assert said[0] == "model was finished already (1 epoch)."
    assert "left a checkpoint after" in said[1]
    train(cooc, out="model", resume=True, note=said.append, **{**QUICK, "epochs": 6})
    assert any("Going on" in text for text in said)
    assert equal("model", "whole")


def test_a_run_that_replaces_a_model_is_gone_on_with_without_force(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(cooc, out="model", **QUICK)
    train(cooc, out="whole", seed=2, **QUICK)
    leave(cooc, "model", monkeypatch, rounds=6, force=True, seed=2)
    with pytest.raises(OutputError, match="an interrupted run left"):
        train(cooc, out="model", seed=2, **QUICK)
    train(cooc, out="model", seed=2, resume=True, **QUICK)
    assert equal("model", "whole")


def test_long_names_that_begin_alike_do_not_share_their_work(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = "m" * 60 + "-d50", "m" * 60 + "-d100"
    leave(cooc, one, monkeypatch, rounds=6)
    train(cooc, out=other, **QUICK)
    said: list[str] = []
    train(cooc, out=one, resume=True, note=said.append, **QUICK)
    assert any("Going on" in text for text in said)
    assert equal(one, other)


def test_a_model_that_cannot_be_written_leaves_a_checkpoint(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    train(cooc, out="whole", **QUICK)
    said: list[str] = []

    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("glove_cli.training.run.write_model", full)
        with pytest.raises(OutputError, match="No space left"):
            train(cooc, out="model", note=said.append, **QUICK)
    assert said[-1] == "What was trained is in a checkpoint; --resume writes the model."
    reports: list[EpochReport] = []
    train(cooc, out="model", resume=True, on_epoch=reports.append, **QUICK)
    assert reports == []
    assert equal("model", "whole")


def test_a_disk_that_cannot_hold_the_model_is_found_before_training(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glove_cli.memory.free_disk", lambda folder: 1000)
    with pytest.raises(OutputError, match=r"the model needs about .*, .* are free"):
        train(cooc, out="model", **QUICK)
    assert os.listdir() == []


def test_a_folder_that_has_the_name_of_the_work_and_is_a_result_stays(cooc: CoocMatrix) -> None:
    train(cooc, out=".model.work", **QUICK)
    before = file_hashes(Path(".model.work"), leave_out=())
    with pytest.raises(OutputError, match=r"\.model\.work stands where temporary files would"):
        train(cooc, out="model", **QUICK)
    assert file_hashes(Path(".model.work"), leave_out=()) == before


@pytest.mark.parametrize("out", ["", ".", "..", "x/..", "/"])
def test_a_place_that_is_no_name_is_refused(cooc: CoocMatrix, out: str) -> None:
    with pytest.raises(OutputError, match="can't be replaced"):
        train(cooc, out=out, force=True, **QUICK)
    assert os.listdir() == []


def test_names_that_are_not_utf8_and_names_that_are_too_long(cooc: CoocMatrix) -> None:
    name = os.fsdecode(b"\xff\xfe")
    assert train(cooc, out=f"{name}/model", **QUICK).dim == 6
    with pytest.raises(OutputError, match="can't be written"):
        train(cooc, out="n" * 300 + "/model", **QUICK)


def test_a_job_that_cannot_be_read_is_another(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(cooc, "model", monkeypatch, rounds=6)
    for text in ("[]", "{", ""):
        Path(".model.work/job.json").write_text(text)
        with pytest.raises(OptionError, match=r"--resume: the interrupted run .* had another job version"):
            train(cooc, out="model", resume=True, **QUICK)


@pytest.mark.parametrize("change", [{"epoch": "x"}, {"history": None}, {"history": [1]}, {"unknown": 1}])
def test_a_position_of_another_kind_is_damage(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch, change: dict) -> None:
    train(cooc, out="whole", **QUICK)
    leave(cooc, "model", monkeypatch, rounds=6)
    path = sorted(Path(".model.work").glob("checkpoint-*"))[-1] / "meta.json"
    meta = json.loads(path.read_text())
    meta["position"] |= change
    path.write_text(json.dumps(meta))
    train(cooc, out="model", resume=True, **QUICK)
    assert equal("model", "whole")


@pytest.mark.parametrize("returned", [None, "much", -0.1, 1.5, float("inf")])
def test_what_evaluate_returns_has_to_be_a_share(cooc: CoocMatrix, returned: Any) -> None:
    with pytest.raises(OptionError, match="evaluate: returned"):
        train(cooc, evaluate=lambda vectors: returned, **QUICK)


def test_an_evaluation_may_be_a_number_of_numpy_or_none_at_all(cooc: CoocMatrix) -> None:
    shares = iter([np.float32(0.5), np.array(0.25), float("nan"), 1])
    train(cooc, out="model", evaluate=lambda vectors: next(shares), **QUICK)
    assert [entry.get("accuracy") for entry in read_history("model")] == [0.5, 0.25, None, 1.0]


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


# --- knowing when to stop -------------------------------------------------------------------------------------------


def test_the_cost_of_pairs_held_out_is_that_of_the_objective(cooc: CoocMatrix) -> None:
    reports: list[EpochReport] = []
    model = train(cooc, holdout=0.2, on_epoch=reports.append, **QUICK)
    trained = train(cooc, holdout=0.2, eta=1e-12, bias_eta=1e-12, dim=6, epochs=1, x_max=10.0)
    assert reports[0].entries < cooc.nnz
    held_out = cooc.nnz - reports[0].entries
    counts = find_counts(cooc, None, None)
    from test_training_tiles import build, placed

    pairs = placed(build(counts, holdout=0.2, blocks=4), held_out=True)
    assert len(pairs) == held_out
    row, col, log_x = (np.array(part) for part in zip(*pairs, strict=True))
    parameters = [getattr(model, name) for name in PARAMETERS[:4]]
    j = objective(*parameters, row, col, np.exp(log_x), x_max=10.0, alpha=0.75)
    assert reports[-1].holdout_cost == pytest.approx(0.5 * j / held_out, rel=1e-5)
    assert [entry["holdout_cost"] for entry in model.meta["history"]] == [r.holdout_cost for r in reports]
    assert trained.meta["options"]["holdout"] == 0.2


@pytest.mark.parametrize(
    ("options", "series", "stops"),
    [
        ({"patience": 1}, [3, 2, 1], None),
        ({"patience": 1}, [3, 2, 2], "1 epoch"),
        ({"patience": 2}, [3, 2, 2], None),
        ({"patience": 2}, [3, 2, 2.5, 2.1], "2 epochs"),
        ({"patience": 2}, [3, 2, 2.5, 1.9], None),
        ({"patience": 1, "min_improvement": 0.1}, [1.0, 0.95], "1 epoch"),
        ({"patience": 1, "min_improvement": 0.1}, [1.0, 0.89], None),
        ({"patience": 2, "min_improvement": 0.1}, [1.0, 0.95, 0.89], None),  # of the best, not of the last
        ({"target_cost": 0.5}, [0.6, 0.51], None),
        ({"target_cost": 0.5}, [0.6, 0.5], "--target-cost 0.5"),
        ({}, [1, 2, 3, 4, 5], None),
        ({"patience": 1}, [], None),
    ],
)
def test_reasons_to_stop(options: dict, series: list[float], stops: str | None) -> None:
    for name in ("cost", "holdout_cost"):
        history = [{"cost": 1.0, name: cost} for cost in series]
        history.insert(1, {"event": "diverged"})
        reason = reason_to_stop(history, TrainConfig(**options))
        assert (reason is None) is (stops is None)
        assert stops is None or stops in str(reason)


def test_training_stops_and_says_why(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    all_costs = [entry["cost"] for entry in train(cooc, **{**QUICK, "epochs": 8}).meta["history"]]
    said: list[str] = []
    target = (all_costs[3] + all_costs[4]) / 2
    model = train(cooc, out="model", target_cost=target, note=said.append, **{**QUICK, "epochs": 8})
    assert [entry["cost"] for entry in model.meta["history"]] == all_costs[:5]
    assert said[-1].startswith("Stopped after epoch 5: the cost is")
    assert "--target-cost" in model.meta["stopped"]
    train(cooc, out="model", target_cost=target, resume=True, note=said.append, **{**QUICK, "epochs": 20})
    assert said[-1] == "model was finished already (5 epochs)."
    patient = train(cooc, patience=1, min_improvement=0.5, **{**QUICK, "epochs": 8})
    assert len(patient.meta["history"]) < 8


def test_the_history_is_a_file_of_the_model_and_of_the_work(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    model = train(cooc, out="model", holdout=0.1, **QUICK)
    lines = Path("model/history.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == model.meta["history"] == read_history("model")
    assert set(model.meta["history"][0]) == {"epoch", "cost", "holdout_cost", "eta", "seconds"}
    leave(cooc, "other", monkeypatch, rounds=10)
    assert len(Path(".other.work/history.jsonl").read_text().splitlines()) == 2


def test_vectors_are_evaluated_every_some_epochs(cooc: CoocMatrix) -> None:
    seen: list[WordVectors] = []

    def evaluate(vectors: WordVectors) -> float:
        seen.append(vectors)
        return len(seen) / 10

    reports: list[EpochReport] = []
    options = {**QUICK, "epochs": 5}
    model = train(cooc, evaluate=evaluate, evaluate_every=2, on_epoch=reports.append, **options)
    assert [report.accuracy for report in reports] == [None, 0.1, None, 0.2, None]
    assert [entry.get("accuracy") for entry in model.meta["history"]] == [None, 0.1, None, 0.2, None]
    again = train(cooc, **{**options, "epochs": 4})
    assert np.array_equal(seen[1].matrix, again.W + again.C)
    assert list(seen[1].words) == list(cooc.vocab.words)
    with pytest.raises(OptionError, match="--evaluate-every: 0"):
        train(cooc, evaluate=evaluate, evaluate_every=0, **options)


# --- going wrong ----------------------------------------------------------------------------------------------------

WILD: dict[str, Any] = {**QUICK, "eta": 50.0, "bias_eta": 50.0}


def test_a_cost_that_explodes_stops_training_within_the_epoch(cooc: CoocMatrix) -> None:
    reports: list[EpochReport] = []
    message = (
        r"--eta: training has diverged in epoch 1: the cost is .*, at the start it was 0\.\d+\. Lower --eta \(50\)"
    )
    with pytest.raises(TrainingError, match=message):
        train(cooc, out="model", on_epoch=reports.append, **WILD)
    assert reports == []
    assert os.listdir() == ["tiles"]


def test_the_last_good_checkpoint_stands_after_a_divergence(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    run_epoch = trainer_module.Trainer.run_epoch

    def spoiled(self: Any) -> Any:
        if self.position.epoch == 3:
            self.state.words[:] = np.nan
        return run_epoch(self)

    monkeypatch.setattr(trainer_module.Trainer, "run_epoch", spoiled)
    message = (
        r"diverged in epoch 3: the cost is not finite.*A checkpoint after epoch 2 stands, for --init (\S+) --force"
    )
    with pytest.raises(TrainingError, match=message) as caught:
        train(cooc, out="model", checkpoint_every="1 epoch", **QUICK)
    monkeypatch.setattr(trainer_module.Trainer, "run_epoch", run_epoch)
    checkpoint = str(caught.value).split("--init ")[1].split()[0]
    on = train(cooc, init=checkpoint, out="on", **{**QUICK, "epochs": 1})
    two = train(cooc, **{**QUICK, "epochs": 2})
    assert same(on, train(cooc, init=two, **{**QUICK, "epochs": 1}))
    train(cooc, out="model", resume=True, **QUICK)
    train(cooc, out="whole", **QUICK)
    assert equal("model", "whole")


def test_halving_the_rates_goes_back_to_the_beginning_of_the_epoch(cooc: CoocMatrix) -> None:
    reports: list[EpochReport] = []
    model = train(cooc, on_divergence="halve-eta", on_epoch=reports.append, **WILD)
    events = [report for report in reports if report.event is not None]
    good = [report for report in reports if report.event is None]
    assert events
    assert [report.epoch for report in good] == [1, 2, 3, 4]
    assert good[-1].eta == 50 * 0.5 ** len(events)
    assert all(np.isfinite(getattr(model, name)).all() for name in PARAMETERS)
    assert [entry.get("event") for entry in model.meta["history"]] == [report.event for report in reports]
    if all(report.epoch == 1 for report in events):  # then it is as if training had begun with the last rates
        calm = train(cooc, **{**QUICK, "eta": good[-1].eta, "bias_eta": good[-1].eta})
        assert same(model, calm)


def test_an_epoch_that_was_resumed_can_be_rolled_back(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {**QUICK, "on_divergence": "halve-eta"}
    leave(cooc, "model", monkeypatch, rounds=6, **options)  # in the second epoch
    check, run_epoch = trainer_module.check_cost, trainer_module.Trainer.run_epoch
    trainer: list[Any] = []

    def diverging(cost: float, first_cost: float) -> None:
        position = trainer[-1].position
        if (position.epoch, position.round, position.halvings) == (2, 4, 0):
            raise trainer_module.DivergedError("it is a test")
        check(cost, first_cost)

    monkeypatch.setattr(trainer_module, "check_cost", diverging)
    monkeypatch.setattr(trainer_module.Trainer, "run_epoch", lambda self: (trainer.append(self), run_epoch(self))[1])
    train(cooc, out="whole", **options)
    assert "event" in read_history("whole")[1]
    train(cooc, out="model", resume=True, **options)
    assert equal("model", "whole")


def test_checkpoints_after_a_rollback_are_kept_before_older_ones(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**WILD, "on_divergence": "halve-eta"}
    train(cooc, out="whole", **options)
    halvings = GloveModel.load("whole").meta["halvings"]
    leave(cooc, "model", monkeypatch, rounds=2, **options)
    names = sorted(path.name for path in Path(".model.work").glob("checkpoint-*"))
    assert names[-1].startswith(f"checkpoint-{halvings:02}-000001-")
    train(cooc, out="model", resume=True, checkpoint_every="0.0001s", **options)
    assert equal("model", "whole")


def test_giving_up_on_halving() -> None:
    matrix = csr_array(np.full((20, 20), 1e30))
    with pytest.raises(TrainingError, match="diverged in epoch 1"):
        train(
            matrix, [f"w{i}" for i in range(20)], dim=2, epochs=2, eta=1e28, bias_eta=1e28,
            on_divergence="halve-eta", grad_clip=1e30,
        )  # fmt: skip


# --- starting from something ----------------------------------------------------------------------------------------


def test_a_model_goes_on_where_it_ended(cooc: CoocMatrix) -> None:
    first = train(cooc, out="first", **QUICK)
    still = train(cooc, init="first", dim=6, epochs=1, x_max=10.0, eta=1e-12, bias_eta=1e-12)
    for name in PARAMETERS:
        np.testing.assert_allclose(getattr(still, name), getattr(first, name), rtol=1e-6, atol=1e-9)
    on = train(cooc, init=first, **QUICK)
    assert on.meta["history"][0]["cost"] < first.meta["history"][-1]["cost"]
    assert same(on, train(cooc, init="first", **QUICK))


def test_vectors_are_shared_out_and_new_words_drawn_like_the_known_ones(cooc: CoocMatrix) -> None:
    rng = np.random.default_rng(1)
    known = list(cooc.vocab.words)[::2]
    deviation = np.array([0.1, 0.2, 0.5, 1.0, 2.0, 3.0])
    matrix = (rng.normal(size=(len(known), 6)) * deviation + [5, 4, 3, 2, 1, 0]).astype(np.float32)
    start = WordVectors([*known, "elsewhere"], np.vstack([matrix, np.full((1, 6), 99, np.float32)]))
    said: list[str] = []
    still = {"dim": 6, "epochs": 1, "x_max": 10.0, "eta": 1e-12, "bias_eta": 0.0}
    model = train(cooc, init=start, init_biases="zero", note=said.append, **still)
    assert f"Starting from init: {len(known)} of {cooc.V} words are known there." in said
    ids = [cooc.vocab.index[word] for word in known]
    np.testing.assert_allclose(model.W[ids], matrix / 2, rtol=1e-6)
    np.testing.assert_allclose(model.C[ids], matrix / 2, rtol=1e-6)
    new = np.setdiff1d(np.arange(cooc.V), ids)
    drawn = (model.W + model.C)[new]
    assert np.abs((drawn.mean(axis=0) - [5, 4, 3, 2, 1, 0]) / deviation).max() < 5 / np.sqrt(len(new))
    np.testing.assert_allclose(drawn.std(axis=0), deviation, rtol=5 / np.sqrt(2 * len(new)))
    assert np.abs(model.b_w).max() < 1e-20


def test_random_biases_are_drawn_also_where_a_model_is_given(cooc: CoocMatrix) -> None:
    first = train(cooc, **QUICK)
    still = {"dim": 6, "epochs": 1, "x_max": 10.0, "eta": 1e-12, "bias_eta": 0.0}
    drawn = train(cooc, init=first, init_biases="random", **still)
    assert 0 < np.abs(drawn.b_w).max() <= 0.5 / 6
    assert (drawn.gradsq_b_w == 1).all()
    np.testing.assert_allclose(drawn.W, first.W, rtol=1e-6)
    np.testing.assert_allclose(train(cooc, init=first, **still).b_w, first.b_w, rtol=1e-6)
    refitted = train(cooc, init=first, init_biases="fit", dim=6, epochs=1, x_max=10.0, eta=1e-12, bias_eta=1e-12)
    np.testing.assert_allclose(refitted.gradsq_b_w, 1)


def test_one_known_word_does_not_make_all_others_alike(cooc: CoocMatrix) -> None:
    start = WordVectors([cooc.vocab.words[0]], np.ones((1, 6), np.float32))
    model = train(cooc, init=start, dim=6, epochs=1, x_max=10.0, eta=1e-12, bias_eta=0.0)
    assert len(np.unique(model.W, axis=0)) == cooc.V


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_no_start(cooc: CoocMatrix, value: float) -> None:
    matrix = np.ones((cooc.V, 6), np.float32)
    matrix[-1, 3] = value
    with pytest.raises(TrainingError, match="--init: init holds numbers that aren't finite"):
        train(cooc, init=WordVectors(cooc.vocab.words, matrix), **QUICK)


def test_any_readable_vectors_will_do(cooc: CoocMatrix) -> None:
    from glove_cli import export_vectors

    first = train(cooc, out="model", **QUICK)
    for name in ("vectors.txt", "vectors.bin", "vectors.npy"):
        export_vectors(first, name)
        model = train(cooc, init=name, init_biases="zero", dim=6, epochs=1, x_max=10.0, eta=1e-12, bias_eta=0.0)
        np.testing.assert_allclose(model.W, (first.W + first.C) / 2, atol=1e-6)


def test_a_larger_matrix_goes_on_from_a_smaller_one(cooc: CoocMatrix) -> None:
    small = train(cooc, **{**QUICK, "epochs": 15})
    text = zipf_text(30_000, 2000, 1) + zipf_text(40_000, 5000, 7)
    larger = build_cooc(io.BytesIO(text), "larger", window=5)
    assert larger.V > cooc.V
    cold = train(larger, **QUICK).meta["history"]
    warm = train(larger, init=small, **QUICK).meta["history"]
    assert warm[0]["cost"] < cold[0]["cost"]


def test_a_damaged_checkpoint_is_no_start(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(cooc, "model", monkeypatch, rounds=6)
    path = Path(".model.work/checkpoint-00-000002-000002")
    train(cooc, init=path, **QUICK)
    words = path / "words.npy"
    data = bytearray(words.read_bytes())
    data[-5] ^= 1
    words.write_bytes(data)
    with pytest.raises(FormatError, match=r"words\.npy: was changed"):
        train(cooc, init=path, **QUICK)


def test_starts_that_cannot_be_are_refused(cooc: CoocMatrix) -> None:
    strangers = WordVectors(["no such", "word"], np.ones((2, 6), np.float32))
    with pytest.raises(TrainingError, match="has none of the words"):
        train(cooc, init=strangers, **QUICK)
    with pytest.raises(OptionError, match=r"--init: init has 3 dimensions, --dim is 6\. Give --dim 3"):
        train(cooc, init=WordVectors(cooc.vocab.words, np.ones((cooc.V, 3), np.float32)), **QUICK)
    with pytest.raises(FormatError, match="nowhere"):
        train(cooc, init="nowhere", **QUICK)
    with pytest.raises(TypeError, match="init: is a int"):
        train(cooc, init=5, **QUICK)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="--anchor-strength: there are no vectors"):
        train(cooc, anchor_strength=0.1, **QUICK)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_biases_fit_the_counts_by_weighted_least_squares(cooc: CoocMatrix, dtype: str) -> None:
    still = {"dim": 1, "epochs": 1, "x_max": 10.0, "eta": 1e-12, "bias_eta": 0.0}
    model = train(cooc, init_biases="fit", dtype=dtype, **still)
    whole = cooc.to_scipy().tocoo()
    f = np.minimum(1, (whole.data / 10) ** 0.75)
    V, n = cooc.V, len(whole.data)
    design = csr_array(
        (np.repeat(np.sqrt(f), 2), np.column_stack([whole.row, V + whole.col]).ravel(), np.arange(0, 2 * n + 1, 2)),
        shape=(n, 2 * V),
    )
    best = lsqr(design, np.sqrt(f) * np.log(whole.data), atol=1e-12, btol=1e-12)[0]

    def cost(b_w: np.ndarray, b_c: np.ndarray) -> float:
        return float(np.mean(f * (b_w[whole.row] + b_c[whole.col] - np.log(whole.data)) ** 2))

    reached, least = cost(model.b_w, model.b_c), cost(best[:V], best[V:])
    assert least * (1 - 1e-9) <= reached < least * 1.001
    assert train(cooc, init_biases="zero", **still).meta["history"][0]["cost"] > 1.5 * reached / 2


def test_biases_fitted_to_given_vectors_take_them_into_account(cooc: CoocMatrix) -> None:
    rng = np.random.default_rng(3)
    start = WordVectors(cooc.vocab.words, rng.normal(size=(cooc.V, 6)).astype(np.float32))
    still = {"dim": 6, "epochs": 1, "x_max": 10.0, "eta": 1e-12, "bias_eta": 0.0}
    cost = {
        kind: train(cooc, init=start, init_biases=kind, **still).meta["history"][0]["cost"]
        for kind in ("zero", "fit", None)
    }
    assert cost["fit"] < 0.9 * cost["zero"]
    assert cost[None] == cost["fit"]


@pytest.mark.parametrize("kind", ["zero", "random", "fit"])
def test_fitted_biases_are_the_same_for_any_threads(cooc: CoocMatrix, kind: str) -> None:
    first, *others = (train(cooc, init_biases=kind, threads=threads, **QUICK) for threads in (1, 2, 5))
    assert all(same(first, other) for other in others)


# --- held to given vectors ------------------------------------------------------------------------------------------


def test_a_strong_anchor_holds_vectors_and_a_weak_one_lets_go(cooc: CoocMatrix) -> None:
    rng = np.random.default_rng(5)
    known = list(cooc.vocab.words)[:200]
    vectors = rng.normal(size=(200, 6)).astype(np.float32)
    start = WordVectors(known, vectors)
    apart = {}
    for strength in (0.0, 0.01, 1.0, 100.0, 1e9):
        model = train(cooc, init=start, anchor_strength=strength, **{**QUICK, "epochs": 8})
        ids = [cooc.vocab.index[word] for word in known]
        apart[strength] = float(np.abs((model.W + model.C)[ids] - vectors).mean())
        assert all(np.isfinite(getattr(model, name)).all() for name in PARAMETERS)
    series = list(apart.values())
    assert series == sorted(series, reverse=True)
    assert apart[0.0] > 0.1
    assert apart[1e9] < apart[0.0] / 5  # what the entries after the last pull have moved
    print(apart)


@pytest.mark.parametrize("threads", [2, 7])
def test_anchored_training_is_the_same_for_any_threads_and_when_resumed(
    cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    vectors = np.random.default_rng(5).normal(size=(cooc.V, 6)).astype(np.float32)
    options = {**QUICK, "anchor_strength": 0.3, "init": WordVectors(cooc.vocab.words, vectors)}
    train(cooc, out="whole", threads=1, **options)
    leave(cooc, "model", monkeypatch, rounds=6, threads=threads, **options)
    train(cooc, out="model", resume=True, threads=threads, **options)
    assert equal("model", "whole")


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
    monkeypatch.setattr(plan_module, "allowed_memory", lambda: allowed)
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


# --- all kinds of matrices ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [1, 2, 1024])
@pytest.mark.parametrize("words", [1, 2, 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_few_words_many_threads_and_odd_dimensions(dim: int, words: int, dtype: str) -> None:
    matrix = csr_array(np.random.default_rng(0).uniform(0.5, 20, size=(words, words)))
    names = [f"w{i}" for i in range(words)]
    options = {"dim": dim, "epochs": 3, "x_max": 10.0, "dtype": dtype}
    model = train(matrix, names, out="model", threads=16, **options)
    assert model.W.shape == (words, dim)
    assert model.dtype == dtype
    assert same(model, train(matrix, names, threads=1, **options))


def test_a_scipy_matrix_is_resumed_only_if_it_is_the_same(cooc: CoocMatrix, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, words = cooc.to_scipy(), list(cooc.vocab.words)
    train(matrix, words, out="whole", **QUICK)
    leave(matrix, "model", monkeypatch, rounds=6, words=words)
    changed = matrix.copy()
    changed.data[5] *= 1.5
    with pytest.raises(OptionError, match="had another matrix"):
        train(changed, words, out="model", resume=True, **QUICK)
    train(matrix, words, out="model", resume=True, **QUICK)
    assert equal("model", "whole")


def test_float64_goes_where_float32_goes(cooc: CoocMatrix) -> None:
    single, double = (train(cooc, dtype=dtype, **QUICK) for dtype in ("float32", "float64"))
    assert double.W.dtype == np.float64
    for name in PARAMETERS[:4]:
        np.testing.assert_allclose(getattr(single, name), getattr(double, name), atol=2e-3)
    for a, b in zip(single.meta["history"], double.meta["history"], strict=True):
        assert a["cost"] == pytest.approx(b["cost"], rel=1e-5)


def test_a_place_is_needed_to_resume(cooc: CoocMatrix) -> None:
    with pytest.raises(OptionError, match="resume: there is no place"):
        train(cooc, resume=True, **QUICK)


def test_matrices_on_disk_are_read_by_ranges_of_rows(cooc: CoocMatrix) -> None:
    counts = find_counts(load_cooc(cooc.path), None, None)
    assert set(counts.mappings) == {"indices", "data"}
    for first, last in ((0, 1), (3, 40), (0, cooc.V), (7, 7)):
        indptr, indices, data = counts.rows(first, last)
        begin, end = int(indptr[first]), int(indptr[last])
        for _ in range(2):  # what was let go of is there again when it is read
            assert np.array_equal(indices, cooc.indices[begin:end])
            assert np.array_equal(data, cooc.data[begin:end])
            counts.release(first, last)


def test_a_matrix_that_is_replaced_meanwhile_is_trained_on_as_it_was(cooc: CoocMatrix) -> None:
    shutil.copytree(cooc.path, "matrix")
    expected = train(cooc, **QUICK)

    def replace_it(text: str) -> None:
        build_cooc(io.BytesIO(zipf_text(5000, 300, 9)), "matrix", window=3, force=True)

    assert same(train("matrix", out="model", note=replace_it, **QUICK), expected)
