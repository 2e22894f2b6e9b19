"""NumPy: NAME.npy holds the vectors, float32 (V, d), and NAME.words.txt beside it the words, one a line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.files import is_stream, output_files
from glove_cli.folder import npy_header
from glove_cli.vectors.checks import check_unique, check_words
from glove_cli.vectors.matrices import float32_rows, read_npy, read_word_list, words_beside
from glove_cli.vectors.rows import Rows, blocks, finite_block
from glove_cli.vectors.word2vec_binary import as_float32
from glove_cli.vocab import word_from_bytes, word_to_bytes


def words_path(path: str | os.PathLike[str]) -> Path:
    """Return the file of the words that belongs to a file of vectors."""
    return words_beside(path, ".npy")


def write(
    out: str | os.PathLike[str] | BinaryIO,
    words: Sequence[str],
    rows: Rows,
    *,
    header: bool = False,
    threads: int | None = None,
    force: bool = False,
) -> None:
    """Write vectors as a NumPy array and a list of words.

    The parameters are those of `glove_text.write`. `out` is the file to make; the words go beside it.

    Raises
    ------
    OptionError
        If `out` is a stream: two files can't go there.
    FormatError
        If a value isn't finite, or a word can't be written.
    OutputError
        If a file exists and `force` is false, or can't be written.
    """
    if not isinstance(out, (str, os.PathLike)) or is_stream(out):
        raise OptionError("--format: npy makes two files, so it can't be written to a stream. Name a file.")
    check_words(words, "vectors", forbidden="\n")
    with output_files(out, words_path(out), force=force) as (file, word_file):
        word_file.write(b"".join(word_to_bytes(word) + b"\n" for word in words))
        file.write(npy_header(np.dtype("<f4"), rows.shape))
        for begin, end in blocks(rows, "vectors", words):
            file.write(as_float32(finite_block(rows, begin, end, "vectors", words)).astype("<f4", copy=False).data)


def read(path: str | os.PathLike[str]) -> tuple[list[str], NDArray[np.float32]]:
    """Read a NumPy array and the list of words beside it.

    The parameters and what is returned are those of `glove_text.read`. `path` is the array: floats (V, d), of any
    size; larger ones are rounded to float32.

    Raises
    ------
    FormatError
        If a file can't be read, or the two disagree, or a word stands twice, or a value isn't finite.
    """
    path = Path(path)
    array = read_npy(path)
    listed = words_path(path)
    words = read_word_list(listed, len(array), path)
    check_unique(words, listed, first=1)
    return [word_from_bytes(word) for word in words], float32_rows(array, words, path)
