"""Large files of vectors are kept as arrays that are mapped into memory, so that the second reading takes no time.

An entry is a folder, made under a temporary name and renamed: `matrix.npy`, `words.txt`, and `meta.json`. Its name says
which file it was made from, how, and in what state that file was; so an entry never changes, and another state of the
file has another entry. What can't be kept is read again the next time; that is never an error.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import secrets
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.folder import NPY_HEADER_BYTES, npy_header
from glove_cli.inputs import parse_json
from glove_cli.memory import memory_limit
from glove_cli.parallel import thread_count
from glove_cli.temporary import remove_folder
from glove_cli.vocab import word_from_bytes, word_to_bytes

FOLDER_VARIABLE, SIZE_VARIABLE = "GLOVE_CACHE_DIR", "GLOVE_CACHE_SIZE"
_VERSION = 2  # of the entries, and of what reading makes of a file
_SIZE = 8 << 30
_SMALLEST_FILE = 16 << 20
_YOUNGEST = 0.1  # seconds; clocks of file systems have steps, within which a file may change unseen
_SPARE = 4  # of the free disk an entry may take this part
_ABANDONED = 86400  # seconds after which a temporary folder belongs to nobody
_MATRIX, _WORDS, _META = "matrix.npy", "words.txt", "meta.json"
_TEMPORARY = ".tmp"
_PIECE = 1 << 24


@dataclass(frozen=True)
class Cached:
    """What an entry holds: words, matrix float32 (V, d), mapped, and what was noted when it was made."""

    words: list[str]
    matrix: NDArray[np.float32]
    notes: dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A place in the cache for one file in its present state.

    Attributes
    ----------
    source : Path
        The file.
    folder : Path
        Of all entries.
    which, state : str
        Names of the file with the options, and of its state.
    limit : int
        Bytes that all entries may take.
    """

    source: Path
    folder: Path
    which: str
    state: str
    limit: int

    @property
    def path(self) -> Path:
        """The entry's own folder."""
        return self.folder / f"{self.which}-{self.state}"

    def load(self) -> Cached | None:
        """Return what is kept; None if nothing is. What is damaged is removed."""
        if not os.path.isdir(self.path):
            return None
        try:
            found = self._load()
        except (OSError, ValueError, KeyError, TypeError):
            remove_folder(self.path)
            return None
        with contextlib.suppress(OSError):
            os.utime(self.path)  # used last
        return found

    def store(self, words: list[str], matrix: NDArray[np.float32], notes: dict[str, Any]) -> bool:
        """Keep words and matrix, if the file is still in the same state; tell whether it was done."""
        temporary = self.folder / f"{self.which}-{secrets.token_hex(6)}{_TEMPORARY}"
        try:
            if _state_of(self.source) != self.state or time.time() - _changed(self.source) < _YOUNGEST:
                return False
            encoded = word_to_bytes("\n".join(words))
            header = npy_header(np.dtype("<f4"), matrix.shape)
            size = len(header) + matrix.nbytes + len(encoded)
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make_room(size)
            if size > self.limit or size > shutil.disk_usage(self.folder).free // _SPARE:
                return False
            temporary.mkdir(mode=0o700)
            _write(temporary / _MATRIX, header, matrix)
            _write(temporary / _WORDS, encoded)
            meta = {"version": _VERSION, "source": os.fspath(self.source), "V": len(words), "dim": matrix.shape[1]}
            meta |= {"words_bytes": len(encoded), "words_sha256": _digest(encoded), "notes": notes}
            meta["matrix_sha256"] = _digests(memoryview(_bytes_of(matrix)))
            text = json.dumps(meta).encode()
            _write(temporary / _META, json.dumps({"sha256": _digest(text)}).encode() + b"\n" + text)
            os.rename(temporary, self.path)
        except OSError:  # no room, no rights, or another process was first
            return False
        finally:
            remove_folder(temporary)
        return True

    def _load(self) -> Cached:
        check, _, text = (self.path / _META).read_bytes().partition(b"\n")
        if parse_json(check)["sha256"] != _digest(text):
            raise ValueError(_META)
        meta = parse_json(text)
        encoded = (self.path / _WORDS).read_bytes()
        if len(encoded) != meta["words_bytes"] or _digest(encoded) != meta["words_sha256"]:
            raise ValueError(_WORDS)
        shape = (meta["V"], meta["dim"])
        with (self.path / _MATRIX).open("rb") as file:
            header = npy_header(np.dtype("<f4"), shape)
            size = NPY_HEADER_BYTES + 4 * shape[0] * shape[1]
            if os.fstat(file.fileno()).st_size != size or file.read(len(header)) != header:
                raise ValueError(_MATRIX)
            # As an array that was read, it can be written to; what is written stays with this process.
            mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY)
        if _digests(memoryview(mapped)[NPY_HEADER_BYTES:]) != meta["matrix_sha256"]:
            raise ValueError(_MATRIX)
        matrix = np.frombuffer(mapped, "<f4", offset=NPY_HEADER_BYTES).reshape(shape)
        words = word_from_bytes(encoded).split("\n")
        if len(words) != len(matrix):
            raise ValueError(_WORDS)
        return Cached(words, matrix, meta["notes"])

    def _make_room(self, size: int) -> None:
        """Remove entries of other states of this file, what was abandoned, and of others those used longest ago."""
        kept = []
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):
                used = path.stat().st_mtime
                if path.name.endswith(_TEMPORARY):
                    if time.time() - used > _ABANDONED:
                        remove_folder(path)
                elif path.name.startswith(f"{self.which}-"):
                    remove_folder(path)
                else:
                    kept.append((used, sum(file.stat().st_size for file in path.iterdir()), path))
        left = self.limit - size - sum(bytes_ for _, bytes_, _ in kept)
        for _, bytes_, path in sorted(kept):
            if left >= 0:
                break
            remove_folder(path)
            left += bytes_


