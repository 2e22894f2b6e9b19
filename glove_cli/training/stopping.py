"""When training has gone far enough, or wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from glove_cli.errors import TrainingError
from glove_cli.training.config import TrainConfig

_EXPLODED = 100.0  # times the cost at the start
_LEAST_COST = 1e-3  # a start that is nearer to 0 counts as this


class DivergedError(TrainingError):
    """The cost isn't finite, or it explodes."""


def reason_to_stop(history: Sequence[Mapping[str, Any]], config: TrainConfig) -> str | None:
    """Return why training should end before its last epoch, or None.

    Parameters
    ----------
    history : sequence of mappings
        An entry for each epoch: "cost", and "holdout_cost" if pairs are held out, which is looked at then. Entries with
        an "event" are epochs that were rolled back.
    config : TrainConfig
    """
    costs = [entry.get("holdout_cost", entry["cost"]) for entry in history if "event" not in entry]
    if not costs:
        return None
    if config.target_cost is not None and costs[-1] <= config.target_cost:
        return f"the cost is {costs[-1]:.6f}, --target-cost {config.target_cost:g}"
    if not config.patience:
        return None
    best, since = math.inf, 0
    for cost in costs:
        if cost < best * (1 - config.min_improvement):
            best, since = cost, 0
        else:
            since += 1
    if since >= config.patience:
        return f"the cost has not improved for {since} epoch{'s' if since > 1 else ''}"
    return None


def check_cost(cost: float, first_cost: float) -> None:
    """Refuse a cost per entry that isn't finite, or far above that of the start.

    Parameters
    ----------
    cost, first_cost : float
        Per entry: of a round, and of the parameters that training started from.

    Raises
    ------
    DivergedError
    """
    if not math.isfinite(cost):
        raise DivergedError("the cost is not finite")
    if cost > _EXPLODED * max(first_cost, _LEAST_COST):
        raise DivergedError(f"the cost is {cost:.3g}, at the start it was {first_cost:.3g}")


def divergence_error(
    error: DivergedError, epoch: int, config: TrainConfig, eta: float, other: str = ""
) -> TrainingError:
    """Return the error that ends a training that diverged.

    Parameters
    ----------
    error : DivergedError
    epoch : int
    config : TrainConfig
    eta : float
        Learning rate of the vectors.
    other : str
        What else can be done.
    """
    rates = f"--eta ({eta:g}) or --bias-eta ({config.bias_eta * eta / config.eta:g})"
    return TrainingError(f"--eta: training has diverged in epoch {epoch}: {error}. Lower {rates}{other}.")
