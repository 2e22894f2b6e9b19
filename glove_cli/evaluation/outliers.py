"""Outlier detection: which word of a group does not belong to the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.evaluation.groups import find_rows, group_files, read_outliers
from glove_cli.evaluation.questions import PathLike, check_shape, unit_rows

_DIGITS = 12  # sums of cosines that are equal but for rounding are a tie


@dataclass(frozen=True)
class OutlierScore:
    """How well outliers were told from the words of their groups.

    Attributes
    ----------
    name : str
        The name of the file or folder, a file's without its ending.
    accuracy : float
        Share of the outliers seen that were found; NaN when none was seen.
    opp : float
        Outlier position percentage, as a share: the mean of position / size of the group; NaN when none was seen.
    found, seen, of : int
        Outliers found, outliers that could be asked for, outliers in all groups.
    groups : int
        Groups, each a file.
    unknown : tuple of str
        Words of the groups and outliers that have no vector.
    """

    name: str
    accuracy: float
    opp: float
    found: int
    seen: int
    of: int
    groups: int
    unknown: tuple[str, ...] = field(default=(), repr=False)


def evaluate_outliers(vectors: NDArray[Any], words: Sequence[str], path: PathLike) -> OutlierScore:
    """Look for the outlier in groups of words, one outlier at a time.

    Parameters
    ----------
    vectors : float array (V, d)
        The vectors.
    words : sequence of str, length V
        Word of each row. A word of a group is looked up as it is written, or else in lower case.
    path : path-like
        A file of a group and its outliers, see `read_outliers`, or a folder of such `.txt` files.

    Returns
    -------
    score : OutlierScore
        An outlier without a vector isn't asked for. Words without a vector are left out of a group, and a group of
        which fewer than two are left isn't asked. `seen`, `of` and `unknown` say so.

    Raises
    ------
    OptionError
        If shapes don't fit.
    FormatError
        If a file can't be read, or a folder holds none.
    GloveError
        If a vector that is asked for is not finite.

    Notes
    -----
    Camacho-Collados and Navigli, "Find the word that does not belong" (2016). For the n words of a group and an
    outlier, the compactness of a word is the mean cosine between all others; the word whose removal leaves the others
    most compact is taken for the outlier. Since the sum over all pairs is the same for every word, that is the one
    with the smallest sum of cosines to the others (the paper's equation 2). The outlier's position is the number of
    words with a larger sum, 0 to n: it is found if that is n. A tie counts against it. Phrases are looked up with
    underscores and nothing else; the authors' script takes the mean of an unknown phrase's words.
    """
    groups = [read_outliers(file) for file in group_files(path)]
    vectors = np.asarray(vectors)
    check_shape(vectors, words)
    found = seen = of = 0
    positions = 0.0
    unknown: dict[str, None] = {}
    asked = [word for group, outliers in groups for word in (*group, *outliers)]
    row_of = dict(zip(asked, find_rows(words, asked), strict=True))
    for group, outliers in groups:
        unknown.update(dict.fromkeys(word for word in (*group, *outliers) if row_of[word] < 0))
        of += len(outliers)
        # Two spellings of one word stand for one row.
        inside = list(dict.fromkeys(row_of[word] for word in group if row_of[word] >= 0))
        outside = [row_of[word] for word in outliers if row_of[word] >= 0]
        if len(inside) < 2 or not outside:
            continue
        rows = inside + outside
        unit = unit_rows(vectors[rows], [words[row] for row in rows]).astype(np.float64)
        for position in _positions(unit[: len(inside)], unit[len(inside) :]):
            seen += 1
            found += position == len(inside)
            positions += position / len(inside)
    nothing = float("nan")
    accuracy, opp = (found / seen, positions / seen) if seen else (nothing, nothing)
    return OutlierScore(Path(path).stem, accuracy, opp, found, seen, of, len(groups), tuple(unknown))


def _positions(group: NDArray[np.float64], outliers: NDArray[np.float64]) -> list[int]:
    """Return the position of each outlier, (m, d), among the words of the group, (n, d)."""
    within = group @ group.T
    np.fill_diagonal(within, 0.0)
    across = group @ outliers.T  # (n, m)
    of_words = np.round(within.sum(axis=1)[:, np.newaxis] + across, _DIGITS)
    of_outliers = np.round(across.sum(axis=0), _DIGITS)
    return [int(position) for position in (of_words > of_outliers).sum(axis=0)]
