"""A text drawn anew from itself: each line so often as chance has it, for how much depends on which text there was.

In the Poisson bootstrap (Chamandy et al. 2012) each unit stands in the new text a number of times that is Poisson with
mean 1, independently of all others: so a stream can be drawn without knowing how long it is. Units are lines, or
paragraphs where these are documents, and no longer than about LONGEST bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, factorial

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus.stream import MAX_STRETCH, Stream, too_long

LONGEST = 8192  # bytes, about 1,400 words of English; a longer unit is cut after the next blank
_PIECE = 1 << 20
_BLANK_LINE = re.compile(rb"\n[ \t\r]*\n")
_BLANKS = re.compile(rb"[ \t\r\n]*")
_BLANK = re.compile(rb"[ \t\n]")
_SHARES = np.cumsum([exp(-1) / factorial(n) for n in range(20)])  # of units that stand at most so often


@dataclass(frozen=True)
class Draw:
    """Which text is drawn.

    Attributes
    ----------
    seed : int
    number : int
        Of the file, so that files are drawn independently.
    """

    seed: int
    number: int = 0

    def times(self, begin: int, end: int) -> NDArray[np.int64]:
        """Return how often each unit from `begin` to before `end` stands in the text.

        Parameters
        ----------
        begin, end : int

        Returns
        -------
        int64 array (end - begin,)
            The same for a unit, whatever range it is asked for in.
        """
        with np.errstate(over="ignore"):
            key = _mixed(_mixed(np.uint64(self.seed)) + np.uint64(self.number))
            bits = _mixed(key + np.arange(begin, end, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
        return np.searchsorted(_SHARES, (bits >> np.uint64(11)) * 2.0**-53, side="right")


class Resampled(Stream):
    """A text with each of its units as often as it was drawn, in their order.

    Parameters
    ----------
    stream : Stream
        The text; nothing else may read it from now on.
    draw : Draw
    document : {"line", "paragraph", "file", "none"}
        What a document is.
    """

    def __init__(self, stream: Stream, draw: Draw, document: str) -> None:
        super().__init__(stream.name)
        self._stream = stream
        self._draw = draw
        self._end = b"\n\n" if document == "paragraph" else b"\n"
        self._rest = b""
        self._units = 0

    @property
    def stored(self) -> int:
        """Bytes of the file that have been read so far."""
        return self._stream.stored

    def _more(self, n: int) -> bytes:
        while True:
            piece = self._stream.read(_PIECE)
            self._rest += piece
            units = list(self._split(ended=not piece))
            times = self._draw.times(self._units, self._units + len(units)).tolist()
            self._units += len(units)
            text = b"".join(unit * k for unit, k in zip(units, times, strict=True) if k)
            if text or not piece:
                return text

    def _split(self, *, ended: bool) -> Iterator[bytes]:
        """Yield the units that have come as a whole; where they are cut doesn't depend on how the text came."""
        text, begin = self._rest, 0
        while begin < len(text):
            end = self._border(text, begin, begin + LONGEST + 1)
            if not end and len(text) - begin > LONGEST:
                blank = _BLANK.search(text, begin + LONGEST)
                end = blank.end() if blank is not None else 0
            if end:
                pass
            elif ended:
                end = len(text)
            elif len(text) - begin > MAX_STRETCH:
                raise too_long(self.name, MAX_STRETCH)
            else:
                break
            unit = text[begin:end]
            begin = end
            yield unit if self._end == b"\n" == unit[-1:] else unit + self._end
        self._rest = text[begin:]

    def _border(self, text: bytes, begin: int, end: int) -> int:
        """Return where the first line ends in a stretch, or the blanks behind the first paragraph; 0 if none does."""
        if self._end == b"\n":
            return text.find(b"\n", begin, end) + 1
        found = _BLANK_LINE.search(text, begin, end)
        blanks = _BLANKS.match(text, found.end(), end) if found is not None else None
        return blanks.end() if blanks is not None and blanks.end() < min(end, len(text)) else 0


def _mixed(bits: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64] | np.uint64:
    """Return numbers all of whose bits depend on all of those given (splitmix64, Steele et al. 2014)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
