"""Intervals beside cosines: their options, the model with its matrix, and how they are shown."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import click
from click.core import ParameterSource

from glove_cli.cli.options import COOC_NAME, MODEL_NAME, PATH
from glove_cli.cli.terminal import say
from glove_cli.errors import FormatError, OptionError
from glove_cli.uncertainty.level import LEVEL, check_level
from glove_cli.vectors.names import COSINE

if TYPE_CHECKING:
    from glove_cli.uncertainty.training_noise import TrainingNoise
    from glove_cli.uncertainty.vectors import UncertainVectors
    from glove_cli.vectors.keyed import Neighbour

_Function = TypeVar("_Function", bound=Callable[..., Any])
_LISTED = 5
_NOTHING = "-"


class Sure(Protocol):
    """What has a standard error and an interval; NaN where they are unknown."""

    @property
    def se(self) -> float:
        """Standard error."""

    @property
    def low(self) -> float:
        """Lower limit."""

    @property
    def high(self) -> float:
        """Upper limit."""


class SureNeighbour(NamedTuple):
    """A neighbour whose cosine has a standard error and an interval; NaN where they are unknown."""

    word: str
    similarity: float
    se: float
    low: float
    high: float


def matrix_options(function: _Function) -> _Function:
    """Add `--cooc` and `--level`."""
    text = "Share of intervals that are to hold the true value."
    function = click.option("--level", type=float, default=LEVEL, show_default=True, help=text)(function)
    text = "The matrix that the model was trained on.  [default: RUN/cooc, or where it was]"
    return click.option("--cooc", type=PATH, metavar="DIR", help=text)(function)


def also_option(function: _Function) -> _Function:
    """Add `--also`."""
    text = (
        "Another model of the same matrix, with another --seed: adds what training itself changes. Or models of "
        "matrices counted with --resample: tell all that another text would change. Repeatable."
    )
    return click.option("--also", type=PATH, multiple=True, metavar="PATH", help=text)(function)


def interval_options(function: _Function) -> _Function:
    """Add `--intervals`, and what belongs to it."""
    text = "Give each cosine a standard error and an interval, from the model's matrix."
    return click.option("--intervals", is_flag=True, help=text)(also_option(matrix_options(function)))


def check_interval_options(
    intervals: bool, cooc: Path | None, level: float, metric: str = COSINE, also: Sequence[Path] = ()
) -> None:
    """Refuse options that have no effect, or ask for what isn't there.

    Raises
    ------
    OptionError
    """
    if not intervals:
        typed = click.get_current_context().get_parameter_source("level") is ParameterSource.COMMANDLINE
        for option, given in (("--cooc", cooc is not None), ("--level", typed), ("--also", bool(also))):
            if given:
                raise OptionError(f"{option}: has no effect without --intervals. Give both.")
        return
    if metric != COSINE:
        raise OptionError(f"--intervals: are known for cosines, not for --metric {metric}. Leave one of them out.")
    check_level(level)


def open_uncertain(
    run: Path, model: Path | None, vectors: str, process: str | None, cooc: Path | None
) -> UncertainVectors:
    """Return the vectors of a model with its matrix.

    Raises
    ------
    FormatError, OptionError
        As `uncertain_vectors`; or if there is a file of vectors instead of a model.
    """
    from glove_cli.cli.sources import is_file
    from glove_cli.uncertainty.checks import check_model
    from glove_cli.uncertainty.vectors import uncertain_vectors
    from glove_cli.vectors.process import chosen_steps
    from glove_cli.vectors.select import load_model

    chosen_steps(process)
    path = model if model is not None else run / MODEL_NAME
    if is_file(path):
        raise FormatError(
            f"{path}: holds vectors only, and their errors can't be told without context vectors, biases and matrix. "
            "Name a model of `glove train`."
        )
    trained = load_model(path, verify=())
    check_model(trained, os.fspath(path))
    if cooc is None:
        place = trained.meta["cooc"].get("path")
        places = [run / COOC_NAME] if model is None else [path / COOC_NAME, path.parent / COOC_NAME]
        places += [Path(place)] if isinstance(place, str) else []
        cooc = next((each for each in places if each.is_dir()), places[0] if model is None else places[-1])
    return uncertain_vectors(path, cooc, vectors=vectors, process=process)


def open_training(source: UncertainVectors, also: Sequence[Path], process: str | None) -> TrainingNoise | None:
    """Return what other trainings say of the noise, or None if there are none.

    Raises
    ------
    FormatError, OptionError
        As `TrainingNoise.of`.
    """
    if not also:
        return None
    from glove_cli.uncertainty.training_noise import TrainingNoise
    from glove_cli.vectors.select import load_model

    return TrainingNoise.of(source, [load_model(path) for path in also], process, names=list(map(str, also)))


def with_intervals(
    source: UncertainVectors,
    asked: Sequence[str],
    answers: Sequence[Sequence[Neighbour]],
    level: float,
    training: TrainingNoise | None = None,
    threads: int | None = None,
) -> list[list[SureNeighbour]]:
    """Return neighbours with the intervals of their cosines."""
    from glove_cli.uncertainty.cosines import similarity_intervals

    pairs = [(word, near.word) for word, best in zip(asked, answers, strict=True) for near in best]
    found = iter(similarity_intervals(source, pairs, level=level, training=training, threads=threads))
    return [
        [SureNeighbour(*near, each.se, each.low, each.high) for near, each in zip(best, found, strict=False)]
        for best in answers
    ]


def sure_table(neighbours: Sequence[SureNeighbour], level: float) -> str:
    """Return neighbours and intervals as a table."""
    from glove_cli.cli.asking import score_text
    from glove_cli.cli.tables import shown, table

    rows = [(shown(each.word), score_text(each.similarity), *interval_cells(each)) for each in neighbours]
    return table(("word", "cosine", *interval_titles(level)), rows)


def sure_json(neighbours: Sequence[SureNeighbour]) -> list[dict[str, object]]:
    """Return neighbours and intervals as objects."""
    return [{"word": each.word, "similarity": each.similarity, **interval_json(each)} for each in neighbours]


def sure_fields(asked: Sequence[str], neighbours: Sequence[SureNeighbour]) -> list[Sequence[object]]:
    """Return a tab-separated line for each neighbour: the word asked about, rank, word, score, error, low, high."""
    return [
        (*asked, rank, each.word, each.similarity, *interval_fields(each)) for rank, each in enumerate(neighbours, 1)
    ]


def interval_json(each: Sure) -> dict[str, float | None]:
    """Return standard error and limits for JSON; None where they are unknown."""
    known = not math.isnan(each.se)
    return {
        "error": each.se if known else None,
        "low": each.low if known else None,
        "high": each.high if known else None,
    }


def interval_fields(each: Sure) -> tuple[object, ...]:
    """Return standard error and limits for tab-separated lines; empty where they are unknown."""
    return ("", "", "") if math.isnan(each.se) else (each.se, each.low, each.high)


def interval_cells(each: Sure) -> tuple[str, str]:
    """Return standard error and interval for a table."""
    if math.isnan(each.se):
        return _NOTHING, _NOTHING
    return f"{each.se:.4f}", f"{each.low:.3f} to {each.high:.3f}"


def interval_titles(level: float) -> tuple[str, str]:
    """Return what stands above standard errors and intervals."""
    return "error", f"{100 * level:g} %"


def note_rare(source: UncertainVectors, training: TrainingNoise | None = None) -> None:
    """Say on standard error which words have too few contexts for an interval."""
    if training is not None and training.resampled:
        _note_words(list(training.asked), "no neighbour in one of the resampled texts")
        return
    _note_words(list(source.rare), f"no more contexts than the {source.model.dim} numbers of a vector")


def _note_words(words: Sequence[str], why: str) -> None:
    from glove_cli.cli.tables import shown

    if not words:
        return
    listed = ", ".join(map(shown, words[:_LISTED])) + (", ..." if len(words) > _LISTED else "")
    what = "1 word has" if len(words) == 1 else f"{len(words):,} words have"
    say(f"Note: {what} {why}, so no interval: {listed}")
