"""word2vec binary: a first line `V d`, then for each word its bytes, a space, d little-endian float32, a line end."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.vectors.checks import check_words, good_rows, named_errors
from glove_cli.vectors.outputs import open_output
from glove_cli.vectors.problems import Problems
from glove_cli.vectors.rows import Rows, blocks, finite_block
from glove_cli.vectors.text import header_shape
from glove_cli.vocab import word_to_bytes

_LONGEST_HEADER = 64
_LOOKED_AT = 4096
_ROWS_LOOKED_AT = 20
_BLOCK_ROWS = 1 << 14
_ADVICE = "Make the file again."


def write(
    out: str | os.PathLike[str] | BinaryIO,
    words: Sequence[str],
    rows: Rows,
    *,
    header: bool = True,
    threads: int | None = None,
    force: bool = False,
) -> None:
    """Write vectors as word2vec's binary file.

    The parameters are those of `glove_text.write`.

    Raises
    ------
    FormatError
        If a value isn't finite, or a word can't be written.
    OutputError
        If the file exists and `force` is false, or can't be written.
    """
    check_words(words, "vectors", forbidden=" \n")
    encoded = [word_to_bytes(word) for word in words]
    with open_output(out, force=force) as file:
        file.write(b"%d %d\n" % rows.shape)
        for begin, end in blocks(rows, "vectors", words):
            data = as_float32(finite_block(rows, begin, end, "vectors", words)).astype("<f4").tobytes()
            size = len(data) // (end - begin)
            parts = (b"%b %b\n" % (encoded[begin + k], data[k * size : (k + 1) * size]) for k in range(end - begin))
            file.write(b"".join(parts))


def read(path: str | os.PathLike[str], *, problems: Problems | None = None) -> tuple[list[str], NDArray[np.float32]]:
    """Read word2vec's binary file; the line end after a row may be missing, as some programs leave it out.

    The parameters and what is returned are those of `glove_text.read`.

    Raises
    ------
    FormatError
        If the file can't be read, is cut short, holds more than it says, or a word twice, or a value that isn't finite.
    """
    path = Path(path)
    with named_errors(path), path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise FormatError(f"{path}: is empty. Name a file of word vectors.")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            encoded, matrix = _read(data, path)
    return good_rows(encoded, matrix, path, problems if problems is not None else Problems())


def as_float32(block: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float32]:
    """Return a block as float32.

    Raises
    ------
    FormatError
        If a value is too large for that.
    """
    with np.errstate(over="ignore"):
        result = block.astype(np.float32)
    if not np.isfinite(result).all():
        raise FormatError("vectors: a number is too large for 32 bits. Choose a text format.")
    return result


def looks_binary(head: bytes, shape: tuple[int, int]) -> bool:
    """Tell whether the beginning of a file, whose first line says `shape`, goes on in binary rows and not in text."""
    position = head.find(b"\n") + 1
    if any(byte < 9 or 13 < byte < 32 for byte in head[position : position + _LOOKED_AT]):
        return True
    V, d = shape
    for _ in range(min(V, _ROWS_LOOKED_AT)):
        end = head.find(b" ", position) + 1 + 4 * d
        if end <= 4 * d or head[end : end + 1] != b"\n":
            return False
        position = end + 1
    return True


def _read(data: mmap.mmap, path: Path) -> tuple[list[bytes], NDArray[np.float32]]:
    shape = header_shape(data[:_LONGEST_HEADER])
    position = data[:_LONGEST_HEADER].find(b"\n") + 1
    if not shape or not position:
        raise FormatError(f"{path}: does not begin with its numbers of words and dimensions. Name a word2vec file.")
    V, d = shape
    if V * (2 + 4 * d) > len(data) - position:
        raise FormatError(
            f"{path}: its first line says {V:,} words of {d:,} numbers, it is too short for them. {_ADVICE}"
        )
    words: list[bytes] = []
    begins = np.empty(V, np.int64)
    size = 4 * d
    for row in range(V):
        if data[position : position + 1] == b"\n":
            position += 1
        space = data.find(b" ", position)
        begins[row] = space + 1
        if space < 0 or space + 1 + size > len(data):
            raise FormatError(f"{path}: ends within word {row + 1:,} of {V:,}. {_ADVICE}")
        words.append(data[position:space])
        position = space + 1 + size
    for row, word in enumerate(words, 1):
        if not word or b"\n" in word:
            raise FormatError(f"{path}: word {row:,} is empty or holds a line end. {_ADVICE}")
    if data[position:] not in (b"", b"\n"):
        raise FormatError(f"{path}: holds more than the {V:,} words of its first line. {_ADVICE}")
    # A view of the file can't outlive it, and an error would keep it alive; so nothing is raised from here on.
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), size)
    matrix = np.empty((V, d), np.float32)
    for begin in range(0, V, _BLOCK_ROWS):
        matrix[begin : begin + _BLOCK_ROWS] = windows[begins[begin : begin + _BLOCK_ROWS]].view("<f4")
    return words, matrix
