"""Which x_max suits a matrix: the more text was counted, the larger."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from glove_cli.training.counts import Counts

AUTO = "auto"
_DIVISOR = 7.5
_DIGITS = 2
_LEAST_SHARE = 0.002  # of entries that count in full


def choose_x_max(counts: Counts) -> float | None:
    """Return the x_max that suits a matrix: what `--x-max auto` takes.

    Parameters
    ----------
    counts : Counts

    Returns
    -------
    float or None
        S ** (1/4) / 7.5 to two digits, S the sum of all entries; None where nothing can be trained on anyway: no
        entries, or some that aren't positive and finite.

    Notes
    -----
    The divisor is fitted to what docs/guide.md measures on texts of 2 and 17 million tokens (8 and 13); the paper's 100
    for 42 billion tokens and a window of 10 (Pennington et al. 2014, section 4.2) lies on the same line.
    """
    counts.verify()
    total = counts.total()
    if not 0 < total < math.inf:
        return None
    chosen = total**0.25 / _DIVISOR
    return round(chosen, _DIGITS - 1 - math.floor(math.log10(chosen)))


def suggest_x_max(counts: Counts, x_max: float) -> float | None:
    """Return a better x_max where hardly an entry counts in full, or None where `x_max` is fine.

    Parameters
    ----------
    counts : Counts
    x_max : float

    Returns
    -------
    float or None
        As of `choose_x_max`, if fewer than 0.2 % of the entries reach `x_max`, and it is smaller.
    """
    sample = counts.sample()
    if len(sample) and np.mean(sample >= x_max) >= _LEAST_SHARE:
        return None
    chosen = choose_x_max(counts)
    return chosen if chosen is not None and chosen < x_max else None
