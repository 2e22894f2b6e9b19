"""`glove export`: the vectors of a model to a file."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glove_cli.cli.completion import complete_files
from glove_cli.cli.options import MODEL_NAME, example, force_option, source_options, threads_option
from glove_cli.vectors.names import EXPORT_NAMES, PROJECTOR, SPACY

if TYPE_CHECKING:
    from glove_cli.vectors.keyed import WordVectors

_NEXT_STEPS = {
    SPACY: "Next: python -m spacy init vectors xx {0}/vectors.txt PIPELINE  (xx or the language; PIPELINE is made)",
    PROJECTOR: "Next: tensorboard --logdir {0}  (or load vectors.tsv and metadata.tsv at projector.tensorflow.org)",
}


@click.command(
    "export",
    epilog=example(
        "glove export vectors.txt",
        "glove export vectors.kv --process mean,unit",
        "glove export for-spacy --format spacy",
        "glove export - --vectors word | head -3",
    ),
)
@click.argument("out", shell_complete=complete_files)
@click.option(
    "--unk/--no-unk",
    default=None,
    help="Add a last row <unk>, the mean of the 100 rarest words.  [default: --unk, unless <unk> is a word itself]",
)
@click.option("--header", is_flag=True, help="Begin GloVe text with a line `words dimensions`.")
@click.option(
    "--format",
    type=click.Choice(EXPORT_NAMES),
    help="fasttext is word2vec text; the last three make folders.  [default: by the name: .vec or .w2v (word2vec "
    "text), .bin (word2vec binary), .npy, .kv (gensim), .safetensors, .parquet, others GloVe text]",
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

    Text and .bin are packed where the name ends in .gz, .bz2 or .xz besides. Two formats make two files: npy has the
    words beside the vectors, in NAME.words.txt, and gensim the vectors beside the words, in NAME.vectors.npy. Three
    make a folder for other programs: projector, spacy and reference.
    """
    from glove_cli.cli import sources
    from glove_cli.cli.compiling import announced
    from glove_cli.cli.tables import duration, size
    from glove_cli.cli.terminal import say
    from glove_cli.errors import OutputError
    from glove_cli.files import is_stream
    from glove_cli.parallel import thread_count
    from glove_cli.vectors.export import export_vectors

    thread_count(threads)
    if out == "-" and sys.stdout is None:
        raise OutputError("standard output: is closed. Name a file.")
    begin = time.perf_counter()
    to_stream = out == "-" or is_stream(out)
    source: Path | WordVectors = model if model is not None else run / MODEL_NAME
    if isinstance(source, Path) and sources.is_file(source):
        source, vectors = sources.read_file(source, vectors), "sum"
    with announced(say):
        done = export_vectors(
            source,
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
        say("Note: <unk> is a word of the corpus and keeps its own vector; no mean of the rarest words was added.")
    rows = f"{done.words - done.unk:,} words" + (" and <unk>" if done.unk else "")
    written = "" if to_stream else f", {size(sum(map(_size, done.files)))}"
    name = "standard output" if out == "-" else out
    time_taken = duration(time.perf_counter() - begin)
    click.echo(f"{name}: {rows}, {done.dim:,} numbers each, {done.title}{written}, {time_taken}", err=to_stream)
    if format in _NEXT_STEPS:
        say(_NEXT_STEPS[format].format(shlex.quote(out)))


def _size(path: Path) -> int:
    """Return the bytes of a file, or of the files of a folder."""
    return sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size
