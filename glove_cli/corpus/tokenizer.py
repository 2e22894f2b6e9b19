"""Blocks of bytes to provisional token ids, and the distinct words met on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus import kernels

PIECE = 1 << 16  # words that are joined at a time


@dataclass
class WordTable:
    """Every distinct word seen so far, with its count; ids in order of first appearance.

    Attributes
    ----------
    words : int
        Number of distinct words.
    counts : int64 array (>= words,)
        Occurrences of each word, in tokens.
    """

    words: int = 0
    slots: NDArray[np.int64] = field(default_factory=lambda: _empty_slots(1 << 16))
    arena: NDArray[np.uint8] = field(default_factory=lambda: np.empty(1 << 18, np.uint8))
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((1 << 15) + 1, np.int64))
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1 << 15, np.int64))
    _ids: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    @property
    def memory(self) -> int:
        """Bytes that the table takes."""
        return self.slots.nbytes + self.arena.nbytes + self.starts.nbytes + self.counts.nbytes

    def tokenize(self, block: bytes) -> NDArray[np.int32]:
        """Return the provisional ids of a block's tokens, with -1 where a document ends.

        Parameters
        ----------
        block : bytes
            Text whose last byte is a separator (space, tab or newline).

        Returns
        -------
        ids : int32 array
        """
        return self.read(block).copy()

    def read(self, block: bytes) -> NDArray[np.int32]:
        """Return what `tokenize` does, in an array that the next call uses again."""
        data = np.frombuffer(block + b" " * kernels.PADDING, np.uint8)
        if len(self._ids) < len(block):
            self._ids = np.empty(len(block), np.int32)
        position, n_ids = 0, 0
        while True:
            position, self.words, n_ids = kernels.tokenize(
                data, position, self.slots, self.arena, self.starts, self.counts, self.words, self._ids, n_ids
            )
            if position >= len(block):
                return self._ids[:n_ids]
            self._grow(len(block) - position)

    def listed(self, word_ids: Iterable[int]) -> list[bytes]:
        """Return the bytes of some words."""
        numbers = np.fromiter(word_ids, np.int64)
        arena = self.arena[: self.starts[self.words]].tobytes()
        begins, ends = self.starts[numbers].tolist(), self.starts[numbers + 1].tolist()
        return [arena[begin:end] for begin, end in zip(begins, ends, strict=True)]

    def joined(self, first: int, last: int, separator: bytes = b" ") -> bytes:
        """Return the bytes of the words first, ..., last - 1, each with a separator behind it."""
        out = np.empty(self.starts[last] - self.starts[first] + last - first, np.uint8)
        kernels.join(self.arena, self.starts, np.int64(first), np.int64(last), np.int64(ord(separator)), out)
        return out.tobytes()

    def absorb(self, other: WordTable) -> NDArray[np.int32]:
        """Enter the words and counts of another table; return the ids (other.words,) that its words have here."""
        ids = np.empty(other.words, np.int32)
        for first in range(0, other.words, PIECE):
            last = min(first + PIECE, other.words)
            ids[first:last] = self.read(other.joined(first, last))
        self.counts[ids] += other.counts[: other.words] - 1
        return ids

    def _grow(self, rest: int) -> None:
        """Make room for more words; `rest` is how many bytes of the block are left."""
        if self.words >= len(self.counts) or self.words >= len(self.slots) // 2:
            self.counts = np.concatenate((self.counts, np.zeros_like(self.counts)))
            self.starts = np.concatenate((self.starts, np.zeros(len(self.counts) + 1 - len(self.starts), np.int64)))
            slots = _empty_slots(2 * len(self.slots))
            kernels.rehash(self.slots, slots)
            self.slots = slots
        else:
            self.arena = np.concatenate((self.arena, np.empty(max(len(self.arena), rest), np.uint8)))


def _empty_slots(capacity: int) -> NDArray[np.int64]:
    slots = np.empty((capacity, 2), np.int64)
    slots[:, 1] = -1
    return slots
