"""First stage: texts to provisional ids and words, a part of the corpus a task, where a worker can read it."""

from __future__ import annotations

import contextlib
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glove_cli.cluster.engine import worker_memory
from glove_cli.cluster.parts import LostPartError, Parts, Read, keep_read, part_of
from glove_cli.cluster.tasks import drop_folder, whole_folder
from glove_cli.corpus.config import VocabConfig
from glove_cli.corpus.encoder import SPOOL_MEMORY, EncodedCorpus, encode_corpus
from glove_cli.corpus.segments import Segment, Words, merge_words
from glove_cli.corpus.sources import STDIN, Source, find_sources
from glove_cli.corpus.spans import cut_source
from glove_cli.corpus.vocabulary import Wanted, choose_vocab, source_names
from glove_cli.errors import CorpusError, OptionError, OutputError
from glove_cli.folder import VOCAB_NAME

WORDS_TOGETHER = 16  # tables of words that are merged by a task
_COUNTS = "counts.npy"
_NUMBERS = "numbers.npz"
_MOST_SPAN = 1 << 30  # bytes of text that a task reads


def find_texts(
    corpus: Sequence[str], root: str, json_field: str | None, column: str | None, resample: int | None
) -> list[Source]:
    """List the files of a corpus, as a worker sees them. A task.

    Parameters
    ----------
    corpus : sequence of str
        As they were typed.
    root : str
        The folder that they are relative to.
    json_field, column, resample
        As in `find_sources`.

    Raises
    ------
    CorpusError, OptionError
        As `find_sources`; or if a text can't be read twice.
    """
    sources: list[Source] = []
    for name in corpus:
        if name == STDIN:
            raise CorpusError("standard input: can't be read by the workers of a cluster. Name files that they see.")
        place = os.path.join(root, name) if "://" not in name else name
        found = find_sources(place, json_field=json_field, column=column)
        if os.path.isabs(name) or place == name:
            sources += found
            continue
        above = root.rstrip(os.sep) + os.sep
        sources += [replace(source, name=source.name.removeprefix(above), place=source.name) for source in found]
    for source in sources:
        if not source.replayable:
            raise CorpusError(f"{source.name}: is no file that several workers can read. Name files.")
    if resample is not None:
        drawn = find_sources([source.place or source.name for source in sources], resample=resample)
        sources = [replace(source, draw=other.draw) for source, other in zip(sources, drawn, strict=True)]
    return sources


