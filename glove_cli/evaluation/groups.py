"""Read files of words in categories and of groups with outliers, and find their words among those with vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from glove_cli.errors import FormatError
from glove_cli.evaluation.questions import PathLike, fields_of, files_of
from glove_cli.inputs import read_lines


def read_categories(path: PathLike) -> list[tuple[str, str]]:
    """Read words and their categories: `word category` a line, separated by a tab or spaces.

    Parameters
    ----------
    path : path-like
        Lines at the top that begin with `#` are comments.

    Returns
    -------
    members : list of (str, str)
        Word and category.

    Raises
    ------
    FormatError
        If the file can't be read, a line isn't a word and a category, a word stands twice, or there are fewer than two
        categories.
    """
    members: dict[str, str] = {}
    for number, line in _lines(path):
        if not line:
            continue
        parts = [part.strip() for part in (line.split("\t") if "\t" in line else fields_of(line))]
        if len(parts) != 2 or not all(parts):
            raise FormatError(f"{path}: line {number} is not a word and its category: {line[:60]!r}. Mend the line.")
        word, category = parts
        if word in members:
            raise FormatError(
                f"{path}: line {number}: {word!r} stands in {members[word]!r} already. Give a word one category."
            )
        members[word] = category
    if len(set(members.values())) < 2:
        raise FormatError(f"{path}: holds fewer than two categories. Name a file with a word and its category a line.")
    return list(members.items())


def read_outliers(path: PathLike) -> tuple[list[str], list[str]]:
    """Read a group of words and its outliers: a word a line, the group first, then a blank line, then the outliers.

    Parameters
    ----------
    path : path-like
        Lines at the top that begin with `#` are comments.

    Returns
    -------
    group, outliers : list of str
        Blanks within a line become underscores, as in the script of the format's authors, and what stands twice counts
        once.

    Raises
    ------
    FormatError
        If the file can't be read, has another number of blocks than two, fewer than two words in its group, or a word
        of the group among its outliers.
    """
    blocks: list[dict[str, int]] = []
    begun = False
    for number, line in _lines(path):
        if line and not begun:
            blocks.append({})
        if line:
            blocks[-1].setdefault("_".join(fields_of(line)), number)
            if len(blocks) > 2:
                raise FormatError(f"{path}: line {number} begins a third block. Put each group into a file of its own.")
        begun = bool(line)
    if len(blocks) != 2 or len(blocks[0]) < 2:
        raise FormatError(
            f"{path}: is not a group and its outliers. Give at least two words a line each, a blank line, and outliers."
        )
    both = [word for word in blocks[1] if word in blocks[0]]
    if both:
        number = blocks[1][both[0]]
        raise FormatError(f"{path}: line {number}: {both[0]!r} stands in the group as well. Leave it out of one.")
    return list(blocks[0]), list(blocks[1])


def group_files(path: PathLike) -> list[Path]:
    """Return a file, or the `.txt` files of a folder.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    files : list of Path

    Raises
    ------
    FormatError
        If a folder holds no such file.
    """
    files = files_of(path)
    if not files:
        raise FormatError(f"{path}: holds no .txt file. Name a file, or a folder of .txt files.")
    return files


def find_rows(words: Sequence[str], asked: Iterable[str]) -> list[int]:
    """Return the row of each word that is asked for: as it is written, or else in lower case.

    Parameters
    ----------
    words : sequence of str, length V
        Word of each row.
    asked : iterable of str

    Returns
    -------
    rows : list of int
        -1 for a word that has none. Two spellings may share one.
    """
    index: dict[str, int] = {}
    for row, word in enumerate(words):
        index.setdefault(word, row)
    return [index.get(word, index.get(word.lower(), -1)) for word in asked]


def _lines(path: PathLike) -> list[tuple[int, str]]:
    """Return the numbered lines of a file without the comments at its top, stripped."""
    text = read_lines(path, "Name a text file of words.").decode("utf-8", "surrogateescape")
    lines = [(number, line.strip()) for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1)]
    first = next((k for k, (_, line) in enumerate(lines) if line and not line.startswith("#")), len(lines))
    return lines[first:]
