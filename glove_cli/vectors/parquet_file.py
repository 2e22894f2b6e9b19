"""Parquet: a row for each word, with its vector, and where it stands in a map of two dimensions.

Columns: `word` (text, or bytes if a word is not UTF-8), `count` (int64, where known), `rank` (int32, from 1),
`vector` (list of d float32), `projection_x` and `projection_y` (float32). Viewers of embeddings such as Embedding Atlas
take these columns.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError, OutputError
from glove_cli.vectors.checks import check_unique, check_words
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.matrices import float32_rows
from glove_cli.vectors.outputs import open_output
from glove_cli.vectors.process import process_vectors
from glove_cli.vectors.rows import Rows, blocks, finite_block
from glove_cli.vectors.word2vec_binary import as_float32
from glove_cli.vocab import word_from_bytes, word_to_bytes

_GROUP_ROWS = 1 << 16
_ADVICE = "Name a file with a column `word` and a column `vector`."


def check_arrow(out: str | os.PathLike[str] | BinaryIO) -> None:
    """Refuse, before any work, a file that can't be written or read here.

    Parameters
    ----------
    out : path-like or binary file
        What the error names.

    Raises
    ------
    OutputError
        If pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        name = os.fspath(out) if isinstance(out, (str, os.PathLike)) else "--format parquet"
        raise OutputError(
            f"{name}: needs the package pyarrow. Install it with: pip install 'glove-cli[arrow]'."
        ) from None


def write(
    out: str | os.PathLike[str] | BinaryIO,
    words: Sequence[str],
    rows: Rows,
    *,
    header: bool = False,
    threads: int | None = None,
    force: bool = False,
    counts: NDArray[np.int64] | None = None,
) -> None:
    """Write vectors as Parquet.

    The parameters are those of `glove_text.write`; `counts`, int64 (V,), are how often each word occurred.

    Raises
    ------
    FormatError
        If a value isn't finite, or a word is empty or stands twice.
    OutputError
        If pyarrow is not installed, or the file exists and `force` is false, or can't be written.

    Notes
    -----
    The projection is onto the two strongest principal directions; with one dimension `projection_y` is 0. Both are
    0 if one would be too large for 32 bits.
    """
    check_arrow(out)
    import pyarrow as pa
    import pyarrow.parquet as pq

    check_words(words, "vectors", forbidden="")
    matrix = np.empty(rows.shape, np.float32)
    for begin, end in blocks(rows, "vectors", words):
        matrix[begin:end] = as_float32(finite_block(rows, begin, end, "vectors", words))
    V, d = rows.shape
    flat = np.zeros((V, 2), np.float32)
    kept = min(2, V, d)
    with contextlib.suppress(OptionError):  # they can be too large for 32 bits where the vectors just aren't
        flat[:, :kept] = process_vectors(WordVectors(words, matrix), f"pca:{kept}").matrix
    encoded = [word_to_bytes(word) for word in words]
    fields = [pa.field("word", pa.string() if _all_text(words) else pa.binary(), nullable=False)]
    fields += [pa.field("count", pa.int64())] if counts is not None else []
    fields += [
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("vector", pa.list_(pa.float32(), d), nullable=False),
    ]
    fields += [pa.field(f"projection_{axis}", pa.float32(), nullable=False) for axis in "xy"]
    schema = pa.schema(fields)

    def group(begin: int, end: int) -> Any:
        columns = [pa.array(encoded[begin:end], pa.binary()).cast(fields[0].type)]
        if counts is not None:
            columns.append(pa.array(counts[begin:end], pa.int64(), mask=counts[begin:end] == 0))
        values = pa.array(np.ascontiguousarray(matrix[begin:end]).reshape(-1))
        columns += [pa.array(np.arange(begin + 1, end + 1, dtype=np.int32))]
        columns += [pa.FixedSizeListArray.from_arrays(values, d)]
        columns += [pa.array(np.ascontiguousarray(flat[begin:end, axis])) for axis in (0, 1)]
        return pa.table(columns, schema=schema)

    # A dictionary of floats or of words that all differ only costs time, and so does packing floats.
    with (
        open_output(out, force=force) as file,
        pq.ParquetWriter(
            pa.PythonFile(_Sink(file), "w"),
            schema,
            use_dictionary=False,
            compression={"word": "snappy"} | _plain(schema),
        ) as writer,
    ):
        for begin in range(0, V, _GROUP_ROWS):
            writer.write_table(group(begin, min(begin + _GROUP_ROWS, V)))


