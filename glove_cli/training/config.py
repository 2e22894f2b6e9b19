"""The options of training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glove_cli.errors import OptionError

MAX_DIM = 1 << 15
MAX_SEED = 2**64 - 1
MAX_NUMBER = 1e30  # what float32 holds, and products of it with numbers near 1
MAX_HOLDOUT = 0.5
DTYPES = ("float32", "float64")
INIT_BIASES = ("zero", "random", "fit")
ON_DIVERGENCE = ("stop", "halve-eta")
# A bias's sum of squares is kept in units of (eta / bias_eta)^2, in float32 (see `state`), which must not overflow.
_MAX_RATIO = 1e15
_INTEGERS = (("dim", 1, MAX_DIM), ("epochs", 1, 2**31 - 1), ("seed", 0, MAX_SEED), ("patience", 0, 2**31 - 1))
_RATES = ("eta", "bias_eta", "grad_clip")
_NUMBERS = ("x_max", "alpha", "min_weight", *_RATES, "holdout", "anchor_strength", "min_improvement")
_MAY_BE_ZERO = ("alpha", "min_weight", "bias_eta", "holdout", "anchor_strength", "min_improvement")


@dataclass(frozen=True)
class TrainConfig:
    """How vectors are trained.

    Attributes
    ----------
    dim : int
        Numbers in a vector, d.
    epochs : int
        Passes over all entries, at most.
    x_max, alpha : float
        An entry x weighs f(x) = (x / x_max) ** alpha, at most 1 (Pennington et al. 2014, equation 9).
    min_weight : float
        An entry that weighs less, f(x) < min_weight, is met in an epoch with probability f(x) / min_weight only, and
        weighs min_weight then: the same cost and gradient on average, in less time (importance sampling). 0 meets all.
    eta : float
        Learning rate of the vectors.
    bias_eta : float
        Learning rate of the biases; 1 is the reference's.
    grad_clip : float
        The step of a component, before the learning rate, is cut to this size. Biases are not cut, as in the reference.
    seed : int
        Draws the first values and the order of the tiles.
    dtype : {"float32", "float64"}
        Of all parameters; float64 is for comparisons, and several times slower.
    holdout : float
        Share of the pairs of words that are not trained on, and whose cost is reported instead; at most 0.5. Which
        they are depends on the pair alone.
    patience : int
        Stop after so many epochs without improvement of the cost (that of the pairs held out, if there are any); 0 to
        go on whatever it does.
    min_improvement : float
        Share by which the cost has to fall below the best one before to count as improved.
    target_cost : float or None
        Stop when the cost is as low as this.
    on_divergence : {"stop", "halve-eta"}
        What to do when the cost isn't finite or explodes: stop, or go back to the beginning of the epoch and go on with
        half of eta and bias_eta.
    init_biases : {"zero", "random", "fit"} or None
        Where biases start: at 0, at small random numbers, or at their weighted least-squares fit to log x. None: at the
        biases of what training starts from, if it has any, else "random".
    anchor_strength : float
        Strength of a penalty on the distance of w + c from the vectors that training starts from (Dingwall and Potts
        2018).
    """

    dim: int = 100
    epochs: int = 25
    x_max: float = 100.0
    alpha: float = 0.75
    min_weight: float = 0.0
    eta: float = 0.05
    bias_eta: float = 1.0
    grad_clip: float = 100.0
    seed: int = 1
    dtype: str = "float32"
    holdout: float = 0.0
    patience: int = 0
    min_improvement: float = 0.0
    target_cost: float | None = None
    on_divergence: str = "stop"
    init_biases: str | None = None
    anchor_strength: float = 0.0

    def __post_init__(self) -> None:
        for name, least, most in _INTEGERS:
            object.__setattr__(self, name, _integer(name, getattr(self, name), least=least, most=most))
        for name in _NUMBERS:
            object.__setattr__(self, name, _number(name, getattr(self, name), zero=name in _MAY_BE_ZERO))
        if self.target_cost is not None:
            object.__setattr__(self, "target_cost", _number("target_cost", self.target_cost, zero=False))
        _choice("dtype", self.dtype, DTYPES)
        _choice("on_divergence", self.on_divergence, ON_DIVERGENCE)
        if self.init_biases is not None:
            _choice("init_biases", self.init_biases, INIT_BIASES)
        if self.min_weight > 1:
            raise OptionError(f"--min-weight: {self.min_weight!r} is more than any entry weighs. Give at most 1.")
        if self.holdout > MAX_HOLDOUT:
            raise OptionError(f"--holdout: {self.holdout!r} is too large a share. Give at most {MAX_HOLDOUT}.")
        if self.min_improvement >= 1:
            raise OptionError(
                f"--min-improvement: {self.min_improvement!r} is no share. Give less than 1, such as 0.01."
            )
        if self.min_improvement and not self.patience:
            raise OptionError("--min-improvement: has no effect without --patience. Give both.")
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


def _choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError(f"--{name.replace('_', '-')}: {value!r} is none of {', '.join(choices)}. Choose one of them.")
