"""Matrices to and from other programs: the reference's `cooccurrence.bin`, SciPy's `.npz`, Matrix Market's `.mtx`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from glove_cli.cooc.exchange_names import FORMATS, MARKET, REFERENCE, SUFFIXES
from glove_cli.cooc.sources import EntrySource, Report
from glove_cli.cooc.store import COOC_FORMAT, COOC_VERSION, CoocMatrix, load_cooc, open_cooc
from glove_cli.errors import FormatError, OptionError
from glove_cli.files import check_output, is_stream, output_files, output_folder, scratch_folder
from glove_cli.folder import VOCAB_NAME, FolderWriter, check_exists
from glove_cli.parallel import Progress
from glove_cli.vocab import Vocab
from glove_cli.workspace import temporary_folder

_BATCH_ENTRIES = 1 << 22  # 16 bytes each, and a few times as much to sort them: about 256 MB
# What counting says of a matrix and an import can't.
_UNKNOWN = ("tokens", "kept_tokens", "sampled_tokens", "invalid_tokens", "documents", "types", "vocabulary", "shard")


@dataclass(frozen=True)
class ExportedCooc:
    """What `export_cooc` wrote.

    Attributes
    ----------
    path : Path
        The matrix.
    vocab : Path
        Its words.
    format : str
    written : int
        Entries in the file.
    """

    path: Path
    vocab: Path
    format: str
    written: int


def export_cooc(
    cooc: CoocMatrix | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    vocab_out: str | os.PathLike[str] | None = None,
    format: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
    _batch_entries: int = _BATCH_ENTRIES,
) -> ExportedCooc:
    """Write a co-occurrence matrix for other programs, and its vocabulary beside it.

    Parameters
    ----------
    cooc : CoocMatrix or path-like
        The matrix, or its folder.
    out : path-like
        The file to make.
    vocab_out : path-like, optional
        The vocabulary to make: by default `vocab.txt` in the same folder for the reference's format, `out`.vocab.txt
        for the others.
    format : {"reference", "npz", "mtx"}, optional
        By default by the ending of `out`: .bin, .npz or .mtx.
    force : bool
        Whether files that exist may be replaced.
    progress : callable, optional
        Called with (stage, done, total, "entry"); the stages are "mirroring", for a symmetric matrix in the reference's
        format, and "writing".

    Returns
    -------
    ExportedCooc

    Raises
    ------
    OptionError
        If the format is unknown, or the two outputs are one.
    FormatError
        If there is no matrix, or it is damaged.
    OutputError
        If an output exists and may not be replaced, or can't be written.

    Notes
    -----
    "reference" is what the tools of stanfordnlp/GloVe read: records int32 row, int32 column, float64 value, ids from 1,
    sorted, both halves of a symmetric matrix. Row and column are ours: in a matrix of context "left" the row is the
    left word, as there. "npz" is a csr_array with both halves and needs memory for it as a whole; "mtx" has the lower
    half of a symmetric matrix, in full precision. "reference" and "mtx" take bounded memory; the mirrored half waits on
    the disk, beside `out`.
    """
    format = _format_of(out, format)
    if vocab_out is None and is_stream(out):
        raise OptionError(f"--vocab-out: is missing, and there is no place for a file beside {out}. Name one.")
    vocab_path = Path(vocab_out) if vocab_out is not None else _vocab_beside(Path(out), format)
    if os.path.abspath(out) == os.path.abspath(vocab_path):
        raise OptionError(f"--vocab-out: {vocab_path} is the matrix's own file. Choose another name.")
    check_output(out, force=force)
    check_output(vocab_path, force=force)
    if not isinstance(cooc, CoocMatrix):
        cooc = load_cooc(cooc)
    if format in (REFERENCE, MARKET):  # the other one is read by `to_scipy`, which compares it, too
        cooc.verify()
    with output_files(vocab_path, out, force=force) as (words, file):
        words.write(cooc.vocab.to_bytes())
        words.flush()
        report = _reporter(progress)
        if format == REFERENCE:
            from glove_cli.cooc.reference_format import write_reference

            with temporary_folder(None) if is_stream(out) else scratch_folder(out) as scratch:
                write_reference(cooc, file, scratch, _batch_entries, report)
        elif format == MARKET:
            from glove_cli.cooc.market_format import write_market

            write_market(cooc, file, _batch_entries, report)
        else:
            from glove_cli.cooc.npz_format import write_npz

            write_npz(cooc, file)
    return ExportedCooc(Path(out), vocab_path, format, cooc.stored if format == MARKET else cooc.nnz)


def import_cooc(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    vocab: Vocab | str | os.PathLike[str] | None = None,
    format: str | None = None,
    symmetric: bool | None = None,
    sum_duplicates: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    _batch_entries: int = _BATCH_ENTRIES,
) -> CoocMatrix:
    """Make a co-occurrence matrix of ours from another program's.

    Parameters
    ----------
    path : path-like
        The file; its entries may have any order, so a shuffled file of the reference will do.
    out : path-like
        The folder to make.
    vocab : Vocab or path-like, optional
        The words of rows and columns: by default `vocab.txt` in the same folder for the reference's format,
        `path`.vocab.txt for the others.
    format : {"reference", "npz", "mtx"}, optional
        By default by the ending of `path`: .bin, .npz or .mtx.
    symmetric : bool, optional
        Whether to store the lower half only. By default if every entry has a mirror of exactly the same value. With
        True the two may differ by rounding, as in files of the reference, whose sums have no fixed order: the value of
        the lower half is stored, and the others are counted in the result's `meta["rounded"]`.
    sum_duplicates : bool
        Whether several entries of one pair are added up (`meta["summed"]` says how many); else they are an error.
    force : bool
        Whether a result that stands at `out` may be replaced.
    progress : callable, optional
        Called with (stage, done, total or None, "entry"); the stages are "checking", "sorting" and "writing", the last
        two again for a matrix that turns out not to be symmetric.

    Returns
    -------
    CoocMatrix
        What only counting knows is None in its `meta`, such as tokens and documents; options are empty.

    Raises
    ------
    OptionError
        If the format is unknown.
    FormatError
        If the file is damaged or of another kind, not square, or doesn't fit the vocabulary; if a value isn't positive
        and finite; if a pair occurs twice, or lacks its mirror with `symmetric`.
    OutputError
        If `out` exists and may not be replaced, or can't be written.

    Notes
    -----
    A matrix whose values are not symmetric stores all entries, as one of context "left" does; that rows are left words
    is taken on trust. One that was counted for one side but happens to be symmetric is stored as a half, unless
    `symmetric` is False; it is the same matrix.

    The reference counts its first record twice when its last overflow file is empty, which it is after every small
    corpus. That is an error here where it can be seen: in a matrix that is symmetric but for the first record. If that
    is on the diagonal, it can't be seen.

    "reference" and "mtx" take bounded memory, and for a while as much disk as 16 bytes for each entry; "npz" takes the
    memory of the whole matrix.
    """
    path = Path(path)
    format = _format_of(path, format)
    check_output(out, force=force)
    check_exists(path, remedy="Name a matrix of another program.")
    if not path.is_file():
        raise FormatError(f"{path}: is not a file. Name a matrix of another program; those of glove need no import.")
    words = vocab if isinstance(vocab, Vocab) else _load_vocab(path, format, vocab)
    report = _reporter(progress)
    source = _open(path, format, len(words))
    with output_folder(out, force=force, format=COOC_FORMAT) as folder:
        from glove_cli.cooc.arrange import store_entries

        writer = FolderWriter(folder)
        sizes, tally = store_entries(
            source,
            len(words),
            writer,
            symmetric=symmetric,
            sum_duplicates=sum_duplicates,
            batch=_batch_entries,
            report=report,
        )
        writer.vocab(words)
        writer.finish(
            COOC_FORMAT,
            COOC_VERSION,
            V=len(words),
            **sizes,
            symmetric=tally.symmetric,
            **dict.fromkeys(_UNKNOWN),
            options={},
            sources=[source.name],
            imported=format,
            summed=tally.summed,
            rounded=tally.rounded,
        )
    return open_cooc(out, words)


def _format_of(path: str | os.PathLike[str], format: str | None) -> str:
    """Return the format that was named, or that a file's ending says."""
    if format is None:
        format = SUFFIXES.get(Path(path).suffix)
        if format is None:
            raise OptionError(f"--format: {path} doesn't end with {', '.join(SUFFIXES)}. Name the format.")
    if format not in FORMATS:
        raise OptionError(f"--format: {format!r} is not known. Choose from {', '.join(FORMATS)}.")
    return format


def _vocab_beside(path: Path, format: str) -> Path:
    return path.with_name(VOCAB_NAME if format == REFERENCE else f"{path.name}.{VOCAB_NAME}")


def _load_vocab(path: Path, format: str, vocab: str | os.PathLike[str] | None) -> Vocab:
    if vocab is None:
        vocab = _vocab_beside(path, format)
        if not vocab.exists():
            raise FormatError(f"{vocab}: does not exist, so the words of {path} are unknown. Name them with --vocab.")
    return Vocab.load(vocab)


def _open(path: Path, format: str, V: int) -> EntrySource:
    if format == REFERENCE:
        from glove_cli.cooc.reference_format import open_reference

        return open_reference(path, V)
    if format == MARKET:
        from glove_cli.cooc.market_format import open_market

        return open_market(path, V)
    from glove_cli.cooc.npz_format import open_npz

    return open_npz(path, V)


def _reporter(progress: Progress | None) -> Report:
    def report(stage: str, done: int, total: int | None) -> None:
        if progress is not None:
            progress(stage, done, total, "entry")

    return report
