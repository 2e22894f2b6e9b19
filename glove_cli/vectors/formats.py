"""The exchange formats: which one a file has, by its name when writing and by its content when reading."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError
from glove_cli.vectors import glove_text, npy, word2vec_binary, word2vec_text
from glove_cli.vectors.checks import named_errors
from glove_cli.vectors.names import FORMAT_NAMES, GLOVE, NPY, WORD2VEC, WORD2VEC_BINARY
from glove_cli.vectors.text import fits_header, header_shape, read_head
from glove_cli.vectors.word2vec_binary import looks_binary

_NPY_MAGIC = b"\x93NUMPY"


@dataclass(frozen=True)
class Format:
    """A way to keep word vectors in a file.

    Attributes
    ----------
    name, title : str
        What `--format` and what messages call it.
    write, read : callable
        See `glove_text`.
    """

    name: str
    title: str
    write: Callable[..., None]
    read: Callable[[str | os.PathLike[str]], tuple[list[str], NDArray[np.float32]]]


FORMATS = {
    GLOVE: Format(GLOVE, "GloVe text", glove_text.write, glove_text.read),
    WORD2VEC: Format(WORD2VEC, "word2vec text", word2vec_text.write, word2vec_text.read),
    WORD2VEC_BINARY: Format(WORD2VEC_BINARY, "word2vec binary", word2vec_binary.write, word2vec_binary.read),
    NPY: Format(NPY, "NumPy array and words", npy.write, npy.read),
}
_SUFFIXES = {".npy": NPY, ".bin": WORD2VEC_BINARY, ".vec": WORD2VEC, ".w2v": WORD2VEC}


def find_format(name: str) -> Format:
    """Return the format of a name.

    Raises
    ------
    OptionError
        If there is no such format.
    """
    if name not in FORMATS:
        raise OptionError(f"--format: {name!r} is not one of {', '.join(FORMAT_NAMES)}. Choose one of them.")
    return FORMATS[name]


def format_of_name(out: str | os.PathLike[str] | BinaryIO) -> Format:
    """Return the format in which a file of this name is written: GloVe text, unless its ending says another."""
    suffix = Path(out).suffix.lower() if isinstance(out, (str, os.PathLike)) else ""
    return FORMATS[_SUFFIXES.get(suffix, GLOVE)]


def format_of_content(path: str | os.PathLike[str]) -> Format:
    """Return the format of an existing file by its first bytes.

    Raises
    ------
    FormatError
        If the file can't be read, or is a pipe or a device.
    """
    path = Path(path)
    # What was looked at in a pipe would be missing when the whole is read, and a second opening may wait for ever.
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise FormatError(f"{path}: is not a file that can be read twice. Save it as a file and name that.")
    with named_errors(path), path.open("rb", buffering=0) as file:
        head = read_head(file)
    if head.startswith(_NPY_MAGIC):
        return FORMATS[NPY]
    shape = header_shape(head)
    if not shape:
        return FORMATS[GLOVE]
    if fits_header(head):
        return FORMATS[WORD2VEC]
    return FORMATS[WORD2VEC_BINARY if looks_binary(head, shape) else GLOVE]
