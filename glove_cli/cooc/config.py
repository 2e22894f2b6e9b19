"""The options of counting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus.config import VocabConfig, flag, positive, real
from glove_cli.errors import OptionError

CONTEXTS = ("symmetric", "left", "right")
WEIGHTINGS = ("harmonic", "linear", "flat")
OOV = ("skip", "hold")
MAX_WINDOW = 10_000
MAX_WEIGHT = 1024.0
MAX_SEED = 2**63 - 1
_UNIT = 2.0**-24


@dataclass(frozen=True)
class CoocConfig(VocabConfig):
    """What a document and a token are, what counts as a word, and what as a co-occurrence.

    Attributes
    ----------
    window : int
        Farthest distance counted, in tokens.
    context : {"symmetric", "left", "right"}
        Which neighbours count. With "left" entry (i, j) says that i stood to the left of j (the reference's asymmetric
        form); "right" is its transpose; "symmetric" is the sum of both.
    weighting : {"harmonic", "linear", "flat"} or numbers
        A neighbour at distance k counts 1/k, or (window + 1 - k)/window, or 1; or the k-th of the numbers given (as an
        iterable, or as text with commas between them), whose number is the window. Each is rounded to a multiple of
        2**-24.
    oov : {"skip", "hold"}
        Whether tokens outside the vocabulary are left out before distances are measured, as the reference does, or
        hold their places.
    subsample : float
        Frequent words are left out at random, before distances are measured: a token of a word with the share f of all
        tokens of the vocabulary stays with probability sqrt(subsample / f) (Mikolov et al. 2013, section 2.3).
        1e-4 or 1e-5 are usual; 0 leaves all.
    seed : int
        Another seed leaves out other tokens.
    resample : int, optional
        Seed of the Poisson bootstrap: each line (each paragraph, if these are documents; long ones in pieces) counts so
        often as chance has it, once on average. What differs between matrices of several seeds is what hangs on which
        text there was.
    """

    window: int = 15
    context: str = "symmetric"
    weighting: str = "harmonic"
    oov: str = "skip"
    subsample: float = 0.0
    seed: int = 1
    resample: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "window", positive("--window", self.window))
        self._choice("context", CONTEXTS)
        self._choice("oov", OOV)
        if not isinstance(self.weighting, str) or self.weighting not in WEIGHTINGS:
            self._take_numbers(_numbers(self.weighting))
        if self.window > MAX_WINDOW:
            raise OptionError(f"--window: {self.window} is too wide. Give at most {MAX_WINDOW}.")
        subsample = real("--subsample", self.subsample)
        if not 0 <= subsample <= 1:
            raise OptionError(f"--subsample: {subsample:g} is not a share. Give a number from 0 to 1, such as 1e-4.")
        object.__setattr__(self, "subsample", subsample)
        object.__setattr__(self, "seed", _seed("--seed", self.seed))
        if self.resample is not None:
            object.__setattr__(self, "resample", _seed("--resample", self.resample))

    def weights(self) -> NDArray[np.float64]:
        """Return what a neighbour at each distance adds: float64 (window + 1,), the first one unused.

        Multiples of 2**-24: sums of such numbers are exact in float64 up to 2**29, so the order of adding cannot
        matter.
        """
        distance = np.arange(1, self.window + 1)
        if self.weighting == "harmonic":
            weights = 1 / distance
        elif self.weighting == "linear":
            weights = (self.window + 1 - distance) / self.window
        elif self.weighting == "flat":
            weights = np.ones(self.window)
        else:
            weights = np.array(_numbers(self.weighting))
        return np.concatenate(([0.0], np.rint(weights / _UNIT) * _UNIT))

    def _take_numbers(self, numbers: list[float]) -> None:
        """Set weighting and window from the weights that were given."""
        if self.window not in (type(self).window, len(numbers)):
            raise OptionError(
                f"--window: {self.window} stands beside {len(numbers)} weights. Leave it out, or give as many weights."
            )
        object.__setattr__(self, "weighting", ",".join(f"{number!r}" for number in numbers))
        object.__setattr__(self, "window", len(numbers))


def _seed(option: str, value: object) -> int:
    """Return a seed as an integer of Python."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value <= MAX_SEED:
        raise OptionError(f"{option}: {value!r} is not an integer from 0 to 2**63 - 1. Give one.")
    return int(value)


def _numbers(weighting: object) -> list[float]:
    """Return the weights that a text or an iterable lists."""
    known = ", ".join(WEIGHTINGS)
    try:
        items = weighting.split(",") if isinstance(weighting, str) else list(weighting)  # type: ignore[call-overload]
        numbers = [float(item) for item in items]
    except (TypeError, ValueError):
        raise OptionError(
            f"{flag('weighting')}: {weighting!r} is neither one of {known} nor a list of numbers. Give one of them."
        ) from None
    if not numbers:
        raise OptionError("--weighting: is an empty list. Give a weight for each distance from 1 on.")
    for number in numbers:
        if not _UNIT <= number <= MAX_WEIGHT:
            raise OptionError(f"--weighting: {number:g} can't be a weight. Give numbers from 2**-24 to {MAX_WEIGHT:g}.")
    return numbers
