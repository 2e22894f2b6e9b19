"""A corpus as blocks of bytes, each cut after a separator, so that no token and no character is torn."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from glove_cli.corpus.sources import Source
from glove_cli.corpus.stream import MAX_STRETCH, too_long
from glove_cli.errors import CorpusError

BLOCK_BYTES = 2 << 20
_BLANKS = b" \t\r\n"
_BLANK_LINES = re.compile(rb"\n[ \t\n]*\n")


@dataclass(frozen=True)
class Block:
    """A stretch of a text.

    Attributes
    ----------
    data : bytes
        The text as it stands; its last byte is a separator (space, tab, newline) but perhaps where the text ends.
    source : int
        Which source it is of.
    end : int
        Bytes of the source's text (unpacked, without a byte-order mark) up to the end of this block.
    stored : int
        Bytes of all sources that have been read so far, as they are stored.
    ends_text : bool
        Whether the source's text ends here.
    prepared : bool
        Whether a newline is the end of a record that is a document as a whole, whatever else a document is.
    """

    data: bytes
    source: int
    end: int
    stored: int
    ends_text: bool
    prepared: bool = False


def read_blocks(
    sources: Sequence[Source],
    block_bytes: int = BLOCK_BYTES,
    *,
    document: str = "line",
    start: tuple[int, int] = (0, 0),
    heard: Callable[[bytes], None] = lambda piece: None,
) -> Generator[Block, None, None]:
    """Yield the texts as blocks of about `block_bytes`.

    Parameters
    ----------
    sources : sequence of Source
    block_bytes : int
        Bytes read at a time; where the cuts are depends on it, but nothing else does.
    document : {"line", "paragraph", "file", "none"}
        What a document is; where paragraphs are, no block ends within the blank lines between two of them.
    start : (int, int)
        Index of a source and bytes of its text that have been read before, as `source` and `end` of a block: begin
        there. Where that was a block that ended its text, an empty one that does so comes again.
    heard : callable
        Called with each piece of text before `start` that comes again from a source which can't be read twice.

    Yields
    ------
    block : Block
        The last one of each text ends it (unless it is a span of one), and may be empty.

    Raises
    ------
    CorpusError
        If reading fails, a text is shorter than what was read of it before, or it goes on for more than MAX_STRETCH
        bytes without a separator.
    """
    first, end = start
    before = sum(source.size or 0 for source in sources[:first])
    for source in sources[:first]:
        if not source.replayable:
            with source.open(document) as stream:
                while piece := stream.read(block_bytes):
                    heard(piece)
    for index in range(first, len(sources)):
        source = sources[index]
        prepared = source.records and document == "file"
        cutter = _Cutter(source.name, paragraphs=document == "paragraph")
        with source.open(document) as stream:
            if end and source.replayable:
                stream.skip(end)
            elif end:
                for piece in stream.again(end):
                    heard(piece)
            while piece := stream.read(min(block_bytes, MAX_STRETCH)):
                if data := cutter.cut(piece):
                    end += len(data)
                    yield Block(data, index, end, before + stream.stored, False, prepared)
        before += stream.stored
        data = cutter.rest()  # after the file was found to be unchanged
        yield Block(data, index, end + len(data), before, source.ends, prepared)
        end = 0


def prepare_block(block: Block, document: str) -> bytes:
    """Turn a block into what the tokenizer reads.

    Parameters
    ----------
    block : Block
    document : {"line", "paragraph", "file", "none"}
        What a document is.

    Returns
    -------
    bytes
        Without carriage returns. A newline ends a document, spaces and tabs separate tokens; the last byte is one of
        these, if there is any byte.
    """
    data = block.data.replace(b"\r", b"")
    if document == "line" or block.prepared:
        return data + b"\n" if block.ends_text else data
    if document == "paragraph":
        data = b"\n".join(part.replace(b"\n", b" ") for part in _BLANK_LINES.split(data))
    else:
        data = data.replace(b"\n", b" ")
    if not block.ends_text:
        return data
    return data + (b" " if document == "none" else b"\n")


class _Cutter:
    """Cuts the pieces of a text into blocks, each after a separator and as late as can be.

    Where paragraphs are, a newline must stay with the newlines that only blanks part it from: a second one makes it
    the end of a document. So no cut is made among blanks that follow exactly one.
    """

    def __init__(self, name: str, *, paragraphs: bool) -> None:
        self._name = name
        self._paragraphs = paragraphs
        self._rest: list[bytes] = []  # what stands after the last cut
        self._stretch = 0  # bytes since the last separator
        self._blanks = 0  # blanks at the end of what has come, and newlines among them
        self._newlines = 0

    def cut(self, piece: bytes) -> bytes:
        """Return what stands before the last cut in the text so far, maybe nothing, and keep the rest."""
        place = _after_last_separator(piece, len(piece))
        stretch = self._stretch
        self._measure_stretch(piece, place)
        if self._paragraphs:
            waits = self._newlines == 1
            blanks_at = self._measure_blanks(piece)
            if self._newlines == 1:
                place = _after_last_separator(piece, blanks_at)
            if not place and waits and blanks_at:  # the cut is where the blanks before this piece end
                text = b"".join(self._rest)
                place = len(text) - stretch
                self._rest = [text[place:], piece]
                return text[:place]
        if not place:
            self._rest.append(piece)
            return b""
        # One copy of a piece, with or without something before it.
        data = b"".join((*self._rest, memoryview(piece)[:place])) if self._rest else piece[:place]
        self._rest = [piece[place:]] if place < len(piece) else []
        return data

    def rest(self) -> bytes:
        """Return what stands after the last cut."""
        return b"".join(self._rest)

    def _measure_stretch(self, piece: bytes, place: int) -> None:
        """Count the bytes since the last separator, which ends at `place` of the piece."""
        stretch = self._stretch + len(piece)
        if place and stretch > MAX_STRETCH:
            stretch = self._stretch + min(k for k in map(piece.find, (b" ", b"\t", b"\n")) if k >= 0)
        if stretch > MAX_STRETCH:
            raise too_long(self._name, MAX_STRETCH)
        self._stretch = len(piece) - place if place else stretch

    def _measure_blanks(self, piece: bytes) -> int:
        """Count the blanks at the end of the text so far; return where they begin in the piece."""
        begin = len(piece.rstrip(_BLANKS))
        if begin:
            self._blanks = self._newlines = 0
        self._blanks += len(piece) - begin
        self._newlines += piece.count(b"\n", begin)
        if self._newlines == 1 and self._blanks > MAX_STRETCH:
            raise CorpusError(f"{self._name}: holds a line of more than {MAX_STRETCH:,} blanks. Is it text?")
        return begin


def _after_last_separator(data: bytes, end: int) -> int:
    """Return the place after the last separator before `end`, or 0."""
    last = data.rfind(b" ", 0, end)
    last = max(last, data.rfind(b"\n", last + 1, end))
    return max(last, data.rfind(b"\t", last + 1, end)) + 1
