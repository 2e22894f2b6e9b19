"""Lines of a word and its numbers: what GloVe text and word2vec text share.

A line is split from the right, because a word may hold spaces. Words are bytes that come out as they went in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.parallel import ordered_map, thread_count
from glove_cli.vectors import kernels
from glove_cli.vectors.checks import check_unique, check_words, join_blocks, named_errors
from glove_cli.vectors.rows import Rows, blocks, finite_block
from glove_cli.vocab import word_from_bytes, word_to_bytes

_BLOCK_BYTES = 8 << 20
_HEAD_LINES = 100
_SEPARATOR = re.compile(rb"[ \t]")
_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf(inity)?)", re.IGNORECASE)
_FRACTION = re.compile(rb"[-+]?\d*\.\d+([eE][-+]?\d+)?")


@dataclass
class Lines:
    """Lines that were read: words, values float32 (n, d), and the first line that is wrong (from 0) with the reason."""

    words: list[bytes]
    values: NDArray[np.float32]
    error: tuple[int, str] | None = None


def write_text(
    file: BinaryIO, words: Sequence[str], rows: Rows, *, name: str, header: bool, threads: int | None
) -> None:
    """Write a line for every word.

    Parameters
    ----------
    file : binary file
    words : sequence of str, length V
    rows : float array (V, d) or ModelRows
    name : str
        What errors call the vectors.
    header : bool
        Whether a first line says how many lines and numbers follow.
    threads : int, optional
        All cores that this process may use, unless given.

    Raises
    ------
    FormatError
        If a value isn't finite, or a word could not be read back from such a line.
    """
    encoded = [word_to_bytes(word) for word in words]
    if header:
        file.write(b"%d %d\n" % rows.shape)

    def work(_: int, part: tuple[int, int]) -> list[bytes | memoryview]:
        begin, end = part
        return _format(encoded[begin:end], finite_block(rows, begin, end, name, words))

    for pieces in ordered_map(work, blocks(rows, name, words), range(thread_count(threads))):
        for piece in pieces:
            file.write(piece)


def check_text_words(words: Sequence[str], name: str) -> None:
    """Refuse, before anything is written, words that could not be read back from a line.

    Raises
    ------
    FormatError
        If a word is empty, repeated, holds a line end, or ends in a space and a number.
    """
    check_words(words, name, forbidden="\n")
    for word in words:
        if (" " in word or "\t" in word) and _looks_like_numbers(word_to_bytes(word)):
            raise FormatError(
                f"{name}: the word {word!r} ends in a number, so its line could not be read. Export as npy."
            )


def read_text(path: str | os.PathLike[str], *, header: bool | None) -> tuple[list[str], NDArray[np.float32]]:
    """Read a file of lines.

    Parameters
    ----------
    path : path-like
    header : bool, optional
        Whether the first line must be a header; unless given, it is one if it holds two integers and the next line
        fits.

    Returns
    -------
    words : list of str, length V
    matrix : float32 array (V, d)

    Raises
    ------
    FormatError
        If the file can't be read, is empty, or a line isn't what it should be; the message names the line.
    """
    path = Path(path)
    words: list[bytes] = []
    pieces: list[NDArray[np.float32]] = []
    with named_errors(path), path.open("rb", buffering=0) as file:
        head = read_head(file)
        shape, dim = find_shape(head, path, header)
        skipped = head.find(b"\n") + 1 if shape else 0

        def work(_: int, block: bytes) -> Lines:
            return parse_lines(block, dim)

        for lines in ordered_map(work, _line_blocks(file, head[skipped:]), range(thread_count(None))):
            if lines.error:
                number = len(words) + lines.error[0] + 1 + (shape is not None)
                raise FormatError(f"{path}: line {number} {lines.error[1]}. Make the file again.")
            words += lines.words
            pieces.append(lines.values)
    if not words:
        raise FormatError(f"{path}: holds no vectors. Name a file of word vectors.")
    # The reference forgets its last line, the one of <unk>, when it counts.
    if shape and len(words) != shape[0] and not (len(words) == shape[0] + 1 and words[-1] == b"<unk>"):
        raise FormatError(
            f"{path}: its first line says {shape[0]:,} words, it holds {len(words):,}. Make the file again."
        )
    check_unique(words, path, first=1 + (shape is not None))
    return [word_from_bytes(word) for word in words], join_blocks(pieces, dim)


def read_head(file: BinaryIO) -> bytes:
    """Return the beginning of a file, at least two lines where it has as many."""
    head = b""
    while head.count(b"\n") < 2 and (piece := file.read(1 << 20)):
        head += piece
    return head


def header_shape(head: bytes) -> tuple[int, int] | None:
    """Return (V, d) if the first line holds two positive integers and nothing else."""
    fields = head.partition(b"\n")[0].split()
    if len(fields) != 2 or not all(field.isdigit() and len(field) < 19 for field in fields):
        return None
    V, d = map(int, fields)
    return (V, d) if V > 0 and d > 0 else None


def fits_header(head: bytes) -> bool:
    """Tell whether the first line is a header and the second one a word and as many numbers as it says."""
    shape = header_shape(head)
    return shape is not None and not _parse_line(head.split(b"\n", 2)[1], shape[1])[0]


def find_shape(head: bytes, path: Path, header: bool | None) -> tuple[tuple[int, int] | None, int]:
    """Return what the header says, or None if there is none, and the number of dimensions.

    Raises
    ------
    FormatError
        If the file is empty, or lacks the header that it must have.
    """
    if not head:
        raise FormatError(f"{path}: is empty. Name a file of word vectors.")
    first, _, rest = head.partition(b"\n")
    shape = header_shape(head) if header or fits_header(head) else None
    if header and not shape:
        raise FormatError(f"{path}: its first line is not `words dimensions`: {_shown(first)}. Name a word2vec file.")
    if shape:
        if problem := _parse_line(rest.partition(b"\n")[0], shape[1])[0]:
            raise FormatError(f"{path}: line 2 {problem}. Make the file again.")
        return shape, shape[1]
    # A word with spaces has more fields than others, so the dimension is what most of the first lines agree on.
    lines = head.split(b"\n")[: -1 if head.count(b"\n") else None][:_HEAD_LINES]
    numbers = [len(_fields(line)) - 1 for line in lines]
    dim = max(sorted(set(numbers), reverse=True), key=numbers.count)
    if dim < 1:
        raise FormatError(
            f"{path}: line 1 is not a word and its numbers: {_shown(first)}. Name a file of word vectors."
        )
    return None, dim


def parse_lines(block: bytes, dim: int) -> Lines:
    """Read whole lines of a word and `dim` numbers."""
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1)) if len(ends) else ends
    values = np.empty((len(ends), dim), np.float32)
    word_ends = np.empty(len(ends), np.int64)
    row, error = 0, None
    while (row := int(kernels.parse_rows(data, starts, ends, row, values, word_ends))) < len(ends):
        problem, values[row], length = _parse_line(block[starts[row] : ends[row]], dim)
        if problem:
            error = (row, problem)
            break
        word_ends[row] = starts[row] + length
        row += 1
    words = [block[start:end] for start, end in zip(starts[:row].tolist(), word_ends[:row].tolist(), strict=True)]
    for number, word in enumerate(words):
        if (b" " in word or b"\t" in word) and _looks_like_numbers(word):
            error = (number, f"has more than {dim} numbers: {_shown(block[starts[number] : ends[number]])}")
            break
    return Lines(words, values, error)


def _parse_line(line: bytes, dim: int) -> tuple[str, NDArray[np.float32] | np.float32, int]:
    """Read one line with all care; return what is wrong (or nothing), its values, and the length of its word."""
    fields = _fields(line)
    if len(fields) <= dim:
        return f"has {len(fields) - 1} numbers, {dim} were expected: {_shown(line)}", np.float32(0), 0
    values = np.zeros(dim, np.float32)
    numbers = fields[-dim:]
    if not all(_NUMBER.fullmatch(number) for number in numbers):
        return f"does not end in {dim} numbers: {_shown(line)}", values, 0
    with np.errstate(over="ignore"):
        values[:] = np.array([float(number) for number in numbers]).astype(np.float32)
    if not np.isfinite(values).all():
        return f"has a number that isn't finite: {_shown(line)}", values, 0
    length = len(b" ".join(fields[:-dim]))
    return ("" if length else f"has no word: {_shown(line)}"), values, length


def _format(words: list[bytes], values: NDArray[np.float32] | NDArray[np.float64]) -> list[bytes | memoryview]:
    """Return the lines of a block of rows, in pieces."""
    joined = np.frombuffer(b"".join(words), np.uint8)
    starts = np.zeros(len(words) + 1, np.int64)
    np.cumsum([len(word) for word in words], out=starts[1:])
    doubles = np.require(values, np.float64, ("C", "W"))  # exact; one compiled kernel for both types and mapped files
    pieces: list[bytes | memoryview] = []
    row = 0
    while row < len(words):
        room = len(joined) + (len(words) - row) * (doubles.shape[1] * kernels.MAX_VALUE_BYTES + 1)
        out = np.empty(room, np.uint8)
        row, written = kernels.format_rows(joined, starts, doubles, row, out)
        pieces.append(out[:written].data)
        if row < len(words):
            pieces.append(words[row] + b"".join(b" %.6f" % x for x in doubles[row].tolist()) + b"\n")
            row += 1
    return pieces


def _line_blocks(file: BinaryIO, rest: bytes) -> Iterator[bytes]:
    """Yield the lines of `rest` and of the file after it, whole, in blocks; a last line gets the end it may lack."""
    pending = [rest]
    while piece := file.read(_BLOCK_BYTES):
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield b"".join((*pending, piece[:cut]))
            pending.clear()
        pending.append(piece[cut:])
    last = b"".join(pending)
    if last:
        yield last if last.endswith(b"\n") else last + b"\n"


def _fields(line: bytes) -> list[bytes]:
    return _SEPARATOR.split(line.rstrip(b" \t\r"))


def _looks_like_numbers(word: bytes) -> bool:
    """Tell whether what stands before the numbers ends in another one, as in a line that is too long."""
    fields = _SEPARATOR.split(word)
    return len(fields) > 1 and _FRACTION.fullmatch(fields[-1]) is not None


def _shown(line: bytes) -> str:
    return repr(line[:60].decode("utf-8", "backslashreplace"))
