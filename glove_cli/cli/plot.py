"""`glove plot`: a picture of words, near each other where their vectors are."""

from __future__ import annotations

import re
from pathlib import Path

import click

from glove_cli.cli.completion import complete_words
from glove_cli.cli.options import PATH, example, force_option, source_options
from glove_cli.cli.terminal import say


@click.command("plot", epilog=example("glove plot words.png -n 300 --skip 50", "glove plot clusters.svg --clusters 8"))
@click.argument("out", type=PATH)
@click.argument("words", nargs=-1, metavar="[WORD]...", shell_complete=complete_words)
@click.option(
    "-n", "--top", type=int, help="How many of the most frequent words, unless words are named.  [default: 200]"
)
@click.option(
    "--skip", type=int, metavar="N", help="Leave out the N most frequent words, which are often function words."
)
@click.option("--words", "words_file", type=PATH, metavar="FILE", help="Draw the words of this file, one a line.")
@click.option(
    "--pairs",
    "pairs_file",
    type=PATH,
    metavar="FILE",
    help="Draw the pairs of words of this file, two words a line, as arrows.",
)
@click.option(
    "--method",
    type=click.Choice(("pca", "tsne", "umap")),
    help="How words get their places.  [default: tsne; with --pairs, pca]",
)
@click.option(
    "--neighbours", type=int, metavar="N", help="Perplexity of t-SNE (30 unless given), neighbours of UMAP (15)."
)
@click.option("--clusters", type=int, metavar="K", help="Colour K clusters of words, found by k-means.")
@click.option("--seed", type=int, default=0, show_default=True, help="Start of what is random.")
@click.option("--title", help="What stands above the picture.")
@click.option("--size", metavar="WxH", help="Inches, as in 8x6.  [default: as the number of words needs]")
@force_option
@source_options
def command(
    out: Path,
    words: tuple[str, ...],
    top: int | None,
    skip: int | None,
    words_file: Path | None,
    pairs_file: Path | None,
    method: str | None,
    neighbours: int | None,
    clusters: int | None,
    seed: int,
    title: str | None,
    size: str | None,
    force: bool,
    run: Path,
    model: Path | None,
    vectors: str,
    process: str | None,
) -> None:
    """Draw words to OUT, a .png, .svg or .pdf: the most frequent ones, or each WORD.

    Words are near each other where the cosine of their vectors is large. The same vectors, options and seed give the
    same picture.
    """
    from glove_cli.cli import sources
    from glove_cli.cli.tables import size as bytes_text
    from glove_cli.plots.figure import check_drawing
    from glove_cli.plots.pairs import read_pairs, read_words
    from glove_cli.plots.projection import NAMES
    from glove_cli.plots.words import check_options, draw_words

    check_drawing(out, force=force)
    inches = _inches(size)
    check_options(
        method or ("tsne" if pairs_file is None else "pca"),
        clusters=clusters,
        inches=inches,
        seed=seed,
        neighbours=neighbours,
    )
    listed = read_words(words_file) if words_file is not None else []
    pairs = read_pairs(pairs_file) if pairs_file is not None else None
    source = sources.open_vectors(run, model, vectors, process)
    for word in words:  # a wrong one here is a slip of the pen; in a file it may be one of many
        source.row(word)
    drawn = draw_words(
        source, out, [*words, *listed] or None, top=top, skip=skip, unknown="skip", pairs=pairs, method=method,
        neighbours=neighbours, seed=seed, clusters=clusters, title=title, inches=inches, force=force,
        on_stage=say,
    )  # fmt: skip
    for note in drawn.notes:
        say(f"Note: {note}")
    seeded = f", seed {seed}" if drawn.method != "pca" or clusters is not None else ""
    width, height = drawn.inches
    click.echo(
        f"Drew {len(drawn.words):,} words, {len(drawn.labelled):,} with labels, "
        f"by {NAMES[drawn.method]} (cosine{seeded}): {out}, "
        f"{width:.3g} x {height:.3g} inches, {bytes_text(out.stat().st_size)}."
    )


def _inches(size: str | None) -> tuple[float, float] | None:
    """Return width and height."""
    from glove_cli.errors import OptionError

    if size is None:
        return None
    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)[xX\u00d7](\d{1,3}(?:\.\d+)?)", size.strip(), re.ASCII)
    if found is None:
        raise OptionError(f"--size: {size!r} is not a width and a height. Give inches, as in 8x6.")
    return float(found[1]), float(found[2])
