"""Scores with their intervals, and comparisons of models, as plain values that JSON can hold.

A number that isn't one (no question seen) is None.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from glove_cli.evaluation.analogies import AnalogyScore, QuestionScore, is_syntactic
from glove_cli.evaluation.similarity import SimilarityScore
from glove_cli.evaluation.statistics import (
    Difference,
    Interval,
    accuracy_interval,
    compare_analogies,
    compare_similarity,
    macro_interval,
    rho_interval,
)
from glove_cli.evaluation.together import Scores


def describe_scores(scores: Scores, *, resamples: int, seed: int) -> dict[str, Any]:
    """Return scores with their 95 % intervals.

    Parameters
    ----------
    scores : Scores
    resamples : int
        Of the bootstrap; 0 gives no intervals.
    seed : int

    Returns
    -------
    dict
        `analogies` (None if none were asked), `similarity`, `categories`, `outliers`.
    """
    draw = {"resamples": resamples, "seed": seed}
    return {
        "analogies": _analogies(scores.analogies, draw) if scores.analogies is not None else None,
        "similarity": [_similarity(score, draw) for score in scores.similarity],
        "categories": [_fields(score) for score in scores.categories],
        "outliers": [_fields(score) for score in scores.outliers],
    }


def describe_difference(scores: Scores, first: Scores, *, resamples: int, seed: int) -> dict[str, Any]:
    """Return how much better a model is than the first one, by paired tests.

    Parameters
    ----------
    scores, first : Scores
        Of the same questions and files.
    resamples : int
        Of the bootstrap; 0 gives no intervals.
    seed : int

    Returns
    -------
    dict
        `analogies` with `sections`, `semantic`, `syntactic` and `total`, and `similarity`.
    """
    draw = {"resamples": resamples, "seed": seed}
    analogies: dict[str, Any] | None = None
    if scores.analogies is not None and first.analogies is not None:
        a, b = scores.analogies, first.analogies
        names = [section.name for section in a.categories]
        sections = [
            {"name": name, **_difference(compare_analogies(_part(a, [k]), _part(b, [k]), **draw))}
            for k, name in enumerate(names)
        ]
        analogies = {"sections": sections}
        for kind, grammar in (("semantic", False), ("syntactic", True)):
            chosen = [k for k, name in enumerate(names) if is_syntactic(name) == grammar]
            found = compare_analogies(_part(a, chosen), _part(b, chosen), **draw) if chosen else None
            analogies[kind] = None if found is None else _difference(found)
        analogies["total"] = _difference(compare_analogies(a, b, **draw))
    pairs = zip(scores.similarity, first.similarity, strict=True)
    similarity = [{"name": a.name, **_difference(compare_similarity(a, b, **draw))} for a, b in pairs]
    return {"analogies": analogies, "similarity": similarity}


def _analogies(score: AnalogyScore, draw: dict[str, int]) -> dict[str, Any]:
    macro = macro_interval(score, **draw)
    return {
        "protocol": score.protocol,
        "restrict": score.restrict,
        "dummy4unknown": score.dummy4unknown,
        "sections": [_questions(section, draw) for section in score.categories],
        "semantic": _questions(score.semantic, draw),
        "syntactic": _questions(score.syntactic, draw),
        "total": _questions(score.total, draw),
        "macro": {"accuracy": _number(score.macro), "interval": _limits(macro)},
        "words": score.asked,
        "unknown_words": list(score.unknown),
    }


def _questions(score: QuestionScore, draw: dict[str, int]) -> dict[str, Any]:
    of_all = QuestionScore(score.name, score.right, score.of, score.of)
    return {
        "name": score.name,
        "right": score.right,
        "seen": score.seen,
        "of": score.of,
        "accuracy": _number(score.accuracy),
        "interval": _limits(accuracy_interval(score, **draw)),
        "accuracy_of_all": _number(score.accuracy_of_all),
        "interval_of_all": _limits(accuracy_interval(of_all, **draw)),
    }


def _similarity(score: SimilarityScore, draw: dict[str, int]) -> dict[str, Any]:
    return {
        "name": score.name,
        "rho": _number(score.rho),
        "interval": _limits(rho_interval(score, **draw)),
        "pairs": score.pairs,
        "of": score.of,
        "words": score.asked,
        "unknown_words": list(score.unknown),
    }


def _difference(found: Difference) -> dict[str, Any]:
    return {
        "difference": _number(found.difference),
        "interval": _limits(found.interval),
        "p": _number(found.p),
        "n": found.n,
        "test": found.test,
    }


def _part(score: AnalogyScore, chosen: list[int]) -> AnalogyScore:
    """Return a score with some of its categories."""
    return dataclasses.replace(
        score,
        categories=tuple(score.categories[k] for k in chosen),
        outcomes=tuple(score.outcomes[k] for k in chosen),
        questions=(),
        answers=(),
    )


def _fields(score: Any) -> dict[str, Any]:
    """Return what a score of another kind holds, but for its arrays."""
    values = {field.name: getattr(score, field.name) for field in dataclasses.fields(score)}
    return {name: _number(value) for name, value in values.items() if not isinstance(value, np.ndarray)}


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _limits(interval: Interval | None) -> list[float] | None:
    return None if interval is None or not all(map(math.isfinite, interval)) else list(interval)
