"""A training in this process: from where it begins to what is written down of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.files import output_folder
from glove_cli.model import MODEL_FORMAT, GloveModel
from glove_cli.training.anchor import Anchor
from glove_cli.training.biases import fit_biases
from glove_cli.training.checkpoint import load_checkpoint, save_checkpoint
from glove_cli.training.course import Course, check_epochs
from glove_cli.training.history import standing_epochs
from glove_cli.training.job import Job
from glove_cli.training.position import Position
from glove_cli.training.report import EpochReport
from glove_cli.training.result import check_finite, restore_bias_sums, sum_vectors, write_model
from glove_cli.training.start import Start, draw_parameters, take_over
from glove_cli.training.state import State
from glove_cli.training.trainer import Trainer
from glove_cli.training.workers import Workers
from glove_cli.vectors.keyed import WordVectors
from glove_cli.workspace import Workspace


class Running(Course):
    """A training in this process, and its state."""

    trainer: Trainer

    def __init__(
        self,
        job: Job,
        workers: Workers,
        state: State,
        space: Workspace | None = None,
        finished: GloveModel | None = None,
    ) -> None:
        super().__init__(job, space)
        self.state = state
        self.trained = workers.tiles.trained
        position = Position()
        good: tuple[NDArray[Any], ...] = ()
        fresh = finished is None
        if space is not None and space.resumed:
            position, good = load_checkpoint(space.path, state, job.note, job.signature)
            fresh = False
            check_epochs(position, job.config.epochs)
        elif finished is not None:
            take_over(
                state, job.counts.vocab.words, Start("the model", finished), replace(job.config, init_biases=None)
            )
            if space is not None:
                restore_bias_sums(space.out, state)
            position.history = list(finished.meta["history"])
            position.begin_epoch(len(standing_epochs(finished.meta["history"])) + 1)
            position.first_cost = finished.meta.get("first_cost", 0.0)
            position.halvings = finished.meta.get("halvings", 0)
        else:
            self._first_values(workers)
        anchor = None
        if job.config.anchor_strength and job.start is not None:
            anchor = Anchor.of(job.start, job.counts.vocab.words, state, job.config)
        self.trainer = Trainer(
            workers, state, job.config, position, anchor=anchor, on_round=self._end_round,
            on_report=self._report, on_epoch=self._end_epoch,
        )  # fmt: skip
        self.trainer.good = good
        if fresh:
            position.first_cost = self.trainer.first_cost()

    def _first_values(self, workers: Workers) -> None:
        """Fill the state with what training starts from."""
        job, config = self.job, self.job.config
        draw_parameters(self.state, config)
        biases = config.init_biases
        if job.start is not None:
            known = take_over(self.state, job.counts.vocab.words, job.start, config)
            job.note(f"Starting from {job.start.name}: {known:,} of {job.counts.V:,} words are known there.")
            if biases is None and isinstance(job.start.source, WordVectors):
                biases = "fit"
        if biases == "fit":
            fit_biases(workers, self.state, config, with_vectors=job.start is not None)

    def _report(self, report: EpochReport) -> EpochReport:
        """Evaluate, if it is time, and say how the epoch went."""
        job = self.job
        if job.evaluate is not None and report.event is None and report.epoch % job.evaluate_every == 0:
            vectors = WordVectors(job.counts.vocab.words, sum_vectors(self.state))
            report = replace(report, accuracy=_share(job.evaluate(vectors)))
        return super()._report(report)

    def run(self) -> None:
        """Train until the end."""
        super().run()
        check_finite(self.state)

    def write(self, *, replaced: bool) -> None:
        """Write the model."""
        if self._space is not None:
            space, meta = self._space, {**self.meta(), "job": self.job.signature}
            with output_folder(space.out, force=replaced, temporary=space.result, format=MODEL_FORMAT) as folder:
                write_model(folder, self.state, self.job.counts.vocab, meta)

    def _write_checkpoint(self, space: Workspace) -> None:
        trainer = self.trainer
        what = (self.state, self.job.counts.vocab, trainer.position, trainer.good, self.job.signature)
        save_checkpoint(space.path, *what)


def _share(accuracy: object) -> float | None:
    """Return what `evaluate` returned as a share, None for one that isn't a number (no question could be asked)."""
    try:
        share = float(accuracy)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        share = math.inf
    if not (0 <= share <= 1 or math.isnan(share)):
        raise OptionError(f"evaluate: returned {accuracy!r}, which is no share. Return a number from 0 to 1.")
    return None if math.isnan(share) else share
