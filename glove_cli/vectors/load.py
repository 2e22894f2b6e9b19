"""Word vectors from wherever they are: a run, a model, or a file of any format."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from glove_cli.errors import FormatError
from glove_cli.files import META_NAME
from glove_cli.model import GloveModel
from glove_cli.vectors.formats import find_format, format_of_content
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.rows import ModelRows

MODEL_NAME = "model"


def load_vectors(path: str | os.PathLike[str], *, vectors: str = "sum", format: str | None = None) -> WordVectors:
    """Read word vectors.

    Parameters
    ----------
    path : path-like
        A run's folder, a model's folder, or a file: GloVe text, word2vec text or binary, or `.npy`.
    vectors : {"sum", "word", "context", "concat"}
        Which vectors of a model; a file has but one kind.
    format : {"glove", "word2vec", "word2vec-binary", "npy"}, optional
        Format of a file; found by its content, unless given.

    Returns
    -------
    WordVectors

    Raises
    ------
    FormatError
        If there is nothing, or it can't be understood; the message names the line.
    OptionError
        If there is no such format or kind of vectors.

    Examples
    --------
    >>> load_vectors("vectors.txt").nearest("paris", 3)  # doctest: +SKIP
    """
    path = Path(path)
    if path.is_dir():
        return select_vectors(load_model(path), vectors)
    if not path.exists():
        raise FormatError(f"{path}: does not exist. Name a file of word vectors, a model or a run.")
    found = find_format(format) if format is not None else format_of_content(path)
    return WordVectors(*found.read(path))


def load_model(path: str | os.PathLike[str]) -> GloveModel:
    """Open the model in a model's or a run's folder.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    GloveModel
        Its arrays are mapped into memory, read only.

    Raises
    ------
    FormatError
        If there is no model, or its files disagree or are cut short.
    """
    path = Path(path)
    if not (path / META_NAME).exists() and (path / MODEL_NAME).is_dir():
        path = path / MODEL_NAME
    return GloveModel.load(path)


def select_vectors(model: GloveModel, vectors: str = "sum") -> WordVectors:
    """Return vectors of a model, one for each word.

    Parameters
    ----------
    model : GloveModel
    vectors : {"sum", "word", "context", "concat"}
        W + C, W, C, or both side by side.

    Returns
    -------
    WordVectors

    Raises
    ------
    OptionError
        If there is no such kind.
    """
    rows = ModelRows(model, vectors)
    matrix = np.empty(rows.shape, np.float32)
    step = 1 << 14
    for begin in range(0, len(matrix), step):
        matrix[begin : begin + step] = rows[begin : begin + step]
    return WordVectors(model.vocab.words, matrix)
