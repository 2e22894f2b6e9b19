"""Text: lines of a word and its numbers, written and read; what GloVe text and word2vec text share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.files import begin_sync
from glove_cli.parallel import ordered_map, thread_count
from glove_cli.vectors import kernels
from glove_cli.vectors.checks import check_words, named_errors
from glove_cli.vectors.lines import (
    LONGEST_LINE,
    Lines,
    Readable,
    line_blocks,
    looks_like_numbers,
    parse_line,
    parse_lines,
    shown_line,
)
from glove_cli.vectors.matrix_builder import MatrixBuilder
from glove_cli.vectors.problems import HEADER, REPEATED, Problems
from glove_cli.vectors.rows import Rows, blocks, finite_block
from glove_cli.vocab import word_to_bytes

_SYNC_BYTES = 64 << 20
_HEAD_BYTES = 1 << 20
_HEAD_LINES = 100
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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

    unsynced = 0
    for pieces in ordered_map(work, blocks(rows, name, words), range(thread_count(threads))):
        for piece in pieces:
            file.write(piece)
            unsynced += len(piece)
        if unsynced >= _SYNC_BYTES:
            begin_sync(file)
            unsynced = 0


def check_text_words(words: Sequence[str], name: str) -> None:
    """Refuse, before anything is written, words that could not be read back from a line.

    Raises
    ------
    FormatError
        If a word is empty, repeated, holds a line end, or ends in a space and a number.
    """
    check_words(words, name, forbidden="\n")
    for word in words:
        if (" " in word or "\t" in word) and looks_like_numbers(word_to_bytes(word)):
            raise FormatError(
                f"{name}: the word {word!r} ends in a number, so its line could not be read. Export as npy."
            )


def read_text(
    path: str | os.PathLike[str], *, header: bool | None, problems: Problems | None = None
) -> tuple[list[str], NDArray[np.float32]]:
    """Read a file of lines.

    Parameters
    ----------
    path : path-like
    header : bool, optional
        Whether the first line must be a header; unless given, it is one if it holds two integers and the next line
        fits.
    problems : Problems, optional
        What is done about bad lines, and where they are counted; they are an error, unless given.

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
    with named_errors(path), path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        return read_stream(file, path, size=size, header=header, problems=problems)


def read_stream(
    file: Readable, path: Path, *, size: int = 0, header: bool | None = None, problems: Problems | None = None
) -> tuple[list[str], NDArray[np.float32]]:
    """Read lines from an open file or an unpacked stream.

    Parameters
    ----------
    file : Readable
        At its beginning.
    path : Path
        What errors call it.
    size : int
        How many bytes are expected; 0 if that isn't known.
    header, problems
        See `read_text`.

    Returns
    -------
    words : list of str, length V
    matrix : float32 array (V, d)

    Raises
    ------
    FormatError
        As `read_text`.
    """
    problems = problems if problems is not None else Problems()
    encoding_errors = problems.encoding_errors
    head = read_head(file)
    shape, dim = find_shape(head, path, header)
    wrong_header = header_shape(head) if shape is None and dim > 1 else None
    body = head[head.find(b"\n") + 1 :] if shape else head
    builder = MatrixBuilder(dim, _expected_rows(body, size))
    words: list[str] = []
    seen: set[str] = set()
    first = line = 1 + (shape is not None)  # of the first row, of the block
    last = ""

    def work(_: int, block: bytes) -> Lines:
        return parse_lines(block, dim, encoding_errors)

    for lines in ordered_map(work, line_blocks(file, body), range(thread_count(None))):
        if wrong_header and line == 1 and lines.bad:
            said = "says {:,} words of {:,} numbers".format(*wrong_header)
            lines.bad[0] = (0, HEADER, f"{said}, but most lines after it have {dim}")
        last = lines.words[-1] if lines.words else last
        for number in lines.replaced:
            problems.replaced(line + number)
        if lines.bad or len(set(lines.words)) < len(lines.words) or not seen.isdisjoint(lines.words):
            for number, kind, text in _leave_out(lines, line, words, seen, first):
                problems.add(path, line + number, kind, text)
        seen.update(lines.words)
        words += lines.words
        builder.append(lines.values)
        line += lines.count
    problems.check(path)
    if not words:
        raise FormatError(f"{path}: holds no vectors. Name a file of word vectors.")
    # The reference forgets its last line, the one of <unk>, when it counts.
    found = line - first
    if shape and found != shape[0] and not (found == shape[0] + 1 and last == "<unk>"):
        problems.mismatch(path, f"its first line says {shape[0]:,} words, it holds {found:,}")
    return words, builder.finish()


