"""What a comparison by language models finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glove_cli.evaluation.statistics import Interval
from glove_cli.language.config import LanguageConfig
from glove_cli.language.overlap import Overlap


@dataclass(frozen=True)
class LanguageScore:
    """Perplexities of one kind of model that learned from one share of the training text.

    Attributes
    ----------
    kind : {"n-gram", "random", "frozen", "tuned"}
    model : str or None
        The vectors; None for n-grams and random vectors.
    size : int
        Order of the n-grams, or numbers of a vector.
    share : float
    tokens : tuple of int
        Tokens of the training text, of each run.
    perplexities : tuple of float
        Of each run on the test text. There is one for each seed; only one where nothing is drawn.
    epochs : tuple of int
        The best pass of each run; empty for n-grams.
    seconds : tuple of float
        Of each run, with its scoring.
    """

    kind: str
    model: str | None
    size: int
    share: float
    tokens: tuple[int, ...]
    perplexities: tuple[float, ...]
    epochs: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def perplexity(self) -> float:
        """Geometric mean over the runs: exp of the mean cross entropy."""
        return float(np.exp(np.mean(np.log(self.perplexities))))

    @property
    def interval(self) -> Interval | None:
        """95 % interval of the mean over seeds; None of a single run.

        Notes
        -----
        Student's t with n - 1 degrees of freedom, of the logarithms. It tells how much seeds differ, not how much other
        test texts would.
        """
        n = len(self.perplexities)
        if n < 2:
            return None
        from scipy.stats import t

        logs = np.log(self.perplexities)
        half = float(t.ppf(0.975, n - 1) * logs.std(ddof=1) / np.sqrt(n))
        return Interval(float(np.exp(logs.mean() - half)), float(np.exp(logs.mean() + half)))


@dataclass(frozen=True)
class LanguageReport:
    """How well language models predict a text, with and without vectors.

    Attributes
    ----------
    config : LanguageConfig
    V : int
        Words of the vocabulary; V + 2 outcomes with the end of a line and <unk>.
    tokens : dict of str to int
        Tokens of the texts `train`, `valid` and `test`, with the ends of lines.
    cut : tuple of str
        Which of `valid` and `test` were cut off from the training text.
    coverage : dict of str to float
        Of each text, the share of its tokens that are words of the vocabulary.
    known : dict of str to float
        Of each model, the share of the test text's tokens that it has vectors for, of words of the training text.
    overlap : Overlap
        How much of the test text stands in the training text.
    scores : list of LanguageScore
    """

    config: LanguageConfig
    V: int
    tokens: dict[str, int]
    cut: tuple[str, ...]
    coverage: dict[str, float]
    known: dict[str, float]
    overlap: Overlap
    scores: list[LanguageScore]
