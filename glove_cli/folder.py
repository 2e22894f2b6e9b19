"""A result on disk: a folder of `.npy` arrays, a vocabulary, and a `meta.json` that describes and checks them.

Matrices and models are both kept like this. `meta.json` names the kind and version of the format, and for every
other file its size in bytes and its SHA-256. It is written last.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glove_cli.errors import FormatError
from glove_cli.files import META_NAME
from glove_cli.version import __version__
from glove_cli.vocab import Vocab

VOCAB_NAME = "vocab.txt"
_HEADER_BYTES = 128


class HashedFile:
    """A binary file that knows the SHA-256 of what was written to it."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("xb")
        self.hash = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self.file.write(data)
        self.hash.update(data)
        self.bytes += len(data) if isinstance(data, bytes) else data.nbytes

    def close(self) -> dict[str, Any]:
        """Close the file; return its size and checksum."""
        self.file.close()
        return {"bytes": self.bytes, "sha256": self.hash.hexdigest()}


@dataclass
class FolderWriter:
    """Writes the files of a result into an existing (temporary) folder."""

    path: Path
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def array(self, name: str, array: NDArray[Any]) -> None:
        """Write one array as `name`.npy."""
        self.stream(name, array.dtype, array.shape, [array])

    def stream(self, name: str, dtype: DTypeLike, shape: tuple[int, ...], pieces: Iterable[NDArray[Any]]) -> None:
        """Write `name`.npy piece by piece; the pieces together have `shape`."""
        out = HashedFile(self.path / f"{name}.npy")
        try:
            out.write(npy_header(np.dtype(dtype), shape))
            for piece in pieces:
                out.write(memoryview(np.ascontiguousarray(piece, dtype)).cast("B") if piece.size else b"")
        finally:
            self.files[f"{name}.npy"] = out.close()

    def vocab(self, vocab: Vocab) -> None:
        """Write the vocabulary file."""
        self.bytes(VOCAB_NAME, vocab.to_bytes())

    def bytes(self, name: str, data: bytes) -> None:
        """Write a file of bytes."""
        out = HashedFile(self.path / name)
        try:
            out.write(data)
        finally:
            self.files[name] = out.close()

    def finish(self, kind: str, version: int, **meta: Any) -> dict[str, Any]:
        """Write `meta.json`, the last file of the folder, and return what it says."""
        whole = {"format": kind, "version": version, "glove": __version__, **meta, "files": self.files}
        (self.path / META_NAME).write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
        return whole


@dataclass(frozen=True)
class ResultFolder:
    """A finished result, opened for reading."""

    path: Path
    meta: dict[str, Any]

    @classmethod
    def open(cls, path: str | os.PathLike[str], kind: str, version: int, *, remedy: str) -> ResultFolder:
        """Open a result and check that all its files are there at their full size.

        Parameters
        ----------
        path : path-like
            The folder.
        kind, version : str, int
            What `meta.json` must say; a newer version is refused.
        remedy : str
            What an error tells the user to do.

        Raises
        ------
        FormatError
            If the folder is missing, of another kind or a newer version, or a file is missing or of the wrong size.
        """
        path = Path(path)
        meta = read_meta(path, remedy=remedy)
        if meta.get("format") != kind:
            raise FormatError(f"{path}: is a {meta.get('format')!r}, not a {kind!r}. {remedy}")
        if not isinstance(meta.get("version"), int) or meta["version"] > version:
            raise FormatError(f"{path}: has format version {meta.get('version')!r}, this glove reads up to {version}. Upgrade glove-cli.")
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

    def array(self, name: str, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
        """Map `name`.npy into memory, read only, after checking that it has this dtype and shape."""
        path = self.path / f"{name}.npy"
        if f"{name}.npy" not in self.meta["files"]:
            raise FormatError(f"{self.path / META_NAME}: does not list {name}.npy. Make the result again.")
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise FormatError(f"{path}: is not a NumPy array file: {error}. Make the result again.") from error
        if array.dtype != np.dtype(dtype) or array.shape != shape:
            raise FormatError(
                f"{path}: holds {array.dtype} {array.shape}, {np.dtype(dtype)} {shape} was expected. Make the result again."
            )
        return array

    def vocab(self) -> Vocab:
        """Read the vocabulary."""
        return Vocab.load(self.path / VOCAB_NAME)

    def verify(self) -> None:
        """Compare every file's SHA-256 with the one that was written down.

        Raises
        ------
        FormatError
            If a file was changed.
        """
        for name, entry in self.meta["files"].items():
            with (self.path / name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256") if hasattr(hashlib, "file_digest") else _digest(file)
            if digest.hexdigest() != entry.get("sha256"):
                raise FormatError(f"{self.path / name}: was changed after it was written (SHA-256 differs). Make it again.")


def read_meta(path: Path, *, remedy: str) -> dict[str, Any]:
    """Read the `meta.json` of a result folder.

    Raises
    ------
    FormatError
        If there is no such folder or its `meta.json` can't be understood.
    """
    if not path.exists():
        raise FormatError(f"{path}: does not exist. {remedy}")
    try:
        meta = json.loads((path / META_NAME).read_bytes())
    except OSError as error:
        raise FormatError(f"{path}: holds no finished result ({META_NAME}: {error.strerror}). {remedy}") from error
    except ValueError as error:
        raise FormatError(f"{path / META_NAME}: is damaged: {error}. {remedy}") from error
    if not isinstance(meta, dict):
        raise FormatError(f"{path / META_NAME}: is damaged: not an object. {remedy}")
    return meta


def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the 128-byte header of a version 1.0 `.npy` file."""
    text = f"{{'descr': {np.lib.format.dtype_to_descr(dtype)!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    padded = text.ljust(_HEADER_BYTES - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode("latin1")


def _digest(file: Any) -> Any:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest
