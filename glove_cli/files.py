"""Outputs that appear complete or not at all.

A file or folder is written under a temporary name next to its place, synced, and renamed. Whatever
interrupts the writing leaves what stood there before. A pipe or a device is written straight through.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from glove_cli.errors import OutputError
from glove_cli.inputs import parse_json
from glove_cli.temporary import lock, locked, remove_file, remove_folder, sweep, temporary_name

META_NAME = "meta.json"
FORMAT_PREFIX = "glove-"  # of the formats that a meta.json of ours names
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WRITE_ERRORS = (*FULL_DISK, errno.EIO, errno.EROFS)
_AT_FDCWD = -100
_RENAME_NOREPLACE, _RENAME_EXCHANGE = 1, 2
_SYNC_FILE_RANGE_WRITE = 2
_OPEN_FILES = ("/dev/stdout", "/dev/stderr")  # links, as often to a file as to a terminal or a pipe
_FOLDERS_OF_OPEN_FILES = ("/dev/fd", "/proc/self/fd")
_NOT_OURS_AND_HARMLESS = {".DS_Store"}


def check_output(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Refuse, before any long work, an output that could not be written at its end.

    Parameters
    ----------
    path : path-like
        A file or folder to be made. Missing parent folders are made when it is written.
    force : bool
        Whether something that already stands at `path` may be replaced.

    Raises
    ------
    OutputError
        If `path` exists and `force` is false, or no folder can be written there.
    """
    path = Path(path)
    if is_stream(path):
        return
    if not path.name:
        what = "the root of all folders" if path.is_absolute() else "the folder you are in"
        raise OutputError(f"{path}: is {what}, and can't be replaced. Give another name.")
    if not force and os.path.lexists(path):
        raise OutputError(f"{path}: already exists. Use --force to replace it, or choose another name.")
    parent = existing_parent(path)
    if not os.path.isdir(parent):
        raise OutputError(f"{path}: {parent} is not a folder. Choose another place.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(
            f"{path}: the folder {parent} can't be written. Choose another place or change its permissions."
        )


def check_name(path: Path) -> None:
    """Refuse a path whose last part names nothing new, such as `.` or `x/..`.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OutputError
    """
    if path.name in ("", ".."):
        raise OutputError(f"{path}: is a folder that is there already, and can't be replaced. Give another name.")


def existing_parent(path: Path) -> Path:
    """Return the nearest folder above a path that exists.

    Parameters
    ----------
    path : Path
    """
    parent = path.absolute().parent
    while not os.path.exists(parent):
        parent = parent.parent
    return parent


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Tell whether `path` is something to write through (a pipe, a device, /dev/stdout), not a file to replace."""
    path = Path(path)
    try:
        mode = os.stat(path).st_mode  # once: a file that can't be looked at a second time would be written on
    except (OSError, ValueError):
        return False
    if stat.S_ISDIR(mode):
        return False
    return not stat.S_ISREG(mode) or str(path) in _OPEN_FILES or str(path.parent) in _FOLDERS_OF_OPEN_FILES


@contextlib.contextmanager
def output_file(path: str | os.PathLike[str], *, force: bool = False) -> Iterator[BinaryIO]:
    """Open a binary file for writing that appears under its name only when the block ends well.

    Parameters
    ----------
    path : path-like
        The file to make; a pipe or device is written straight through.
    force : bool
        Whether an existing file may be replaced.

    Yields
    ------
    file : binary file

    Raises
    ------
    OutputError
        If `path` exists and `force` is false, is a folder, or can't be written (also when the disk is full).
    """
    with output_files(path, force=force) as (file,):
        yield file


@contextlib.contextmanager
def output_files(*paths: str | os.PathLike[str], force: bool = False) -> Iterator[tuple[BinaryIO, ...]]:
    """Open binary files for writing that appear under their names, all or none, only when the block ends well.

    Parameters
    ----------
    *paths : path-like
        The files to make; pipes and devices are written straight through. An error of a full disk within the block is
        said of the last one.
    force : bool
        Whether existing files may be replaced.

    Yields
    ------
    files : tuple of binary files

    Raises
    ------
    OutputError
        As of `output_file`.
    """
    names = [Path(path) for path in paths]
    for path in names:
        check_output(path, force=force)
        if os.path.isdir(path):
            raise OutputError(f"{path}: is a folder, a file was to be written there. Choose another name.")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_full_disk_named(names[-1]))
        temporary = {path: stack.enter_context(_temporary_file(path)) for path in names if not is_stream(path)}
        streams = {path: stack.enter_context(_stream(path)) for path in names if path not in temporary}
        yield tuple(streams[path] if path in streams else temporary[path][1] for path in names)
        for path, (_, file) in temporary.items():
            with named_errors(path):
                file.flush()
                os.fsync(file.fileno())
                file.close()
        with contextlib.ExitStack() as undo:
            for path, (name, _) in reversed(temporary.items()):
                with named_errors(path):
                    undo.callback(_put(name, path, force=force))
            undo.pop_all()


@contextlib.contextmanager
def _stream(path: Path) -> Iterator[BinaryIO]:
    with contextlib.ExitStack() as stack:
        with named_errors(path):
            stream = stack.enter_context(path.open("ab"))  # after what stands in a file behind /dev/stdout
        yield stream


@contextlib.contextmanager
def _temporary_file(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Give the name of a temporary file beside `path`, and the file; it is removed in the end."""
    temporary = temporary_name(path)
    try:
        _make_parents(path)
        sweep(path)
        with named_errors(path):
            file = temporary.open("xb")
        with file:
            lock(file.fileno())
            yield temporary, file
    finally:
        remove_file(temporary)


