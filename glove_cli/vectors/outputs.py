"""Where vectors are written to: a file that appears when it is complete, or an open stream."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import BinaryIO

from glove_cli.files import output_file


@contextlib.contextmanager
def open_output(out: str | os.PathLike[str] | BinaryIO, *, force: bool) -> Iterator[BinaryIO]:
    """Open a path for writing (see `output_file`), or pass an open binary file through, flushed at the end."""
    if isinstance(out, (str, os.PathLike)):
        with output_file(out, force=force) as file:
            yield file
        return
    yield out
    out.flush()
