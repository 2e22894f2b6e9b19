"""`glove train`: a matrix to a model."""

from __future__ import annotations

import contextlib
import time
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glove_cli.cli.options import (
    COOC_NAME,
    MODEL_NAME,
    PATH,
    Numbers,
    cluster_option,
    config_option,
    example,
    force_option,
    run_option,
    threads_option,
)
from glove_cli.cli.recipe_option import recipe_option
from glove_cli.cli.spectral_options import check_applicable, method_options, train_spectral
from glove_cli.recipes import RECIPES
from glove_cli.spectral.names import GLOVE
from glove_cli.training.config import DTYPES, INIT_BIASES, ON_DIVERGENCE, TrainConfig
from glove_cli.training.x_max import AUTO

if TYPE_CHECKING:
    from collections.abc import Callable

    from glove_cli.cooc.store import CoocMatrix
    from glove_cli.model import GloveModel
    from glove_cli.training.report import EpochReport


class NumberOrAuto(click.ParamType):
    """A number, or `auto`."""

    name = "float or auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a float or the word."""
        try:
            return value if value == AUTO else float(value)
        except ValueError:
            self.fail(f"{value!r} is not a valid float, nor {AUTO}.", param, ctx)


@click.command(
    "train",
    epilog=example(
        "glove train --dim 50 --epochs 20 --x-max 10",
        "glove train --recipe wide",
        "glove train --epochs 100 --holdout 0.01 --patience 3 --resume",
        "glove train --dim 50,100 --seed 1,2",
        "glove train --method ppmi-svd --dim 50 -o ppmi",
    ),
)
@method_options
@recipe_option("training")
@config_option(TrainConfig, "dim", "Numbers in a vector; 50,100 gives two models.", type=Numbers(int))
@config_option(TrainConfig, "epochs", "Passes over the matrix, at most.")
@config_option(
    TrainConfig,
    "x_max",
    "Pairs that occur so often or more count in full; auto: what suits the amount of text.",
    type=NumberOrAuto(),
)
@config_option(TrainConfig, "alpha", "Rarer pairs count (count / x-max) ** alpha.")
@config_option(
    TrainConfig, "min_weight", "Pairs that weigh less are met more rarely, and weigh this then; 0 meets all."
)
@config_option(TrainConfig, "eta", "Learning rate.")
@config_option(TrainConfig, "bias_eta", "Learning rate of the biases.")
@config_option(TrainConfig, "grad_clip", "Largest step of a number before the learning rate.")
@config_option(
    TrainConfig,
    "seed",
    "Another seed gives other vectors; the same one the same, bit for bit. 1,2,3 gives three models.",
    type=Numbers(int),
)
@config_option(TrainConfig, "dtype", "Numbers to compute with.", type=click.Choice(DTYPES))
@config_option(TrainConfig, "holdout", "Share of the pairs to leave out and report the cost of, such as 0.01.")
@config_option(TrainConfig, "patience", "Stop after so many epochs without improvement; 0 never.")
@config_option(TrainConfig, "min_improvement", "Share by which the cost has to fall to count as improved.")
@config_option(TrainConfig, "target_cost", "Stop when the cost is as low as this.", type=float)
@config_option(
    TrainConfig,
    "on_divergence",
    "When the cost explodes: stop, or go back to the beginning of the epoch and halve the learning rates.",
    type=click.Choice(ON_DIVERGENCE),
)
@click.option(
    "--init", type=PATH, metavar="VECTORS", help="Start from these: a model, a run, a checkpoint, or a file of vectors."
)
@config_option(
    TrainConfig,
    "init_biases",
    "Where biases start: 0, small random numbers, or their best fit to the counts.  [default: random, or as in --init]",
    type=click.Choice(INIT_BIASES),
)
@config_option(TrainConfig, "anchor_strength", "Strength of the pull back to the vectors of --init, such as 1.")
@click.option(
    "--process",
    metavar="STEP,...",
    help="What other commands change the vectors by, unless told otherwise: see `glove nearest --help`.",
)
@click.option("--evaluate-every", type=int, metavar="K", help="Ask analogy questions after every K epochs.")
@click.option("--questions", type=PATH, metavar="FILE", help="The questions: a file, or a folder of .txt files.")
@threads_option
@cluster_option
@click.option(
    "--memory",
    metavar="SIZE",
    help="Memory beside the parameters, such as 4G; the result is the same.  [default: half of all for both]",
)
@click.option(
    "--checkpoint-every",
    metavar="TIME",
    default="10m",
    show_default=True,
    help="How often to keep what --resume goes on from: 90s, 10m, 2h, '5 epochs', never (nor at Ctrl-C).",
)
@run_option
@click.option("--cooc", type=PATH, metavar="DIR", help="Matrix to train on.  [default: RUN/cooc]")
@click.option(
    "-o", "--output", "--model", "output", type=PATH, metavar="DIR", help="Model to make.  [default: RUN/model]"
)
@click.option(
    "--tiles", type=PATH, metavar="DIR", help="Where the prepared matrix is kept.  [default: tiles beside the model]"
)
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint of an interrupted run of this command.")
@force_option
def command(
    recipe: str | None,
    dim: tuple[int, ...],
    seed: tuple[int, ...],
    init: Path | None,
    process: str | None,
    evaluate_every: int | None,
    questions: Path | None,
    run: Path,
    cooc: Path | None,
    output: Path | None,
    tiles: Path | None,
    resume: bool,
    force: bool,
    cluster: str | None,
    method: str,
    eig: float,
    shift: float,
    smoothing: float,
    **options: Any,
) -> None:
    """Train word vectors on the matrix that `glove build-cooc` made.

    With several --dim or --seed, a model each, one after the other: RUN/model-d50, RUN/model-s2, RUN/model-d50-s2.

    With another --method, the vectors are singular vectors of the matrix, or of a function of it, and most options
    have no meaning.
    """
    from glove_cli.cli.compiling import announced
    from glove_cli.cli.progress import Progress
    from glove_cli.cooc.store import load_cooc
    from glove_cli.files import check_folder, check_name
    from glove_cli.parallel import thread_count
    from glove_cli.training.checkpoint import Interval, describe_checkpoints
    from glove_cli.training.run import make_config, train
    from glove_cli.training.start import Start
    from glove_cli.vectors.process import chosen_steps
    from glove_cli.workspace import home_of

    model = output if output is not None else run / MODEL_NAME
    check_applicable(method)
    if cluster is not None and (questions is not None or evaluate_every is not None):
        raise click.UsageError("--questions: can't be combined with --cluster. Leave it out, and use glove evaluate.")
    if method != GLOVE:
        models = _outputs(model, dim, seed)
        spectral = {"method": method, "eig": eig, "shift": shift, "smoothing": smoothing}
        train_spectral(models, cooc if cooc is not None else run / COOC_NAME, process, force, spectral)
        return
    evaluate, evaluate_every = _evaluation(evaluate_every, questions)
    threads, memory, every = options.pop("threads"), options.pop("memory"), options.pop("checkpoint_every")
    for d, s in product(dim, seed):
        make_config({"dim": d, "seed": s, **options})
    start = Start.find(init) if init is not None else None
    if start is not None:
        for d in dim:
            start.check_dim(d)
    chosen_steps(process)
    thread_count(threads)
    Interval.parse(every)
    matrix = load_cooc(cooc if cooc is not None else run / COOC_NAME)
    check_name(model)
    models = _outputs(model, dim, seed)
    if not resume and not any(map(describe_checkpoints, map(home_of, models))):
        for out in models:
            check_folder(out, force=force)
    if tiles is None:
        tiles = next(iter(models)).with_name("tiles")
    with Progress() as progress, announced(progress.note), contextlib.ExitStack() as stack:
        if recipe is not None:
            _compare(matrix, recipe, progress.note)
        fit: Callable[..., GloveModel] = partial(
            train, threads=threads, evaluate=evaluate, evaluate_every=evaluate_every
        )
        if cluster is not None:
            from glove_cli.cluster.engine import connected
            from glove_cli.cluster.training import train_on

            fit = partial(train_on, stack.enter_context(connected(cluster, threads=threads, note=progress.note)))
        for out, varied in models.items():
            if len(models) > 1:
                progress.note(f"{out}:")
            begin = time.perf_counter()
            trained = fit(
                matrix, out=out, init=start if cluster is None else init, memory=memory, tiles=tiles,
                checkpoint_every=every, resume=resume, force=force, process=process,
                on_epoch=_teller(progress.note), progress=progress, note=progress.note, **varied, **options,
            )  # fmt: skip
            progress.close()
            _summarize(out, trained, time.perf_counter() - begin)


