"""Threads that run kernels over tiles, wherever the entries are."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.training.entries import PIECE, Entries
from glove_cli.training.kernels import WEIGHTS
from glove_cli.training.tiles import Tiles

# Called with entries, jobs int64 (n, 4), float space of the kernel's own, and costs float64 (n,) to write.
TileKernel = Callable[[Entries, NDArray[np.int64], NDArray[Any], NDArray[np.float64]], object]


class Workers:
    """Threads that live for a `with` block, with a buffer for each."""

    def __init__(self, tiles: Tiles, threads: int) -> None:
        self.tiles = tiles
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads)
        self._spaces: SimpleQueue[tuple[Entries, NDArray[Any]]] = SimpleQueue()
        number = tiles.entries.dtype["log_x"]
        for _ in range(threads):
            self._spaces.put((np.empty(PIECE, tiles.entries.dtype), np.empty(2 * WEIGHTS, number)))

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(
        self,
        kernel: TileKernel,
        tiles: NDArray[np.int64],
        *,
        held_out: bool = False,
        after: Callable[[int], None] | None = None,
    ) -> Future[NDArray[np.float64]]:
        """Have a thread run a kernel over tiles, in their order.

        Parameters
        ----------
        kernel : callable
        tiles : int64 array (n,)
        held_out : bool
            Whether to run it over the entries that are held out.
        after : callable, optional
            Called with each tile when the kernel has been through it.

        Returns
        -------
        Future of float64 array (n,)
            The costs of the tiles.
        """
        return self._pool.submit(self._run, kernel, tiles, held_out, after)

    def _run(
        self, kernel: TileKernel, tiles: NDArray[np.int64], held_out: bool, after: Callable[[int], None] | None
    ) -> NDArray[np.float64]:
        if after is None:
            return self._run_together(kernel, tiles, held_out)
        costs = np.empty(len(tiles))
        for k, tile in enumerate(tiles.tolist()):
            costs[k] = self._run_together(kernel, tiles[k : k + 1], held_out)[0]
            after(tile)
        return costs

    def _run_together(self, kernel: TileKernel, tiles: NDArray[np.int64], held_out: bool) -> NDArray[np.float64]:
        jobs, owners = self.tiles.jobs(tiles, held_out=held_out)
        costs = np.zeros(len(jobs))
        buffer, space = self._spaces.get()
        try:
            for which, entries, some in self.tiles.entries.parts(jobs, buffer):
                kernel(entries, some, space, costs[which])
        finally:
            self._spaces.put((buffer, space))
        return np.bincount(owners, costs, len(tiles)).astype(np.float64, copy=False)
