"""What formats with whole arrays share: an array from a file as rows of float32, and the words beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.folder import damaged_headers
from glove_cli.inputs import read_lines
from glove_cli.vectors.checks import named_errors
from glove_cli.vocab import word_from_bytes


def read_npy(path: Path) -> NDArray[Any]:
    """Return the matrix of floats of a `.npy` file.

    Raises
    ------
    FormatError
        If it can't be read, or is something else.
    """
    try:
        with named_errors(path), damaged_headers():
            array = np.load(path, allow_pickle=False)
    except EOFError as error:
        raise FormatError(f"{path}: is empty. Make the file again.") from error
    except MemoryError as error:  # also where a damaged header says so
        raise FormatError(f"{path}: says that it is larger than the memory. Make the file again.") from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind != "f" or not array.size:
        raise FormatError(f"{path}: is not a matrix of floats. Name a file of word vectors.")
    return array


def float32_rows(array: NDArray[Any], words: Sequence[str | bytes], path: Path) -> NDArray[np.float32]:
    """Return a matrix of floats of any size as float32.

    Raises
    ------
    FormatError
        If a value isn't finite, or too large; the message names the word of its row.
    """
    with np.errstate(over="ignore"):
        matrix = np.require(array, np.float32, ("C", "A", "W"))
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        word = words[int(np.argmin(finite))]
        shown = word_from_bytes(word) if isinstance(word, bytes) else word
        raise FormatError(f"{path}: the vector of {shown!r} isn't finite. Make the file again.")
    return matrix


def read_word_list(listed: Path, rows: int, path: Path) -> list[bytes]:
    """Return the words of a list, one a line, that stands beside the `rows` vectors of `path`.

    Raises
    ------
    FormatError
        If it can't be read, or is of another length.
    """
    words = read_lines(listed, "Make both again.").removesuffix(b"\n").split(b"\n")
    if len(words) != rows:
        raise FormatError(f"{listed}: holds {len(words):,} words, {path} {rows:,} vectors. Make both again.")
    return words


def words_beside(path: str | os.PathLike[str], suffix: str) -> Path:
    """Return the file of the words that belongs to a file of vectors: NAME.words.txt for NAME`suffix`."""
    path = Path(path)
    return path.with_name(path.name.removesuffix(suffix) + ".words.txt")
