"""Provisional ids to final ones, a chunk at a time, each with its neighbours on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus import kernels_ids as kernels
from glove_cli.corpus.encoder import EncodedCorpus
from glove_cli.corpus.segments import Segment
from glove_cli.errors import OutputError

LEFT_OUT = -1  # the final id of a token that is left out before distances are measured


@dataclass
class Chunk:
    """A stretch of the corpus in memory.

    Attributes
    ----------
    ids : int32 array
        Final ids; V where a document ends; V + 1 for a token that only holds its place; `margin` neighbours before
        `begin` and from `end` on (V beyond the corpus).
    begin, end : int
        The positions that belong to this chunk; the others belong to its neighbours.
    """

    ids: NDArray[np.int32]
    begin: int
    end: int


@dataclass
class Sampling:
    """Which tokens of frequent words stay.

    Attributes
    ----------
    keep : uint64 array (V,)
        A token of word i stays if 32 random bits are below `keep[i]`.
    seed : int
    """

    keep: NDArray[np.uint64]
    seed: int

    @classmethod
    def of(cls, counts: NDArray[np.int64], share: float, seed: int) -> Sampling:
        """Return the chances for a threshold: a word with the share f of all counts stays with sqrt(share / f)."""
        chance = np.minimum(1.0, np.sqrt(share * (float(counts.sum()) / counts)))
        return cls(np.ceil(chance * 2.0**32).astype(np.uint64), seed)


@dataclass
class Cursor:
    """How far the corpus has been translated; numbers that can be written down, to go on from there.

    Attributes
    ----------
    block : int
        Blocks done.
    read : int
        Tokens done.
    open_document : bool
        Whether the document that is being read has had a token.
    state : int
        The hash on which sampling hangs.
    tokens, documents : int
        Numbers in the part of the corpus that is counted.
    kept, sampled : int
        Tokens of the vocabulary in it, and how many of them sampling left out.
    """

    block: int = 0
    read: int = 0
    open_document: bool = False
    state: int = 0
    tokens: int = 0
    documents: int = 0
    kept: int = 0
    sampled: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as they go into a file."""
        return asdict(self)

    def add(self, later: Cursor) -> None:
        """Take in the numbers of the stretch that follows, counted from 0."""
        self.open_document, self.state = later.open_document, later.state
        self.read += later.read
        self.tokens += later.tokens
        self.documents += later.documents
        self.kept += later.kept
        self.sampled += later.sampled


