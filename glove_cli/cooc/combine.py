"""Finished matrices, added up: shards of a corpus, or several corpora with words of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc.buckets import Buckets, by_row, make_entries
from glove_cli.cooc.merge import merge_groups, merge_parts, part_folder
from glove_cli.cooc.plan import ENTRY_BYTES
from glove_cli.cooc.store import COOC_FORMAT, COOC_VERSION, CoocMatrix, RowBlock, load_cooc, open_cooc, write_rows
from glove_cli.errors import OptionError
from glove_cli.files import check_output, output_folder
from glove_cli.folder import FolderWriter
from glove_cli.memory import check_disk
from glove_cli.parallel import Progress, thread_count
from glove_cli.vocab import Vocab, merge_vocabs
from glove_cli.workspace import workspace

_BATCH_ENTRIES = 1 << 22
# Options that say what an entry means: counts under different ones can't be added.
_MEANING = (
    "tokenizer", "token_pattern", "lowercase", "normalize", "document", "window", "context", "weighting", "oov",
    "subsample", "seed", "resample",
)  # fmt: skip


def merge_cooc(
    matrices: Sequence[CoocMatrix | str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    threads: int | None = None,
    tmp: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> CoocMatrix:
    """Add up co-occurrence matrices; their words are matched by name.

    Parameters
    ----------
    matrices : sequence of CoocMatrix or path-like
        At least one, counted with the same options.
    out : path-like
        The folder to make.
    threads : int, optional
        All cores that this process may use, unless given. The result doesn't depend on it.
    tmp : path-like, optional
        Folder for temporary files; that of `out`, unless given.
    force : bool
        Whether a result that stands at `out` may be replaced.
    progress : callable, optional
        Called with ("matching", ..., "entry") for matrices whose words differ from those of the result, then
        ("merging", entries done, entries in all, "entry").

    Returns
    -------
    CoocMatrix

    Raises
    ------
    OptionError
        If there is no matrix, one is named twice, they were counted with different options, or shards are not those of
        one corpus.
    FormatError
        If one can't be read, or was changed after it was written.
    OutputError
        If `out` exists and may not be replaced, or can't be written, or the disk can't hold it.

    Notes
    -----
    Shards of a corpus, and matrices of corpora that were counted with one given vocabulary, have the same words
    already: their sum is, bit for bit, the matrix of the whole, as long as no entry passes 2**29. Otherwise the
    vocabulary is the union with summed counts; a word that was too rare for one of the matrices is missing from that
    one's counts.
    """
    threads = thread_count(threads)
    out = Path(out)
    check_output(out, force=force)
    given = [matrix if isinstance(matrix, CoocMatrix) else load_cooc(matrix) for matrix in matrices]
    _check(given)
    for matrix in given:
        matrix.verify()  # a damaged one would go on as a sound one
    vocab = _common_vocab(given)
    symmetric = given[0].symmetric
    with (
        workspace(out, {"merge": [str(matrix.path) for matrix in given]}, tmp=tmp, force=force) as space,
        output_folder(out, force=force, temporary=space.result, format=COOC_FORMAT) as folder,
    ):
        stored = sum(matrix.stored for matrix in given)
        changed = [matrix for matrix in given if matrix.vocab.words != vocab.words]
        check_disk(space.path, (16 + ENTRY_BYTES) * sum(matrix.stored for matrix in changed), "matching words")
        check_disk(space.result.parent, ENTRY_BYTES * max(matrix.stored for matrix in given), "the matrix")
        parts, copies = [], []
        for number, matrix in enumerate(given):
            part = matrix.path
            if matrix.vocab.words != vocab.words:
                part = space.path / f"matched-{number:05}"
                with part_folder(part) as writer:
                    write_rows(writer, _matched_rows(matrix, vocab, space.path, progress), lower=symmetric)
                copies.append(part)
            parts.append(part)
        writer = FolderWriter(folder)
        groups = merge_groups(
            parts, space.path, lower=symmetric, threads=threads, on_rows=lambda n: None, disposable=copies
        )

        def report(n: int) -> None:
            if progress:
                progress("merging", min(n, stored), stored, "entry")

        sizes = write_rows(
            writer, merge_parts(groups, lower=symmetric, threads=threads, on_rows=report), lower=symmetric
        )
        writer.vocab(vocab)
        writer.finish(COOC_FORMAT, COOC_VERSION, V=len(vocab), **sizes, symmetric=symmetric, **_common_meta(given))
    return open_cooc(out, vocab)


def _check(matrices: Sequence[CoocMatrix]) -> None:
    """Refuse matrices whose sum would mean nothing."""
    if not matrices:
        raise OptionError("MATRIX: no matrix was named. Name two or more.")
    first = matrices[0]
    seen: dict[Path, Path] = {}
    for matrix in matrices:
        real = matrix.path.resolve()
        if real in seen:
            raise OptionError(f"{matrix.path}: is named twice, and would be counted twice. Name it once.")
        seen[real] = matrix.path
        if matrix.symmetric != first.symmetric:
            raise OptionError(
                f"{matrix.path}: is {'' if matrix.symmetric else 'not '}symmetric, and {first.path} the other way "
                "round. Merge matrices of one kind."
            )
        ours, theirs = first.meta.get("options") or {}, matrix.meta.get("options") or {}
        for name in _MEANING:
            if name in ours and name in theirs and ours[name] != theirs[name]:
                raise OptionError(
                    f"{matrix.path}: was counted with {_said(name, theirs[name])}, and {first.path} with "
                    f"{_said(name, ours[name])}. Count them in the same way."
                )
    shards = [tuple(matrix.meta["shard"]) for matrix in matrices if matrix.meta.get("shard")]
    if shards and (len(shards) != len(matrices) or len({n for _, n in shards}) > 1 or len(set(shards)) < len(shards)):
        listed = ", ".join(f"{i}/{n}" for i, n in shards)
        raise OptionError(f"MATRIX: {listed} are not shards of one corpus, each once. Name shards of one corpus only.")
    if shards and any(
        matrix.vocab != first.vocab or matrix.meta.get("sources") != first.meta.get("sources") for matrix in matrices
    ):
        raise OptionError("MATRIX: these shards are not of the same corpus. Name shards of one corpus only.")


def _common_vocab(matrices: Sequence[CoocMatrix]) -> Vocab:
    """Return the words of all matrices; counts are added unless they are those of the whole already."""
    first = matrices[0]
    whole = all(matrix.meta.get("shard") or matrix.meta.get("vocabulary") == "given" for matrix in matrices)
    if whole and all(matrix.vocab == first.vocab for matrix in matrices):
        return first.vocab
    return merge_vocabs([matrix.vocab for matrix in matrices])


def _common_meta(matrices: Sequence[CoocMatrix]) -> dict[str, Any]:
    """Return what is known of the sum."""
    metas = [matrix.meta for matrix in matrices]
    shards = sorted(m["shard"] for m in metas if m.get("shard"))
    vocabularies = {m.get("vocabulary") for m in metas}
    meta = {
        "tokens": _sum(metas, "tokens"),
        "kept_tokens": _sum(metas, "kept_tokens"),
        "sampled_tokens": _sum(metas, "sampled_tokens"),
        "invalid_tokens": metas[0].get("invalid_tokens") if shards else _sum(metas, "invalid_tokens"),
        "documents": _sum(metas, "documents"),
        "types": metas[0].get("types") if shards else None,
        "vocabulary": vocabularies.pop() if len(vocabularies) == 1 else "merged",
        "shard": None,
        "options": metas[0].get("options") or {},
        "sources": metas[0].get("sources") if shards else [s for m in metas for s in m.get("sources") or []],
    }
    if shards and len(shards) < shards[0][1]:
        meta["shards"] = shards
    return meta


def _sum(metas: Sequence[dict[str, Any]], key: str) -> int | None:
    values = [m.get(key) for m in metas]
    return sum(values) if all(isinstance(value, int) for value in values) else None  # type: ignore[arg-type]


def _matched_rows(matrix: CoocMatrix, vocab: Vocab, folder: Path, progress: Progress | None) -> Iterator[RowBlock]:
    """Yield the rows of a matrix under the ids of another vocabulary, which holds all its words."""
    new = np.array([vocab.index[word] for word in matrix.vocab.words], np.int64)
    V = len(vocab)
    sizes = np.zeros(V, np.int64)
    for row, col, _ in _batches(matrix, new, lambda n: None):
        sizes += np.bincount(row, minlength=V)
        del col
    folder = folder / "buckets"
    folder.mkdir()
    buckets = Buckets(folder, sizes, _BATCH_ENTRIES)

    def report(n: int) -> None:
        if progress:
            progress("matching", n, matrix.stored, "entry")

    for row, col, x in _batches(matrix, new, report):
        buckets.add(row, make_entries(row, col, x))
    for first, last, entries in buckets.take():
        entries = by_row(entries[np.argsort(entries["col"], kind="stable")], first, last)
        yield RowBlock(sizes[first:last], np.ascontiguousarray(entries["col"]), np.ascontiguousarray(entries["x"]))
    folder.rmdir()


def _batches(
    matrix: CoocMatrix, new: NDArray[np.int64], report: Callable[[int], None]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Yield rows, columns and counts under new ids; of a symmetric matrix those of the lower half."""
    for begin in range(0, matrix.stored, _BATCH_ENTRIES):
        end = min(begin + _BATCH_ENTRIES, matrix.stored)
        old = np.searchsorted(matrix.indptr, np.arange(begin, end), side="right") - 1
        row, col = new[old], new[matrix.indices[begin:end]]
        if matrix.symmetric:
            row, col = np.maximum(row, col), np.minimum(row, col)
        yield row, col, np.array(matrix.data[begin:end])
        report(end)


def _said(name: str, value: object) -> str:
    """Return an option as it would be typed."""
    option = "--" + name.replace("_", "-")
    return f"no {option}" if value is None or value is False else option if value is True else f"{option} {value}"
