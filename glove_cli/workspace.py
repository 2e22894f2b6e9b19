"""The folder in which a long job keeps what it has finished, so that it can go on after an interruption.

It lies beside the result, under a name that the same command finds again, and a lock keeps other runs out of it. It is
removed when the job ends, well or not; only a killed process leaves it behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glove_cli.errors import OptionError, OutputError
from glove_cli.files import META_NAME, named_errors
from glove_cli.inputs import parse_json
from glove_cli.temporary import lock, remove_file, remove_folder

_JOB = "job.json"
_LOCK = "lock"
_PLACE = "place"
_RESULT = "result"
_NFS_TRIES = 50
_LONGEST = 40  # characters of a result's name in that of its folder


@dataclass(frozen=True)
class Workspace:
    """Where a job works.

    Attributes
    ----------
    out : Path
        The result of the job.
    path : Path
        The folder for temporary files.
    result : Path
        Where the result is to be made, on the disk of its place.
    resumed : bool
        Whether what an interrupted run finished stands in it.
    """

    out: Path
    path: Path
    result: Path
    resumed: bool


@contextlib.contextmanager
def workspace(
    out: Path,
    job: dict[str, Any],
    *,
    tmp: str | os.PathLike[str] | None = None,
    resume: bool = False,
    force: bool = False,
    found: Callable[[Path], str | None] = lambda path: None,
    keep: bool = False,
    kept: Callable[[str], None] = lambda done: None,
    note: Callable[[str], None] = lambda text: None,
) -> Iterator[Workspace]:
    """Open the workspace of the job that makes `out`; remove it when the block ends.

    Parameters
    ----------
    out : Path
        The result.
    job : dict
        All that the result depends on, as JSON can hold it: an interrupted run of another job is not gone on with.
    tmp : path-like, optional
        Folder for temporary files instead of that of `out`.
    resume : bool
        Whether to go on with what an interrupted run left.
    force : bool
        Whether to drop what an interrupted run left.
    found : callable
        Says what is finished in a folder, or None if nothing is.
    keep : bool
        Whether what is finished stays when the block ends by an exception, as after a kill.
    kept : callable
        Called with what `found` says of it then.
    note : callable
        Called with what the user should know.

    Yields
    ------
    Workspace

    Raises
    ------
    OutputError
        If another run works there, if an interrupted run left something and neither `resume` nor `force` says what to
        do, or if the folder can't be written.
    OptionError
        If the interrupted run was another job.
    """
    if tmp is not None and not os.path.isdir(tmp):
        raise OutputError(f"--tmp: {os.fspath(tmp)} is not a folder. Name one that exists.")
    home = home_of(out)
    path = home if tmp is None else Path(tmp) / f"glove-{_digest(os.path.abspath(out))}.work"
    made = _make_parents(out)
    with contextlib.ExitStack() as stack:
        stack.callback(_remove_folders, made)  # last of all, if nothing is in them
        stack.enter_context(_locked(home, out))
        if path != home:
            stack.enter_context(_locked(path, out))
        done = found(path)
        _check_place(home, path, out, found, force=force)
        resumed = False
        if done is not None:
            if resume:
                _check_job(home / _JOB, job, out)
                resumed = True
                note(f"Going on with an interrupted run: {done}.")
            elif not force:
                raise OutputError(
                    f"{out}: an interrupted run left {done} in {path}. "
                    "Go on with --resume, or begin again with --force."
                )
        folders = [home, path]

        def clear() -> None:
            for folder in folders:
                _clear(folder)

        stack.callback(clear)
        with named_errors(out):
            remove_folder(home / _RESULT)
            if not resumed:  # else they stand there, and a kill while they are written would lose what is finished
                _empty(home)
                _empty(path)
                (home / _PLACE).write_bytes(os.fsencode(os.path.abspath(path)))
                _write(home / _JOB, job)
        try:
            yield Workspace(out, path, home / _RESULT, resumed)
        except OptionError:
            if resumed:  # what an earlier run finished is not at fault
                folders.clear()
            raise
        except BaseException:
            done = found(path) if keep else None
            if done is not None:
                folders.clear()
                kept(done)
            raise


def home_of(out: Path) -> Path:
    """Return the folder beside a result that holds the lock and the description of the job that makes it.

    Parameters
    ----------
    out : Path
        The result.
    """
    name = out.name
    if len(name) > _LONGEST:  # cut, so that every name that the system allows has one, and told apart by a hash
        name = f"{name[: _LONGEST // 2]}-{_digest(name)}"
    return out.with_name(f".{name}.work")


def same_job(home: Path, job: dict[str, Any]) -> bool:
    """Tell whether an interrupted run was this job.

    Parameters
    ----------
    home : Path
        See `home_of`.
    job : dict
        See `workspace`.
    """
    return difference(_read(home / _JOB), job) is None


def difference(before: dict[str, Any], job: dict[str, Any]) -> str | None:
    """Say in which way a job is another than one before, or return None.

    Parameters
    ----------
    before, job : dict
        As JSON can hold it.
    """
    for key, value in json.loads(json.dumps(job)).items():
        old = before.get(key)
        if old != value:
            long = isinstance(old, dict) or isinstance(value, dict) or len(str(old)) > 60 or len(str(value)) > 60
            return f"another {key}" + ("" if long else f": {json.dumps(old)}, not {json.dumps(value)}")
    return None


@contextlib.contextmanager
def temporary_folder(tmp: str | os.PathLike[str] | None) -> Iterator[Path]:
    """Give a folder for temporary files that goes away with the block, in `tmp` or where the system keeps such."""
    if tmp is not None and not os.path.isdir(tmp):
        raise OutputError(f"--tmp: {os.fspath(tmp)} is not a folder. Name one that exists.")
    folder = tempfile.mkdtemp(prefix="glove-", dir=tmp)
    try:
        yield Path(folder)
    finally:
        remove_folder(Path(folder))


@contextlib.contextmanager
def _locked(folder: Path, out: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made."""
    with contextlib.ExitStack() as stack:
        stack.callback(_remove_emptied, folder)
        while True:
            with named_errors(out):
                if not _is_workspace(folder):
                    raise OutputError(
                        f"{out}: {folder} stands where temporary files would, and is something else. "
                        "Move it, or choose another name."
                    )
                made = not folder.exists()
                folder.mkdir(exist_ok=True)
            undo = stack.enter_context(contextlib.ExitStack())
            if made:
                undo.callback(_unmake, folder)  # unless the lock is held
            with named_errors(out), contextlib.suppress(FileNotFoundError):  # another run just removed the folder
                file = stack.enter_context((folder / _LOCK).open("a+b"))
                if lock(file.fileno()) is False:  # None where two runs at once aren't noticed
                    undo.pop_all()  # it was made, but is another's now
                    raise OutputError(
                        f"{out}: another run is making it now (it holds {folder / _LOCK}). "
                        "Wait for it, or choose another name."
                    )
                if os.path.samestat(os.fstat(file.fileno()), os.stat(folder / _LOCK)):
                    undo.pop_all()
                    break
        yield


