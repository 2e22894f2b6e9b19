"""`glove import-model`: a trained model from the binary files of the original tools."""

from __future__ import annotations

import time
from pathlib import Path

import click

from glove_cli.cli.options import MODEL_NAME, PATH, example, force_option, run_option
from glove_cli.cli.terminal import say


@click.command("import-model", epilog=example("glove import-model pretrained/vectors.bin --run finer"))
@click.argument("vectors", type=PATH)
@click.option(
    "--vocab", type=PATH, metavar="FILE", help="The words: `word count` a line.  [default: vocab.txt beside VECTORS]"
)
@click.option(
    "--gradsq",
    type=PATH,
    metavar="FILE",
    help="Sums of squared gradients, to train on with.  [default: gradsq.bin beside VECTORS, if it is there]",
)
@click.option(
    "--dtype",
    type=click.Choice(("float64", "float32")),
    default="float64",
    show_default=True,
    help="Type of the model's numbers; float32 rounds, and takes half the space.",
)
@run_option
@click.option(
    "-o", "--output", "--model", "output", type=PATH, metavar="DIR", help="Model to make.  [default: RUN/model]"
)
@force_option
def command(
    vectors: Path,
    vocab: Path | None,
    gradsq: Path | None,
    dtype: str,
    run: Path,
    output: Path | None,
    force: bool,
) -> None:
    """Make a model of VECTORS, the vectors.bin of the original GloVe tools.

    They write it with -binary 1 or 2, and gradsq.bin with -save-gradsq 1.
    """
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.tables import duration, pairs, shown, size
    from glove_cli.folder import read_meta
    from glove_cli.vectors.reference_model import import_model

    out = output if output is not None else run / MODEL_NAME
    begin = time.perf_counter()
    with Progress() as progress:
        model = import_model(vectors, out, vocab=vocab, gradsq=gradsq, dtype=dtype, force=force, progress=progress)
    sums = model.meta["imported"]["gradsq"]
    if sums is None:
        say(
            "Note: there were no squared gradients, so their sums start at 1: training on from here will move faster "
            "than it should. Name them with --gradsq."
        )
    files = read_meta(out, remedy="Name a model.")["files"]
    rows = [
        ("words", f"{len(model.vocab):,}"),
        ("dimensions", f"{model.dim:,}"),
        ("data type", model.dtype.name),
        ("squared gradients", "none" if sums is None else shown(sums["path"])),
        ("time", duration(time.perf_counter() - begin)),
        ("size", size(sum(entry["bytes"] for entry in files.values()))),
        ("model", str(out)),
    ]
    click.echo(pairs(rows))