def read_head(file: Readable) -> bytes:
    """Return the beginning of a file without a byte-order mark, at least two lines where it has as many.

    Lines of more than LONGEST_LINE bytes are not waited for.
    """
    head = bytearray()
    while head.count(b"\n") < 2 and len(head) <= 2 * LONGEST_LINE and (piece := file.read(_HEAD_BYTES)):
        head += piece
    return bytes(head).removeprefix(_BYTE_ORDER_MARK)


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
    second = head.partition(b"\n")[2].partition(b"\n")[0]
    return shape is not None and not parse_line(second, shape[1])[0]


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
    if len(first) > LONGEST_LINE:
        raise FormatError(
            f"{path}: line 1 has more than {LONGEST_LINE:,} bytes: {shown_line(first)}. Name a file of word vectors."
        )
    shape = header_shape(head)
    if header and not shape:
        raise FormatError(
            f"{path}: its first line is not `words dimensions`: {shown_line(first)}. Name a word2vec file."
        )
    if shape and fits_header(head):
        return shape, shape[1]
    # A word with spaces has more fields than others, so the dimension is what most of the first lines agree on.
    usual = _usual_numbers(rest if shape else head)
    if shape and (header or usual == shape[1] > 1):
        if usual != shape[1]:
            problem = parse_line(rest.partition(b"\n")[0], shape[1])[1]
            raise FormatError(f"{path}: line 2 {problem}. Make the file again.")
        return shape, shape[1]
    dim = _usual_numbers(head)
    if dim < 1:
        raise FormatError(
            f"{path}: line 1 is not a word and its numbers: {shown_line(first)}. Name a file of word vectors."
        )
    return None, dim


def _usual_numbers(head: bytes) -> int:
    """Return how many numbers most of the first lines have; 0 if there are none."""
    lines = head.split(b"\n", _HEAD_LINES)
    lines = lines[:-1] if len(lines) > 1 else lines  # the last one may be cut
    stripped = (line.rstrip(b" \t\r") for line in lines)
    numbers = [line.count(b" ") + line.count(b"\t") for line in stripped if line]
    return max(sorted(set(numbers), reverse=True), key=numbers.count, default=0)


def _leave_out(lines: Lines, line: int, words: list[str], seen: set[str], first: int) -> list[tuple[int, str, str]]:
    """Take the lines out of a block that repeat a word; return all its bad lines in order, with kind and text."""
    found = list(lines.bad)
    kept: list[int] = []
    here: dict[str, int] = {}
    for row, (word, number) in enumerate(zip(lines.words, lines.numbers(), strict=True)):
        if word not in seen and word not in here:
            here[word] = number
            kept.append(row)
            continue
        # Of the first problem only the text is shown, and before that every line is a row.
        other = "another line"
        if len(found) == len(lines.bad):
            other = f"line {line + here[word] if word in here else first + words.index(word)}"
        found.append((number, REPEATED, f"repeats the word of {other}: {shown_line(word_to_bytes(word))}"))
    lines.words = [lines.words[row] for row in kept]
    lines.values = lines.values[kept]
    return sorted(found)


def _expected_rows(body: bytes, size: int) -> int:
    """Return a little more rows than a file of this size should have, by its first lines; 0 if that isn't known."""
    whole = body.rfind(b"\n") + 1
    return int(1.05 * size / whole * body.count(b"\n")) if whole else 0


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
