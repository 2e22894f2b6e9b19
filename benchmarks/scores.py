"""Score vectors on the Google questions and all similarity sets of the shared data."""

from __future__ import annotations

import common

from glove_cli.evaluation import Scores, evaluate
from glove_cli.vectors.keyed import WordVectors


def score(vectors: WordVectors) -> Scores:
    """Return the scores of vectors."""
    folder = common.shared_data() / "eval"
    pairs = sorted((folder / "similarity").glob("*.txt"))
    return evaluate(vectors.matrix, vectors.words, analogies=folder / "analogies", similarity=pairs)


def accuracies(scores: Scores) -> list[str]:
    """Return the shares of questions that are right, of all, semantic and syntactic ones, as cells of a table."""
    assert scores.analogies is not None
    parts = (scores.analogies.total, scores.analogies.semantic, scores.analogies.syntactic)
    return [f"{100 * part.accuracy:.1f}" for part in parts]


def correlations(scores: Scores) -> list[str]:
    """Return rho of each set, as cells of a table."""
    return [f"{result.rho:.3f}" for result in scores.similarity]
