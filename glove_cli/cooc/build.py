"""Text to a co-occurrence matrix: the whole of counting in one call."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.passes import Job, count_corpus, found
from glove_cli.cooc.store import COOC_FORMAT, COOC_VERSION, CoocMatrix, load_cooc, open_cooc
from glove_cli.corpus.encoder import SEGMENT_BYTES, SPOOL_MEMORY, encode_corpus
from glove_cli.corpus.reader import BLOCK_BYTES
from glove_cli.corpus.sources import CorpusLike, Source, find_sources
from glove_cli.corpus.vocabulary import Wanted, WordList, choose_vocab, load_words, make_config, source_names
from glove_cli.errors import CorpusError, FormatError, OptionError
from glove_cli.files import META_NAME, check_apart, check_output, output_folder
from glove_cli.folder import FolderWriter
from glove_cli.memory import memory_limit
from glove_cli.parallel import Progress, thread_count
from glove_cli.vocab import Vocab
from glove_cli.workspace import workspace


def build_cooc(
    corpus: CorpusLike,
    out: str | os.PathLike[str],
    *,
    vocab: Vocab | str | os.PathLike[str] | None = None,
    words: WordList | None = None,
    stop_words: WordList | None = None,
    json_field: str | None = None,
    column: str | None = None,
    shard: tuple[int, int] | str | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    tmp: str | os.PathLike[str] | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
    _block_bytes: int = BLOCK_BYTES,
    _chunk_tokens: int | None = None,
    _spool_memory: int = SPOOL_MEMORY,
    _segment_bytes: int = SEGMENT_BYTES,
    **options: Any,
) -> CoocMatrix:
    """Count how often words of a corpus stand near each other.

    Parameters
    ----------
    corpus : path-like, binary file, or an iterable of these
        Text files, folders of them, glob patterns, addresses that fsspec knows, "-" for standard input; compressed or
        not. Read once.
    out : path-like
        The folder to make.
    vocab : Vocab or path-like, optional
        Count these words, with these ids and counts, instead of the corpus's own vocabulary.
    words : path-like or iterable of str, optional
        Keep no other words than these: a list, or a file with a word a line.
    stop_words : path-like or iterable of str, optional
        Keep none of these words.
    json_field : str, optional
        The files are JSON Lines, and this field of each object is a text.
    column : str, optional
        The files are Parquet, and each value of this column is a text.
    shard : (int, int) or str, optional
        Count the i-th of n parts of the corpus only, `(i, n)` or "i/n", with the vocabulary of the whole; i from 1.
        `merge_cooc` makes the whole matrix of all parts.
    threads : int, optional
        All cores that this process may use, unless given. The result doesn't depend on it.
    memory : int or str, optional
        Bytes that the process may take besides interpreter and libraries, or a size such as "4G"; half of what this
        machine allows, unless given. The result doesn't depend on it.
    tmp : path-like, optional
        Folder for temporary files; that of `out`, unless given.
    resume : bool
        Go on with what an interrupted call with the same arguments left; what can't be read again, such as standard
        input, must give the same text again. If such a call was finished, and is newer than its files, it is kept.
    force : bool
        Whether a result that stands at `out`, or what an interrupted call left, may be replaced.
    progress : callable, optional
        Called with (stage, done, total or None, unit): ("reading", ..., "B"), then ("counting", ..., "token"), and
        ("merging", ..., "entry") for a corpus that was counted in several parts, after ("gathering", ..., "entry") if
        there were more than 64.
    note : callable, optional
        Called with what a user should know meanwhile: the plan of a long job, what is gone on with.
    **options
        The fields of `CoocConfig`: how the text is read (tokenizer, token_pattern, lowercase, normalize, document,
        encoding_errors), which words are kept (min_count, max_vocab, max_doc_share), what counts as a co-occurrence
        (window, context, weighting, oov, subsample, seed, resample).

    Returns
    -------
    CoocMatrix

    Raises
    ------
    OptionError
        If an option's value cannot work.
    CorpusError
        If the corpus can't be read, or no word of it is in the vocabulary.
    FormatError
        If the vocabulary file is not one.
    OutputError
        If `out` exists and may not be replaced, or can't be written, or the disk can't hold it.

    Notes
    -----
    Entry X[i, j] is the sum over all pairs of tokens of words i and j at most `window` apart in a document of the
    weight of their distance (Pennington et al. 2014, section 4.2). Tokens outside the vocabulary are dropped before
    distances are measured, as the reference implementation does, unless `oov` is "hold".
    """
    config: CoocConfig = make_config(CoocConfig, options)
    job = Job(config, thread_count(threads), memory_limit(memory), progress, note, parse_shard(shard), _chunk_tokens)
    wanted = read_wanted(config, vocab, words, stop_words)
    out = Path(out)
    if not resume:
        check_output(out, force=force)
    sources = find_sources(corpus, json_field=json_field, column=column, resample=config.resample)
    names = [source.name for source in sources]
    check_apart(out, [source.name for source in sources if source.mtime_ns is not None])
    described = signature(job, wanted, sources, json_field, column)
    if resume and not force and is_finished(out, job, sources, (vocab, words, stop_words)):
        job.note(f"{out} was finished already.")
        with workspace(out, described, tmp=tmp, force=True):  # whatever was left of the temporary files goes
            return load_cooc(out)
    check_output(out, force=force)
    opened = workspace(
        out, described, tmp=tmp, resume=resume, force=force, found=found, keep=resume, note=job.note,
        kept=lambda done: job.note(f"Kept: {done}. The same command goes on from there."),
    )  # fmt: skip
    with opened as space, output_folder(out, force=force, temporary=space.result, format=COOC_FORMAT) as folder:
        spool_memory = min(_spool_memory, job.memory // 4)
        with encode_corpus(
            sources, space.path, config, threads=job.threads, progress=progress, block_bytes=_block_bytes,
            segment_bytes=_segment_bytes, spool_memory=spool_memory, table_memory=job.memory // 8, margin=config.window,
        ) as encoded:  # fmt: skip
            every = encoded.words(job.memory // 2)
            chosen, final = choose_vocab(encoded, every, config, wanted, source_names(names))
            types = every.types
            del every
            encoded.forget_words()
            writer = FolderWriter(folder)
            sizes, cursor = count_corpus(job, encoded, chosen, final, writer, space)
        if not sizes["stored"] and job.shard is None:
            raise CorpusError(
                f"{source_names(names)}: no two words of the vocabulary stand in one document. "
                "Give longer lines of text."
            )
        writer.vocab(chosen)
        writer.finish(
            COOC_FORMAT,
            COOC_VERSION,
            V=len(chosen),
            **sizes,
            symmetric=config.context == "symmetric",
            tokens=cursor.tokens,
            kept_tokens=cursor.kept,
            sampled_tokens=cursor.sampled,
            invalid_tokens=encoded.invalid,
            documents=cursor.documents,
            types=types,
            vocabulary="given" if wanted.vocab is not None else "counted",
            shard=list(job.shard) if job.shard is not None else None,
            options=asdict(config),
            sources=names,
        )
    return open_cooc(out, chosen)


def parse_shard(shard: tuple[int, int] | str | None) -> tuple[int, int] | None:
    """Return which part of how many, (i, n) with 1 <= i <= n, or None.

    Raises
    ------
    OptionError
        If it is no such pair.
    """
    if shard is None:
        return None
    try:
        i, n = (int(number) for number in (shard.split("/") if isinstance(shard, str) else shard))
    except (TypeError, ValueError):
        i, n = 0, 0
    if not 1 <= i <= n:
        raise OptionError(f"--shard: {shard!r} is not a part of a whole. Give i/n with 1 <= i <= n, such as 3/8.")
    return i, n


def is_finished(out: Path, job: Job, sources: list[Source], lists: tuple[Any, ...]) -> bool:
    """Tell whether `out` is the result of this job: with its options, and newer than all files that it was made of."""
    try:
        meta = load_cooc(out).meta
        made = (out / META_NAME).stat().st_mtime_ns
        times = [os.stat(given).st_mtime_ns for given in lists if isinstance(given, (str, os.PathLike))]
    except (FormatError, OSError):
        return False
    if any(given is not None and not isinstance(given, (str, os.PathLike)) for given in lists):
        return False
    if not all(time is not None and time < made for time in (*times, *(source.mtime_ns for source in sources))):
        return False
    shard, names = list(job.shard) if job.shard is not None else None, [source.name for source in sources]
    options = {**asdict(type(job.config)()), **(meta.get("options") or {})}
    return [options, meta.get("shard"), meta.get("sources")] == [asdict(job.config), shard, names]


def read_wanted(
    config: CoocConfig,
    vocab: Vocab | str | os.PathLike[str] | None,
    words: WordList | None,
    stop_words: WordList | None,
) -> Wanted:
    """Read the vocabulary or the lists of words that were given."""
    if vocab is None:
        return Wanted(
            words=load_words(words, "--words") if words is not None else None,
            stop_words=load_words(stop_words, "--stop-words") if stop_words is not None else frozenset(),
        )
    _check_whole(config, words, stop_words)
    return Wanted(Vocab.load(vocab) if isinstance(vocab, (str, os.PathLike)) else vocab)


def _check_whole(config: CoocConfig, words: WordList | None, stop_words: WordList | None) -> None:
    """Refuse options that would cut a vocabulary that is given."""
    default = CoocConfig()
    for name in ("min_count", "max_vocab", "max_doc_share"):
        if getattr(config, name) != getattr(default, name):
            raise OptionError(
                f"--vocab: a given vocabulary is used whole, --{name.replace('_', '-')} can't cut it. Leave one out."
            )
    if words is not None or stop_words is not None:
        raise OptionError("--vocab: a given vocabulary is used whole, a list of words can't cut it. Leave one out.")


def signature(
    job: Job, wanted: Wanted, sources: list[Source], json_field: str | None, column: str | None
) -> dict[str, Any]:
    """Return all that the result depends on, to compare with that of an interrupted run."""
    return {
        "format version": COOC_VERSION,
        "corpus": [[source.name, source.size, source.mtime_ns] for source in sources],
        **asdict(job.config),
        "json_field": json_field,
        "column": column,
        "shard": job.shard,
        "vocab": _digest(wanted.vocab.to_bytes()) if wanted.vocab is not None else None,
        "words": _digest(b"\n".join(sorted(wanted.words))) if wanted.words is not None else None,
        "stop_words": _digest(b"\n".join(sorted(wanted.stop_words))),
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
