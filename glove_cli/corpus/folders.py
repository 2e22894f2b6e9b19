"""Files of folders and patterns, in the order of their paths; hidden ones are left out."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Sequence
from pathlib import Path

from glove_cli.corpus.stream import named_errors
from glove_cli.errors import CorpusError
from glove_cli.files import META_NAME, is_our_meta


def files_in(folder: str) -> list[str]:
    """List the files of a folder and of all folders within it.

    Parameters
    ----------
    folder : str

    Returns
    -------
    list of str
        By the bytes of their paths. Links are followed, but each folder is read once, so they may form a circle. What
        begins with a point, pipes and devices, and results of glove are left out.

    Raises
    ------
    CorpusError
        If a folder can't be read.
    """
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    folders = [folder]
    links: list[str] = []
    while folders or links:
        path = folders.pop() if folders else links.pop(0)  # a folder goes by its own name where it has one here
        with named_errors(path):
            status = os.stat(path)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            if is_our_meta(Path(path, META_NAME)):
                continue
            with os.scandir(path) as entries:
                for entry in sorted(entries, key=lambda entry: os.fsencode(entry.name)):
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir():
                        (links if entry.is_symlink() else folders).append(entry.path)
                    elif entry.is_file() or not os.path.exists(entry.path):  # a link to nothing is an error later
                        found.append(entry.path)
    return sorted(found, key=os.fsencode)


def files_matching(pattern: str) -> list[str]:
    """List the files that a pattern matches.

    Parameters
    ----------
    pattern : str
        `*` and `?` stand for characters of a name, `[...]` for one of those listed, `**` as a whole part of the path
        for folders at any depth.

    Returns
    -------
    list of str
        By the bytes of their paths; no folders.

    Raises
    ------
    CorpusError
        If it matches no file.
    """
    parts = pattern.split(os.sep)
    if "**" in parts:
        # glob's own ** goes round and round where links form a circle.
        place = parts.index("**")
        base = os.sep.join(parts[:place]) or (os.sep if place else os.curdir)
        wanted = [part for part in parts[place:] if part]
        found = [
            path.removeprefix(os.path.join(os.curdir, "")) if not place else path
            for root in glob.glob(base)
            if os.path.isdir(root)
            for path in files_in(root)
            if _matches(os.path.relpath(path, root).split(os.sep), wanted)
        ]
    else:
        found = [path for path in glob.glob(pattern) if not os.path.isdir(path)]
    if not found:
        raise no_match(pattern)
    return sorted(found, key=os.fsencode)


def no_match(pattern: str) -> CorpusError:
    """Return the error of a pattern that matches nothing."""
    return CorpusError(f"{pattern}: is no file, and as a pattern it matches none. Check it.")


def no_files(folder: str) -> CorpusError:
    """Return the error of a folder that has no files."""
    return CorpusError(f"{folder}: is a folder without files (hidden ones are left out). Name another.")


def _matches(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Tell whether the parts of a path match those of a pattern."""
    if not wanted:
        return not parts
    if wanted[0] == "**":
        return any(_matches(parts[k:], wanted[1:]) for k in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], wanted[0]) and _matches(parts[1:], wanted[1:])