def _compare(matrix: CoocMatrix, recipe: str, note: Callable[[str], None]) -> None:
    """Say so if the matrix was counted in another way than the recipe's."""
    counted = matrix.meta.get("options") or {}
    wanted = RECIPES[recipe].counting
    other = [f"--{name} {counted.get(name)} ({wanted[name]})" for name in wanted if counted.get(name) != wanted[name]]
    if other:
        note(
            f"Note: {matrix.path} was counted with {', '.join(other)}. In brackets is what the recipe takes: "
            f"glove build-cooc --recipe {recipe}"
        )


def _evaluation(every: int | None, questions: Path | None) -> tuple[Any, int]:
    """Return what asks the questions, or None, and how often."""
    if questions is None:
        if every is not None:
            raise click.UsageError("--evaluate-every: there are no questions. Give --questions FILE as well.")
        return None, 1
    from glove_cli.evaluation.progress import question_accuracy

    return question_accuracy(questions), 1 if every is None else every


def _outputs(out: Path, dims: tuple[int, ...], seeds: tuple[int, ...]) -> dict[Path, dict[str, Any]]:
    """Return where each model goes, named apart where there are several, and the options that it has of its own."""
    models: dict[Path, dict[str, Any]] = {}
    for dim, seed in product(dims, seeds):
        suffix = (f"-d{dim}" if len(dims) > 1 else "") + (f"-s{seed}" if len(seeds) > 1 else "")
        models[out.with_name(out.name + suffix)] = {"dim": dim, "seed": seed}
    return models


