"""What training says after each epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EpochReport:
    """How an epoch went.

    Attributes
    ----------
    epoch, epochs : int
        Its number, from 1, and how many there will be at most.
    cost : float
        Mean of 1/2 f(x) diff^2 over the entries, each as it was when it was met.
    entries : int
        Entries trained in an epoch.
    seconds : float
        Time that it took.
    eta : float
        Learning rate of the vectors.
    holdout_cost : float or None
        Cost of the entries that are held out, after the epoch.
    accuracy : float or None
        What `evaluate` returned.
    event : str or None
        What went wrong: the epoch was rolled back and begins again. Its cost is not a number then.
    """

    epoch: int
    epochs: int
    cost: float
    entries: int
    seconds: float
    eta: float = 0.05
    holdout_cost: float | None = None
    accuracy: float | None = None
    event: str | None = None

    @property
    def entries_per_second(self) -> float:
        """Speed, in entries per second."""
        return self.entries / max(self.seconds, 1e-9)

    @property
    def seconds_left(self) -> float:
        """Time that the epochs to come will take at this speed, in seconds."""
        return (self.epochs - self.epoch) * self.seconds

    def as_history(self) -> dict[str, Any]:
        """Return what a history keeps of it."""
        entry: dict[str, Any] = {"epoch": self.epoch, "cost": self.cost}
        for name in ("holdout_cost", "accuracy"):
            if getattr(self, name) is not None:
                entry[name] = getattr(self, name)
        entry |= {"eta": self.eta, "seconds": round(self.seconds, 3)}
        if self.event is not None:
            del entry["cost"]
            entry["event"] = self.event
        return entry
