"""How good vectors are: analogy questions and word similarity under a named protocol, categories, and outliers.

With these one can score any matrix of vectors and list of words, trained here or elsewhere: `evaluate_analogies`,
`evaluate_similarity`, `evaluate_categories`, `evaluate_outliers`, or several at once with `evaluate`. `own_questions`
is the folder of the package's own analogy questions.
"""

from __future__ import annotations

from glove_cli.evaluation.analogies import AnalogyScore, QuestionScore, evaluate_analogies
from glove_cli.evaluation.categories import CategoryScore, evaluate_categories
from glove_cli.evaluation.outliers import OutlierScore, evaluate_outliers
from glove_cli.evaluation.own_questions import own_pairs, own_questions
from glove_cli.evaluation.progress import question_accuracy
from glove_cli.evaluation.similarity import SimilarityScore, evaluate_similarity
from glove_cli.evaluation.together import Scores, evaluate

__all__ = [
    "AnalogyScore",
    "CategoryScore",
    "OutlierScore",
    "QuestionScore",
    "Scores",
    "SimilarityScore",
    "evaluate",
    "evaluate_analogies",
    "evaluate_categories",
    "evaluate_outliers",
    "evaluate_similarity",
    "own_pairs",
    "own_questions",
    "question_accuracy",
]
