"""The words of a corpus that are kept, and a vocabulary alone."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus.chunks import LEFT_OUT, document_counts
from glove_cli.corpus.config import VocabConfig
from glove_cli.corpus.encoder import EncodedCorpus, encode_corpus
from glove_cli.corpus.segments import Words
from glove_cli.corpus.sources import CorpusLike, find_sources
from glove_cli.errors import CorpusError, FormatError, OptionError
from glove_cli.inputs import read_lines
from glove_cli.parallel import Progress, thread_count
from glove_cli.vocab import Vocab, word_to_bytes
from glove_cli.workspace import temporary_folder

WordList = str | os.PathLike[str] | Iterable[str]


@dataclass(frozen=True)
class Wanted:
    """Which words may be in a vocabulary, besides what the options say.

    Attributes
    ----------
    vocab : Vocab, optional
        These words, with these ids and counts, and nothing else.
    words : set of bytes, optional
        No others.
    stop_words : set of bytes
        None of these.
    """

    vocab: Vocab | None = None
    words: Collection[bytes] | None = None
    stop_words: Collection[bytes] = frozenset()


@dataclass(frozen=True)
class VocabReport:
    """A vocabulary and what was read for it.

    Attributes
    ----------
    vocab : Vocab
    tokens, types : int
        Tokens and distinct words of the corpus.
    kept_tokens : int
        Tokens of the vocabulary.
    invalid_tokens : int
        Tokens that were not UTF-8.
    """

    vocab: Vocab
    tokens: int
    types: int
    kept_tokens: int
    invalid_tokens: int


def load_words(words: WordList, option: str) -> frozenset[bytes]:
    """Read a list of words, one a line.

    Parameters
    ----------
    words : path-like or iterable of str
        A file of UTF-8 text, or the words themselves.
    option : str
        What an error calls the list.

    Returns
    -------
    frozenset of bytes

    Raises
    ------
    FormatError
        If the file can't be read, or a line holds a blank within: then it is a list of something else.
    OptionError
        If there is no word in it.
    """
    if isinstance(words, (str, os.PathLike)):
        lines = read_lines(words, "Give a file with a word a line.").split(b"\n")
        lines = [line.strip(b" \t\r") for line in lines]
        for number, line in enumerate(lines, 1):
            if b" " in line or b"\t" in line:
                shown = repr(line[:60].decode("utf-8", "backslashreplace"))
                raise FormatError(f"{os.fspath(words)}: line {number} is not one word: {shown}. Give a word a line.")
    else:
        lines = [word_to_bytes(word) for word in words]
    listed = frozenset(line for line in lines if line)
    if not listed:
        raise OptionError(f"{option}: lists no word. Give a word a line.")
    return listed


def choose_vocab(
    encoded: EncodedCorpus, words: Words, config: VocabConfig, wanted: Wanted, names: str
) -> tuple[Vocab, list[NDArray[np.int32]]]:
    """Choose the vocabulary.

    Parameters
    ----------
    encoded : EncodedCorpus
    words : Words
        All distinct words of the corpus.
    config : VocabConfig
    wanted : Wanted
    names : str
        What errors call the corpus.

    Returns
    -------
    vocab : Vocab
    final : list of int32 arrays
        For each segment, the id of each of its words, or LEFT_OUT.

    Raises
    ------
    CorpusError
        If nothing is left.
    """
    table = words.table
    counts = table.counts[: table.words]
    if not len(counts) and getattr(config, "resample", None) is not None:
        raise CorpusError(f"--resample: drew nothing of {names}: it has too few lines, or none. Give a longer text.")
    if not len(counts):
        raise CorpusError(f"{names}: is empty: there is no token in it. Give a text.")
    final = np.full(len(counts) + 1, LEFT_OUT, np.int32)  # the last one for words without a number, -1
    if wanted.vocab is not None:
        vocab = wanted.vocab
        index = {word_to_bytes(word): i for i, word in enumerate(vocab.words)}
        final[:-1] = [index.get(word, LEFT_OUT) for word in table.listed(range(table.words))]
        if final.max() < 0:
            raise CorpusError(
                f"{names}: none of the {len(vocab):,} words of the vocabulary occurs in it. Give its own vocabulary."
            )
    else:
        good = counts >= config.min_count
        if not good.any():
            raise CorpusError(
                f"{names}: no word occurs {config.min_count} times, the most frequent one {counts.max():,} times. "
                "Lower --min-count."
            )
        if config.max_doc_share is not None:
            in_documents, documents = document_counts(encoded, words.numbers, table.words)
            good &= in_documents <= config.max_doc_share * documents
        kept = np.flatnonzero(good)
        listed = table.listed(kept.tolist())
        if wanted.words is not None or wanted.stop_words:
            stays = [
                (wanted.words is None or word in wanted.words) and word not in wanted.stop_words for word in listed
            ]
            listed = [word for word, stay in zip(listed, stays, strict=True) if stay]
            kept = kept[np.array(stays, bool)]
        if not len(kept):
            raise CorpusError(f"{names}: no word is left of it. Loosen --max-doc-share, --words or --stop-words.")
        vocab, order = Vocab.from_counts(listed, counts[kept], max_vocab=config.max_vocab)
        final[kept[order]] = np.arange(len(order))
    return vocab, [final[numbers] for numbers in words.numbers]


def build_vocab(
    corpus: CorpusLike,
    *,
    words: WordList | None = None,
    stop_words: WordList | None = None,
    json_field: str | None = None,
    column: str | None = None,
    threads: int | None = None,
    tmp: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> VocabReport:
    """Count the words of a corpus.

    Parameters
    ----------
    corpus : path-like, binary file, or an iterable of these
        As in `build_cooc`.
    words : path-like or iterable of str, optional
        Keep no others: a list, or a file with a word a line.
    stop_words : path-like or iterable of str, optional
        Keep none of these.
    json_field, column : str, optional
        As in `build_cooc`.
    threads : int, optional
        All cores that this process may use, unless given. The result doesn't depend on it.
    tmp : path-like, optional
        Folder for the temporary file that `max_doc_share` may need.
    progress : callable, optional
        Called with ("reading", bytes done, bytes in all or None, "B").
    **options
        The fields of `VocabConfig`.

    Returns
    -------
    VocabReport

    Raises
    ------
    OptionError
        If an option's value cannot work.
    CorpusError
        If the corpus can't be read, or no word is left.
    FormatError
        If a list of words can't be read.
    """
    config = make_config(VocabConfig, options)
    threads = thread_count(threads)
    wanted = Wanted(
        words=load_words(words, "--words") if words is not None else None,
        stop_words=load_words(stop_words, "--stop-words") if stop_words is not None else frozenset(),
    )
    sources = find_sources(corpus, json_field=json_field, column=column)
    names = source_names([source.name for source in sources])
    with temporary_folder(tmp) as folder:
        keep_ids = config.max_doc_share is not None
        with encode_corpus(sources, folder, config, threads=threads, progress=progress, keep_ids=keep_ids) as encoded:
            every = encoded.words()
            vocab, _ = choose_vocab(encoded, every, config, wanted, names)
        return VocabReport(vocab, encoded.tokens, every.types, int(vocab.counts.sum()), encoded.invalid)


def make_config(kind: type[Any], options: dict[str, Any]) -> Any:
    """Make an options dataclass of keyword arguments.

    Parameters
    ----------
    kind : type
        The dataclass.
    options : dict

    Returns
    -------
    An instance of `kind`.

    Raises
    ------
    OptionError
        If there is no such option, or a value cannot work.
    """
    known = asdict(kind())
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise OptionError(f"{unknown[0]}: is not an option. Choose from {', '.join(known)}.")
    return kind(**options)


def source_names(names: list[str]) -> str:
    """Return the names of a corpus's texts for a message: not more than three of them."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"
