"""Scores while vectors are being trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glove_cli.evaluation.analogies import evaluate_analogies
from glove_cli.evaluation.questions import PathLike, read_questions
from glove_cli.vectors.keyed import WordVectors


def question_accuracy(
    folder_or_files: PathLike | Sequence[PathLike], *, protocol: str = "reference"
) -> Callable[[WordVectors], float]:
    """Return what `train` takes as `evaluate`: the share of analogy questions that vectors answer.

    Parameters
    ----------
    folder_or_files : path-like or sequence of path-like
        A folder of question files, or files; they are read at once, so that a wrong one is found before training.
    protocol : str
        See `evaluate_analogies`.

    Returns
    -------
    callable
        Of WordVectors; NaN if they know the words of no question.

    Raises
    ------
    FormatError
        If the questions can't be read.
    """
    read_questions(folder_or_files)

    def accuracy(vectors: WordVectors) -> float:
        score = evaluate_analogies(vectors.matrix, vectors.words, folder_or_files, protocol=protocol)
        return score.total.accuracy

    return accuracy
