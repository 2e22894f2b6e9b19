"""The texts of a corpus: files, folders, patterns, addresses, standard input, open files."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from glove_cli.corpus.compression import Unpacked
from glove_cli.corpus.content import MAGIC_BYTES, PARQUET_MAGIC, TEXT_HEAD, check_text, compression_of
from glove_cli.corpus.folders import files_in, files_matching, no_files
from glove_cli.corpus.records import Records, json_texts, parquet_records
from glove_cli.corpus.remote import RemoteFile, find_remote, is_remote
from glove_cli.corpus.resample import Draw, Resampled
from glove_cli.corpus.stream import AheadStream, FileSpan, FileStream, Stream, named_errors
from glove_cli.errors import CorpusError, OptionError

STDIN = "-"
UTF8_MARK = b"\xef\xbb\xbf"
CorpusLike = str | os.PathLike[str] | BinaryIO | Iterable["str | os.PathLike[str] | BinaryIO"]


@dataclass(frozen=True)
class Source:
    """One file of a corpus: by its path or address, or open.

    Attributes
    ----------
    name : str
        What messages and the matrix's description call it.
    size : int or None
        Bytes as stored, where known.
    mtime_ns : int, optional
        When a regular local file was written last.
    file : binary file, optional
        Read from here; without it `name` is opened.
    remote : RemoteFile, optional
        Where it is no local file.
    json_field : str, optional
        The file is JSON Lines, and this field of each is a text.
    column : str, optional
        The file is Parquet, and each value of this column is a text.
    draw : Draw, optional
        Each line of the text as often as it is drawn.
    span : (int, int), optional
        First byte of a plain text and the one behind the last: only these are read, see `spans.cut_source`.
    place : str, optional
        Where it lies, if not where `name` says.
    """

    name: str
    size: int | None
    mtime_ns: int | None = None
    file: BinaryIO | None = None
    remote: RemoteFile | None = None
    json_field: str | None = None
    column: str | None = None
    draw: Draw | None = None
    span: tuple[int, int] | None = None
    place: str | None = None

    @property
    def replayable(self) -> bool:
        """Whether it can be read again, unlike standard input, a pipe or an open file."""
        return self.mtime_ns is not None or self.remote is not None

    @property
    def records(self) -> bool:
        """Whether the file holds many texts."""
        return self.json_field is not None or self.column is not None

    @property
    def begin(self) -> int:
        """Bytes of the text before what this source reads."""
        return self.span[0] if self.span is not None else 0

    @property
    def ends(self) -> bool:
        """Whether the text ends where this source does, not only a span of it."""
        return self.span is None or self.span[1] == self.size

    @contextlib.contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open the file as it is stored.

        Raises
        ------
        CorpusError
            If it can't be opened, or has changed since it was found.
        """
        with contextlib.ExitStack() as stack:
            file = self.file
            if self.remote is not None:
                file = stack.enter_context(self.remote.open())
            elif file is None:
                with named_errors(self.name):
                    file = stack.enter_context(open(self.place or self.name, "rb", buffering=0))
            self._check_unchanged(file)
            yield file

    @contextlib.contextmanager
    def open(self, document: str = "line") -> Iterator[Stream]:
        """Open the text for reading.

        Parameters
        ----------
        document : {"line", "paragraph", "file", "none"}
            What a document is, which decides how the end of a record is marked.

        Yields
        ------
        stream : Stream
            `read(n)` gives at most n bytes of text, unpacked, without a byte-order mark; `stored` tells how many bytes
            of the file have been read.

        Raises
        ------
        CorpusError
            If it can't be read, is no text, or has changed since it was found; the latter also at the end.
        """
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(self.opened())
            try:
                text = self._text(file, document, stack)
                yield text if self.draw is None else Resampled(text, self.draw, document)
            except CorpusError:
                self._check_unchanged(file)  # where it has changed, that is what is wrong
                raise
            self._check_unchanged(file)

    def _text(self, file: BinaryIO, document: str, stack: contextlib.ExitStack) -> Stream:
        """Return the text of an open file, as its first bytes show how it is stored; `stack` closes what it needs."""
        if self.span is not None:
            with named_errors(self.name):
                file.seek(self.span[0])
            return FileSpan(self.name, file, self.span[1] - self.span[0])
        raw = FileStream(self.name, file, size=self.size, regular=self.mtime_ns is not None)
        kind = compression_of(raw.head(MAGIC_BYTES))
        if self.column is not None:
            if not raw.head(MAGIC_BYTES).startswith(PARQUET_MAGIC):
                what = f"compressed by {kind}. Unpack it" if kind else "no Parquet file. Leave out --column"
                raise CorpusError(f"{self.name}: is {what}.")
            return parquet_records(self.name, file, self.size, self.column, document)
        text: Stream = raw
        if kind:
            text = Unpacked(raw, kind)
            if self.mtime_ns is not None:  # from a pipe, reading may wait for ever
                text = stack.enter_context(contextlib.closing(AheadStream(text)))
        head = text.head(TEXT_HEAD)
        check_text(self.name, head, within=kind, nul=self.json_field is None)
        if head.startswith(UTF8_MARK):
            text.read(len(UTF8_MARK))
        if self.json_field is not None:
            return Records(self.name, json_texts(text, self.json_field), lambda: text.stored, document)
        return text

    def _check_unchanged(self, file: BinaryIO) -> None:
        """Refuse a regular file that is not as it was found.

        Raises
        ------
        CorpusError
            If its size or time differs.
        """
        if self.mtime_ns is None:
            return
        with named_errors(self.name):
            status = os.fstat(file.fileno())
        if (status.st_size, status.st_mtime_ns) != (self.size, self.mtime_ns):
            raise CorpusError(f"{self.name}: changed while it was read. Start again when nothing writes to it.")