def cut_texts(sources: Sequence[Source], slots: int, least: int) -> list[Source]:
    """Cut the files of a corpus into parts. A task.

    Parameters
    ----------
    sources : sequence of Source
    slots : int
        Tasks that can be done at a time.
    least : int
        Bytes below which a file isn't cut.
    """
    total = sum(source.size or 0 for source in sources)
    each = min(_MOST_SPAN, max(least, -(-total // slots)))
    return [part for source in sources for part in cut_source(source, each)]


def read_part(k: int, source: Source, work: Path, config: VocabConfig, tasks: int) -> Read:
    """Read a part: its ids and words go into a folder. A task.

    Parameters
    ----------
    k : int
        Its number.
    source : Source
        Where it is.
    work : Path
    config : VocabConfig
    tasks : int
        That run on a worker at the same time.
    """
    path = part_of(work, k)
    if path.exists():
        with contextlib.suppress(OutputError):
            return _check(Parts(work, k + 1), k)
        drop_folder(path)
    memory = worker_memory(tasks) // 4
    with (
        whole_folder(path, sync=False) as folder,
        encode_corpus(
            [source], folder, config, threads=1, spool_memory=min(SPOOL_MEMORY, memory), table_memory=memory, sync=False
        ) as encoded,
    ):
        keep_read(encoded, folder)
    return Read.of(path)


def _check(parts: Parts, k: int) -> Read:
    """Return what a part is, if all that was written of it is still there.

    Raises
    ------
    OutputError
    """
    for block in parts.blocks(k):
        parts.ids(block)
    for segment in range(len(parts[k].blocks)):
        Segment.load(part_of(parts.work, k) / f"words-{segment}.npz")
    return parts[k]


def groups_of_tables(work: Path, paths: Sequence[Path], level: int) -> list[tuple[Path, Sequence[Path]]]:
    """Return which tables of words are to be merged, and where; none if they can be merged at once.

    Parameters
    ----------
    work : Path
    paths : sequence of Path
        Their folders.
    level : int
        How often they were merged already.
    """
    if len(paths) <= WORDS_TOGETHER:
        return []
    numbers = range(-(-len(paths) // WORDS_TOGETHER))
    return [(_group(work, level, n), paths[n * WORDS_TOGETHER : (n + 1) * WORDS_TOGETHER]) for n in numbers]


def gather_words(target: Path, paths: Sequence[Path], made: Sequence[object], memory: int) -> Path:
    """Merge the words of several folders into one table. A task.

    Parameters
    ----------
    target : Path
        The folder to make.
    paths : sequence of Path
        Folders of parts, or made by this.
    made : sequence
        What the tasks that make them returned, so that this one waits for them.
    memory : int
        Bytes that the words may take.
    """
    if not target.exists():
        with whole_folder(target) as folder:
            tables = _tables(paths)
            words = _merged(tables, memory)
            np.savez(folder / _NUMBERS, **dict(zip(tables, words.numbers, strict=True)))  # type: ignore[arg-type]
            Segment([], [], words.table).save(folder / "words-0.npz", sync=False)
    return target


def choose_words(
    paths: Sequence[Path],
    made: Sequence[object],
    work: Path,
    config: VocabConfig,
    wanted: Wanted,
    names: list[str],
    memory: int,
) -> tuple[int, int]:
    """Choose the vocabulary from all words, and write it. A task.

    Parameters
    ----------
    paths, made
        As in `gather_words`.
    work : Path
    config : VocabConfig
    wanted : Wanted
    names : list of str
        The texts.
    memory : int

    Returns
    -------
    V, types : int
        Words of the vocabulary and of the corpus.
    """
    tables = _tables(paths)
    words = _merged(tables, memory)
    nothing = EncodedCorpus(work, None)  # type: ignore[arg-type]
    vocab, final = choose_vocab(nothing, words, config, wanted, source_names(names))
    target = vocabulary_of(work)
    if not target.exists():
        with whole_folder(target) as folder:
            (folder / VOCAB_NAME).write_bytes(vocab.to_bytes())
            np.save(folder / _COUNTS, vocab.counts)
            np.savez(folder / _NUMBERS, **dict(zip(tables, final, strict=True)))  # type: ignore[arg-type]
    return len(vocab), words.types


def vocabulary_of(work: Path) -> Path:
    """Return the folder of the vocabulary: a file for the result, and those for tasks."""
    return work / "vocabulary"


def load_counts(work: Path) -> NDArray[np.int64]:
    """Return the counts (V,) of the vocabulary's words.

    Parameters
    ----------
    work : Path

    Raises
    ------
    OutputError
        If the file is gone or damaged.
    """
    path = vocabulary_of(work) / _COUNTS
    with _named_damage(path):
        return np.asarray(np.load(path, allow_pickle=False), np.int64)


def final_ids(work: Path, number: int, part: int, segment: int) -> NDArray[np.int32]:
    """Return the final id of each word of a segment, or LEFT_OUT.

    Parameters
    ----------
    work : Path
    number : int
        Of all parts.
    part, segment : int

    Raises
    ------
    OutputError
        If a file is gone or damaged.

    Notes
    -----
    Each table that was merged into another is remembered by the numbers that its words got there. These are followed
    from the vocabulary back to the part.
    """
    steps, level, table = [], 0, f"words-{segment}"
    while number > WORDS_TOGETHER:
        group, place = divmod(part, WORDS_TOGETHER)
        steps.append((_group(work, level, group), f"{place}-{table}"))
        number, part, level, table = -(-number // WORDS_TOGETHER), group, level + 1, "words-0"
    ids = _numbers(vocabulary_of(work), f"{part}-{table}")
    for folder, name in reversed(steps):
        ids = ids[_numbers(folder, name)]
    return ids


def _merged(tables: dict[str, Path], memory: int) -> Words:
    """Merge tables of words."""
    try:
        return merge_words([Segment([], [], None, file) for file in tables.values()], memory)
    except OutputError as error:
        raise LostPartError(str(error)) from error


def _numbers(folder: Path, table: str) -> NDArray[np.int32]:
    """Return what numbers the words of a table got."""
    path = folder / _NUMBERS
    with _named_damage(path), path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        return np.asarray(file[table], np.int32)


@contextlib.contextmanager
def _named_damage(path: Path) -> Iterator[None]:
    """Turn what a damaged file ends in into an error that names it."""
    try:
        yield
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise OutputError(f"{path}: is gone or damaged: {error}. Begin again, with --force.") from error


def _group(work: Path, level: int, group: int) -> Path:
    """Return the folder of merged tables."""
    return work / "words" / f"{level}-{group:05}"


def check_options(config: VocabConfig) -> None:
    """Refuse what can't be counted part by part.

    Raises
    ------
    OptionError
    """
    if config.max_doc_share is not None:
        raise OptionError(
            "--max-doc-share: can't be combined with --cluster. Make a vocabulary with it first (--vocab)."
        )


def _tables(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the tables of words in several folders, each by its folder's place and its own name."""
    return {f"{k}-{file.stem}": file for k, path in enumerate(paths) for file in sorted(path.glob("words-*.npz"))}
