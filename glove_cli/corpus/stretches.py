"""Text to tokens by options that look at one stretch of text at a time.

A stretch is what stands between spaces, tabs and line ends. The text is split there by bytes, as always; everything
else that can be wanted of a token (lower case, a normal form, words, a pattern, what becomes of invalid bytes) depends
on one stretch alone. So each distinct stretch is transformed once, however often it occurs: a table numbers the
stretches, `expansions` holds the tokens of each, and a kernel puts them in its place.
"""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus import kernels
from glove_cli.corpus.config import TextConfig
from glove_cli.corpus.tokenizer import PIECE, WordTable
from glove_cli.errors import OptionError

CACHE_BYTES = 64 << 20  # beyond this the stretches are forgotten, and transformed anew when they come again

_SOFT_HYPHEN = "\N{SOFT HYPHEN}"

# What stays within a word, between two pieces of letters, digits and marks. Unicode's rules (UAX #29, word boundaries)
# are the model; unlike them, connectors at a word's ends are left out, a colon separates, and a point stays between
# digits only. A joiner after a mark stays at the end of a word, too: Malayalam writes final consonants with it.
_WORD = r"""
[\p{L}\p{N}] [\p{L}\p{N}\p{M}]*+
(?: (?: \p{Pc}++                                                        # snake_case
      | [\u200c\u200d]++                                                # joiners: Persian, scripts of India
      | (?<= [\p{L}\p{M}] ) ['\u2018\u2019\uff07\u00b7\u0387\u2027] (?= \p{L} )   # don't, l'eau, col·lecció
      | (?<= \p{Hebrew} ) ["\u05f3\u05f4] (?= \p{Hebrew} )              # abbreviations
      | (?<= \p{Nd} ) [.,\uff0e\uff0c\u066b\u066c] (?= \p{Nd} )         # 3.14, 1,000
    ) [\p{L}\p{N}\p{M}]++
)*+
(?: (?<= \p{M} ) [\u200c\u200d]++ )?+
"""
_END_OF_LINE = r"[A-Za-z0-9]++\n"  # most of all words in many a text, found ten times faster


_Array = TypeVar("_Array", NDArray[np.int32], NDArray[np.int64])


class InvalidTextError(ValueError):
    """A stretch is not UTF-8; the caller knows where it stands.

    Attributes
    ----------
    stretch : bytes
    """

    def __init__(self, stretch: bytes) -> None:
        super().__init__(f"not UTF-8: {stretch[:40]!r}")
        self.stretch = stretch


