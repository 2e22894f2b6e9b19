"""Second stage: the pairs of some rows in the whole corpus, or, where no worker can hold it, those of a part of it.

A part is counted with the neighbours that stand in the parts beside it, so that its counts don't depend on where it was
cut. What stands before it is translated to final ids from so far back that all neighbours of its first token are there:
a window of words, or the end of a document, which no window crosses. What stands behind it likewise. With `subsample`,
which token stays depends on all before it in its document, so that it is translated from a document's end on; how far
that is depends on the documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glove_cli.cluster.engine import worker_memory
from glove_cli.cluster.parts import Block, Parts, Stretch
from glove_cli.cluster.ranges import Rows
from glove_cli.cluster.read import final_ids, load_counts
from glove_cli.cluster.tasks import whole_folder
from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.count import TOP, count_chunk, most_entries, positions_by_word, positions_of, word_starts
from glove_cli.cooc.merge import part_folder
from glove_cli.cooc.plan import ENTRY_BYTES, chunk_tokens, fixed_memory
from glove_cli.cooc.store import RowBlock, write_rows
from glove_cli.corpus import kernels_ids as kernels
from glove_cli.corpus.chunks import LEFT_OUT, Chunk, Cursor, Sampling, Translator
from glove_cli.corpus.encoder import EncodedCorpus
from glove_cli.corpus.segments import Segment
from glove_cli.folder import ResultFolder
from glove_cli.inputs import parse_json

_RANGE_SHARE = 8  # of a task's memory, one part is for the rows that it makes
RANGES_OF_SLOT = 6  # so that one can be written while others are counted, and none waits for long
_COUNTED = "counted.json"
# What rows cost, in tokens of their words; measured with 68,672 words and window 15.
_TOP_COST = 0.5  # a token of the words that are counted at once
_ENTRY_COST = 0.055  # an entry that there may be
_COLUMN_COST = 1 / 2500  # a column that is looked at when a row is read out
_ALWAYS = 1 << 32  # the chance of a word that is never left out
_Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Counted:
    """What was counted of a part.

    Attributes
    ----------
    parts : list of str
        Folders with sorted rows.
    tokens, kept, sampled, documents : int
        As in `Cursor`.
    """

    parts: list[str]
    tokens: int
    kept: int
    sampled: int
    documents: int


@dataclass(frozen=True)
class Held:
    """The whole corpus, on a worker.

    Attributes
    ----------
    chunk : Chunk
    starts : int64 array (V + 1,)
        From `word_starts`.
    counted : Counted
        What there is of it.
    """

    chunk: Chunk
    starts: NDArray[np.int64]
    counted: Counted


def least_ranges(entries: int, memory: int) -> int:
    """Return how many ranges rows have to be cut into, so that a task has room for those of one.

    Parameters
    ----------
    entries : int
        As many as there can be in all rows.
    memory : int
        Bytes that a task may take.
    """
    return -(-entries * ENTRY_BYTES * _RANGE_SHARE // memory)


def kept(blocks: Iterable[RowBlock]) -> list[RowBlock]:
    """Copy rows out of arrays that are used again, into small ones, whose memory others get that are made later."""
    return [RowBlock(block.sizes, block.indices.copy(), block.data.copy()) for block in blocks]


class _Words:
    """Final ids of the words of parts."""

    def __init__(self, work: Path, number: int, config: CoocConfig) -> None:
        self.work, self.number = work, number
        self.counts = load_counts(work)
        self.V = len(self.counts)
        self.left_out = self.V + 1 if config.oov == "hold" else LEFT_OUT
        self._known: dict[tuple[int, int], _Ids] = {}

    def final(self, part: int, segment: int) -> _Ids:
        """Return the final id of each word of a segment, or `left_out`."""
        if (part, segment) not in self._known:
            final = final_ids(self.work, self.number, part, segment)
            self._known[part, segment] = np.where(final == LEFT_OUT, np.int32(self.left_out), final)
        return self._known[part, segment]

    def sampling(self, config: CoocConfig) -> Sampling | None:
        """Return which tokens of frequent words stay."""
        return Sampling.of(self.counts, config.subsample, config.seed) if config.subsample else None

    def translate(self, block: Block, ids: _Ids) -> _Ids:
        """Return the final ids of a block, nothing left out at random, with V where a document ends."""
        out = np.empty(len(ids) + 1, np.int32)
        n = kernels.remap(ids, self.final(block.part, block.segment), self.V, True, out, 0)[0]
        return out[:n]


def counted_of(work: Path, k: int) -> Path:
    """Return the folder of what was counted of a part."""
    return work / "counted" / f"{k:06}"


def plan_rows(
    chosen: tuple[int, int], work: Path, number: int, config: CoocConfig, slots: int, memory: int
) -> list[tuple[int, int]] | None:
    """Cut the rows of the matrix into ranges of about equal work, if each worker can hold the whole corpus. A task.

    Parameters
    ----------
    chosen : (int, int)
        From `read.choose_words`.
    work, number, config
        As in `count_part`.
    slots : int
        Tasks that can be done at a time.
    memory : int
        Bytes that a task may take on any worker.

    Returns
    -------
    list of (first, last) or None
        Rows first <= row < last; None if the corpus takes too much memory: then it is counted part by part.
    """
    parts = Parts(work, number)
    counts = load_counts(work)
    V, types = chosen
    ids = sum(block.n for k in range(number) for block in parts.blocks(k))
    if fixed_memory(V, types, 1) + 10 * ids > memory // 2:
        return None
    most = most_entries(np.concatenate(([0], np.cumsum(counts))), config)
    row = np.arange(V)
    cost = np.where(row < TOP, _TOP_COST, 1.0) * counts + _ENTRY_COST * most + _COLUMN_COST * row
    ranges = max(RANGES_OF_SLOT * slots, least_ranges(int(most.sum()), memory))
    edges = np.searchsorted(np.cumsum(cost), np.linspace(0, cost.sum(), min(ranges, V) + 1)[1:-1])
    edges = np.unique([0, *(min(max(int(edge), TOP), V) for edge in edges), V])
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def hold_corpus(ranges: list[tuple[int, int]] | None, work: Path, number: int, config: CoocConfig) -> Held | None:
    """Read the whole corpus; it stays with the worker, and goes from there to others. A task.

    Parameters
    ----------
    ranges
        From `plan_rows`; if None, nothing is read.
    work, number, config
        As in `count_part`.
    """
    if ranges is None:
        return None
    words, parts = _Words(work, number, config), Parts(work, number)
    blocks = [block for k in range(number) for block in parts.blocks(k)]
    encoded, final = _corpus(parts, words, blocks, sum(parts[k].tokens for k in range(number)))
    translator = Translator(encoded, final, words.V, config.window, sampling=words.sampling(config))
    # Nothing at all may be left of the corpus.
    nothing = Chunk(np.full(2 * config.window, words.V, np.int32), config.window, config.window)
    chunk = next(translator.chunks(encoded.spool.length), nothing)
    chunk.ids = chunk.ids[: chunk.end + config.window]
    return Held(chunk, word_starts(chunk, words.V, 1)[0], _counted([], translator.cursor))


def counted_of_held(held: Held) -> Counted:
    """Return what there is of the corpus. A task where it is."""
    return held.counted


def count_rows(rows: tuple[int, int], held: Held, config: CoocConfig) -> Rows:
    """Count some rows of the whole corpus; they stay with the worker. A task.

    Parameters
    ----------
    rows : (int, int)
    held : Held
    config : CoocConfig
    """
    positions = positions_of(held.chunk, held.starts, rows, config)
    counted = count_chunk(held.chunk, held.starts, positions, config, 1, lambda n: None, only=rows)
    return Rows(rows[0], kept(counted))


def _counted(parts: list[str], cursor: Cursor) -> Counted:
    return Counted(parts, cursor.tokens, cursor.kept, cursor.sampled, cursor.documents)


def count_part(k: int, work: Path, number: int, config: CoocConfig, tasks: int, types: int) -> Counted:
    """Count the pairs whose row word stands in a part; its sorted rows go into a folder. A task.

    Parameters
    ----------
    k : int
        The part.
    work : Path
    number : int
        Of all parts.
    config : CoocConfig
    tasks : int
        That run on a worker at the same time.
    types : int
        Distinct words of the corpus.
    """
    path = counted_of(work, k)
    if path.exists():
        found = Counted(**parse_json((path / _COUNTED).read_bytes()))
        for name in found.parts:
            ResultFolder.open(path / name, "glove-part", 1, remedy="Begin again with --force.").verify()
        return found
    parts = Parts(work, number)
    if not parts[k].tokens:
        return Counted([], 0, 0, 0, 0)
    words = _Words(work, number, config)
    encoded, final, cursor = _with_neighbours(k, parts, words, config)
    V = words.V
    names: list[str] = []
    own = (0, parts[k].tokens)
    translator = Translator(encoded, final, V, config.window, sampling=words.sampling(config), own=own)
    translator.cursor = replace(cursor, state=translator.cursor.state)
    with whole_folder(path) as folder:
        limit = chunk_tokens(worker_memory(tasks), V, types, 1)
        for chunk in translator.chunks(limit):
            starts, positions = positions_by_word(chunk, V, 1)
            rows = count_chunk(chunk, starts, positions, config, 1, lambda n: None)
            names.append(f"part-{len(names):05}")
            with part_folder(folder / names[-1]) as part:
                write_rows(part, rows, lower=config.context == "symmetric")
        found = _counted(names, translator.cursor)
        (folder / _COUNTED).write_text(json.dumps(asdict(found)))
    return found


def _with_neighbours(
    k: int, parts: Parts, words: _Words, config: CoocConfig
) -> tuple[EncodedCorpus, list[_Ids], Cursor]:
    """Return a part with what its windows need of those beside it, as a corpus; its own tokens are numbered from 0."""
    sampling = words.sampling(config)
    keep = sampling.keep if sampling is not None else None
    before, tokens_before = _reach_back(k, parts, words, config)
    last = not any(parts[j].tokens for j in range(k + 1, len(parts)))
    behind = list(parts.blocks_behind(k)) if last else _reach_on(k, parts, words, config, keep)
    corpus = _corpus(parts, words, [*before, *parts.blocks(k), *behind], parts[k].tokens + (0 if last else 1))
    open_document = bool(before) and _stands_in_document(before[0], parts)
    return (*corpus, Cursor(read=-tokens_before, open_document=open_document))


def _corpus(parts: Parts, words: _Words, blocks: Sequence[Block], tokens: int) -> tuple[EncodedCorpus, list[_Ids]]:
    """Return blocks as a corpus of so many tokens, and the final ids of its segments' words."""
    segments, final = [], []
    for (part, segment), own in groupby(blocks, lambda block: (block.part, block.segment)):
        final.append(words.final(part, segment))
        one_table = [np.arange(len(final[-1]), dtype=np.int32)]  # for one thread read it
        segments.append(Segment([(0, block.n) for block in own], one_table, None))
    return EncodedCorpus(words.work, Stretch(parts, blocks), segments, done=True, tokens=tokens), final


