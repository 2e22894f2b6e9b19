"""What tests of whole trainings share: options, a training that is killed, and a comparison of models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import file_hashes

from glove_cli.cooc.store import CoocMatrix
from glove_cli.model import GloveModel
from glove_cli.training import running as run_module
from glove_cli.training.run import train

PARAMETERS = ("W", "C", "b_w", "b_c", "gradsq_W", "gradsq_C", "gradsq_b_w", "gradsq_b_c")
QUICK: dict[str, Any] = {"dim": 6, "epochs": 4, "x_max": 10.0}
WILD: dict[str, Any] = {**QUICK, "eta": 50.0, "bias_eta": 50.0}
TIMED = ("meta.json", "history.jsonl")


def costs(model: GloveModel) -> list[dict[str, float]]:
    """Return the history without times."""
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in model.meta["history"]]


def same(a: GloveModel, b: GloveModel) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in PARAMETERS)


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
