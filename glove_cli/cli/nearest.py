"""`glove nearest`: the words whose vectors are nearest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glove_cli.cli.asking import (
    Form,
    Lines,
    check_form,
    from_stdin,
    key_of,
    metric_option,
    neighbour_fields,
    neighbour_table,
    neighbours_as_json,
    note_zeros,
    output_options,
    search_options,
    title_of,
)
from glove_cli.cli.completion import complete_words
from glove_cli.cli.indexes import check_index_options, index_options, open_index
from glove_cli.cli.intervals import check_interval_options, interval_options
from glove_cli.cli.options import example, source_options
from glove_cli.vectors.names import COSINE

if TYPE_CHECKING:
    from glove_cli.cli.intervals import SureNeighbour
    from glove_cli.vectors.keyed import Neighbour


@click.command(
    "nearest",
    epilog=example("glove nearest paris river -n 5", "printf 'paris\\nriver\\n' | glove nearest --tsv -n 5"),
)
@click.argument("words", nargs=-1, metavar="WORD...", shell_complete=complete_words)
@search_options
@metric_option
@index_options
@interval_options
@source_options
@output_options
def command(
    words: tuple[str, ...],
    topn: int,
    restrict: int | None,
    metric: str,
    index: Path | None,
    threads: int | None,
    force: bool,
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
    """Find the words nearest to each WORD.

    A single - instead of words reads them from standard input, one a line, and so does a pipe without any WORD. They
    are answered as they come, many at a time; unknown ones are reported at the end.

    --tsv prints a line for each neighbour: WORD, rank, neighbour, score. --json prints an array, or from standard
    input an object a line, with null for an unknown word.

    The search is exact. Of millions of words --index DIR answers many questions faster, by an index that is kept
    there and misses some neighbours: which part of them it finds is said each time. Scores stay exact.

    --intervals adds to each cosine its standard error and an interval (see `glove uncertainty`): in tables two columns,
    in TSV and JSON error, low and high.
    """
    from glove_cli.cli import sources
    from glove_cli.cli.intervals import (
        note_rare,
        open_training,
        open_uncertain,
        sure_fields,
        sure_json,
        sure_table,
        with_intervals,
    )
    from glove_cli.cli.tables import shown
    from glove_cli.vectors.search import check_restrict, check_topn

    check_form(as_json, as_tsv)
    check_topn(topn)
    check_restrict(restrict)
    making = check_index_options(index, restrict, threads, force)
    check_interval_options(intervals, cooc, level, metric, also)
    reading = from_stdin(words, "words")
    sure = open_uncertain(run, model, vectors, process, cooc) if intervals else None
    training = open_training(sure, also, process) if sure is not None else None
    source = sure.vectors if sure is not None else sources.open_vectors(run, model, vectors, process)
    made = open_index(source, index, metric, threads, force=force, making=making) if index is not None else None

    def table_of(best: Sequence[Any]) -> str:
        return sure_table(best, level) if sure is not None else neighbour_table(best, title_of(metric))

    def json_of(best: Sequence[Any]) -> list[dict[str, object]]:
        return sure_json(best) if sure is not None else neighbours_as_json(best, key_of(metric))

    form = Form(
        table=lambda asked, best: f"nearest to {shown(asked[0])}\n{table_of(best)}",
        as_object=lambda asked, best: {"word": asked[0], "nearest": None if best is None else json_of(best)},
        fields=sure_fields if sure is not None else neighbour_fields,
        as_json=as_json,
        as_tsv=as_tsv,
    )

    def answer(asked: Sequence[tuple[str, ...]]) -> Sequence[Sequence[Neighbour | SureNeighbour]]:
        queries = [word for (word,) in asked]
        if made is not None:
            best = made.nearest_many(queries, topn, threads=threads)
        else:
            best = source.nearest_many(queries, topn, metric=metric, restrict=restrict)
        return best if sure is None else with_intervals(sure, queries, best, level, training, threads)

    if reading:
        Lines(source, form, answer, whole=True, directed=metric == COSINE).run()
    else:
        asked = [(word,) for word in words]
        form.print_all(asked, answer(asked))
        if metric == COSINE:
            note_zeros(source.without_direction(words))
    if sure is not None:
        note_rare(sure, training)
