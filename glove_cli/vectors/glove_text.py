"""GloVe text: `word value ... value` a line, six decimals, as the reference implementation writes it.

For equal numbers the bytes are equal, but for one thing: with a header the reference leaves the line of `<unk>` out of
its count.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.vectors.outputs import open_output
from glove_cli.vectors.problems import Problems
from glove_cli.vectors.rows import Rows
from glove_cli.vectors.text import check_text_words, read_text, write_text


def write(
    out: str | os.PathLike[str] | BinaryIO,
    words: Sequence[str],
    rows: Rows,
    *,
    header: bool = False,
    threads: int | None = None,
    force: bool = False,
) -> None:
    """Write vectors as GloVe text.

    Parameters
    ----------
    out : path-like or binary file
        The file to make.
    words : sequence of str, length V
        Word of each row.
    rows : float array (V, d) or ModelRows
        The vectors.
    header : bool
        Whether to write a first line `V d`.
    threads : int, optional
        All cores that this process may use, unless given.
    force : bool
        Whether an existing file may be replaced.

    Raises
    ------
    FormatError
        If a value isn't finite, or a word could not be read back.
    OutputError
        If the file exists and `force` is false, or can't be written.
    """
    check_text_words(words, "vectors")
    with open_output(out, force=force) as file:
        write_text(file, words, rows, name="vectors", header=header, threads=threads)


def read(path: str | os.PathLike[str], *, problems: Problems | None = None) -> tuple[list[str], NDArray[np.float32]]:
    """Read GloVe text, with or without a header.

    Parameters
    ----------
    path : path-like
    problems : Problems, optional
        What is done about bad lines, and where they are counted; they are an error, unless given.

    Returns
    -------
    words : list of str, length V
    matrix : float32 array (V, d)

    Raises
    ------
    FormatError
        If the file can't be read or a line isn't what it should be; the message names the line.
    """
    return read_text(path, header=None, problems=problems)
