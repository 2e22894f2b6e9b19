"""Where vectors are written to: a file that appears when it is complete, or an open stream."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from glove_cli.files import output_file


class WholeWriter:
    """Writes all that it is given to an unbuffered stream, which may take only a part at a time.

    Standard output is such a stream where PYTHONUNBUFFERED is set.
    """

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        """Write everything."""
        rest = memoryview(data)
        while rest.nbytes:
            rest = rest[self._stream.write(rest) or 0 :]
        return memoryview(data).nbytes


@contextlib.contextmanager
def open_output(out: str | os.PathLike[str] | BinaryIO, *, force: bool) -> Iterator[BinaryIO]:
    """Open a path for writing (see `output_file`), or pass an open binary file through, flushed at the end."""
    if isinstance(out, (str, os.PathLike)):
        with output_file(out, force=force) as file:
            yield file
        return
    yield cast(BinaryIO, WholeWriter(out)) if isinstance(out, io.RawIOBase) else out
    out.flush()
