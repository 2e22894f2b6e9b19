"""The reference's own files, for its tools to go on with: `vectors.bin`, `gradsq.bin` and `vocab.txt` in a folder.

Both `.bin` are float64: for each word d numbers and a bias, then the same for each context (see `reference_model`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError
from glove_cli.model import Floats, GloveModel
from glove_cli.vectors.checks import check_words, named_errors
from glove_cli.vectors.folders import export_folder
from glove_cli.vectors.matrices import float32_rows
from glove_cli.vectors.names import EXPORT_VECTORS, KINDS, REFERENCE
from glove_cli.vectors.reference_model import PARAMETERS_REMEDY, find_dimensions, load_words, size_of
from glove_cli.vectors.rows import finite_block
from glove_cli.vocab import word_to_bytes

VECTORS_NAME = EXPORT_VECTORS[REFERENCE]
SUMS_NAME = "gradsq.bin"
_CHUNK_NUMBERS = 1 << 20
_LONGEST_WORD = 999  # bytes
_BLANK = re.compile(rb"[ \t\n\v\f\r\0]")


def write_model(model: GloveModel, out: str | os.PathLike[str] | BinaryIO, *, force: bool = False) -> None:
    """Write a model as the reference's files.

    Parameters
    ----------
    model : GloveModel
    out : path-like
        The folder to make.
    force : bool
        Whether a folder that was exported before may be replaced.

    Raises
    ------
    OptionError
        If `out` is a stream.
    FormatError
        If a value isn't finite, or the reference could not read a word: one that holds white space or a NUL, or has
        more than 999 bytes.
    OutputError
        If the folder exists and may not be replaced, or can't be written.
    """
    words = model.vocab.words
    check_words(words, "model", forbidden="")
    for word in words:
        encoded = word_to_bytes(word)
        if _BLANK.search(encoded) or len(encoded) > _LONGEST_WORD:
            what = f"has {len(encoded):,} bytes" if len(encoded) > _LONGEST_WORD else "holds white space or a NUL"
            raise FormatError(
                f"model: the word {word[:40]!r} {what}, which the original tools can't read. Choose another --format."
            )
    sides = (model.W, model.b_w), (model.C, model.b_c)
    sums = (model.gradsq_W, model.gradsq_b_w), (model.gradsq_C, model.gradsq_b_c)
    with export_folder(out, REFERENCE, force=force, V=len(words), dim=model.dim) as writer:
        for name, arrays in ((VECTORS_NAME, sides), (SUMS_NAME, sums)):
            with (writer.path / name).open("xb") as file:
                for vectors, biases in arrays:
                    for block in _rows(vectors, biases, words):
                        file.write(block.data)
            writer.names.append(name)
        writer.vocab(model.vocab)


def read(path: str | os.PathLike[str], kind: str = "sum") -> tuple[list[str], NDArray[np.float32]]:
    """Read vectors from the parameters that the reference wrote.

    Parameters
    ----------
    path : path-like
        A `vectors.bin`, its `vocab.txt` beside it; or the folder of both.
    kind : {"sum", "word", "context", "concat"}
        W + C, W, C, or both side by side.

    Returns
    -------
    words : list of str, length V
    matrix : float32 array (V, d)

    Raises
    ------
    OptionError
        If there is no such kind.
    FormatError
        If a file can't be read, or they don't fit together, or a value isn't finite.
    """
    if kind not in KINDS:
        raise OptionError(f"--vectors: {kind!r} is not one of {', '.join(KINDS)}. Choose one of them.")
    path = Path(path)
    path = path / VECTORS_NAME if path.is_dir() else path
    size = size_of(path, PARAMETERS_REMEDY)
    words = load_words(path, None)
    V, d = len(words), find_dimensions(path, size, len(words))
    with named_errors(path):
        sides = np.memmap(path, "<f8", "r").reshape(2, V, d + 1)[:, :, :d]
    matrix = np.empty((V, d * (2 if kind == "concat" else 1)), np.float32)
    step = max(1, _CHUNK_NUMBERS // d)
    with np.errstate(over="ignore", invalid="ignore"):  # such rows are refused below
        for begin in range(0, V, step):
            W, C = sides[:, begin : begin + step]
            rows = {"sum": W + C, "word": W, "context": C}[kind] if kind != "concat" else np.concatenate((W, C), axis=1)
            matrix[begin : begin + step] = rows
    return list(words.words), float32_rows(matrix, words.words, path)


def fits(path: Path, size: int) -> bool:
    """Tell whether a file of this size, a `vocab.txt` beside it, can be the parameters of these words."""
    try:
        vocab = load_words(path, None)
    except FormatError:
        return False
    return size % (2 * 8 * len(vocab)) == 0


def _rows(vectors: Floats, biases: Floats, words: Sequence[str]) -> Iterator[NDArray[np.float64]]:
    """Yield blocks of rows: d numbers and a bias, as float64."""
    V, d = vectors.shape
    step = max(1, _CHUNK_NUMBERS // (d + 1))
    for begin in range(0, V, step):
        end = min(begin + step, V)
        block = np.empty((end - begin, d + 1), "<f8")
        block[:, :d], block[:, d] = vectors[begin:end], biases[begin:end]
        yield finite_block(block, 0, len(block), "model", words[begin:end])
