"""A result on disk: a folder of `.npy` arrays, a vocabulary, and a `meta.json` that describes and checks them.

Matrices and models are both kept like this. `meta.json` names the kind and version of the format, and for every
other file its size in bytes and its SHA-256. It is written last.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glove_cli.errors import FormatError
from glove_cli.files import META_NAME, sync_file
from glove_cli.inputs import parse_json
from glove_cli.parallel import thread_count
from glove_cli.version import __version__
from glove_cli.vocab import Vocab

VOCAB_NAME = "vocab.txt"
NPY_HEADER_BYTES = 128
_OWN_DIGEST = "sha256"  # in meta.json: of all the rest of it
_CHANGED = "was changed after it was written (SHA-256 differs). Make it again."
_WINDOW_BYTES = 1 << 24


class GrowingArray:
    """A `.npy` file to which rows are appended (single values by default); its header is completed at the end."""

    def __init__(self, path: Path, dtype: DTypeLike, row: tuple[int, ...] = ()) -> None:
        self.dtype = np.dtype(dtype)
        self.row = row
        self.size = 0
        self.file = path.open("xb", buffering=0)
        self._write(npy_header(self.dtype, (0, *row)))

    def append(self, piece: NDArray[Any]) -> None:
        """Append rows."""
        if piece.size:
            self._write(np.ascontiguousarray(piece, self.dtype).data.cast("B"))
            self.size += len(piece)

    def close(self) -> None:
        """Write the final header and close the file."""
        self.file.seek(0)
        self._write(npy_header(self.dtype, (self.size, *self.row)))
        self.file.close()

    def _write(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest.nbytes:
            rest = rest[self.file.write(rest) :]


@dataclass
class FolderWriter:
    """Writes the files of a result into an existing (temporary) folder."""

    path: Path
    names: list[str] = field(default_factory=list)

    def array(self, name: str, array: NDArray[Any]) -> None:
        """Write one array as `name`.npy."""
        with (self.path / f"{name}.npy").open("xb") as file:
            file.write(npy_header(array.dtype, array.shape))
            file.write(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
        self.names.append(f"{name}.npy")

    @contextlib.contextmanager
    def growing(self, name: str, dtype: DTypeLike, row: tuple[int, ...] = ()) -> Iterator[GrowingArray]:
        """Write `name`.npy piece by piece; `row` is the shape of one row."""
        array = GrowingArray(self.path / f"{name}.npy", dtype, row)
        try:
            yield array
            array.close()
        finally:
            array.file.close()
        self.names.append(f"{name}.npy")

    def rows(self, name: str, dtype: DTypeLike, shape: tuple[int, ...], pieces: Iterable[NDArray[Any]]) -> None:
        """Write one array as `name`.npy, rows after rows."""
        with (self.path / f"{name}.npy").open("xb") as file:
            file.write(npy_header(np.dtype(dtype), shape))
            for piece in pieces:
                file.write(np.ascontiguousarray(piece, dtype).data.cast("B") if piece.size else b"")
        self.names.append(f"{name}.npy")

    def text(self, name: str, text: str) -> None:
        """Write a file of text."""
        (self.path / name).write_text(text, encoding="utf-8")
        self.names.append(name)

    def vocab(self, vocab: Vocab) -> None:
        """Write the vocabulary file."""
        (self.path / VOCAB_NAME).write_bytes(vocab.to_bytes())
        self.names.append(VOCAB_NAME)

    def finish(self, kind: str, version: int, **meta: Any) -> dict[str, Any]:
        """Write `meta.json`, the last file of the folder, with the checksums of the others; return what it says."""
        files = {
            name: {"bytes": (self.path / name).stat().st_size, "sha256": digest}
            for name, digest in zip(self.names, file_digests(self.path, self.names, sync=True), strict=True)
        }
        whole = {"format": kind, "version": version, "glove": __version__, **meta, "files": files}
        whole[_OWN_DIGEST] = _digest_of_meta(whole)
        (self.path / META_NAME).write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
        return whole


@dataclass(frozen=True)
class ResultFolder:
    """A finished result, opened for reading."""

    path: Path
    meta: dict[str, Any]

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        kind: str,
        version: int,
        *,
        remedy: str,
        types: Mapping[str, type | tuple[type, ...]] = MappingProxyType({}),
    ) -> ResultFolder:
        """Open a result and check that all its files are there at their full size.

        Parameters
        ----------
        path : path-like
            The folder.
        kind, version : str, int
            What `meta.json` must say; a newer version is refused.
        remedy : str
            What an error tells the user to do.
        types : mapping from str to type
            Of values of `meta.json`; those that are missing or null may be.

        Raises
        ------
        FormatError
            If the folder is missing, of another kind or a newer version, a value is of another type, or a file is
            missing or of the wrong size.
        """
        path = Path(path)
        meta = read_meta(path, remedy=remedy)
        if meta.get("format") != kind:
            raise FormatError(f"{path}: is a {meta.get('format')!r}, not a {kind!r}. {remedy}")
        if type(meta.get("version")) is not int or meta["version"] > version:
            raise FormatError(
                f"{path}: has format version {meta.get('version')!r}, this glove reads up to {version}. "
                "Upgrade glove-cli."
            )
        for key, expected in types.items():
            value = meta.get(key)
            if value is not None and (not isinstance(value, expected) or isinstance(value, bool)):
                raise FormatError(f"{path / META_NAME}: is damaged: {key} can't be {str(value)[:60]!r}. {remedy}")
        files = meta.get("files")
        if not isinstance(files, dict):
            raise FormatError(f"{path / META_NAME}: lists no files. {remedy}")
        for name, entry in files.items():
            if not isinstance(entry, dict) or not isinstance(entry.get("bytes"), int) or os.path.basename(name) != name:
                raise FormatError(f"{path / META_NAME}: the entry of {name!r} is damaged. {remedy}")
            try:
                size = (path / name).stat().st_size
            except OSError as error:
                raise FormatError(f"{path / name}: can't be read: {error.strerror}. {remedy}") from error
            if size != entry["bytes"]:
                raise FormatError(f"{path / name}: has {size:,} bytes, {entry['bytes']:,} were written. {remedy}")
        return cls(path, meta)

    def array(
        self, name: str, dtype: DTypeLike, shape: tuple[int, ...], *, or_dtype: DTypeLike | None = None
    ) -> NDArray[Any]:
        """Map `name`.npy into memory, read only, after checking that it has this dtype (or the other) and shape."""
        path = self.path / f"{name}.npy"
        if f"{name}.npy" not in self.meta["files"]:
            raise FormatError(f"{self.path / META_NAME}: does not list {name}.npy. Make the result again.")
        try:
            with damaged_headers():
                array = np.lib.format.open_memmap(path, mode="r")
        except OSError as error:
            raise FormatError(f"{path}: can't be read: {error.strerror or error}. Try again.") from error
        except ValueError as error:
            raise FormatError(f"{path}: is not a NumPy array file: {error}. Make the result again.") from error
        dtypes = {np.dtype(dtype): None, np.dtype(dtype if or_dtype is None else or_dtype): None}
        if array.dtype not in dtypes or array.shape != shape:
            expected = " or ".join(map(str, dtypes))
            raise FormatError(
                f"{path}: holds {array.dtype} {array.shape}, {expected} {shape} was expected. Make the result again."
            )
        return array

    def read_into(self, name: str, target: NDArray[Any]) -> None:
        """Read `name`.npy into an array, after checking that it has its dtype and shape."""
        self.array(name, target.dtype, target.shape)
        with (self.path / f"{name}.npy").open("rb", buffering=0) as file:
            file.seek(NPY_HEADER_BYTES)
            rest = target.reshape(-1).view(np.uint8).data
            while rest.nbytes:
                done = file.readinto(rest)
                if not done:
                    raise FormatError(f"{self.path / name}.npy: was cut short while it was read. Make it again.")
                rest = rest[done:]

    def vocab(self) -> Vocab:
        """Read the vocabulary, after comparing it with its checksum."""
        self.verify([VOCAB_NAME])
        return Vocab.load(self.path / VOCAB_NAME)

    def verify(self, names: Iterable[str] | None = None) -> None:
        """Compare the SHA-256 of files with what was written down.

        Parameters
        ----------
        names : iterable of str, optional
            All files, unless given; those that the result doesn't have are left out.

        Raises
        ------
        FormatError
            If a file was changed.
        """
        files = self.meta["files"]
        wanted = set(files if names is None else names)
        chosen = [name for name in files if name in wanted]
        for name, digest in zip(chosen, file_digests(self.path, chosen), strict=True):
            if digest != files[name].get("sha256"):
                raise FormatError(f"{self.path / name}: {_CHANGED}")


def check_mapped(folder: Path, meta: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """Compare arrays that are mapped from a result's files with what `meta.json` says of these.

    The files may have been replaced meanwhile: what is mapped is what is used.

    Parameters
    ----------
    folder : Path
        What errors name.
    meta : dict
    arrays : dict
        By the names that `ResultFolder.array` was given.

    Raises
    ------
    FormatError
        If one was changed.
    """
    with ThreadPoolExecutor(thread_count(None)) as pool:
        for name, digest in zip(arrays, pool.map(_digest_of_mapped, arrays.values()), strict=True):
            if digest != meta["files"][f"{name}.npy"].get("sha256"):
                raise FormatError(f"{folder / name}.npy: {_CHANGED}")


def file_digests(folder: Path, names: Iterable[str], *, sync: bool = False) -> list[str]:
    """Return the SHA-256 of each file, several at a time; with `sync`, see them to the disk meanwhile."""
    paths = [folder / name for name in names]
    with ThreadPoolExecutor(2 * thread_count(None)) as pool:
        synced = pool.map(sync_file, paths if sync else [])
        digests = list(pool.map(_digest_of_own if sync else _digest, paths))
        list(synced)
    return digests


def check_exists(path: Path, *, remedy: str) -> None:
    """Refuse a file or folder to read that isn't there or can't be reached.

    Raises
    ------
    FormatError
        With `remedy`, what to do.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FormatError(f"{path}: does not exist. {remedy}") from error
    except OSError as error:
        raise FormatError(f"{path}: can't be read: {error.strerror}. {remedy}") from error