class Tokenizer:
    """What one thread knows of the text: the tokens seen so far, and the tokens of each stretch.

    Parameters
    ----------
    config : TextConfig

    Raises
    ------
    OptionError
        If words are wanted and the package that finds them is missing.
    """

    def __init__(self, config: TextConfig, *, _cache_bytes: int = CACHE_BYTES) -> None:
        self._config = config
        self._cache_bytes = _cache_bytes
        self._find = _finder(config)
        changes = config.lowercase or config.normalize is not None or config.encoding_errors != "keep"
        self._plain = self._find is None and not changes
        self._table = WordTable()
        self._invalid = 0
        self._ids: NDArray[np.int32] = np.empty(0, np.int32)
        self._forget()

    @property
    def table(self) -> WordTable:
        """The distinct tokens, with the number of times that each occurs in the text; ids by first appearance."""
        self._settle()
        return self._table

    @property
    def invalid(self) -> int:
        """Stretches read so far that were not UTF-8, if these are replaced or left out."""
        self._settle()
        return self._invalid

    @property
    def memory(self) -> int:
        """Bytes that the tables take."""
        return self._table.memory + (0 if self._plain else self._cache_memory)

    def tokenize(self, text: bytes) -> NDArray[np.int32]:
        """Return the ids in `table` of a text's tokens, with -1 where a document ends.

        Parameters
        ----------
        text : bytes
            Text without carriage returns whose last byte is a separator (space, tab or newline).

        Returns
        -------
        ids : int32 array

        Raises
        ------
        InvalidTextError
            If the text has to be UTF-8 and isn't. The tokenizer can't be used any more.
        """
        if self._plain:
            return self._table.tokenize(text)
        if self._cache_memory > self._cache_bytes:
            self._settle()
            self._forget()
        stretches = self._stretches.read(text)
        if self._known < self._stretches.words:
            self._transform_new()
        position, n_ids = 0, 0
        while True:
            # Enough where each stretch has one token, as most have; if it turns out too little, there is more to come.
            self._ids = _with_room(self._ids, n_ids + len(stretches) - position + self._most)
            position, n_ids = kernels.expand(
                stretches, position, self._tokens, self._starts, self._expansions, self._ids, n_ids
            )
            if position >= len(stretches):
                return self._ids[:n_ids].copy()

    @property
    def _cache_memory(self) -> int:
        return self._stretches.memory + self._tokens.nbytes + self._starts.nbytes + self._expansions.nbytes

    def _forget(self) -> None:
        """Begin with no stretches."""
        self._stretches = WordTable()
        self._known = 0  # stretches whose tokens were found
        # For each stretch its token; or ~m if it has none or several: _expansions[_starts[m]:_starts[m + 1]].
        self._tokens: NDArray[np.int32] = np.empty(0, np.int32)
        self._starts: NDArray[np.int64] = np.zeros(1, np.int64)
        self._expansions: NDArray[np.int32] = np.empty(0, np.int32)
        self._many = 0  # stretches that have none or several
        self._most = 0  # tokens of one stretch
        self._invalid_stretches: list[NDArray[np.int64]] = []

    def _settle(self) -> None:
        """Count the tokens of the stretches that were read since the last time.

        The table of the stretches counts how often each was read, so that `expand` need not count tokens.
        """
        times, tokens = self._stretches.counts[: self._known], self._tokens[: self._known]
        single = tokens >= 0
        np.add.at(self._table.counts, tokens[single], times[single])
        starts = self._starts[: self._many + 1]
        np.add.at(self._table.counts, self._expansions[: starts[-1]], np.repeat(times[~single], np.diff(starts)))
        self._invalid += sum(int(times[ids].sum()) for ids in self._invalid_stretches)
        times[:] = 0

    def _transform_new(self) -> None:
        """Find the tokens of all stretches that are new."""
        known, words = self._known, self._stretches.words
        text = self._transformed(self._stretches.joined(known, words, b"\n"))
        ids = self._table.read(text)
        ids = ids[ids != kernels.DOCUMENT_END]
        np.subtract.at(self._table.counts, ids, 1)  # what is counted is the text

        ends = _tokens_up_to_each_line(text)
        lengths = np.diff(ends, prepend=0)
        single = lengths == 1
        first, used = self._many, int(self._starts[self._many])
        self._many += int(np.count_nonzero(~single))
        self._tokens = _with_room(self._tokens, words)
        self._tokens[known:words][single] = ids[ends[single] - 1]
        self._tokens[known:words][~single] = ~np.arange(first, self._many, dtype=np.int32)
        self._starts = _with_room(self._starts, self._many + 1)
        self._starts[first + 1 : self._many + 1] = used + np.cumsum(lengths[~single])
        several = ids[np.repeat(~single, lengths)]
        self._expansions = _with_room(self._expansions, used + len(several))
        self._expansions[used : used + len(several)] = several
        self._most = max(self._most, int(lengths.max()))
        self._known = words

    def _transformed(self, lines: bytes) -> bytes:
        """Return the tokens of stretches: a line for a line, with spaces between the tokens of each.

        All lines are one string, because a line end changes nothing for what stands beside it: it composes with
        no mark, has no case, and belongs to no character of several bytes.
        """
        text = self._decoded(lines)
        if self._config.normalize is not None:
            text = unicodedata.normalize(self._config.normalize, text)  # type: ignore[arg-type]
        if self._config.lowercase:
            text = text.lower()
        if self._find is not None:
            text = self._find(text)
        return text.encode("utf-8", "surrogateescape")

    def _decoded(self, lines: bytes) -> str:
        """Return the stretches as a string; those that are not UTF-8 as the options say."""
        way = self._config.encoding_errors
        if way == "keep":
            return lines.decode("utf-8", "surrogateescape")
        try:
            return lines.decode("utf-8")
        except UnicodeDecodeError as error:
            if way == "strict":
                begin = lines.rfind(b"\n", 0, error.start) + 1
                raise InvalidTextError(lines[begin : lines.index(b"\n", error.start)]) from None
        invalid = _invalid_lines(lines)
        self._invalid_stretches.append(self._known + np.flatnonzero(invalid))
        if way == "replace":
            return lines.decode("utf-8", "replace")
        left = zip(lines.split(b"\n"), [*invalid.tolist(), False], strict=True)
        return b"\n".join([b"" if skip else line for line, skip in left]).decode("utf-8")


