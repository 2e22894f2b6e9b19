"""Labels beside their points, none over another: the places are found here, nothing is drawn.

All lengths are in dots. A label is a rectangle; each in turn gets the first of its places at which it covers no label,
no point and no line that stands already, near places first. One without such a place is left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_GAP = 1.0  # between two labels
# Where a label may stand about its point, as the side on which it lies: right, left, above, below, the corners.
_SIDES = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)], np.float64)
_FAR = np.array([1.0, 2.6, 4.2])  # distances from the point, in its own; what is farther gets a line to its point


class Places(NamedTuple):
    """Where labels stand.

    Attributes
    ----------
    corners : float64 array (n, 2)
        Lower left corner of each label; NaN of one that is left out.
    far : bool array (n,)
        Whether a line should lead from the point to the label.
    ends : float64 array (n, 2)
        Where that line ends at the label.
    """

    corners: NDArray[np.float64]
    far: NDArray[np.bool_]
    ends: NDArray[np.float64]


def place_labels(
    points: NDArray[np.float64],
    sizes: NDArray[np.float64],
    frame: tuple[float, float, float, float],
    *,
    reach: float,
    lines: NDArray[np.float64] | None = None,
) -> Places:
    """Find a place for each label, or none.

    Parameters
    ----------
    points : float64 array (n, 2)
        The points; those before others choose first.
    sizes : float64 array (n, 2)
        Width and height of each label; NaN of a point that gets none.
    frame : (float, float, float, float)
        Left, lower, right and upper bound, which no label crosses.
    reach : float
        Distance from a point to the near side of a label beside it.
    lines : float64 array (m, 2), optional
        Dots of lines which are avoided, too, where there is another place.

    Returns
    -------
    Places
    """
    n = len(points)
    corners, far, ends = np.full((n, 2), np.nan), np.zeros(n, bool), np.zeros((n, 2))
    low, high = np.empty((n, 2)), np.empty((n, 2))  # of the labels that stand
    dots = np.empty((0, 2))  # of the lines that lead to labels
    standing = 0
    radius = reach * 0.6
    for k in range(n):
        if np.isnan(sizes[k, 0]):
            continue
        begin, end = _candidates(points[k], sizes[k], reach)
        inside = (begin >= frame[:2]).all(axis=1) & (end <= frame[2:]).all(axis=1)
        distant = np.repeat(_FAR > 1, len(_SIDES))
        free = inside & ~_meets(begin, end, low[:standing] - _GAP, high[:standing] + _GAP)
        free &= ~_covers(begin, end, dots)
        others = np.delete(points, k, axis=0)
        others = others[(np.abs(others - points[k]) < sizes[k] + reach * (_FAR[-1] + 2)).all(axis=1)]
        free &= ~_covers(begin - radius, end + radius, others)
        nearest = np.clip(points[k], begin, end)
        for c in np.flatnonzero(free & distant):  # nor may its line cross a label
            way = _dots_between(points[k], nearest[c])
            if _meets(way, way, low[:standing], high[:standing]).any():
                free[c] = False
        chosen = np.flatnonzero(free)
        if not len(chosen):
            continue
        if lines is not None:
            clear = chosen[~_covers(begin[chosen], end[chosen], lines)]
            chosen = clear if len(clear) else chosen
        c = chosen[0]
        corners[k], far[k], ends[k] = begin[c], distant[c], nearest[c]
        low[standing], high[standing] = begin[c], end[c]
        standing += 1
        if far[k]:
            dots = np.concatenate([dots, _dots_between(points[k], nearest[c])])
    return Places(corners, far, ends)


def _candidates(
    point: NDArray[np.float64], size: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lower left and upper right corners of the places of a label, the best first."""
    corner = np.abs(_SIDES).sum(axis=1, keepdims=True) == 2
    away = _SIDES * np.where(corner, 0.7, 1.0) * reach
    centre = np.concatenate([point + away * times + _SIDES * size / 2 for times in _FAR])
    return centre - size / 2, centre + size / 2


def _meets(
    begin: NDArray[np.float64], end: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell for each rectangle of the first whether it meets one of the second."""
    return np.asarray(
        ((begin[:, np.newaxis] < high) & (end[:, np.newaxis] > low)).all(axis=-1).any(axis=-1), dtype=np.bool_
    )


def _covers(begin: NDArray[np.float64], end: NDArray[np.float64], dots: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell for each rectangle whether it covers a dot."""
    return _meets(begin, end, dots, dots)


def _dots_between(a: NDArray[np.float64], b: NDArray[np.float64], step: float = 2.0) -> NDArray[np.float64]:
    """Return dots on the line from a to b."""
    number = max(2, int(np.hypot(*(b - a)) / step) + 1)
    return np.asarray(a + (b - a) * np.linspace(0, 1, number)[:, np.newaxis])
