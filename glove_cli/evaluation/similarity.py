"""Compare the cosines of word pairs with what people say about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.evaluation.questions import PathLike, read_pairs, unit_rows


@dataclass(frozen=True)
class SimilarityScore:
    """Agreement with one similarity file.

    Attributes
    ----------
    name : str
        The file's name without its ending.
    rho : float
        Spearman's rank correlation over the pairs seen; NaN for fewer than two, or when all are equal.
    pairs, of : int
        Pairs with both words known, pairs in the file.
    """

    name: str
    rho: float
    pairs: int
    of: int


def evaluate_similarity(
    vectors: NDArray[Any], words: Sequence[str], file: PathLike, *, lowercase: bool = True
) -> SimilarityScore:
    """Correlate cosines with the scores of a file of word pairs.

    Parameters
    ----------
    vectors : float array (V, d)
        The vectors; the reference scores the sum of word and context vectors.
    words : sequence of str, length V
        Word of each row.
    file : path-like
        Two words and a score a line.
    lowercase : bool
        Look the file's words up in lower case, as most corpora are written; otherwise as they stand.

    Returns
    -------
    score : SimilarityScore
        Pairs with an unknown word are left out, not guessed; `pairs` says how many were left.

    Raises
    ------
    OptionError
        If shapes don't fit.
    FormatError
        If the file can't be read.
    GloveError
        If a vector is not finite.
    """
    pairs = read_pairs(file)
    unit = unit_rows(vectors, words)
    index: dict[str, int] = {}
    for row, word in enumerate(words):
        index.setdefault(word, row)
    known: list[tuple[int, int, float]] = []
    for first, second, score in pairs:
        a, b = (index.get(word.lower() if lowercase else word) for word in (first, second))
        if a is not None and b is not None:
            known.append((a, b, score))
    rho = float("nan")
    if len(known) >= 2:
        rows = np.array([pair[:2] for pair in known])
        cosines = np.einsum("ij,ij->i", unit[rows[:, 0]], unit[rows[:, 1]], dtype=np.float64)
        rho = _spearman(cosines, np.array([pair[2] for pair in known]))
    return SimilarityScore(Path(file).stem, rho, len(known), len(pairs))


def _spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's rho with average ranks for ties; NaN when one side is constant."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    from scipy.stats import spearmanr  # takes half a second to import, and only this function needs it

    return float(spearmanr(a, b).statistic)
