"""How much of a correlation with people is noise of the vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glove_cli.evaluation.questions import PathLike
from glove_cli.evaluation.similarity import pair_rows, spearman
from glove_cli.parallel import Progress
from glove_cli.uncertainty.cosines import check_draws, draw_cosines, normal_reach
from glove_cli.uncertainty.level import LEVEL, check_level
from glove_cli.uncertainty.vectors import UncertainVectors


@dataclass(frozen=True)
class UncertainRho:
    """Spearman's rho of vectors that are drawn again and again.

    Attributes
    ----------
    name : str
        The file's name without its ending.
    rho : float
        Of the vectors as they are, over the pairs counted here.
    se : float
        Standard deviation of the draws' rho.
    low, high : float
        Limits of the interval.
    pairs, of : int
        Pairs of which both words are known and have contexts enough, pairs in the file.
    rare : tuple of str
        Words with too few contexts, in the order of the file.
    """

    name: str
    rho: float
    se: float
    low: float
    high: float
    pairs: int
    of: int
    rare: tuple[str, ...]


def uncertain_similarity(
    source: UncertainVectors,
    file: PathLike,
    *,
    draws: int = 1000,
    seed: int = 1,
    level: float = LEVEL,
    protocol: str = "reference",
    restrict: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> UncertainRho:
    """Correlate the cosines of vectors that are drawn from their noise with what people say.

    Parameters
    ----------
    source : UncertainVectors
    file : path-like
        Two words and a score a line.
    draws, seed : int
    level : float
        Share of the intervals that are to hold the rho of vectors without noise.
    protocol : str
        See `evaluate_similarity`.
    restrict : int, optional
        See `evaluate_similarity`.
    threads : int, optional
    progress : callable, optional

    Returns
    -------
    UncertainRho
        NaN for rho and interval where fewer than two pairs are left.

    Raises
    ------
    OptionError
        If `draws`, `level`, the protocol or `restrict` can't be.
    FormatError
        If the file can't be read.

    Notes
    -----
    The pairs count as given: this is noise of the vectors, the bootstrap of `describe_scores` that of the choice of
    pairs. The interval is rho - z se to rho + z se; the draws' mean lies below rho, because they have the noise twice.
    """
    check_level(level)
    check_draws(draws, least=100)
    words = source.vectors.words
    rows, people, _, _ = pair_rows(words, file, protocol, restrict)
    known = (rows >= 0).all(axis=1)
    pairs = [(words[a], words[b]) for a, b in rows[known].tolist()]
    drawn = draw_cosines(source, pairs, draws=draws, seed=seed, threads=threads, progress=progress)
    people, counted = people[known], ~np.isnan(drawn).any(axis=0)
    cosines = np.array([source.vectors.similarity(a, b) for a, b in pairs])
    rho = spearman(cosines[counted], people[counted])
    se = float(np.std(_correlations(drawn[:, counted], people[counted]), ddof=1)) if math.isfinite(rho) else math.nan
    reach = normal_reach(level) * se
    asked = dict.fromkeys(word for pair in pairs for word in pair)
    rare = tuple(word for word in asked if word in source.rare)
    low, high = (max(-1.0, rho - reach), min(1.0, rho + reach)) if math.isfinite(reach) else (math.nan, math.nan)
    return UncertainRho(Path(file).stem, rho, se, low, high, int(counted.sum()), len(rows), rare)


def _correlations(drawn: np.ndarray, people: np.ndarray) -> Sequence[float]:
    return [spearman(cosines, people) for cosines in drawn]
