"""Reading a file of lines as a whole: lists of words, vocabularies, questions."""

from __future__ import annotations

import os

from glove_cli.errors import FormatError

LONGEST_LINE = 1 << 24  # bytes; what has a longer one, such as /dev/zero, has no lines


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
    try:
        with open(path, "rb") as file:
            while piece := file.read(LONGEST_LINE):
                if len(piece) == LONGEST_LINE and b"\n" not in piece:
                    raise FormatError(f"{os.fspath(path)}: has a line of more than 16 MiB. {advice}")
                pieces.append(piece)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FormatError(f"{os.fspath(path)}: can't be read: {reason}. {advice}") from error
    return b"".join(pieces)
