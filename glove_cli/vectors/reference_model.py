"""The reference's `vectors.bin` and `gradsq.bin`: a trained model of ours from its parameters, without their loss.

Both are float64, little-endian, no header: for each word, in the order of its vocab.txt, d numbers and a bias; then the
same for each context. Neither says what V and d are: V comes from the vocabulary, d from the size.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError
from glove_cli.files import check_output, output_folder
from glove_cli.folder import VOCAB_NAME, FolderWriter, check_exists
from glove_cli.model import DTYPES, MODEL_FORMAT, GloveModel, finish_model
from glove_cli.parallel import Progress
from glove_cli.vectors.text import header_shape
from glove_cli.vocab import Vocab

_NUMBER = np.dtype("<f8")
_CHUNK_NUMBERS = 1 << 20  # 8 MiB, and once more for what is written
_LOOKED_AT = 4096
_TEXT_SHARE = 0.9
_SIDES = ("word", "context")
_VALUES = (("W", "b_w"), ("C", "b_c"))
_SUMS = (("gradsq_W", "gradsq_b_w"), ("gradsq_C", "gradsq_b_c"))
_FIRST_SUM = 1.0
PARAMETERS_REMEDY = "Name a vectors.bin of the original tools."
_SUMS_REMEDY = "Name a gradsq.bin of the original tools."


def import_model(
    vectors: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    vocab: Vocab | str | os.PathLike[str] | None = None,
    gradsq: str | os.PathLike[str] | None = None,
    dtype: str = "float64",
    force: bool = False,
    progress: Progress | None = None,
    _chunk_numbers: int = _CHUNK_NUMBERS,
) -> GloveModel:
    """Make a model of ours from the parameters that the reference wrote.

    Parameters
    ----------
    vectors : path-like
        The file of parameters, `vectors.bin`, or one of an iteration (`vectors.010.bin`).
    out : path-like
        The folder to make.
    vocab : Vocab or path-like, optional
        The words: by default `vocab.txt` in the same folder.
    gradsq : path-like, optional
        The sums of squared gradients: by default the file in the same folder whose name has `gradsq` for `vectors`, or
        `gradsq.bin`, if it is there. Without any the sums start at 1, so that training on from the model moves it
        faster than it should.
    dtype : {"float64", "float32"}
        Type of the model's numbers; float32 rounds.
    force : bool
        Whether a result that stands at `out` may be replaced.
    progress : callable, optional
        Called with ("importing", done, total, "row").

    Returns
    -------
    GloveModel
        Its arrays are mapped into memory, read only. `meta["imported"]` has path, bytes and sha256 of the "vectors" and
        the "gradsq"; None in place of the latter if there were none.

    Raises
    ------
    OptionError
        If there is no such data type.
    FormatError
        If a file is missing, of another kind, cut short, or doesn't fit the vocabulary or the other file; if a number
        isn't finite, or too large for float32; if a sum of squares is below 1.
    OutputError
        If `out` exists and may not be replaced, or can't be written.

    Notes
    -----
    A file that is cut by exactly one number a row, or a vocabulary of another length that divides the size, gives
    another d, and can't be told from a right one; a `gradsq.bin` of its own size tells it.

    Memory is bounded, whatever the files' size.
    """
    if dtype not in DTYPES:
        raise OptionError(f"--dtype: {dtype!r} is not known. Choose from {', '.join(DTYPES)}.")
    path = Path(vectors)
    check_output(out, force=force)
    size = size_of(path, PARAMETERS_REMEDY)
    words = vocab if isinstance(vocab, Vocab) else load_words(path, vocab)
    d = find_dimensions(path, size, len(words))
    sums = _find_sums(path, gradsq)
    if sums is not None and (other := size_of(sums, _SUMS_REMEDY)) != size:
        raise FormatError(
            f"{sums}: has {other:,} bytes, {path} {size:,}: they are not of one model. Name its own with --gradsq."
        )
    values_file = _File(path, words, d, dtype)
    sums_file = _File(sums, words, d, dtype, sums=True) if sums is not None else None
    done = 0

    def store(writer: FolderWriter, names: tuple[str, str], rows: Iterator[NDArray[np.float64]]) -> None:
        nonlocal done
        bias_dtype = dtype if names in _VALUES else np.float64
        with writer.growing(names[1], bias_dtype) as biases, writer.growing(names[0], dtype, (d,)) as array:
            for block in rows:
                with np.errstate(over="ignore", invalid="ignore"):  # the file counts these
                    array.append(block[:, :d])
                    biases.append(block[:, d])
                done += len(block)
                if progress is not None:
                    progress("importing", done, 4 * len(words), "row")

    with output_folder(out, force=force, format=MODEL_FORMAT) as folder:
        writer = FolderWriter(folder)
        writer.vocab(words)
        for side, names in enumerate(_VALUES):
            store(writer, names, values_file.rows(side, _chunk_numbers))
        values_file.check()
        for side, names in enumerate(_SUMS):
            store(writer, names, (sums_file or _Ones(len(words), d)).rows(side, _chunk_numbers))
        if sums_file is not None:
            sums_file.check()
        imported = {"vectors": values_file.described(), "gradsq": sums_file.described() if sums_file else None}
        finish_model(writer, len(words), d, np.dtype(dtype), {"imported": imported})
    return GloveModel.load(out, verify=())  # it has just been written


class _File:
    """A file of the reference, read row by row; counts the numbers that can't be right."""

    def __init__(self, path: Path, words: Vocab, dim: int, dtype: str, *, sums: bool = False) -> None:
        self.path, self.words, self.dim, self.sums = path, words, dim, sums
        self._largest = np.finfo(dtype).max
        self._digest = hashlib.sha256()
        self._bytes = 0
        self._wrong = self._large = 0
        self._first_wrong = self._first_large = ""

    def rows(self, side: int, chunk: int) -> Iterator[NDArray[np.float64]]:
        """Yield the rows (n, d + 1) of words (side 0) or contexts (1), which are to be asked for in this order."""
        V, width = len(self.words), self.dim + 1
        step = max(1, chunk // width)
        try:
            with self.path.open("rb") as file:
                file.seek(side * V * width * _NUMBER.itemsize)
                for begin in range(0, V, step):
                    count = min(step, V - begin) * width
                    numbers = np.fromfile(file, _NUMBER, count)
                    if len(numbers) < count:
                        raise FormatError(f"{self.path}: became shorter while it was read. Import it again.")
                    self._digest.update(numbers.data)
                    self._bytes += numbers.nbytes
                    block = numbers.reshape(-1, width)
                    self._count(block, side, begin)
                    yield block
        except OSError as error:
            raise FormatError(f"{self.path}: can't be read: {error.strerror or error}. Name another file.") from error

    def check(self) -> None:
        """Refuse the file if a number was wrong."""
        if self._wrong and self.sums:
            raise FormatError(
                f"{self.path}: {self._wrong:,} of its numbers are below 1 or not finite, the first "
                f"{self._first_wrong}. The original tools begin these sums at 1: name their gradsq.bin."
            )
        if self._wrong:
            raise FormatError(
                f"{self.path}: {self._wrong:,} of its numbers are not finite, the first {self._first_wrong}. Its "
                "training diverged, or it is no vectors.bin: name another file."
            )
        if self._large:
            raise FormatError(
                f"{self.path}: {self._large:,} of its numbers are too large for float32, the first "
                f"{self._first_large}. Use --dtype float64."
            )

    def described(self) -> dict[str, Any]:
        """Return what is written down of the file."""
        return {"path": str(self.path), "bytes": self._bytes, "sha256": self._digest.hexdigest()}

    def _count(self, block: NDArray[np.float64], side: int, begin: int) -> None:
        with np.errstate(invalid="ignore"):
            wrong = ~np.isfinite(block)
            if self.sums:
                wrong |= block < _FIRST_SUM
            large = (np.abs(block) > self._largest) & ~wrong
        if self.sums:
            large[:, -1] = False  # a bias's sum stays float64
        if wrong.any():
            self._first_wrong = self._first_wrong or self._where(block, wrong, side, begin)
            self._wrong += int(np.count_nonzero(wrong))
        if large.any():
            self._first_large = self._first_large or self._where(block, large, side, begin)
            self._large += int(np.count_nonzero(large))

    def _where(self, block: NDArray[np.float64], found: NDArray[np.bool_], side: int, begin: int) -> str:
        row, column = divmod(int(np.argmax(found)), block.shape[1])
        return f"{block[row, column]:g} in the {_SIDES[side]} row of {self.words.words[begin + row]!r}"


class _Ones:
    """Stands for sums of squares that there are none of."""

    def __init__(self, V: int, dim: int) -> None:
        self.V, self.width = V, dim + 1

    def rows(self, side: int, chunk: int) -> Iterator[NDArray[np.float64]]:
        """Yield rows of ones; `side` makes no difference."""
        step = max(1, chunk // self.width)
        for begin in range(0, self.V, step):
            yield np.full((min(step, self.V - begin), self.width), _FIRST_SUM)


def size_of(path: Path, remedy: str) -> int:
    """Return the size of a file of numbers, in bytes, after a look at its beginning.

    Raises
    ------
    FormatError
        If it can't be read, is empty, or begins as text. `remedy` says what to do.
    """
    check_exists(path, remedy=remedy)
    if not path.is_file():
        raise FormatError(f"{path}: is not a file. {remedy}")
    try:
        with path.open("rb") as file:
            head = file.read(_LOOKED_AT)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise FormatError(f"{path}: can't be read: {error.strerror or error}. {remedy}") from error
    if not head:
        raise FormatError(f"{path}: is empty. {remedy}")
    if header_shape(head) is not None or is_text(head):
        shown = repr(head.partition(b"\n")[0][:40].decode("utf-8", "backslashreplace"))
        raise FormatError(
            f"{path}: begins as text, {shown}, not as the binary numbers of the original tools. {remedy} "
            "Other word vectors need no import: `glove nearest --model` reads them."
        )
    return size


def is_text(head: bytes) -> bool:
    """Tell whether the beginning of a file has no control characters and, but for bad bytes, is UTF-8."""
    if any(byte < 9 or 13 < byte < 32 for byte in head):
        return False
    return len(head.decode("utf-8", "ignore").encode("utf-8")) > _TEXT_SHARE * len(head)


def load_words(path: Path, vocab: str | os.PathLike[str] | None) -> Vocab:
    """Return the words of a `vectors.bin`: those of a file, or of the `vocab.txt` beside it.

    Raises
    ------
    FormatError
        If there is no such file, or it can't be understood.
    """
    if vocab is None:
        vocab = path.with_name(VOCAB_NAME)
        if not vocab.exists():
            raise FormatError(f"{vocab}: does not exist, so the words of {path} are unknown. Name them with --vocab.")
    return Vocab.load(vocab)


def find_dimensions(path: Path, size: int, V: int) -> int:
    """Return how many numbers stand before the bias of a row.

    Raises
    ------
    FormatError
        If the size of the file doesn't fit so many words.
    """
    column = 2 * V * _NUMBER.itemsize
    if size % column:
        raise FormatError(
            f"{path}: has {size:,} bytes, which is not a multiple of the {column:,} that one number for each of {V:,} "
            "words and contexts takes: it is cut short, or the vocabulary isn't its own. Make it again, or name its "
            "words with --vocab."
        )
    if size == column:
        raise FormatError(
            f"{path}: has {size:,} bytes, which leaves no vectors beside the biases of {V:,} words and contexts: it is "
            "cut short, or the vocabulary isn't its own. Name its words with --vocab."
        )
    return size // column - 1


def _find_sums(path: Path, gradsq: str | os.PathLike[str] | None) -> Path | None:
    """Return the file of squared gradients that was named, or that stands beside the vectors."""
    if gradsq is not None:
        return Path(gradsq)
    name = path.name.replace("vectors", "gradsq", 1) if path.name.startswith("vectors") else "gradsq.bin"
    beside = path.with_name(name)
    return beside if beside.exists() else None
