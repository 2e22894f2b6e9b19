"""What is around the epochs of a training, wherever they run: progress, reports, checkpoints, interruptions."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Any, Protocol

from glove_cli.errors import OptionError, OutputError, TrainingError
from glove_cli.training.checkpoint import Interval, describe_checkpoints, last_checkpoint
from glove_cli.training.history import HISTORY_NAME
from glove_cli.training.interrupts import Interrupts
from glove_cli.training.job import Job
from glove_cli.training.position import Position
from glove_cli.training.report import EpochReport
from glove_cli.training.result import history_lines
from glove_cli.workspace import Workspace


class Epochs(Protocol):
    """Trains epoch after epoch.

    Attributes
    ----------
    position : Position
    at_rest : bool
        Whether `position` says where the state is.
    """

    position: Position
    at_rest: bool

    def run(self) -> str | None:
        """Train until the last epoch, or until there's a reason to stop, which is returned."""


class Course(ABC):
    """One training: where it has come to, and what it writes down on the way.

    Attributes
    ----------
    job : Job
    trainer : Epochs
        To be set by whoever knows how to train.
    trained : int
        Entries of an epoch; to be set as well.
    """

    trainer: Epochs
    trained: int

    def __init__(self, job: Job, space: Workspace | None) -> None:
        self.job = job
        self._space, self._began, self._saved_at = space, time.perf_counter(), time.monotonic()
        self._saved_epoch = 0
        self._interrupts = Interrupts()
        self._stopped: str | None = None

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

    def _end_round(self) -> None:
        """Show how far training has come, and write a checkpoint if it is time."""
        position, job = self.trainer.position, self.job
        total = self.trained
        job.progress("training", (position.epoch - 1) * total + position.entries, job.config.epochs * total, "entry")
        self._interrupts.deliver()
        if job.interval.seconds is not None and time.monotonic() - self._saved_at >= job.interval.seconds:
            self.save()

    def _report(self, report: EpochReport) -> EpochReport:
        """Say how the epoch went."""
        self.job.on_epoch(report)
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
        try:
            self._write_checkpoint(self._space)
            if message is not None:
                self.job.note(message)
        except OutputError as error:
            stands = describe_checkpoints(self._space.path)
            self.job.note(f"Warning: no checkpoint: {error} {f'The last one, {stands}, stands.' if stands else ''}")
        self._saved_at, self._saved_epoch = time.monotonic(), self.trainer.position.epoch - 1

    def _write_history(self) -> None:
        """Write the history of the training that goes on beside its checkpoints."""
        if self._space is not None:
            with contextlib.suppress(OSError):  # it comes again with the model
                (self._space.path / HISTORY_NAME).write_text(history_lines(self.trainer.position.history))

    @abstractmethod
    def write(self, *, replaced: bool) -> None:
        """Write the model.

        Parameters
        ----------
        replaced : bool
            Whether what stands at its place may be replaced.

        Raises
        ------
        OutputError
            If it can't be written.
        """

    @abstractmethod
    def _write_checkpoint(self, space: Workspace) -> None:
        """Write a checkpoint of where the trainer is.

        Raises
        ------
        OutputError
            If it can't be written.
        """


def check_epochs(position: Position, epochs: int) -> None:
    """Refuse fewer epochs than an interrupted run has begun.

    Parameters
    ----------
    position : Position
        Of its checkpoint.
    epochs : int

    Raises
    ------
    OptionError
    """
    if position.epoch > epochs + (position.round == 0):
        raise OptionError(
            f"--epochs: the interrupted run is in epoch {position.epoch} already. Give {position.epoch} or "
            "more, or begin again with --force."
        )
