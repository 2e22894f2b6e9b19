"""`glove merge-cooc`: matrices, added up."""

from __future__ import annotations

import time
from pathlib import Path

import click

from glove_cli.cli.corpus_options import tmp_option
from glove_cli.cli.options import COOC_NAME, PATH, example, force_option, run_option, threads_option


@click.command("merge-cooc", epilog=example("glove merge-cooc first second -o both"))
@click.argument("matrices", nargs=-1, required=True, type=PATH)
@threads_option
@tmp_option
@run_option
@click.option(
    "-o", "--output", "--cooc", "output", type=PATH, metavar="DIR", help="Matrix to make.  [default: RUN/cooc]"
)
@force_option
def command(
    matrices: tuple[Path, ...], threads: int | None, tmp: Path | None, run: Path, output: Path | None, force: bool
) -> None:
    """Add up matrices that glove build-cooc made; words are matched by name.

    Shards of a corpus (glove build-cooc --shard), and corpora counted with one --vocab, give the very matrix of the
    whole.
    """
    from glove_cli.cli.compiling import announced
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.tables import INEXACT, duration, pairs, size
    from glove_cli.cooc.combine import merge_cooc

    out = output if output is not None else run / COOC_NAME
    begin = time.perf_counter()
    with Progress() as progress, announced(progress.note):
        cooc = merge_cooc(list(matrices), out, threads=threads, tmp=tmp, force=force, progress=progress)
    rows = [
        ("matrices", f"{len(matrices):,}"),
        ("vocabulary", f"{cooc.V:,} words"),
        ("pairs", f"{cooc.nnz:,}"),
        ("time", duration(time.perf_counter() - begin)),
        ("size", size(sum(file["bytes"] for file in cooc.meta["files"].values()))),
        ("matrix", str(out)),
    ]
    if not cooc.exact:
        rows.append(("exactness", INEXACT))
    if shards := cooc.meta.get("shards"):
        rows.insert(1, ("shards", f"only {', '.join(str(i) for i, _ in shards)} of {shards[0][1]}"))
    click.echo(pairs(rows))
