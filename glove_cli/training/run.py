"""Training as a job: what is around the trainer. Memory, tiles, where to start, checkpoints, the result."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc.store import CoocMatrix
from glove_cli.errors import FormatError, OptionError, OutputError
from glove_cli.files import META_NAME, check_apart, check_folder, check_name
from glove_cli.folder import read_meta
from glove_cli.memory import check_disk
from glove_cli.model import MODEL_FORMAT, GloveModel
from glove_cli.parallel import Progress, thread_count
from glove_cli.training.checkpoint import (
    DEFAULT_INTERVAL,
    Interval,
    describe_checkpoints,
    epochs_done,
)
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import find_counts
from glove_cli.training.course import Course
from glove_cli.training.history import standing_epochs
from glove_cli.training.job import Evaluate, Job
from glove_cli.training.report import EpochReport
from glove_cli.training.result import to_model
from glove_cli.training.running import Running
from glove_cli.training.start import Init, Start
from glove_cli.training.tile_folder import check_tiles_folder
from glove_cli.training.tile_names import TILES_NAME
from glove_cli.training.x_max import AUTO, choose_x_max
from glove_cli.vectors.process import chosen_steps
from glove_cli.workspace import Workspace, difference, home_of, same_job, workspace

if TYPE_CHECKING:
    from glove_cli.training.counts import Counts, CountsLike

Work = Callable[[Job, Workspace, Path, GloveModel | None], Course]


def train(
    matrix: CountsLike,
    words: Sequence[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    counts: Sequence[int] | NDArray[np.int64] | None = None,
    init: Init | Start | str | os.PathLike[str] | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    tiles: str | os.PathLike[str] | None = None,
    checkpoint_every: str | None = DEFAULT_INTERVAL,
    resume: bool = False,
    force: bool = False,
    evaluate: Evaluate | None = None,
    evaluate_every: int = 1,
    process: str | None = None,
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
        finished one. Threads, memory, epochs and checkpoints may differ. Without anything to go on with, it changes
        nothing.
    force : bool
        Whether a result that stands at `out`, or what an interrupted call left, may be replaced.
    evaluate : callable, optional
        Called with `WordVectors` (w + c); returns a share that is reported as accuracy, see
        `glove_cli.evaluation.question_accuracy`.
    evaluate_every : int
        After how many epochs each.
    process : str, optional
        What the vectors are to be changed by when they are looked at, scored or exported, see `parse_steps`. The model
        keeps them as trained, and these steps beside them.
    on_epoch : callable, optional
        Called with an `EpochReport` after each epoch.
    progress : callable, optional
        Called with (stage, done, total, unit): ("preparing", ..., "entry"), then ("training", ..., "entry").
    note : callable, optional
        Called with what a user should know meanwhile: the plan, checkpoints that can't be written, why it stopped.
    **options
        The fields of `TrainConfig`: dim, epochs, x_max (or "auto", see `choose_x_max`), alpha, min_weight, eta,
        bias_eta, grad_clip, seed, dtype, holdout, patience, min_improvement, target_cost, on_divergence, init_biases,
        anchor_strength.

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
    make_config(options)
    found = find_counts(matrix, words, counts)
    config = make_config(options, found)
    if note is not None and options.get("x_max") == AUTO:
        note(f"x_max {config.x_max:g}, chosen by the matrix.")
    if process is not None and not chosen_steps(process):
        process = None
    job = Job(
        config, found, Start.find(init) if init is not None else None,
        thread_count(threads), memory, Interval.parse(checkpoint_every), evaluate, _every(evaluate_every),
        on_epoch or (lambda report: None), progress or (lambda *step: None), note or (lambda text: None), process,
    )  # fmt: skip
    if job.start is not None:
        job.start.known(job.counts.vocab.words, config)
    elif config.anchor_strength:
        raise OptionError("--anchor-strength: there are no vectors to hold to. Give them with --init.")
    if out is None:
        if resume:
            raise OptionError("resume: there is no place to go on from. Give `out`.")
        with job.prepared(None, Path(tiles) if tiles is not None else None) as prepared:
            running = Running(job, *prepared)
            running.run()
            return to_model(running.state, job.counts.vocab, running.meta())
    out = Path(out)
    return train_to(out, place_tiles(out, tiles, matrix, init), job, resume=resume, force=force)


def place_tiles(out: Path, tiles: str | os.PathLike[str] | None, matrix: object, init: object) -> Path:
    """Return where tiles are kept, after checking that neither they nor the result are in the way of anything.

    Parameters
    ----------
    out : Path
        The result.
    tiles, matrix, init : path-like or others
        See `train`.

    Raises
    ------
    OptionError, OutputError
    """
    check_name(out)
    kept = Path(tiles) if tiles is not None else out.with_name(TILES_NAME)
    given = [Path(path) for path in (matrix, init) if isinstance(path, (str, os.PathLike))]
    inputs = [path for path in given if os.path.exists(path / META_NAME)]  # results; a run holds the tiles, too
    check_apart(out, [*inputs, *([matrix.path] if isinstance(matrix, CoocMatrix) else [])])
    check_tiles_folder(kept, [out, *inputs, *([matrix.path] if isinstance(matrix, CoocMatrix) else [])])
    return kept


def train_to(out: Path, tiles: Path, job: Job, *, resume: bool, force: bool, work: Work | None = None) -> GloveModel:
    """Train and write the model to a folder, keeping what is needed to go on beside it.

    Parameters
    ----------
    out : Path
    tiles : Path
        Where tiles are kept.
    job : Job
    resume, force : bool
        See `train`.
    work : callable, optional
        Called with the job, its workspace, `tiles` and the model to go on from, if there is one; trains, and returns
        the course of it. In this process, unless given.

    Returns
    -------
    GloveModel

    Raises
    ------
    OptionError, TrainingError, FormatError, OutputError
        See `train`.
    """
    work = work or _train_here
    signature = job.signature
    home = home_of(out)
    left = describe_checkpoints(home)
    going_on = resume and left is not None and same_job(home, signature)
    finished = _finished(out, signature) if resume and not force else None
    done = len(standing_epochs(finished.meta["history"])) if finished is not None else 0
    if finished is not None and (done >= job.config.epochs or finished.meta.get("stopped")):
        job.note(f"{out} was finished already ({done} epoch{'s' if done != 1 else ''}).")
        if left is None or (going_on and epochs_done(home) <= done):
            with workspace(out, signature, force=True):  # whatever was left of an interrupted run goes
                return finished
        job.note(f"An interrupted run left {left} in {home}; it stays there.")
        return finished
    if finished is None and (left is None or force):  # else the interrupted run found that it may write there
        _check_result(out, signature, resume=resume, force=force)
    with workspace(
        out, signature, resume=resume, force=force, found=describe_checkpoints, keep=True, note=job.note
    ) as space:
        check_disk(out.absolute().parent, _model_bytes(job), "the model")
        course = work(job, space, tiles, finished)
        try:
            course.write(replaced=force or finished is not None or going_on)
        except (OutputError, KeyboardInterrupt):
            course.save("What was trained is in a checkpoint; --resume writes the model.")
            raise
    return GloveModel.load(out, verify=())  # it has just been written


def _train_here(job: Job, space: Workspace, tiles: Path, finished: GloveModel | None) -> Course:
    """Train in this process."""
    with job.prepared(space.path, tiles) as prepared:
        running = Running(job, *prepared, space, finished)
        running.run()
    return running


def _check_result(out: Path, signature: dict[str, Any], *, resume: bool, force: bool) -> None:
    """Refuse a place where no model can be made; where a model stands that can't be resumed, say why."""
    if resume and not force and os.path.lexists(out):
        with contextlib.suppress(FormatError):
            other = difference(GloveModel.load(out, verify=()).meta.get("job") or {}, signature)
            raise OptionError(
                f"--resume: the model {out} was trained with {other}. Give the same, another place, or --force to "
                "replace it."
            )
    check_folder(out, force=force, format=MODEL_FORMAT)


