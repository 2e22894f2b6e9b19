"""Tiles that are kept in a folder, to be read piece by piece or used again by the next training."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from glove_cli.errors import FormatError, OptionError, OutputError
from glove_cli.files import META_NAME, check_name, existing_parent, is_our_meta, output_folder
from glove_cli.folder import FolderWriter, ResultFolder
from glove_cli.memory import check_disk
from glove_cli.temporary import remove_folder
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import Counts
from glove_cli.training.entries import ENTRIES, FileEntries, MemoryEntries
from glove_cli.training.plan import Plan
from glove_cli.training.tile_names import FORMAT, VERSION
from glove_cli.training.tiles import TileBuilder, Tiles, check_entries
from glove_cli.training.tiling import Deal, deal_words

_ENTRIES = "entries.bin"
_FILES = (_ENTRIES, "starts.npy", "place.npy")
_PIECE = 1 << 24  # entries


def check_tiles_folder(folder: Path, others: Sequence[str | os.PathLike[str]]) -> None:
    """Refuse a folder for tiles that is something else, or in the way of something else.

    Parameters
    ----------
    folder : Path
        Where tiles would be kept.
    others : sequence of path-like
        The result, the matrix, and what training starts from.

    Raises
    ------
    OptionError
        If it is one of the others, or within one, or one is within it.
    OutputError
        If something else stands there.
    """
    check_name(folder)
    place = Path(os.path.realpath(folder))
    for other in others:
        taken = Path(os.path.realpath(other))
        if place == taken or place in taken.parents or taken in place.parents:
            raise OptionError(
                f"--tiles: {folder} and {os.fspath(other)} are in each other's way. Name another folder with --tiles."
            )
    if not os.path.lexists(folder):
        return
    try:
        names = set(os.listdir(folder))
    except OSError as error:
        raise OutputError(f"{folder}: can't be read: {error.strerror}. Name another folder with --tiles.") from error
    if not names <= {META_NAME, *_FILES}:
        raise OutputError(f"{folder}: holds something else than tiles. Remove it, or name another folder with --tiles.")


def prepare_tiles(
    counts: Counts,
    config: TrainConfig,
    plan: Plan,
    folder: Path | None,
    stack: contextlib.ExitStack,
    *,
    workspace: Path | None = None,
    threads: int,
    on_entries: Callable[[int, int], None],
    note: Callable[[str], None],
) -> Tiles:
    """Return the tiles of a matrix: those in the folder, if they are of this matrix, or new ones.

    Parameters
    ----------
    counts : Counts
    config : TrainConfig
    plan : Plan
    folder : Path or None
        Where they are kept; without one, nothing is kept.
    stack : ExitStack
        Closes what has to be closed.
    workspace : Path, optional
        A folder that is removed when all is done: where to make them meanwhile, if it is on the same disk.
    threads : int
    on_entries : callable
        Called with how much is done and how much there is to do, in entries.
    note : callable
        Called with what the user should know.

    Raises
    ------
    TrainingError
        If an entry can't be trained on.
    FormatError
        If the matrix was changed after it was written.
    OutputError
        If tiles don't fit into memory, and can't be written.
    """
    dtype = ENTRIES[config.dtype]
    key = _key(counts, config, plan) if folder is not None else {}
    if folder is not None:
        tiles = _open(folder, key, counts.V, dtype, stack)
        if tiles is not None:
            if not plan.streamed:
                tiles = Tiles(tiles.deal, tiles.starts, _loaded(tiles))
            return tiles
    counts.verify()  # a damaged matrix would go on as a sound one
    memory = plan.limit - (0 if plan.streamed else plan.tiles)
    deal = deal_words(check_entries(counts, threads, memory), plan.blocks)
    builder = TileBuilder(counts, deal, config.holdout, dtype, threads, memory)
    if not plan.streamed:
        tiles = builder.build(lambda size: MemoryEntries(np.empty(size, dtype)), on_entries)
        if folder is not None:  # meanwhile, training begins
            keeping = threading.Thread(target=_keep, args=(tiles, folder, workspace, key, note))
            keeping.start()
            stack.callback(keeping.join)
        return tiles
    if folder is None:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="glove-", ignore_cleanup_errors=True)))
        check_disk(place, plan.tiles, "the tile file")
        tiles = builder.build(lambda size: _new_store(place, dtype, size, stack), on_entries)
        with contextlib.suppress(OSError):  # it stays open; so nothing is left, however this ends
            os.unlink(place / _ENTRIES)
        return tiles
    check_disk(existing_parent(folder), plan.tiles, "the tile file")
    with _new_folder(folder, workspace) as temporary:
        tiles = builder.build(lambda size: _new_store(temporary, dtype, size, stack), on_entries)
        _write_meta(temporary, tiles, key)
    return tiles


def keep_tiles(
    counts: Counts,
    config: TrainConfig,
    plan: Plan,
    folder: Path,
    *,
    threads: int,
    on_entries: Callable[[int, int], None] = lambda done, total: None,
    verify: bool = True,
) -> dict[str, Any]:
    """See to it that a folder holds the tiles of a matrix, to be opened by `open_tiles`.

    Parameters
    ----------
    counts : Counts
    config : TrainConfig
    plan : Plan
    folder : Path
    threads : int
    on_entries : callable
        See `TileBuilder.build`.
    verify : bool
        Whether tiles that are there already are compared with their checksums.

    Returns
    -------
    dict
        What `open_tiles` has to be told of them.

    Raises
    ------
    TrainingError, FormatError, OutputError
        See `prepare_tiles`.
    """
    key = _key(counts, config, plan)
    on_disk = replace(plan, limit=min(plan.limit, plan.tiles + plan.buffers - 1))
    with contextlib.ExitStack() as stack:
        if _open(folder, key, counts.V, ENTRIES[config.dtype], stack, verify=verify) is None:
            prepare_tiles(
                counts, config, on_disk, folder, stack, threads=threads, on_entries=on_entries, note=lambda text: None
            )
    return key


def open_tiles(
    folder: Path, key: dict[str, Any], V: int, config: TrainConfig, stack: contextlib.ExitStack
) -> Tiles | None:
    """Return tiles of a folder, whose entries stay there, or None if it holds others.

    Parameters
    ----------
    folder : Path
    key : dict
        What `keep_tiles` returned.
    V : int
        Number of words.
    config : TrainConfig
    stack : ExitStack
        Closes the file.
    """
    return _open(folder, key, V, ENTRIES[config.dtype], stack, verify=False)


def _key(counts: Counts, config: TrainConfig, plan: Plan) -> dict[str, Any]:
    """Return all that tiles depend on."""
    return {
        "matrix": counts.hashes(),
        "nnz": counts.nnz,
        "blocks": plan.blocks,
        "holdout": config.holdout,
        "dtype": config.dtype,
    }


def _keep(tiles: Tiles, folder: Path, workspace: Path | None, key: dict[str, Any], note: Callable[[str], None]) -> None:
    """Write tiles that are in memory to a folder, for the next training; without them it makes its own."""
    dtype, size = tiles.entries.dtype, int(tiles.starts[-1])
    try:
        check_disk(existing_parent(folder), size * dtype.itemsize, "keeping the tiles for the next training")
        with _new_folder(folder, workspace) as temporary:
            with contextlib.closing(FileEntries(temporary / _ENTRIES, dtype, size=size)) as store:
                for first in range(0, size, _PIECE):
                    last = min(first + _PIECE, size)
                    store.write(first, tiles.entries.read(first, last, np.empty(0, dtype)))
            _write_meta(temporary, tiles, key)
    except (OutputError, OSError, RuntimeError, MemoryError) as error:  # whatever it is, the training goes on
        note(f"The tiles are not kept for the next training: {error}")


@contextlib.contextmanager
def _new_folder(folder: Path, workspace: Path | None) -> Iterator[Path]:
    """Give a temporary folder that becomes the folder of tiles, in place of an old one."""
    temporary = None
    check_tiles_folder(folder, [])
    if os.path.isdir(folder) and not is_our_meta(folder / META_NAME):  # damaged tiles
        shutil.rmtree(folder)
    if workspace is not None and os.stat(workspace).st_dev == os.stat(existing_parent(folder)).st_dev:
        temporary = workspace / "tiles"
        remove_folder(temporary)  # of a run that was killed
    with output_folder(folder, force=True, temporary=temporary) as made:
        yield made


def _new_store(folder: Path, dtype: np.dtype[np.void], size: int, stack: contextlib.ExitStack) -> FileEntries:
    return stack.enter_context(contextlib.closing(FileEntries(folder / _ENTRIES, dtype, size=size)))


def _loaded(tiles: Tiles) -> MemoryEntries:
    """Return the entries of a file in memory."""
    size = int(tiles.starts[-1])
    array = np.empty(size, tiles.entries.dtype)
    for first in range(0, size, _PIECE):
        tiles.entries.read(first, min(first + _PIECE, size), array[first:])
    return MemoryEntries(array)


def _write_meta(folder: Path, tiles: Tiles, key: dict[str, Any]) -> None:
    writer = FolderWriter(folder, [_ENTRIES])
    writer.array("starts", tiles.starts)
    writer.array("place", tiles.deal.place)
    writer.finish(FORMAT, VERSION, key=key)


def _open(
    folder: Path,
    key: dict[str, Any],
    V: int,
    dtype: np.dtype[np.void],
    stack: contextlib.ExitStack,
    *,
    verify: bool = True,
) -> Tiles | None:
    """Return the tiles in a folder, or None if there are none of this kind, or damaged ones."""
    try:
        inode = os.stat(folder).st_ino
        opened = ResultFolder.open(folder, FORMAT, VERSION, remedy="")
        if opened.meta.get("version") != VERSION or opened.meta.get("key") != json.loads(json.dumps(key)):
            return None
        if verify:
            opened.verify()  # a wrong number would spoil the vectors, or worse
        blocks = int(key["blocks"])
        starts = np.array(opened.array("starts", np.int64, (2 * blocks**2 + 1,)))
        place = np.array(opened.array("place", np.int32, (V,)))
        store = stack.enter_context(contextlib.closing(FileEntries(folder / _ENTRIES, dtype)))
        if os.stat(folder).st_ino != inode:  # another training has just put its own there
            return None
    except (FormatError, OutputError, OSError, ValueError):
        return None
    return Tiles(Deal(place, -(-len(place) // blocks), blocks), starts, store)