def _teller(note: Callable[[str], None]) -> Callable[[EpochReport], None]:
    """Return what says how an epoch went, in a line."""
    from glove_cli.cli.tables import amount, duration

    def tell(report: EpochReport) -> None:
        head = f"epoch {report.epoch:{len(str(report.epochs))}}/{report.epochs}"
        if report.event is not None:
            note(f"{head}  {report.event}")
            return
        parts = [f"cost {report.cost:.6f}"]
        if report.holdout_cost is not None:
            parts.append(f"held out {report.holdout_cost:.6f}")
        if report.accuracy is not None:
            parts.append(f"questions {report.accuracy:.2%}")
        parts.append(f"{amount(report.entries_per_second, 'entry')}/s")
        if report.epoch < report.epochs:
            parts.append(f"{duration(report.seconds_left)} left")
        note("  ".join([head, *parts]))

    return tell


def _summarize(out: Path, model: GloveModel, seconds: float) -> None:
    from glove_cli.cli.tables import duration, pairs, size

    history = [entry for entry in model.meta.get("history", []) if "cost" in entry]
    rows = [
        ("words", f"{len(model.vocab):,}"),
        ("dimensions", f"{model.dim:,}"),
        ("epochs", f"{len(history):,}"),
        ("cost", f"{history[-1]['cost']:.6f}" if history else "unknown"),
    ]
    if history and "holdout_cost" in history[-1]:
        rows.append(("held out", f"{history[-1]['holdout_cost']:.6f}"))
    rows += [
        ("time", duration(seconds)),
        ("size", size(sum(path.stat().st_size for path in out.iterdir()))),
        ("model", str(out)),
    ]
    click.echo(pairs(rows))
