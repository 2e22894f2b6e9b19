"""Bytes that come piece by piece, whose first ones can be looked at before they are read."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

from glove_cli.errors import CorpusError

HEAD_BYTES = 1 << 16  # what is read first, to be looked at
SKIP_BYTES = 1 << 20
MAX_STRETCH = 1 << 26  # bytes without a separator, which have to be in memory together
_PIECES_AHEAD = 3


class Stream:
    """Bytes that come piece by piece; those that make them know where they come from.

    Parameters
    ----------
    name : str
        What messages call it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._ahead = b""  # come, but not read yet, from _at on
        self._at = 0
        self._ended = False

    @property
    def stored(self) -> int:
        """Bytes that have come so far, as they are stored."""
        raise NotImplementedError

    def head(self, n: int) -> bytes:
        """Return the next n bytes, fewer where the end is nearer, without reading them."""
        while len(self._ahead) - self._at < n and (piece := self._pull(HEAD_BYTES)):
            self._ahead = self._ahead[self._at :] + piece
            self._at = 0
        return self._ahead[self._at : self._at + n]

    def read(self, n: int) -> bytes:
        """Return at most n bytes, n > 0; none at the end only.

        Raises
        ------
        CorpusError
            If reading fails.
        """
        if not self._ahead:
            piece = self._pull(n)
            if len(piece) <= n:
                return piece
            self._ahead = piece
        piece = self._ahead[self._at : self._at + n]
        self._at += len(piece)
        if self._at == len(self._ahead):
            self._ahead, self._at = b"", 0
        return piece

    def skip(self, n: int) -> None:
        """Leave out n bytes, which have been read at another time.

        Raises
        ------
        CorpusError
            If there are fewer, or reading fails.
        """
        for _ in self.again(n):
            pass

    def again(self, n: int) -> Iterator[bytes]:
        """Yield n bytes, which have been read at another time, in pieces.

        Raises
        ------
        CorpusError
            If there are fewer, or reading fails.
        """
        left = n
        while left:
            piece = self.read(min(left, SKIP_BYTES))
            if not piece:
                raise self._too_short(n - left, n)
            left -= len(piece)
            yield piece

    def _too_short(self, there: int, wanted: int) -> CorpusError:
        return CorpusError(
            f"{self.name}: holds {there:,} bytes of text, but {wanted:,} were read from it before. Start again."
        )

    def _pull(self, n: int) -> bytes:
        """Return about n more bytes; who has said once that there are none is not asked again."""
        piece = b"" if self._ended else self._more(n)
        self._ended = not piece
        return piece

    def _more(self, n: int) -> bytes:
        """Return about n more bytes; none at the end only."""
        raise NotImplementedError


class FileStream(Stream):
    """The bytes of a file.

    Parameters
    ----------
    name : str
        What messages call it.
    file : binary file
        Read from where it stands.
    size : int, optional
        The bytes that there must be at least.
    regular : bool
        Whether it is an unbuffered regular file at its beginning, in which skipping is seeking.
    """

    def __init__(self, name: str, file: BinaryIO, *, size: int | None = None, regular: bool = False) -> None:
        super().__init__(name)
        self._file = file
        self._size = size or 0
        self._regular = regular
        self._stored = 0

    @property
    def stored(self) -> int:
        """Bytes that have come so far."""
        return self._stored

    def skip(self, n: int) -> None:
        """Leave out n bytes, which have been read at another time.

        Raises
        ------
        CorpusError
            If there are fewer, or reading fails.
        """
        if not self._regular:
            super().skip(n)
            return
        position = self._stored - (len(self._ahead) - self._at)
        with named_errors(self.name):
            size = os.fstat(self._file.fileno()).st_size
            if position + n <= size:
                self._file.seek(position + n)
        if position + n > size:
            raise self._too_short(size - position, n)
        self._stored = position + n
        self._ahead, self._at, self._ended = b"", 0, False

    def _more(self, n: int) -> bytes:
        with named_errors(self.name):
            piece: bytes | None = self._file.read(n)
        if piece is None:
            raise CorpusError(f"{self.name}: has no bytes ready and doesn't wait for them. Open it in blocking mode.")
        self._stored += len(piece)
        if not piece and self._stored < self._size:
            raise CorpusError(
                f"{self.name}: is cut short after {self._stored:,} of {self._size:,} bytes. Get it again."
            )
        return piece


class FileSpan(FileStream):
    """Bytes within a file.

    Parameters
    ----------
    name : str
        What messages call it.
    file : binary file
        Read from where it stands.
    size : int
        How many.
    """

    def __init__(self, name: str, file: BinaryIO, size: int) -> None:
        super().__init__(name, file, size=size)

    def _more(self, n: int) -> bytes:
        left = self._size - self._stored
        return super()._more(min(n, left)) if left else b""


class AheadStream(Stream):
    """The bytes of another stream, of which some are made ahead in a thread of its own.

    Parameters
    ----------
    stream : Stream
        Nothing else may read it from now on.
    """

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream.name)
        self._stream = stream
        self._stored = stream.stored
        self._pool = ThreadPoolExecutor(1)
        self._coming: deque[Future[tuple[bytes, int]]] = deque()

    @property
    def stored(self) -> int:
        """Bytes, as they are stored, of which those that have come were made."""
        return self._stored

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(cancel_futures=True)

    def _more(self, n: int) -> bytes:
        while len(self._coming) < _PIECES_AHEAD:
            self._coming.append(self._pool.submit(self._make, n))
        piece, self._stored = self._coming.popleft().result()
        return piece

    def _make(self, n: int) -> tuple[bytes, int]:
        return self._stream.read(n), self._stream.stored


@contextlib.contextmanager
def named_errors(name: str) -> Iterator[None]:
    """Turn whatever goes wrong in foreign code that reads a file into a CorpusError that names the file."""
    try:
        yield
    except CorpusError:
        raise
    except Exception as error:
        raise CorpusError(f"{name}: can't be read: {reason_of(error)}. Name a text file.") from error


def too_long(name: str, most: int) -> CorpusError:
    """Return the error of a text with more than so many bytes without a separator."""
    return CorpusError(f"{name}: holds more than {most:,} bytes without a space, tab or line end. Is it text?")


def reason_of(error: Exception) -> str:
    """Return what an exception says, in one line without a full stop."""
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


def missing_package(name: str, package: str, extra: str) -> CorpusError:
    """Return the error of a file that needs a package that is not installed."""
    return CorpusError(f"{name}: needs the package {package}. Install it with: pip install 'glove-cli[{extra}]'.")