def find_sources(
    corpus: CorpusLike, *, json_field: str | None = None, column: str | None = None, resample: int | None = None
) -> list[Source]:
    """List the texts of a corpus after checking that each can be read.

    Parameters
    ----------
    corpus : path-like, binary file, or an iterable of these
        Names of files; of folders, which stand for all files in them; patterns, where no file has this name; addresses
        that fsspec knows; "-" for standard input. A file named twice is read twice.
    json_field : str, optional
        The files are JSON Lines, and this field of each object is a text.
    column : str, optional
        The files are Parquet, and each value of this column is a text.
    resample : int, optional
        Seed with which each line is drawn as often as chance has it.

    Returns
    -------
    list of Source
        In the order of naming; the files of a folder or pattern by their paths.

    Raises
    ------
    OptionError
        If both a field and a column are named.
    CorpusError
        If there is no text at all, or one is missing or unreadable or no text, as its first bytes show.
    """
    if json_field is not None and column is not None:
        raise OptionError("--json-field: stands beside --column. Leave one of them out.")
    items = [corpus] if isinstance(corpus, (str, os.PathLike)) or hasattr(corpus, "read") else list(corpus)
    if not items:
        raise CorpusError("CORPUS: no file was named. Name one or more text files, or - for standard input.")
    sources: list[Source] = []
    for item in items:
        sources += (replace(source, json_field=json_field, column=column) for source in _sources(item))
    files = [id(source.file) for source in sources if source.file is not None]
    for source in sources:
        if source.file is not None and files.count(id(source.file)) > 1:
            raise CorpusError(f"{source.name}: is named twice, but can be read only once. Name it once.")
        if source.mtime_ns is not None:
            with source.open():
                pass
    if resample is None:
        return sources
    return [replace(source, draw=Draw(resample, number)) for number, source in enumerate(sources)]


def _sources(item: Any) -> list[Source]:
    """Return what an item of a corpus stands for."""
    if not isinstance(item, (str, os.PathLike)):
        return [_open_file(item)]
    name = os.fsdecode(item)
    if name == STDIN:
        if sys.stdin is None:
            raise CorpusError("standard input: is closed. Name a text file.")
        return [Source("standard input", None, file=sys.stdin.buffer)]
    if is_remote(name):
        return [Source(file.name, file.size, remote=file) for file in find_remote(name)]
    if os.path.isdir(name):
        paths = files_in(name)
        if not paths:
            raise no_files(name)
    else:
        paths = files_matching(name) if glob.has_magic(name) and not os.path.lexists(name) else [name]
    return [_local_file(path) for path in paths]


def _local_file(path: str) -> Source:
    with named_errors(path):
        status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        return Source(path, None)
    return Source(path, status.st_size, status.st_mtime_ns)


def _open_file(item: Any) -> Source:
    if not hasattr(item, "read"):
        raise CorpusError(f"{item!r}: is neither a path nor an open file. Name a text file.")
    name = str(getattr(item, "name", "stream"))
    with named_errors(name):
        nothing = item.read(0)
    if not isinstance(nothing, bytes):
        raise CorpusError(f"{item!r}: is open as text. Open it in binary mode.")
    return Source(name, None, file=item)