def read(path: str | os.PathLike[str]) -> tuple[list[str], NDArray[np.float32]]:
    """Read words and vectors from a Parquet file.

    The parameters and what is returned are those of `glove_text.read`. `path` is a file with a column of text or
    bytes, `word`, and one of lists of floats, `vector`; with other names, if there is one of each.

    Raises
    ------
    FormatError
        If the file can't be read, has no such columns, has no value in a row, or vectors of several lengths; if a word
        stands twice, or a value isn't finite.
    OutputError
        If pyarrow is not installed.
    """
    path = Path(path)
    check_arrow(path)
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            word_name, vector_name = _columns(file.schema_arrow, path)
            table = file.read(columns=[word_name, vector_name])
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or " ".join(str(error).split())
        raise FormatError(f"{path}: can't be read as Parquet: {reason[:200]}. Make the file again.") from error
    if not table.num_rows:
        raise FormatError(f"{path}: has no rows. Name a file of word vectors.")
    for name in (word_name, vector_name):
        if table[name].null_count:
            row = table[name].is_null().to_numpy().argmax() + 1
            raise FormatError(f"{path}: row {row:,} has no {name}. Make the file again.")
    column = table[word_name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    words = column.cast(pa.large_binary()).to_pylist()  # text that is not UTF-8 comes through
    matrix = _matrix(table[vector_name], path, vector_name)
    check_unique(words, path, first=1, unit="row")
    return [word_from_bytes(word) for word in words], float32_rows(matrix, words, path)


class _Sink:
    """A file that Arrow may write to and not close."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        """Write bytes."""
        return self._file.write(data)

    def flush(self) -> None:
        """Leave that to whoever opened the file."""

    def close(self) -> None:
        """Leave that to whoever opened the file."""


def _plain(schema: Any) -> dict[str, str]:
    """Return the columns that are not packed, by the names that Parquet has for them."""
    names = [f.name for f in schema if f.name not in ("word", "vector")]
    return {**dict.fromkeys(names, "snappy"), "vector.list.element": "none"}


def _all_text(words: Sequence[str]) -> bool:
    try:
        "".join(words).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _columns(schema: Any, path: Path) -> tuple[str, str]:
    """Return the names of the columns of words and of vectors."""
    import pyarrow.types as types

    def is_words(kind: Any) -> bool:
        if types.is_dictionary(kind):
            kind = kind.value_type
        return any(
            is_kind(kind)
            for is_kind in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
        )

    def is_vectors(kind: Any) -> bool:
        listed = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
        return listed and types.is_floating(kind.value_type)

    chosen = []
    for wanted, fits, what in (("word", is_words, "text"), ("vector", is_vectors, "lists of floats")):
        names = [field.name for field in schema if fits(field.type)]
        if wanted in names:
            names = [wanted]
        if len(names) != 1:
            listed = ", ".join(schema.names)[:60]
            raise FormatError(f"{path}: has {len(names)} columns of {what} among {listed}. {_ADVICE}")
        chosen += names
    return chosen[0], chosen[1]


def _matrix(column: Any, path: Path, name: str) -> NDArray[Any]:
    """Return a column of lists as a matrix."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = pc.list_value_length(column).to_numpy()
    d = int(lengths[0])
    if (lengths != d).any():
        row = int((lengths != d).argmax())
        raise FormatError(f"{path}: row {row + 1:,} has {lengths[row]:,} numbers, row 1 {d:,}. Make the file again.")
    if not d:
        raise FormatError(f"{path}: its column {name} holds no numbers. {_ADVICE}")
    values = pc.list_flatten(column)
    if values.null_count:
        raise FormatError(f"{path}: its column {name} has numbers that are missing. Make the file again.")
    pieces = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    matrix = np.empty((len(column), d), np.float32)
    flat, place = matrix.reshape(-1), 0
    with np.errstate(over="ignore"):
        for piece in pieces:
            flat[place : place + len(piece)] = piece.to_numpy(zero_copy_only=False)
            place += len(piece)
    return matrix
