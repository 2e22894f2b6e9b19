"""What all formats check: words that can be written and read, files that can be read, words that stand once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, GloveError
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


def join_blocks(blocks: list[NDArray[np.float32]], dim: int) -> NDArray[np.float32]:
    """Return the blocks one below the other; the list is emptied, so that memory never holds all of it twice."""
    matrix = np.empty((sum(map(len, blocks)), dim), np.float32)
    row = 0
    blocks.reverse()
    while blocks:
        block = blocks.pop()
        matrix[row : row + len(block)] = block
        row += len(block)
    return matrix


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
