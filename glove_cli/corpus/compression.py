"""Compressed files as streams of their text: gzip, bzip2, xz, zstd, of any number of members each.

A file that is cut short, damaged, or followed by other bytes is an error, never less text. What is unpacked at a time
is bounded, so a small file that holds a huge text takes no more memory than another.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from glove_cli.corpus.content import MAGIC_BYTES, compression_of
from glove_cli.corpus.stream import Stream, missing_package, reason_of
from glove_cli.errors import CorpusError

PIECE_BYTES = 1 << 20  # compressed bytes read at a time
_SMALLEST_STEP = 1 << 10
_LZMA_MEMORY = 1 << 30  # more than xz -9 wants
_ZSTD_BLOCK = 1 << 17  # no block of zstd holds more text
_PADDED = {"gzip": 1, "xz": 4}  # after a member zeros may stand, in multiples of this


class Decompressor(Protocol):
    """What unpacks one member of a compressed file, as bz2, lzma and compression.zstd have it."""

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether what was given is used up."""

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the member's end."""

    def decompress(self, data: Any, max_length: int, /) -> bytes:
        """Return at most about `max_length` bytes."""


class Unpacked(Stream):
    """The text of a compressed file.

    Parameters
    ----------
    packed : Stream
        The compressed bytes.
    kind : {"gzip", "bzip2", "xz", "zstd"}
        How they are compressed.

    Raises
    ------
    CorpusError
        If a package is needed that is not installed.
    """

    def __init__(self, packed: Stream, kind: str) -> None:
        super().__init__(packed.name)
        self._packed = packed
        self._kind = kind
        self._new_member = _decompressor(packed.name, kind)
        self._member = self._new_member()
        self._piece = memoryview(b"")
        self._position = 0  # how much of the piece has been given to the member
        self._step = PIECE_BYTES

    @property
    def stored(self) -> int:
        """Compressed bytes that have come so far."""
        return self._packed.stored

    def _more(self, n: int) -> bytes:
        pieces = []
        size = 0
        while size < n - n // 8 and (data := self._unpack(n - size)):
            pieces.append(data)
            size += len(data)
        return b"".join(pieces)

    def _unpack(self, n: int) -> bytes:
        """Return at most about n bytes of text; none at the end only."""
        while True:
            if self._member.eof:
                if not self._next_member():
                    return b""
                self._member = self._new_member()
            given = memoryview(b"")
            if self._member.needs_input:
                if not self._refill():
                    raise CorpusError(f"{self.name}: is cut short: its {self._kind} data have no end. Get it again.")
                given = self._piece[self._position : self._position + self._step]
                self._position += len(given)
            try:
                data = self._member.decompress(given, n)
            except Exception as error:  # each module has its own
                reason = f"its {self._kind} data can't be unpacked ({reason_of(error)})"
                raise CorpusError(f"{self.name}: is damaged: {reason}. Get it again.") from error
            if self._member.eof:
                # What is given in vain is copied, so where members are small, little is given at a time.
                self._position -= len(self._member.unused_data)
                self._step = max(self._step // 2, _SMALLEST_STEP)
            else:
                self._step = min(self._step * 2, PIECE_BYTES)
            if data:
                return data

    def _refill(self) -> bool:
        """Read the next piece if this one is used up; tell whether there is anything."""
        if self._position == len(self._piece):
            self._piece = memoryview(self._packed.read(PIECE_BYTES))
            self._position = 0
        return len(self._piece) > 0

    def _next_member(self) -> bool:
        """Pass over the zeros after a member; tell whether another one follows.

        Raises
        ------
        CorpusError
            If something else follows.
        """
        zeros = 0
        while self._refill() and self._kind in _PADDED and not self._piece[self._position]:
            some = bytes(self._piece[self._position : self._position + _SMALLEST_STEP])
            passed = len(some) - len(some.lstrip(b"\x00"))
            zeros += passed
            self._position += passed
        head = bytes(self._piece[self._position : self._position + MAGIC_BYTES])
        head += self._packed.head(MAGIC_BYTES - len(head))
        if (head and compression_of(head) != self._kind) or zeros % _PADDED.get(self._kind, 1):
            raise CorpusError(f"{self.name}: is damaged: other bytes follow its {self._kind} data. Get it again.")
        return bool(head)


def _decompressor(name: str, kind: str) -> Callable[[], Decompressor]:
    """Return what makes decompressors of a kind."""
    if kind == "gzip":
        return _Gzip
    if kind == "bzip2":
        return bz2.BZ2Decompressor
    if kind == "xz":
        return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY)
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.ZstdDecompressor
    try:
        import zstandard
    except ImportError as error:
        raise missing_package(name, "zstandard", "zstd") from error
    context = zstandard.ZstdDecompressor()
    return lambda: _Zstandard(context.decompressobj())


class _Gzip:
    """zlib's decompressor with the interface of the others."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def needs_input(self) -> bool:
        return not self._member.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data

    def decompress(self, data: Any, max_length: int) -> bytes:
        return self._member.decompress(self._member.unconsumed_tail or data, max_length)


class _Zstandard:
    """The decompressor of the package zstandard with the interface of the others.

    It has no bound on what it gives back, so it is given one block after another, of which each holds at most 128 KiB
    of text. This follows the sizes in the headers of the frame and of its blocks (RFC 8878, section 3.1).
    """

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self._input = b""
        self._left = 0  # bytes until the next header
        self._header: Callable[[bytes], int] | None = self._frame_header
        self._checksum = 0  # bytes after the last block
        self._feeds = True  # the frame is a text
        self.eof = False
        self.needs_input = True
        self.unused_data = b""

    def decompress(self, data: Any, max_length: int) -> bytes:
        given = self._input + bytes(data)
        at = size = 0
        pieces: list[bytes] = []
        self.needs_input = False
        while not pieces or size + _ZSTD_BLOCK <= max_length:
            if not self._left:
                if self._header is None:
                    if self._feeds and not self._frame.eof:
                        raise ValueError("the frame has no end")
                    self.eof = True
                    self.unused_data = given[at:]
                    break
                self._left = self._header(given[at : at + 16])
            step = min(self._left, len(given) - at)
            if not step:
                self.needs_input = True
                break
            if self._feeds and (piece := self._frame.decompress(given[at : at + step])):
                pieces.append(piece)
                size += len(piece)
            self._left -= step
            at += step
        self._input = given[at:]
        return b"".join(pieces)

    def _frame_header(self, given: bytes) -> int:
        """Return the size of a frame's header, or of a whole skippable frame; 0 if it can't be told yet."""
        if len(given) < 8:
            return 0
        if given[:4] != b"\x28\xb5\x2f\xfd":
            self._feeds = False
            self._header = None
            return 8 + int.from_bytes(given[4:8], "little")
        descriptor = given[4]
        single = descriptor >> 5 & 1
        self._checksum = 4 * (descriptor >> 2 & 1)
        self._header = self._block_header
        return 6 - single + (0, 1, 2, 4)[descriptor & 3] + (single, 2, 4, 8)[descriptor >> 6]

    def _block_header(self, given: bytes) -> int:
        """Return the size of a block with its header; 0 if it can't be told yet."""
        if len(given) < 3:
            return 0
        header = int.from_bytes(given[:3], "little")
        repeats = header >> 1 & 3 == 1  # one byte stands for all
        size = 3 + (1 if repeats else header >> 3)
        if not header & 1:
            return size
        self._header = None
        return size + self._checksum
