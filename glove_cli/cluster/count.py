"""Second stage: the pairs of a part of the corpus, with the neighbours that stand in the parts beside it.

A part's counts don't depend on where it was cut. What stands before it is translated to final ids from so far back that
all neighbours of its first token are there: a window of words, or the end of a document, which no window crosses. What
stands behind it likewise. With `subsample`, which token stays depends on all before it in its document, so that it is
translated from a document's end on; how far that is depends on the documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glove_cli.cluster.engine import worker_memory
from glove_cli.cluster.read import Read, load_table, part_of
from glove_cli.cluster.tasks import whole_folder
from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.count import TOP, count_chunk, most_entries, positions_by_word
from glove_cli.cooc.merge import part_folder
from glove_cli.cooc.plan import chunk_tokens, fixed_memory
from glove_cli.cooc.store import RowBlock, write_rows
from glove_cli.corpus import kernels_ids as kernels
from glove_cli.corpus.chunks import LEFT_OUT, Cursor, Sampling, Translator
from glove_cli.corpus.encoder import EncodedCorpus
from glove_cli.corpus.segments import Segment
from glove_cli.corpus.spool import Spool
from glove_cli.errors import OutputError
from glove_cli.folder import ResultFolder
from glove_cli.inputs import parse_json

_COUNTED = "counted.json"
_TOP_COST = 0.25  # of a token of the most frequent words, those of others cost 1
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
class Rows:
    """Consecutive rows of the matrix, on a worker.

    Attributes
    ----------
    first : int
        The first of them.
    blocks : list of RowBlock
    counted : Counted, optional
        What was counted for them, if it was the whole corpus.
    """

    first: int
    blocks: list[RowBlock]
    counted: Counted | None = None


class Reads:
    """What the parts of the corpus are; only those that are asked for are looked up, for there may be thousands."""

    def __init__(self, work: Path, number: int) -> None:
        self._work, self._number = work, number
        self._known: dict[int, Read] = {}

    def __len__(self) -> int:
        return self._number

    def __getitem__(self, k: int) -> Read:
        if k not in self._known:
            self._known[k] = Read.of(part_of(self._work, k))
        return self._known[k]


class _Parts:
    """The ids of all parts, one after the other, read where they are wanted."""

    def __init__(self, work: Path, reads: Reads) -> None:
        self.work, self.reads = work, reads
        self._spools: dict[int, Spool] = {}

    def blocks_before(self, k: int) -> Iterator[tuple[int, int, int, int, int]]:
        """Yield part, segment, thread, first id and number of ids of the blocks before a part, the nearest first."""
        for j in range(k - 1, -1, -1):
            yield from reversed(list(self.blocks(j)))

    def blocks_behind(self, k: int) -> Iterator[tuple[int, int, int, int, int]]:
        """Yield the same of the blocks behind a part."""
        for j in range(k + 1, len(self.reads)):
            yield from self.blocks(j)

    def blocks(self, j: int) -> Iterator[tuple[int, int, int, int, int]]:
        """Yield the same of the blocks of a part."""
        begin = 0
        for number, blocks in enumerate(self.reads[j].blocks):
            for thread, n in blocks:
                yield j, number, thread, begin, n
                begin += n

    def ids(self, part: int, begin: int, n: int) -> _Ids:
        """Return ids of a part."""
        path = part_of(self.work, part) / "ids"
        try:
            ids = np.fromfile(path, np.int32, n, offset=4 * begin)
        except OSError as error:
            raise OutputError(
                f"{path}: can't be read: {error.strerror or error}. Begin again, with --force."
            ) from error
        if ids.size != n:
            raise OutputError(f"{path}: was cut short by another program. Begin again, with --force.")
        return ids


class _Stretch(Spool):
    """Blocks of several parts as one row of ids."""

    def __init__(self, parts: _Parts, blocks: Sequence[tuple[int, int, int, int, int]]) -> None:
        super().__init__(part_of(parts.work, blocks[0][0] if blocks else 0) / "ids", 0)
        self._ids = None
        self._parts = parts
        self._begins = np.cumsum([0, *(block[4] for block in blocks)])
        self._blocks = list(blocks)
        self.length = int(self._begins[-1])

    def read(self, begin: int, out: _Ids) -> None:
        """Fill an array with the ids of a block."""
        k = int(np.searchsorted(self._begins, begin, side="right")) - 1
        while out.size:
            part, _, _, first, n = self._blocks[k]
            skip = begin - int(self._begins[k])
            step = min(n - skip, out.size)
            out[:step] = self._parts.ids(part, first + skip, step)
            begin, out, k = begin + step, out[step:], k + 1


class _Words:
    """Final ids of the words of parts."""

    def __init__(self, work: Path, config: CoocConfig) -> None:
        self.work = work
        self.table = load_table(work)
        self.V = self.table.words
        self.counts = self.table.counts[: self.V].copy()
        self.left_out = self.V + 1 if config.oov == "hold" else LEFT_OUT
        self._known: dict[tuple[int, int], tuple[list[_Ids], _Ids]] = {}

    def final(self, part: int, segment: int) -> tuple[list[_Ids], _Ids]:
        """Return the translations of a segment's threads, and the final id of each of its words."""
        if (part, segment) not in self._known:
            loaded = Segment.load(part_of(self.work, part) / f"words-{segment}.npz")
            assert loaded.table is not None
            final = self.table.absorb(loaded.table)  # others get numbers beyond the vocabulary's
            final[final >= self.V] = self.left_out
            self._known[part, segment] = loaded.translations, final
        return self._known[part, segment]

    def sampling(self, config: CoocConfig) -> Sampling | None:
        """Return which tokens of frequent words stay."""
        return Sampling.of(self.counts, config.subsample, config.seed) if config.subsample else None

    def translate(self, block: tuple[int, int, int, int, int], ids: _Ids) -> _Ids:
        """Return the final ids of a block, nothing left out at random, with V where a document ends."""
        translations, final = self.final(*block[:2])
        out = np.empty(len(ids) + 1, np.int32)
        n = kernels.remap(ids, final[translations[block[2]]], self.V, True, out, 0)[0]
        return out[:n]


