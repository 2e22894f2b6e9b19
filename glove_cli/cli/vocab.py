"""`glove vocab`: the words of a text, and how often each occurs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from glove_cli.cli.completion import complete_files
from glove_cli.cli.corpus_options import corpus_options, invalid_note, tmp_option
from glove_cli.cli.options import PATH, example, force_option, threads_option
from glove_cli.corpus.config import VocabConfig


@click.command("vocab", epilog=example("glove vocab corpus.txt", "glove vocab corpus.txt --min-count 1 -o more.txt"))
@click.argument("corpus", nargs=-1, required=True, shell_complete=complete_files)
@corpus_options
@threads_option
@tmp_option
@click.option(
    "-o", "--output", type=PATH, default="vocab.txt", show_default=True, metavar="FILE", help="File to make, or -."
)
@force_option
def command(
    corpus: tuple[str, ...],
    words: Path | None,
    stop_words: Path | None,
    json_field: str | None,
    column: str | None,
    threads: int | None,
    tmp: Path | None,
    output: Path,
    force: bool,
    **options: Any,
) -> None:
    """Count the words of CORPUS.

    The file has a line `word count` for each, the most frequent one first; words of equal count are ordered by their
    bytes. glove build-cooc --vocab counts with exactly these words. CORPUS is as in glove build-cooc.
    """
    from glove_cli.cli.compiling import announced
    from glove_cli.cli.progress import Progress
    from glove_cli.corpus.sources import find_sources
    from glove_cli.corpus.vocabulary import build_vocab
    from glove_cli.errors import OutputError
    from glove_cli.files import check_apart, check_output

    config = VocabConfig(**options)
    to_stdout = str(output) == "-"
    if to_stdout and sys.stdout is None:
        raise OutputError("standard output: is closed. Name a file.")
    if not to_stdout:
        check_output(output, force=force)
        sources = find_sources(list(corpus), json_field=json_field, column=column)
        check_apart(output, [source.name for source in sources if source.mtime_ns is not None])
    with Progress() as progress, announced(progress.note):
        done = build_vocab(
            list(corpus),
            words=words,
            stop_words=stop_words,
            json_field=json_field,
            column=column,
            threads=threads,
            tmp=tmp,
            progress=progress,
            **options,
        )
    if to_stdout:
        sys.stdout.buffer.write(done.vocab.to_bytes())
        sys.stdout.buffer.flush()
    else:
        done.vocab.save(output, force=force)
    share = done.kept_tokens / done.tokens
    invalid = invalid_note(done.invalid_tokens, config.encoding_errors)
    click.echo(
        f"{'standard output' if to_stdout else output}: {len(done.vocab):,} of {done.types:,} different words, "
        f"{share:.1%} of {done.tokens:,} tokens{f'; {invalid}' if invalid else ''}",
        err=to_stdout,
    )
