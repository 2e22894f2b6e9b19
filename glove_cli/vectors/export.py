"""Vectors to a file that other programs read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from glove_cli.errors import OptionError
from glove_cli.files import check_output
from glove_cli.model import GloveModel
from glove_cli.vectors.formats import find_format, format_of_name
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.load import load_vectors
from glove_cli.vectors.names import NPY, UNK, WORD2VEC_BINARY
from glove_cli.vectors.process import Step, parse_steps, process_vectors
from glove_cli.vectors.rows import ModelRows, Rows, mean_of_rarest
from glove_cli.vectors.select import load_model, select_vectors


@dataclass(frozen=True)
class Exported:
    """What `export_vectors` wrote.

    Attributes
    ----------
    words, dim : int
        Rows, that of `<unk>` included, and numbers in each.
    unk : bool
        Whether the last row is the mean of the rarest words.
    own_unk : bool
        Whether no such row was added because the vocabulary has a word `<unk>` of its own.
    title : str
        Name of the format.
    """

    words: int
    dim: int
    unk: bool
    own_unk: bool
    title: str


def export_vectors(
    model: GloveModel | WordVectors | str | os.PathLike[str],
    out: str | os.PathLike[str] | BinaryIO,
    *,
    vectors: str = "sum",
    process: str | tuple[Step, ...] | None = None,
    unk: bool | None = None,
    header: bool = False,
    format: str | None = None,
    threads: int | None = None,
    force: bool = False,
) -> Exported:
    """Write vectors to a file.

    Parameters
    ----------
    model : GloveModel, WordVectors or path-like
        A model or the folder of one (or of its run); or vectors, or a file of them, which are written as they are.
    out : path-like or binary file
        The file to make; it appears when it is complete. A pipe or device is written straight through.
    vectors : {"sum", "word", "context", "concat"}
        Which vectors of a model: W + C, W, C, or both side by side.
    process : str or tuple of Step, optional
        What is done to them first, see `parse_steps`. It takes all of them into memory, as float32.
    unk : bool, optional
        Whether the last row is `<unk>`, the mean of the model's 100 rarest words (of all, if there are fewer). Unless
        given, it is, but for a model that has a word `<unk>` of its own: that keeps its vector and its place.
    header : bool
        Whether GloVe text begins with a line `words dimensions`, as word2vec's formats always do.
    format : {"glove", "word2vec", "word2vec-binary", "npy"}, optional
        By the name, unless given: `.npy`; `.bin` is word2vec's binary, `.vec` and `.w2v` its text; all others are
        GloVe text.
    threads : int, optional
        All cores that this process may use, unless given.
    force : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Exported

    Raises
    ------
    OptionError
        If an option can't work; so `unk` with a word `<unk>` in the vocabulary.
    FormatError
        If there is no model, a value isn't finite, or a word can't be written in the format.
    OutputError
        If the file exists and `force` is false, or can't be written.
    """
    chosen = find_format(format) if format is not None else format_of_name(out)
    if header and chosen.name in (NPY, WORD2VEC_BINARY):
        raise OptionError(f"--header: is for text, not for {chosen.title}. Leave it out.")
    if isinstance(out, (str, os.PathLike)):
        check_output(out, force=force)
    steps = parse_steps(process) if isinstance(process, str) else process or ()
    if isinstance(model, (str, os.PathLike)):
        model = load_vectors(model) if os.path.isfile(model) else load_model(model)
    words, rows, own = _rows(model, vectors, unk, steps)
    chosen.write(out, words, rows, header=header, threads=threads, force=force)
    added = isinstance(model, GloveModel) and len(words) > len(model.vocab)
    return Exported(
        rows.shape[0],
        rows.shape[1],
        unk=added,
        own_unk=isinstance(model, GloveModel) and own and unk is None,
        title=chosen.title,
    )


def _rows(
    model: GloveModel | WordVectors, vectors: str, unk: bool | None, steps: tuple[Step, ...]
) -> tuple[list[str], Rows, bool]:
    """Return the words and rows to write, and whether there is a word `<unk>`."""
    if isinstance(model, WordVectors):
        if unk or vectors != "sum":
            raise OptionError(
                "--vectors, --unk: are for a model; these vectors are written as they are. Leave them out."
            )
        done = process_vectors(model, steps)
        return list(done.words), done.matrix, UNK in model.index
    words = list(model.vocab.words)
    own = UNK in model.vocab.index
    if unk and own:
        raise OptionError(
            "--unk: the vocabulary has a word <unk> of its own. Give --no-unk; its vector is written then."
        )
    add = unk if unk is not None else not own
    if not steps:
        return words + [UNK] * add, ModelRows(model, vectors, unk=add), own
    matrix = process_vectors(select_vectors(model, vectors), steps).matrix
    if add:
        matrix = np.concatenate((matrix, mean_of_rarest(matrix)), dtype=np.float32)
    return words + [UNK] * add, matrix, own