def _model_bytes(job: Job) -> int:
    numbers = 4 * len(job.counts.vocab) * job.config.dim
    return numbers * np.dtype(job.config.dtype).itemsize


def make_config(options: dict[str, Any], counts: Counts | None = None) -> TrainConfig:
    """Make a `TrainConfig` of keyword arguments, with a clear error for one that doesn't exist.

    An x_max of "auto" is chosen by the counts; without them, all other options are checked.
    """
    unknown = sorted(set(options) - set(asdict(TrainConfig())))
    if unknown:
        raise OptionError(
            f"{unknown[0]}: is not an option of training. Choose from {', '.join(asdict(TrainConfig()))}."
        )
    if options.get("x_max") == AUTO:
        chosen = choose_x_max(counts) if counts is not None else None
        options = {**options, "x_max": TrainConfig.x_max if chosen is None else chosen}
    return TrainConfig(**options)


def _every(evaluate_every: int) -> int:
    if isinstance(evaluate_every, bool) or not isinstance(evaluate_every, int) or evaluate_every < 1:
        raise OptionError(f"--evaluate-every: {evaluate_every!r} is not a positive integer. Give 1 or more.")
    return evaluate_every


def _finished(out: Path, signature: dict[str, Any]) -> GloveModel | None:
    """Return the model at `out` if it is the result of this job, with any number of epochs."""
    try:
        meta = read_meta(out, remedy="")
    except FormatError:
        return None
    return GloveModel.load(out) if meta.get("job") == json.loads(json.dumps(signature)) else None
