"""The folder of an approximate index: `graph.usearch`, and a `meta.json` that says what it is of."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from glove_cli.errors import FormatError, OutputError
from glove_cli.files import META_NAME, check_folder
from glove_cli.folder import ResultFolder, check_exists, read_meta
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.names import METRICS
from glove_cli.vocab import word_to_bytes

INDEX_FORMAT, INDEX_VERSION = "glove-index", 1
GRAPH_NAME = "graph.usearch"
REMEDY = "Make it again with --force, or name another folder."
_PIECE_VALUES = 1 << 22


def check_index(path: str | os.PathLike[str], *, force: bool = False) -> bool:
    """Refuse, before any work, an index that could not be made or used; tell whether it is to be made.

    Parameters
    ----------
    path : path-like
        Its folder.
    force : bool
        Whether one that is there is to be made again.

    Returns
    -------
    bool
        Whether there is none, or `force` is true.

    Raises
    ------
    OutputError
        If usearch is not installed, or the folder can't be made or is something else than an index.
    FormatError
        If there is something that is no finished index.
    """
    path = Path(path)
    usearch_index(path)
    if os.path.lexists(path) and not force:
        open_folder(path)
        return False
    check_folder(path, force=force)
    if (path / META_NAME).exists() and read_meta(path, remedy=REMEDY).get("format") != INDEX_FORMAT:
        raise OutputError(f"{path}: is another result, not an index, so it isn't replaced. Name another folder.")
    return True


def open_folder(path: Path) -> ResultFolder:
    """Open the folder of an index and check what its `meta.json` says.

    Parameters
    ----------
    path : Path

    Raises
    ------
    FormatError
        If there is no index, or what describes it is damaged.
    """
    check_exists(path, remedy="Leave out its name, or have it made.")
    folder = ResultFolder.open(path, INDEX_FORMAT, INDEX_VERSION, remedy=REMEDY)
    meta = folder.meta
    recall = meta.get("recall")
    good = (
        GRAPH_NAME in meta["files"]
        and meta.get("metric") in METRICS
        and all(_is_number(meta.get(name), int, 1) for name in ("V", "dim", "expansion"))
        and _is_number(meta.get("scale"), (int, float), 0)
        and isinstance(recall, dict)
        and _is_number(recall.get("words"), int, 1)
        and _is_number(recall.get("value"), (int, float), 0)
    )
    if not good:
        raise FormatError(f"{path / META_NAME}: is damaged: something that describes an index is missing. {REMEDY}")
    return folder


def save_graph(graph: Any, file: Path, path: Path) -> None:
    """Write a graph, all of it.

    Parameters
    ----------
    graph : usearch.index.Index
    file : Path
        The file to make.
    path : Path
        What errors call the index.

    Raises
    ------
    OutputError
        If it can't be written.
    """
    try:
        graph.save(file)
        missing = graph.serialized_length - file.stat().st_size
    except RuntimeError as error:
        raise OutputError(f"{path}: can't be written: {error}. Free space or choose another place.") from error
    if missing:
        raise OutputError(f"{path}: {missing:,} bytes couldn't be written. Free space or choose another place.")


def usearch_index(path: Path) -> Any:
    """Return the module usearch.index.

    Parameters
    ----------
    path : Path
        The index that it is needed for.

    Raises
    ------
    OutputError
        If usearch is not installed.
    """
    try:
        import usearch.index
    except ImportError:
        raise OutputError(
            f"{path}: needs the package usearch. Install it with: pip install 'glove-cli[index]'."
        ) from None
    return usearch.index


def vectors_digest(vectors: WordVectors, threads: int) -> str:
    """Return the SHA-256 of the words, and of the SHA-256 of each piece of the matrix, several at a time.

    Parameters
    ----------
    vectors : WordVectors
    threads : int
        How many pieces at a time; the result is the same.
    """
    step = max(1, _PIECE_VALUES // max(1, vectors.dim))

    def piece(begin: int) -> bytes:
        return hashlib.sha256(np.ascontiguousarray(vectors.matrix[begin : begin + step], "<f4").data).digest()

    whole = hashlib.sha256(word_to_bytes("\n".join(vectors.words)))
    whole.update(np.fromiter(map(len, vectors.words), "<i8", len(vectors)).data)  # a word may hold a line end
    with ThreadPoolExecutor(threads) as pool:
        for digest in pool.map(piece, range(0, len(vectors), step)):
            whole.update(digest)
    return whole.hexdigest()


def _is_number(value: object, kind: Any, least: int) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and value >= least
