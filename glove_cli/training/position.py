"""Where a training is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Position:
    """How far training has come.

    Attributes
    ----------
    epoch : int
        The one that is going on, from 1.
    round : int
        Rounds of it that are done.
    cost : float
        Sum of 1/2 f diff^2 over the entries of those rounds.
    entries : int
        Number of those entries.
    seconds : float
        Time that the epoch took so far.
    halvings : int
        How often the learning rates were halved.
    first_cost : float
        Cost per entry of the parameters that training started from.
    history : list of dict
        An entry for each epoch that ended.
    """

    epoch: int = 1
    round: int = 0
    cost: float = 0.0
    entries: int = 0
    seconds: float = 0.0
    halvings: int = 0
    first_cost: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, values: dict[str, Any]) -> Position:
        """Return the position that `asdict` wrote.

        Raises
        ------
        TypeError
            If it is something else.
        """
        position = cls(**values)
        for name, kind in (("epoch", int), ("round", int), ("cost", float), ("entries", int), ("halvings", int)):
            if not isinstance(getattr(position, name), kind):
                raise TypeError(f"its {name} is {getattr(position, name)!r}")
        if not isinstance(position.history, list) or not all(isinstance(entry, dict) for entry in position.history):
            raise TypeError("its history is not a list of epochs")
        return position

    def begin_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch."""
        self.epoch, self.round, self.cost, self.entries, self.seconds = epoch, 0, 0.0, 0, 0.0