def _is_workspace(folder: Path) -> bool:
    """Tell whether a folder is one of ours, or can become one: what has no lock, and isn't empty, is something else."""
    if os.path.islink(folder) or os.path.lexists(folder / META_NAME):
        return False
    try:
        return not os.path.lexists(folder) or os.path.lexists(folder / _LOCK) or not os.listdir(folder)
    except FileNotFoundError:  # just removed
        return True


def _check_place(home: Path, path: Path, out: Path, found: Callable[[Path], str | None], *, force: bool) -> None:
    """Refuse to begin where an interrupted run left its temporary files elsewhere; with `force`, remove them."""
    try:
        before = Path(os.fsdecode((home / _PLACE).read_bytes()))
    except (OSError, ValueError):
        return
    try:
        done = found(before) if before != Path(os.path.abspath(path)) else None
    except ValueError:  # no path
        return
    if done is None:
        return
    if not force:
        raise OutputError(
            f"{out}: an interrupted run left {done} in {before}. Go on with --resume and the --tmp that it had, or "
            "begin again with --force."
        )
    remove_folder(before)


def _check_job(path: Path, job: dict[str, Any], out: Path) -> None:
    other = difference(_read(path), job)
    if other is not None:
        raise OptionError(
            f"--resume: the interrupted run that was making {out} had {other}. "
            "Give the same, or begin again with --force."
        )


def _read(path: Path) -> dict[str, Any]:
    """Return the description of a job; an empty one if it can't be read."""
    try:
        job = parse_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return job if isinstance(job, dict) else {}


def _write(path: Path, job: dict[str, Any]) -> None:
    with path.open("w") as file:
        json.dump(job, file)
        file.flush()
        os.fsync(file.fileno())


def _empty(folder: Path) -> None:
    """Remove everything in a folder but its lock."""
    for item in folder.iterdir():
        if item.name != _LOCK:
            shutil.rmtree(item) if item.is_dir() else item.unlink()


def _clear(folder: Path) -> None:
    """Remove a folder; whoever waits for its lock finds it gone and makes a new one.

    Folders, which hold what was finished, go before the description of the job: a kill in between leaves nothing that
    nobody knows.
    """
    with contextlib.suppress(OSError):
        for item in list(folder.iterdir()):
            if item.is_dir():
                remove_folder(item)
        _clear_files(folder)
    remove_folder(folder)


def _clear_files(folder: Path) -> None:
    """Remove the files in a folder, but the lock, which shows that the folder is ours until it goes itself."""
    for item in folder.iterdir():
        if item.name != _LOCK and not item.is_dir():
            item.unlink()


def _make_parents(path: Path) -> list[Path]:
    """Make the folders above a path; return those that were missing, the innermost first."""
    made = []
    parent = path.absolute().parent
    while not os.path.exists(parent):
        made.append(parent)
        parent = parent.parent
    with named_errors(path):
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
    return made


def _unmake(folder: Path) -> None:
    """Remove a folder that was made, and could not be locked."""
    remove_file(folder / _LOCK)
    _remove_folders([folder])


def _remove_folders(made: list[Path]) -> None:
    """Remove the folders that were made if nothing is in them."""
    with contextlib.suppress(OSError):
        for folder in made:
            folder.rmdir()


def _remove_emptied(folder: Path) -> None:
    """Remove a folder that was emptied while its lock was open: NFS gives such a file another name for a while."""
    with contextlib.suppress(OSError):
        for _ in range(_NFS_TRIES):
            names = os.listdir(folder)
            if not names or not all(name.startswith(".nfs") for name in names):
                break
            time.sleep(0.02)
        folder.rmdir()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
