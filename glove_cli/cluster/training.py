"""GloVe, trained on a cluster: the same bytes as `glove_cli.training.trainer` makes on one machine.

    one worker: make the tiles and the first values                         training_tasks
    each worker: load its blocks from the last checkpoint                   crew, holder
    for each epoch:
        each worker: get the blocks that the epoch's order gives it         ring
        for each round, all workers at once:
            train on the tiles of its blocks                                glove_cli.training.update
            give its first block of contexts to the worker before, get one from the worker after
        now and then: write a checkpoint, each worker its blocks            glove_cli.training.checkpoint_parts
    one worker: make a model of the last checkpoint                         training_tasks

The tiles of a round share nothing, and every block sees its tiles in the schedule's order, whoever holds it. So the
result doesn't depend on the number of workers or threads. Where a worker is lost, all begin again from the last
checkpoint (`training_lead`), with the workers that are there; one machine can go on from it as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glove_cli.cluster.crew import find_workers
from glove_cli.cluster.training_lead import Lead
from glove_cli.cluster.training_tasks import Order, find_x_max, write_result
from glove_cli.cooc.store import CoocMatrix
from glove_cli.errors import OptionError
from glove_cli.memory import memory_limit
from glove_cli.model import GloveModel
from glove_cli.parallel import Progress
from glove_cli.shared import see_name
from glove_cli.training.checkpoint import DEFAULT_INTERVAL, Interval
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import find_counts
from glove_cli.training.course import Course, check_epochs
from glove_cli.training.job import Job
from glove_cli.training.report import EpochReport
from glove_cli.training.run import make_config, place_tiles, train_to
from glove_cli.training.start import Start
from glove_cli.training.x_max import AUTO
from glove_cli.vectors.process import chosen_steps
from glove_cli.workspace import Workspace

if TYPE_CHECKING:
    from distributed import Client


def train_on(
    client: Client,
    matrix: CoocMatrix | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    tiles: str | os.PathLike[str] | None = None,
    checkpoint_every: str | None = DEFAULT_INTERVAL,
    resume: bool = False,
    force: bool = False,
    process: str | None = None,
    init: str | os.PathLike[str] | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
    memory: int | str | None = None,
    **options: Any,
) -> GloveModel:
    """Train word vectors on the workers of a cluster, which all see the folders that are named here.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster, see `glove_cli.cluster.engine.connected`.
    matrix : CoocMatrix or path-like
        What `build_cooc` made.
    out : path-like
        The folder to make of the model.
    tiles, checkpoint_every, resume, force, process
        See `glove_cli.training.run.train`. One machine can go on from what a cluster left, and the other way round.
    init : path-like, optional
        What to start from instead of random numbers.
    on_epoch, progress, note : callable, optional
        See `train`.
    memory : int or str, optional
        Bytes for tiles while one worker makes them; a share of its memory, unless given.
    **options
        See `train`. Not possible on a cluster: evaluate, anchor_strength, on_divergence "halve-eta".

    Returns
    -------
    GloveModel
        Its arrays are mapped from `out`.

    Raises
    ------
    OptionError
        If an option's value cannot work, or isn't possible on a cluster.
    TrainingError, FormatError, OutputError
        As `train` does.
    ClusterError
        If the cluster is gone, or its workers are lost again and again. What is finished stays.
    """
    _check_options(matrix, out, init, options)
    path = Path(matrix.path if isinstance(matrix, CoocMatrix) else matrix)
    out = Path(out)
    interval = Interval.parse(checkpoint_every)
    if memory is not None:
        memory = memory_limit(memory)
    make_config(options)
    counts = find_counts(matrix, None, None)
    if options.get("x_max") == AUTO:
        found = client.submit(find_x_max, Path(os.path.abspath(path)), pure=False).result()
        options = {**options, "x_max": TrainConfig.x_max if found is None else found}
        if note is not None:
            note(f"x_max {options['x_max']:g}, chosen by the matrix.")
    config = make_config(options)
    find_workers(client)
    if process is not None and not chosen_steps(process):
        process = None
    job = Job(
        config, counts, Start.find(init) if init is not None else None, 1, memory, interval, None, 1,
        on_epoch or (lambda report: None), progress or (lambda *step: None), note or (lambda text: None), process,
    )  # fmt: skip
    if job.start is not None:
        job.start.known(counts.vocab.words, config)

    def work(job: Job, space: Workspace, tiles: Path, finished: GloveModel | None) -> Course:
        order = Order(
            _absolute(path), _absolute(init) if init is not None else None,
            job.start.name if job.start is not None else "", config, job.signature,
            Workspace(_absolute(space.out), _absolute(space.path), _absolute(space.result), space.resumed),
            _absolute(tiles), finished is not None, process, memory,
        )  # fmt: skip
        course = ClusterCourse(client, order, job, space)
        try:
            course.run()
        finally:
            course.trainer.close()
        return course

    return train_to(out, place_tiles(out, tiles, matrix, init), job, resume=resume, force=force, work=work)


class ClusterCourse(Course):
    """A training on a cluster."""

    trainer: Lead

    def __init__(self, client: Client, order: Order, job: Job, space: Workspace) -> None:
        super().__init__(job, space)
        self._order = order
        self.trainer = Lead(
            client, order, job.interval, job.note, job.progress, on_round=self._end_round, on_report=self._report,
            on_epoch=self._end_epoch,
        )  # fmt: skip
        self.trained = self.trainer.prepared.trained
        if space.resumed:
            check_epochs(self.trainer.position, job.config.epochs)

    def write(self, *, replaced: bool) -> None:
        """Have a worker write the model."""
        lead, meta = self.trainer, self.meta()
        lead.insist(lambda: lead.task(write_result, self._order, lead.prepared.checkpoint, meta, replaced=replaced))
        see_name(self._order.space.out)

    def _write_checkpoint(self, space: Workspace) -> None:
        self.trainer.save()


def _check_options(matrix: object, out: object, init: object, options: dict[str, Any]) -> None:
    """Refuse what isn't possible on a cluster."""
    advice = "isn't possible with --cluster. Leave it out, or train on one machine."
    if not isinstance(matrix, (CoocMatrix, str, os.PathLike)):
        raise OptionError(f"matrix: a {type(matrix).__name__} in memory {advice}")
    if not isinstance(out, (str, os.PathLike)):
        raise OptionError("out: a cluster needs a folder to write the model to. Give one that all its workers see.")
    if init is not None and not isinstance(init, (str, os.PathLike)):
        raise OptionError(f"--init: a {type(init).__name__} in memory {advice}")
    for name in ("evaluate", "evaluate_every"):
        if options.pop(name, None) is not None:
            raise OptionError(f"--{name.replace('_', '-')}: {advice}")
    for name, usual in (("anchor_strength", 0), ("on_divergence", "stop")):
        if options.get(name, usual) != usual:
            raise OptionError(f"--{name.replace('_', '-')}: {options[name]!r} {advice}")


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.abspath(path))
