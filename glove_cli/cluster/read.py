"""First stage: texts to provisional ids and words, a part of the corpus a task, where a worker can read it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from glove_cli.cluster.engine import worker_memory
from glove_cli.cluster.tasks import whole_folder
from glove_cli.corpus.config import VocabConfig
from glove_cli.corpus.encoder import EncodedCorpus, encode_corpus, reading_state
from glove_cli.corpus.segments import Segment, merge_words
from glove_cli.corpus.sources import STDIN, Source, find_sources
from glove_cli.corpus.spans import cut_source
from glove_cli.corpus.spool import Spool
from glove_cli.corpus.tokenizer import WordTable
from glove_cli.corpus.vocabulary import Wanted, choose_vocab, source_names
from glove_cli.errors import CorpusError, OptionError, OutputError
from glove_cli.files import named_errors
from glove_cli.folder import VOCAB_NAME
from glove_cli.inputs import parse_json
from glove_cli.vocab import word_to_bytes

WORDS_TOGETHER = 16  # tables of words that are merged by a task
_SUMMARY = "summary.json"
_TABLE = "table.npz"
_MOST_SPAN = 1 << 30  # bytes of text that a task reads


@dataclass(frozen=True)
class Read:
    """What a part of the corpus is.

    Attributes
    ----------
    tokens, invalid : int
        Tokens, and how many of them were not UTF-8.
    blocks : list of list of (thread, ids)
        For each segment, its blocks, see `Segment`.
    """

    tokens: int
    invalid: int
    blocks: list[list[tuple[int, int]]]

    @classmethod
    def of(cls, folder: Path) -> Read:
        """Return what `read_part` wrote beside a part."""
        return cls(**parse_json((folder / _SUMMARY).read_bytes()))


def part_of(work: Path, k: int) -> Path:
    """Return the folder of a part of the corpus."""
    return work / "read" / f"{k:06}"


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


def read_part(item: tuple[int, Source], work: Path, config: VocabConfig, tasks: int) -> Read:
    """Read a part: its ids and words go into a folder. A task.

    Parameters
    ----------
    item : (int, Source)
        Its number and where it is.
    work : Path
    config : VocabConfig
    tasks : int
        That run on a worker at the same time.
    """
    k, source = item
    path = part_of(work, k)
    if path.exists():  # made before an interruption
        _check_ids(path)
    else:
        with whole_folder(path) as folder:
            with encode_corpus(
                [source], folder, config, threads=1, spool_memory=0, table_memory=worker_memory(tasks) // 4
            ) as encoded:
                encoded.save()
                blocks = [[(thread, n) for thread, n in segment.blocks] for segment in encoded.segments]
                summary = {"tokens": encoded.tokens, "invalid": encoded.invalid, "blocks": blocks}
            (folder / _SUMMARY).write_text(json.dumps(summary))
    return Read.of(path)


def _check_ids(part: Path) -> None:
    """Refuse ids that were changed after they were written.

    Raises
    ------
    OutputError
    """
    state = reading_state(part)
    if state is None:
        raise OutputError(f"{part}: is damaged. Begin again, with --force.")
    Spool.open(part / "ids", state["ids"], state["check"]).close()


def gather_words(item: tuple[Path, list[Path]], memory: int) -> Path:
    """Merge the words of several folders or files into one file. A task.

    Parameters
    ----------
    item : (Path, list of Path)
        The file to make, and what to merge: folders of parts, or files made by this.
    memory : int
        Bytes that the words may take.
    """
    target, paths = item
    if not target.exists():
        with named_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(target) as folder:
            words = merge_words([segment for path in paths for segment in _segments(path)], memory)
            Segment([], [], words.table).save(folder / "words-0.npz")
    return target


def choose_words(
    paths: list[Path], work: Path, config: VocabConfig, wanted: Wanted, names: list[str], memory: int
) -> tuple[int, int]:
    """Choose the vocabulary from all words, and write it. A task.

    Parameters
    ----------
    paths : list of Path
        Folders with tables of words.
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
    words = merge_words([segment for path in paths for segment in _segments(path)], memory)
    words.numbers = []
    nothing = EncodedCorpus(work, None)  # type: ignore[arg-type]
    vocab, _ = choose_vocab(nothing, words, config, wanted, source_names(names))
    target = vocabulary_of(work)
    if not target.exists():
        with whole_folder(target) as folder:
            (folder / VOCAB_NAME).write_bytes(vocab.to_bytes())
            listed = [word_to_bytes(word) for word in vocab.words]
            starts = np.cumsum([0, *map(len, listed)])
            arena = np.frombuffer(b"".join(listed), np.uint8)
            Segment([], [], WordTable(len(vocab), arena=arena, starts=starts, counts=vocab.counts)).save(
                folder / _TABLE
            )
    return len(vocab), words.types


def vocabulary_of(work: Path) -> Path:
    """Return the folder of the vocabulary: a file for the result, and one for tasks."""
    return work / "vocabulary"


def load_table(work: Path) -> WordTable:
    """Return the words of the vocabulary; a word's id in the table is its id.

    Parameters
    ----------
    work : Path
    """
    table = Segment.load(vocabulary_of(work) / _TABLE).table
    assert table is not None
    return table


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


def _segments(path: Path) -> list[Segment]:
    """Return the segments whose words lie in a folder; they are read when they are wanted."""
    return [Segment([], [], None, file) for file in sorted(path.glob("words-*.npz"))]
