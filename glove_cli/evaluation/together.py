"""Score vectors on all that is given, questions and files of several kinds, in one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.evaluation.analogies import AnalogyScore, evaluate_analogies
from glove_cli.evaluation.categories import CategoryScore, evaluate_categories
from glove_cli.evaluation.groups import group_files
from glove_cli.evaluation.outliers import OutlierScore, evaluate_outliers
from glove_cli.evaluation.questions import PathLike, files_of
from glove_cli.evaluation.similarity import SimilarityScore, evaluate_similarity


@dataclass(frozen=True)
class Scores:
    """What `evaluate` found.

    Attributes
    ----------
    analogies : AnalogyScore or None
        None when no questions were given.
    similarity : tuple of SimilarityScore
        One for each file.
    categories : tuple of CategoryScore
        One for each file of words in categories.
    outliers : tuple of OutlierScore
        One for each path that was named: a file of a group with its outliers, or a folder of such files.
    """

    analogies: AnalogyScore | None
    similarity: tuple[SimilarityScore, ...]
    categories: tuple[CategoryScore, ...] = ()
    outliers: tuple[OutlierScore, ...] = ()


def evaluate(
    vectors: NDArray[Any],
    words: Sequence[str],
    *,
    analogies: PathLike | Sequence[PathLike] | None = None,
    similarity: PathLike | Sequence[PathLike] = (),
    categories: PathLike | Sequence[PathLike] = (),
    outliers: PathLike | Sequence[PathLike] = (),
    protocol: str = "reference",
    restrict: int | None = None,
    dummy4unknown: bool = False,
    progress: Callable[[str, int, int | None, str], None] | None = None,
) -> Scores:
    """Score vectors on analogy questions, similarity files, or any of the others.

    Parameters
    ----------
    vectors : float array (V, d)
        The vectors; the reference scores the sum of word and context vectors.
    words : sequence of str, length V
        Word of each row, most frequent first.
    analogies : path-like or sequence of path-like, optional
        A folder of question files, or files.
    similarity : path-like or sequence of path-like
        A folder of similarity files, or files.
    categories : path-like or sequence of path-like
        Files of words in categories, or folders of them.
    outliers : path-like or sequence of path-like
        Files of groups of words with outliers, or folders of them, each scored as a whole.
    protocol : str
        Protocol of the analogy questions and of the similarity files, see `evaluate_analogies`.
    restrict : int, optional
        Use only so many words, the first ones, instead of the protocol's number.
    dummy4unknown : bool
        Count what has unknown words, see `evaluate_analogies` and `evaluate_similarity`.
    progress : callable, optional
        See `evaluate_analogies`.

    Returns
    -------
    scores : Scores

    Raises
    ------
    GloveError
        As the functions for each kind do.

    Examples
    --------
    >>> model = GloveModel.load("glove-run/model")  # doctest: +SKIP
    >>> evaluate(model.W + model.C, model.vocab.words, analogies="questions/")  # doctest: +SKIP
    """
    rules: dict[str, Any] = {"protocol": protocol, "restrict": restrict, "dummy4unknown": dummy4unknown}
    score = None
    if analogies is not None:
        score = evaluate_analogies(vectors, words, analogies, **rules, progress=progress)
    pairs = tuple(evaluate_similarity(vectors, words, file, **rules) for file in similarity_files(similarity))
    category_files = [file for name in _names(categories) for file in group_files(name)]
    groups = tuple(evaluate_categories(vectors, words, file) for file in category_files)
    odd = tuple(evaluate_outliers(vectors, words, path) for path in _names(outliers))
    return Scores(score, pairs, groups, odd)


def similarity_files(names: PathLike | Sequence[PathLike]) -> list[PathLike]:
    """Return the similarity files that are named, or lie in a folder that is named.

    Parameters
    ----------
    names : path-like or sequence of path-like

    Returns
    -------
    files : list of path-like

    Raises
    ------
    FormatError
        If a folder holds no file.
    """
    files: list[PathLike] = []
    for name in _names(names):
        found = files_of(name)
        if not found:
            raise FormatError(f"{name}: holds no .txt file. Name a folder of files with two words and a number a line.")
        files += found
    return files


def _names(names: PathLike | Sequence[PathLike]) -> Sequence[PathLike]:
    return [names] if isinstance(names, (str, os.PathLike)) else names
