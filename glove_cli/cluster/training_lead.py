"""Leads a training on a cluster: asks actors for rounds, writes checkpoints, and begins again where one was lost."""

from __future__ import annotations

import contextlib
import copy
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from glove_cli.cluster.crew import Crew, find_workers, is_loss
from glove_cli.cluster.engine import TIMEOUTS
from glove_cli.cluster.holder import LostError, Setup
from glove_cli.cluster.ring import Ring
from glove_cli.cluster.training_tasks import Order, Prepared, finish_checkpoint_parts, prepare
from glove_cli.errors import ClusterError
from glove_cli.parallel import Progress
from glove_cli.temporary import remove_folder
from glove_cli.training.checkpoint import Interval
from glove_cli.training.checkpoint_parts import begin_parts
from glove_cli.training.position import Position
from glove_cli.training.report import EpochReport
from glove_cli.training.stopping import DivergedError, check_cost, divergence_error, reason_to_stop

if TYPE_CHECKING:
    from distributed import Client

_MOST_FAILURES = 10  # without rounds done in between
_BATCH_SECONDS = 2.0  # that are worked between two points of rest
_LOOK = 1.0  # seconds after which the workers are looked after that a task may run on
_WAIT = 60.0  # seconds for the first worker
_SETTLE = 15.0  # seconds for as many as there were before
Result = TypeVar("Result")


