"""`glove train`: a matrix to a model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glove_cli.cli.options import (
    COOC_NAME,
    MODEL_NAME,
    PATH,
    config_option,
    example,
    force_option,
    run_option,
    threads_option,
)
from glove_cli.training.config import TrainConfig

if TYPE_CHECKING:
    from glove_cli.training.trainer import EpochReport


@click.command("train", epilog=example("glove train --dim 50 --epochs 20 --x-max 10"))
@config_option(TrainConfig, "dim", "Numbers in a vector.")
@config_option(TrainConfig, "epochs", "Passes over the matrix.")
@config_option(TrainConfig, "x_max", "Pairs that occur so often or more count in full.")
@config_option(TrainConfig, "alpha", "Rarer pairs count (count / x-max) ** alpha.")
@config_option(TrainConfig, "eta", "Learning rate.")
@config_option(TrainConfig, "bias_eta", "Learning rate of the biases.")
@config_option(TrainConfig, "grad_clip", "Largest step of a number before the learning rate.")
@config_option(TrainConfig, "seed", "Another seed gives other vectors; the same one the same, bit for bit.")
@threads_option
@run_option
@click.option("--cooc", type=PATH, metavar="DIR", help="Matrix to train on.  [default: RUN/cooc]")
@click.option(
    "-o", "--output", "--model", "output", type=PATH, metavar="DIR", help="Model to make.  [default: RUN/model]"
)
@force_option
def command(
    threads: int | None, run: Path, cooc: Path | None, output: Path | None, force: bool, **options: Any
) -> None:
    """Train word vectors on the matrix that `glove build-cooc` made."""
    from glove_cli.cli.compiling import announced
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.tables import amount, duration, pairs, size
    from glove_cli.cooc.store import load_cooc
    from glove_cli.files import output_folder
    from glove_cli.parallel import thread_count
    from glove_cli.training.objective import suggest_x_max
    from glove_cli.training.trainer import train

    config = TrainConfig(**options)
    thread_count(threads)
    out = output if output is not None else run / MODEL_NAME
    matrix = load_cooc(cooc if cooc is not None else run / COOC_NAME)
    begin = time.perf_counter()
    with Progress() as progress, announced(progress.note):

        def on_epoch(report: EpochReport) -> None:
            width = len(str(report.epochs))
            left = f"  {duration(report.seconds_left)} left" if report.epoch < report.epochs else ""
            speed = amount(report.entries_per_second, "entry")
            progress.note(f"epoch {report.epoch:{width}}/{report.epochs}  cost {report.cost:.6f}  {speed}/s{left}")

        # The folder is opened before training, so that one which can't be made is found now and not in the end.
        with output_folder(out, force=force) as folder:
            better = suggest_x_max(matrix, config.x_max)
            if better is not None:
                progress.note(
                    f"Note: hardly any pair of this small corpus counts in full with --x-max {config.x_max:g}. "
                    f"--x-max {better:g} suits it better."
                )
            model = train(matrix, threads=threads, on_epoch=on_epoch, progress=progress, **options)
            model.save(folder, force=True)
    written = sum(path.stat().st_size for path in out.iterdir())
    rows = [
        ("words", f"{len(model.vocab):,}"),
        ("dimensions", f"{model.dim:,}"),
        ("epochs", f"{config.epochs:,}"),
        ("cost", f"{model.meta['history'][-1]['cost']:.6f}" if model.meta.get("history") else "unknown"),
        ("time", duration(time.perf_counter() - begin)),
        ("size", size(written)),
        ("model", str(out)),
    ]
    click.echo(pairs(rows))
