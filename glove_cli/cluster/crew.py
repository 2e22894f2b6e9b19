"""The actors of a training, one on each worker: called together, watched while they work, and dropped together."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from glove_cli.cluster.engine import TIMEOUTS
from glove_cli.cluster.holder import BlockHolder, LostError
from glove_cli.errors import ClusterError, GloveError, OptionError

if TYPE_CHECKING:
    from distributed import Client

_LOOK = 0.5  # seconds after which workers that are waited for are looked after
_START = 60.0  # seconds within which an actor has to be there
_STOP = 5.0  # seconds that are given to actors to stop


class Crew:
    """Actors on workers.

    Parameters
    ----------
    client : distributed.Client
    addresses : sequence of str
        Workers; those on which no actor starts are left out.

    Attributes
    ----------
    addresses : list of str
    holders : list of actors
    """

    def __init__(self, client: Client, addresses: Sequence[str]) -> None:
        self._client = client
        self._futures = {
            address: client.submit(
                BlockHolder, actor=True, workers=[address], allow_other_workers=False, pure=False, key=None
            )
            for address in addresses
        }
        self._next_look = 0.0
        self.addresses: list[str] = []
        self.holders: list[Any] = []
        end = time.monotonic() + _START
        for address, future in self._futures.items():
            with contextlib.suppress(*TIMEOUTS):
                self.holders.append(future.result(timeout=max(0.1, end - time.monotonic())))
                self.addresses.append(address)
        if not self.holders:
            raise LostError("no worker took up its part")

    def call(self, method: str, *arguments: Any, each: bool = False) -> list[Any]:
        """Call a method of all actors; return what they return, when all have.

        Parameters
        ----------
        method : str
        *arguments
        each : bool
            Whether the number of the actor is put after the first argument.

        Raises
        ------
        LostError
            If a worker has gone meanwhile.
        """
        running = []
        for number, holder in enumerate(self.holders):
            own = (arguments[0], number, *arguments[1:]) if each else arguments
            running.append(getattr(holder, method)(*own))
        for future in running:
            while not future.done():
                with contextlib.suppress(*TIMEOUTS):
                    future.result(timeout=_LOOK)
                self._look_after(running)
        return [future.result() for future in running]

    def _look_after(self, running: list[Any]) -> None:
        """Raise what one has raised, also if others are still at work, or a LostError if one has gone."""
        for future in running:
            if future.done():
                future.result()
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK
        gone = set(self.addresses) - set(find_workers(self._client))
        if gone:
            raise LostError(f"the worker {min(gone)} has gone")

    def drop(self) -> None:
        """Have the actors stop, and let go of them."""
        stopping = []
        for holder in self.holders:
            with contextlib.suppress(Exception):
                stopping.append(holder.stop())
                stopping.append(holder.close())
        end = time.monotonic() + _STOP
        for future in stopping:
            with contextlib.suppress(Exception):
                future.result(timeout=max(0.1, end - time.monotonic()))
        self.holders = []
        for future in self._futures.values():
            with contextlib.suppress(Exception):
                future.release()
        self._futures = {}


def find_workers(client: Client) -> dict[str, int]:
    """Return the threads of each worker, by address.

    Parameters
    ----------
    client : distributed.Client

    Raises
    ------
    ClusterError
        If the client has given the scheduler up.
    OptionError
        If the workers are no processes of their own: Dask's actors don't find each other then.
    """
    with contextlib.suppress(AttributeError):  # of a client that closes meanwhile
        if client.status not in ("closing", "closed"):
            workers = dict(client.nthreads())
            if any(address.startswith("inproc:") for address in workers):
                raise OptionError("--cluster: its workers are threads of one process. Start it with processes=True.")
            return workers
    raise ClusterError(
        "--cluster: the scheduler is gone. Start it and its workers again, and the same command with --resume."
    )


def is_loss(error: BaseException) -> bool:
    """Tell whether an error says that a worker, or what was on it, is lost, or couldn't be reached.

    Parameters
    ----------
    error : BaseException
    """
    if isinstance(error, GloveError):
        return False
    client = importlib.import_module("distributed.client")
    kinds = (
        LostError, OSError, CancelledError, asyncio.CancelledError, MemoryError, *TIMEOUTS,
        *(getattr(client, name) for name in ("FutureCancelledError", "FuturesCancelledError") if hasattr(client, name)),
    )  # fmt: skip
    if isinstance(error, kinds):
        return True
    # What Dask says of an actor that has gone, and where it isn't known any more.
    return (isinstance(error, RuntimeError | ValueError) and "Actor" in str(error)) or (
        isinstance(error, KeyError) and BlockHolder.__name__ in str(error)
    )
