"""Reading a file of lines as a whole: lists of words, vocabularies, questions."""

from __future__ import annotations

import json
import os
from typing import Any

from glove_cli.errors import FormatError

LONGEST_LINE = 1 << 24  # bytes; what has a longer one, such as /dev/zero, has no lines
_PIECE = 1 << 18


def parse_json(data: bytes | str) -> Any:
    """Return what JSON says.

    Raises
    ------
    ValueError
        If it is none, or nested too deep.
    """
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def read_lines(path: str | os.PathLike[str], advice: str) -> bytes:
    """Return the bytes of a file of lines.

    Parameters
    ----------
    path : path-like
    advice : str
        What the error tells to do if it can't be read.

    Raises
    ------
    FormatError
        If it can't be read, or has a line of more than 16 MiB: it may be endless then.
    """
    pieces = []
    line = 0
    try:
        with open(path, "rb") as file:
            while piece := file.read(_PIECE):
                end = piece.rfind(b"\n")
                line = line + len(piece) if end < 0 else len(piece) - end - 1
                if line > LONGEST_LINE:
                    raise FormatError(f"{os.fspath(path)}: has a line of more than 16 MiB. {advice}")
                pieces.append(piece)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FormatError(f"{os.fspath(path)}: can't be read: {reason}. {advice}") from error
    return b"".join(pieces)
