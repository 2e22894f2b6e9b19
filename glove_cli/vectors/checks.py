"""What all formats check: words that can be written and read, files that can be read, words that stand once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, GloveError
from glove_cli.vectors.problems import KEEP, NOT_FINITE, NOT_UTF8, REPEATED, STRICT, Problems
from glove_cli.vocab import word_from_bytes


def check_words(words: Sequence[str], name: str, *, forbidden: str) -> None:
    """Refuse words that a format can't hold.

    Parameters
    ----------
    words : sequence of str
    name : str
        What errors call the vectors.
    forbidden : str
        Characters that no word may hold.

    Raises
    ------
    FormatError
        If a word is empty, holds one of these characters, or stands twice.
    """
    seen = set()
    for word in words:
        if not word:
            raise FormatError(f"{name}: a word is empty, which the format can't hold. Choose --format npy.")
        for character in forbidden:
            if character in word:
                raise FormatError(
                    f"{name}: the word {word!r} holds {character!r}, which the format can't. Choose another --format."
                )
        if word in seen:
            raise FormatError(f"{name}: the word {word!r} stands twice. Each word may have one vector.")
        seen.add(word)


def check_unique(words: Sequence[bytes], path: Path, *, first: int, unit: str = "line") -> None:
    """Refuse a file in which a word stands twice; `first` is the number of the first word's line.

    Raises
    ------
    FormatError
        If a word stands twice; the message names both lines.
    """
    if len(set(words)) == len(words):
        return
    seen: dict[bytes, int] = {}
    for number, word in enumerate(words, first):
        if word in seen:
            raise FormatError(
                f"{path}: {unit} {number} repeats the word of {unit} {seen[word]}: {word_from_bytes(word)!r}. "
                "Each word may stand once."
            )
        seen[word] = number


def good_rows(
    encoded: Sequence[bytes], matrix: NDArray[np.float32], path: Path, problems: Problems, *, unit: str = "word"
) -> tuple[list[str], NDArray[np.float32]]:
    """Return the words and rows of a file that has no lines, without bad ones.

    Parameters
    ----------
    encoded : sequence of bytes, length n
        The words.
    matrix : float32 array (n, d)
    path : Path
        What errors call the file.
    problems : Problems
        What is done about repeated words, numbers that are not finite and bytes that are not UTF-8.
    unit : str
        What messages call a row.

    Returns
    -------
    words : list of str, length V
    matrix : float32 array (V, d)

    Raises
    ------
    FormatError
        If bad rows are not left out, or none is left.
    """
    problems.unit = unit
    words = [word_from_bytes(word) for word in encoded]
    finite = np.asarray(np.isfinite(matrix).all(axis=1))
    if problems.encoding_errors == KEEP and finite.all() and len(set(words)) == len(words):
        return words, matrix
    seen: dict[str, int] = {}
    for number, (word, good) in enumerate(zip(words, finite, strict=True), 1):
        shown = repr(encoded[number - 1][:60].decode("utf-8", "backslashreplace"))
        decoded = encoded[number - 1].decode("utf-8", "replace") if problems.encoding_errors != KEEP else word
        if decoded != word and problems.encoding_errors == STRICT:
            problems.add(path, number, NOT_UTF8, f"is not UTF-8: {shown}")
        elif not good:
            problems.add(path, number, NOT_FINITE, f"has a number that isn't finite: {shown}")
        elif decoded in seen:
            problems.add(path, number, REPEATED, f"repeats the word of {unit} {seen[decoded]}: {shown}")
        else:
            if decoded != word:
                problems.replaced(number)
            seen[decoded] = number
    problems.check(path)
    if not seen:
        raise FormatError(f"{path}: holds no vectors. Name a file of word vectors.")
    return list(seen), matrix[[number - 1 for number in seen.values()]]


@contextlib.contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turn a failed read into an error that names the file."""
    try:
        yield
    except (OSError, ValueError) as error:
        if isinstance(error, GloveError):
            raise
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise FormatError(f"{path}: can't be read: {reason}. Name a file of word vectors.") from error
