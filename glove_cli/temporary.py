"""Temporary files beside a result: their names, the locks that show that somebody writes them, and how they go away."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

_NAME_KEPT = 40  # characters of an output's name in that of its temporary file
_RANDOM_PART = re.compile(r"\.[0-9a-f]{12}\.tmp")
_YOUNGEST = 60.0  # seconds; what is younger may be a file whose writer was about to lock it
_TRIES = 2  # a disk or a memory that failed once may not do so again


def temporary_name(path: Path) -> Path:
    """Return a name beside a result that no other has.

    Parameters
    ----------
    path : Path
        The result.
    """
    # Cut, so that every name that the system allows has a temporary one.
    return path.with_name(f".{path.name[:_NAME_KEPT]}.{secrets.token_hex(6)}.tmp")


def sweep(path: Path) -> None:
    """Remove what runs that were killed while they wrote a result have left beside it: nobody holds its lock.

    Parameters
    ----------
    path : Path
        The result.
    """
    begin = f".{path.name[:_NAME_KEPT]}"
    with contextlib.suppress(OSError):
        for left in path.absolute().parent.iterdir():
            if not left.name.startswith(begin) or not _RANDOM_PART.fullmatch(left.name[len(begin) :]):
                continue
            with contextlib.suppress(OSError), locked(left) as free:
                if free and time.time() - left.lstat().st_mtime >= _YOUNGEST:
                    remove_folder(left) if left.is_dir() else remove_file(left)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool | None]:
    """Hold the lock of a file or folder; give what `lock` returns.

    Parameters
    ----------
    path : Path

    Yields
    ------
    bool or None
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # systems on which a folder can't be opened
        yield None
        return
    try:
        yield lock(descriptor)
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def lock(descriptor: int) -> bool | None:
    """Lock an open file until it is closed or the process ends.

    Parameters
    ----------
    descriptor : int

    Returns
    -------
    bool or None
        False if another holds it; None where there are no such locks.
    """
    try:
        import fcntl
    except ImportError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


def remove_file(path: Path) -> None:
    """Remove a temporary file, if it is there and the system lets it go.

    Parameters
    ----------
    path : Path
    """
    for _ in range(_TRIES):
        with contextlib.suppress(OSError):
            path.unlink()
            return


def remove_folder(path: Path) -> None:
    """Remove a temporary folder with what is in it, as far as the system lets it go.

    Parameters
    ----------
    path : Path
    """
    for _ in range(_TRIES):
        with contextlib.suppress(OSError):  # Python's own raises some of those that it was told to ignore
            shutil.rmtree(path, ignore_errors=True)