def _reach_back(k: int, parts: Parts, words: _Words, config: CoocConfig) -> tuple[list[Block], int]:
    """Return the blocks before a part that it takes, in the order of the text, and their number of tokens."""
    found: list[Block] = []
    tokens = kept = 0
    for block in parts.blocks_before(k):
        ids = parts.ids(block)
        ends = int(np.count_nonzero(ids == kernels.DOCUMENT_END))
        found.insert(0, block)
        tokens += len(ids) - ends
        kept += len(words.translate(block, ids)) if not config.subsample else 0
        if tokens and (ends or kept >= config.window):
            break
    return found, tokens


def _reach_on(k: int, parts: Parts, words: _Words, config: CoocConfig, keep: NDArray[np.uint64] | None) -> list[Block]:
    """Return the blocks behind a part that it takes."""
    found: list[Block] = []
    kept, V = 0, words.V
    for block in parts.blocks_behind(k):
        found.append(block)
        final = words.translate(block, parts.ids(block))
        if keep is not None:
            final = final[(final >= V) | (keep[np.minimum(final, V - 1)] >= _ALWAYS)]
        kept += len(final)
        if kept >= config.window or (final == V).any():
            break
    return found


def _stands_in_document(block: Block, parts: Parts) -> bool:
    """Tell whether the document has had a token when a block begins."""
    same_part = [other for other in parts.blocks(block.part) if other.begin < block.begin]
    for other in chain(reversed(same_part), parts.blocks_before(block.part)):
        if other.n:
            return bool(parts.ids(other)[-1] != kernels.DOCUMENT_END)
    return False
