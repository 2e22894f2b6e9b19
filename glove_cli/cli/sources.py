"""The vectors that a command looks at."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glove_cli.cli.options import MODEL_NAME, READING
from glove_cli.cli.terminal import say
from glove_cli.errors import OptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
    from glove_cli.vectors.process import chosen_steps, process_vectors

    steps = chosen_steps(process)
    path = model if model is not None else run / MODEL_NAME
    if str(path) == "-":
        raise OptionError("--model: vectors can't come from standard input. Save them as a file and name that.")
    if is_file(path):
        found = read_file(path, vectors)
        return process_vectors(found, steps) if steps else found
    from glove_cli.vectors.select import load_model, select_vectors

    return select_vectors(load_model(path), vectors, process)


def check_source(path: Path) -> None:
    """Refuse what holds no vectors, before others are read.

    Raises
    ------
    FormatError
        As `load_model`, if there is no model nor any file.
    """
    from glove_cli.vectors.select import load_model

    if not is_file(path):
        load_model(path, verify=())


def own_steps(path: Path) -> str | None:
    """Return what a model's vectors are changed by unless `--process` is given; None for a file or where nothing is."""
    from glove_cli.errors import FormatError
    from glove_cli.vectors.select import load_model

    if is_file(path):
        return None
    try:
        return load_model(path).meta.get("process")
    except FormatError:  # said when the vectors are opened
        return None


def counts_of(run: Path, model: Path | None) -> NDArray[np.int64] | None:
    """Return how often each word of a model occurs in its corpus; None for a file of vectors."""
    from glove_cli.vectors.select import load_model

    path = model if model is not None else run / MODEL_NAME
    return None if is_file(path) else load_model(path).vocab.counts


def is_file(path: Path) -> bool:
    """Tell whether a path names a file of vectors, or a member of one that is packed."""
    try:
        return not stat.S_ISDIR(os.stat(path).st_mode)
    except OSError as error:
        if error.errno == errno.EIO:  # a folder all the same, perhaps, and read as a file it would give other vectors
            raise
    return os.path.lexists(path) or any(map(os.path.isfile, path.parents))


def read_file(path: Path, vectors: str) -> WordVectors:
    """Return the vectors of a file, read as the options of `source_options` say.

    Raises
    ------
    FormatError, OptionError
        As `load_vectors`.
    """
    from glove_cli.cli.compiling import announced
    from glove_cli.vectors.load import load_vectors

    context = click.get_current_context(silent=True)
    chosen = context.meta.get(READING, {}) if context is not None else {}
    on_problem = "skip" if chosen.get("skip_bad_lines") else "error"
    encoding_errors = chosen.get("encoding_errors") or "keep"

    def note(text: str) -> None:
        say(f"Note: {text}")

    with announced(say):
        return load_vectors(path, vectors=vectors, on_problem=on_problem, encoding_errors=encoding_errors, note=note)
