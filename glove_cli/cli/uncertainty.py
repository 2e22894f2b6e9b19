"""`glove uncertainty`: how much of a word's vector is noise."""

from __future__ import annotations

import json
import math
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glove_cli.cli.asking import check_form, note_zeros, output_options, tsv_line
from glove_cli.cli.completion import complete_words
from glove_cli.cli.intervals import (
    also_option,
    interval_cells,
    interval_fields,
    interval_json,
    interval_titles,
    matrix_options,
    note_rare,
    open_training,
    open_uncertain,
)
from glove_cli.cli.options import example, source_options, threads_option

if TYPE_CHECKING:
    from glove_cli.uncertainty.cosines import CosineInterval
    from glove_cli.uncertainty.vectors import WordUncertainty

_STEADY, _LOOSE = 0.33, 0.75  # at which the true vector is expected at a cosine of 0.95, of 0.8


@click.command("uncertainty", epilog=example("glove uncertainty paris rome"))
@click.argument("words", nargs=-1, required=True, metavar="WORD...", shell_complete=complete_words)
@matrix_options
@also_option
@click.option("--draws", type=int, default=0, metavar="N", help="Draw vectors N times instead of the delta method.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the draws.")
@source_options
@threads_option
@output_options
def command(
    words: tuple[str, ...],
    cooc: Path | None,
    level: float,
    also: tuple[Path, ...],
    draws: int,
    seed: int,
    run: Path,
    model: Path | None,
    vectors: str,
    process: str | None,
    threads: int | None,
    as_json: bool,
    as_tsv: bool,
) -> None:
    """Say how uncertain the vectors of words are, and how near two words are with an interval.

    A vector is an estimate from the counts of its word: contexts is how many there are, noise the variance of the
    logarithm of one of weight 1, error the length of the vector's typical error by that of the vector. Up to an error
    of 0.33 a vector is steady (a cosine of about 0.95 with the true one), up to 0.75 loose (0.8), above it mostly
    noise. A word with no more contexts than a vector has dimensions is too rare to tell.

    This is the noise of the word's own counts. Other contexts and another seed would give other vectors, too, so that
    intervals of frequent words hold less than they claim, unless --also names models of resampled texts (`glove
    build-cooc --resample`); see docs/uncertainty.md.

    --tsv prints lines that begin with word: word, count, contexts, noise, error; or with pair: A, B, cosine, error,
    low, high.
    """
    from glove_cli.cli.progress import Progress
    from glove_cli.errors import OptionError
    from glove_cli.parallel import thread_count
    from glove_cli.uncertainty.cosines import check_draws, similarity_intervals
    from glove_cli.uncertainty.level import check_level

    check_form(as_json, as_tsv)
    check_level(level)
    check_draws(draws)
    thread_count(threads)
    if seed < 0:
        raise OptionError(f"--seed: {seed} is negative. Give 0 or more.")
    source = open_uncertain(run, model, vectors, process, cooc)
    training = open_training(source, also, process)
    different = list(dict.fromkeys(words))
    pairs = list(combinations(different, 2))
    with Progress() as progress:
        found = list(source.each(different, threads=threads, progress=progress))
        how: dict[str, Any] = {
            "level": level,
            "draws": draws,
            "seed": seed,
            "threads": threads,
            "progress": progress,
            "training": training,
        }
        near = similarity_intervals(source, pairs, **how) if pairs else []
    if as_json:
        settings = {"vectors": vectors, "level": level, "draws": draws, "seed": seed}
        result = {"settings": settings, "words": list(map(_word_json, found)), "pairs": list(map(_pair_json, near))}
        click.echo(json.dumps(result, indent=2))
    elif as_tsv:
        click.echo(_lines(found, near), nl=False)
    else:
        click.echo(_text(found, near, level))
    note_rare(source, training)
    note_zeros(source.vectors.without_direction(different))


def verdict(each: WordUncertainty) -> str:
    """Return what an error means in words."""
    if each.covariance is None:
        return "too rare"
    if math.isnan(each.size):
        return "no direction"
    return "steady" if each.size <= _STEADY else "loose" if each.size <= _LOOSE else "mostly noise"


def _text(found: list[WordUncertainty], near: list[CosineInterval], level: float) -> str:
    from glove_cli.cli.tables import shown, table

    rows = [
        (shown(e.word), verdict(e), f"{e.count:,}", f"{e.contexts:,}", _number(e.noise), _number(e.size)) for e in found
    ]
    text = table(("word", "is", "count", "contexts", "noise", "error"), rows, text_columns=(0, 1))
    if not near:
        return text
    pairs = [(shown(e.a), shown(e.b), f"{e.cosine:.4f}", *interval_cells(e)) for e in near]
    return f"{text}\n\n{table(('word', 'word', 'cosine', *interval_titles(level)), pairs, text_columns=(0, 1))}"


def _lines(found: list[WordUncertainty], near: list[CosineInterval]) -> bytes:
    lines = [("word", e.word, e.count, e.contexts, _field(e.noise), _field(e.size)) for e in found]
    pairs = [("pair", e.a, e.b, *map(_field, (e.cosine, *interval_fields(e)))) for e in near]
    return b"".join(map(tsv_line, [*lines, *pairs]))


def _word_json(each: WordUncertainty) -> dict[str, Any]:
    return {
        "word": each.word,
        "is": verdict(each),
        "count": each.count,
        "contexts": each.contexts,
        "noise": None if math.isnan(each.noise) else each.noise,
        "shared": each.shared,
        "error": None if math.isnan(each.size) else each.size,
    }


def _pair_json(each: CosineInterval) -> dict[str, Any]:
    return {"a": each.a, "b": each.b, "similarity": each.cosine, **interval_json(each)}


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _field(value: object) -> str:
    return "" if not isinstance(value, float) or math.isnan(value) else f"{value:.6f}"
