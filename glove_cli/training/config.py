"""The options of training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glove_cli.errors import OptionError

MAX_DIM = 1 << 15
MAX_SEED = 2**64 - 1
MAX_NUMBER = 1e30  # what float32 holds, and products of it with numbers near 1
# A bias's sum of squares is kept in units of (eta / bias_eta)^2, in float32 (see `state`), which must not overflow.
_MAX_RATIO = 1e15


@dataclass(frozen=True)
class TrainConfig:
    """How vectors are trained.

    Attributes
    ----------
    dim : int
        Numbers in a vector, d.
    epochs : int
        Passes over all entries.
    x_max, alpha : float
        An entry x weighs f(x) = (x / x_max) ** alpha, at most 1 (Pennington et al. 2014, equation 9).
    eta : float
        Learning rate of the vectors.
    bias_eta : float
        Learning rate of the biases; 1 is the reference's.
    grad_clip : float
        The step of a component, before the learning rate, is cut to this size. Biases are not cut, as in the reference.
    seed : int
        Draws the first values, the order of the entries and the order of the tiles.
    """

    dim: int = 100
    epochs: int = 25
    x_max: float = 100.0
    alpha: float = 0.75
    eta: float = 0.05
    bias_eta: float = 1.0
    grad_clip: float = 100.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, least, most in (("dim", 1, MAX_DIM), ("epochs", 1, 2**31 - 1), ("seed", 0, MAX_SEED)):
            object.__setattr__(self, name, _integer(name, getattr(self, name), least=least, most=most))
        for name in ("x_max", "alpha", "eta", "bias_eta", "grad_clip"):
            zero = name in ("alpha", "bias_eta")
            object.__setattr__(self, name, _number(name, getattr(self, name), zero=zero))
        if self.bias_eta and not 1 / _MAX_RATIO <= self.bias_eta / self.eta <= _MAX_RATIO:
            raise OptionError(
                f"--bias-eta: {self.bias_eta!r} is too far from --eta {self.eta!r}. Take 0 to keep biases still."
            )


def _integer(name: str, value: object, *, least: int, most: int) -> int:
    """Return an integer of Python, whatever kind of integer is given."""
    option = "--" + name.replace("_", "-")
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        kind = "a positive integer" if least == 1 else "an integer of 0 or more"
        raise OptionError(f"{option}: {value!r} is not {kind}. Give {least} or more.")
    if value > most:
        raise OptionError(f"{option}: {value!r} is too large. Give at most {most}.")
    return int(value)


def _number(name: str, value: object, *, zero: bool) -> float:
    """Return a float of Python, whatever kind of number is given."""
    option = "--" + name.replace("_", "-")
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    size = float(value) if number else math.nan  # type: ignore[arg-type]
    if not (0 <= size < math.inf) or (size == 0 and not zero):
        kind = "a number of 0 or more" if zero else "a positive number"
        raise OptionError(f"{option}: {value!r} is not {kind}. Give {'0' if zero else 'more than 0'} or a larger one.")
    if size > MAX_NUMBER:
        raise OptionError(f"{option}: {value!r} is too large. Give at most {MAX_NUMBER:g}.")
    return size
