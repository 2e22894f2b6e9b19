"""Text to a co-occurrence matrix: the whole of counting in one call."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.count import count_chunk
from glove_cli.cooc.merge import merge_parts
from glove_cli.cooc.store import COOC_FORMAT, COOC_VERSION, CoocMatrix, open_cooc, write_rows
from glove_cli.corpus.encoder import EncodedCorpus, encode_corpus
from glove_cli.corpus.reader import BLOCK_BYTES, CorpusLike, find_sources
from glove_cli.corpus.tokenizer import WordTable
from glove_cli.errors import CorpusError, OptionError
from glove_cli.files import check_output, output_folder
from glove_cli.folder import FolderWriter
from glove_cli.parallel import Progress, thread_count
from glove_cli.vocab import Vocab, word_to_bytes

CHUNK_TOKENS = 1 << 27  # 1 GB of ids and positions


def build_cooc(
    corpus: CorpusLike,
    out: str | os.PathLike[str],
    *,
    vocab: Vocab | str | os.PathLike[str] | None = None,
    threads: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
    _block_bytes: int = BLOCK_BYTES,
    _chunk_tokens: int = CHUNK_TOKENS,
    **options: Any,
) -> CoocMatrix:
    """Count how often words of a corpus stand near each other.

    Parameters
    ----------
    corpus : path-like, binary file, or an iterable of these
        Text: tokens between spaces, tabs and newlines, one document a line. "-" is standard input. Read once.
    out : path-like
        The folder to make.
    vocab : Vocab or path-like, optional
        Count these words, with these ids and counts, instead of the corpus's own vocabulary.
    threads : int, optional
        All cores that this process may use, unless given. The result doesn't depend on it.
    force : bool
        Whether a result that stands at `out` may be replaced.
    progress : callable, optional
        Called with (stage, done, total or None, unit): ("reading", ..., "B"), then ("counting", ..., "token"), and
        ("merging", ..., "entry") for a corpus that was counted in several chunks.
    **options
        The fields of `CoocConfig`: min_count, max_vocab, window, context, weighting, lowercase.

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
        If `out` exists and may not be replaced, or can't be written.

    Notes
    -----
    Entry X[i, j] is the sum over all pairs of tokens of words i and j at most `window` apart in a document of the
    weight of their distance (Pennington et al. 2014, section 4.2). Tokens outside the vocabulary are dropped before
    distances are measured, as the reference implementation does.
    """
    config = make_config(options)
    if vocab is not None and (config.max_vocab is not None or config.min_count != CoocConfig.min_count):
        raise OptionError(
            "--vocab: a given vocabulary is used whole, --min-count and --max-vocab can't cut it. Leave them out."
        )
    threads = thread_count(threads)
    check_output(out, force=force)
    sources = find_sources(corpus)
    given = Vocab.load(vocab) if isinstance(vocab, (str, os.PathLike)) else vocab
    with output_folder(out, force=force) as folder:
        with encode_corpus(
            sources, folder, threads=threads, lowercase=config.lowercase, progress=progress, block_bytes=_block_bytes
        ) as encoded:
            names = ", ".join(source.name for source in sources)
            chosen, final = _choose_vocab(encoded.table, given, config, names)
            writer = FolderWriter(folder)
            sizes = _count(encoded, final, len(chosen), config, threads, writer, progress, _chunk_tokens)
        if not sizes["stored"]:
            raise CorpusError(
                f"{names}: no two words of the vocabulary stand in one document. Give longer lines of text."
            )
        writer.vocab(chosen)
        writer.finish(
            COOC_FORMAT,
            COOC_VERSION,
            V=len(chosen),
            **sizes,
            symmetric=config.context == "symmetric",
            tokens=encoded.tokens,
            kept_tokens=encoded.kept,
            documents=encoded.documents,
            types=encoded.table.words,
            options=asdict(config),
            sources=[source.name for source in sources],
        )
    return open_cooc(out, chosen)


def make_config(options: dict[str, Any]) -> CoocConfig:
    """Make a `CoocConfig` of keyword arguments, with a clear error for one that doesn't exist."""
    unknown = sorted(set(options) - set(asdict(CoocConfig())))
    if unknown:
        raise OptionError(f"{unknown[0]}: is not an option of counting. Choose from {', '.join(asdict(CoocConfig()))}.")
    return CoocConfig(**options)


def _choose_vocab(
    table: WordTable, given: Vocab | None, config: CoocConfig, names: str
) -> tuple[Vocab, NDArray[np.int32]]:
    """Return the vocabulary, and the final id (or -1) of each word of the table."""
    counts = table.counts[: table.words]
    if not len(counts):
        raise CorpusError(f"{names}: is empty: there is no token in it. Give a text.")
    final = np.full(len(counts), -1, np.int32)
    if given is not None:
        index = {word_to_bytes(word): i for i, word in enumerate(given.words)}
        final[:] = [index.get(word, -1) for word in table.listed(range(table.words))]
        if final.max() < 0:
            raise CorpusError(
                f"{names}: none of the {len(given):,} words of the vocabulary occurs in it. Give its own vocabulary."
            )
        return given, final
    kept = np.flatnonzero(counts >= config.min_count)
    if not len(kept):
        raise CorpusError(
            f"{names}: no word occurs {config.min_count} times, the most frequent one {counts.max():,} times. "
            "Lower --min-count."
        )
    vocab, order = Vocab.from_counts(table.listed(kept.tolist()), counts[kept], max_vocab=config.max_vocab)
    final[kept[order]] = np.arange(len(order))
    return vocab, final


def _count(
    encoded: EncodedCorpus,
    final: NDArray[np.int32],
    V: int,
    config: CoocConfig,
    threads: int,
    writer: FolderWriter,
    progress: Progress | None,
    chunk_tokens: int,
) -> dict[str, int]:
    """Count all chunks; write the rows, if there are several chunks by way of sorted parts."""
    lower = config.context == "symmetric"
    total = int(encoded.table.counts[: encoded.table.words][final >= 0].sum())
    done = 0

    def report(stage: str, before: int, whole: int, unit: str) -> Callable[[int], None]:
        return (lambda n: progress(stage, before + n, whole, unit)) if progress else lambda n: None

    parts_folder = writer.path / "parts"
    parts: list[Path] = []
    for chunk in encoded.chunks(final, V, config.window, chunk_tokens):
        own = int(np.count_nonzero(chunk.ids[chunk.begin : chunk.end] != V))
        rows = count_chunk(chunk, V, config, threads, report("counting", done, total, "token"))
        done += own
        if encoded.length <= chunk_tokens:
            return write_rows(writer, rows, lower=lower)
        part = parts_folder / str(len(parts))
        part.mkdir(parents=True)
        write_rows(FolderWriter(part), rows, lower=lower)
        parts.append(part)
    entries = sum(np.load(part / "indptr.npy", mmap_mode="r")[-1] for part in parts)
    sizes = write_rows(
        writer,
        merge_parts(parts, lower=lower, threads=threads, on_rows=report("merging", 0, int(entries), "entry")),
        lower=lower,
    )
    shutil.rmtree(parts_folder)
    return sizes
