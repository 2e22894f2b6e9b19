"""`glove export-cooc`: a co-occurrence matrix to a file of other programs."""

from __future__ import annotations

import time
from pathlib import Path

import click

from glove_cli.cli.options import COOC_NAME, PATH, example, force_option, run_option
from glove_cli.cooc.exchange_names import FORMATS


@click.command(
    "export-cooc", epilog=example("glove export-cooc original/cooccurrence.bin", "glove export-cooc matrix.mtx")
)
@click.argument("out", type=PATH)
@click.option("--format", type=click.Choice(FORMATS), help="[default: by the name: .bin (reference), .npz, .mtx]")
@run_option
@click.option("--cooc", type=PATH, metavar="DIR", help="Matrix to export.  [default: RUN/cooc]")
@click.option(
    "--vocab-out",
    type=PATH,
    metavar="FILE",
    help="Vocabulary to make.  [default: vocab.txt beside OUT (reference), or OUT.vocab.txt]",
)
@force_option
def command(out: Path, format: str | None, run: Path, cooc: Path | None, vocab_out: Path | None, force: bool) -> None:
    """Write the counts to the file OUT for other programs, and the vocabulary beside it.

    The format reference is the cooccurrence.bin of the original GloVe tools, npz is SciPy's, mtx is Matrix Market's.
    """
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.tables import duration, size
    from glove_cli.cooc.exchange import export_cooc
    from glove_cli.files import is_stream

    begin = time.perf_counter()
    with Progress() as progress:
        done = export_cooc(
            cooc if cooc is not None else run / COOC_NAME,
            out,
            vocab_out=vocab_out,
            format=format,
            force=force,
            progress=progress,
        )
    to_stream = is_stream(out)
    written = "" if to_stream else f", {size(out.stat().st_size)}"
    taken = duration(time.perf_counter() - begin)
    click.echo(f"{out}: {done.written:,} entries, {done.format}{written}, {taken}; words: {done.vocab}", err=to_stream)
