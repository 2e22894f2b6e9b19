"""Files that fsspec reaches: s3://, gs://, https://, memory:// and whatever else it knows."""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from glove_cli.corpus.folders import no_files, no_match
from glove_cli.corpus.stream import missing_package, named_errors, reason_of
from glove_cli.errors import CorpusError

_ADDRESS = re.compile(r"(?:[A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+://")
_PASSWORD = re.compile(r"(://[^/@:]*):[^/@]*@")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a file system of fsspec.

    Attributes
    ----------
    name : str
        What messages call it: its address, without a password.
    size : int or None
        Bytes, where known.
    system : fsspec.AbstractFileSystem
        Where it lies.
    path : str
        Its path there.
    """

    name: str
    size: int | None
    system: Any
    path: str

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open it for reading."""
        with contextlib.ExitStack() as stack:
            with named_errors(self.name):
                file = stack.enter_context(self.system.open(self.path, "rb"))
            yield file


def is_remote(name: str) -> bool:
    """Tell whether a name is an address."""
    return _ADDRESS.match(name) is not None


def find_remote(address: str) -> list[RemoteFile]:
    """List the files of an address.

    Parameters
    ----------
    address : str
        Of a file, of a folder, or a pattern, where the file system knows these.

    Returns
    -------
    list of RemoteFile
        By their paths; hidden ones are left out of folders and patterns.

    Raises
    ------
    CorpusError
        If there is none, it can't be reached, or a package is missing.
    """
    name = _PASSWORD.sub(r"\1:***@", address)
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise missing_package(name, "fsspec", "remote") from error
    with named_errors(name):
        try:
            system, path = url_to_fs(address)
        except ImportError as error:  # each kind of address has a package of its own
            raise CorpusError(f"{name}: needs another package: {reason_of(error)}. Install it with pip.") from error
        try:
            info = system.info(path)
        except FileNotFoundError:
            if not glob.has_magic(path):
                raise
            found, missing = system.glob(path, detail=True), no_match(name)
        else:
            if info["type"] != "directory":
                return [RemoteFile(name, info.get("size"), system, path)]
            found, missing = system.find(path, detail=True), no_files(name)
    files = [
        RemoteFile(_PASSWORD.sub(r"\1:***@", system.unstrip_protocol(file)), about.get("size"), system, file)
        for file, about in sorted(found.items(), key=lambda item: os.fsencode(item[0]))
        if about["type"] != "directory" and file.count("/.") <= path.count("/.")  # no more is hidden than was asked for
    ]
    if not files:
        raise missing
    return files