def invalid_tokens(table: WordTable) -> int:
    """Count the tokens whose words are not UTF-8.

    Parameters
    ----------
    table : WordTable

    Returns
    -------
    int
    """
    n = 0
    for first in range(0, table.words, PIECE):
        last = min(first + PIECE, table.words)
        lines = table.joined(first, last, b"\n")
        try:
            lines.decode("utf-8")
        except UnicodeDecodeError:
            n += int(table.counts[first:last][_invalid_lines(lines)].sum())
    return n


def _finder(config: TextConfig) -> Callable[[str], str] | None:
    """Return what finds the tokens in the lines of a text; None if what stands between blanks is a token."""
    if config.tokenizer == "words":
        return _words_finder()
    if config.token_pattern is None:
        return None
    find = re.compile(config.token_pattern).findall
    if config.normalize == "NFKC":  # it makes spaces of some characters

        def find_line(line: str) -> str:
            return " ".join([" ".join(find(piece)) for piece in line.split(" ")])

        return lambda text: "\n".join([find_line(line) for line in text.split("\n")])
    return lambda text: "\n".join([" ".join(find(line)) for line in text.split("\n")])


def _words_finder() -> Callable[[str], str]:
    """Return what finds the words in the lines of a text."""
    try:
        regex = importlib.import_module("regex")
    except ImportError:
        raise OptionError(
            "--tokenizer words: needs the package regex. Install it with: pip install 'glove-cli[words]'."
        ) from None
    find = regex.compile(f"{_END_OF_LINE}|{_WORD}|\\n", regex.VERBOSE).findall
    return lambda text: " ".join(find(text.replace(_SOFT_HYPHEN, "")))


def _tokens_up_to_each_line(text: bytes) -> NDArray[np.int64]:
    """Return how many tokens stand before each line end."""
    data = np.frombuffer(text, np.uint8)
    begins = (data != ord(" ")) & (data != ord("\t")) & (data != ord("\n"))
    begins[1:] &= ~begins[:-1]
    return np.cumsum(begins, dtype=np.int64)[data == ord("\n")]


def _invalid_lines(lines: bytes) -> NDArray[np.bool_]:
    """Tell which lines are not UTF-8."""
    text = lines.decode("utf-8", "surrogateescape").encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(text, np.uint32)
    ends = codes == ord("\n")
    invalid = np.zeros(np.count_nonzero(ends), np.bool_)
    invalid[np.cumsum(ends)[(codes >= 0xDC80) & (codes <= 0xDCFF)]] = True
    return invalid


def _with_room(array: _Array, size: int) -> _Array:
    """Return the array, or a copy of it with at least `size` entries and twice as many as before."""
    if size <= len(array):
        return array
    larger = np.empty(max(size, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger
