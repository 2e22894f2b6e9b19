"""Provisional ids on their way from the text to the counting: in memory while they are few, in a file from then on."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OutputError
from glove_cli.files import FULL_DISK

_MADV_POPULATE_WRITE = 23
_PIECE = 1 << 24


class Spool:
    """A long row of int32 ids that is written once, from its beginning to its end, and then read.

    Attributes
    ----------
    length : int
        Ids written.
    path : Path
        The file, if one is needed.
    in_memory : bool
        Whether no file was needed so far.
    kept : bool
        Whether ids can be read again.
    check : int
        CRC-32 of the ids in the file.

    Parameters
    ----------
    path : Path
        The file to make once the ids don't fit in memory.
    memory : int
        Bytes of memory that the ids may take.
    margin : int
        Places to leave before the ids and behind them in the array in memory.
    """

    def __init__(self, path: Path, memory: int, margin: int = 0) -> None:
        self.path = path
        self.length = 0
        self.check = 0
        self._margin = margin
        self._room = memory // 4
        # Memory that is not touched costs nothing.
        self._ids: NDArray[np.int32] | None = np.empty(self._room + 2 * margin, np.int32)
        self._file: BinaryIO | None = None

    @classmethod
    def open(cls, path: Path, length: int, check: int) -> Spool:
        """Open the file of a spool whose first `length` ids are good; what follows them is dropped.

        Raises
        ------
        OutputError
            If the file is gone, shorter, or its ids are others than those with this `check`.
        """
        spool = cls(path, 0)
        spool._ids = None
        with _named_errors(path):
            spool._file = path.open("r+b", buffering=0)
            if os.fstat(spool._file.fileno()).st_size < 4 * length:
                raise OutputError(f"{path}: was cut short by another program. Begin again, with --force.")
            spool._file.truncate(4 * length)
            while piece := spool._file.read(_PIECE):
                spool.check = zlib.crc32(piece, spool.check)
        if spool.check != check:
            spool._file.close()
            raise OutputError(f"{path}: was changed after it was written. Begin again, with --force.")
        spool.length = length
        return spool

    def warm(self, ids: int) -> threading.Thread:
        """Have the system find memory for the first ids, in a thread that ends by itself: new memory takes time.

        Parameters
        ----------
        ids : int
            How many there will be, about.
        """
        size = 4 * min(ids, self._room)
        thread = threading.Thread(target=_populate, args=(self._ids, size), daemon=True)
        thread.start()
        return thread

    @property
    def in_memory(self) -> bool:
        """Whether no file was needed so far."""
        return self._ids is not None

    @property
    def kept(self) -> bool:
        """Whether ids can be read again."""
        return True

    def append(self, ids: NDArray[np.int32]) -> None:
        """Write ids behind the others.

        Raises
        ------
        OutputError
            If there is no room on the disk.
        """
        if self._ids is not None and self.length + ids.size > self._room:
            self.spill()
        if self._ids is not None:
            begin = self._margin + self.length
            self._ids[begin : begin + ids.size] = ids
        else:
            self._write(ids)
        self.length += ids.size

    def spill(self) -> None:
        """Move what is in memory to the file."""
        if self._ids is None:
            return
        with _named_errors(self.path):
            self._file = self.path.open("x+b", buffering=0)
        ids, self._ids = self._ids[self._margin : self._margin + self.length], None
        self._write(ids)

    def sync(self) -> None:
        """See the file to the disk."""
        if self._file is not None:
            with _named_errors(self.path):
                os.fsync(self._file.fileno())

    def read(self, begin: int, out: NDArray[np.int32]) -> None:
        """Fill an array with the ids from `begin` on.

        Raises
        ------
        OutputError
            If the file was cut short.
        """
        if self._ids is not None:
            out[:] = self._ids[self._margin + begin : self._margin + begin + out.size]
            return
        assert self._file is not None
        data = out.data.cast("B") if out.size else memoryview(b"")
        with _named_errors(self.path):
            self._file.seek(4 * begin)
            while data.nbytes:
                got = self._file.readinto(data)  # type: ignore[attr-defined]
                if not got:
                    raise OutputError(f"{self.path}: was cut short by another program. Begin again, with --force.")
                data = data[got:]

    def take(self) -> NDArray[np.int32]:
        """Give up the array in memory: `margin` places, the ids, and at least `margin` places."""
        assert self._ids is not None
        ids, self._ids = self._ids, None
        return ids

    def close(self) -> None:
        """Close the file and free the memory; the file stays."""
        if self._file is not None:
            self._file.close()
        self._ids = None

    def _write(self, ids: NDArray[np.int32]) -> None:
        assert self._file is not None
        data = ids.data.cast("B") if ids.size else memoryview(b"")
        with _named_errors(self.path):
            while data.nbytes:
                written = self._file.write(data)
                self.check = zlib.crc32(data[:written], self.check)
                data = data[written:]


class Nowhere(Spool):
    """A spool that keeps nothing, for a corpus whose words alone are wanted."""

    def __init__(self) -> None:
        super().__init__(Path(), 0)

    @property
    def kept(self) -> bool:
        """Whether ids can be read again."""
        return False

    def append(self, ids: NDArray[np.int32]) -> None:
        """Count the ids."""
        self.length += ids.size


def _populate(ids: NDArray[np.int32] | None, size: int) -> None:
    """Have memory found for the first `size` bytes of an array, where the system can (Linux 5.14)."""
    page = mmap.PAGESIZE
    if ids is None or size < page or not sys.platform.startswith("linux"):
        return
    begin = -(-ids.ctypes.data // page) * page
    with contextlib.suppress(OSError, AttributeError):
        madvise = ctypes.CDLL(None).madvise
        madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        madvise(begin, min(size, ids.nbytes - page) // page * page, _MADV_POPULATE_WRITE)


@contextlib.contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Turn a failed write or read into an error that names the folder."""
    try:
        yield
    except OSError as error:
        what = "no room for the temporary file" if error.errno in FULL_DISK else "can't keep a temporary file"
        raise OutputError(
            f"{path.parent}: {what}: {error.strerror}. Free space there, or name another folder with --tmp."
        ) from error
