"""Who holds which blocks, when: the rounds of `glove_cli.training.schedule`, shared out to several holders.

In round r of an epoch, position k works on the words of group sigma(k) and the contexts of group tau((k + r) mod G). A
holder has a range of positions. So its words stay for the whole epoch, and from round to round the contexts of position
k + 1 go to position k: within a holder nothing moves, and each gets one group, from the holder that comes next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glove_cli.training.schedule import orders


@dataclass(frozen=True)
class Ring:
    """Positions, shared out.

    Attributes
    ----------
    groups : int
        G, of blocks of words, and of contexts.
    seed : int
    edges : tuple of int
        Holder h has the positions edges[h] <= k < edges[h + 1].
    """

    groups: int
    seed: int
    edges: tuple[int, ...]

    @classmethod
    def of(cls, groups: int, seed: int, threads: list[int]) -> Ring:
        """Share positions out in proportion to threads; each holder gets one or more.

        Parameters
        ----------
        groups : int
        seed : int
        threads : list of int
            Of each holder; no more holders than groups.
        """
        spare = groups - len(threads)
        ends = np.cumsum(threads) * spare / sum(threads)
        edges = np.round(ends).astype(int) + np.arange(1, len(threads) + 1)
        return cls(groups, seed, (0, *edges.tolist()))

    @property
    def holders(self) -> int:
        """Number of holders."""
        return len(self.edges) - 1

    def words(self, holder: int, epoch: int) -> NDArray[np.int64]:
        """Return the groups of words that a holder has in an epoch, by position.

        Parameters
        ----------
        holder, epoch : int
        """
        sigma, _ = orders(self.groups, self.seed, epoch)
        return sigma[self.edges[holder] : self.edges[holder + 1]]

    def contexts(self, holder: int, epoch: int, number: int) -> NDArray[np.int64]:
        """Return the groups of contexts that a holder has in a round, by position.

        Parameters
        ----------
        holder, epoch : int
        number : int
            Of the round, from 0. After the last one, contexts stay where they are.
        """
        number = min(number, self.groups - 1)
        _, tau = orders(self.groups, self.seed, epoch)
        return tau[(np.arange(self.edges[holder], self.edges[holder + 1]) + number) % self.groups]

    def whose(self, side: int, epoch: int) -> NDArray[np.int64]:
        """Return which holder has each group of words (side 0) or contexts (side 1) when an epoch ends, int64 (G,).

        Parameters
        ----------
        side, epoch : int
        """
        holder = np.empty(self.groups, np.int64)
        for h in range(self.holders):
            groups = self.contexts(h, epoch, self.groups) if side else self.words(h, epoch)
            holder[groups] = h
        return holder
