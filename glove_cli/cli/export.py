"""`glove export`: the vectors of a model to a file."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from glove_cli.cli.options import MODEL_NAME, example, force_option, source_options, threads_option
from glove_cli.vectors.names import FORMAT_NAMES


@click.command("export", epilog=example("glove export vectors.txt", "glove export - --vectors word | head -3"))
@click.argument("out")
@click.option(
    "--unk/--no-unk",
    default=None,
    help="Add a last row <unk>, the mean of the 100 rarest words.  [default: --unk, unless <unk> is a word itself]",
)
@click.option("--header", is_flag=True, help="Begin GloVe text with a line `words dimensions`.")
@click.option(
    "--format",
    type=click.Choice(FORMAT_NAMES),
    help="[default: by the name: .npy, .bin (word2vec binary), .vec or .w2v (word2vec text), others GloVe text]",
)
@threads_option
@source_options
@force_option
def command(
    out: str,
    vectors: str,
    unk: bool | None,
    header: bool,
    format: str | None,
    threads: int | None,
    run: Path,
    model: Path | None,
    process: str | None,
    force: bool,
) -> None:
    """Write the vectors of a model, or of a file, to the file OUT; - is standard output.

    The format npy makes two files: the vectors, and the words beside them in NAME.words.txt.
    """
    from glove_cli.cli.compiling import announced
    from glove_cli.cli.tables import duration, size
    from glove_cli.errors import OutputError
    from glove_cli.files import is_stream
    from glove_cli.parallel import thread_count
    from glove_cli.vectors.export import export_vectors

    def note(text: str) -> None:
        click.echo(text, err=True)

    thread_count(threads)
    if out == "-" and sys.stdout is None:
        raise OutputError("standard output: is closed. Name a file.")
    begin = time.perf_counter()
    to_stream = out == "-" or is_stream(out)
    with announced(note):
        done = export_vectors(
            model if model is not None else run / MODEL_NAME,
            sys.stdout.buffer if out == "-" else out,
            vectors=vectors,
            process=process,
            unk=unk,
            header=header,
            format=format,
            threads=threads,
            force=force,
        )
    if done.own_unk:
        note("Note: <unk> is a word of the corpus and keeps its own vector; no mean of the rarest words was added.")
    rows = f"{done.words - done.unk:,} words" + (" and <unk>" if done.unk else "")
    written = "" if to_stream else f", {size(os.path.getsize(out))}"
    name = "standard output" if out == "-" else out
    time_taken = duration(time.perf_counter() - begin)
    click.echo(f"{name}: {rows}, {done.dim:,} numbers each, {done.title}{written}, {time_taken}", err=to_stream)