def counted_of(work: Path, k: int) -> Path:
    """Return the folder of what was counted of a part."""
    return work / "counted" / f"{k:06}"


def plan_rows(
    work: Path, number: int, config: CoocConfig, slots: int, tasks: int, types: int
) -> list[tuple[int, int]] | None:
    """Cut the rows of the matrix into ranges of about equal work, if each task can hold the whole corpus. A task.

    Parameters
    ----------
    work, number, config
        As in `count_part`.
    slots : int
        Tasks that can be done at a time.
    tasks, types
        As in `count_part`.

    Returns
    -------
    list of (first, last) or None
        Rows first <= row < last; None if the corpus, or the rows of a task, take too much memory: then it is counted
        part by part.
    """
    reads = [Read.of(part_of(work, j)) for j in range(number)]
    table, memory = load_table(work), worker_memory(tasks)
    V, counts = table.words, table.counts
    ids = sum(n for each in reads for blocks in each.blocks for _, n in blocks)
    starts = np.concatenate(([0], np.cumsum(counts[:V])))
    most = most_entries(starts, config)
    if 12 * int(most.sum()) // slots > memory // 4 or fixed_memory(V, types, 1) + 10 * ids > memory // 2:
        return None
    cost = np.where(np.arange(V) < TOP, _TOP_COST, 1.0) * counts[:V]
    edges = np.searchsorted(np.cumsum(cost), np.linspace(0, cost.sum(), min(slots, V) + 1)[1:-1])
    edges = np.unique([0, *(min(max(int(edge), TOP), V) for edge in edges), V])
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def count_rows(rows: tuple[int, int], work: Path, number: int, config: CoocConfig) -> Rows:
    """Count some rows of the whole corpus; they stay with the worker. A task.

    Parameters
    ----------
    rows : (int, int)
    work, number, config
        As in `count_part`.
    """
    reads = Reads(work, number)
    words, parts = _Words(work, config), _Parts(work, reads)
    blocks = [block for k in range(number) for block in parts.blocks(k)]
    encoded, final = _corpus(parts, words, blocks, sum(reads[k].tokens for k in range(number)))
    translator = Translator(encoded, final, words.V, config.window, sampling=words.sampling(config))
    made = [RowBlock(np.zeros(rows[1] - rows[0], np.int64), np.empty(0, np.int32), np.empty(0))]
    for chunk in translator.chunks(encoded.spool.length):
        starts, positions = positions_by_word(chunk, words.V, 1)
        counted = count_chunk(chunk, starts, positions, config, 1, lambda n: None, only=rows, keep=True)
        made = list(counted)
    cursor = translator.cursor
    return Rows(rows[0], made, Counted([], cursor.tokens, cursor.kept, cursor.sampled, cursor.documents))


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
    reads = Reads(work, number)
    if not reads[k].tokens:
        return Counted([], 0, 0, 0, 0)
    words = _Words(work, config)
    encoded, final, cursor = _with_neighbours(k, reads, words, config)
    V = words.V
    names: list[str] = []
    own = (0, reads[k].tokens)
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
        cursor = translator.cursor
        found = Counted(names, cursor.tokens, cursor.kept, cursor.sampled, cursor.documents)
        (folder / _COUNTED).write_text(json.dumps(asdict(found)))
    return found