class Lead:
    """Trains on the workers of a cluster, from the last checkpoint on.

    Parameters
    ----------
    client : distributed.Client
    order : Order
    interval : Interval
        Of checkpoints: no batch of rounds takes longer.
    note : callable
        Called with what the user should know.
    progress : callable
        See `train`; called with how far the tiles are.
    on_round, on_report, on_epoch : callable
        See `Trainer`; `on_round` is called after some rounds.

    Attributes
    ----------
    prepared : Prepared
    position : Position
    at_rest : bool
        Whether `position` says where the blocks are that workers hold.
    """

    def __init__(
        self,
        client: Client,
        order: Order,
        interval: Interval,
        note: Callable[[str], None],
        progress: Progress,
        *,
        on_round: Callable[[], None],
        on_report: Callable[[EpochReport], EpochReport],
        on_epoch: Callable[[], None],
    ) -> None:
        self._client, self._order, self._note = client, order, note
        self._progress = progress
        self._on_round, self._on_report, self._on_epoch = on_round, on_report, on_epoch
        self._longest = min(_BATCH_SECONDS, interval.seconds if interval.seconds is not None else _BATCH_SECONDS)
        self._crew: Crew | None = None
        self._ring = Ring(1, 0, (0, 1))
        self._epoch = 0  # whose blocks the workers hold
        self._tried: set[str] = set()  # workers
        self._wanted = 1
        self._failures = 0
        self._reported = 0
        self._pace = 0.0  # seconds a round
        self.at_rest = False
        self.position = Position()
        self.prepared: Prepared = self.insist(lambda: self._prepare(verify=True))
        self._reported = self.position.epoch - 1

    def run(self) -> str | None:
        """Train until the last epoch, or until there's a reason to stop, which is returned."""
        return self.insist(self._run)

    def insist(self, work: Callable[[], Result]) -> Result:
        """Do something; do it again where workers are lost meanwhile.

        Parameters
        ----------
        work : callable

        Raises
        ------
        ClusterError
            If that goes on and on, or the cluster is gone.
        """
        while True:
            try:
                return work()
            except Exception as error:
                if not is_loss(error):
                    raise
                self._lose(error)

    def task(self, function: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        """Have a worker do something.

        Parameters
        ----------
        function : callable
        *arguments, **options
        """
        future = self._client.submit(function, *arguments, **options, pure=False)
        try:
            while not future.done():
                with contextlib.suppress(*TIMEOUTS):
                    future.result(timeout=_LOOK)
                if not find_workers(self._client):
                    self._workers()
            result: Result = future.result()
            return result
        finally:
            future.cancel()

    def save(self) -> None:
        """Write a checkpoint of where training is.

        Raises
        ------
        OutputError
            If it can't be written; those before it stand.
        """
        order, ready, position = self._order, self.prepared, self.position
        if (position.epoch, position.round) == (ready.position.epoch, ready.position.round):
            return
        if self._crew is None:
            raise LostError("the blocks are not held any more")
        temporary = begin_parts(
            order.space.path, position, ready.blocks * ready.block_size, order.config.dim, order.config.dtype
        )
        try:
            self._crew.call("write", temporary)
            path = self.task(finish_checkpoint_parts, order, temporary, ready.checkpoint, position)
        except BaseException:
            remove_folder(temporary)
            raise
        self.prepared = replace(ready, checkpoint=path, position=copy.deepcopy(position))

    def close(self) -> None:
        """Have the workers let go of their blocks."""
        self.at_rest = False
        if self._crew is not None:
            self._crew.drop()
            self._crew = None

    def _run(self) -> str | None:
        config = self._order.config
        reason = reason_to_stop(self.position.history, config)
        while self.position.epoch <= config.epochs and reason is None:
            self._get_ready()
            position = self.position
            report = self._run_epoch()
            if report.epoch > self._reported:
                self._on_report(report)
                self._reported = report.epoch
            position.history.append(report.as_history())
            position.begin_epoch(position.epoch + 1)
            self._on_epoch()
            reason = reason_to_stop(position.history, config)
        self.save()
        return reason

    def _run_epoch(self) -> EpochReport:
        """Train on every entry once, from the round on where the position is."""
        assert self._crew is not None
        position, config, groups = self.position, self._order.config, self._ring.groups
        if position.round == 0 and self._epoch != position.epoch:
            self._crew.call("gather", position.epoch)
        self._epoch = position.epoch
        while position.round < groups:
            first = position.round
            last = min(groups, first + max(1, int(self._longest / self._pace) if self._pace else 1))
            self.at_rest = False
            begin = time.perf_counter()
            parts = self._crew.call("train", position.epoch, first, last)
            seconds = time.perf_counter() - begin
            self._pace = seconds / (last - first)
            self._count(np.concatenate([costs for costs, _ in parts], axis=1), sum(entries for _, entries in parts))
            position.seconds += seconds
            self.at_rest, self._failures = True, 0
            self._on_round()
        return EpochReport(
            position.epoch, config.epochs, position.cost / position.entries, position.entries, position.seconds,
            config.eta, self._measure() if self.prepared.held_out else None,
        )  # fmt: skip

    def _measure(self) -> float:
        """Return the cost per entry of those that are held out, added up as one machine does."""
        assert self._crew is not None
        self.at_rest = False
        total = np.zeros(self.prepared.blocks**2)
        for tiles, costs in self._crew.call("measure", self.position.epoch):
            total[tiles] = costs
        self.at_rest = True
        return float(total.sum()) / self.prepared.held_out

    def _count(self, costs: NDArray[np.float64], entries: NDArray[np.int64]) -> None:
        """Add up the costs of rounds (rounds, tiles of a round), as one machine does; refuse unsound ones."""
        position, config = self.position, self._order.config
        for of_tiles, met in zip(costs, entries.tolist(), strict=True):
            cost = float(of_tiles.sum())
            position.round += 1
            position.cost += cost
            position.entries += met
            try:
                if met:
                    check_cost(cost / met, position.first_cost)
            except DivergedError as error:
                raise divergence_error(error, position.epoch, config, config.eta) from error

    def _get_ready(self) -> None:
        """Have workers load their blocks, if they haven't, or if some have come that have none."""
        if self._crew is not None:
            if not set(find_workers(self._client)) - self._tried or len(self._crew.holders) == self._ring.groups:
                return
            self.save()
            self.close()
        elif self._failures:
            self.prepared = self._prepare(verify=False)
        threads = self._workers()
        ready, order = self.prepared, self._order
        groups = ready.blocks // ready.group
        chosen = sorted(threads, key=lambda address: -threads[address])[:groups]
        self._tried = set(threads)
        self._crew = crew = Crew(self._client, chosen)
        self._wanted = len(crew.holders)
        self._ring = Ring.of(groups, order.config.seed, [threads[address] for address in crew.addresses])
        setup = Setup(order.tiles, ready.key, ready.V, order.config, ready.group, self._ring)
        self.position = copy.deepcopy(ready.position)
        self._epoch = self.position.epoch
        where = (ready.checkpoint, self.position.epoch, self.position.round)
        crew.call("load", setup, crew.holders, *where, each=True)

    def _prepare(self, *, verify: bool) -> Prepared:
        """Have a worker find out from where to go on."""
        topic = f"glove-{secrets.token_hex(6)}"

        def show(event: tuple[float, tuple[int, int]]) -> None:
            done, total = event[1]
            self._progress("preparing", done, total, "entry")

        self._client.subscribe_topic(topic, show)
        try:
            prepared = self.task(prepare, self._order, topic, verify=verify)
        finally:
            with contextlib.suppress(Exception):  # the client has gone, or nothing was said
                self._client.unsubscribe_topic(topic)
        for text in prepared.notes:
            self._note(text)
        self.position = copy.deepcopy(prepared.position)
        return prepared

    def _lose(self, error: Exception) -> None:
        """Get over the loss of a worker: what was done since the last checkpoint is lost as well."""
        if self._crew is not None:
            self.close()
            self.position = copy.deepcopy(self.prepared.position)
        self._failures += 1
        what = " ".join(str(error).split()) or type(error).__name__
        if self._failures > _MOST_FAILURES:
            raise ClusterError(
                f"--cluster: workers were lost {self._failures} times without a round done in between: {what}. "
                "Look after them, and go on with --resume."
            ) from error
        self._workers()
        self._note(f"A worker was lost ({what}). Going on from the last checkpoint.")

    def _workers(self) -> dict[str, int]:
        """Return the threads of each worker, when there are as many workers as before, or at least one."""
        begin = time.monotonic()
        while True:
            threads: dict[str, int] = {}
            problem = "it has no workers"
            try:
                threads = find_workers(self._client)
            except Exception as error:
                if not is_loss(error):
                    raise
                problem = " ".join(str(error).split()) or type(error).__name__
            waited = time.monotonic() - begin
            if threads and (len(threads) >= self._wanted or waited > _SETTLE):
                return threads
            if waited > _WAIT:
                raise ClusterError(
                    f"--cluster: the scheduler or its workers are gone: {problem}. Start them again, and the same "
                    "command with --resume."
                )
            time.sleep(0.2)
