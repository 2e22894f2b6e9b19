"""Stretches of a corpus that were tokenized together, and the words of all of them.

Each thread numbers the words it meets by a table of its own. A segment ends when the tables have grown large, or enough
text was read to be worth keeping for a run that is interrupted: then the tables are merged and written down.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus.tokenizer import WordTable
from glove_cli.errors import OptionError, OutputError
from glove_cli.memory import in_words


@dataclass
class Segment:
    """A stretch of the corpus whose ids hang on the same tables.

    Attributes
    ----------
    blocks : list of (thread, ids)
        Whose table each block of ids in the spool hangs on, and how many ids it has.
    translations : list of int32 arrays
        For each thread, the number in `table` of each of its words.
    table : WordTable or None
        All words of the segment with their counts, while it is in memory.
    path : Path, optional
        The file that holds it.
    """

    blocks: list[tuple[int, int]]
    translations: list[NDArray[np.int32]]
    table: WordTable | None
    path: Path | None = None

    @classmethod
    def of(cls, blocks: list[tuple[int, int]], tables: list[WordTable]) -> Segment:
        """Merge the tables of several threads."""
        table, *others = tables
        first = np.arange(table.words, dtype=np.int32)
        return cls(blocks, [first, *(table.absorb(other) for other in others)], table)

    def save(self, path: Path, *, sync: bool = True) -> None:
        """Write the segment to a file, and see it to the disk if that is wanted; the table leaves the memory."""
        assert self.table is not None
        table = self.table
        arrays = {f"translation{k}": numbers for k, numbers in enumerate(self.translations)}
        with path.open("wb") as file:
            np.savez(
                file,
                blocks=np.array(self.blocks, np.int64).reshape(-1, 2),
                arena=table.arena[: table.starts[table.words]],
                starts=table.starts[: table.words + 1],
                counts=table.counts[: table.words],
                **arrays,  # type: ignore[arg-type]
            )
            if sync:
                file.flush()
                os.fsync(file.fileno())
        self.path, self.table, self.translations = path, None, []

    @classmethod
    def load(cls, path: Path) -> Segment:
        """Read what `save` wrote.

        Raises
        ------
        OutputError
            If the file is gone or damaged.
        """
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                arena, starts, counts = file["arena"], file["starts"], file["counts"]
                table = WordTable(len(counts), arena=arena, starts=starts, counts=counts)  # to list, not to look up in
                translations = [file[f"translation{k}"] for k in range(len(file.files) - 4)]
                blocks = [(thread, n) for thread, n in file["blocks"].tolist()]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise OutputError(
                f"{path}: a temporary file is gone or damaged: {error}. Begin again, with --force."
            ) from error
        return cls(blocks, translations, table, path)


@dataclass
class Words:
    """The distinct words of a corpus.

    Attributes
    ----------
    table : WordTable
        Each word with its count in the whole corpus.
    numbers : list of int32 arrays
        For each segment, the number in `table` of each of its words, or -1 for one that can't be in the vocabulary.
    types : int
        Number of distinct words in the corpus.
    """

    table: WordTable
    numbers: list[NDArray[np.int32]] = field(default_factory=list)
    types: int = 0


def merge_words(segments: list[Segment], memory: int | None = None) -> Words:
    """Gather the words of all segments.

    Parameters
    ----------
    segments : list of Segment
    memory : int, optional
        Bytes that their table may take.

    Raises
    ------
    OptionError
        If it takes more.
    """
    if len(segments) == 1 and segments[0].table is not None:
        table = segments[0].table
        return Words(table, [np.arange(table.words, dtype=np.int32)], table.words)
    words = Words(WordTable())
    for segment in segments:
        loaded = segment if segment.path is None else Segment.load(segment.path)
        assert loaded.table is not None
        words.numbers.append(words.table.absorb(loaded.table))
        if memory is not None and words.table.memory > memory:
            raise OptionError(
                f"--memory: {words.table.words:,} different words, and more to come, take "
                f"{in_words(words.table.memory)}; half of the memory is {in_words(memory)}. Give more."
            )
    words.types = words.table.words
    return words
