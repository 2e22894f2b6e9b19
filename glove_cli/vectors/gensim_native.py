"""gensim's own files, as `KeyedVectors.save` makes them: NAME is a pickle, NAME.vectors.npy beside it the vectors.

gensim keeps small arrays within the pickle; both are read. What is written always has the second file, so that
`KeyedVectors.load(NAME, mmap="r")` maps it into memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError
from glove_cli.files import is_stream, output_files
from glove_cli.folder import npy_header
from glove_cli.vectors.checks import check_unique, check_words, named_errors
from glove_cli.vectors.gensim_pickle import StandIn, StoredArray, keyed_vectors_pickle, load_pickle
from glove_cli.vectors.matrices import float32_rows, read_npy
from glove_cli.vectors.rows import Rows, blocks, finite_block
from glove_cli.vectors.word2vec_binary import as_float32
from glove_cli.vocab import word_to_bytes

_WORDS = ("index_to_key", "index2word", "index2entity")  # since gensim 4, before it, and in some of its classes
_VECTORS = ("vectors", "syn0")


def vectors_path(path: str | os.PathLike[str]) -> Path:
    """Return the file of the vectors that stands beside a pickle."""
    return Path(f"{os.fspath(path)}.vectors.npy")


def write(
    out: str | os.PathLike[str] | BinaryIO,
    words: Sequence[str],
    rows: Rows,
    *,
    header: bool = False,
    threads: int | None = None,
    force: bool = False,
    counts: NDArray[np.int64] | None = None,
) -> None:
    """Write vectors as gensim's KeyedVectors.

    The parameters are those of `glove_text.write`; `counts`, int64 (V,), are how often each word occurred. `out` is
    the file to make; the vectors go beside it.

    Raises
    ------
    OptionError
        If `out` is a stream: two files can't go there.
    FormatError
        If a value isn't finite, or a word is empty or stands twice.
    OutputError
        If a file exists and `force` is false, or can't be written.
    """
    if not isinstance(out, (str, os.PathLike)) or is_stream(out):
        raise OptionError("--format: gensim makes two files, so it can't be written to a stream. Name a file.")
    check_words(words, "vectors", forbidden="")
    with output_files(out, vectors_path(out), force=force) as (file, array):
        array.write(npy_header(np.dtype("<f4"), rows.shape))
        for begin, end in blocks(rows, "vectors", words):
            array.write(as_float32(finite_block(rows, begin, end, "vectors", words)).astype("<f4", copy=False).data)
        file.write(keyed_vectors_pickle(words, rows.shape[1], counts))


def read(path: str | os.PathLike[str]) -> tuple[list[str], NDArray[np.float32]]:
    """Read the word vectors that gensim saved, or those of a Word2Vec model; gensim isn't needed.

    The parameters and what is returned are those of `glove_text.read`. `path` is the pickle.

    Raises
    ------
    FormatError
        If a file can't be read, or is no such pickle, or asks for anything that word vectors don't need; if a word
        stands twice, or a value isn't finite.
    """
    path = Path(path)
    found = load_pickle(path)
    beside = os.fspath(path)
    if isinstance(found.state.get("wv"), StandIn):
        found, beside = found.state["wv"], f"{beside}.wv"
    words = next((found.state[name] for name in _WORDS if found.state.get(name)), None)
    if not isinstance(words, list) or not words:
        raise FormatError(f"{path}: is a {found.name} of gensim without a list of words. Save its `wv` in gensim.")
    if not all(isinstance(word, str) for word in words):
        raise FormatError(f"{path}: its vectors belong to numbers, not to words. Name a file of word vectors.")
    matrix = float32_rows(_array(found, beside, path), words, path)
    if len(words) != len(matrix):
        raise FormatError(f"{path}: holds {len(words):,} words, but {len(matrix):,} vectors. Save it again.")
    with named_errors(path):  # a half of a pair of surrogates has no bytes
        encoded = [word_to_bytes(word) for word in words]
    check_unique(encoded, path, first=1, unit="word")
    return words, matrix


def _array(found: StandIn, beside: str, path: Path) -> NDArray[Any]:
    """Return the vectors, which stand in the pickle or in a file beside it."""
    for name in _VECTORS:
        if name in (found.state.get("__numpys") or ()):
            array = read_npy(Path(f"{beside}.{name}.npy"))
            break
        if isinstance(found.state.get(name), StoredArray):
            try:
                array = found.state[name].numpy()
            except ValueError as error:
                raise FormatError(f"{path}: can't be read: {error}. Save it again.") from error
            break
    else:
        if "fasttext" in found.name.lower():
            raise FormatError(
                f"{path}: is a fastText model of gensim, which keeps parts of words, not their vectors. Save these in "
                "gensim with model.wv.save_word2vec_format(FILE)."
            )
        raise FormatError(f"{path}: is a {found.name} of gensim without vectors. Save its `wv` in gensim.")
    if array.ndim != 2 or array.dtype.kind != "f" or not array.size:
        raise FormatError(f"{path}: its vectors are not a matrix of floats. Save it again.")
    return array
