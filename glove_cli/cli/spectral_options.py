"""`glove train --method`: singular vectors instead of GloVe."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from glove_cli.spectral.names import GLOVE, METHODS, PPMI_SVD

_Function = TypeVar("_Function", bound=Callable[..., Any])
# Options of `glove train` that mean something for singular vectors, too.
_SHARED = ("method", "dim", "seed", "process", "run", "cooc", "output", "force")
_OWN = ("eig", "shift", "smoothing")


def method_options(function: _Function) -> _Function:
    """Add `--method` and the options of singular vectors."""
    for option in (
        click.option(
            "--smoothing", type=float, default=0.75, show_default=True,
            help="With ppmi-svd: contexts count (their count) ** smoothing; 1 is none.",
        ),
        click.option(
            "--shift", type=float, default=1.0, show_default=True,
            help="With ppmi-svd: its log is taken off the information, as so many negative samples do.",
        ),
        click.option(
            "--eig", type=float, default=0.5, show_default=True,
            help="With singular vectors: the power of the singular values in word vectors.",
        ),
        click.option(
            "--method", type=click.Choice(METHODS), default=GLOVE, show_default=True,
            help="glove; or singular vectors of the counts (pca), of log(1 + count) (log-pca), or of positive mutual "
            "information (ppmi-svd).",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


def train_spectral(
    models: Mapping[Path, dict[str, Any]], cooc: Path, process: str | None, force: bool, options: dict[str, Any]
) -> None:
    """Make the models.

    Parameters
    ----------
    models : mapping from path to dict
        Where each goes, and the options that it has of its own.
    cooc : Path
        The matrix.
    process, force
        As in `factorize`.
    options : dict
        Those that all have.
    """
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.tables import duration, pairs, size
    from glove_cli.cooc.store import load_cooc
    from glove_cli.files import check_folder
    from glove_cli.model import MODEL_FORMAT
    from glove_cli.spectral.config import SpectralConfig
    from glove_cli.spectral.factorize import factorize

    for out, own in models.items():
        SpectralConfig(**options, **own)
        check_folder(out, force=force, format=MODEL_FORMAT)
    matrix = load_cooc(cooc)
    with Progress() as progress:
        for out, own in models.items():
            begin = time.perf_counter()
            model = factorize(
                matrix, out=out, force=force, process=process, progress=progress, note=progress.note, **own, **options
            )
            progress.close()
            rows = [
                ("method", options["method"]),
                ("words", f"{len(model.vocab):,}"),
                ("dimensions", f"{model.dim:,}"),
                ("explained", f"{model.meta['explained']:.1%}"),
                ("time", duration(time.perf_counter() - begin)),
                ("size", size(sum(path.stat().st_size for path in out.iterdir()))),
                ("model", str(out)),
            ]
            click.echo(pairs(rows))


def check_applicable(method: str) -> None:
    """Refuse options that were given and would have no effect.

    Parameters
    ----------
    method : str

    Raises
    ------
    click.UsageError
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in _OWN:
            applies = name in _OWN[:1] or method == PPMI_SVD if method != GLOVE else False
        else:
            applies = name in _SHARED or method == GLOVE
        if not applies and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{parameter.opts[0]}: has no meaning with --method {method}. Leave it out.")
