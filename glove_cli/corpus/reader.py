"""A corpus as blocks of bytes, each cut after a separator, so that no token and no character is torn."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from glove_cli.errors import CorpusError

BLOCK_BYTES = 4 << 20
STDIN = "-"
CorpusLike = str | os.PathLike[str] | BinaryIO | Iterable["str | os.PathLike[str] | BinaryIO"]


@dataclass(frozen=True)
class Source:
    """One text of a corpus: a file by its path, or an open binary file.

    Attributes
    ----------
    name : str
        What messages and the matrix's description call it.
    size : int or None
        Bytes, where known.
    file : binary file, optional
        Read from here; without it `name` is opened.
    """

    name: str
    size: int | None
    file: BinaryIO | None = None

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the text for reading."""
        if self.file is not None:
            yield self.file
            return
        with contextlib.ExitStack() as stack:
            with _named_errors(self.name):
                file = stack.enter_context(open(self.name, "rb", buffering=0))
            yield file


def find_sources(corpus: CorpusLike) -> list[Source]:
    """List the texts of a corpus after checking that each can be read.

    Parameters
    ----------
    corpus : path-like, binary file, or an iterable of these
        "-" stands for standard input.

    Returns
    -------
    list of Source

    Raises
    ------
    CorpusError
        If there is no text at all, or one is missing, unreadable, or a folder.
    """
    items = [corpus] if isinstance(corpus, (str, os.PathLike)) or hasattr(corpus, "read") else list(corpus)
    if not items:
        raise CorpusError("CORPUS: no file was named. Name one or more text files, or - for standard input.")
    return [_source(item) for item in items]  # type: ignore[arg-type]


def read_blocks(sources: Iterable[Source], block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Yield the texts as blocks of about `block_bytes`; each block's last byte is a separator.

    A document ends where a text ends.

    Raises
    ------
    CorpusError
        If reading fails.
    """
    for source in sources:
        with source.open() as file:
            rest: list[bytes] = []
            while True:
                with _named_errors(source.name):
                    piece = file.read(block_bytes)
                if not piece:
                    break
                cut = max(piece.rfind(b" "), piece.rfind(b"\n"), piece.rfind(b"\t")) + 1
                if cut:
                    yield b"".join((*rest, piece[:cut]))
                    rest.clear()
                rest.append(piece[cut:])
            yield b"".join((*rest, b"\n"))


def prepare_block(block: bytes, *, lowercase: bool) -> bytes:
    """Turn a block into what the tokenizer reads: without carriage returns, in lower case if wanted.

    Bytes that are not UTF-8 stay as they are.
    """
    block = block.replace(b"\r", b"")
    if lowercase:
        block = block.decode("utf-8", "surrogateescape").lower().encode("utf-8", "surrogateescape")
    return block


def _source(item: str | os.PathLike[str] | BinaryIO) -> Source:
    if isinstance(item, (str, os.PathLike)):
        name = os.fsdecode(item)
        if name == STDIN:
            if sys.stdin is None:
                raise CorpusError("standard input: is closed. Name a text file.")
            return Source("standard input", None, sys.stdin.buffer)
        with _named_errors(name):
            status = os.stat(name)
        if stat.S_ISDIR(status.st_mode):
            raise CorpusError(f"{name}: is a folder. Name the text files in it, as in {Path(name, '*')}.")
        if not stat.S_ISREG(status.st_mode):
            return Source(name, None)
        with _named_errors(name), open(name, "rb"):
            return Source(name, status.st_size)
    if not isinstance(item.read(0), bytes):
        raise CorpusError(f"{item!r}: is open as text. Open it in binary mode.")
    return Source(str(getattr(item, "name", "stream")), None, item)


@contextlib.contextmanager
def _named_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise CorpusError(f"{name}: can't be read: {reason}. Name a text file.") from error
