"""`glove analogy`: what is to C as B is to A."""

from __future__ import annotations

import json
from pathlib import Path

import click

from glove_cli.cli.completion import complete_words
from glove_cli.cli.options import example, json_option, source_options


@click.command("analogy", epilog=example("glove analogy france paris italy -n 5"))
@click.argument("a", shell_complete=complete_words)
@click.argument("b", shell_complete=complete_words)
@click.argument("c", shell_complete=complete_words)
@click.option("-n", "--topn", type=int, default=10, show_default=True, help="How many words.")
@source_options
@json_option
def command(
    a: str, b: str, c: str, topn: int, run: Path, model: Path | None, vectors: str, process: str | None, as_json: bool
) -> None:
    """Find the word that is to C as B is to A.

    A is to B as C is to which word? The one nearest to B - A + C: `glove analogy france paris italy` computes paris -
    france + italy. The three given words can't be the answer.
    """
    from glove_cli.cli import sources
    from glove_cli.cli.tables import shown

    best = sources.open_vectors(run, model, vectors, process).analogy(a, b, c, topn)
    if as_json:
        click.echo(
            json.dumps({"a": a, "b": b, "c": c, "computed": "b - a + c", "nearest": sources.as_json(best)}, indent=2)
        )
        return
    x, y, z = map(shown, (a, b, c))
    click.echo(f"{x} is to {y} as {z} is to: nearest to {y} - {x} + {z}\n{sources.neighbour_table(best)}")
