"""The options of language models and of comparing vectors by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from glove_cli.corpus.config import positive, real
from glove_cli.errors import OptionError

MAX_ORDER = 5
MAX_CONTEXT = 20
MAX_HIDDEN = 10_000
MAX_SEED = 2**63 - 1
LEAST_COVERAGE = 0.5  # of the test text's tokens that are words of the vocabulary


@dataclass(frozen=True)
class LanguageConfig:
    """How vectors are compared by language models.

    Attributes
    ----------
    orders : tuple of int
        Orders n of the n-gram models.
    shares : tuple of float
        Shares of the training text that are learned from; the smaller ones are parts of the larger ones.
    seeds : tuple of int
        Each draws the lines of a share, and the numbers that a network begins with.
    max_vocab : int
        At most so many words, the most frequent ones of the training text; the others are <unk>.
    context : int
        Words K before a word that a network sees.
    hidden : int
        Units h of its hidden layer.
    direct : bool
        Whether the vectors of the context also lead to the output directly.
    epochs : int
        Passes over the training text, at most.
    most_tokens : int
        Tokens of all passes together, at most, but for the first pass, which is always whole.
    patience : int
        Stop after so many passes without a better perplexity on the validation text.
    batch : int
        Tokens between two steps.
    negatives : int
        Words drawn for a batch, beside its own, that stand for the whole vocabulary while a network learns. 0 computes
        with the whole vocabulary.
    eta : float
        Learning rate.
    """

    orders: tuple[int, ...] = (4,)
    shares: tuple[float, ...] = (1.0, 0.5, 0.1, 0.01)
    seeds: tuple[int, ...] = (1, 2, 3)
    max_vocab: int = 10_000
    context: int = 4
    hidden: int = 64
    direct: bool = False
    epochs: int = 10
    most_tokens: int = 1_500_000
    patience: int = 1
    batch: int = 1024
    negatives: int = 100
    eta: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "orders", checked_orders("--lm-order", self.orders))
        seeds = [checked_seed("--lm-seed", seed) for seed in _several(self.seeds)]
        object.__setattr__(self, "seeds", tuple(dict.fromkeys(seeds)))
        shares = tuple(real("--lm-share", share) for share in _several(self.shares))
        for share in shares:
            if not 0 < share <= 1:
                raise OptionError(f"--lm-share: {share:g} is no share of a text. Give more than 0 and at most 1.")
        object.__setattr__(self, "shares", tuple(sorted(set(shares), reverse=True)))
        for name in ("seeds", "shares"):
            if not getattr(self, name):
                raise OptionError(f"--lm-{name[:-1]}: there is none. Give at least one.")
        for name in ("max_vocab", "context", "hidden", "epochs", "most_tokens", "patience", "batch"):
            value = positive(f"--lm-{name.removeprefix('max_').removeprefix('most_')}", getattr(self, name))
            object.__setattr__(self, name, value)
        if self.hidden > MAX_HIDDEN:
            raise OptionError(f"--lm-hidden: {self.hidden} units are too many. Give at most {MAX_HIDDEN:,}.")
        if self.context > MAX_CONTEXT:
            raise OptionError(f"--lm-context: {self.context} words are too many. Give at most {MAX_CONTEXT}.")
        if isinstance(self.negatives, bool) or not isinstance(self.negatives, (int, np.integer)) or self.negatives < 0:
            raise OptionError(f"negatives: {self.negatives!r} is not an integer of at least 0. Give one.")
        if real("eta", self.eta) <= 0:
            raise OptionError(f"eta: {self.eta:g} is not positive. Give a learning rate such as 0.1.")

    def passes(self, tokens: int) -> int:
        """Return how often a text of so many tokens is passed over, at most.

        Parameters
        ----------
        tokens : int
        """
        return max(1, min(self.epochs, self.most_tokens // max(1, tokens)))


def checked_orders(option: str, orders: object) -> tuple[int, ...]:
    """Return orders of n-gram models, each once.

    Parameters
    ----------
    option : str
        What an error calls them.
    orders : int or iterable of int

    Returns
    -------
    tuple of int

    Raises
    ------
    OptionError
        If there is none, or one isn't an integer from 1 to 5.
    """
    listed: tuple[Any, ...] = _several(orders)
    for order in listed:
        good = isinstance(order, (int, np.integer)) and not isinstance(order, bool) and 1 <= order <= MAX_ORDER
        if not good:
            raise OptionError(f"{option}: {order!r} is not an integer from 1 to {MAX_ORDER}. Give one.")
    if not listed:
        raise OptionError(f"{option}: there is none. Give an integer from 1 to {MAX_ORDER}.")
    return tuple(dict.fromkeys(int(order) for order in listed))


def checked_seed(option: str, seed: object) -> int:
    """Return a seed.

    Parameters
    ----------
    option : str
        What an error calls it.
    seed : int

    Raises
    ------
    OptionError
        If it isn't an integer from 0 to 2**63 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed <= MAX_SEED:
        raise OptionError(f"{option}: {seed!r} is not an integer from 0 to {MAX_SEED}. Give one.")
    return int(seed)


def _several(values: Any) -> tuple[Any, ...]:
    """Return several values, or a single one as a tuple."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        return (values,)
    return tuple(values)