def read_meta(path: Path, *, remedy: str) -> dict[str, Any]:
    """Read the `meta.json` of a result folder.

    Raises
    ------
    FormatError
        If there is no such folder or its `meta.json` can't be understood.
    """
    check_exists(path, remedy=remedy)
    try:
        meta = parse_json((path / META_NAME).read_bytes())
    except OSError as error:
        raise FormatError(f"{path}: holds no finished result ({META_NAME}: {error.strerror}). {remedy}") from error
    except ValueError as error:
        raise FormatError(f"{path / META_NAME}: is damaged: {error}. {remedy}") from error
    if not isinstance(meta, dict):
        raise FormatError(f"{path / META_NAME}: is damaged: not an object. {remedy}")
    if _OWN_DIGEST in meta and meta[_OWN_DIGEST] != _digest_of_meta(meta):  # older ones have none
        raise FormatError(f"{path / META_NAME}: was changed after it was written (SHA-256 differs). {remedy}")
    return meta


def _digest_of_meta(meta: dict[str, Any]) -> str:
    rest = json.loads(json.dumps({key: value for key, value in meta.items() if key != _OWN_DIGEST}))  # as it is read
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def damaged_headers() -> Iterator[None]:
    """Raise a ValueError where NumPy lets its parser's errors through: for a damaged header of a `.npy` file."""
    try:
        yield
    except (SyntaxError, tokenize.TokenError) as error:
        raise ValueError("its header is damaged") from error


