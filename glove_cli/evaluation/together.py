"""Score vectors on a folder of questions and on similarity files in one call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.evaluation.analogies import AnalogyScore, evaluate_analogies
from glove_cli.evaluation.questions import PathLike
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
    """

    analogies: AnalogyScore | None
    similarity: tuple[SimilarityScore, ...]


def evaluate(
    vectors: NDArray[Any],
    words: Sequence[str],
    *,
    analogies: PathLike | Sequence[PathLike] | None = None,
    similarity: PathLike | Sequence[PathLike] = (),
    protocol: str = "reference",
    restrict: int | None = None,
) -> Scores:
    """Score vectors on analogy questions, similarity files, or both.

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
    protocol : str
        Protocol of the analogy questions, see `evaluate_analogies`.
    restrict : int, optional
        Use only so many words for the analogy questions, instead of the protocol's number.

    Returns
    -------
    scores : Scores

    Raises
    ------
    GloveError
        As `evaluate_analogies` and `evaluate_similarity` do.

    Examples
    --------
    >>> model = GloveModel.load("glove-run/model")  # doctest: +SKIP
    >>> evaluate(model.W + model.C, model.vocab.words, analogies="questions/")  # doctest: +SKIP
    """
    score = None
    if analogies is not None:
        score = evaluate_analogies(vectors, words, analogies, protocol=protocol, restrict=restrict)
    return Scores(score, tuple(evaluate_similarity(vectors, words, file) for file in _files(similarity)))


def _files(names: PathLike | Sequence[PathLike]) -> list[PathLike]:
    if isinstance(names, (str, Path)) or not isinstance(names, Sequence):
        path = Path(names)
        if not os.path.isdir(path):
            return [path]
        files = sorted(path.glob("*.txt"))
        if not files:
            raise FormatError(f"{path}: holds no .txt file. Name a folder of files with two words and a number a line.")
        return [*files]
    return list(names)