def find_entry(source: Path, options: dict[str, Any]) -> Entry | None:
    """Return the place in the cache for a file that is read with these options.

    Parameters
    ----------
    source : Path
        The file.
    options : dict
        What else changes the result.

    Returns
    -------
    Entry or None
        None where nothing is to be kept: the file is small, or the cache is off.

    Raises
    ------
    OptionError
        If `GLOVE_CACHE_SIZE` is no size.
    """
    limit = cache_limit()
    try:
        source = source.resolve(strict=True)
        if not limit or not source.is_file() or source.stat().st_size < _SMALLEST_FILE:
            return None
        state = _state_of(source)
        folder = cache_folder() / "vectors"
    except (OSError, RuntimeError):  # no home
        return None
    return Entry(source, folder, _name([os.fspath(source), _VERSION, options]), state, limit)


def cache_folder() -> Path:
    """Return the folder of the cache: `GLOVE_CACHE_DIR`, or where this system keeps what can be made again.

    Raises
    ------
    RuntimeError
        If the user has no home.
    """
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named).absolute()
    usual = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(usual):  # others are to be ignored
        return Path(usual, "glove")
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local", "glove", "cache")
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "glove"


def cache_limit() -> int:
    """Return how many bytes the cache may take: `GLOVE_CACHE_SIZE`, or 8 GiB; 0 if it is off.

    Raises
    ------
    OptionError
        If that is no size.
    """
    named = os.environ.get(SIZE_VARIABLE, "").strip()
    if not named:
        return _SIZE
    if named == "0":
        return 0
    try:
        return memory_limit(named)
    except OptionError as error:
        raise OptionError(
            f"{SIZE_VARIABLE}: {named!r} is not a size. Give one such as 500M or 4G, or 0 for no cache."
        ) from error


def _state_of(source: Path) -> str:
    """Return a name for what can be seen of a file's state without reading it."""
    stat = source.stat()
    return _name([stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_dev, stat.st_ino])


def _changed(source: Path) -> float:
    stat = source.stat()
    return max(stat.st_mtime, stat.st_ctime)


def _name(parts: list[Any]) -> str:
    return _digest(json.dumps(parts, sort_keys=True).encode())[:32]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digests(data: memoryview) -> list[str]:
    """Return the SHA-256 of each piece of some bytes: several at a time, or it would take as long as all the rest."""
    with ThreadPoolExecutor(thread_count(None)) as pool:
        pieces = (data[begin : begin + _PIECE] for begin in range(0, data.nbytes, _PIECE))
        return list(pool.map(lambda piece: hashlib.sha256(piece).hexdigest(), pieces))


def _write(path: Path, data: bytes, matrix: NDArray[np.float32] | None = None) -> None:
    """Write a file and see it to the disk: after a loss of power there might be zeros in it."""
    with path.open("xb", buffering=0) as file:
        for whole in (memoryview(data), *([_bytes_of(matrix)] if matrix is not None else [])):
            for begin in range(0, whole.nbytes, _PIECE):
                rest = whole[begin : begin + _PIECE]
                while rest.nbytes:
                    rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def _bytes_of(matrix: NDArray[np.float32]) -> memoryview:
    return np.ascontiguousarray(matrix, "<f4").data.cast("B")
