"""Whether models differ from one in their seeds alone, or in these and in a resampled text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from glove_cli.errors import OptionError
from glove_cli.model import GloveModel
from glove_cli.uncertainty.checks import check_model

_MAY_DIFFER = ("seed",)
_OF_WORDS = ("min_count", "max_vocab", "max_doc_share")  # how a vocabulary was chosen, which is compared itself
_MOST_TIMES = 2.0  # that a resampled text is longer or shorter than the text


def check_trainings(model: GloveModel, others: Sequence[GloveModel], names: Sequence[str]) -> bool:
    """Refuse models that differ in anything else; tell whether they are of resampled matrices.

    Parameters
    ----------
    model : GloveModel
    others : sequence of GloveModel
    names : sequence of str
        What errors call these.

    Raises
    ------
    OptionError
        If one was trained or counted otherwise, or is the same; if only one is of a resampled matrix.
    FormatError
        If one isn't a model of GloVe's.
    """
    for other, name in zip(others, names, strict=True):
        check_model(other, f"--also: {name}")
    again = [other.meta["cooc"].get("options") or {} for other in others]
    resampled = any(options.get("resample") is not None for options in again)
    for other, name in zip(others, names, strict=True):
        if resampled:
            _check_resampled(model, other, name)
        elif other.meta["cooc"].get("sha256") != model.meta["cooc"].get("sha256"):
            raise OptionError(
                f"--also: {name} was trained on another matrix. Name a model of the same one, or several of matrices "
                "that were counted with --resample."
            )
        ours, theirs = model.meta["options"], other.meta["options"]
        for key in sorted(set(ours) | set(theirs)):
            if key not in _MAY_DIFFER and ours.get(key) != theirs.get(key):
                raise _differs(name, key, "trained", theirs.get(key), "the model", ours.get(key))
    seeds = [each.meta["options"].get("seed") for each in (model, *others)]
    _check_different("--seed", seeds, ["the model", *names])
    if resampled:
        _check_different("--resample", [options["resample"] for options in again], names)
        if len(others) < 2:
            raise OptionError(
                f"--also: {names[0]} is of a resampled matrix, and one says nothing of how they differ. Name two or "
                "more."
            )
    return resampled


def _check_resampled(model: GloveModel, other: GloveModel, name: str) -> None:
    """Refuse a model that isn't of a resampled matrix of the same text and words."""
    ours, theirs = model.meta["cooc"], other.meta["cooc"]
    counted, again = ours.get("options") or {}, theirs.get("options") or {}
    if counted.get("resample") is not None:
        raise OptionError("--also: the model itself is of a resampled matrix. Name that of the text as it is.")
    if again.get("resample") is None:
        raise OptionError(f"--also: {name} is of a matrix that wasn't resampled, beside others. Leave one kind out.")
    for key in sorted(set(counted) | set(again)):
        if key not in ("resample", *_OF_WORDS) and counted.get(key) != again.get(key):
            raise _differs(name, key, "counted", again.get(key), "the model's matrix", counted.get(key))
    texts = [[os.path.basename(source) for source in each.get("sources") or []] for each in (theirs, ours)]
    tokens = [float(each.get("tokens") or 0) for each in (theirs, ours)]
    if texts[0] != texts[1] or not tokens[1] / _MOST_TIMES <= tokens[0] <= tokens[1] * _MOST_TIMES:
        told = [f"{', '.join(t)[:60]} with {n:,.0f} tokens" for t, n in zip(texts, tokens, strict=True)]
        raise OptionError(
            f"--also: {name} was counted from {told[0]}, the model from {told[1]}. Resample the model's own text."
        )
    if other.vocab.words != model.vocab.words:
        raise OptionError(
            f"--also: {name} has other words. Count the resampled text with --vocab and the vocab.txt of the model's "
            "matrix."
        )


def _check_different(option: str, seeds: Sequence[object], names: Sequence[str]) -> None:
    """Refuse a seed that is used twice."""
    for k, seed in enumerate(seeds):
        if seed in seeds[:k]:
            other = names[list(seeds).index(seed)]
            raise OptionError(f"--also: {names[k]} has the {option} {seed}, as {other} has. Give each its own.")


def _differs(name: str, key: str, how: str, theirs: Any, other: str, ours: Any) -> OptionError:
    option = "--" + key.replace("_", "-")
    return OptionError(
        f"--also: {name} was {how} with {option} {theirs}, {other} with {ours}. Name one that differs in its seeds "
        "alone."
    )
