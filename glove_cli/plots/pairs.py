"""Lists of words and of pairs of words, read from files."""

from __future__ import annotations

import os

from glove_cli.errors import FormatError
from glove_cli.inputs import read_lines
from glove_cli.vocab import word_from_bytes

_PART = 60  # characters of a wrong line that are shown
_MARK = b"\xef\xbb\xbf"  # which some editors put before UTF-8


def read_words(path: str | os.PathLike[str]) -> list[str]:
    """Read words, one a line.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of str
        Without blanks at both ends; empty lines are left out.

    Raises
    ------
    FormatError
        If the file can't be read, or holds no word.
    """
    words = [word_from_bytes(line) for line in _lines(path) if line]
    if not words:
        raise FormatError(f"{path}: holds no word. Write one a line.")
    return words


def read_pairs(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """Read pairs of words, one a line.

    Parameters
    ----------
    path : path-like
        Two words a line with blanks or a tab between them; with a tab, words may hold blanks. Lines that begin with
        `#`, and empty ones, are left out.

    Returns
    -------
    list of (str, str)
        Each pair once.

    Raises
    ------
    FormatError
        If the file can't be read, holds no pair, or a line is not two different words.
    """
    pairs = []
    for number, line in enumerate(_lines(path), 1):
        if not line or line.startswith(b"#"):
            continue
        parts = [part.strip(b" ") for part in line.split(b"\t")] if b"\t" in line else line.split(b" ")
        words = [word_from_bytes(part) for part in parts if part]
        if len(words) != 2:
            raise FormatError(f"{path}: line {number} is not two words: {_shown(line)}. Write two a line.")
        if words[0] == words[1]:
            raise FormatError(f"{path}: line {number} names the same word twice: {_shown(line)}. Write two words.")
        pairs.append((words[0], words[1]))
    if not pairs:
        raise FormatError(f"{path}: holds no pair of words. Write two words a line.")
    return list(dict.fromkeys(pairs))


def _lines(path: str | os.PathLike[str]) -> list[bytes]:
    content = read_lines(path, "Name a file of words.")
    return [line.strip(b" \t\r") for line in content.removeprefix(_MARK).split(b"\n")]


def _shown(line: bytes) -> str:
    return repr(line[:_PART].decode("utf-8", "backslashreplace"))
