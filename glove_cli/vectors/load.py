"""Word vectors from wherever they are: a run, a model, or a file of any format."""

from __future__ import annotations

import os
from pathlib import Path

from glove_cli.errors import OptionError
from glove_cli.folder import check_exists
from glove_cli.vectors.formats import find_format, format_of_content
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.select import load_model, select_vectors


def load_vectors(path: str | os.PathLike[str], *, vectors: str = "sum", format: str | None = None) -> WordVectors:
    """Read word vectors.

    Parameters
    ----------
    path : path-like
        A run's folder, a model's folder, or a file of a format that `export_vectors` writes.
    vectors : {"sum", "word", "context", "concat"}
        Which vectors of a model, or of a `vectors.bin` of the original tools; other files have but one kind.
    format : str, optional
        Format of a file, see `export_vectors`; found by its content, unless given.

    Returns
    -------
    WordVectors

    Raises
    ------
    FormatError
        If there is nothing, or it can't be understood; the message names the line.
    OptionError
        If there is no such format or kind of vectors, or a kind is asked of a file.

    Examples
    --------
    >>> load_vectors("vectors.txt").nearest("paris", 3)  # doctest: +SKIP
    """
    path = Path(path)
    check_exists(path, remedy="Name a file of word vectors, a model or a run.")
    if path.is_dir():
        return select_vectors(load_model(path), vectors)
    found = find_format(format) if format is not None else format_of_content(path)
    if found.whole:
        return WordVectors(*found.read(path, vectors))
    if vectors != "sum":
        raise OptionError(f"--vectors: {path} is a file, which has one kind of vectors, not {vectors!r}. Leave it out.")
    return WordVectors(*found.read(path))
