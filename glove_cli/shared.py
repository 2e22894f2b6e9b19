"""Files on a network file system that several machines write or read at a time, such as NFS.

Each machine keeps what it has seen. If two write into the same page of a file, each may send the whole page, with zeros
or with what it saw before where the other one writes; and each may then go on reading its own page. On Linux both end
where a lock is held: only what was written is sent, all of it before the lock is let go of, and what was seen is read
anew when it is taken. The lock needn't keep anybody out for that. It is one on a byte that no file has, which all may
share, so that nobody waits for somebody who is lost, and no file system takes it for one on what is written.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Iterable
from io import FileIO
from pathlib import Path

from glove_cli.temporary import temporary_name

_FAR = 1 << 62  # a byte behind the end of any file


def open_shared(path: Path, *, write: bool = False) -> FileIO:
    """Open a file that other machines write or read, too; what was seen of it before is forgotten.

    Parameters
    ----------
    path : Path
    write : bool
        Whether other parts of it than those that others write will be written; it is made if it isn't there.

    Returns
    -------
    io.FileIO
        Unbuffered.

    Raises
    ------
    OSError
        If it can't be opened.
    """
    flags = os.O_RDWR | os.O_CREAT if write else os.O_RDONLY
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)
    if not _lock(descriptor) and write and hasattr(os, "O_DSYNC"):  # then nothing but what is written is sent, either
        os.close(descriptor)
        descriptor = os.open(path, flags | os.O_DSYNC, 0o666)
    return open(descriptor, "r+b" if write else "rb", buffering=0)


def see_files(paths: Iterable[Path]) -> None:
    """Have this machine read files as they are now, whatever it has seen of them.

    Parameters
    ----------
    paths : iterable of Path
        What can't be opened is left to whoever reads it.
    """
    for path in paths:
        with contextlib.suppress(OSError), open_shared(path):
            pass


def see_name(path: Path) -> None:
    """Have this machine see what stands beside a path now, and whether it is there.

    It may remember for a minute that it wasn't; but it looks again when it has changed the folder itself.

    Parameters
    ----------
    path : Path
        If nothing can be made beside it, nothing happens.
    """
    name = temporary_name(path)
    with contextlib.suppress(OSError):
        name.mkdir()
        name.rmdir()


def _lock(descriptor: int) -> bool:
    """Share the lock of an open file with all that have it open; tell whether that went well."""
    if not sys.platform.startswith("linux"):
        return True
    import fcntl

    # Of the open file (F_OFD_SETLK): others of the process would go when any of its descriptors is closed.
    request = struct.pack("hhqqi", fcntl.F_RDLCK, os.SEEK_SET, _FAR, 1, 0)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, request)
    except OSError:
        return False
    return True
