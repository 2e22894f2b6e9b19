"""`glove sample`: text drawn from n-gram models of a corpus."""

from __future__ import annotations

import json
from typing import Any

import click

from glove_cli.cli.completion import complete_files
from glove_cli.cli.language_options import text_options
from glove_cli.cli.options import Numbers, example, json_option, threads_option
from glove_cli.cli.terminal import check_stdout


@click.command(
    "sample", epilog=example("glove sample corpus.txt", "glove sample corpus.txt --order 2,5 --words 30 --seed 7")
)
@click.argument("corpus", nargs=-1, required=True, shell_complete=complete_files)
@click.option(
    "--order", "orders", type=Numbers(int), default="1,2,3,4", show_default=True, help="Orders of the models, up to 5."
)
@click.option("--words", type=int, default=50, show_default=True, help="How many words to draw of each.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same one draws the same words.")
@click.option("--min-count", type=int, default=1, show_default=True, help="Never draw words that occur less often.")
@click.option("--max-vocab", type=int, help="Draw only so many words, the most frequent ones.")
@text_options
@threads_option
@json_option
def command(corpus: tuple[str, ...], orders: tuple[int, ...], as_json: bool, **options: Any) -> None:
    """Draw text from n-gram models of CORPUS.

    A model of order n knows which words follow n - 1 others; it is smoothed by Kneser and Ney's method, as that of
    glove evaluate --lm is. A line of CORPUS is a sentence. CORPUS is as in glove build-cooc.

    --json prints an array with an object for each order: its lines, each an array of words.
    """
    from glove_cli.cli.compiling import announced
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.tables import shown
    from glove_cli.language.sample import sample_text

    check_stdout()
    with Progress() as progress, announced(progress.note):
        samples = sample_text(list(corpus), orders=orders, progress=progress, **options)
    if as_json:
        click.echo(json.dumps([sample._asdict() for sample in samples], indent=2))
        return
    for number, sample in enumerate(samples):
        text = "\n".join(" ".join(map(shown, line)) for line in sample.lines)
        click.echo(f"{chr(10) if number and len(samples) > 1 else ''}{sample.order}-gram\n{text}")
