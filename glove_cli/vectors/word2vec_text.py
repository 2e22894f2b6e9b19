"""word2vec text: a first line `V d`, then `word value ... value` a line, six decimals, no space at a line's end."""

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
    """Write vectors as word2vec text.

    The parameters are those of `glove_text.write`.

    Raises
    ------
    FormatError
        If a value isn't finite, or a word could not be read back.
    OutputError
        If the file exists and `force` is false, or can't be written.
    """
    check_text_words(words, "vectors")
    with open_output(out, force=force) as file:
        write_text(file, words, rows, name="vectors", header=True, threads=threads)


def read(path: str | os.PathLike[str], *, problems: Problems | None = None) -> tuple[list[str], NDArray[np.float32]]:
    """Read word2vec text; a space at the end of a line, as the original tool leaves it, does no harm.

    The parameters and what is returned are those of `glove_text.read`.

    Raises
    ------
    FormatError
        If the file can't be read or a line isn't what it should be; the message names the line.
    """
    return read_text(path, header=True, problems=problems)
