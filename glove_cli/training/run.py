"""Training as a job: what is around the trainer. Memory, tiles, where to start, checkpoints, the result."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError, OutputError, TrainingError
from glove_cli.files import check_folder, output_folder
from glove_cli.model import GloveModel
from glove_cli.parallel import Progress, thread_count
from glove_cli.training.anchor import Anchor
from glove_cli.training.biases import fit_biases
from glove_cli.training.checkpoint import (
    DEFAULT_INTERVAL,
    Interval,
    Position,
    describe_checkpoints,
    last_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import Counts, find_counts
from glove_cli.training.history import HISTORY_NAME
from glove_cli.training.objective import suggest_x_max
from glove_cli.training.plan import make_plan
from glove_cli.training.report import EpochReport
from glove_cli.training.result import check_finite, history_lines, sum_vectors, to_model, write_model
from glove_cli.training.start import Init, Start, draw_parameters, take_over
from glove_cli.training.state import State
from glove_cli.training.tile_folder import prepare_tiles
from glove_cli.training.tile_names import TILES_NAME
from glove_cli.training.trainer import Trainer
from glove_cli.training.workers import Workers
from glove_cli.vectors.keyed import WordVectors
from glove_cli.workspace import Workspace, workspace

if TYPE_CHECKING:
    from glove_cli.training.counts import CountsLike

_JOB_VERSION = 1
Evaluate = Callable[[WordVectors], float]


def train(
    matrix: CountsLike,
    words: Sequence[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    counts: Sequence[int] | NDArray[np.int64] | None = None,
    init: Init | str | os.PathLike[str] | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    tiles: str | os.PathLike[str] | None = None,
    checkpoint_every: str | None = DEFAULT_INTERVAL,
    resume: bool = False,
    force: bool = False,
    evaluate: Evaluate | None = None,
    evaluate_every: int = 1,
    on_epoch: Callable[[EpochReport], None] | None = None,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
    **options: Any,
) -> GloveModel:
    """Train word vectors on co-occurrence counts.

    Parameters
    ----------
    matrix : CoocMatrix, path-like, or SciPy sparse matrix (V, V)
        What `build_cooc` made, its folder, or positive counts of your own.
    words : sequence of str, length V, optional
        The words of a SciPy matrix.
    out : path-like, optional
        The folder to make of the model. Without it, the model is returned only, nothing is written, and an
        interruption loses everything.
    counts : sequence of int, length V, optional
        How often each word of a SciPy matrix occurs; without it, its row sums stand in.
    init : GloveModel, WordVectors or path-like, optional
        What to start from instead of random numbers: a model, a run, or vectors in any format that can be read. The
        words need not be the same: new ones are drawn from the distribution of the known ones.
    threads : int, optional
        All cores that this process may use, unless given. The result doesn't depend on it.
    memory : int or str, optional
        Bytes for tiles and buffers, or a size such as "4G": the process takes the parameters, this, and what
        interpreter and libraries take. By default, all together takes half of what this machine allows. Tiles that
        don't fit are read from disk meanwhile. The result doesn't depend on it.
    tiles : path-like, optional
        Folder in which the tiles of the matrix are kept for the next training; `tiles` beside `out`, unless given.
    checkpoint_every : str or None
        How often to write down how far training has come: a time such as "10m", "5 epochs", or "never".
    resume : bool
        Go on from the last checkpoint of an interrupted call with the same arguments, or with more epochs from a
        finished one. Threads, memory, epochs and checkpoints may differ. Without anything to go on with, it does
        nothing.
    force : bool
        Whether a result that stands at `out`, or what an interrupted call left, may be replaced.
    evaluate : callable, optional
        Called with `WordVectors` (w + c); returns a share that is reported as accuracy, see
        `glove_cli.evaluation.progress.question_accuracy`.
    evaluate_every : int
        After how many epochs each.
    on_epoch : callable, optional
        Called with an `EpochReport` after each epoch.
    progress : callable, optional
        Called with (stage, done, total, unit): ("preparing", ..., "entry"), then ("training", ..., "entry").
    note : callable, optional
        Called with what a user should know meanwhile: the plan, checkpoints that can't be written, why it stopped.
    **options
        The fields of `TrainConfig`: dim, epochs, x_max, alpha, eta, bias_eta, grad_clip, seed, dtype, holdout,
        patience, min_improvement, target_cost, on_divergence, init_biases, anchor_strength.

    Returns
    -------
    GloveModel
        With `out`, its arrays are mapped from there.

    Raises
    ------
    OptionError
        If an option's value cannot work, or differs from that of the run that is resumed.
    TrainingError
        If there are no entries, one is not positive and finite, memory can't hold the parameters, or training diverges.
    FormatError
        If the matrix, or what to start from, can't be opened.
    OutputError
        If `out` exists and may not be replaced, or can't be written.

    Notes
    -----
    The rule is that of the reference implementation (AdaGrad; Duchi, Hazan and Singer 2011). The order of the entries
    is not: they are mixed within tiles, and the order of the tiles is drawn anew for each epoch.
    """
    config = make_config(options)
    job = Job(
        config, find_counts(matrix, words, counts), Start.find(init) if init is not None else None,
        thread_count(threads), memory, Interval.parse(checkpoint_every), evaluate, _every(evaluate_every),
        on_epoch or (lambda report: None), progress or (lambda *step: None), note or (lambda text: None),
    )  # fmt: skip
    if job.start is not None:
        job.start.known(job.counts.vocab.words, config)
    elif config.anchor_strength:
        raise OptionError("--anchor-strength: there are no vectors to hold to. Give them with --init.")
    if out is None:
        if resume:
            raise OptionError("resume: there is no place to go on from. Give `out`.")
        with job.started(None, Path(tiles) if tiles is not None else None) as running:
            running.run()
            return to_model(running.state, job.counts.vocab, running.meta())
    out = Path(out)
    kept = Path(tiles) if tiles is not None else out.with_name(TILES_NAME)
    return _train_to(out, kept, job, resume=resume, force=force)


def _train_to(out: Path, tiles: Path, job: Job, *, resume: bool, force: bool) -> GloveModel:
    """Train and write the model to a folder, keeping what is needed to go on beside it."""
    signature = job.signature()
    finished = _finished(out, signature) if resume and not force else None
    if finished is None:
        check_folder(out, force=force)
    elif len(_epochs(finished)) >= job.config.epochs or finished.meta.get("stopped"):
        job.note(f"{out} was finished already.")
        with workspace(out, signature, force=True):  # whatever was left of an interrupted run goes
            return finished
    with workspace(
        out, signature, resume=resume, force=force, found=describe_checkpoints, keep=True, note=job.note
    ) as space:
        with job.started(space, tiles, finished) as running:
            running.run()
        with output_folder(out, force=force or finished is not None, temporary=space.result) as folder:
            write_model(folder, running.state, job.counts.vocab, {**running.meta(), "job": signature})
    return GloveModel.load(out)


@dataclass(frozen=True)
class Job:
    """All that a training is told."""

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

    def signature(self) -> dict[str, Any]:
        """Return all that the result depends on but the number of epochs, to compare with that of another run."""
        options = asdict(self.config)
        del options["epochs"]
        return {
            "job version": _JOB_VERSION,
            "matrix": self.counts.hashes(),
            **options,
            "init": self.start.digest() if self.start is not None else None,
        }

    @contextlib.contextmanager
    def started(self, space: Workspace | None, tiles: Path | None, finished: GloveModel | None = None) -> Any:
        """Prepare everything; give the training, ready to run."""
        config, counts = self.config, self.counts
        plan = make_plan(
            counts, config, threads=self.threads, memory=self.memory, anchored=bool(config.anchor_strength),
            returned=space is None,
        )  # fmt: skip
        better = suggest_x_max(counts.sample(), config.x_max)
        if better is not None:
            self.note(
                f"Note: hardly any pair of this small corpus counts in full with --x-max {config.x_max:g}. "
                f"--x-max {better:g} suits it better."
            )
        self.note(str(plan))
        with contextlib.ExitStack() as stack:
            made = prepare_tiles(
                counts, config, plan, tiles, stack, threads=self.threads, note=self.note,
                workspace=space.path if space is not None else None,
                on_entries=lambda done, total: self.progress("preparing", done, total, "entry"),
            )  # fmt: skip
            workers = stack.enter_context(Workers(made, self.threads))
            state = State.empty(
                made.deal.place, made.deal.rows, config.dim, eta=config.eta, bias_eta=config.bias_eta,
                dtype=config.dtype,
            )  # fmt: skip
            yield Running(self, workers, state, space, finished)


class Running:
    """A training with all that it needs."""

    def __init__(
        self, job: Job, workers: Workers, state: State, space: Workspace | None, finished: GloveModel | None
    ) -> None:
        self.job, self.state = job, state
        self._space, self._began, self._saved = space, time.perf_counter(), time.monotonic()
        self._saved_epoch = 0
        self._stopped: str | None = None
        position = Position()
        good: tuple[NDArray[Any], ...] = ()
        fresh = finished is None
        if space is not None and space.resumed:
            position, good = load_checkpoint(space.path, state, job.note)
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
            position.history = list(finished.meta["history"])
            position.begin_epoch(len(_epochs(finished)) + 1)
            position.first_cost = finished.meta.get("first_cost", 0.0)
            position.halvings = finished.meta.get("halvings", 0)
        else:
            self._first_values(workers)
        self.trainer = Trainer(
            workers, state, job.config, position, anchor=self._anchor(), on_round=self._end_round,
            on_report=self._report, on_epoch=self._end_epoch,
        )  # fmt: skip
        self.trainer.good = good
        if fresh:
            position.first_cost = self.trainer.first_cost()

    def run(self) -> None:
        """Train until the end."""
        self._write_history()
        try:
            reason = self.trainer.run()
        except TrainingError as error:
            last = last_checkpoint(self._space.path) if self._space is not None else None
            if last is None:
                raise
            stands = str(describe_checkpoints(last.parent))
            raise TrainingError(
                f"{error} {stands[0].upper()}{stands[1:]} stands, for --init {last} --force."
            ) from error
        if reason is not None:
            self._stopped = reason
            self.job.note(f"Stopped after epoch {self.trainer.position.epoch - 1}: {reason}.")
        check_finite(self.state)

    def meta(self) -> dict[str, Any]:
        """Return what the model remembers of its training."""
        position = self.trainer.position
        meta = {
            "options": asdict(self.job.config),
            "cooc": self.job.counts.meta,
            "history": position.history,
            "first_cost": position.first_cost,
            "halvings": position.halvings,
            "seconds": round(time.perf_counter() - self._began, 3),
        }
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

    def _anchor(self) -> Anchor | None:
        """Return the vectors that are held to, if any."""
        job, state = self.job, self.state
        if not job.config.anchor_strength or job.start is None:
            return None
        ids, rows = job.start.known(job.counts.vocab.words, job.config)
        at = state.place[ids]
        vectors = np.zeros((len(state.words), state.dim), state.words.dtype)
        known = np.zeros(len(state.words), np.bool_)
        known[at] = True
        step = 1 << 14
        for first in range(0, len(at), step):
            vectors[at[first : first + step]] = job.start.sums(rows[first : first + step])
        return Anchor(vectors, known, job.config.anchor_strength)

    def _end_round(self, interrupted: bool) -> None:
        """Show how far training has come, and write a checkpoint if it is time."""
        position, job = self.trainer.position, self.job
        total = self.trainer.workers.tiles.trained
        job.progress("training", (position.epoch - 1) * total + position.entries, job.config.epochs * total, "entry")
        interval = job.interval
        if interrupted:
            if interval != Interval():
                self._save(f"Interrupted in epoch {position.epoch}; go on from there with --resume.")
        elif interval.seconds is not None and time.monotonic() - self._saved >= interval.seconds:
            self._save()

    def _report(self, report: EpochReport) -> EpochReport:
        """Evaluate, if it is time, and say how the epoch went."""
        job = self.job
        if job.evaluate is not None and report.event is None and report.epoch % job.evaluate_every == 0:
            vectors = WordVectors(job.counts.vocab.words, sum_vectors(self.state))
            accuracy = job.evaluate(vectors)
            report = replace(report, accuracy=accuracy if math.isfinite(accuracy) else None)
        job.on_epoch(report)
        return report

    def _end_epoch(self) -> None:
        """Write down the history, and a checkpoint if one is wanted after so many epochs."""
        self._write_history()
        epochs = self.job.interval.epochs
        done = self.trainer.position.epoch - 1
        if epochs is not None and done - self._saved_epoch >= epochs and done < self.job.config.epochs:
            self._save()

    def _save(self, message: str | None = None) -> None:
        """Write a checkpoint; training goes on if that fails."""
        if self._space is None:
            return
        trainer = self.trainer
        try:
            save_checkpoint(self._space.path, self.state, self.job.counts.vocab, trainer.position, trainer.good)
            if message is not None:
                self.job.note(message)
        except OutputError as error:
            stands = describe_checkpoints(self._space.path)
            self.job.note(f"Warning: no checkpoint: {error} {f'The last one, {stands}, stands.' if stands else ''}")
        self._saved, self._saved_epoch = time.monotonic(), trainer.position.epoch - 1

    def _write_history(self) -> None:
        """Write the history of the training that goes on beside its checkpoints."""
        if self._space is not None:
            with contextlib.suppress(OSError):  # it comes again with the model
                (self._space.path / HISTORY_NAME).write_text(history_lines(self.trainer.position.history))


def make_config(options: dict[str, Any]) -> TrainConfig:
    """Make a `TrainConfig` of keyword arguments, with a clear error for one that doesn't exist."""
    unknown = sorted(set(options) - set(asdict(TrainConfig())))
    if unknown:
        raise OptionError(
            f"{unknown[0]}: is not an option of training. Choose from {', '.join(asdict(TrainConfig()))}."
        )
    return TrainConfig(**options)


def _every(evaluate_every: int) -> int:
    if isinstance(evaluate_every, bool) or not isinstance(evaluate_every, int) or evaluate_every < 1:
        raise OptionError(f"--evaluate-every: {evaluate_every!r} is not a positive integer. Give 1 or more.")
    return evaluate_every


def _epochs(model: GloveModel) -> list[dict[str, Any]]:
    """Return the epochs of a model's history that were not rolled back."""
    return [entry for entry in model.meta.get("history", []) if "event" not in entry]


def _finished(out: Path, signature: dict[str, Any]) -> GloveModel | None:
    """Return the model at `out` if it is the result of this job, with any number of epochs."""
    try:
        model = GloveModel.load(out)
    except FormatError:
        return None
    return model if model.meta.get("job") == json.loads(json.dumps(signature)) else None
