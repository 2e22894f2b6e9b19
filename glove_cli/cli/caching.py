"""Where Numba keeps compiled code, for users who can write neither beside the package nor at home."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

_VARIABLE = "NUMBA_CACHE_DIR"


def find_room_for_compiled_code() -> None:
    """Name Numba a folder in the system's place for temporary files if it would find none, and end with an error."""
    if _VARIABLE in os.environ or not hasattr(os, "getuid"):
        return
    package = Path(__file__).resolve().parent.parent
    if os.access(package, os.W_OK) or _can_be_made(Path(os.path.expanduser("~"), ".cache", "numba")):
        return
    folder = Path(tempfile.gettempdir(), f"glove-compiled-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = os.lstat(folder)
    except OSError:
        return
    # Compiled code is run as it is found, so nobody else may have put it there.
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
        os.environ[_VARIABLE] = str(folder)


def _can_be_made(folder: Path) -> bool:
    """Tell whether a folder is there and can be written, or could be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
