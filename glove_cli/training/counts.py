"""What training reads: the entries of a co-occurrence matrix, ours or anybody's, and its words."""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc.store import CoocMatrix, load_cooc
from glove_cli.errors import OptionError, TrainingError
from glove_cli.vocab import Vocab, word_to_bytes

_SAMPLE = 1 << 20  # entries
_RUN = 1 << 8
_PIECE = 1 << 22  # entries that are added up at a time

if TYPE_CHECKING:
    from scipy.sparse import sparray, spmatrix

    CountsLike: TypeAlias = CoocMatrix | str | os.PathLike[str] | sparray | spmatrix


@dataclass(frozen=True)
class Counts:
    """A matrix of V words as compressed sparse rows.

    Attributes
    ----------
    name : str
        What errors call it.
    vocab : Vocab
        The words of rows and columns.
    indptr : int64 array (V + 1,)
    indices : int32 array (stored,)
    data : float64 array (stored,)
    symmetric : bool
        Whether only the entries with column <= row are stored.
    nnz : int
        Entries of the whole matrix, both halves.
    meta : dict
        What a model remembers of its matrix.
    mappings : dict
        For `indices` and `data`, if they are mapped from files: the mapping, and the byte in it where they begin.
    verify : callable
        Raises FormatError if a file of the matrix was changed after it was written; reads all of it the first time.
    """

    name: str
    vocab: Vocab
    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    data: NDArray[np.float64]
    symmetric: bool
    nnz: int
    meta: dict[str, Any]
    mappings: dict[str, tuple[mmap.mmap, int]] = field(default_factory=dict)
    verify: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        # Arrays mapped from disk are read-only; the kernels know one kind only.
        for name in ("indptr", "indices", "data"):
            array = getattr(self, name).view(np.ndarray)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def V(self) -> int:
        """Number of words."""
        return len(self.vocab)

    @property
    def entry_bytes(self) -> int:
        """Bytes of a stored entry."""
        return self.indices.itemsize + self.data.itemsize

    def rows(self, first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
        """Return `indptr`, and `indices` and `data` of the rows first <= row < last.

        Parameters
        ----------
        first, last : int
        """
        begin, end = int(self.indptr[first]), int(self.indptr[last])
        return self.indptr, self.indices[begin:end], self.data[begin:end]

    def release(self, first: int, last: int) -> None:
        """Let go of the memory of rows that were read, where they are mapped from a file: it would count as ours.

        Parameters
        ----------
        first, last : int
        """
        begin, end = int(self.indptr[first]), int(self.indptr[last])
        for name, (mapping, offset) in self.mappings.items():
            size = getattr(self, name).itemsize
            start = (offset + begin * size) // mmap.PAGESIZE * mmap.PAGESIZE
            length = offset + end * size - start
            if length > 0 and hasattr(mapping, "madvise"):
                mapping.madvise(mmap.MADV_DONTNEED, start, length)

    def sample(self) -> NDArray[np.float64]:
        """Return some of the entries, in runs from all over, or all if they are few."""
        if len(self.data) <= _SAMPLE:
            return self.data
        first = np.linspace(0, len(self.data) - _RUN, _SAMPLE // _RUN).astype(np.int64)
        sample = np.empty((len(first), _RUN))
        for k, begin in enumerate(first.tolist()):
            sample[k] = self.data[begin : begin + _RUN]
            if k % 256 == 0:
                self.release(0, self.V)
        self.release(0, self.V)
        return sample.ravel()

    def total(self) -> float:
        """Return the sum of all entries; where half is stored, that of the half times `nnz` by what is stored."""
        pieces = range(0, len(self.data), _PIECE)
        total = 0.0
        for begin in pieces:
            total += float(np.sum(self.data[begin : begin + _PIECE]))
            self.release(0, self.V)
        return total * (self.nnz / len(self.data)) if pieces else 0.0

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of the matrix, by parts."""
        if "sha256" in self.meta:
            return dict(self.meta["sha256"])
        arrays = {name: getattr(self, name) for name in ("indptr", "indices", "data")}
        hashes = {name: hashlib.sha256(array.data).hexdigest() for name, array in arrays.items()}
        return {**hashes, "vocab": hashlib.sha256(self.vocab.to_bytes()).hexdigest()}


def find_counts(
    matrix: CountsLike, words: Sequence[str] | None, counts: Sequence[int] | NDArray[np.int64] | None
) -> Counts:
    """Return what was given as counts to train on.

    Parameters
    ----------
    matrix : CoocMatrix, path-like, or SciPy sparse matrix (V, V)
    words : sequence of str, length V, optional
        The words of a SciPy matrix; the others bring theirs.
    counts : sequence of int, length V, optional
        How often each word occurs; without it, the row sums of the SciPy matrix, rounded up.

    Raises
    ------
    TrainingError
        If there is nothing to train on, or matrix, words and counts don't fit together.
    FormatError
        If there is no matrix at a path.
    OptionError
        If words or counts are given beside a matrix that has its own.
    TypeError
        If `matrix` is something else.
    """
    if isinstance(matrix, (str, os.PathLike)):
        matrix = load_cooc(matrix)
    if isinstance(matrix, CoocMatrix):
        if words is not None or counts is not None:
            raise OptionError("words: a matrix of glove has its own words and counts. Leave words and counts out.")
        return _of_cooc(matrix)
    return _of_scipy(matrix, words, counts)


def _of_cooc(cooc: CoocMatrix) -> Counts:
    keys = ("V", "nnz", "tokens", "options", "sources")
    meta = {"path": os.fspath(Path(cooc.path).absolute()), **{key: cooc.meta.get(key) for key in keys}}
    meta["sha256"] = {name: entry.get("sha256") for name, entry in cooc.meta["files"].items()}
    name = os.fspath(cooc.path)
    if not cooc.stored:
        raise TrainingError(f"{name}: has no entries. Count a text with more than one word a line.")
    mappings = {}
    for part in ("indices", "data"):
        array = getattr(cooc, part)
        mapping = getattr(array, "_mmap", None)  # of np.memmap
        if isinstance(mapping, mmap.mmap):
            mappings[part] = (mapping, array.offset % mmap.ALLOCATIONGRANULARITY)
    arrays = (cooc.indptr, cooc.indices, cooc.data)
    return Counts(name, cooc.vocab, *arrays, cooc.symmetric, cooc.nnz, meta, mappings, cache(cooc.verify))


def _of_scipy(matrix: Any, words: Sequence[str] | None, counts: Sequence[int] | NDArray[np.int64] | None) -> Counts:
    from scipy.sparse import csr_array, issparse

    if not issparse(matrix):
        raise TypeError(
            f"matrix: is a {type(matrix).__name__}. Give a matrix of glove, its path, or a SciPy sparse matrix."
        )
    if words is None:
        raise TrainingError("words: are missing. Give the word of each row of the matrix.")
    words = list(words)
    V = len(words)
    if matrix.shape != (V, V):
        raise TrainingError(
            f"matrix: has the shape {matrix.shape}, but there are {V:,} words. Give a row and a column each."
        )
    if matrix.dtype.kind not in "fiub":
        raise TrainingError(f"matrix: holds {matrix.dtype}. Give real numbers.")
    _check_words(words)
    try:
        whole = csr_array(matrix, dtype=np.float64)
        whole.check_format(full_check=True)
    except (ValueError, TypeError) as error:
        raise TrainingError(f"matrix: its arrays don't fit together ({error}). Make it again.") from error
    if not whole.has_canonical_format:
        whole = whole.copy()  # its indices may be the caller's
        whole.sum_duplicates()
    if not whole.nnz:
        raise TrainingError("matrix: has no entries. Give one with positive counts.")
    if counts is None:
        with np.errstate(invalid="ignore"):
            sums = np.nan_to_num(np.ceil(whole.sum(axis=1)), nan=1.0, posinf=1.0)
        numbers = np.clip(sums, 1, 2.0**62).astype(np.int64)
    else:
        numbers = np.asarray(counts)
        if numbers.shape != (V,) or numbers.dtype.kind not in "iu" or numbers.min() < 1:
            raise TrainingError(
                f"counts: are not {V:,} positive integers. Give how often each word occurs, or leave them out."
            )
        numbers = numbers.astype(np.int64)
    indptr, indices = whole.indptr.astype(np.int64), whole.indices.astype(np.int32)
    meta = {"V": V, "nnz": whole.nnz}
    return Counts("matrix", Vocab(words, numbers), indptr, indices, whole.data, False, whole.nnz, meta)


def _check_words(words: list[str]) -> None:
    """Refuse words that no file of ours or of others could hold."""
    seen: set[str] = set()
    for word in words:
        if not isinstance(word, str) or not word or not set(word_to_bytes(word)).isdisjoint(b" \t\n\r"):
            raise TrainingError(f"words: {word!r} is not a word. Give strings that are not empty and hold no blanks.")
        if word in seen:
            raise TrainingError(f"words: {word!r} is there twice. Give each word once.")
        seen.add(word)