class Translator:
    """Gives the corpus in final ids."""

    def __init__(
        self,
        encoded: EncodedCorpus,
        final: list[NDArray[np.int32]],
        V: int,
        margin: int,
        *,
        sampling: Sampling | None = None,
        own: tuple[int, int] | None = None,
        threads: int = 1,
    ) -> None:
        """Stand at the corpus's beginning.

        Parameters
        ----------
        encoded : EncodedCorpus
        final : list of int32 arrays
            For each segment, the final id of each of its words, or LEFT_OUT.
        V : int
            Number of final ids; also the id that marks a document's end.
        margin : int
            Neighbours wanted on both sides of a chunk's own positions, in tokens.
        sampling : Sampling, optional
            Leave out tokens of frequent words.
        own : (int, int), optional
            Count the tokens from the first to before the second number only; all tokens of the corpus are numbered.
        threads : int
            Threads that translate a corpus in memory, unless tokens are left out at random.
        """
        self.encoded = encoded
        self.final = final
        self.V = V
        self.margin = margin
        self.sampling = sampling
        self.own = own if own is not None else (0, encoded.tokens)
        self.threads = threads if sampling is None else 1
        self.cursor = Cursor(state=sampling.seed if sampling else 0)
        self.before = 0  # tokens counted before the chunk that was given last
        self.carried: NDArray[np.int32] | None = None
        self.finished = False
        self._loaded: tuple[int, list[NDArray[np.int32]]] = (-1, [])
        self.trusted = encoded.spool.in_memory

    def go_on(self, cursor: Cursor, carried: NDArray[np.int32] | None, finished: bool) -> None:
        """Stand where another translator of the same corpus stood when it had given a chunk.

        Parameters
        ----------
        cursor : Cursor
        carried : int32 array (2 * margin,), optional
        finished : bool
        """
        self.cursor, self.carried, self.finished = cursor, carried, finished

    def chunks(self, chunk_tokens: int) -> Iterator[Chunk]:
        """Yield the own part of the corpus, chunk by chunk.

        Parameters
        ----------
        chunk_tokens : int
            Positions of a chunk, about.

        Yields
        ------
        chunk : Chunk
            Its ids are overwritten when the next one is asked for. Meanwhile `cursor` and `carried` say where to go on
            behind it, or `finished` that nothing follows.
        """
        if self.finished:
            return
        margin, V = self.margin, self.V
        self.before = self.cursor.tokens
        whole = self.own == (0, self.encoded.tokens) and self.cursor.block == 0
        if self.encoded.spool.in_memory and whole and self.encoded.spool.length <= chunk_tokens:
            yield self._in_place()
            return
        size = max(min(chunk_tokens, self.encoded.spool.length), 2 * margin) + 3 * margin
        blocks = list(self.encoded.blocks())
        longest = max((n for _, _, n in blocks), default=0)
        begins = np.concatenate(([0], np.cumsum([n for _, _, n in blocks], dtype=np.int64)))
        ids = np.empty(size + longest + margin, np.int32)
        buffer = np.empty(longest, np.int32)
        if self.carried is not None:
            ids[: 2 * margin] = self.carried
            filled = 2 * margin
        else:
            ids[:margin] = V
            filled = margin
        for number in range(self.cursor.block, len(blocks)):
            segment, thread, n = blocks[number]
            piece = buffer[:n]
            self.encoded.spool.read(int(begins[number]), piece)
            before, own, after = self._split(piece)
            table = self.table(segment, thread)
            if before.size:
                filled = self._keep_last(ids, self._translate(before, table, ids, filled, counted=False))
            filled = self._translate(own, table, ids, filled, counted=True)
            if after.size:
                end = filled
                filled = self._translate(after, table, ids, filled, counted=False)
                filled = self._complete(ids, blocks, begins, buffer, number + 1, end, filled)
                ids[filled : end + margin] = V
                self.finished = True
                if end > margin:
                    yield Chunk(ids, margin, end)
                return
            self.cursor.block = number + 1
            if filled >= size and self.cursor.block < len(blocks):
                self.carried = ids[filled - 2 * margin : filled].copy()
                yield Chunk(ids, margin, filled - margin)
                self.before = self.cursor.tokens
                ids[: 2 * margin] = self.carried
                filled = 2 * margin
        if self.cursor.open_document:
            self.cursor.documents += 1
        self.finished = True
        if filled > margin:
            ids[filled : filled + margin] = V
            yield Chunk(ids, margin, filled)

    def _in_place(self) -> Chunk:
        """Translate the whole corpus where its ids lie in memory: a stretch for each thread, then moved together."""
        ids = self.encoded.spool.take()
        self.finished = True
        blocks = list(self.encoded.blocks())
        begins = (self.margin + np.cumsum([0, *(n for _, _, n in blocks)])).tolist()
        edges = np.searchsorted(begins, np.linspace(begins[0], begins[-1], self.threads + 1)).tolist()
        ids[: self.margin] = self.V
        parts = [copy(self) for _ in edges[1:]]
        for part, edge in zip(parts, edges, strict=False):
            # The provisional id before a stretch tells whether it begins within a document.
            within = edge > 0 and ids[begins[edge] - 1] != kernels.DOCUMENT_END
            part.cursor = replace(self.cursor, open_document=bool(within))

        def translate(part: Translator, first: int, last: int) -> int:
            filled = begins[first]
            for k in range(first, last):
                segment, thread, _ = blocks[k]
                table = part.table(segment, thread)
                filled = part._translate(ids[begins[k] : begins[k + 1]], table, ids, filled, counted=True)
            return filled

        with ThreadPoolExecutor(self.threads) as pool:
            ends = list(pool.map(translate, parts, edges[:-1], edges[1:]))
        filled = self.margin
        for part, edge, end in zip(parts, edges, ends, strict=False):
            size = end - begins[edge]
            ids[filled : filled + size] = ids[begins[edge] : end]
            filled += size
            self.cursor.add(part.cursor)
        if self.cursor.open_document:
            self.cursor.documents += 1
        ids[filled : filled + self.margin] = self.V
        return Chunk(ids, self.margin, filled)

    def _complete(
        self,
        ids: NDArray[np.int32],
        blocks: list[tuple[int, int, int]],
        begins: NDArray[np.int64],
        buffer: NDArray[np.int32],
        number: int,
        end: int,
        filled: int,
    ) -> int:
        """Translate what follows the own part until `margin` neighbours stand behind `end`, and no more."""
        while filled < end + self.margin and number < len(blocks):
            segment, thread, n = blocks[number]
            self.encoded.spool.read(int(begins[number]), buffer[:n])
            room = np.empty(n, np.int32)
            got = self._translate(buffer[:n], self.table(segment, thread), room, 0, counted=False)
            step = min(got, end + self.margin - filled)
            ids[filled : filled + step] = room[:step]
            filled += step
            number += 1
        return filled

    def _keep_last(self, ids: NDArray[np.int32], filled: int) -> int:
        """Move the last `margin` ids to the beginning: all that is needed of what comes before the own part."""
        ids[: self.margin] = ids[filled - self.margin : filled].copy()
        return self.margin

    def _split(self, piece: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """Cut a block into what comes before the own tokens, the own ones, and what comes after."""
        first, last = self.own
        read = self.cursor.read
        if first <= read and (last >= self.encoded.tokens or read + piece.size <= last):
            return piece[:0], piece, piece[:0]
        places = np.flatnonzero(piece != kernels.DOCUMENT_END)
        ends = np.append(places + 1, piece.size)  # behind the k-th token; its document's end belongs to what follows
        cuts = [
            0 if k <= 0 else piece.size if k > places.size else int(ends[k - 1]) for k in (first - read, last - read)
        ]
        if last >= self.encoded.tokens:
            cuts[1] = piece.size
        return piece[: cuts[0]], piece[cuts[0] : cuts[1]], piece[cuts[1] :]

    def _translate(
        self,
        piece: NDArray[np.int32],
        table: NDArray[np.int32],
        ids: NDArray[np.int32],
        filled: int,
        *,
        counted: bool,
    ) -> int:
        """Append the final ids of provisional ones; return how many are there then."""
        cursor = self.cursor
        begin = filled
        if not self.trusted and piece.size and not -1 <= piece.min() <= piece.max() < len(table):
            raise OutputError(f"{self.encoded.spool.path}: is damaged. Begin again, with --force.")
        filled, tokens, kept, documents, cursor.open_document = kernels.remap(
            piece, table, self.V, cursor.open_document, ids, filled
        )
        sampled = 0
        if self.sampling is not None:
            filled, sampled, state = kernels.subsample(
                ids, begin, filled, self.V, self.sampling.keep, np.uint64(self.sampling.seed), np.uint64(cursor.state)
            )
            cursor.state = int(state)
        cursor.read += tokens
        if counted:
            cursor.tokens += tokens
            cursor.documents += documents
            cursor.kept += kept
            cursor.sampled += sampled
        return int(filled)

    def table(self, segment: int, thread: int) -> NDArray[np.int32]:
        """Return the final id of each word of a thread's table."""
        if self._loaded[0] != segment:
            at = self.encoded.segments[segment]
            translations = at.translations if at.path is None else Segment.load(at.path).translations
            self._loaded = (segment, [self.final[segment][translation] for translation in translations])
        return self._loaded[1][thread]


def document_counts(
    encoded: EncodedCorpus, numbers: list[NDArray[np.int32]], words: int
) -> tuple[NDArray[np.int64], int]:
    """Count in how many documents each word occurs.

    Parameters
    ----------
    encoded : EncodedCorpus
    numbers : list of int32 arrays
        For each segment, the number of each of its words, or -1.
    words : int
        How many numbers there are.

    Returns
    -------
    counts : int64 array (words,)
    documents : int
        Number of documents in all.
    """
    translator = Translator(encoded, numbers, 0, 0)
    last, counts = np.full(words, -1, np.int64), np.zeros(words, np.int64)
    document, open_document, begin = 0, False, 0
    for segment, thread, n in encoded.blocks():
        ids = np.empty(n, np.int32)
        encoded.spool.read(begin, ids)
        begin += n
        table = translator.table(segment, thread)
        document, open_document = kernels.count_documents(ids, table, document, open_document, last, counts)
    return counts, int(document) + open_document
