"""Words and how often each occurs: build, load, save.

Words are `str`; bytes that are not UTF-8 survive as surrogate escapes, so that every byte of a corpus
comes out of every file as it went in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError
from glove_cli.files import output_file
from glove_cli.inputs import read_lines

MAX_WORDS = 2**31 - 1
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SAFE_DIGITS = 18
_COUNT = re.compile(rb"[0-9]{1,19}")  # 2**63 has 19 digits


def word_to_bytes(word: str) -> bytes:
    """Return the bytes of a word, also of one that was not UTF-8."""
    return word.encode("utf-8", "surrogateescape")


def word_from_bytes(word: bytes) -> str:
    """Return a word for its bytes; what is not UTF-8 becomes surrogate escapes."""
    return word.decode("utf-8", "surrogateescape")


def _parse_plain(data: bytes) -> tuple[list[str], NDArray[np.int64]] | None:
    """Return words and counts of a vocabulary file as `Vocab.to_bytes` writes it; None if it is any other."""
    fields = data.split()
    words, digits = fields[::2], fields[1::2]
    if not 0 < len(words) == len(digits) <= MAX_WORDS or len(set(words)) < len(words):
        return None
    if b"\n".join(map(b" ".join, zip(words, digits, strict=True))) + b"\n" != data:
        return None
    if not b"".join(digits).isdigit() or max(map(len, digits)) > _SAFE_DIGITS:
        return None
    counts = np.array(list(map(int, digits)), np.int64)
    return ([word_from_bytes(word) for word in words], counts) if counts.min() > 0 else None


@dataclass(frozen=True, eq=False)
class Vocab:
    """The words of a model in the order of their ids, and their counts.

    Attributes
    ----------
    words : list of str, length V
        Word of each id.
    counts : int64 array (V,)
        Occurrences of each word, in tokens.
    """

    words: Sequence[str]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        if len(self.words) != len(self.counts):
            raise FormatError(
                f"vocabulary: {len(self.words)} words but {len(self.counts)} counts. Give one count a word."
            )
        if len(self.words) > MAX_WORDS:
            raise OptionError(
                f"vocabulary: {len(self.words):,} words, at most {MAX_WORDS:,} are possible. Raise --min-count."
            )
        counts = np.asarray(self.counts)
        if counts.ndim != 1 or counts.dtype.kind not in "iu":
            raise FormatError(
                f"vocabulary: its counts are {counts.dtype}, in {counts.ndim} dimensions. Give an integer a word."
            )
        object.__setattr__(self, "counts", counts.astype(np.int64, copy=False))
        for kind in set(map(type, self.words)):
            if not issubclass(kind, str):
                raise FormatError(f"vocabulary: has a word of type {kind.__name__}. Give str.")

    def __len__(self) -> int:
        return len(self.words)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocab):
            return NotImplemented
        return list(self.words) == list(other.words) and np.array_equal(self.counts, other.counts)

    @cached_property
    def index(self) -> dict[str, int]:
        """Id of each word."""
        return {word: i for i, word in enumerate(self.words)}

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write `word SP count LF` lines, as the reference does.

        Raises
        ------
        OutputError
            If `path` exists and `force` is false, or can't be written.
        """
        with output_file(path, force=force) as file:
            file.write(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the vocabulary as the bytes of a vocabulary file.

        Notes
        -----
        If the first word begins with a byte order mark, another one stands before it: readers take the first one away.
        """
        lines = [f"{word} {n}\n" for word, n in zip(self.words, self.counts.tolist(), strict=True)]
        data = word_to_bytes("".join(lines))
        return _BYTE_ORDER_MARK + data if data.startswith(_BYTE_ORDER_MARK) else data

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocab:
        """Read a vocabulary file, ours or the reference's; the order of its lines gives the ids.

        Raises
        ------
        FormatError
            If the file can't be read, is empty, or has a line without a count, with a count below 1, or with a word
            seen before.
        """
        return cls.from_bytes(read_lines(path, "Give a vocabulary file."), name=os.fspath(path))

    @classmethod
    def from_bytes(cls, data: bytes, *, name: str = "vocabulary") -> Vocab:
        """Parse the bytes of a vocabulary file; `name` is what errors call it."""
        if not data:
            raise FormatError(f"{name}: is empty. Give a vocabulary file with one `word count` a line.")
        data = data.removeprefix(_BYTE_ORDER_MARK)
        if not data.endswith(b"\n"):
            data += b"\n"
        if (plain := _parse_plain(data)) is not None:
            return cls(*plain)
        lines = data.split(b"\n")[:-1]
        if len(lines) > MAX_WORDS:
            raise OptionError(f"{name}: {len(lines):,} words, at most {MAX_WORDS:,} are possible. Cut the list.")
        words: list[str] = []
        counts = np.empty(len(lines), np.int64)
        seen: dict[bytes, int] = {}
        for number, line in enumerate(lines, 1):
            word, _, digits = line.removesuffix(b"\r").rpartition(b" ")
            count = int(digits) if _COUNT.fullmatch(digits) else 0
            first = seen.setdefault(word, number)
            blank = not word or b" " in word or b"\t" in word
            if blank or not 0 < count < 2**63 or first != number:
                shown = repr(line[:60].decode("utf-8", "backslashreplace"))
                if not blank and 0 < count < 2**63:
                    raise FormatError(
                        f"{name}: line {number} repeats the word of line {first}: {shown}. Each word may stand once."
                    )
                raise FormatError(
                    f"{name}: line {number} is not `word count`: {shown}. Give one word and its count a line."
                )
            words.append(word_from_bytes(word))
            counts[number - 1] = count
        return cls(words, counts)

    @classmethod
    def from_counts(
        cls, words: Iterable[bytes], counts: NDArray[np.int64], *, min_count: int = 1, max_vocab: int | None = None
    ) -> tuple[Vocab, NDArray[np.int64]]:
        """Keep and order the words of a corpus: count descending, then the word's bytes ascending.

        Parameters
        ----------
        words : iterable of bytes, length N
            The distinct words of a corpus, in any order.
        counts : int64 array (N,)
            Occurrences of each, in tokens.
        min_count : int
            Words that occur less often are left out.
        max_vocab : int, optional
            Keep only so many words, the first ones of the order above; so a tie at the cut is decided by the bytes.

        Returns
        -------
        vocab : Vocab
        order : int64 array (V,)
            Position in `words` of each word kept.
        """
        listed = list(words)
        kept = np.flatnonzero(counts >= min_count)
        # By the first eight bytes as numbers, which is much faster than by objects, and where these agree by all bytes.
        begins = np.array([listed[i] for i in kept.tolist()], "S8").view(">u8").astype(np.uint64)
        sorting = np.lexsort((begins, -counts[kept]))
        order = kept[sorting]
        same = (np.diff(counts[order]) == 0) & (np.diff(begins[sorting]) == 0)
        for first, last in np.flatnonzero(np.diff(same, prepend=False, append=False)).reshape(-1, 2).tolist():
            order[first : last + 1] = sorted(order[first : last + 1].tolist(), key=listed.__getitem__)
        if max_vocab is not None:
            order = order[:max_vocab]
        chosen = [listed[i] for i in order.tolist()]
        lines = word_from_bytes(b"\n".join(chosen)).split("\n")  # all at once is much faster
        if len(lines) != len(chosen):  # a word holds a newline itself, or there is none
            lines = [word_from_bytes(word) for word in chosen]
        return cls(lines, counts[order]), order


def merge_vocabs(vocabs: Sequence[Vocab], *, min_count: int = 1, max_vocab: int | None = None) -> Vocab:
    """Add up the counts of several vocabularies.

    Parameters
    ----------
    vocabs : sequence of Vocab
    min_count : int
        Words that occur less often in all of them together are left out.
    max_vocab : int, optional
        Keep only so many words, the most frequent ones; ties are decided by the words' bytes.

    Returns
    -------
    Vocab

    Raises
    ------
    OptionError
        If `min_count` or `max_vocab` is less than 1, no word is left, or a sum is beyond int64.
    """
    for option, value in (("--min-count", min_count), ("--max-vocab", max_vocab)):
        if value is not None and value < 1:
            raise OptionError(f"{option}: {value!r} is not a positive integer. Give 1 or more.")
    counts: dict[str, int] = {}
    for vocab in vocabs:
        for word, n in zip(vocab.words, vocab.counts.tolist(), strict=True):
            counts[word] = counts.get(word, 0) + n
    if max(counts.values(), default=0) >= 2**63:
        raise OptionError("vocabulary: a sum of counts is beyond 2**63 - 1. Give smaller counts.")
    sums = np.array(list(counts.values()), np.int64)
    merged, _ = Vocab.from_counts(map(word_to_bytes, counts), sums, min_count=min_count, max_vocab=max_vocab)
    if not len(merged):
        raise OptionError(f"--min-count: no word occurs {min_count} times in all. Lower it.")
    return merged
