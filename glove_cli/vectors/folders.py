"""Folders that hold vectors for one other program; a `meta.json` says which, and lets `--force` replace them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from glove_cli.errors import OptionError
from glove_cli.files import is_stream, output_folder
from glove_cli.folder import FolderWriter
from glove_cli.vectors.names import EXPORT_FORMAT, EXPORT_VERSION


@contextlib.contextmanager
def export_folder(
    out: str | os.PathLike[str] | BinaryIO, kind: str, *, force: bool, **meta: Any
) -> Iterator[FolderWriter]:
    """Make a folder for another program that appears when it is complete.

    Parameters
    ----------
    out : path-like
        The folder to make.
    kind : str
        Name of the format.
    force : bool
        Whether a result of ours may be replaced.
    **meta
        What else its `meta.json` says.

    Yields
    ------
    writer : FolderWriter
        Files that are written to its `path` are to be listed in its `names`.

    Raises
    ------
    OptionError
        If `out` is a stream.
    OutputError
        If `out` exists and may not be replaced, or can't be written.
    """
    if not isinstance(out, (str, os.PathLike)) or is_stream(out):
        raise OptionError(f"--format: {kind} makes a folder, so it can't be written to a stream. Name a folder.")
    with output_folder(out, force=force) as folder:
        writer = FolderWriter(folder)
        yield writer
        writer.finish(EXPORT_FORMAT, EXPORT_VERSION, program=kind, **meta)
