"""Texts cut into spans of bytes, so that several can be read at once, by several machines.

A cut stands at the end of the blanks between two words: no token, no character and no line end with a carriage return
is torn, and no paragraph's end, which is a run of blanks as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from glove_cli.corpus.content import MAGIC_BYTES, compression_of
from glove_cli.corpus.sources import UTF8_MARK, Source
from glove_cli.corpus.stream import MAX_STRETCH, FileStream

_GAP = re.compile(rb"[ \t\n][ \t\r\n]*(?=[^ \t\r\n])")
_PIECE = 1 << 16


def cut_source(source: Source, span_bytes: int) -> list[Source]:
    """Cut a text into spans of about equal size.

    Parameters
    ----------
    source : Source
    span_bytes : int
        Bytes of each, about.

    Returns
    -------
    list of Source
        The text as it is, if it is compressed, holds records, is drawn anew, can't be read twice, or its size isn't
        known: then where a byte of the text stands can't be told without reading what is before it.

    Raises
    ------
    CorpusError
        If it can't be read.
    """
    whole = source.records or source.draw is not None or not source.replayable or not source.size
    if whole or source.size is None or source.size <= span_bytes:
        return [source]
    with source.opened() as file:
        head = FileStream(source.name, file).head(MAGIC_BYTES)
        if compression_of(head) is not None:
            return [source]
        begin = len(UTF8_MARK) if head.startswith(UTF8_MARK) else 0
        number = -(-source.size // span_bytes)
        cuts = [begin]
        for k in range(1, number):
            place = _cut_after(source, file, max(cuts[-1], source.size * k // number))
            if place is not None and place > cuts[-1]:
                cuts.append(place)
    ends = [*cuts[1:], source.size]
    return [replace(source, span=span) for span in zip(cuts, ends, strict=True)]


def _cut_after(source: Source, file: object, place: int) -> int | None:
    """Return the end of the first gap between words that ends behind a place, or None if there is none to be found."""
    assert source.size is not None
    text, at = b"", place
    for piece in _read(file, place):
        text += piece
        found = _GAP.search(text)
        if found is not None:
            return at + found.end()
        if len(text) > MAX_STRETCH:  # reading will say so
            return None
    return None


def _read(file: object, place: int) -> Iterator[bytes]:
    """Yield what stands in a file from a place on."""
    file.seek(place)  # type: ignore[attr-defined]
    while piece := file.read(_PIECE):  # type: ignore[attr-defined]
        yield piece