@contextlib.contextmanager
def output_folder(
    path: str | os.PathLike[str], *, force: bool = False, temporary: Path | None = None, format: str | None = None
) -> Iterator[Path]:
    """Make a folder that appears under its name only when the block ends well.

    Parameters
    ----------
    path : path-like
        The folder to make.
    force : bool
        Whether an existing result may be replaced. A folder that isn't empty and has no `meta.json` of ours never is.
    temporary : Path, optional
        Where to make it meanwhile, on the same disk; a name beside `path` unless given.
    format : str, optional
        Replace no result of another format.

    Yields
    ------
    temporary : Path
        The folder to write the files into.

    Raises
    ------
    OutputError
        If `path` exists and may not be replaced, or can't be written (also when the disk is full).
    """
    path = Path(path)
    check_folder(path, force=force, format=format)
    temporary = temporary if temporary is not None else temporary_name(path)
    try:
        _make_parents(path)
        sweep(path)
        with named_errors(path):
            temporary.mkdir()
            with locked(temporary):
                yield temporary
        put_folder(temporary, path, force=force)
    finally:
        remove_folder(temporary)


def put_folder(temporary: Path, path: Path, *, force: bool) -> None:
    """See a folder that is complete to the disk, and put it under its name.

    Parameters
    ----------
    temporary, path : Path
        On one disk.
    force : bool
        See `output_folder`.

    Raises
    ------
    OutputError
    """
    with named_errors(path):
        for name in sorted(os.listdir(temporary)):
            sync_file(temporary / name)
        _sync_folder(temporary)
        _put(temporary, path, force=force)


@contextlib.contextmanager
def scratch_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a folder for temporary files on the disk of a result that is being written; it goes away with the block.

    Parameters
    ----------
    path : path-like
        The result. Whoever writes it next removes what a kill left of the folder.
    """
    path = Path(path)
    temporary = temporary_name(path)
    try:
        with named_errors(path):
            temporary.mkdir()
            with locked(temporary):
                yield temporary
    finally:
        remove_folder(temporary)


def check_folder(path: str | os.PathLike[str], *, force: bool = False, format: str | None = None) -> None:
    """Refuse, before any long work, a result's folder that could not be made at its end.

    Parameters
    ----------
    path : path-like
        The folder to make.
    force : bool
        Whether an existing result may be replaced.
    format : str, optional
        Of the new result; one of another format isn't replaced.

    Raises
    ------
    OutputError
        As `check_output`, or if what stands there isn't a result of glove, is one of another kind, or holds more.
    """
    path = Path(path)
    check_output(path, force=force)
    with named_errors(path):
        _check_replaceable(path, path, format)
        if os.path.isdir(path) and os.path.samefile(path, os.curdir):
            raise OutputError(f"{path}: is the folder you are in, which can't be replaced. Name another folder.")


def check_apart(out: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse an output that is an input, lies in one, or holds one: it would be lost.

    Parameters
    ----------
    out : path-like
        The file or folder to make.
    inputs : iterable of path-like
        Files and folders that are read.

    Raises
    ------
    OutputError
    """
    if is_stream(out):
        return
    place = Path(os.path.realpath(out))
    for read in inputs:
        other = Path(os.path.realpath(read))
        if place == other or (place.is_relative_to(other) and other.is_dir()):
            raise OutputError(f"{os.fspath(out)}: is {os.fspath(read)}, which is read, or in it. Choose another name.")
        if other.is_relative_to(place):
            raise OutputError(f"{os.fspath(out)}: holds {os.fspath(read)}, which is read. Choose another name.")


def _check_replaceable(path: Path, name: Path, format: str | None) -> None:
    """Refuse to replace a folder that isn't a result, is one of another format, or holds what is no part of it.

    `name` is what the error calls it.
    """
    if not os.path.lexists(path):
        return
    advice = "so --force won't replace it. Choose another name."
    if os.path.islink(path) or not os.path.isdir(path):
        raise OutputError(f"{name}: is not a result of glove, {advice}")
    there = set(os.listdir(path)) - _NOT_OURS_AND_HARMLESS
    if not there:
        return
    meta = _meta_of(path)
    old = str(meta.get("format"))
    if not old.startswith(FORMAT_PREFIX):
        raise OutputError(f"{name}: is not a result of glove, {advice}")
    if format is not None and old != format:
        raise OutputError(f"{name}: is a {old}, not a {format}, {advice}")
    files = meta.get("files")
    more = sorted(there - {META_NAME} - set(files)) if isinstance(files, dict) else []
    if more:
        raise OutputError(f"{name}: holds {more[0]!r}, which is no part of the result, {advice}")


