"""Which tiles may be trained at the same time.

An epoch has as many rounds as there are blocks. No two tiles of a round share a block of words or a block of contexts,
so threads may take them in any order, without locks, and the result is the same to the last bit (Gemulla et al. 2011,
"Large-scale matrix factorization with distributed stochastic gradient descent"). A round's end is a consistent point.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

Tile = tuple[int, int]


def rounds(blocks: int, seed: int, epoch: int) -> Iterator[list[Tile]]:
    """Yield the rounds of an epoch; together they hold every tile once.

    Parameters
    ----------
    blocks : int
        Number of blocks of words, and of contexts.
    seed, epoch : int
        Draw the order, another one for each epoch.

    Yields
    ------
    list of (int, int)
        Round r has the tiles (sigma(k), tau((k + r) mod blocks)) for all k, sigma and tau drawn at random.
    """
    rng = np.random.default_rng([seed, 3, epoch])
    sigma, tau = rng.permutation(blocks).tolist(), rng.permutation(blocks).tolist()
    for r in range(blocks):
        yield [(sigma[k], tau[(k + r) % blocks]) for k in range(blocks)]
