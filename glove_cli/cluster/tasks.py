"""Tasks that may be done again at any time, by any worker, also twice at once: what they make appears whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glove_cli.cluster.engine import require_engine
from glove_cli.files import named_errors, sync_file
from glove_cli.parallel import Progress

if TYPE_CHECKING:
    from distributed import Client

_SYNCED_TOGETHER = 8
_RETRIES = 2  # of a task that fails; for one whose worker is lost, the scheduler has a number of its own


def submit(client: Client, work: Callable[..., Any], *given: Any, name: str | None = None, priority: float = 0) -> Any:
    """Have a task done, several times if need be; its result stays with the worker until it is asked for.

    Parameters
    ----------
    client : distributed.Client
    work : callable
    *given
        Small, or futures.
    name : str, optional
        What Dask's dashboard calls the task, with a "-" and what tells it from all others.
    priority : float
        Those of a higher one are done first.

    Returns
    -------
    distributed.Future
    """
    return client.submit(work, *given, key=name, pure=False, retries=_RETRIES, priority=priority)


def submit_each(
    client: Client, stage: str, work: Callable[..., Any], items: Sequence[tuple[Any, ...]], *shared: Any
) -> list[Any]:
    """Have a task done for each item.

    Parameters
    ----------
    client : distributed.Client
    stage : str
        What the tasks are called.
    work : callable
        Called with what is in an item and what is shared.
    items : sequence of tuple
    *shared
        As what is in items: small, or futures.

    Returns
    -------
    list of distributed.Future
    """
    name = f"{stage}-{uuid.uuid4().hex[:8]}"
    return [submit(client, work, *item, *shared, name=f"{name}-{k}") for k, item in enumerate(items)]


def results_of(
    client: Client,
    futures: Sequence[Any],
    *,
    stage: str,
    unit: str,
    progress: Progress | None = None,
    sizes: Sequence[int] | None = None,
) -> list[Any]:
    """Wait for tasks.

    Parameters
    ----------
    client : distributed.Client
    futures : sequence of distributed.Future
    stage, unit : str
        What is told of the progress.
    progress : callable, optional
        Called with (stage, done, total, unit).
    sizes : sequence of int, optional
        How much of the whole each task is; 1, unless given.

    Returns
    -------
    list
        What each task returned, in their order.

    Raises
    ------
    GloveError
        The first that a task raises; the others are dropped.
    """
    distributed = require_engine()
    weights = list(sizes) if sizes is not None else [1] * len(futures)
    total, done = sum(weights), 0
    of_key = {future.key: weight for future, weight in zip(futures, weights, strict=True)}
    found = {}
    try:
        for future, result in distributed.as_completed(futures, with_results=True):
            if future.status != "finished":
                future.result()
            found[future.key] = result
            done += of_key[future.key]
            if progress is not None:
                progress(stage, done, total, unit)
    except BaseException:
        with contextlib.suppress(Exception):
            client.cancel(futures, force=True)
        raise
    return [found[future.key] for future in futures]


@contextlib.contextmanager
def whole_folder(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """Give a folder that gets its name when it is whole; if another has it already, that one stays.

    Parameters
    ----------
    path : Path
    sync : bool
        Whether its files are seen to the disk.

    Raises
    ------
    OutputError
        If it can't be made.
    """
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.new")
    with named_errors(path):
        temporary.mkdir(parents=True)
    try:
        yield temporary
        files = [file for file in temporary.rglob("*") if file.is_file()] if sync else []
        with ThreadPoolExecutor(_SYNCED_TOGETHER) as pool:  # the disk waits once for all
            list(pool.map(sync_file, files))
        with contextlib.suppress(OSError):
            os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def drop_folder(path: Path) -> None:
    """Remove a folder that `whole_folder` made; nobody sees a part of it.

    Parameters
    ----------
    path : Path
    """
    dropped = path.with_name(f"{path.name}.{uuid.uuid4().hex}.new")
    with contextlib.suppress(OSError):
        os.rename(path, dropped)
    shutil.rmtree(dropped, ignore_errors=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what tasks that were lost left unfinished.

    Parameters
    ----------
    folder : Path
    """
    for left in folder.rglob("*.new"):
        shutil.rmtree(left, ignore_errors=True)