def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the 128-byte header of a version 1.0 `.npy` file."""
    text = f"{{'descr': {np.lib.format.dtype_to_descr(dtype)!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    padded = text.ljust(NPY_HEADER_BYTES - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode("latin1")


def _digest_of_own(path: Path) -> str:
    """Return the SHA-256 of a file that nobody else writes: mapped, a window at a time, which saves a copy."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        for begin in range(0, size, _WINDOW_BYTES):
            with mmap.mmap(
                file.fileno(), min(_WINDOW_BYTES, size - begin), access=mmap.ACCESS_READ, offset=begin
            ) as window:
                digest.update(window)
    return digest.hexdigest()


def _digest_of_mapped(array: NDArray[Any]) -> str:
    """Return the SHA-256 of the file that an array is mapped from; its memory is let go of on the way."""
    mapping: Any = getattr(array, "_mmap", None)  # of np.memmap; it begins with the file
    digest = hashlib.sha256()
    if mapping is None:  # an array in memory
        digest.update(npy_header(array.dtype, array.shape))
        digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()
    with memoryview(mapping) as whole:
        for begin in range(0, len(whole), _WINDOW_BYTES):
            with whole[begin : begin + _WINDOW_BYTES] as window:
                digest.update(window)
                length = len(window)
            if hasattr(mapping, "madvise"):
                mapping.madvise(mmap.MADV_DONTNEED, begin, length)
    return digest.hexdigest()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(1 << 20))
    with path.open("rb", buffering=0) as file:
        while n := file.readinto(buffer):
            digest.update(buffer[:n])
    return digest.hexdigest()
