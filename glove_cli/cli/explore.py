"""`glove explore`: a page to look around in the vectors."""

from __future__ import annotations

from pathlib import Path

import click

from glove_cli.cli.options import PATH, example, force_option, source_options
from glove_cli.cli.terminal import say


@click.command("explore", epilog=example("glove explore words.html -n 500 --method pca"))
@click.argument("out", type=PATH)
@click.option(
    "-n", "--top", type=int, metavar="N", help="How many of the most frequent words.  [default: 10000, or all]"
)
@click.option(
    "--method",
    type=click.Choice(("pca", "tsne", "umap")),
    default="tsne",
    show_default=True,
    help="How words get their places on the map. pca takes no time, the others minutes for 10,000 words.",
)
@click.option(
    "--neighbours", type=int, metavar="N", help="Perplexity of t-SNE (30 unless given), neighbours of UMAP (15)."
)
@click.option(
    "--pairs", "pairs_file", type=PATH, metavar="FILE", help="Show the pairs of this file as arrows, two words a line."
)
@click.option("--clusters", type=int, metavar="K", help="Colour K clusters of words, found by k-means.")
@click.option("--seed", type=int, default=0, show_default=True, help="Start of what is random.")
@click.option("--title", help="What stands above the page.  [default: the name of the vectors]")
@force_option
@source_options
def command(
    out: Path,
    top: int | None,
    method: str,
    neighbours: int | None,
    pairs_file: Path | None,
    clusters: int | None,
    seed: int,
    title: str | None,
    force: bool,
    run: Path,
    model: Path | None,
    vectors: str,
    process: str | None,
) -> None:
    """Write OUT, an .html file: a map of words to pan and zoom, with a search, nearest words, analogies and pairs.

    The page needs no network. Nearest words are exact, by the cosine of the whole vectors, among the words of the
    page. The same vectors, options and seed give the same page.
    """
    from glove_cli.cli import sources
    from glove_cli.cli.tables import size
    from glove_cli.plots.explore import check_page, write_page
    from glove_cli.plots.pairs import read_pairs
    from glove_cli.plots.projection import NAMES

    check_page(out, top=top, method=method, seed=seed, neighbours=neighbours, clusters=clusters, force=force)
    pairs = read_pairs(pairs_file) if pairs_file is not None else []
    source = sources.open_vectors(run, model, vectors, process)
    page = write_page(
        source,
        out,
        top=top,
        method=method,
        neighbours=neighbours,
        seed=seed,
        pairs=pairs,
        clusters=clusters,
        counts=sources.counts_of(run, model),
        title=title if title is not None else (model if model is not None else run).absolute().name,
        force=force,
        on_stage=say,
    )
    for note in page.notes:
        say(f"Note: {note}")
    seeded = f", seed {seed}" if method != "pca" or clusters is not None else ""
    click.echo(
        f"Wrote {page.words:,} words, placed by {NAMES[method]} (cosine{seeded}): {out}, {size(out.stat().st_size)}."
    )
