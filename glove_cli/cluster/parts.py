"""What was read of a corpus: parts, each in a folder with its provisional ids, its words, and a summary.

These files are seen to the disk by nobody: what a machine that loses power takes with it is read again. So whoever uses
ids compares them with their checksums.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus.encoder import EncodedCorpus
from glove_cli.corpus.spool import Spool
from glove_cli.errors import OutputError
from glove_cli.inputs import parse_json

_SUMMARY = "summary.json"
_IDS = "ids"
_Ids = NDArray[np.int32]


class LostPartError(OutputError):
    """A part's files are gone, or others than were written: it has to be read again."""


class Block(NamedTuple):
    """Consecutive ids of a part.

    Attributes
    ----------
    part, segment : int
        The part, and which of its tables of words the ids hang on.
    begin, n : int
        The first of the part's ids, and how many.
    check : int
        CRC-32 of the ids.
    """

    part: int
    segment: int
    begin: int
    n: int
    check: int


@dataclass(frozen=True)
class Read:
    """What a part of the corpus is.

    Attributes
    ----------
    tokens, invalid : int
        Tokens, and how many of them were not UTF-8.
    blocks : list of list of (ids, CRC-32)
        For each segment, its blocks.
    """

    tokens: int
    invalid: int
    blocks: list[list[tuple[int, int]]]

    @classmethod
    def of(cls, folder: Path) -> Read:
        """Return what `keep_read` wrote.

        Raises
        ------
        LostPartError
            If it can't be read.
        """
        try:
            summary, check = parse_json((folder / _SUMMARY).read_bytes())
            if zlib.crc32(summary.encode()) != check:
                raise ValueError("its summary is damaged")
            return cls(*parse_json(summary.encode()))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise _lost(folder, error) from error


def keep_read(encoded: EncodedCorpus, folder: Path) -> None:
    """Write down what was read, by one thread, in a folder.

    Parameters
    ----------
    encoded : EncodedCorpus
    folder : Path
        That of `encoded`.
    """
    begin, blocks = 0, []
    for segment in encoded.segments:
        checks = []
        for _, n in segment.blocks:
            ids = np.empty(n, np.int32)
            encoded.spool.read(begin, ids)
            checks.append((n, zlib.crc32(ids.data)))
            begin += n
        blocks.append(checks)
    encoded.save()
    summary = json.dumps([encoded.tokens, encoded.invalid, blocks])
    (folder / _SUMMARY).write_text(json.dumps([summary, zlib.crc32(summary.encode())]))


def part_of(work: Path, k: int) -> Path:
    """Return the folder of a part of the corpus."""
    return work / "read" / f"{k:06}"


class Parts:
    """The parts of a corpus, one after the other; only those that are asked for are looked up, there may be thousands.

    Parameters
    ----------
    work : Path
    number : int
        Of all parts.
    """

    def __init__(self, work: Path, number: int) -> None:
        self.work, self._number = work, number
        self._known: dict[int, Read] = {}

    def __len__(self) -> int:
        return self._number

    def __getitem__(self, k: int) -> Read:
        if k not in self._known:
            self._known[k] = Read.of(part_of(self.work, k))
        return self._known[k]

    def blocks(self, k: int) -> Iterator[Block]:
        """Yield the blocks of a part."""
        begin = 0
        for segment, blocks in enumerate(self[k].blocks):
            for n, check in blocks:
                yield Block(k, segment, begin, n, check)
                begin += n

    def blocks_before(self, k: int) -> Iterator[Block]:
        """Yield the blocks before a part, the nearest first."""
        for j in range(k - 1, -1, -1):
            yield from reversed(list(self.blocks(j)))

    def blocks_behind(self, k: int) -> Iterator[Block]:
        """Yield the blocks behind a part."""
        for j in range(k + 1, len(self)):
            yield from self.blocks(j)

    def ids(self, block: Block) -> _Ids:
        """Return the ids of a block.

        Raises
        ------
        LostPartError
            If they are others than were written.
        """
        folder = part_of(self.work, block.part)
        try:
            ids = np.fromfile(folder / _IDS, np.int32, block.n, offset=4 * block.begin)
            if zlib.crc32(ids.data) != block.check:
                raise ValueError("its ids are damaged")
        except (OSError, ValueError) as error:
            raise _lost(folder, error) from error
        return ids


class Stretch(Spool):
    """Blocks of several parts as one row of ids.

    Parameters
    ----------
    parts : Parts
    blocks : sequence of Block
    """

    def __init__(self, parts: Parts, blocks: Sequence[Block]) -> None:
        super().__init__(part_of(parts.work, blocks[0].part if blocks else 0) / _IDS, 0)
        self._ids = None
        self._parts = parts
        begins = np.cumsum([0, *(block.n for block in blocks)]).tolist()
        self._blocks = {begin: block for begin, block in zip(begins, blocks, strict=False) if block.n}
        self.length = begins[-1]

    def read(self, begin: int, out: _Ids) -> None:
        """Fill an array with the ids of the block that begins at a place.

        Raises
        ------
        LostPartError
            As `Parts.ids`.
        """
        if out.size:
            out[:] = self._parts.ids(self._blocks[begin])


def _lost(folder: Path, error: Exception) -> LostPartError:
    return LostPartError(f"{folder}: is gone or damaged: {error}. The same command with --resume reads it again.")
