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


def run_tasks(
    client: Client,
    work: Callable[..., Any],
    items: Sequence[Any],
    *shared: Any,
    stage: str,
    unit: str,
    progress: Progress | None = None,
    sizes: Sequence[int] | None = None,
) -> list[Any]:
    """Do a task for each item, and wait for all.

    Parameters
    ----------
    client : distributed.Client
    work : callable
        Called with an item and what is shared; returns something small.
    items : sequence
    *shared
        Small as well.
    stage, unit : str
        What is told of the progress.
    progress : callable, optional
        Called with (stage, done, total, unit).
    sizes : sequence of int, optional
        How much of the whole each item is; 1, unless given.

    Returns
    -------
    list
        What each task returned, in the order of the items.

    Raises
    ------
    GloveError
        The first that a task raises; the others are dropped.
    """
    distributed = require_engine()
    weights = list(sizes) if sizes is not None else [1] * len(items)
    total, done = sum(weights), 0
    name = f"{stage}-{uuid.uuid4().hex[:8]}"
    futures = [
        client.submit(work, item, *shared, key=f"{name}-{k}", pure=False, retries=_RETRIES)
        for k, item in enumerate(items)
    ]
    of_key = {future.key: weight for future, weight in zip(futures, weights, strict=True)}
    try:
        for future in distributed.as_completed(futures):
            future.result()
            done += of_key[future.key]
            if progress is not None:
                progress(stage, done, total, unit)
        return [future.result() for future in futures]
    except BaseException:
        with contextlib.suppress(Exception):
            client.cancel(futures, force=True)
        raise


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
