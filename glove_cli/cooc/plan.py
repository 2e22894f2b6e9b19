"""What counting will need, said before the long part: pairs, memory, disk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc import count, kernels
from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.count import Accumulator, most_entries
from glove_cli.corpus.chunks import Chunk
from glove_cli.errors import OptionError
from glove_cli.memory import in_words

ENTRY_BYTES = 12  # a column and a count
_ID_BYTES = 8  # an id and a position
_WORD_BYTES = 320  # a word, its count and its places in Python's lists
_LEAST_CHUNK = 1 << 16
_SPARE = 5  # this part of the memory is left to what was freed and not given back
_MOST_CHUNK = 2**31 - 2**24  # positions are int32
_STRATA = 48
_ROWS_OF_STRATUM = 4


@dataclass(frozen=True)
class Plan:
    """What counting needs.

    Attributes
    ----------
    tokens : int
        Tokens to count.
    pairs : int
        Entries of the matrix, both halves, about.
    chunks : int
        Parts that the corpus is counted in.
    memory : int
        Bytes, at most.
    temporary, final : int
        Bytes of disk, about, for ids and parts, and for the matrix.
    """

    tokens: int
    pairs: int
    chunks: int
    memory: int
    temporary: int
    final: int

    def __str__(self) -> str:
        parts = f" in {self.chunks} parts" if self.chunks > 1 else ""
        temporary = f" and {in_words(self.temporary)} more meanwhile" if self.temporary else ""
        return (
            f"Plan: {self.tokens:,} tokens{parts}, about {self.pairs:,} pairs, up to {in_words(self.memory)} of "
            f"memory, {in_words(self.final)} of disk{temporary}."
        )


def fixed_memory(V: int, types: int, threads: int) -> int:
    """Return the bytes of memory that counting needs besides those of a chunk.

    Parameters
    ----------
    V, types : int
        Words of the vocabulary, and of the corpus.
    threads : int
    """
    accumulators = threads * (8 * V + V // 8 + 24 * (V + 2))
    rows = (2 * threads + 4) * ENTRY_BYTES * max(count.BLOCK_ENTRIES, V)
    return _WORD_BYTES * V + 8 * types + accumulators + rows


def chunk_tokens(memory: int, V: int, types: int, threads: int) -> int:
    """Return how many tokens may be counted at a time.

    Parameters
    ----------
    memory : int
        Bytes that the process may take.
    V, types, threads : int
        As in `fixed_memory`.

    Raises
    ------
    OptionError
        If the memory isn't enough for this vocabulary.
    """
    fixed = fixed_memory(V, types, threads)
    tokens = (memory - memory // _SPARE - fixed) // _ID_BYTES
    if tokens < _LEAST_CHUNK:
        least = (fixed + _LEAST_CHUNK * _ID_BYTES) * _SPARE // (_SPARE - 1)
        raise OptionError(
            f"--memory: {in_words(memory)} are not enough to count {V:,} words with {threads} threads, which takes at "
            f"least {in_words(least)}. Give more, or take fewer words or threads."
        )
    return min(tokens, _MOST_CHUNK)


def estimate_entries(
    chunk: Chunk, starts: NDArray[np.int64], positions: NDArray[np.int32], config: CoocConfig, times: float
) -> tuple[int, int]:
    """Estimate how many entries a chunk has, and how many a corpus of several such chunks, from a sample of rows.

    Parameters
    ----------
    chunk : Chunk
    starts, positions : int64 array (V + 1,), int32 array
        From `positions_by_word`.
    config : CoocConfig
    times : float
        How many chunks long the corpus is.

    Returns
    -------
    entries : int
        Of the chunk.
    whole : int
        Of the corpus, if each row goes on growing as from the first half of the chunk to the whole of it.

    Notes
    -----
    Rows are cut into strata that can hold about equally many entries; from each a few rows at equal distances are
    counted exactly.
    """
    most = most_entries(starts, config)
    V = len(most)
    edges = np.unique(np.searchsorted(np.cumsum(most), np.linspace(0, most.sum(), _STRATA + 1)[1:-1], side="right"))
    edges = np.unique(np.concatenate(([0], edges, [V])))
    middle = chunk.begin + (chunk.end - chunk.begin) // 2
    accumulator, scratch = Accumulator.of(V, config.window), np.zeros(V + 1, np.int64)
    full = half = 0.0
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        few = min(_ROWS_OF_STRATUM, last - first)
        rows = (first + (np.arange(few) + 0.5) * ((last - first) / few)).astype(np.int64).tolist()
        share = (last - first) / len(rows)
        for row in rows:
            own = positions[starts[row] : starts[row + 1]]
            full += share * _row_entries(chunk, own, row, scratch, config, accumulator)
            if times > 1:
                before = own[: np.searchsorted(own, middle)]
                half += share * _row_entries(chunk, before, row, scratch, config, accumulator)
    growth = np.log2(full / half) if half and full > half else 0.0
    return int(full), int(full * max(1.0, times) ** growth)


def _row_entries(
    chunk: Chunk,
    positions: NDArray[np.int32],
    row: int,
    starts: NDArray[np.int64],
    config: CoocConfig,
    accumulator: Accumulator,
) -> int:
    """Count the entries of one row; `starts` int64 (V + 1,) is written over."""
    symmetric = config.context == "symmetric"
    starts[row], starts[row + 1] = 0, len(positions)
    visits = len(positions) * config.window * (2 if symmetric else 1)
    room = min(visits, row + 1 if symmetric else len(starts) - 1) + 1
    sizes, indices, data = np.empty(1, np.int64), np.empty(room, np.int32), np.empty(room)
    n = kernels.count_rows(
        chunk.ids, positions, starts, row, row + 1, config.weights(), config.context != "right",
        config.context != "left", symmetric, *accumulator, sizes, indices, data,
    )  # fmt: skip
    return int(n)
