"""Standard errors and intervals of cosines: by the delta method, or by draws.

With u = a/|a|, v = b/|b| and c = u . v, the gradient of the cosine by a is (v - c u) / |a|, that by b (u - c v) / |b|.
The words' errors count as independent (Vallebueno and others 2024), so that

    se^2 = g_a^T Cov(a) g_a + g_b^T Cov(b) g_b

Draws replace both vectors by a + Cov(a)^1/2 z, z standard normal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.memory import allowed_memory, in_words, used_memory
from glove_cli.parallel import Progress
from glove_cli.uncertainty.level import LEVEL, check_level
from glove_cli.uncertainty.training_noise import TrainingNoise
from glove_cli.uncertainty.vectors import UncertainVectors

MAX_DRAWS = 1_000_000
_DRAWS_TOGETHER = 1 << 24  # numbers of drawn vectors that are in memory at once


@dataclass(frozen=True)
class CosineInterval:
    """How near two words are, and how sure that is.

    Attributes
    ----------
    a, b : str
    cosine : float
        Of the vectors as they are.
    se : float
        Standard error; NaN where a word has too few contexts, or a vector of zeros.
    low, high : float
        Limits of the interval, from -1 to 1; NaN where `se` is.
    """

    a: str
    b: str
    cosine: float
    se: float
    low: float
    high: float


def check_draws(draws: int, *, least: int = 0) -> None:
    """Refuse a number of draws that says nothing.

    Parameters
    ----------
    draws : int
    least : int
        0 where the delta method stands for none.

    Raises
    ------
    OptionError
    """
    if isinstance(draws, bool) or not isinstance(draws, (int, np.integer)) or draws > MAX_DRAWS:
        raise OptionError(f"--draws: {draws!r} is not an integer up to {MAX_DRAWS:,}. Give 1000, for instance.")
    if draws != least and draws < 100:
        other = " or 0" if least == 0 else ""
        raise OptionError(f"--draws: {draws} are too few for an interval. Give 100 or more{other}.")


def similarity_intervals(
    source: UncertainVectors,
    pairs: Sequence[tuple[str, str]],
    *,
    level: float = LEVEL,
    draws: int = 0,
    seed: int = 1,
    training: TrainingNoise | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> list[CosineInterval]:
    """Return the cosines of pairs of words with standard errors and intervals.

    Parameters
    ----------
    source : UncertainVectors
    pairs : sequence of (str, str)
    level : float
        Share of the intervals that are to hold the true value.
    draws : int
        0 for the delta method; else how often vectors are drawn.
    seed : int
        Of the draws.
    training : TrainingNoise, optional
        What another seed would change, to be added; or what another text would, which is the whole of the noise.
    threads : int, optional
    progress : callable, optional
        See `UncertainVectors.each`.

    Returns
    -------
    list of CosineInterval

    Raises
    ------
    UnknownWordError
        If a word has no vector.
    OptionError
        If `level` is no share, `draws` too few or without effect, or `seed` no integer of at least 0.

    Notes
    -----
    The delta method's interval is cosine - z se to cosine + z se, cut at -1 and 1. That of draws is the same with their
    standard deviation: their mean is no better than the cosine, as noise that is added a second time brings words
    apart a second time.
    """
    check_level(level)
    check_draws(draws)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise OptionError(f"--seed: {seed!r} is not an integer of at least 0. Give one.")
    resampled = training is not None and training.resampled
    if resampled and draws:
        raise OptionError("--draws: are of the noise of counts, which resampled matrices tell already. Leave them out.")
    cosines, words, places = _cosines(source, pairs)
    if training is not None and training.resampled:
        rows = [source.vectors.row(word) for word in words]
        training.asked.update(dict.fromkeys(w for w, r in zip(words, rows, strict=True) if r in training.unseen))
        known = np.array([source.vectors.unit_rows[r].any() and r not in training.unseen for r in rows], bool)
        variances = np.where(known[places].all(axis=1), 0.0, np.nan)
    elif draws:
        drawn = draw_cosines(source, pairs, draws=draws, seed=seed, threads=threads, progress=progress)
        variances = drawn.var(axis=0, ddof=1)
    else:
        variances = _delta(source, words, places, cosines, threads, progress)
    if training is not None:
        variances = variances + training.variances(pairs, cosines)
    found = []
    for (a, b), cosine, variance in zip(pairs, cosines.tolist(), variances.tolist(), strict=True):
        se = math.sqrt(max(0.0, variance)) if not math.isnan(variance) else math.nan
        found.append(CosineInterval(a, b, cosine, se, *limits(cosine, se, level)))
    return found


def limits(cosine: float, se: float, level: float) -> tuple[float, float]:
    """Return the limits of an interval.

    Parameters
    ----------
    cosine, se, level : float
    """
    reach = normal_reach(level) * se
    if math.isnan(reach):
        return math.nan, math.nan
    return min(1.0, max(-1.0, cosine - reach)), max(-1.0, min(1.0, cosine + reach))


def normal_reach(level: float) -> float:
    """Return z, so that a standard normal number lies within -z and z with a probability of `level`.

    Parameters
    ----------
    level : float
    """
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def cosine_gradients(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the gradient of the cosine of a and b by each of them.

    Parameters
    ----------
    a, b : float64 arrays (d,)
        Not zero.
    """
    length_a, length_b = np.linalg.norm(a), np.linalg.norm(b)
    u, v = a / length_a, b / length_b
    cosine = u @ v
    return (v - cosine * u) / length_a, (u - cosine * v) / length_b


