"""The vectors that a command looks at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glove_cli.cli.options import MODEL_NAME

if TYPE_CHECKING:
    from glove_cli.vectors.keyed import WordVectors


def open_vectors(run: Path, model: Path | None, vectors: str, process: str | None = None) -> WordVectors:
    """Return the vectors that the options of `source_options` name.

    Raises
    ------
    OptionError
        If a step of `process` can't be done.
    FormatError
        If there is nothing, or it can't be understood.
    """
    from glove_cli.vectors.process import parse_steps, process_vectors

    steps = parse_steps(process) if process is not None else ()
    path = model if model is not None else run / MODEL_NAME
    if os.path.isdir(path) or not os.path.exists(path):
        from glove_cli.vectors.select import load_model, select_vectors

        found = select_vectors(load_model(path), vectors)
    else:
        from glove_cli.cli.compiling import announced
        from glove_cli.vectors.load import load_vectors

        with announced(lambda text: click.echo(text, err=True)):
            found = load_vectors(path, vectors=vectors)
    return process_vectors(found, steps) if steps else found
