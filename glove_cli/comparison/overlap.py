"""How many of a word's neighbours in one set of vectors are its neighbours in another. Needs no alignment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.search import nearest_rows

_WORDS = 1024  # whose neighbours are held at a time


def shares_kept(
    a: WordVectors,
    others: Sequence[WordVectors],
    rows: NDArray[np.int64],
    k: int,
    on_done: Callable[[int], object] = lambda done: None,
) -> NDArray[np.float64]:
    """Return which share of each word's k nearest neighbours in `a` is among its k nearest in each of some others.

    Parameters
    ----------
    a : WordVectors
        n words.
    others : sequence of m WordVectors
        Of the same words in the same order; the number of dimensions may be another.
    rows : int64 array (r,)
        The words, as rows.
    k : int
        How many neighbours; less than n.
    on_done : callable
        Called with how many words are done.

    Returns
    -------
    float64 array (m, r)
        From 0, no neighbour is the same, to 1.

    Notes
    -----
    The size of the intersection by which Gonen, Jawahar, Seddah and Goldberg (2020, "Simple, interpretable and stable
    method for detecting words with usage change across corpora") rank words, divided by k. Neighbours are exact. They
    are held for some words at a time, so memory is bounded.
    """
    kept = np.empty((len(others), len(rows)))
    for begin in range(0, len(rows), _WORDS):
        some = rows[begin : begin + _WORDS]
        own = nearest_rows(a, some, k)[0]
        for number, other in enumerate(others):
            kept[number, begin : begin + _WORDS] = share_in_both(own, nearest_rows(other, some, k)[0])
        on_done(begin + len(some))
    return kept


def share_in_both(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of each row's numbers that stand in the same row of another array.

    Parameters
    ----------
    first, second : int64 arrays (r, k)
        All numbers of a row are different.

    Returns
    -------
    float64 array (r,)
    """
    both = np.sort(np.concatenate((first, second), axis=1), axis=1)
    return np.asarray((both[:, 1:] == both[:, :-1]).sum(axis=1) / first.shape[1])
