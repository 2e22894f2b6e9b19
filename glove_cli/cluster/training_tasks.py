"""What one worker does for all, before the training, at its checkpoints, and after it. Each can be done again."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glove_cli.cluster.engine import require_engine, worker_memory
from glove_cli.errors import FormatError, OutputError, TrainingError
from glove_cli.files import output_folder
from glove_cli.folder import ResultFolder, read_meta
from glove_cli.model import MODEL_FORMAT, GloveModel
from glove_cli.shared import see_name
from glove_cli.temporary import remove_folder
from glove_cli.training.checkpoint import (
    FORMAT,
    VERSION,
    Interval,
    describe_checkpoints,
    use_checkpoint,
)
from glove_cli.training.checkpoint_parts import begin_parts, finish_parts, map_state, see_parts
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import find_counts
from glove_cli.training.job import Job
from glove_cli.training.plan import make_plan
from glove_cli.training.position import Position
from glove_cli.training.result import check_finite, write_model
from glove_cli.training.running import Running
from glove_cli.training.start import Start
from glove_cli.training.state import bias_scale
from glove_cli.training.tile_folder import keep_tiles, open_tiles
from glove_cli.training.tiling import group_size
from glove_cli.training.workers import Workers
from glove_cli.training.x_max import choose_x_max
from glove_cli.workspace import Workspace

_SAY = 0.3  # seconds between two words of progress
_REMEDY = "Go on with --resume."


@dataclass(frozen=True)
class Order:
    """A training, as workers are told of it.

    Attributes
    ----------
    matrix : Path
    init : Path or None
    init_name : str
        What the model calls it.
    config : TrainConfig
    signature : dict
        Of the job.
    space : Workspace
    tiles : Path
    going_on : bool
        Whether it goes on with the model at `space.out`.
    process : str or None
    memory : int or str or None
        For tiles while they are made; without it, a share of the worker's.
    """

    matrix: Path
    init: Path | None
    init_name: str
    config: TrainConfig
    signature: dict[str, Any]
    space: Workspace
    tiles: Path
    going_on: bool
    process: str | None
    memory: int | str | None

    def job(self, threads: int, note: Callable[[str], None]) -> Job:
        """Return the job, as one machine would have it.

        Parameters
        ----------
        threads : int
        note : callable
        """
        start = Start(self.init_name, Start.find(self.init).source) if self.init is not None else None
        return Job(
            self.config, find_counts(self.matrix, None, None), start, threads, None, Interval(), None, 1,
            lambda report: None, lambda *step: None, note, self.process,
        )  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """What has to be known before blocks are loaded.

    Attributes
    ----------
    checkpoint : Path
    position : Position
        Where it stands.
    key : dict
        See `keep_tiles`.
    blocks, block_size, group : int
        See `tiling`.
    V : int
        Number of words.
    trained, held_out : int
        Entries of an epoch, and those that are held out.
    notes : list of str
        What the user should know.
    """

    checkpoint: Path
    position: Position
    key: dict[str, Any]
    blocks: int
    block_size: int
    group: int
    V: int
    trained: int
    held_out: int
    notes: list[str]


def find_x_max(matrix: Path) -> float | None:
    """Return the x_max that fits a matrix.

    Parameters
    ----------
    matrix : Path
    """
    return choose_x_max(find_counts(matrix, None, None))


def prepare(order: Order, topic: str, *, verify: bool) -> Prepared:
    """Make the tiles and the first checkpoint, or find those that are there.

    Parameters
    ----------
    order : Order
    topic : str
        Under which the cluster is told how far the tiles are.
    verify : bool
        Whether tiles that are there are compared with their checksums.

    Returns
    -------
    Prepared

    Raises
    ------
    GloveError
        As `train` does.
    """
    notes: list[str] = []
    worker = require_engine().get_worker()
    threads = int(worker.state.nthreads)
    said = time.monotonic()

    def on_entries(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= _SAY or done == total:
            worker.log_event(topic, (done, total))
            said = time.monotonic()

    for path in (order.tiles, order.space.path / "checkpoint"):
        see_name(path)
    job = order.job(threads, notes.append)
    counts, config, space = job.counts, job.config, order.space
    plan = make_plan(
        counts, config, threads=threads, memory=order.memory or worker_memory(1), anchored=False, returned=False,
        mapped=True,
    )  # fmt: skip
    key = keep_tiles(counts, config, plan, order.tiles, threads=threads, on_entries=on_entries, verify=verify)
    with contextlib.ExitStack() as stack:
        tiles = open_tiles(order.tiles, key, counts.V, config, stack)
        if tiles is None:
            raise FormatError(f"{order.tiles}: was replaced while it was used. {_REMEDY}")
        deal = tiles.deal
        if describe_checkpoints(space.path) is None:
            job.advise()
            if not space.path.is_dir():
                raise OutputError(
                    f"{space.path}: isn't there on a worker. Choose a folder that all workers see for the model."
                )
            scale = bias_scale(config.eta, config.bias_eta)
            temporary = begin_parts(space.path, Position(), deal.rows, config.dim, config.dtype)
            state = map_state(temporary, deal.place, config.dim, scale, writable=True)
            state.clear()
            finished = GloveModel.load(space.out) if order.going_on else None
            workers = stack.enter_context(Workers(tiles, threads))
            fresh = Workspace(space.out, space.path, space.result, resumed=False)
            position = Running(job, workers, state, fresh, finished).trainer.position
            what = (deal.place, counts.vocab, order.signature, config.dim, scale)
            finish_parts(temporary, space.path, position, *what)
        for checkpoint in space.path.glob("checkpoint-*"):
            see_parts(checkpoint)
        path, position = use_checkpoint(space.path, _read_position, notes.append, order.signature)
        group = group_size(counts.V, config.dim, deal.blocks)
        return Prepared(
            path, position, key, deal.blocks, deal.block_size, group, counts.V, tiles.trained, tiles.held_out, notes
        )


def finish_checkpoint_parts(order: Order, temporary: Path, last: Path, position: Position) -> Path:
    """Put a checkpoint under its name, when all have written their blocks.

    Parameters
    ----------
    order : Order
    temporary : Path
        See `begin_parts`.
    last : Path
        The checkpoint before, which has the same words.
    position : Position

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If it can't be written.
    """
    opened = ResultFolder.open(last, FORMAT, VERSION, remedy=_REMEDY)
    vocab = opened.vocab()
    place = np.array(opened.array("place", np.int32, (len(vocab),)))
    what = (order.config.dim, float(opened.meta["bias_scale"]))
    return finish_parts(temporary, order.space.path, position, place, vocab, order.signature, *what)


def write_result(order: Order, checkpoint: Path, meta: dict[str, Any], *, replaced: bool) -> None:
    """Write the model of the last checkpoint; its arrays stay on the disk meanwhile.

    Parameters
    ----------
    order : Order
    checkpoint : Path
    meta : dict
        What the model remembers.
    replaced : bool
        Whether what stands at its place may be replaced.

    Raises
    ------
    TrainingError
        If a number isn't finite.
    OutputError
        If it can't be written.
    """
    space = order.space
    meta = {**meta, "job": order.signature}
    if _is_there(space.out, meta):
        return
    see_parts(checkpoint)
    opened = ResultFolder.open(checkpoint, FORMAT, VERSION, remedy=_REMEDY)
    opened.verify()
    vocab = opened.vocab()
    place = np.array(opened.array("place", np.int32, (len(vocab),)))
    state = map_state(checkpoint, place, int(opened.meta["dim"]), float(opened.meta["bias_scale"]))
    check_finite(state)
    for left in space.path.glob("result-*"):
        remove_folder(left)
    temporary = space.path / f"result-{secrets.token_hex(6)}"
    with output_folder(space.out, force=replaced, temporary=temporary, format=MODEL_FORMAT) as folder:
        write_model(folder, state, vocab, meta)


def _is_there(out: Path, meta: dict[str, Any]) -> bool:
    """Tell whether the model is there already, by a call before this one, whose answer was lost."""
    try:
        there = read_meta(out, remedy="")
    except FormatError:
        return False
    wanted = json.loads(json.dumps(meta))
    return all(there.get(name) == wanted[name] for name in ("job", "history", "seconds"))


def _read_position(opened: ResultFolder) -> tuple[Path, Position]:
    if opened.meta.get("has_good"):
        raise TrainingError("--on-divergence: halve-eta isn't possible with --cluster. Train on one machine.")
    return opened.path, Position.read(opened.meta["position"])
