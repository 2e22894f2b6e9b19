"""`glove build-cooc`: text to a co-occurrence matrix."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glove_cli.cli.completion import complete_files
from glove_cli.cli.corpus_options import corpus_options, invalid_note, tmp_option
from glove_cli.cli.options import (
    COOC_NAME,
    PATH,
    cluster_option,
    config_option,
    example,
    force_option,
    run_option,
    threads_option,
)
from glove_cli.cli.recipe_option import recipe_option
from glove_cli.cooc.config import CONTEXTS, OOV, CoocConfig

if TYPE_CHECKING:
    from glove_cli.cooc.store import CoocMatrix


@click.command(
    "build-cooc",
    epilog=example(
        "glove build-cooc corpus.txt --min-count 3",
        "glove build-cooc corpus.txt --recipe wide",
        "cat corpus.txt | glove build-cooc - --lowercase --memory 2G",
        "glove build-cooc corpus.txt --resample 1 --vocab glove-run/cooc/vocab.txt -o again",
        "glove build-cooc corpus.txt --shard 1/2 -o first",
        "glove build-cooc corpus.txt --shard 2/2 -o second",
    ),
)
@recipe_option("counting")
@click.argument("corpus", nargs=-1, required=True, shell_complete=complete_files)
@config_option(CoocConfig, "window", "Farthest distance of two words that counts, in words.")
@config_option(CoocConfig, "context", "Which neighbours of a word count.", type=click.Choice(CONTEXTS))
@config_option(
    CoocConfig,
    "weighting",
    "What a neighbour k words away counts: harmonic 1/k, linear, flat 1, or numbers such as 1,0.5,0.25.",
)
@config_option(CoocConfig, "oov", "Whether words left out hold their places.", type=click.Choice(OOV))
@config_option(CoocConfig, "subsample", "Leave out frequent words at random, such as 1e-4; 0 leaves all.")
@config_option(CoocConfig, "seed", "Another seed leaves out other ones.")
@config_option(
    CoocConfig,
    "resample",
    "Count each line so often as chance, by this seed, has it; see `glove uncertainty`.",
    type=int,
    metavar="SEED",
)
@corpus_options
@click.option("--vocab", type=PATH, metavar="FILE", help="Use the words of this file: `word count` a line.")
@click.option("--shard", metavar="I/N", help="Count the I-th of N parts; see glove merge-cooc.")
@threads_option
@cluster_option
@click.option("--memory", metavar="SIZE", help="Memory to use, such as 4G; the result is the same.  [default: half]")
@tmp_option
@run_option
@click.option(
    "-o", "--output", "--cooc", "output", type=PATH, metavar="DIR", help="Matrix to make.  [default: RUN/cooc]"
)
@click.option("--resume", is_flag=True, help="Go on with what an interrupted run of this command left.")
@force_option
def command(
    recipe: str | None,
    corpus: tuple[str, ...],
    vocab: Path | None,
    words: Path | None,
    stop_words: Path | None,
    json_field: str | None,
    column: str | None,
    shard: str | None,
    threads: int | None,
    cluster: str | None,
    memory: str | None,
    tmp: Path | None,
    run: Path,
    output: Path | None,
    resume: bool,
    force: bool,
    **options: Any,
) -> None:
    """Count which words of CORPUS stand near each other.

    CORPUS is text files, folders of them, patterns such as 'news/*.gz', addresses such as s3://bucket/file, or - for
    standard input; compressed files are recognised. Words are what stands between spaces, tabs and line ends, and a
    document is a line, unless options say otherwise.
    """
    from glove_cli.cli.compiling import announced
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.tables import INEXACT, duration, pairs, size
    from glove_cli.cooc.build import build_cooc

    CoocConfig(**options)
    out = output if output is not None else run / COOC_NAME
    if cluster is not None:
        from glove_cli.cluster.build import build_cooc_on

        if shard is not None:
            raise click.UsageError("--shard: can't be combined with --cluster. Leave one of them out.")
        build: Callable[..., CoocMatrix] = partial(build_cooc_on, cluster)
    else:
        build = partial(build_cooc, shard=shard)
    begin = time.perf_counter()
    with Progress() as progress, announced(progress.note):
        cooc = build(
            list(corpus),
            out,
            vocab=vocab,
            words=words,
            stop_words=stop_words,
            json_field=json_field,
            column=column,
            threads=threads,
            memory=memory,
            tmp=tmp,
            resume=resume,
            force=force,
            progress=progress,
            note=progress.note,
            **options,
        )
    meta = cooc.meta
    written = sum(file["bytes"] for file in meta["files"].values())
    dropped = meta["tokens"] - meta["kept_tokens"]
    sampled = f", {meta['sampled_tokens']:,} left out by --subsample" if meta["sampled_tokens"] else ""
    rows = [
        ("tokens", f"{meta['tokens']:,} ({dropped:,} of them outside the vocabulary{sampled})"),
        ("documents", f"{meta['documents']:,}"),
        ("vocabulary", _vocabulary(cooc.V, meta)),
        ("pairs", f"{cooc.nnz:,}"),
        ("time", duration(time.perf_counter() - begin)),
        ("size", size(written)),
        ("matrix", str(out)),
    ]
    invalid = invalid_note(meta["invalid_tokens"], meta["options"]["encoding_errors"])
    if invalid:
        rows.insert(1, ("encoding", invalid))
    if not cooc.exact:
        rows.append(("exactness", INEXACT))
    click.echo(pairs(rows))


def _vocabulary(V: int, meta: dict[str, Any]) -> str:
    if meta["vocabulary"] == "given":
        return f"{V:,} words, as given; the text has {meta['types']:,} different ones"
    return f"{V:,} of {meta['types']:,} different words"
