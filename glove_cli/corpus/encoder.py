"""A corpus, read once, as provisional ids on disk; afterwards as final ids in chunks.

A token's final id depends on the counts of all words, which are known at the end only. So the pass over the text writes
provisional ids to a temporary file, and `EncodedCorpus.chunks` turns them into final ones.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus import kernels
from glove_cli.corpus.reader import BLOCK_BYTES, Source, prepare_block, read_blocks
from glove_cli.corpus.tokenizer import WordTable
from glove_cli.errors import OutputError
from glove_cli.parallel import Progress, ordered_map


@dataclass
class Chunk:
    """A stretch of the corpus in memory.

    Attributes
    ----------
    ids : int32 array
        Final ids; V where a document ends; `margin` neighbours before `begin` and from `end` on (V beyond the corpus).
    begin, end : int
        The positions that belong to this chunk; the others belong to its neighbours.
    """

    ids: NDArray[np.int32]
    begin: int
    end: int


@dataclass
class EncodedCorpus:
    """The tokens of a corpus as provisional ids in a temporary file, freed at the end of a `with` block.

    Attributes
    ----------
    table : WordTable
        All distinct words with their counts.
    tokens, documents : int
        Numbers in the whole corpus, known after `chunks` has been read to its end.
    kept : int
        Tokens that have a final id, likewise.
    """

    table: WordTable
    spool: BinaryIO
    blocks: list[tuple[int, int]]  # (thread's table, ids) of each block
    translations: list[NDArray[np.int32]]  # provisional id of each table's words in `table`
    tokens: int = 0
    documents: int = 0
    kept: int = field(default=0)

    @property
    def length(self) -> int:
        """Number of provisional ids, document ends included."""
        return sum(n for _, n in self.blocks)

    def __enter__(self) -> EncodedCorpus:
        return self

    def __exit__(self, *exception: object) -> None:
        self.spool.close()

    def chunks(self, final: NDArray[np.int32], V: int, margin: int, chunk_tokens: int) -> Iterator[Chunk]:
        """Yield the corpus in final ids.

        Parameters
        ----------
        final : int32 array (words,)
            Final id of each word of `table`, or -1 if it has none.
        V : int
            Number of final ids; also the id that marks a document's end.
        margin : int
            Neighbours wanted on both sides of a chunk's own positions, in tokens.
        chunk_tokens : int
            Own positions of a chunk, about.

        Yields
        ------
        chunk : Chunk
            Its ids are overwritten when the next one is asked for.
        """
        size = min(chunk_tokens, self.length) + 2 * margin
        maps = [final[translation] for translation in self.translations]
        ids = np.empty(size + margin, np.int32)
        ids[:margin] = V  # the left margin, at first beyond the corpus
        filled = margin
        seen = False
        self.spool.seek(0)
        for table, n in self.blocks:
            fits = filled + n <= size
            block = ids[filled : filled + n] if fits else np.empty(n, np.int32)
            _read_ids(self.spool, block)
            written, tokens, documents, seen = kernels.remap(block, maps[table], V, seen)
            self.tokens += tokens
            self.documents += documents
            self.kept += int(written) - documents
            taken = 0
            while taken < written:
                step = min(int(written) - taken, size - filled)
                if not fits:
                    ids[filled : filled + step] = block[taken : taken + step]
                taken += step
                filled += step
                if filled == size:
                    yield Chunk(ids, margin, size - margin)
                    ids[: 2 * margin] = ids[size - 2 * margin : size].copy()
                    filled = 2 * margin
        if filled > margin:
            ids[filled : filled + margin] = V
            yield Chunk(ids, margin, filled)


def encode_corpus(
    sources: Iterable[Source],
    folder: Path,
    *,
    threads: int,
    lowercase: bool = False,
    progress: Progress | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> EncodedCorpus:
    """Read a corpus once: count its words and write its provisional ids to a temporary file without a name.

    Parameters
    ----------
    sources : iterable of Source
    folder : Path
        Where the temporary file lies: 4 bytes a token.
    threads : int
        Threads that tokenize.
    lowercase : bool
        Turn the text to lower case first.
    progress : callable, optional
        Called with ("reading", bytes done, bytes in all or None, "B").
    block_bytes : int
        Bytes read at a time.

    Returns
    -------
    EncodedCorpus

    Raises
    ------
    CorpusError
        If reading fails.
    OutputError
        If the temporary file can't be written.
    """
    sources = list(sources)
    total = sum(s.size or 0 for s in sources) if all(s.size is not None for s in sources) else None
    tables = [WordTable() for _ in range(threads)]
    blocks: list[tuple[int, int]] = []

    def work(thread: int, block: bytes) -> tuple[int, int, NDArray[np.int32]]:
        prepared = prepare_block(block, lowercase=lowercase)
        return thread, len(block), tables[thread].tokenize(prepared)

    with contextlib.ExitStack() as stack:
        try:
            spool = stack.enter_context(
                tempfile.TemporaryFile(dir=folder, prefix=".glove-", suffix=".tmp", buffering=0)
            )
            done = 0
            for thread, size, ids in ordered_map(work, read_blocks(sources, block_bytes), range(threads)):
                _write_all(spool, ids)
                blocks.append((thread, len(ids)))
                done += size
                if progress:
                    progress("reading", done if total is None else min(done, total), total, "B")
        except OSError as error:
            raise OutputError(
                f"{folder}: no room for the temporary file: {error.strerror}. Free space there."
            ) from error
        stack.pop_all()  # from here on the caller closes the file
    table, *others = tables
    translations = [np.arange(table.words, dtype=np.int32), *(table.absorb(other) for other in others)]
    return EncodedCorpus(table, spool, blocks, translations)


def _write_all(file: BinaryIO, ids: NDArray[np.int32]) -> None:
    data = ids.data.cast("B") if ids.size else memoryview(b"")
    while data.nbytes:
        data = data[file.write(data) :]


def _read_ids(file: BinaryIO, ids: NDArray[np.int32]) -> None:
    """Fill an array from a file."""
    data = ids.data.cast("B") if ids.size else memoryview(b"")
    while data.nbytes:
        got = file.readinto(data)  # type: ignore[attr-defined]
        if not got:
            raise OutputError("temporary file: was cut short by another program. Start again.")
        data = data[got:]