def draw_cosines(
    source: UncertainVectors,
    pairs: Sequence[tuple[str, str]],
    *,
    draws: int,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """Return the cosines of pairs of words whose vectors are drawn again and again.

    Parameters
    ----------
    source : UncertainVectors
    pairs : sequence of (str, str)
    draws, seed : int
    threads : int, optional
    progress : callable, optional

    Returns
    -------
    float64 array (draws, pairs)
        NaN where a word has too few contexts. A word's draws depend on the seed and the word alone.

    Raises
    ------
    UnknownWordError
        If a word has no vector.
    OptionError
        If the words' covariances take more memory than there is.
    """
    if not pairs:
        return np.empty((draws, 0))
    _, words, places = _cosines(source, pairs)
    rows = np.array([source.vectors.row(word) for word in words], np.int64)
    d = source.model.dim * (2 if source.kind == "concat" else 1)
    needed, allowed = (len(words) * d * d + 3 * draws * len(pairs)) * 8, max(0, allowed_memory() - used_memory())
    if needed > allowed:
        raise OptionError(
            f"--draws: {draws:,} draws of {len(pairs):,} pairs and the covariances of {len(words):,} words take "
            f"{in_words(needed)} of memory, there are {in_words(allowed)}. Ask for less, or leave --draws out."
        )
    plain, roots = source.plain(rows), np.zeros((len(words), d, d))
    unknown = np.zeros(len(words), bool)
    for k, each in enumerate(source.each(words, changed=False, threads=threads, progress=progress)):
        unknown[k] = each.covariance is None or not plain[k].any()
        if each.covariance is not None:
            values, directions = np.linalg.eigh(each.covariance)
            roots[k] = (directions * np.sqrt(np.maximum(values, 0))).T
    generators = [np.random.default_rng([seed, row]) for row in rows.tolist()]
    result = np.empty((draws, len(pairs)))
    for block in _blocks(draws, len(words) * d):
        noise = np.stack([generator.standard_normal((block.stop - block.start, d)) for generator in generators])
        noise = noise @ roots + plain[:, np.newaxis]
        drawn = source.changes.apply(noise.reshape(-1, d)).reshape(len(words), block.stop - block.start, -1)
        lengths = np.linalg.norm(drawn, axis=2, keepdims=True)
        unit = np.divide(drawn, lengths, out=np.zeros_like(drawn), where=lengths > 0)
        for pair, (i, j) in enumerate(places.tolist()):
            result[block, pair] = np.einsum("nd,nd->n", unit[i], unit[j])
    result[:, unknown[places].any(axis=1)] = np.nan
    return result


def _blocks(draws: int, width: int) -> Iterator[slice]:
    step = max(1, _DRAWS_TOGETHER // max(1, width))
    for begin in range(0, draws, step):
        yield slice(begin, min(draws, begin + step))


def _cosines(
    source: UncertainVectors, pairs: Sequence[tuple[str, str]]
) -> tuple[NDArray[np.float64], list[str], NDArray[np.int64]]:
    """Return the cosine of each pair, the different words, and where in these those of a pair are, (pairs, 2)."""
    words = list(dict.fromkeys(word for pair in pairs for word in pair))
    number = {word: k for k, word in enumerate(words)}
    places = np.array([[number[word] for word in pair] for pair in pairs], np.int64).reshape(-1, 2)
    cosines = np.array([source.vectors.similarity(a, b) for a, b in pairs])
    return cosines, words, places


def _delta(
    source: UncertainVectors,
    words: list[str],
    places: NDArray[np.int64],
    cosines: NDArray[np.float64],
    threads: int | None,
    progress: Progress | None,
) -> NDArray[np.float64]:
    """Return the variance of each cosine; NaN where it is unknown."""
    rows = np.array([source.vectors.row(word) for word in words], np.int64)
    vectors = source.changes.apply(source.plain(rows)) if len(rows) else np.zeros((0, 1))
    variances = np.zeros(len(places))
    of_word: list[list[tuple[int, int]]] = [[] for _ in words]
    for pair, (i, j) in enumerate(places.tolist()):
        of_word[i].append((pair, j))
        if i != j:
            of_word[j].append((pair, i))
    for k, each in enumerate(source.each(words, threads=threads, progress=progress)):
        for pair, other in of_word[k]:
            variances[pair] += _part(vectors[k], vectors[other], each.covariance) if other != k else 0.0
    return variances


def _part(a: NDArray[np.float64], b: NDArray[np.float64], covariance: NDArray[Any] | None) -> float:
    """Return what the noise of a adds to the variance of the cosine of a and b."""
    if covariance is None or not a.any() or not b.any():
        return math.nan
    gradient, _ = cosine_gradients(a, b)
    return float(gradient @ covariance @ gradient)
