"""Read question and similarity files, and check the vectors they are asked of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, GloveError, OptionError
from glove_cli.inputs import read_lines

_BLOCK_ROWS = 1 << 14

PathLike = str | os.PathLike[str]
Question = tuple[str, str, str, str]


def read_questions(folder_or_files: PathLike | Sequence[PathLike]) -> list[tuple[str, list[Question]]]:
    """Read analogy questions: four words a line, `a b c d` for "a is to b as c is to d".

    Parameters
    ----------
    folder_or_files : path-like or sequence of path-like
        A folder, whose `.txt` files are read in the order of their names, a file, or several of these. A line `: name`
        begins a new category inside a file, as in the word2vec tool's single file. Lines at the top of a file that
        begin with `#` are comments; further down, `#` is a word like any other.

    Returns
    -------
    categories : list of (str, list of four-word tuples)
        Categories are called after their file or their `: name` line.

    Raises
    ------
    FormatError
        If a file can't be read, a line doesn't hold four words, or there is no question at all.
    """
    files = files_of(folder_or_files)
    categories: list[tuple[str, list[Question]]] = []
    for path in files:
        current: list[Question] = []
        categories.append((path.stem, current))
        at_top = True
        for number, line in _lines(path):
            at_top = at_top and line.startswith("#")
            if at_top:
                continue
            words = fields_of(line)
            if words[0] == ":":
                current = []
                categories.append((" ".join(words[1:]), current))
            elif len(words) == 4:
                current.append((words[0], words[1], words[2], words[3]))
            else:
                raise FormatError(
                    f"{path}: line {number} is not a question of four words: {line[:60]!r}. Mend the line."
                )
    asked = [(name, questions) for name, questions in categories if questions]
    if not asked:
        raise FormatError(
            f"{names_of(folder_or_files)}: holds no questions. Name a folder of .txt files with four words a line."
        )
    return asked


def files_of(folder_or_files: PathLike | Sequence[PathLike]) -> list[Path]:
    """Return the files that are named, or lie as `.txt` in a folder that is named.

    Parameters
    ----------
    folder_or_files : path-like or sequence of path-like

    Returns
    -------
    files : list of Path
        Those of a folder in the order of their names.
    """
    single = isinstance(folder_or_files, (str, os.PathLike))
    names = [Path(folder_or_files)] if single else [Path(name) for name in folder_or_files]  # type: ignore[arg-type,union-attr]
    return [file for path in names for file in (sorted(path.glob("*.txt")) if os.path.isdir(path) else [path])]


def names_of(folder_or_files: PathLike | Sequence[PathLike]) -> str:
    """Return what was named, for a message.

    Parameters
    ----------
    folder_or_files : path-like or sequence of path-like
    """
    single = isinstance(folder_or_files, (str, os.PathLike))
    return str(folder_or_files) if single else ", ".join(map(str, folder_or_files))  # type: ignore[arg-type]


def fields_of(line: str) -> list[str]:
    """Return what stands between the spaces and tabs of a line: other kinds of blanks may be part of a word.

    Parameters
    ----------
    line : str
    """
    return [field for field in line.replace("\t", " ").split(" ") if field]


def read_pairs(path: PathLike) -> list[tuple[str, str, float]]:
    """Read a similarity file: two words and a score a line, separated by tabs or spaces.

    Raises
    ------
    FormatError
        If the file can't be read, a line isn't two words and a finite number, or there is no pair.
    """
    pairs = []
    for number, line in _lines(Path(path)):
        parts = line.split("\t") if "\t" in line else fields_of(line)
        try:
            first, second, score = parts[0].strip(), parts[1].strip(), float(parts[2])
            plain = parts[2].isascii() and "_" not in parts[2]  # Python takes 1_000 as well, and other digits
            good = bool(first) and bool(second) and len(parts) == 3 and plain and np.isfinite(score)
        except (IndexError, ValueError):
            good = False
        if not good:
            raise FormatError(f"{path}: line {number} is not two words and a number: {line[:60]!r}. Mend the line.")
        pairs.append((first, second, score))
    if not pairs:
        raise FormatError(f"{path}: holds no pairs. Name a file with two words and a number a line.")
    return pairs


def check_shape(vectors: NDArray[Any], words: Sequence[str]) -> None:
    """Refuse vectors that aren't one row a word.

    Parameters
    ----------
    vectors : array
    words : sequence of str

    Raises
    ------
    OptionError
    """
    if vectors.ndim != 2 or len(vectors) != len(words):
        raise OptionError(f"vectors: shape {vectors.shape} for {len(words):,} words. Give one row a word.")


def unit_rows(vectors: NDArray[Any], words: Sequence[str]) -> NDArray[np.float32]:
    """Return the vectors scaled to length 1, after checking them; a row of zeros stays zero.

    Parameters
    ----------
    vectors : float array (V, d)
    words : sequence of str, length V

    Returns
    -------
    unit : float32 array (V, d)

    Raises
    ------
    OptionError
        If the shapes don't fit each other.
    GloveError
        If a vector holds a number that is not finite.
    """
    vectors = np.asarray(vectors)
    check_shape(vectors, words)
    unit = np.empty(vectors.shape, np.float32)
    for begin in range(0, len(vectors), _BLOCK_ROWS):
        # In float64, because squares of a float32 above 1.8e19 would not fit.
        block = np.asarray(vectors[begin : begin + _BLOCK_ROWS], np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.sqrt(np.einsum("ij,ij->i", block, block))
        bad = np.flatnonzero(~np.isfinite(lengths))
        if bad.size:
            row = begin + int(bad[0])
            raise GloveError(
                f"vectors: that of {words[row]!r} (row {row}) is not finite. Train again or drop the word."
            )
        unit[begin : begin + _BLOCK_ROWS] = unit_in_float64(block)
    return unit


def unit_in_float64(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return rows scaled to length 1 in float64; a row of zeros stays zero.

    Parameters
    ----------
    rows : float array (n, d)

    Returns
    -------
    unit : float64 array (n, d)
    """
    rows = np.asarray(rows, np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, np.newaxis]
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def _lines(path: Path) -> list[tuple[int, str]]:
    """Return the numbered lines of a file that are not blank; a byte order mark at its start is no part of a word."""
    data = read_lines(path, "Name a file of questions or word pairs.")
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    return [(number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
