"""Checkpoints that several write, or read, each its own rows: the same files as `checkpoint` makes of a whole state."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glove_cli.errors import FormatError
from glove_cli.files import named_errors, put_folder
from glove_cli.folder import NPY_HEADER_BYTES, FolderWriter, npy_header
from glove_cli.memory import check_disk
from glove_cli.shared import open_shared, see_files
from glove_cli.temporary import remove_folder, temporary_name
from glove_cli.training.checkpoint import ARRAYS, checkpoint_path, drop_old, finish_checkpoint, is_checkpoint
from glove_cli.training.position import Position
from glove_cli.training.state import State, row_width
from glove_cli.vocab import Vocab

_REST = ("place.npy", "vocab.txt", "meta.json")


def begin_parts(folder: Path, position: Position, rows: int, dim: int, dtype: DTypeLike) -> Path:
    """Make a temporary folder with the files of a checkpoint's arrays, at their full size.

    Parameters
    ----------
    folder : Path
        Where checkpoints are.
    position : Position
    rows : int
        Rows of words, and of contexts.
    dim : int
    dtype : float32 or float64

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If it can't be made, or the disk is too small.
    """
    temporary = temporary_name(checkpoint_path(folder, position))
    size = np.dtype(dtype).itemsize
    check_disk(folder, 2 * rows * (row_width(dim) + 1) * size, "a checkpoint")
    with named_errors(folder):
        temporary.mkdir()
        for name, shape in _shapes(rows, dim):
            with (temporary / f"{name}.npy").open("xb") as file:
                file.write(npy_header(np.dtype(dtype), shape))
                file.truncate(NPY_HEADER_BYTES + int(np.prod(shape)) * size)
    return temporary


class MappedState(State):
    """A state whose arrays are files: it takes little memory, however large it is."""

    def release(self, side: int) -> None:
        """Let go of the memory of what was read or written; it stays in the files."""
        mapping: Any = getattr((self.words, self.contexts)[side], "_mmap", None)  # of np.memmap
        if hasattr(mapping, "madvise"):
            mapping.madvise(mmap.MADV_DONTNEED)


def map_state(folder: Path, place: NDArray[np.int32], dim: int, scale: float, *, writable: bool = False) -> MappedState:
    """Return the state in a checkpoint's files.

    Parameters
    ----------
    folder : Path
        A checkpoint, or what `begin_parts` returned.
    place : int32 array (V,)
    dim : int
    scale : float
        See `State`.
    writable : bool
        Whether the files may be changed.

    Raises
    ------
    FormatError
        If one isn't an array.
    """
    try:
        words, contexts, word_lengths, context_lengths = [
            np.load(folder / f"{name}.npy", mmap_mode="r+" if writable else "r", allow_pickle=False) for name in ARRAYS
        ]
    except ValueError as error:
        raise FormatError(f"{folder}: is damaged: {error}. Begin again with --force.") from error
    return MappedState(words, contexts, word_lengths, context_lengths, place, dim, scale)


def write_part(folder: Path, name: str, parts: Iterator[tuple[int, NDArray[Any]]]) -> None:
    """Write rows of one of a checkpoint's arrays where they belong, and see them to the disk.

    Parameters
    ----------
    folder : Path
        What `begin_parts` returned.
    name : str
        Of the array.
    parts : iterator of (int, array)
        The first row of each part, and its rows.

    Raises
    ------
    OutputError
        If they can't be written.
    """
    with named_errors(folder), open_shared(folder / f"{name}.npy", write=True) as file:
        for first, array in parts:
            file.seek(_offset(first, array))
            rest = array.reshape(-1).view(np.uint8).data
            while rest.nbytes:
                rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def read_part(folder: Path, name: str, first: int, target: NDArray[Any]) -> None:
    """Read rows of one of a checkpoint's arrays.

    Parameters
    ----------
    folder : Path
        The checkpoint.
    name : str
        Of the array.
    first : int
        Row.
    target : array
        Filled with the rows from there on.

    Raises
    ------
    FormatError
        If they aren't there.
    """
    path = folder / f"{name}.npy"
    with open_shared(path) as file:
        file.seek(_offset(first, target))
        rest = target.reshape(-1).view(np.uint8).data
        while rest.nbytes:
            done = file.readinto(rest)
            if not done:
                raise FormatError(f"{path}: was cut short while it was read. Begin again with --force.")
            rest = rest[done:]


def see_parts(folder: Path) -> None:
    """Have this machine read a checkpoint's arrays as others have written them.

    Parameters
    ----------
    folder : Path
    """
    see_files(folder / f"{name}.npy" for name in ARRAYS)


def finish_parts(
    temporary: Path,
    folder: Path,
    position: Position,
    place: NDArray[np.int32],
    vocab: Vocab,
    job: dict[str, Any],
    dim: int,
    bias_scale: float,
) -> Path:
    """Put a checkpoint under its name when all rows are written; then drop all but the last two.

    Parameters
    ----------
    temporary : Path
        What `begin_parts` returned.
    folder : Path
        Where checkpoints are.
    position : Position
    place : int32 array (V,)
    vocab : Vocab
    job : dict
    dim : int
    bias_scale : float
        See `State`.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If it can't be written; those before it stand.
    """
    path = checkpoint_path(folder, position)
    if not temporary.exists() and is_checkpoint(path):
        return path  # by a call before this one, whose answer was lost
    see_parts(temporary)
    with named_errors(path):
        for name in _REST:
            (temporary / name).unlink(missing_ok=True)
        writer = FolderWriter(temporary, [f"{name}.npy" for name in ARRAYS])
        finish_checkpoint(writer, place, vocab, position, job, dim, bias_scale)
    put_folder(temporary, path, force=True)
    remove_folder(temporary)  # what stood there before
    drop_old(folder)
    return path


def _shapes(rows: int, dim: int) -> list[tuple[str, tuple[int, ...]]]:
    """Return the name and shape of each array."""
    wide: tuple[int, ...] = (rows, row_width(dim))
    return list(zip(ARRAYS, (wide, wide, (rows,), (rows,)), strict=True))


def _offset(first: int, array: NDArray[Any]) -> int:
    """Return the byte at which a row begins."""
    return NPY_HEADER_BYTES + first * (array.nbytes // len(array))
