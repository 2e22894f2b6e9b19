"""GloVe, trained: find vectors w, c and biases b such that w_i . c_j + b_i + b_j comes near log X_ij.

What is made small, with f(x) = min(1, (x / x_max)^alpha) (Pennington, Socher and Manning 2014, equations 8 and 9):

    J = sum over nonzero X_ij of f(X_ij) (w_i . c_j + b_i + b_j - log X_ij)^2

(The cost that is reported is J / 2 per entry, each entry as it was when it was met.) How, by AdaGrad (Duchi, Hazan and
Singer 2011), one entry at a time:

    draw small numbers for all vectors and biases; all G = 1                start, state
    cut the entries of X into tiles                                         tiles, tiling
    for each epoch:
        for each round of groups of tiles, which share no word and no       schedule
        context, several threads at once:
            for each entry of each tile of a group:                         kernels_plain, kernels
                diff = w_i . c_j + b_i + b_j - log X_ij
                for v, g in (w_i, f diff c_j), (c_j, f diff w_i), (b_i, f diff), (b_j, f diff):
                    v -= eta g / sqrt(G_v)        G_v += (eta g)^2          biases have an eta of their own

All four steps are made from the values before them; the factor 2 of the gradient is left out, as in the reference, and
each number of a vector's g is cut to grad_clip. With `min_weight`, an entry with f(X) below it is met in a share
f(X) / min_weight of the epochs and weighs min_weight then, which is the same on average. `kernels_plain` has this in
plain loops, `kernels` in fast ones. Entries that are held out are not trained on, their cost is found after each epoch.

The result depends on the matrix, the options and the seed alone: not on the number of threads, not on memory, and not
on interruptions. `run` does all that is around it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.training.anchor import Anchor
from glove_cli.training.config import TrainConfig
from glove_cli.training.entries import Entries
from glove_cli.training.position import Position
from glove_cli.training.report import EpochReport
from glove_cli.training.schedule import rounds, tasks
from glove_cli.training.state import State
from glove_cli.training.stopping import DivergedError, check_cost, divergence_error, reason_to_stop
from glove_cli.training.tiling import group_size
from glove_cli.training.update import find_entry_costs, train_entries
from glove_cli.training.workers import Workers

_MOST_HALVINGS = 20
_SAMPLE = 1 << 20  # entries whose cost stands for that of the start
_TOGETHER = 16  # tiles whose cost is found at once


class Trainer:
    """Trains a state on tiles, from a position on.

    Parameters
    ----------
    workers : Workers
    state : State
        Changed in place.
    config : TrainConfig
    position : Position
        Changed in place.
    anchor : Anchor, optional
    on_round : callable
        Called after each round, when all is at rest and `position` says where.
    on_report : callable
        Called with an `EpochReport` at the end of each epoch; what it returns goes into the history.
    on_epoch : callable
        Called when `position` stands at the beginning of the next epoch.
    """

    def __init__(
        self,
        workers: Workers,
        state: State,
        config: TrainConfig,
        position: Position,
        *,
        anchor: Anchor | None = None,
        on_round: Callable[[], None] = lambda: None,
        on_report: Callable[[EpochReport], EpochReport] = lambda report: report,
        on_epoch: Callable[[], None] = lambda: None,
    ) -> None:
        self.workers, self.state, self.config, self.position = workers, state, config, position
        self.good: tuple[NDArray[Any], ...] = ()  # the state at the beginning of the epoch
        self.at_rest = True  # whether `position` says where the state is
        self._anchor, self._on_round, self._on_report, self._on_epoch = anchor, on_round, on_report, on_epoch
        self._tiles = workers.tiles
        self._group = group_size(len(state.place), state.dim, self._tiles.deal.blocks)

    @property
    def eta(self) -> float:
        """Learning rate of the vectors; that of the biases stays in proportion to it."""
        return self.config.eta * 0.5**self.position.halvings

    def run(self) -> str | None:
        """Train until the last epoch, or until there's a reason to stop, which is returned."""
        position = self.position
        reason = reason_to_stop(position.history, self.config)
        while position.epoch <= self.config.epochs and reason is None:
            if self.config.on_divergence == "halve-eta" and position.round == 0:
                self.good = tuple(array.copy() for array in self._arrays())
            try:
                report = self.run_epoch()
            except DivergedError as error:
                self._roll_back(error)
                continue
            position.history.append(self._on_report(report).as_history())
            position.begin_epoch(position.epoch + 1)
            self._on_epoch()
            reason = reason_to_stop(position.history, self.config)
        return reason

    def run_epoch(self) -> EpochReport:
        """Train on every entry once, from the round on where the position is.

        Raises
        ------
        DivergedError
            If the cost isn't finite or explodes.
        """
        position, blocks = self.position, self._tiles.deal.blocks
        for number, tiles in enumerate(rounds(blocks, self._group, self.config.seed, position.epoch)):
            if number < position.round:
                continue  # done before an interruption
            begin = time.perf_counter()
            sizes = self._tiles.sizes(tiles)
            self.at_rest = False
            cost = self._train(tiles, sizes)
            position.round += 1
            position.cost += cost
            position.entries += int(sizes.sum())
            position.seconds += time.perf_counter() - begin
            if sizes.any():
                check_cost(cost / int(sizes.sum()), position.first_cost)
            self.at_rest = True
            self._on_round()
        return EpochReport(
            position.epoch,
            self.config.epochs,
            position.cost / position.entries,
            position.entries,
            position.seconds,
            self.eta,
            self.holdout_cost(),
        )

    def _train(self, tiles: NDArray[np.int64], sizes: NDArray[np.int64]) -> float:
        """Train on a round's tiles; return their cost."""
        flat = tiles.ravel()
        costs = np.zeros(len(flat))  # added up in an order of their own, whoever is first
        after = self._pull if self._anchor is not None else None
        for stage in tasks(tiles, sizes, self.workers.threads):
            running = [self.workers.submit(self._update, flat[task], after=after) for task in stage]
            for task, future in zip(stage, running, strict=True):
                costs[task] = future.result()
        return float(costs.sum())

    def _update(self, entries: Entries, jobs: NDArray[np.int64], space: NDArray[Any], costs: NDArray[Any]) -> None:
        """Train on entries, in a thread."""
        train_entries(self._arrays(), self.config, self.eta, self.position.epoch, entries, jobs, space, costs)

    def _pull(self, tile: int) -> None:
        """Pull the vectors of a block's words towards their anchors, in the thread that had the block to itself."""
        row, col = divmod(tile, self._tiles.deal.blocks)
        if row == col and self._anchor is not None:
            size = self._tiles.deal.block_size
            self._anchor.pull(self.state, row * size, (row + 1) * size, self.eta)

    def holdout_cost(self) -> float | None:
        """Return the cost per entry of those that are held out, or None if there are none."""
        if not self._tiles.held_out:
            return None
        return self._cost(np.arange(self._tiles.deal.blocks**2), held_out=True) / self._tiles.held_out

    def first_cost(self) -> float:
        """Return the cost per entry of the parameters as they are, of the first tiles that hold many entries."""
        sizes = self._tiles.sizes(np.arange(self._tiles.deal.blocks**2))
        count = min(len(sizes), int(np.searchsorted(np.cumsum(sizes), _SAMPLE)) + 1)
        return self._cost(np.arange(count)) / max(1, int(sizes[:count].sum()))

    def _cost(self, tiles: NDArray[np.int64], *, held_out: bool = False) -> float:
        """Return the cost of the entries of tiles; nothing is changed."""
        find = partial(find_entry_costs, self._arrays(), self.config)
        parts = [tiles[k : k + _TOGETHER] for k in range(0, len(tiles), _TOGETHER)]
        running = [self.workers.submit(find, part, held_out=held_out) for part in parts]
        return float(np.concatenate([future.result() for future in running]).sum())

    def _roll_back(self, error: DivergedError) -> None:
        """Go back to the beginning of the epoch with half the learning rates, or give up."""
        position, config = self.position, self.config
        if not self.good or position.halvings == _MOST_HALVINGS:
            other = "" if self.good else ", or let --on-divergence halve-eta do it"
            raise divergence_error(error, position.epoch, config, self.eta, other) from error
        for array, good in zip(self._arrays(), self.good, strict=True):
            np.copyto(array, good)
        position.halvings += 1
        event = f"diverged in round {position.round}: {error}; eta halved to {self.eta:g}"
        report = EpochReport(
            position.epoch, config.epochs, math.nan, position.entries, position.seconds, self.eta, event=event
        )
        position.history.append(self._on_report(report).as_history())
        position.begin_epoch(position.epoch)
        self.at_rest = True
        self._on_epoch()

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        state = self.state
        return state.words, state.contexts, state.word_lengths, state.context_lengths
