"""All that a training is told, and what it prepares before it begins."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from glove_cli.parallel import Progress
from glove_cli.training.checkpoint import Interval
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import Counts
from glove_cli.training.plan import make_plan
from glove_cli.training.report import EpochReport
from glove_cli.training.start import Start
from glove_cli.training.state import State
from glove_cli.training.tile_folder import prepare_tiles
from glove_cli.training.workers import Workers
from glove_cli.training.x_max import suggest_x_max
from glove_cli.vectors.keyed import WordVectors

_JOB_VERSION = 1
Evaluate = Callable[[WordVectors], float]


@dataclass(frozen=True)
class Job:
    """What `train` was called with, checked."""

    config: TrainConfig
    counts: Counts
    start: Start | None
    threads: int
    memory: int | str | None
    interval: Interval
    evaluate: Evaluate | None
    evaluate_every: int
    on_epoch: Callable[[EpochReport], None]
    progress: Progress
    note: Callable[[str], None]
    process: str | None = None

    @cached_property
    def signature(self) -> dict[str, Any]:
        """Return all that the result depends on but the number of epochs, to compare with that of another run."""
        options = asdict(self.config)
        del options["epochs"]
        if not options["min_weight"]:  # as in models that were trained before there was such an option
            del options["min_weight"]
        return {
            "job version": _JOB_VERSION,
            "matrix": self.counts.hashes(),
            **options,
            "init": self.start.digest() if self.start is not None else None,
            **({"process": self.process} if self.process is not None else {}),
        }

    def advise(self) -> None:
        """Say so if another x_max fits the counts."""
        better = suggest_x_max(self.counts, self.config.x_max)
        if better is not None:
            self.note(
                f"Note: hardly any pair of this small corpus counts in full with --x-max {self.config.x_max:g}. "
                f"--x-max {better:g}, or auto, fits its counts."
            )

    @contextlib.contextmanager
    def prepared(self, workspace: Path | None, tiles: Path | None) -> Iterator[tuple[Workers, State]]:
        """Say and check the plan, prepare the tiles; give threads that work on them, and a state of zeros.

        Parameters
        ----------
        workspace : Path or None
            Folder for temporary files; without it, the model is to be returned in memory.
        tiles : Path or None
            Where tiles are kept.

        Yields
        ------
        workers : Workers
        state : State
        """
        config, counts = self.config, self.counts
        plan = make_plan(
            counts, config, threads=self.threads, memory=self.memory, anchored=bool(config.anchor_strength),
            returned=workspace is None, evaluated=self.evaluate is not None,
        )  # fmt: skip
        self.advise()
        self.note(str(plan))
        with contextlib.ExitStack() as stack:
            made = prepare_tiles(
                counts, config, plan, tiles, stack, threads=self.threads, note=self.note, workspace=workspace,
                on_entries=lambda done, total: self.progress("preparing", done, total, "entry"),
            )  # fmt: skip
            workers = stack.enter_context(Workers(made, self.threads))
            rates = {"eta": config.eta, "bias_eta": config.bias_eta}
            yield workers, State.empty(made.deal.place, made.deal.rows, config.dim, **rates, dtype=config.dtype)
