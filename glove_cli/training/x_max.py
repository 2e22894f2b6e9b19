"""Which x_max suits a matrix: enough of its entries should count in full."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

AUTO = "auto"
_LEAST_SHARE = 0.002  # of entries that count in full
_MOST = 100.0  # the paper's, for billions of tokens


def choose_x_max(sample: NDArray[np.float64]) -> float | None:
    """Return the x_max that suits entries: what `--x-max auto` takes.

    Parameters
    ----------
    sample : float64 array (n,)
        Entries of a matrix, all or some.

    Returns
    -------
    float or None
        The largest of ..., 1, 2, 5, 10, 20, 50, 100 that 0.2 % of the entries reach; None where nothing can be trained
        on anyway: no entries, or hardly one that is positive and finite.

    Notes
    -----
    docs/guide.md has what the rule was found on.
    """
    reached = float(np.quantile(sample, 1 - _LEAST_SHARE, method="lower")) if len(sample) else 0.0
    if not 0 < reached < np.inf:
        return None
    power = 10.0 ** np.floor(np.log10(reached))
    return min(_MOST, float(max(factor * power for factor in (1, 2, 5) if factor * power <= reached * (1 + 1e-12))))


def suggest_x_max(sample: NDArray[np.float64], x_max: float) -> float | None:
    """Return a better x_max where hardly an entry counts in full, or None where `x_max` is fine.

    Parameters
    ----------
    sample : float64 array (n,)
        Entries of a matrix, all or some.
    x_max : float

    Returns
    -------
    float or None
        As of `choose_x_max`, if fewer than 0.2 % of the entries reach `x_max`.
    """
    if len(sample) and np.mean(sample >= x_max) >= _LEAST_SHARE:
        return None
    chosen = choose_x_max(sample)
    return chosen if chosen is not None and chosen < x_max else None