def _meta_of(folder: Path) -> dict[str, Any]:
    """Return what a folder's `meta.json` says, or nothing."""
    with contextlib.suppress(OSError, ValueError):
        meta = parse_json((folder / META_NAME).read_bytes())
        return meta if isinstance(meta, dict) else {}
    return {}


def is_our_meta(meta: Path) -> bool:
    """Tell whether a `meta.json` describes a result of glove: other programs have files of that name as well.

    Parameters
    ----------
    meta : Path
    """
    return str(_meta_of(meta.parent).get("format")).startswith(FORMAT_PREFIX)


def _put(temporary: Path, path: Path, *, force: bool) -> Callable[[], object]:
    """Put `temporary` at `path` and see the name to the disk; if that fails, what stood there stands there again.

    What it returns does the same later. What may not be replaced isn't, also if it has come there just now.
    """
    undo = _take_place(temporary, path, force=force)
    try:
        _sync_folder(path.absolute().parent)
    except OSError:
        undo()
        raise
    return undo


def _take_place(temporary: Path, path: Path, *, force: bool) -> Callable[[], object]:
    """Put `temporary` at `path`; return what undoes it. `temporary` then holds what stood there, if anything did."""
    if not force or not os.path.lexists(path):
        _rename_new(temporary, path)
        return partial(os.rename, path, temporary)
    if _exchange(temporary, path):
        undo = partial(_exchange, temporary, path)
        try:
            _check_came_out(temporary, path)
        except OutputError:
            undo()
            raise
        return undo
    if path.is_dir():
        _change_places(temporary, path)
        return partial(_change_places, temporary, path)
    os.replace(temporary, path)  # never without a file of this name, but also without a way back
    return lambda: None


def _change_places(temporary: Path, path: Path) -> None:
    """Swap two names in three steps."""
    aside = temporary_name(path)
    os.rename(path, aside)
    try:
        os.rename(temporary, path)
    except BaseException:
        os.rename(aside, path)
        raise
    os.rename(aside, temporary)


def _check_came_out(old: Path, path: Path) -> None:
    """Refuse to have replaced at `path` what is now at `old`, if it is none of what may be replaced there."""
    if path.is_dir():
        _check_replaceable(old, path, str(_meta_of(path).get("format")))
    elif old.is_dir() and not old.is_symlink():
        raise OutputError(f"{path}: is a folder, a file was to be written there. Choose another name.")


def _rename_new(a: Path, b: Path) -> None:
    """Rename where nothing may stand.

    Raises
    ------
    OutputError
        If something has come to stand there.
    """
    if _renameat2(a, b, _RENAME_NOREPLACE):
        return
    if os.path.lexists(b):
        raise OutputError(f"{b}: was made by another while this was made, and stays. Choose another name.")
    os.rename(a, b)


def _exchange(a: Path, b: Path) -> bool:
    """Swap two names in one step, where the system can."""
    return _renameat2(a, b, _RENAME_EXCHANGE)


def _renameat2(a: Path, b: Path, flag: int) -> bool:
    """Swap two names, or rename where nothing stands, in one step; where the system can (Linux)."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), flag) == 0


def _make_parents(path: Path) -> None:
    with named_errors(path):
        path.absolute().parent.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turn a failed write into an error that names the output, not the temporary file.

    Parameters
    ----------
    path : Path
        The output.

    Raises
    ------
    OutputError
    """
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: can't be written: {error.strerror or error}. Free space or choose another place."
        ) from error


@contextlib.contextmanager
def _full_disk_named(path: Path) -> Iterator[None]:
    """Turn an error that only a write can meet into one that names the output; other errors are the caller's."""
    try:
        yield
    except OSError as error:
        if error.errno not in _WRITE_ERRORS:
            raise
        with named_errors(path):
            raise


def begin_sync(file: BinaryIO) -> None:
    """Ask the system to begin writing what stands in a large file, so that its last sync has less to wait for.

    Where the system has no such call (Linux's sync_file_range), or the file is none that is synced, nothing happens.

    Parameters
    ----------
    file : binary file
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError, ValueError):  # a stream may have no descriptor
        file.flush()
        descriptor, nothing = ctypes.c_int(file.fileno()), ctypes.c_int64(0)
        ctypes.CDLL(None).sync_file_range(descriptor, nothing, nothing, ctypes.c_uint(_SYNC_FILE_RANGE_WRITE))


def sync_file(path: Path) -> None:
    """See a file to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # systems on which a folder can't be opened sync its entries themselves
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
