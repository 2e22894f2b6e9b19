"""How much change is chance: how many words changed as much between two models of one kind of text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIMILAR = 500  # words of similar frequency


def chances(
    kept: NDArray[np.float64],
    frequency: NDArray[np.int64],
    control_kept: NDArray[np.float64],
    control_frequency: NDArray[np.int64],
    similar: int = SIMILAR,
) -> NDArray[np.float64]:
    """Return for each word which share of the words of similar frequency changed as much in a control, or more.

    Parameters
    ----------
    kept : float64 array (r,)
        Share of its neighbours that each word kept.
    frequency : int64 array (r,)
        How often it occurs, or any number that rises with that.
    control_kept : float64 array (n,)
        The same share between two models of one kind of text.
    control_frequency : int64 array (n,)
    similar : int
        How many words of the control each word is compared with.

    Returns
    -------
    float64 array (r,)
        (1 + number of those words that kept as little or less) / (1 + their number), which is never 0: the p-value of
        a permutation test (Phipson and Smyth 2010), were all words of a frequency equally unsteady, which they aren't.

    Notes
    -----
    The words of similar frequency are half rarer, half more frequent ones, where there are so many.
    """
    order = np.argsort(control_frequency, kind="stable")
    size = min(similar, len(order))
    middle = np.searchsorted(control_frequency[order], frequency)
    begin = np.clip(middle - size // 2, 0, len(order) - size)
    sorted_kept = control_kept[order]
    found = np.empty(len(kept))
    for number, first in enumerate(begin):
        found[number] = (1 + np.count_nonzero(sorted_kept[first : first + size] <= kept[number])) / (1 + size)
    return found
