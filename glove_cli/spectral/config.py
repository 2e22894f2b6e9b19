"""The options of singular vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glove_cli.errors import OptionError
from glove_cli.spectral.names import METHODS, PPMI_SVD
from glove_cli.training.config import MAX_DIM, MAX_SEED


@dataclass(frozen=True)
class SpectralConfig:
    """How a matrix is factorized.

    Attributes
    ----------
    method : {"pca", "log-pca", "ppmi-svd"}
        Of what the singular vectors are taken: the counts X; log(1 + X); positive pointwise mutual information.
    dim : int
        Numbers in a vector, d.
    eig : float
        Word vectors are U S**eig, context vectors V S**(1 - eig); 1/2 shares the singular values out (Levy, Goldberg
        and Dagan 2015, section 3.3).
    shift : float
        k: log k is taken off the mutual information before negative values become 0, as k negative samples do (Levy
        and Goldberg 2014). 1 takes nothing off.
    smoothing : float
        The share of a context c is that of count(c) ** smoothing (Levy, Goldberg and Dagan 2015, section 3.1), which
        rare contexts profit from less. 1 is none.
    seed : int
        Draws the vector that the iteration begins with.
    """

    method: str = PPMI_SVD
    dim: int = 100
    eig: float = 0.5
    shift: float = 1.0
    smoothing: float = 0.75
    seed: int = 1

    def __post_init__(self) -> None:
        if self.method not in METHODS[1:]:
            raise OptionError(f"--method: {self.method!r} is none of {', '.join(METHODS[1:])}. Choose one of them.")
        for name, least, most in (("dim", 1, MAX_DIM), ("seed", 0, MAX_SEED)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
                raise OptionError(f"--{name}: {value!r} is not an integer from {least} to {most}. Give one.")
            object.__setattr__(self, name, int(value))
        for name, low, high in (("eig", 0.0, 1.0), ("shift", 1.0, 1e6), ("smoothing", 0.0, 1.0)):
            share = getattr(self, name)
            number = isinstance(share, (int, float, np.integer, np.floating)) and not isinstance(share, bool)
            if not number or not low <= share <= high:
                raise OptionError(f"--{name}: {share!r} is not a number from {low:g} to {high:g}. Give one.")
            object.__setattr__(self, name, float(share))
