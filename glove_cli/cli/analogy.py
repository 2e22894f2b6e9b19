"""`glove analogy`: what is to C as B is to A."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glove_cli.cli.asking import (
    STDIN,
    Form,
    Lines,
    check_form,
    expects,
    from_stdin,
    method_option,
    missing_argument,
    neighbour_fields,
    neighbour_table,
    neighbours_as_json,
    note_zeros,
    output_options,
    search_options,
)
from glove_cli.cli.completion import complete_words
from glove_cli.cli.options import example, source_options
from glove_cli.vectors.names import ADD

if TYPE_CHECKING:
    from glove_cli.vectors.keyed import Neighbour

_COMPUTED = {True: "b - a + c", False: "b * c / a"}


@click.command("analogy", epilog=example("glove analogy france paris italy -n 5"))
@click.argument("a", required=False, metavar="A", shell_complete=complete_words)
@click.argument("b", required=False, metavar="B", shell_complete=complete_words)
@click.argument("c", required=False, metavar="C", shell_complete=complete_words)
@search_options
@method_option
@source_options
@output_options
def command(
    a: str | None,
    b: str | None,
    c: str | None,
    topn: int,
    restrict: int | None,
    method: str,
    run: Path,
    model: Path | None,
    vectors: str,
    process: str | None,
    as_json: bool,
    as_tsv: bool,
) -> None:
    """Find the word that is to C as B is to A.

    A is to B as C is to which word? The one nearest to B - A + C: `glove analogy france paris italy` computes paris -
    france + italy. The three given words can't be the answer. With --method mul it is the one with the largest product
    of cosines with B and C, divided by that with A.

    A single - instead of words reads three words a line from standard input, and so does a pipe without any word.

    --tsv prints a line for each answer: A, B, C, rank, word, score. --json prints an object, a line each from standard
    input.
    """
    from glove_cli.cli import sources
    from glove_cli.cli.tables import shown
    from glove_cli.vectors.search import check_restrict, check_topn

    check_form(as_json, as_tsv)
    check_topn(topn)
    check_restrict(restrict)
    reading = from_stdin((a, b, c), "a")
    for name, value in (("b", b), ("c", c)):
        if value is None and not reading:
            raise missing_argument(name)
    source = sources.open_vectors(run, model, vectors, process)
    adding = method == ADD

    def table(asked: tuple[str, ...], best: list[Neighbour]) -> str:
        x, y, z = map(shown, asked)
        computed = f"nearest to {y} - {x} + {z}" if adding else f"best by {y} * {z} / {x}"
        return f"{x} is to {y} as {z} is to: {computed}\n{neighbour_table(best, 'cosine' if adding else 'score')}"

    def as_object(asked: tuple[str, ...], best: list[Neighbour] | None) -> dict[str, object]:
        names = dict(zip("abc", asked, strict=True)) if len(asked) == 3 else {"words": list(asked)}
        found = None if best is None else neighbours_as_json(best, "similarity" if adding else "score")
        return {**names, "computed": _COMPUTED[adding], "nearest": found}

    def answer(asked: Sequence[tuple[str, ...]]) -> list[list[Neighbour]]:
        return source.analogies([(x, y, z) for x, y, z in asked], topn, method=method, restrict=restrict)

    form = Form(table, as_object, neighbour_fields, as_json, as_tsv)
    if reading:
        Lines(source, form, answer, expects(3)).run()
        return
    asked = (a or STDIN, b or STDIN, c or STDIN)
    form.print_all([asked], answer([asked]), single=True)
    note_zeros(source.without_direction(asked))
