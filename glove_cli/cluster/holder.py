"""A worker's part in training: an actor that holds blocks of words and of contexts, and changes them in place.

What moves between holders goes from worker to worker. The contexts that a round leaves are copied as soon as the first
position is done, so that nobody changes what is being sent, and asked for when the round begins: they are on their way
while the other positions are worked on.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.cluster.blocks import Blocks, FewerCalls, Rows
from glove_cli.cluster.engine import require_engine
from glove_cli.cluster.ring import Ring
from glove_cli.errors import TrainingError
from glove_cli.memory import allowed_memory, in_words
from glove_cli.shared import see_name
from glove_cli.training.config import TrainConfig
from glove_cli.training.schedule import rounds, tasks
from glove_cli.training.state import row_width
from glove_cli.training.tile_folder import open_tiles
from glove_cli.training.update import find_entry_costs, train_entries
from glove_cli.training.workers import Workers

_LOOK = 0.5  # seconds after which a holder that waits for another looks whether it is to stop
_AHEAD = 4  # groups that are on their way at once when an epoch begins


class LostError(Exception):
    """A holder has gone, or what it held; training goes on from the last checkpoint."""


@dataclass(frozen=True)
class Setup:
    """What all holders are told.

    Attributes
    ----------
    tiles : Path
        The folder of the tiles.
    key : dict
        What they are of, see `keep_tiles`.
    V : int
        Number of words.
    config : TrainConfig
    group : int
        Blocks of a group.
    ring : Ring
    """

    tiles: Path
    key: dict[str, Any]
    V: int
    config: TrainConfig
    group: int
    ring: Ring


class BlockHolder:
    """An actor; see the module."""

    def __init__(self) -> None:
        self._setup: Setup | None = None
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._outbox: dict[tuple[int, int], Future[Rows]] = {}
        self._coming: list[tuple[int, int, Rows]] = []
        self._blocks: Any = None  # Blocks, once they are loaded
        self._holders: list[Any] = []
        self._open = contextlib.ExitStack()

    # --- called by the one who leads the training, in the actor's thread -------------------------------------------

    def load(self, setup: Setup, me: int, holders: list[Any], checkpoint: Path, epoch: int, number: int) -> None:
        """Get ready to train from a checkpoint on.

        Parameters
        ----------
        setup : Setup
        me : int
            Which of the holders this is.
        holders : list of actors
        checkpoint : Path
        epoch, number : int
            Where it stands: the epoch, and the rounds of it that are done.

        Raises
        ------
        LostError
            If tiles or checkpoint aren't there any more.
        FormatError
            If the checkpoint was cut short.
        TrainingError
            If memory can't hold the blocks.
        """
        see_name(setup.tiles)
        tiles = open_tiles(setup.tiles, setup.key, setup.V, setup.config, self._open)
        if tiles is None:
            raise LostError(f"the tiles in {setup.tiles} are others now")
        self._check_memory(setup, me, setup.group * tiles.deal.block_size)
        tiles = replace(tiles, entries=FewerCalls(tiles.entries))
        self._tiles = tiles
        self._workers = self._open.enter_context(Workers(tiles, int(require_engine().get_worker().state.nthreads)))
        held = setup.ring.words(me, epoch), setup.ring.contexts(me, epoch, number)
        self._blocks = Blocks(tiles.deal, setup.group, setup.config, *held)
        self._blocks.read(checkpoint)
        self._setup, self._me, self._holders = setup, me, holders

    def gather(self, epoch: int) -> None:
        """Get the blocks that an epoch begins with from those who had them at the end of the one before.

        Nobody changes anything until all have what they need and `train` is called.

        Parameters
        ----------
        epoch : int
        """
        ring = self._here().ring
        wanted = ring.words(self._me, epoch), ring.contexts(self._me, epoch, 0)
        running: deque[tuple[int, int, Any]] = deque()
        self._coming = []
        for number, (side, groups) in enumerate(zip(self._blocks.sides, wanted, strict=True)):
            whose = ring.whose(number, epoch - 1)
            for group in groups.tolist():
                if group in side.slots:
                    continue
                if len(running) == _AHEAD:
                    self._receive(running.popleft())
                running.append((number, group, self._holders[whose[group]].give_group(number, group)))
        while running:
            self._receive(running.popleft())

    def train(self, epoch: int, first: int, last: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Train on this holder's tiles of some rounds of an epoch.

        Parameters
        ----------
        epoch : int
        first, last : int
            Rounds first <= r < last.

        Returns
        -------
        costs : float64 array (last - first, tiles of a round)
            Of each tile, in the order of the schedule.
        entries : int64 array (last - first,)
            Number of entries of each round.
        """
        groups = self._here().ring.groups
        if first == 0:
            self._settle(epoch)
        costs, entries = [], []
        for number, tiles in enumerate(self._rounds(epoch)):
            if first <= number < last:
                costs.append(self._work(epoch, number, number, tiles, passing=number + 1 < groups))
                entries.append(int(self._tiles.sizes(tiles).sum()))
        return np.array(costs), np.array(entries)

    def measure(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Find the costs of the entries that are held out, at the end of an epoch: contexts go round once more.

        Parameters
        ----------
        epoch : int

        Returns
        -------
        tiles : int64 array (n,)
            This holder's.
        costs : float64 array (n,)
        """
        groups = self._here().ring.groups
        order = list(self._rounds(epoch))
        numbers = [(groups - 1 + step) % groups for step in range(groups)]
        costs = [
            self._work(epoch, number, groups + step, order[number], passing=True, held_out=True)
            for step, number in enumerate(numbers)
        ]
        return np.concatenate([order[number].ravel() for number in numbers]), np.concatenate(costs)

    def write(self, folder: Path) -> None:
        """Write what is held into the files of a checkpoint.

        Parameters
        ----------
        folder : Path
            See `begin_parts`.

        Raises
        ------
        OutputError
            If it can't be written.
        """
        self._here()
        self._blocks.write(folder)

    def close(self) -> None:
        """Let go of everything."""
        self._stopped.set()
        self._setup, self._blocks, self._holders, self._coming = None, None, [], []
        self._outbox.clear()
        self._open.close()

    # --- called by other holders, and to end it: in the worker's event loop, while the actor's thread works ---------

    async def give_contexts(self, epoch: int, step: int) -> Rows:
        """Return the group of contexts that the first position worked on in a round, as soon as it is done.

        Parameters
        ----------
        epoch, step : int
            The epoch, and the step of it: rounds, and then those in which costs are found.
        """
        rows = await asyncio.wrap_future(self._promised((epoch, step)))
        self._outbox.pop((epoch, step), None)
        return rows

    async def give_group(self, side: int, group: int) -> Rows:
        """Return a group that is held when an epoch has ended.

        Parameters
        ----------
        side : int
            0 for words, 1 for contexts.
        group : int
        """
        self._here()
        return self._blocks.sides[side].group(group)

    async def stop(self) -> None:
        """End whatever is waited for."""
        self._stopped.set()
        with self._lock:
            waiting = [future for future in self._outbox.values() if not future.done()]
        for future in waiting:
            future.set_exception(LostError("stopped"))

    # --- within ------------------------------------------------------------------------------------------------------

    def _here(self) -> Setup:
        if self._setup is None or self._stopped.is_set():
            raise LostError("the blocks are not here any more")
        return self._setup

    def _promised(self, key: tuple[int, int]) -> Future[Rows]:
        """Return what will be given away after a round."""
        with self._lock:
            return self._outbox.setdefault(key, Future())

    def _rounds(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Yield this holder's tiles (positions, g, g) of the rounds of an epoch."""
        setup = self._here()
        first, last = setup.ring.edges[self._me : self._me + 2]
        for tiles in rounds(self._tiles.deal.blocks, setup.group, setup.config.seed, epoch):
            yield tiles[first:last]

    def _work(
        self, epoch: int, number: int, step: int, tiles: NDArray[np.int64], *, passing: bool, held_out: bool = False
    ) -> NDArray[np.float64]:
        """Train on tiles of a round, or find the costs of what they hold out; return the costs.

        With `passing`, the contexts of the first position are given away and others taken in, as number `step` of the
        epoch.
        """
        setup = self._here()
        ring, config, neighbour = setup.ring, setup.config, (self._me + 1) % setup.ring.holders
        asked = None
        if passing and ring.holders > 1:
            asked = self._holders[neighbour].give_contexts(epoch, step)
        arrays, place = self._blocks.arrays, self._blocks.place
        work = partial(train_entries, arrays, config, config.eta, epoch, place_jobs=place)
        if held_out:
            work = partial(find_entry_costs, arrays, config, place_jobs=place)
        flat = tiles.ravel()
        costs = np.zeros(len(flat))
        given = int(ring.contexts(self._me, epoch, number)[0])
        stages = tasks(tiles, self._tiles.sizes(tiles), self._workers.threads)
        whole = len(stages) == 1  # tasks are whole groups: the first position's can be taken first
        for stage in stages:
            if whole:
                stage.sort(key=lambda task: int(task[0]) > 0)
            running = [self._workers.submit(work, flat[task], held_out=held_out) for task in stage]
            for k, (task, future) in enumerate(zip(stage, running, strict=True)):
                costs[task] = future.result()
                if asked is not None and whole and k == 0:
                    self._hand_over((epoch, step), given)
            if self._stopped.is_set():
                raise LostError("stopped")
        if asked is not None:
            if not whole:
                self._hand_over((epoch, step), given)
            self._blocks.sides[1].put(int(ring.contexts(neighbour, epoch, number)[0]), self._result(asked))
            self._blocks.point()
        return costs

    def _hand_over(self, key: tuple[int, int], group: int) -> None:
        """Copy a group of contexts for whoever asks for it, and let go of it."""
        states, lengths = self._blocks.sides[1].group(group)
        rows = states.copy(), lengths.copy()
        self._blocks.sides[1].drop(group)
        with contextlib.suppress(InvalidStateError):  # stopped meanwhile
            self._promised(key).set_result(rows)

    def _receive(self, coming: tuple[int, int, Any]) -> None:
        side, group, future = coming
        self._coming.append((side, group, self._result(future)))

    def _settle(self, epoch: int) -> None:
        """Put what was gathered in the place of what others have now."""
        ring = self._here().ring
        wanted = ring.words(self._me, epoch), ring.contexts(self._me, epoch, 0)
        for side, groups in zip(self._blocks.sides, wanted, strict=True):
            for group in set(side.slots) - set(groups.tolist()):
                side.drop(group)
        for number, group, rows in self._coming:
            self._blocks.sides[number].put(group, rows)
        self._coming = []
        self._blocks.point()

    def _check_memory(self, setup: Setup, me: int, of_group: int) -> None:
        """Refuse more blocks than this worker's memory holds: its own, and as many that come when an epoch begins."""
        worker = require_engine().get_worker()
        limit = int(getattr(worker.memory_manager, "memory_limit", None) or allowed_memory())
        rows = (setup.ring.edges[me + 1] - setup.ring.edges[me]) * of_group
        config = setup.config
        needed = 4 * rows * (row_width(config.dim) + 1) * np.dtype(config.dtype).itemsize
        if needed > limit:
            raise TrainingError(
                f"--dim: the blocks of the worker {worker.address} take {in_words(needed)} of memory, it has "
                f"{in_words(limit)}. Add workers and go on with --resume, or give a lower --dim."
            )

    def _result(self, future: Any) -> Any:
        """Wait for what another holder returns; not longer than until this one is told to stop."""
        while not future.done():
            try:
                return future.result(timeout=_LOOK)
            except (TimeoutError, asyncio.TimeoutError):
                if self._stopped.is_set() or not self._is_held():
                    raise LostError("stopped while waiting for another holder") from None
        return future.result()

    def _is_held(self) -> bool:
        """Tell whether anybody still wants this actor: who leads the training may have gone."""
        actors = require_engine().get_worker().state.actors
        return any(actor is self for actor in list(actors.values()))
