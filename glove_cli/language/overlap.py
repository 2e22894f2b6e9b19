"""How much of a test text stands in the training text: then a score says how well a model remembers."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.language.text import Text

RUN_TOKENS = 8
WARNED_SHARE = 0.05
_FACTOR = 0x9E3779B97F4A7C15  # 2**64 / golden ratio


class Overlap(NamedTuple):
    """Shares of a test text that stand in a training text; NaN where it has nothing long enough.

    Attributes
    ----------
    lines : float
        Of its lines of 8 tokens or more.
    runs : float
        Of its runs of 8 tokens, without those that hold <unk>.
    """

    lines: float
    runs: float

    @property
    def is_large(self) -> bool:
        """Whether one of them is 5 % or more."""
        return self.lines >= WARNED_SHARE or self.runs >= WARNED_SHARE


def find_overlap(train: Text, test: Text) -> Overlap:
    """Compare two texts of the same vocabulary.

    Parameters
    ----------
    train, test : Text
    """
    lines = _lines(test)
    seen = set(_lines(train))
    same = float(np.mean([line in seen for line in lines])) if lines else float("nan")
    runs = _runs(test)
    return Overlap(same, float(np.isin(runs, _runs(train)).mean()) if len(runs) else float("nan"))


def _lines(text: Text) -> list[bytes]:
    """Return the pieces of 8 tokens or more."""
    starts = text.starts.tolist()
    return [text.ids[a:b].tobytes() for a, b in pairwise(starts) if b - a > RUN_TOKENS]


def _runs(text: Text) -> NDArray[np.uint64]:
    """Return a hash of each run of 8 tokens within a piece: two different ones agree once in 2**64."""
    ids = text.ids.astype(np.uint64)
    n = len(ids) - RUN_TOKENS + 1
    if n <= 0:
        return np.empty(0, np.uint64)
    hashes, bad = np.zeros(n, np.uint64), np.zeros(n, bool)
    with np.errstate(over="ignore"):
        for k in range(RUN_TOKENS):
            hashes = (hashes ^ (hashes >> np.uint64(29)) ^ (ids[k : k + n] + np.uint64(1))) * np.uint64(_FACTOR)
            bad |= text.ids[k : k + n] > text.V
    pieces = np.repeat(np.arange(text.pieces), np.diff(text.starts))
    return hashes[~bad & (pieces[:n] == pieces[RUN_TOKENS - 1 :])]
