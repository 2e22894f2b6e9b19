"""`glove merge-vocab`: vocabularies, added up."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from glove_cli.cli.options import PATH, example, force_option


@click.command("merge-vocab", epilog=example("glove merge-vocab vocab.txt more.txt -o both.txt"))
@click.argument("vocabs", nargs=-1, required=True, type=PATH)
@click.option("--min-count", type=int, default=1, show_default=True, help="Leave out words that occur less often.")
@click.option("--max-vocab", type=int, help="Keep only so many words, the most frequent ones.")
@click.option("-o", "--output", type=PATH, required=True, metavar="FILE", help="File to make, or -.")
@force_option
def command(vocabs: tuple[Path, ...], min_count: int, max_vocab: int | None, output: Path, force: bool) -> None:
    """Add up the counts of several vocabulary files.

    Words that a file left out for being rare there are missed: make the files with --min-count 1, and cut here.
    """
    from glove_cli.errors import OptionError, OutputError
    from glove_cli.files import check_output
    from glove_cli.vocab import Vocab, merge_vocabs

    to_stdout = str(output) == "-"
    if to_stdout and sys.stdout is None:
        raise OutputError("standard output: is closed. Name a file.")
    if not to_stdout:
        check_output(output, force=force)
    twice = next((path for path in vocabs if vocabs.count(path) > 1), None)
    if twice is not None:
        raise OptionError(f"{twice}: is named twice, and would be counted twice. Name it once.")
    merged = merge_vocabs([Vocab.load(path) for path in vocabs], min_count=min_count, max_vocab=max_vocab)
    if to_stdout:
        sys.stdout.buffer.write(merged.to_bytes())
        sys.stdout.buffer.flush()
    else:
        merged.save(output, force=force)
    click.echo(
        f"{'standard output' if to_stdout else output}: {len(merged):,} words, {int(merged.counts.sum()):,} tokens",
        err=to_stdout,
    )
