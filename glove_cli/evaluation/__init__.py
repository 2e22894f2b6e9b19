"""How good vectors are: analogy questions and word similarity, each under a named protocol.

With these one can score any matrix of vectors and list of words, trained here or elsewhere:
`evaluate_analogies`, `evaluate_similarity`, or both at once with `evaluate`.
"""

from __future__ import annotations

from glove_cli.evaluation.analogies import AnalogyScore, QuestionScore, evaluate_analogies
from glove_cli.evaluation.progress import question_accuracy
from glove_cli.evaluation.similarity import SimilarityScore, evaluate_similarity
from glove_cli.evaluation.together import Scores, evaluate

__all__ = [
    "AnalogyScore",
    "QuestionScore",
    "Scores",
    "SimilarityScore",
    "evaluate",
    "evaluate_analogies",
    "evaluate_similarity",
    "question_accuracy",
]
