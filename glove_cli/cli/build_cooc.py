"""`glove build-cooc`: text to a co-occurrence matrix."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from glove_cli.cli.options import COOC_NAME, PATH, config_option, example, force_option, run_option, threads_option
from glove_cli.cooc.config import CONTEXTS, WEIGHTINGS, CoocConfig


@click.command(
    "build-cooc",
    epilog=example("glove build-cooc corpus.txt --min-count 3", "xzcat corpus.txt.xz | glove build-cooc -"),
)
@click.argument("corpus", nargs=-1, required=True)
@config_option(CoocConfig, "min_count", "Leave out words that occur less often.")
@config_option(CoocConfig, "max_vocab", "Keep only so many words, the most frequent ones.", type=int)
@click.option("--vocab", type=PATH, metavar="FILE", help="Use the words of this file: `word count` a line.")
@config_option(CoocConfig, "window", "Farthest distance of two words that counts, in words.")
@config_option(CoocConfig, "context", "Which neighbours of a word count.", type=click.Choice(CONTEXTS))
@config_option(CoocConfig, "weighting", "A neighbour k words away counts 1/k, or 1.", type=click.Choice(WEIGHTINGS))
@config_option(CoocConfig, "lowercase", "Turn the text to lower case first.")
@threads_option
@run_option
@click.option(
    "-o", "--output", "--cooc", "output", type=PATH, metavar="DIR", help="Matrix to make.  [default: RUN/cooc]"
)
@force_option
def command(
    corpus: tuple[str, ...],
    vocab: Path | None,
    threads: int | None,
    run: Path,
    output: Path | None,
    force: bool,
    **options: Any,
) -> None:
    """Count which words of CORPUS stand near each other.

    CORPUS is one or more text files; - is standard input. Words are what stands between spaces, tabs and line ends; a
    document is a line.
    """
    from glove_cli.cli.compiling import announced
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.tables import duration, pairs, size
    from glove_cli.cooc.build import build_cooc

    CoocConfig(**options)
    out = output if output is not None else run / COOC_NAME
    begin = time.perf_counter()
    with Progress() as progress, announced(progress.note):
        cooc = build_cooc(list(corpus), out, vocab=vocab, threads=threads, force=force, progress=progress, **options)
    meta = cooc.meta
    written = sum(file["bytes"] for file in meta["files"].values())
    dropped = meta["tokens"] - meta["kept_tokens"]
    rows = [
        ("tokens", f"{meta['tokens']:,} ({dropped:,} of them outside the vocabulary)"),
        ("documents", f"{meta['documents']:,}"),
        ("vocabulary", f"{cooc.V:,} of {meta['types']:,} different words"),
        ("pairs", f"{cooc.nnz:,}"),
        ("time", duration(time.perf_counter() - begin)),
        ("size", size(written)),
        ("matrix", str(out)),
    ]
    click.echo(pairs(rows))
