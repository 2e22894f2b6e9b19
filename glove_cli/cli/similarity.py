"""`glove similarity`: how near two words are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glove_cli.cli.asking import (
    Form,
    Lines,
    check_form,
    expects,
    from_stdin,
    key_of,
    metric_option,
    note_zeros,
    output_options,
    score_text,
    title_of,
)
from glove_cli.cli.completion import complete_words
from glove_cli.cli.intervals import check_interval_options, interval_options
from glove_cli.cli.options import example, source_options
from glove_cli.errors import OptionError
from glove_cli.vectors.names import COSINE

if TYPE_CHECKING:
    from glove_cli.uncertainty.cosines import CosineInterval


@click.command(
    "similarity", epilog=example("glove similarity paris rome", "printf 'paris rome\\n' | glove similarity --tsv")
)
@click.argument("words", nargs=-1, metavar="A B...", shell_complete=complete_words)
@metric_option
@interval_options
@source_options
@output_options
def command(
    words: tuple[str, ...],
    metric: str,
    intervals: bool,
    cooc: Path | None,
    level: float,
    also: tuple[Path, ...],
    run: Path,
    model: Path | None,
    vectors: str,
    process: str | None,
    as_json: bool,
    as_tsv: bool,
) -> None:
    """Say how near two words are: A and B, or several pairs.

    A single - instead of words reads two words a line from standard input, and so does a pipe without any word; words
    that contain spaces have a tab between them.

    --tsv prints a line for each pair: A, B, score. --json prints an array, or from standard input an object a line,
    with null for what can't be answered.

    --intervals adds to each cosine its standard error and an interval (see `glove uncertainty`): in tables two columns,
    in TSV and JSON error, low and high.
    """
    from glove_cli.cli import sources
    from glove_cli.cli.intervals import (
        interval_cells,
        interval_fields,
        interval_json,
        interval_titles,
        note_rare,
        open_training,
        open_uncertain,
    )
    from glove_cli.cli.tables import shown, table

    check_form(as_json, as_tsv)
    check_interval_options(intervals, cooc, level, metric, also)
    reading = from_stdin(words, "words")
    if not reading and len(words) % 2:
        raise OptionError(f"A B: {words[-1]} has no second word. Give words two by two.")
    sure = open_uncertain(run, model, vectors, process, cooc) if intervals else None
    training = open_training(sure, also, process) if sure is not None else None
    source = sure.vectors if sure is not None else sources.open_vectors(run, model, vectors, process)

    def answer(asked: Sequence[tuple[str, ...]]) -> Sequence[float | CosineInterval]:
        if sure is not None:
            from glove_cli.uncertainty.cosines import similarity_intervals

            return similarity_intervals(sure, [(a, b) for a, b in asked], level=level, training=training)
        return [source.similarity(a, b, metric=metric) for a, b in asked]

    def as_object(asked: tuple[str, ...], found: float | CosineInterval | None) -> dict[str, object]:
        names = dict(zip("ab", asked, strict=True)) if len(asked) == 2 else {"words": list(asked)}
        if found is None or isinstance(found, float):
            return {**names, key_of(metric): found}
        return {**names, key_of(metric): found.cosine, **interval_json(found)}

    def fields(asked: tuple[str, ...], found: float | CosineInterval) -> list[Sequence[object]]:
        return [(*asked, found) if isinstance(found, float) else (*asked, found.cosine, *interval_fields(found))]

    def cells(found: float | CosineInterval) -> tuple[str, ...]:
        if isinstance(found, float):
            return (score_text(found),)
        return score_text(found.cosine), *interval_cells(found)

    form = Form(
        table=lambda asked, found: "  ".join((*map(shown, asked), *cells(found))),
        as_object=as_object,
        fields=fields,
        as_json=as_json,
        as_tsv=as_tsv,
        gap="",
    )
    if reading:
        Lines(source, form, answer, expects(2), directed=metric == COSINE).run()
        if sure is not None:
            note_rare(sure, training)
        return
    asked = list(zip(words[::2], words[1::2], strict=True))
    found = answer(asked)
    if as_json or as_tsv:
        form.print_all(asked, found)
    else:
        rows = [(shown(a), shown(b), *cells(each)) for (a, b), each in zip(asked, found, strict=True)]
        titles = interval_titles(level) if sure is not None else ()
        click.echo(table(("word", "word", title_of(metric), *titles), rows))
    if sure is not None:
        note_rare(sure, training)
    if metric == COSINE:
        note_zeros(source.without_direction(words))