def _with_neighbours(
    k: int, reads: Reads, words: _Words, config: CoocConfig
) -> tuple[EncodedCorpus, list[_Ids], Cursor]:
    """Return a part with what its windows need of those beside it, as a corpus; its own tokens are numbered from 0."""
    parts = _Parts(words.work, reads)
    sampling = words.sampling(config)
    keep = sampling.keep if sampling is not None else None
    before, tokens_before = _reach_back(k, parts, words, config)
    last = not any(reads[j].tokens for j in range(k + 1, len(reads)))
    behind = list(parts.blocks_behind(k)) if last else _reach_on(k, parts, words, config, keep)
    corpus = _corpus(parts, words, [*before, *parts.blocks(k), *behind], reads[k].tokens + (0 if last else 1))
    open_document = bool(before) and _stands_in_document(before[0], parts)
    return (*corpus, Cursor(read=-tokens_before, open_document=open_document))


def _corpus(
    parts: _Parts, words: _Words, blocks: Sequence[tuple[int, int, int, int, int]], tokens: int
) -> tuple[EncodedCorpus, list[_Ids]]:
    """Return blocks as a corpus of so many tokens, and the final ids of its segments' words."""
    segments, final = [], []
    for part, segment in dict.fromkeys((block[0], block[1]) for block in blocks):
        own = [(block[2], block[4]) for block in blocks if block[:2] == (part, segment)]
        segments.append(Segment(own, [], None, part_of(words.work, part) / f"words-{segment}.npz"))
        final.append(words.final(part, segment)[1])
    return EncodedCorpus(words.work, _Stretch(parts, blocks), segments, done=True, tokens=tokens), final


def _reach_back(
    k: int, parts: _Parts, words: _Words, config: CoocConfig
) -> tuple[list[tuple[int, int, int, int, int]], int]:
    """Return the blocks before a part that it takes, in the order of the text, and their number of tokens."""
    found: list[tuple[int, int, int, int, int]] = []
    tokens = kept = 0
    for block in parts.blocks_before(k):
        ids = parts.ids(block[0], *block[3:])
        ends = int(np.count_nonzero(ids == kernels.DOCUMENT_END))
        found.insert(0, block)
        tokens += len(ids) - ends
        kept += len(words.translate(block, ids)) if not config.subsample else 0
        if tokens and (ends or kept >= config.window):
            break
    return found, tokens


def _reach_on(
    k: int, parts: _Parts, words: _Words, config: CoocConfig, keep: NDArray[np.uint64] | None
) -> list[tuple[int, int, int, int, int]]:
    """Return the blocks behind a part that it takes."""
    found, kept, V = [], 0, words.V
    for block in parts.blocks_behind(k):
        ids = parts.ids(block[0], *block[3:])
        found.append(block)
        final = words.translate(block, ids)
        if keep is not None:
            final = final[(final >= V) | (keep[np.minimum(final, V - 1)] >= _ALWAYS)]
        kept += len(final)
        if kept >= config.window or (final == V).any():
            break
    return found


def _stands_in_document(block: tuple[int, int, int, int, int], parts: _Parts) -> bool:
    """Tell whether the document has had a token when a block begins."""
    part, _, _, begin, _ = block
    if begin:
        return bool(parts.ids(part, begin - 1, 1)[0] != kernels.DOCUMENT_END)
    for j in range(part - 1, -1, -1):
        length = sum(n for blocks in parts.reads[j].blocks for _, n in blocks)
        if length:
            return bool(parts.ids(j, length - 1, 1)[0] != kernels.DOCUMENT_END)
    return False
