"""A training that runs: from where it begins, through checkpoints and reports, to what the model remembers."""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import asdict, replace
from typing import Any

from numpy.typing import NDArray

from glove_cli.errors import OptionError, OutputError, TrainingError
from glove_cli.model import GloveModel
from glove_cli.training.anchor import Anchor
from glove_cli.training.biases import fit_biases
from glove_cli.training.checkpoint import (
    Interval,
    Position,
    describe_checkpoints,
    last_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from glove_cli.training.history import HISTORY_NAME, standing_epochs
from glove_cli.training.interrupts import Interrupts
from glove_cli.training.job import Job
from glove_cli.training.report import EpochReport
from glove_cli.training.result import check_finite, history_lines, restore_bias_sums, sum_vectors
from glove_cli.training.start import Start, draw_parameters, take_over
from glove_cli.training.state import State
from glove_cli.training.trainer import Trainer
from glove_cli.training.workers import Workers
from glove_cli.vectors.keyed import WordVectors
from glove_cli.workspace import Workspace


class Running:
    """One training: its state, where it has come to, and what it writes down on the way."""

    def __init__(
        self,
        job: Job,
        workers: Workers,
        state: State,
        space: Workspace | None = None,
        finished: GloveModel | None = None,
    ) -> None:
        self.job, self.state = job, state
        self._space, self._began, self._saved_at = space, time.perf_counter(), time.monotonic()
        self._saved_epoch = 0
        self._interrupts = Interrupts()
        self._stopped: str | None = None
        position = Position()
        good: tuple[NDArray[Any], ...] = ()
        fresh = finished is None
        if space is not None and space.resumed:
            position, good = load_checkpoint(space.path, state, job.note, job.signature)
            fresh = False
            if position.epoch > job.config.epochs + (position.round == 0):
                raise OptionError(
                    f"--epochs: the interrupted run is in epoch {position.epoch} already. Give {position.epoch} or "
                    "more, or begin again with --force."
                )
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

    def run(self) -> None:
        """Train until the end."""
        self._write_history()
        try:
            with self._interrupts:
                reason = self.trainer.run()
        except TrainingError as error:
            last = last_checkpoint(self._space.path) if self._space is not None else None
            if last is None:
                raise
            stands = str(describe_checkpoints(last.parent))
            raise TrainingError(
                f"{error} {stands[0].upper()}{stands[1:]} stands, for --init {last} --force."
            ) from error
        except BaseException:
            position = self.trainer.position
            if self.trainer.at_rest and (position.round or position.epoch > 1) and self.job.interval != Interval():
                self.save(f"Interrupted in epoch {position.epoch}; go on from there with --resume.")
            raise
        if reason is not None:
            self._stopped = reason
            self.job.note(f"Stopped after epoch {self.trainer.position.epoch - 1}: {reason}.")
        check_finite(self.state)

    def meta(self) -> dict[str, Any]:
        """Return what the model remembers of its training."""
        position = self.trainer.position
        meta = {
            "options": asdict(self.job.config),
            "cooc": {**self.job.counts.meta, "sha256": self.job.counts.hashes()},
            "history": position.history,
            "first_cost": position.first_cost,
            "halvings": position.halvings,
            "seconds": round(time.perf_counter() - self._began, 3),
        }
        if self.job.process is not None:
            meta["process"] = self.job.process
        if self.job.start is not None:
            meta["init"] = self.job.start.name
        if self._stopped is not None:
            meta["stopped"] = self._stopped
        return meta

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

    def _end_round(self) -> None:
        """Show how far training has come, and write a checkpoint if it is time."""
        position, job = self.trainer.position, self.job
        total = self.trainer.workers.tiles.trained
        job.progress("training", (position.epoch - 1) * total + position.entries, job.config.epochs * total, "entry")
        self._interrupts.deliver()
        if job.interval.seconds is not None and time.monotonic() - self._saved_at >= job.interval.seconds:
            self.save()

    def _report(self, report: EpochReport) -> EpochReport:
        """Evaluate, if it is time, and say how the epoch went."""
        job = self.job
        if job.evaluate is not None and report.event is None and report.epoch % job.evaluate_every == 0:
            vectors = WordVectors(job.counts.vocab.words, sum_vectors(self.state))
            report = replace(report, accuracy=_share(job.evaluate(vectors)))
        job.on_epoch(report)
        return report

    def _end_epoch(self) -> None:
        """Write down the history, and a checkpoint if one is wanted after so many epochs."""
        self._write_history()
        self._interrupts.deliver()
        epochs = self.job.interval.epochs
        done = self.trainer.position.epoch - 1
        if epochs is not None and done - self._saved_epoch >= epochs and done < self.job.config.epochs:
            self.save()

    def save(self, message: str | None = None) -> None:
        """Write a checkpoint; training goes on if that fails."""
        if self._space is None:
            return
        trainer = self.trainer
        try:
            what = (self.state, self.job.counts.vocab, trainer.position, trainer.good, self.job.signature)
            save_checkpoint(self._space.path, *what)
            if message is not None:
                self.job.note(message)
        except OutputError as error:
            stands = describe_checkpoints(self._space.path)
            self.job.note(f"Warning: no checkpoint: {error} {f'The last one, {stands}, stands.' if stands else ''}")
        self._saved_at, self._saved_epoch = time.monotonic(), trainer.position.epoch - 1

    def _write_history(self) -> None:
        """Write the history of the training that goes on beside its checkpoints."""
        if self._space is not None:
            with contextlib.suppress(OSError):  # it comes again with the model
                (self._space.path / HISTORY_NAME).write_text(history_lines(self.trainer.position.history))


def _share(accuracy: object) -> float | None:
    """Return what `evaluate` returned as a share, None for one that isn't a number (no question could be asked)."""
    try:
        share = float(accuracy)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        share = math.inf
    if not (0 <= share <= 1 or math.isnan(share)):
        raise OptionError(f"evaluate: returned {accuracy!r}, which is no share. Return a number from 0 to 1.")
    return None if math.isnan(share) else share
