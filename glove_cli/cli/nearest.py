"""`glove nearest`: the words whose vectors point in nearly the same direction."""

from __future__ import annotations

import json
from pathlib import Path

import click

from glove_cli.cli.completion import complete_words
from glove_cli.cli.options import example, json_option, source_options


@click.command("nearest", epilog=example("glove nearest paris river -n 5"))
@click.argument("words", nargs=-1, required=True, metavar="WORD...", shell_complete=complete_words)
@click.option("-n", "--topn", type=int, default=10, show_default=True, help="How many words.")
@source_options
@json_option
def command(
    words: tuple[str, ...], topn: int, run: Path, model: Path | None, vectors: str, process: str | None, as_json: bool
) -> None:
    """Find the words nearest to each WORD, by the cosine of their vectors."""
    from glove_cli.cli import sources
    from glove_cli.cli.tables import shown

    source = sources.open_vectors(run, model, vectors, process)
    found = [(word, source.nearest(word, topn)) for word in words]
    if as_json:
        click.echo(json.dumps([{"word": word, "nearest": sources.as_json(best)} for word, best in found], indent=2))
        return
    click.echo("\n\n".join(f"nearest to {shown(word)}\n{sources.neighbour_table(best)}" for word, best in found))
