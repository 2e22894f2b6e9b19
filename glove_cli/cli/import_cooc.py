"""`glove import-cooc`: a co-occurrence matrix from a file of other programs."""

from __future__ import annotations

import time
from pathlib import Path

import click

from glove_cli.cli.options import COOC_NAME, PATH, example, force_option, run_option
from glove_cli.cooc.exchange_names import FORMATS


@click.command("import-cooc", epilog=example("glove import-cooc original/cooccurrence.bin --run imported"))
@click.argument("file", type=PATH)
@click.option(
    "--vocab",
    type=PATH,
    metavar="FILE",
    help="The words: `word count` a line.  [default: vocab.txt beside FILE (reference), or FILE.vocab.txt]",
)
@click.option("--format", type=click.Choice(FORMATS), help="[default: by the name: .bin (reference), .npz, .mtx]")
@click.option(
    "--symmetric/--no-symmetric",
    default=None,
    help="Store one half, also if mirrored values differ by rounding; or all.  [default: one half if they are equal]",
)
@click.option("--sum-duplicates", is_flag=True, help="Add up several values of one pair; else they are an error.")
@run_option
@click.option(
    "-o", "--output", "--cooc", "output", type=PATH, metavar="DIR", help="Matrix to make.  [default: RUN/cooc]"
)
@force_option
def command(
    file: Path,
    vocab: Path | None,
    format: str | None,
    symmetric: bool | None,
    sum_duplicates: bool,
    run: Path,
    output: Path | None,
    force: bool,
) -> None:
    """Make a matrix of the counts in FILE, which another program wrote.

    FILE is a cooccurrence.bin of the original GloVe tools, shuffled or not, a sparse matrix of SciPy (.npz), or a
    Matrix Market file (.mtx).
    """
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.tables import duration, pairs, size
    from glove_cli.cooc.exchange import import_cooc

    out = output if output is not None else run / COOC_NAME
    begin = time.perf_counter()
    with Progress() as progress:
        cooc = import_cooc(
            file,
            out,
            vocab=vocab,
            format=format,
            symmetric=symmetric,
            sum_duplicates=sum_duplicates,
            force=force,
            progress=progress,
        )
    meta = cooc.meta
    rows = [
        ("format", meta["imported"]),
        ("vocabulary", f"{cooc.V:,}"),
        ("pairs", f"{cooc.nnz:,} ({cooc.stored:,} stored)"),
        ("symmetric", "yes" if cooc.symmetric else "no"),
        ("time", duration(time.perf_counter() - begin)),
        ("size", size(sum(entry["bytes"] for entry in meta["files"].values()))),
        ("matrix", str(out)),
    ]
    if meta["summed"]:
        rows.insert(3, ("duplicates", f"{meta['summed']:,} values added to others"))
    if meta["rounded"]:
        rows.insert(3, ("rounding", f"{meta['rounded']:,} mirrored values differ by less than 1e-9; one was kept"))
    click.echo(pairs(rows))
