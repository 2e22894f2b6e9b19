"""The options of counting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError

CONTEXTS = ("symmetric", "left", "right")
WEIGHTINGS = ("harmonic", "flat")
MAX_WINDOW = 10_000
_UNIT = 2.0**-24


@dataclass(frozen=True)
class CoocConfig:
    """What counts as a word, and what as a co-occurrence.

    Attributes
    ----------
    min_count : int
        Words that occur less often are left out, before distances are measured.
    max_vocab : int, optional
        Keep only so many words, the most frequent ones; ties are decided by the words' bytes.
    window : int
        Farthest distance counted, in tokens.
    context : {"symmetric", "left", "right"}
        Which neighbours count. With "left" entry (i, j) says that i stood to the left of j (the reference's asymmetric
        form); "right" is its transpose; "symmetric" is the sum of both.
    weighting : {"harmonic", "flat"}
        A neighbour at distance k counts 1/k (rounded to a multiple of 2**-24), or 1.
    lowercase : bool
        Turn the text to lower case first (Unicode).
    """

    min_count: int = 5
    max_vocab: int | None = None
    window: int = 15
    context: str = "symmetric"
    weighting: str = "harmonic"
    lowercase: bool = False

    def __post_init__(self) -> None:
        for name in ("min_count", "window", "max_vocab"):
            if getattr(self, name) is not None or name != "max_vocab":
                object.__setattr__(self, name, _positive("--" + name.replace("_", "-"), getattr(self, name)))
        if self.window > MAX_WINDOW:
            raise OptionError(f"--window: {self.window} is too wide. Give at most {MAX_WINDOW}.")
        if self.context not in CONTEXTS:
            raise OptionError(f"--context: {self.context!r} is not one of {', '.join(CONTEXTS)}. Choose one of them.")
        if self.weighting not in WEIGHTINGS:
            raise OptionError(
                f"--weighting: {self.weighting!r} is not one of {', '.join(WEIGHTINGS)}. Choose one of them."
            )
        if not isinstance(self.lowercase, bool):
            raise OptionError(f"--lowercase: {self.lowercase!r} is neither True nor False. Give one of them.")

    def weights(self) -> NDArray[np.float64]:
        """Return what a neighbour at each distance adds: float64 (window + 1,), the first one unused.

        Multiples of 2**-24: sums of such numbers are exact in float64 up to 2**29, so the order of adding cannot
        matter.
        """
        distance = np.arange(1, self.window + 1)
        weights = np.rint(1 / distance / _UNIT) * _UNIT if self.weighting == "harmonic" else np.ones(self.window)
        return np.concatenate(([0.0], weights))


def _positive(option: str, value: object) -> int:
    """Return an integer of Python, whatever kind of integer is given."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise OptionError(f"{option}: {value!r} is not a positive integer. Give 1 or more.")
    return int(value)
