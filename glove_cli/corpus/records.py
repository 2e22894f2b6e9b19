"""Files of many texts, JSON Lines and Parquet, as streams.

In a stream of records a newline follows each, or two, so that the record ends a document as the end of a file would.
Where only a whole record is a document, the newlines within it become spaces: what newlines are left are the ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from glove_cli.corpus.stream import Stream, missing_package, named_errors, reason_of
from glove_cli.errors import CorpusError

PIECE_BYTES = 1 << 20
MAX_LINE = 1 << 28  # bytes of a line of JSON, which has to be in memory as a whole
BATCH_BYTES = 1 << 22  # text of Parquet decoded at a time, about
BATCH_ROWS = 1 << 10
_KINDS = {dict: "an object", list: "a list", str: "a string", float: "a number", bool: "true or false"}


class Records(Stream):
    """The texts of a file of many.

    Parameters
    ----------
    name : str
        What messages call the file.
    texts : iterator of bytes
        The texts.
    stored : callable
        Tells how many bytes of the file have been read so far.
    document : {"line", "paragraph", "file", "none"}
        What a document is; a record always ends one, but for "none".
    """

    def __init__(self, name: str, texts: Iterator[bytes], stored: Callable[[], int], document: str) -> None:
        super().__init__(name)
        self._texts = texts
        self._count = stored
        self._whole = document == "file"
        self._end = b"\n\n" if document == "paragraph" else b"\n"

    @property
    def stored(self) -> int:
        """Bytes of the file that have been read so far."""
        return self._count()

    def _more(self, n: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        for text in self._texts:
            pieces += (text.replace(b"\n", b" ") if self._whole else text, self._end)
            size += len(text) + 1
            if size >= n - n // 8:
                break
        return b"".join(pieces)


def json_texts(stream: Stream, field: str) -> Iterator[bytes]:
    """Yield the texts of JSON Lines.

    Parameters
    ----------
    stream : Stream
        The lines, an object each; blank ones are left out.
    field : str
        Whose string is the text; where an object has no field of this name, points lead into objects within it.

    Yields
    ------
    text : bytes
        A lone surrogate, which UTF-8 has no bytes for, is encoded as if it had, and so is not UTF-8.

    Raises
    ------
    CorpusError
        If a line is not what it should be; the message names it.
    """
    decoder = json.JSONDecoder(parse_int=float)  # Python's integers refuse to be too long
    for number, line in enumerate(_lines(stream), 1):
        if not line.strip(b" \t\r"):
            continue
        place = f"{stream.name}: line {number:,}"
        try:
            record = decoder.decode(line.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{place} is no JSON: {reason_of(error)}. Mend it.") from error
        if not isinstance(record, dict):
            raise CorpusError(f"{place} is {_kind(record)}, no object. Give JSON Lines: an object a line.")
        value = _value(record, field, place)
        if not isinstance(value, str):
            raise CorpusError(f"{place} has {_kind(value)} as {field!r}, no string. Mend it or leave the line out.")
        yield value.encode("utf-8", "surrogatepass")


def parquet_records(name: str, file: BinaryIO, size: int | None, column: str, document: str) -> Records:
    """Open the texts of a Parquet file.

    Parameters
    ----------
    name : str
        What messages call the file.
    file : binary file
        It has to be seekable.
    size : int, optional
        Its bytes.
    column : str
        The column of strings; a value that is missing is an empty text.
    document : {"line", "paragraph", "file", "none"}
        What a document is.

    Returns
    -------
    Records

    Raises
    ------
    CorpusError
        If pyarrow is not installed, the file is a pipe or damaged, or has no such column of strings.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise missing_package(name, "pyarrow", "arrow") from error
    seekable = getattr(file, "seekable", None)
    if seekable is None or not seekable():
        raise CorpusError(f"{name}: is Parquet, which can't be read from a pipe. Name the file itself.")
    with named_errors(name):
        # No more of a column than what is decoded is held, not the whole of a row group.
        parquet = pq.ParquetFile(file, buffer_size=PIECE_BYTES, pre_buffer=False, page_checksum_verification=True)
    schema = parquet.schema_arrow
    there = ", ".join(schema.names)
    if schema.names.count(column) != 1:
        number = "two columns" if column in schema.names else "no column"
        raise CorpusError(f"{name}: has {number} {column!r}. Name one of its columns with --column: {there}.")
    kind = schema.field(column).type
    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not any(getattr(pa.types, test)(values) for test in _STRINGS if hasattr(pa.types, test)):
        raise CorpusError(
            f"{name}: its column {column!r} holds {kind}, no strings. Name another one with --column: {there}."
        )
    rows = max(parquet.metadata.num_rows, 1)
    done = 0

    def texts() -> Iterator[bytes]:
        nonlocal done
        for group in range(parquet.num_row_groups):
            with named_errors(name):
                metadata = parquet.metadata.row_group(group)
                columns = map(metadata.column, range(metadata.num_columns))
                text = sum(c.total_uncompressed_size for c in columns if c.path_in_schema == column)
                average = text // max(metadata.num_rows, 1) + 1
                batches = parquet.iter_batches(
                    min(max(BATCH_BYTES // average, 1), BATCH_ROWS), [group], [column], use_threads=False
                )
            while True:
                with named_errors(name):
                    batch = next(batches, None)
                    if batch is None:
                        break
                    # By way of large strings, as not every kind of strings can be cast to bytes.
                    found = batch.column(0).cast(pa.large_string()).cast(pa.large_binary()).to_pylist()
                done += len(found)
                yield from (value or b"" for value in found)

    return Records(name, texts(), lambda: (size or 0) * done // rows, document)


_STRINGS = ("is_string", "is_large_string", "is_string_view")  # the last one is not in every pyarrow


def _lines(stream: Stream) -> Iterator[bytes]:
    """Yield what stands between newlines."""
    pieces: list[bytes] = []
    size = 0
    while piece := stream.read(PIECE_BYTES):
        first, *others = piece.split(b"\n")
        pieces.append(first)
        size += len(first)
        if size > MAX_LINE:
            raise CorpusError(f"{stream.name}: has a line of more than {MAX_LINE:,} bytes. Is it JSON Lines?")
        if others:
            yield b"".join(pieces)
            yield from others[:-1]
            pieces = [others[-1]]
            size = len(others[-1])
    yield b"".join(pieces)


def _value(record: dict[str, Any], field: str, place: str) -> object:
    """Return the value of a field, or of one within it."""
    if field in record:
        return record[field]
    value: Any = record
    for part in field.split("."):
        if not isinstance(value, dict) or part not in value:
            there = ", ".join(map(ascii, list(record)[:20]))
            raise CorpusError(f"{place} has no field {field!r}, but {there or 'none'}. Name another with --json-field.")
        value = value[part]
    return value


def _kind(value: object) -> str:
    """Return what a value of JSON is called."""
    return _KINDS.get(type(value), "null")
