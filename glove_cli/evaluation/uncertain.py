"""How much of a correlation with people is noise of the vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glove_cli.evaluation.questions import PathLike
from glove_cli.evaluation.similarity import pair_rows, spearman
from glove_cli.parallel import Progress
from glove_cli.uncertainty.cosines import check_draws, draw_cosines, normal_reach
from glove_cli.uncertainty.level import LEVEL, check_level
from glove_cli.uncertainty.training_noise import TrainingNoise
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
        Standard deviation of the draws' rho, or of that of other trainings, or root of both variances.
    low, high : float
        Limits of the interval.
    pairs, of : int
        Pairs of which both words are known and have contexts enough, pairs in the file.
    rare : tuple of str
        Words with too few contexts, or none in a resampled text, in the order of the file.
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
    training: TrainingNoise | None = None,
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
    training : TrainingNoise, optional
        What another seed would change, to be added; or what another text would, which is the whole of the noise: then
        nothing is drawn.
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
    pairs. The interval is rho - t se to rho + t se; the draws' mean lies below rho, because they have the noise twice.
    t is Student's, with the degrees of freedom that Satterthwaite (1946) gives a sum of two variances: that of many
    draws, and that of rho in the n models of `training`, with n - 1.
    """
    check_level(level)
    if training is None or not training.resampled:
        check_draws(draws, least=100)
    words = source.vectors.words
    rows, people, _, _ = pair_rows(words, file, protocol, restrict)
    known = (rows >= 0).all(axis=1)
    pairs = [(words[a], words[b]) for a, b in rows[known].tolist()]
    without: set[str] = set()
    if training is None or not training.resampled:
        drawn = draw_cosines(source, pairs, draws=draws, seed=seed, threads=threads, progress=progress)
        without = set(source.rare)
    else:
        usable: NDArray[np.bool_] = np.any(source.vectors.unit_rows, axis=1)
        usable[list(training.unseen)] = False
        without = {words[row] for row in training.unseen}
        drawn = np.where(usable[rows[known]].all(axis=1), 0.0, np.nan)[np.newaxis]
    people, counted = people[known], ~np.isnan(drawn).any(axis=0)
    cosines = np.array([source.vectors.similarity(a, b) for a, b in pairs])
    rho = spearman(cosines[counted], people[counted])
    se = reach = math.nan
    if math.isfinite(rho):
        variances = [_variance(drawn[:, counted], people[counted])] if len(drawn) > 1 else [0.0]
        if training is not None:
            variances.append(_variance(training.cosines(pairs)[:, counted], people[counted]))
        se = math.sqrt(sum(variances))
        reach = se * _t(level, variances, len(training.vectors) - 1 if training is not None else 0)
    asked = dict.fromkeys(word for pair in pairs for word in pair)
    rare = tuple(word for word in asked if word in without)
    low, high = (max(-1.0, rho - reach), min(1.0, rho + reach)) if math.isfinite(reach) else (math.nan, math.nan)
    return UncertainRho(Path(file).stem, rho, se, low, high, int(counted.sum()), len(rows), rare)


def _variance(cosines: NDArray[np.float64], people: NDArray[np.float64]) -> float:
    """Return the variance of rho over rows of cosines."""
    return float(np.var([spearman(row, people) for row in cosines], ddof=1))


def _t(level: float, variances: list[float], freedom: int) -> float:
    """Return how many standard errors an interval reaches, if the last of several variances is an estimate."""
    if len(variances) < 2 or not variances[-1]:
        return normal_reach(level)
    from scipy.special import stdtrit

    return float(stdtrit(freedom * (sum(variances) / variances[-1]) ** 2, (1 + level) / 2))
