"""A corpus, read once, as provisional ids; afterwards `chunks` gives them as final ones.

A token's final id depends on the counts of all words, which are known at the end only. So the pass over the text
spools provisional ids, a block at a time, and remembers whose table numbers them. What was read is written down now and
then, with the place reached: a run that was interrupted goes on from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus.config import TextConfig
from glove_cli.corpus.reader import BLOCK_BYTES, Block, prepare_block, read_blocks
from glove_cli.corpus.segments import Segment, Words, merge_words
from glove_cli.corpus.sources import Source
from glove_cli.corpus.spool import Nowhere, Spool
from glove_cli.corpus.stretches import InvalidTextError, Tokenizer, invalid_tokens
from glove_cli.errors import CorpusError, OptionError
from glove_cli.inputs import parse_json
from glove_cli.memory import check_disk
from glove_cli.parallel import Progress, ordered_map

SEGMENT_BYTES = 1 << 29  # of text, before what was read is written down
SPOOL_MEMORY = 1 << 29
TABLE_MEMORY = 1 << 29
_BYTES_OF_TOKEN = 6  # about, with its blank
_STATE = "reading.json"
_SPOOL = "ids"


@dataclass
class EncodedCorpus:
    """The tokens of a corpus as provisional ids; freed at the end of a `with` block.

    Attributes
    ----------
    folder : Path
        Where its temporary files lie, once there are any.
    spool : Spool
        All provisional ids, in the order of the text.
    segments : list of Segment
        Which tables the blocks of ids hang on.
    place : (int, int)
        How much was read: the source, and the bytes of its text.
    done : bool
        Whether everything was read.
    tokens : int
        Tokens of the whole corpus.
    invalid : int
        Tokens that were not UTF-8.
    heard : hash object
        SHA-256 of the texts so far that can't be read again, such as standard input.
    heard_before : str, optional
        What it was when an interrupted run was written down: the same must come again.
    sync : bool
        Whether `save` sees its files to the disk; else whoever calls does.
    """

    folder: Path
    spool: Spool
    segments: list[Segment] = field(default_factory=list)
    place: tuple[int, int] = (0, 0)
    done: bool = False
    tokens: int = 0
    invalid: int = 0
    heard: hashlib._Hash = field(default_factory=hashlib.sha256)
    heard_before: str | None = None
    sync: bool = True

    def __enter__(self) -> EncodedCorpus:
        return self

    def __exit__(self, *exception: object) -> None:
        self.spool.close()

    def words(self, memory: int | None = None) -> Words:
        """Return all distinct words.

        Parameters
        ----------
        memory : int, optional
            Bytes that they may take.

        Raises
        ------
        OptionError
            If they take more.
        """
        return merge_words(self.segments, memory)

    def forget_words(self) -> None:
        """Free the tables of words."""
        for segment in self.segments:
            segment.table = None

    def blocks(self) -> Iterator[tuple[int, int, int]]:
        """Yield segment, thread and number of ids of each block of the spool."""
        for number, segment in enumerate(self.segments):
            for thread, n in segment.blocks:
                yield number, thread, n

    def save(self) -> None:
        """Write down what was read, so that `restore` can go on from here."""
        self.spool.spill()
        if self.sync:
            self.spool.sync()
        for number, segment in enumerate(self.segments):
            if segment.path is None:
                segment.save(self.folder / f"words-{number}.npz", sync=self.sync)
        state = {
            "segments": len(self.segments),
            "ids": self.spool.length,
            "place": self.place,
            "done": self.done,
            "tokens": self.tokens,
            "invalid": self.invalid,
            "heard": self.heard.hexdigest(),
            "check": self.spool.check,
        }
        state["sha256"] = _digest(state)
        temporary = self.folder / f"{_STATE}.new"
        with temporary.open("w") as file:
            json.dump(state, file)
            if self.sync:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(self.folder / _STATE)

    @classmethod
    def restore(cls, folder: Path) -> EncodedCorpus | None:
        """Return what `save` wrote down last, or None if there is nothing.

        Raises
        ------
        OutputError
            If a file that was written down is gone or damaged.
        """
        state = reading_state(folder)
        if state is None:
            return None
        segments = []
        for number in range(state["segments"]):
            segment = Segment.load(folder / f"words-{number}.npz")
            segment.table, segment.translations = None, []
            segments.append(segment)
        return cls(
            folder, Spool.open(folder / _SPOOL, state["ids"], state["check"]), segments, tuple(state["place"]),
            state["done"], state["tokens"], state["invalid"], heard_before=state["heard"],
        )  # fmt: skip


def reading_state(folder: Path) -> dict[str, Any] | None:
    """Return what an earlier run wrote down of its reading, or None.

    Parameters
    ----------
    folder : Path
    """
    try:
        state: dict[str, Any] = parse_json((folder / _STATE).read_bytes())
        return state if state.pop("sha256") == _digest(state) else None
    except (OSError, ValueError, KeyError, AttributeError):
        return None


def _digest(state: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def encode_corpus(
    sources: Sequence[Source],
    folder: Path,
    config: TextConfig,
    *,
    threads: int,
    progress: Progress | None = None,
    block_bytes: int = BLOCK_BYTES,
    segment_bytes: int = SEGMENT_BYTES,
    spool_memory: int = SPOOL_MEMORY,
    table_memory: int = TABLE_MEMORY,
    margin: int = 0,
    keep_ids: bool = True,
    sync: bool = True,
) -> EncodedCorpus:
    """Read a corpus once: count its words and spool its provisional ids.

    Parameters
    ----------
    sources : sequence of Source
    folder : Path
        Where temporary files go: 4 bytes a token, once there are too many for the memory. What an earlier call left
        there is used: reading goes on from where it was written down last.
    config : TextConfig
    threads : int
        Threads that tokenize.
    progress : callable, optional
        Called with ("reading", bytes done, bytes in all or None, "B").
    block_bytes : int
        Bytes read at a time.
    segment_bytes : int
        Bytes of text between two times of writing down what was read, once the ids are on disk.
    spool_memory : int
        Bytes of memory that the ids may take.
    table_memory : int
        Bytes of memory that the threads' tables of words may take.
    margin : int
        Places to leave around the ids while they are in memory.
    keep_ids : bool
        Whether ids are wanted at all, and not only the words and their counts.
    sync : bool
        Whether files are seen to the disk when they are complete.

    Returns
    -------
    EncodedCorpus

    Raises
    ------
    CorpusError
        If reading fails, or `config` wants UTF-8 and the text isn't.
    OutputError
        If a temporary file can't be written.
    """
    encoded = EncodedCorpus.restore(folder)
    if encoded is None:
        spool = Spool(folder / _SPOOL, spool_memory, margin) if keep_ids else Nowhere()
        if keep_ids and threads > 1:  # while Numba is still loading
            spool.warm(sum(source.size or 0 for source in sources) // _BYTES_OF_TOKEN)
        encoded = EncodedCorpus(folder, spool)
    encoded.sync = sync
    with contextlib.ExitStack() as stack:
        stack.enter_context(encoded)
        if not encoded.done or (encoded.heard_before is not None and not all(s.replayable for s in sources)):
            _read(encoded, sources, config, threads, progress, block_bytes, segment_bytes, table_memory)
        stack.pop_all()  # from here on the caller closes the spool
    return encoded


def _read(
    encoded: EncodedCorpus,
    sources: Sequence[Source],
    config: TextConfig,
    threads: int,
    progress: Progress | None,
    block_bytes: int,
    segment_bytes: int,
    table_memory: int,
) -> None:
    """Read all segments from the place that was reached."""
    sizes = [source.size for source in sources]
    total = sum(size for size in sizes if size is not None) if None not in sizes else None
    blocks = read_blocks(
        sources, block_bytes, document=config.document, start=encoded.place, heard=encoded.heard.update
    )
    with contextlib.closing(blocks):
        text: Iterator[Block] = blocks
        if encoded.heard_before is not None:
            text = _checked(encoded, blocks)
        while not encoded.done:
            _read_segment(encoded, text, sources, config, threads, progress, total, segment_bytes, table_memory)
            if encoded.segments and not encoded.done:
                encoded.save()
    if not encoded.spool.in_memory:
        encoded.save()


def _checked(encoded: EncodedCorpus, blocks: Iterator[Block]) -> Iterator[Block]:
    """Return the blocks after making sure that what came before is what an interrupted run read.

    Raises
    ------
    OptionError
        If it is something else, or more follows though all was read.
    """
    try:
        following = next(blocks)
        same = encoded.heard.hexdigest() == encoded.heard_before
        if same and encoded.done:
            same = not following.data and not any(blocks)
    except CorpusError as error:
        raise OptionError(f"--resume: {error}") from error
    if not same:
        raise OptionError(
            "--resume: standard input or a pipe doesn't give the text that the interrupted run read. "
            "Give the same, or begin again with --force."
        )
    return chain([following], blocks)


def _read_segment(
    encoded: EncodedCorpus,
    blocks: Iterator[Block],
    sources: Sequence[Source],
    config: TextConfig,
    threads: int,
    progress: Progress | None,
    total: int | None,
    segment_bytes: int,
    table_memory: int,
) -> None:
    """Read until the tables are full, or enough was read to be written down, or the corpus ends."""
    tokenizers = [Tokenizer(config) for _ in range(threads if config.token_pattern is None else 1)]
    read: list[tuple[int, int]] = []
    text = 0

    def until_full() -> Iterator[Block]:
        nonlocal text
        for block in blocks:
            text += len(block.data)
            yield block
            full = sum(t.memory for t in tokenizers) > table_memory
            if encoded.spool.kept and (full or (text >= segment_bytes and not encoded.spool.in_memory)):
                return
        encoded.done = True

    def work(thread: int, block: Block) -> tuple[int, Block, NDArray[np.int32]]:
        try:
            return thread, block, tokenizers[thread].tokenize(prepare_block(block, config.document))
        except InvalidTextError as error:
            tokenizers[thread] = Tokenizer(config)  # or an earlier block, if it comes later, would meet this stretch
            source = sources[block.source]
            at = block.end - len(block.data) + _place_of(error.stretch, block.data) + source.begin
            raise CorpusError(
                f"{source.name}: is not UTF-8 at byte {at:,}: {error.stretch[:40]!r}. "
                "Mend it, or choose another way with --encoding-errors."
            ) from error

    # A pattern of the user's may take for ever, holding Python's lock: only in this thread a signal can end it.
    here = config.token_pattern is not None
    made = (work(0, block) for block in until_full()) if here else ordered_map(work, until_full(), range(threads))
    for thread, block, ids in made:
        in_memory = encoded.spool.in_memory
        encoded.spool.append(ids)
        if in_memory and not encoded.spool.in_memory and total:
            needed = 4 * encoded.spool.length * (total / max(1, block.stored) - 1)
            check_disk(encoded.folder, int(needed), "the temporary file for the ids of all tokens")
        read.append((thread, len(ids)))
        encoded.place = (block.source, block.end)
        if not sources[block.source].replayable:
            encoded.heard.update(block.data)
        if progress:
            progress("reading", block.stored if total is None else min(block.stored, total), total, "B")
    segment = Segment.of(read, [tokenizer.table for tokenizer in tokenizers])
    assert segment.table is not None
    encoded.segments.append(segment)
    encoded.tokens += int(segment.table.counts[: segment.table.words].sum())
    kept = config.encoding_errors == "keep"
    encoded.invalid += invalid_tokens(segment.table) if kept else sum(t.invalid for t in tokenizers)


def _place_of(stretch: bytes, text: bytes) -> int:
    """Return where a stretch without its carriage returns stands between blanks in a text."""
    letters = rb"\r*".join(re.escape(bytes([byte])) for byte in stretch)
    found = re.search(rb"(?<![^ \t\n\r])" + letters + rb"(?=\r*(?:[ \t\n]|\Z))", text)
    return found.start() if found else 0
