"""The model of a folder, and its vectors as one array. Needs no compiled code."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from glove_cli.errors import FormatError
from glove_cli.files import META_NAME
from glove_cli.folder import read_meta
from glove_cli.model import GloveModel
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.names import EXPORT_FORMAT, EXPORT_VECTORS
from glove_cli.vectors.process import chosen_steps, process_vectors
from glove_cli.vectors.rows import ModelRows, finite_block
from glove_cli.workspace import home_of

MODEL_NAME = "model"
_VECTORS = ("W", "C")


def load_model(path: str | os.PathLike[str], *, verify: Iterable[str] | None = _VECTORS) -> GloveModel:
    """Open the model in a model's or a run's folder.

    Parameters
    ----------
    path : path-like
    verify : iterable of str, optional
        Arrays to compare with their checksums: the vectors unless given, all for None.

    Returns
    -------
    GloveModel
        Its arrays are mapped into memory, read only.

    Raises
    ------
    FormatError
        If there is no model, or its files disagree, are cut short or were changed.
    """
    path = Path(path)
    if not os.path.exists(path / META_NAME) and os.path.isdir(path / MODEL_NAME):
        path = path / MODEL_NAME
    if not os.path.lexists(path):
        others = sorted(p.parent.name for p in path.parent.glob(f"{glob.escape(path.name)}-*/{META_NAME}"))
        if others:
            raise FormatError(f"{path}: does not exist, but {', '.join(others)}. Name one of them with --model.")
        if home_of(path).is_dir():
            advice = "Let it end, or go on with `glove train --resume`."
            raise FormatError(f"{path}: does not exist, but a training of it has begun. {advice}")
    if os.path.exists(path / META_NAME):
        meta = read_meta(path, remedy="Name a model.")
        if meta.get("format") == EXPORT_FORMAT and meta.get("program") in EXPORT_VECTORS:
            inside = path / EXPORT_VECTORS[meta["program"]]
            raise FormatError(f"{path}: is a folder for other programs, not a model. Name its vectors: {inside}.")
    return GloveModel.load(path, verify=verify)


def select_vectors(model: GloveModel, vectors: str = "sum", process: str | None = None) -> WordVectors:
    """Return vectors of a model, one for each word.

    Parameters
    ----------
    model : GloveModel
    vectors : {"sum", "word", "context", "concat"}
        W + C, W, C, or both side by side.
    process : str, optional
        What is done to them, see `parse_steps`; "none" for nothing. Unless given, what the model was trained to be used
        with (`process` of `train`).

    Returns
    -------
    WordVectors

    Raises
    ------
    OptionError
        If there is no such kind, or a step can't be done.
    FormatError
        If a value isn't finite.
    """
    steps = chosen_steps(process, model.meta.get("process"))
    rows = ModelRows(model, vectors)
    matrix = np.empty(rows.shape, np.float32)
    step = 1 << 14
    with np.errstate(over="ignore"):
        for begin in range(0, len(matrix), step):
            matrix[begin : begin + step] = rows[begin : begin + step]
            finite_block(matrix, begin, begin + step, "model", model.vocab.words)
    found = WordVectors(model.vocab.words, matrix)
    return process_vectors(found, steps) if steps else found
