"""A training that is interrupted: gone on with, to the same bytes, and never at the cost of anything else."""

from __future__ import annotations

import errno
import io
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import change_meta, file_hashes, zipf_text
from training_runs import QUICK, WILD, equal, leave

from glove_cli import WordVectors, read_history
from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.store import CoocMatrix
from glove_cli.errors import FormatError, OptionError, OutputError
from glove_cli.model import GloveModel
from glove_cli.training import running as run_module
from glove_cli.training import trainer as trainer_module
from glove_cli.training.checkpoint import Interval, describe_checkpoints
from glove_cli.training.report import EpochReport
from glove_cli.training.run import train

pytestmark = pytest.mark.usefixtures("in_a_folder")


# --- interrupted ----------------------------------------------------------------------------------------------------


def killed(cooc: CoocMatrix, folder: Path, step: int, times: int) -> tuple[int, int, int]:
    """Run `crash_train.py`; return the last moment of a kill, the kills at random, and how many were gone on with."""
    (folder / "runs").mkdir()
    program = str(Path(__file__).with_name("crash_train.py"))
    command = [sys.executable, program, str(cooc.path), str(folder / "runs"), str(step), str(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stderr
    moments, kills, resumed = map(int, done.stdout.split())
    return moments, kills, resumed


def test_a_training_killed_at_a_step_of_writing_ends_with_the_same_bytes(cooc: CoocMatrix, tmp_path: Path) -> None:
    moments, _, _ = killed(cooc, tmp_path, 97, 0)  # the program takes smaller steps and more kills as well
    assert moments > 200


def test_a_training_killed_at_any_moment_ends_with_the_same_bytes(cooc: CoocMatrix, tmp_path: Path) -> None:
    _, kills, resumed = killed(cooc, tmp_path, 1_000_000, 10)
    assert kills >= 10
    assert resumed >= 1


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
        {"min_weight": 0.1},
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
        patch.setattr("glove_cli.training.running.write_model", full)
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
    last = sorted(Path(".model.work").glob("checkpoint-*"))[-1]
    change_meta(last, lambda meta: meta["position"].update(change))
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
