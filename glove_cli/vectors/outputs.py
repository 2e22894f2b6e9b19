"""Where vectors are written to: a file that appears when it is complete, packed as its name says, or an open stream."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from glove_cli.files import output_file

# How a file is packed whose name ends so. The same vectors give the same bytes: no time and no name within.
_PACKERS: dict[str, Callable[[BinaryIO], Any]] = {
    ".gz": lambda file: gzip.GzipFile("", "wb", 6, file, 0),
    ".bz2": partial(bz2.BZ2File, mode="wb"),
    ".xz": partial(lzma.LZMAFile, mode="wb"),
}
PACKED = tuple(_PACKERS)
NOT_PACKED = (".zst", ".zip")  # which are read, not written


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


def packed_suffix(out: object) -> str:
    """Return the ending of a name that says how the file is packed, or nothing."""
    suffix = Path(out).suffix.lower() if isinstance(out, (str, os.PathLike)) else ""
    return suffix if suffix in (*PACKED, *NOT_PACKED) else ""


@contextlib.contextmanager
def open_output(out: str | os.PathLike[str] | BinaryIO, *, force: bool) -> Iterator[BinaryIO]:
    """Open a path for writing (see `output_file`), packed if its name ends so; or pass an open binary file through.

    The latter is flushed at the end.
    """
    if isinstance(out, (str, os.PathLike)):
        packer = _PACKERS.get(packed_suffix(out))
        with output_file(out, force=force) as file:
            if packer is None:
                yield file
                return
            with packer(file) as packed:
                yield packed
        return
    yield cast(BinaryIO, WholeWriter(out)) if isinstance(out, io.RawIOBase) else out
    out.flush()
