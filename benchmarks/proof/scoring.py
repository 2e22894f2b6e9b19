"""Score vectors, whoever made them, under one protocol: the reference's, whole vocabulary."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import common

from glove_cli.evaluation import evaluate, own_questions
from glove_cli.vectors.load import load_vectors

PROTOCOL = "reference protocol (exact case, questions with unknown words skipped, 3CosAdd), whole vocabulary"
SETS = ("total", "semantic", "syntactic")
OF_ALL = "of all"  # questions, where one with an unknown word is wrong


def sources() -> tuple[Path, list[Path]]:
    """Return the questions and the files of pairs: those of the shared data, or else the package's own questions."""
    folder = common.shared_data() / "eval"
    if (folder / "analogies").is_dir():
        return folder / "analogies", sorted((folder / "similarity").glob("*.txt"))
    return Path(own_questions()), []


def score(path: Path) -> dict[str, Any]:
    """Return shares of questions, rank correlations, and how many questions were asked, of a file of vectors."""
    questions, pairs = sources()
    found = load_vectors(path, cache=False)
    known = [k for k, word in enumerate(found.words) if word != "<unk>"]  # not a word: the mean of rare ones
    words = [found.words[k] for k in known]
    scores = evaluate(found.matrix[known], words, analogies=questions, similarity=pairs)
    assert scores.analogies is not None
    result: dict[str, Any] = {"words": len(words), "seen": scores.analogies.total.seen}
    for name in SETS:
        result[name] = _number(getattr(scores.analogies, name).accuracy)
    result[OF_ALL] = _number(scores.analogies.total.accuracy_of_all)
    for pair in scores.similarity:
        result[pair.name.removeprefix("EN-")] = _number(pair.rho)
    return result


def measures(scores: dict[str, Any]) -> list[str]:
    """Return the names of what was measured, without the numbers of words and questions."""
    return [name for name in scores if name not in ("words", "seen")]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
