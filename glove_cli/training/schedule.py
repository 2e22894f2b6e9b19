"""Which tiles may be trained at the same time.

Tiles that share no block of words and no block of contexts may be taken in any order, by any thread, without locks, and
the result is the same to the last bit (Gemulla et al. 2011, "Large-scale matrix factorization with distributed
stochastic gradient descent").

Tiles come in groups of g x g neighbours, whose states stay in the cache while one thread works on the group. No two
groups of a round share a block; a round's end is a consistent point. Within a group there are g steps of g tiles each,
which again share nothing. So few threads take whole groups, and many threads take the tiles of one step of all groups:
every block sees the same tiles in the same order.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def orders(groups: int, seed: int, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the orders in which an epoch takes groups of blocks of words, and of contexts.

    Parameters
    ----------
    groups : int
    seed, epoch : int

    Returns
    -------
    sigma, tau : int64 arrays (groups,)
        See `rounds`.
    """
    rng = np.random.default_rng([seed, 3, epoch])
    return rng.permutation(groups), rng.permutation(groups)


def rounds(blocks: int, group: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
    """Yield the rounds of an epoch; together they hold every tile once.

    Parameters
    ----------
    blocks : int
        Number of blocks of words, and of contexts.
    group : int
        g, a divisor of `blocks`.
    seed, epoch : int
        Draw the order, another one for each epoch.

    Yields
    ------
    int64 array (blocks / g, g, g)
        Tiles, row block * blocks + column block, by group, step, and place in the step. Round r has the groups
        (sigma(k), tau((k + r) mod (blocks / g))) for all k, sigma and tau drawn at random; step q has the tiles
        (i, (i + q) mod g) of each.
    """
    groups = blocks // group
    sigma, tau = orders(groups, seed, epoch)
    i = np.arange(group)
    for r in range(groups):
        first_row = group * sigma[:, None, None]
        first_col = group * np.roll(tau, -r)[:, None, None]
        yield (first_row + i) * blocks + first_col + (i[:, None] + i) % group


def tasks(tiles: NDArray[np.int64], sizes: NDArray[np.int64], threads: int) -> list[list[NDArray[np.int64]]]:
    """Part a round's tiles into stages, one after the other, of tasks that may run at the same time.

    Parameters
    ----------
    tiles : int64 array (groups, g, g)
        A round of `rounds`.
    sizes : int64 array (groups, g, g)
        Entries of each tile.
    threads : int

    Returns
    -------
    list of lists of int64 arrays (n,)
        Tiles of each task, as indices into `tiles.ravel()`, to be taken in this order; the largest tasks first. There
        is one stage of whole groups if every thread gets two or more of them, else a stage for each step.
    """
    groups, g, _ = tiles.shape
    index = np.arange(tiles.size).reshape(tiles.shape)
    if g == 1 or groups >= 2 * threads:
        order = np.argsort(-sizes.sum(axis=(1, 2)), kind="stable")
        return [list(index.reshape(groups, -1)[order])]
    stages = []
    for step in range(g):
        of_step = index[:, step].ravel()
        order = np.argsort(-sizes.ravel()[of_step], kind="stable")
        stages.append(list(of_step[order][:, None]))
    return stages


def balance(sizes: NDArray[np.int64], blocks: int, group: int, cores: int, *, seed: int = 1, epoch: int = 1) -> float:
    """Simulate an epoch on many cores.

    Parameters
    ----------
    sizes : int64 array (blocks * blocks,)
        Entries of each tile; time is taken to be in proportion to them.
    blocks, group : int
    cores : int
    seed, epoch : int

    Returns
    -------
    float
        Ideal time over simulated time: the share of the time in which a core works.
    """
    makespan = 0.0
    for tiles in rounds(blocks, group, seed, epoch):
        flat = tiles.ravel()
        for stage in tasks(tiles, sizes[tiles], cores):
            ends = [0] * cores
            for task in stage:  # to the core that is free first
                heapq.heapreplace(ends, ends[0] + int(sizes[flat[task]].sum()))
            makespan += max(ends)
    return float(sizes.sum()) / cores / makespan
