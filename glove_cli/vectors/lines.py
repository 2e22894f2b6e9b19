"""Lines of a word and its numbers, read: what GloVe text and word2vec text share.

A line is split from the right, because a word may hold spaces. Words are bytes that come out as they went in, unless
another policy is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from glove_cli.vectors import kernels
from glove_cli.vectors.problems import (
    BLANK,
    KEEP,
    NO_WORD,
    NOT_FINITE,
    NOT_NUMBERS,
    NOT_UTF8,
    RAGGED,
    STRICT,
    TOO_LONG,
)

LONGEST_LINE = 16 << 20
BLOCK_BYTES = 8 << 20
_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf(inity)?)", re.IGNORECASE)
_FRACTION = re.compile(rb"[-+]?\d*\.\d+([eE][-+]?\d+)?")
_INTEGER = re.compile(rb"[-+]?\d+")
_ENDINGS = {KEEP: "surrogateescape", STRICT: "strict", "replace": "replace"}


class Readable(Protocol):
    """An unbuffered file or a stream of unpacked bytes."""

    def read(self, n: int, /) -> bytes | None:
        """Return at most n bytes, none at the end only."""


@dataclass
class Lines:
    """Lines that were read.

    Attributes
    ----------
    words : list of str, length n
    values : float32 array (n, d)
    count : int
        How many lines there were.
    bad : list of (int, str, str)
        Lines that are left out of words and values: number, from 0, kind, and what is wrong.
    replaced : list of int
        Lines in which bytes were replaced.
    """

    words: list[str]
    values: NDArray[np.float32]
    count: int
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)

    def numbers(self) -> list[int]:
        """Return the number, from 0, of the line of each word."""
        bad = {number for number, _, _ in self.bad}
        return [number for number in range(self.count) if number not in bad]


def line_blocks(file: Readable, rest: bytes) -> Iterator[bytes]:
    """Yield the lines of `rest` and of the file after it, whole, in blocks; a last line gets the end it may lack.

    A line of more than LONGEST_LINE bytes is cut, but still longer than that.
    """
    pending = [rest]
    size = len(rest)
    while piece := file.read(BLOCK_BYTES):
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield b"".join((*pending, piece[:cut]))
            pending.clear()
            size = 0
        if size <= LONGEST_LINE:
            pending.append(piece[cut:])
            size += len(piece) - cut
    last = b"".join(pending)
    if last:
        yield last if last.endswith(b"\n") else last + b"\n"


def parse_lines(block: bytes, dim: int, encoding_errors: str = KEEP) -> Lines:
    """Read whole lines of a word and `dim` numbers."""
    ends = _line_ends(block)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
    values = np.empty((len(ends), dim), np.float32)
    word_ends = np.empty(len(ends), np.int64)
    bad: dict[int, tuple[str, str]] = {}
    data = np.frombuffer(block, np.uint8)
    row = 0
    while (row := int(kernels.parse_rows(data, starts, ends, row, values, word_ends))) < len(ends):
        kind, problem, values[row], length = parse_line(block[starts[row] : ends[row]], dim)
        word_ends[row] = starts[row] + length
        if problem:
            bad[row] = (kind, problem)
        row += 1
    encoded = [block[start:end] for start, end in zip(starts.tolist(), word_ends.tolist(), strict=True)]
    joined = b"\n".join(encoded)
    if b" " in joined or b"\t" in joined:
        for row, word in enumerate(encoded):
            if row not in bad and looks_like_numbers(word, block[word_ends[row] + 1 : ends[row]]):
                shown = shown_line(block[starts[row] : ends[row]])
                bad[row] = (RAGGED, f"has more than {dim} numbers: {shown}")
    if len(block) > LONGEST_LINE:
        for row in np.flatnonzero(ends - starts > LONGEST_LINE).tolist():
            bad[row] = (
                TOO_LONG,
                f"has more than {LONGEST_LINE:,} bytes: {shown_line(block[starts[row] : starts[row] + 60])}",
            )
    replaced: list[int] = []
    if encoding_errors != KEEP and not _is_utf8(joined):
        replaced = [row for row, word in enumerate(encoded) if row not in bad and not _is_utf8(word)]
        if encoding_errors == STRICT:
            for row in replaced:
                bad[row] = (NOT_UTF8, f"is not UTF-8: {shown_line(encoded[row])}")
            replaced = []
    if bad:
        good = [row for row in range(len(ends)) if row not in bad]
        values = values[good]
        joined = b"\n".join([encoded[row] for row in good])
    words = joined.decode("utf-8", _ENDINGS[encoding_errors]).split("\n") if len(values) else []  # at once is faster
    return Lines(words, values, len(ends), [(row, *what) for row, what in sorted(bad.items())], replaced)


def parse_line(line: bytes, dim: int) -> tuple[str, str, NDArray[np.float32] | np.float32, int]:
    """Read one line with all care.

    Returns
    -------
    kind, problem : str
        What is wrong; both empty if nothing is.
    values : float32 array (dim,), or a single 0
    length : int
        Bytes of the word.
    """
    line = line.rstrip(b" \t\r")
    parts = line.replace(b"\t", b" ").rsplit(b" ", dim)
    nothing = np.float32(0)
    if not line:
        return BLANK, "is blank", nothing, 0
    if len(parts) <= dim:
        return RAGGED, f"has {len(parts) - 1} numbers, {dim} were expected: {shown_line(line)}", nothing, 0
    numbers = parts[1:]
    if not all(_NUMBER.fullmatch(number) for number in numbers):
        return NOT_NUMBERS, f"does not end in {dim} numbers: {shown_line(line)}", nothing, 0
    with np.errstate(over="ignore"):
        values = np.array([float(number) for number in numbers]).astype(np.float32)
    if not np.isfinite(values).all():
        return NOT_FINITE, f"has a number that isn't finite: {shown_line(line)}", nothing, 0
    if not parts[0]:
        return NO_WORD, f"has no word: {shown_line(line)}", nothing, 0
    return "", "", values, len(parts[0])


def looks_like_numbers(word: bytes, rest: bytes = b"") -> bool:
    """Tell whether what stands before the numbers ends in another one, as in a line that is too long.

    A fraction always looks so; an integer, as in `route 66`, only where the first number of the `rest` is one, too.
    """
    fields = word.replace(b"\t", b" ").rsplit(b" ", 1)
    if len(fields) < 2:
        return False
    if _FRACTION.fullmatch(fields[-1]):
        return True
    first = rest[:64].replace(b"\t", b" ").split(b" ", 1)[0]
    return _INTEGER.fullmatch(fields[-1]) is not None and _INTEGER.fullmatch(first.strip()) is not None


def shown_line(line: bytes) -> str:
    """Return the beginning of a line as messages show it."""
    return repr(line[:60].decode("utf-8", "backslashreplace"))


def _line_ends(block: bytes) -> NDArray[np.int64]:
    """Return the place of each line feed."""
    ends = []
    end = block.find(b"\n")
    while end >= 0:
        ends.append(end)
        end = block.find(b"\n", end + 1)
    return np.array(ends, np.int64)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
