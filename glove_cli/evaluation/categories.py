"""Categorization: whether words of a category lie together, so that clustering finds the categories again."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glove_cli.evaluation.groups import find_rows, read_categories
from glove_cli.evaluation.questions import PathLike, check_shape, unit_rows

_STARTS = 10
_ROUNDS = 10  # before it is asked whether clusters still get better


@dataclass(frozen=True)
class CategoryScore:
    """How well clusters of words fit their categories.

    Attributes
    ----------
    name : str
        The file's name without its ending.
    purity : float
        Share of the words seen that are of their cluster's most frequent category; NaN for fewer than two categories.
    seen, of : int
        Words that have a vector, words in the file.
    categories : int
        Categories that have a word with a vector: so many clusters were made.
    unknown : tuple of str
        Words without a vector, in the order of the file.
    """

    name: str
    purity: float
    seen: int
    of: int
    categories: int
    unknown: tuple[str, ...] = field(default=(), repr=False)


def evaluate_categories(vectors: NDArray[Any], words: Sequence[str], file: PathLike, *, seed: int = 0) -> CategoryScore:
    """Cluster the words of a file, and say how pure the clusters are.

    Parameters
    ----------
    vectors : float array (V, d)
        The vectors.
    words : sequence of str, length V
        Word of each row. A word of the file is looked up as it is written, or else in lower case.
    file : path-like
        A word and its category a line, see `read_categories`.
    seed : int
        Of the starts of the clustering.

    Returns
    -------
    score : CategoryScore
        Words without a vector are left out; `seen` says how many were left.

    Raises
    ------
    OptionError
        If shapes don't fit.
    FormatError
        If the file can't be read.
    GloveError
        If a vector that is asked for is not finite.

    Notes
    -----
    Purity is that of Manning, Raghavan and Schuetze, *Introduction to Information Retrieval* (2008), section 16.3.
    Clusters are those of k-means on unit vectors, the best of 10 starts by greedy k-means++ (Arthur and
    Vassilvitskii 2007). The papers that introduced the public sets cluster with CLUTO and get other numbers. With few
    words a category purity is high by chance: compare vectors on the same words only.
    """
    members = read_categories(file)
    vectors = np.asarray(vectors)
    check_shape(vectors, words)
    rows = find_rows(words, [word for word, _ in members])
    known = [(row, category) for row, (_, category) in zip(rows, members, strict=True) if row >= 0]
    names = sorted({category for _, category in known})
    score = float("nan")
    if len(names) > 1:
        chosen = [row for row, _ in known]
        unit = unit_rows(vectors[chosen], [words[row] for row in chosen])
        score = purity(_clusters(unit.astype(np.float64), len(names), seed), [category for _, category in known])
    unknown = tuple(word for row, (word, _) in zip(rows, members, strict=True) if row < 0)
    return CategoryScore(Path(file).stem, score, len(known), len(members), len(names), unknown)


def purity(clusters: ArrayLike, categories: ArrayLike) -> float:
    """Return the share of items that are of the most frequent category of their cluster.

    Parameters
    ----------
    clusters, categories : arrays (n,)
        Of each item.

    Returns
    -------
    purity : float
        Between 0 and 1; 1 if no cluster holds two categories.
    """
    _, cluster = np.unique(np.asarray(clusters), return_inverse=True)
    _, category = np.unique(np.asarray(categories), return_inverse=True)
    counts = np.zeros((cluster.max() + 1, category.max() + 1), np.int64)
    np.add.at(counts, (cluster, category), 1)
    return float(counts.max(axis=1).sum() / counts.sum())


def _clusters(unit: NDArray[np.float64], k: int, seed: int) -> NDArray[np.int32]:
    """Return the cluster of each row: k-means, the best of some starts."""
    from scipy.cluster.vq import kmeans2, vq  # only this function needs it

    rng = np.random.default_rng(seed)
    best, smallest = np.zeros(len(unit), np.int32), np.inf
    for _ in range(_STARTS):
        centres, inertia, before = unit[_start(unit, k, rng)], np.inf, np.inf
        while True:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of a cluster that has lost its words, and may stay empty
                centres, _ = kmeans2(unit, centres, iter=_ROUNDS, minit="matrix")
            labels, distances = vq(unit, centres)
            before, inertia = inertia, float((distances**2).sum())
            if not inertia < before:
                break
        if inertia < smallest:
            best, smallest = labels, inertia
    return best


def _start(unit: NDArray[np.float64], k: int, rng: np.random.Generator) -> list[int]:
    """Return rows to start from: greedy k-means++, each the best of some drawn by squared distance to those before."""
    # SciPy's own k-means++ draws one candidate, and its name for a seed depends on its version.
    from scipy.spatial.distance import cdist

    candidates = 2 + int(np.log(k))
    chosen = [int(rng.integers(len(unit)))]
    nearest = cdist(unit[chosen], unit, "sqeuclidean")[0]
    while len(chosen) < k:
        total = nearest.sum()
        chances = nearest / total if total > 0 else None  # all words left equal one that was chosen
        drawn = rng.choice(len(unit), candidates, p=chances)
        left = np.minimum(nearest, cdist(unit[drawn], unit, "sqeuclidean"))  # (candidates, n)
        best = int(left.sum(axis=1).argmin())
        chosen.append(int(drawn[best]))
        nearest = left[best]
    return chosen
