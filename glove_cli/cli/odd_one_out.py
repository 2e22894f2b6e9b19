"""`glove odd-one-out`: the word that doesn't go with the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glove_cli.cli.asking import (
    Form,
    Lines,
    check_form,
    from_stdin,
    neighbour_table,
    neighbours_as_json,
    note_zeros,
    output_options,
)
from glove_cli.cli.completion import complete_words
from glove_cli.cli.options import example, source_options

if TYPE_CHECKING:
    from glove_cli.vectors.keyed import Neighbour


@click.command("odd-one-out", epilog=example("glove odd-one-out paris rome river"))
@click.argument("words", nargs=-1, metavar="WORD...", shell_complete=complete_words)
@source_options
@output_options
def command(
    words: tuple[str, ...],
    run: Path,
    model: Path | None,
    vectors: str,
    process: str | None,
    as_json: bool,
    as_tsv: bool,
) -> None:
    """Find the word that doesn't go with the others, of at least three.

    It is the one whose vector has the smallest cosine with the mean of all, each scaled to length 1 (the rule of
    gensim's doesnt_match).

    A single - instead of words reads the words of a question a line from standard input, and so does a pipe without
    any word.

    --tsv prints a line for each question: the odd word, then all words, with tabs between them. --json prints an
    object, a line each from standard input.
    """
    from glove_cli.cli import sources
    from glove_cli.cli.tables import shown

    check_form(as_json, as_tsv)
    reading = from_stdin(words, "words")
    source = sources.open_vectors(run, model, vectors, process)

    def as_object(asked: tuple[str, ...], ranked: list[Neighbour] | None) -> dict[str, object]:
        if ranked is None:
            return {"words": list(asked), "odd_one_out": None}
        return {"odd_one_out": ranked[0].word, "words": neighbours_as_json(ranked)}

    form = Form(
        table=lambda asked, ranked: (
            f"odd one out: {shown(ranked[0].word)}\n{neighbour_table(ranked, 'cosine with the mean')}"
        ),
        as_object=as_object,
        fields=lambda asked, ranked: [(ranked[0].word, *asked)],
        as_json=as_json,
        as_tsv=as_tsv,
    )

    def answer(asked: Sequence[tuple[str, ...]]) -> list[list[Neighbour]]:
        return [source.odd_one_out(question) for question in asked]

    if reading:
        Lines(source, form, answer, _problem).run()
        return
    form.print_all([words], answer([words]), single=True)
    note_zeros(source.without_direction(words))


def _problem(words: tuple[str, ...]) -> str | None:
    if len(words) < 3:
        return f"has {len(words)} words, three or more were expected"
    repeated = next((word for word in words if words.count(word) > 1), None)
    return f"{repeated} is given twice" if repeated is not None else None
