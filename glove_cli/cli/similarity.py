"""`glove similarity`: how near two words are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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
from glove_cli.cli.options import example, source_options
from glove_cli.errors import OptionError
from glove_cli.vectors.names import COSINE


@click.command(
    "similarity", epilog=example("glove similarity paris rome", "printf 'paris rome\\n' | glove similarity --tsv")
)
@click.argument("words", nargs=-1, metavar="A B...", shell_complete=complete_words)
@metric_option
@source_options
@output_options
def command(
    words: tuple[str, ...],
    metric: str,
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
    """
    from glove_cli.cli import sources
    from glove_cli.cli.tables import shown, table

    check_form(as_json, as_tsv)
    reading = from_stdin(words, "words")
    if not reading and len(words) % 2:
        raise OptionError(f"A B: {words[-1]} has no second word. Give words two by two.")
    source = sources.open_vectors(run, model, vectors, process)

    def answer(asked: Sequence[tuple[str, ...]]) -> list[float]:
        return [source.similarity(a, b, metric=metric) for a, b in asked]

    def as_object(asked: tuple[str, ...], score: float | None) -> dict[str, object]:
        names = dict(zip("ab", asked, strict=True)) if len(asked) == 2 else {"words": list(asked)}
        return {**names, key_of(metric): score}

    form = Form(
        table=lambda asked, score: f"{shown(asked[0])}  {shown(asked[1])}  {score_text(score)}",
        as_object=as_object,
        fields=lambda asked, score: [(*asked, score)],
        as_json=as_json,
        as_tsv=as_tsv,
        gap="",
    )
    if reading:
        Lines(source, form, answer, expects(2), directed=metric == COSINE).run()
        return
    asked = list(zip(words[::2], words[1::2], strict=True))
    scores = answer(asked)
    if as_json or as_tsv:
        form.print_all(asked, scores)
    else:
        rows = [(shown(a), shown(b), score_text(score)) for (a, b), score in zip(asked, scores, strict=True)]
        click.echo(table(("word", "word", title_of(metric)), rows))
    if metric == COSINE:
        note_zeros(source.without_direction(words))
