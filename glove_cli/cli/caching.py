"""Where Numba keeps compiled code, for users who can write neither beside the package nor at home."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import tempfile
from pathlib import Path

from glove_cli.errors import OptionError

_VARIABLE, _THREADS = "NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS"
_found: list[Path] = []


def find_room_for_compiled_code() -> None:
    """Name Numba a folder in the system's place for temporary files if it would find none, and end with an error.

    Where there is none that nobody else could have made, it is one for this process only.
    """
    if _VARIABLE in os.environ or not hasattr(os, "getuid"):
        return
    package = Path(__file__).resolve().parent.parent
    if os.access(package, os.W_OK) or _can_be_made(Path(os.path.expanduser("~"), ".cache", "numba")):
        return
    try:
        folder = Path(tempfile.gettempdir(), f"glove-compiled-{os.getuid()}")
        if not _is_ours(folder):
            folder = Path(tempfile.mkdtemp(prefix="glove-compiled-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
    except OSError:
        return
    os.environ[_VARIABLE] = str(folder)
    _found.append(folder)


def check_compiler_settings() -> None:
    """Refuse, in our words, a setting with which Numba can't be loaded.

    Raises
    ------
    OptionError
    """
    value = os.environ.get(_THREADS, "1")
    try:
        threads = int(value)
    except ValueError:  # Numba passes over it with a warning
        return
    if threads < 1:
        raise OptionError(f"{_THREADS}: {value!r} is not a positive number. Unset it, or give 1 or more.")


def place_of_compiled_code() -> Path | None:
    """Return the folder that `find_room_for_compiled_code` named, if it did."""
    return _found[-1] if _found else None


def _is_ours(folder: Path) -> bool:
    """Make a folder, and tell whether nobody else may have put anything there: compiled code is run as it is found."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _can_be_made(folder: Path) -> bool:
    """Tell whether a folder is there and can be written, or could be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
