"""When a training ends: far enough, without improvement, or gone wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from training_runs import PARAMETERS, QUICK, WILD, equal, leave, same

from glove_cli import WordVectors, read_history
from glove_cli.cooc.store import CoocMatrix
from glove_cli.errors import OptionError, TrainingError
from glove_cli.model import GloveModel
from glove_cli.training import trainer as trainer_module
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import find_counts
from glove_cli.training.objective import objective
from glove_cli.training.report import EpochReport
from glove_cli.training.run import train
from glove_cli.training.stopping import reason_to_stop

pytestmark = pytest.mark.usefixtures("in_a_folder")


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
