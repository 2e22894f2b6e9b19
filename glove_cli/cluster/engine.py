"""The engine: Dask's scheduler and workers, which are started, found or given, and what may go wrong with them.

Scheduling, transport, retries and membership are Dask's. What is ours is that a task can be done again at any time, by
any worker: it reads files that don't change, and its result appears under its name when it is whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glove_cli.errors import ClusterError, GloveError, OptionError, OutputError
from glove_cli.memory import allowed_memory, in_words, reuse_memory
from glove_cli.parallel import thread_count
from glove_cli.shared import see_name
from glove_cli.version import __version__

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local:"
_CONNECT_SECONDS = 30
_SHARE = 2  # of a worker's memory, one part is for our arrays, the others for the program and what Dask holds
_LEAST_MEMORY = 1 << 28
_LEAST_LIMIT = 2 * _LEAST_MEMORY
TIMEOUTS = (TimeoutError, asyncio.TimeoutError)  # one and the same from Python 3.11 on
_LOGS = ("distributed", "tornado", "asyncio")
_CALM = {  # for the workers that are started here: what Dask does for its own sake takes a tenth of two cores otherwise
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "500ms",
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "2s",
}


def require_engine(option: str = "--cluster") -> Any:
    """Return the package `distributed`.

    Parameters
    ----------
    option : str
        What the error names.

    Raises
    ------
    OptionError
        If it is not installed.
    """
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise OptionError(
            f"{option}: needs the package distributed. Install it with: pip install 'glove-cli[cluster]'."
        ) from None


def check_cluster(cluster: object) -> None:
    """Refuse, before any work, what names no cluster.

    Parameters
    ----------
    cluster : str, path-like or distributed.Client
        See `connected`.

    Raises
    ------
    OptionError
    """
    if isinstance(cluster, (str, os.PathLike)):
        _parse(os.fspath(cluster))
        require_engine()
    elif not isinstance(cluster, require_engine().Client):
        raise OptionError(f"--cluster: {cluster!r} names no cluster. Give local:4, an address or a distributed.Client.")


def _parse(text: str) -> int | str | Path:
    """Return the number of local workers, an address, or the file of a scheduler."""
    if text.startswith(LOCAL):
        number = text.removeprefix(LOCAL)
        if number.isascii() and number.isdigit() and 0 < int(number) <= 1024:
            return int(number)
        raise OptionError(f"--cluster: {text!r} is no number of workers. Give 1 to 1024, such as local:4.")
    if "://" in text:
        return text
    if os.path.isfile(text):
        return Path(text)
    raise OptionError(
        f"--cluster: {text!r} is no cluster. Give local:4, an address such as tcp://host:8786, or the file that "
        "dask scheduler --scheduler-file writes."
    )


@contextlib.contextmanager
def connected(
    cluster: str | os.PathLike[str] | Client,
    *,
    threads: int | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> Iterator[Client]:
    """Give a client of a cluster; what was started or connected for this is ended with the block.

    Parameters
    ----------
    cluster : str, path-like or distributed.Client
        "local:4" starts four processes here; an address such as "tcp://host:8786" or the scheduler's file finds a
        cluster that runs; a client is used as it is.
    threads : int, optional
        Of all local workers together.
    note : callable, optional
        Called with the dashboard's address.

    Raises
    ------
    OptionError
        If there is no such cluster, or the engine isn't installed.
    ClusterError
        If it can't be reached, has no worker, or its workers have another version of this package; also in place of
        what Dask raises within the block when the scheduler is gone or a task has ended too many workers.
    """
    check_cluster(cluster)
    distributed = require_engine()
    name = name_of(cluster)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet())
        if isinstance(cluster, (str, os.PathLike)):
            what = _parse(os.fspath(cluster))
            try:
                if isinstance(what, int):
                    each = max(1, thread_count(threads) // what)
                    stack.enter_context(importlib.import_module("dask.config").set(_CALM))
                    workers = stack.enter_context(
                        distributed.LocalCluster(
                            n_workers=what, threads_per_worker=each, processes=True, dashboard_address=":0",
                            silence_logs=logging.CRITICAL,
                        )
                    )  # fmt: skip
                    client = stack.enter_context(distributed.Client(workers))
                else:
                    where = {"scheduler_file": str(what)} if isinstance(what, Path) else {"address": what}
                    client = stack.enter_context(distributed.Client(timeout=_CONNECT_SECONDS, **where))
            except (OSError, ValueError, *TIMEOUTS) as error:
                raise ClusterError(
                    f"{name} can't be reached: {_one_line(error)}. Start it, or name another."
                ) from error
        else:
            client = cluster
        with named_errors(name):
            _check_workers(client, name)
            if client.dashboard_link:
                note(f"Dashboard: {client.dashboard_link}")
            yield client


def check_folder(client: Client, folder: Path) -> None:
    """Refuse a folder that workers can't write to, before they try.

    Parameters
    ----------
    client : distributed.Client
    folder : Path
        Which is there, as this machine sees it.

    Raises
    ------
    OutputError
        If a worker doesn't see it, or may not write there.
    """
    answers = client.run(_find_problem, folder, on_error="return")
    for address, problem in answers.items():
        if isinstance(problem, str) and problem:  # who gave no answer is lost by now
            raise OutputError(
                f"{folder}: {problem} on the worker {address}. Choose a folder that all workers see and may write to."
            )


def _find_problem(folder: Path) -> str:
    see_name(folder)
    if not folder.is_dir():
        return "isn't there"
    return "" if os.access(folder, os.W_OK) else "can't be written"


def name_of(cluster: object) -> str:
    """Return what messages call a cluster."""
    return f"--cluster: {cluster}" if isinstance(cluster, (str, os.PathLike)) else "--cluster: the scheduler"


@contextlib.contextmanager
def named_errors(name: str) -> Iterator[None]:
    """Turn what Dask raises into a ClusterError of one line, where it isn't an error of ours that came back.

    Parameters
    ----------
    name : str
        What messages call the cluster.

    Raises
    ------
    ClusterError
    """
    distributed = require_engine()
    comm, client = (importlib.import_module(f"distributed.{part}") for part in ("comm", "client"))
    try:
        yield
    except GloveError:
        raise
    except distributed.KilledWorker as error:
        raise ClusterError(
            f"{name}: workers ended again and again while they were at the same task; for want of memory, perhaps. "
            "Give them more, or lower --memory. What is finished stays; --resume goes on from there."
        ) from error
    except (comm.CommClosedError, client.FutureCancelledError, client.FuturesCancelledError, *TIMEOUTS) as error:
        raise ClusterError(
            f"{name} is gone: {_one_line(error)}. Start it again, and the same command with --resume."
        ) from error


def worker_memory(threads: int) -> int:
    """Return how many bytes a task may take that runs on this worker beside others.

    Parameters
    ----------
    threads : int
        Tasks that run on it at the same time.
    """
    distributed = require_engine()
    return _task_memory(getattr(distributed.get_worker().memory_manager, "memory_limit", None), threads)


def least_memory(client: Client, threads: int) -> int:
    """Return how many bytes a task may take on any worker of a cluster.

    Parameters
    ----------
    client : distributed.Client
    threads : int
        Tasks that run on a worker at the same time.
    """
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return min((_task_memory(worker["memory_limit"], threads) for worker in workers), default=_LEAST_MEMORY)


def _task_memory(limit: int | None, threads: int) -> int:
    """Return a task's part of a worker's memory; where it has no limit, this machine's is taken."""
    return max(_LEAST_MEMORY, int(limit or allowed_memory()) // _SHARE) // max(1, threads)


def _check_workers(client: Client, name: str) -> None:
    """Refuse a cluster without workers, or with another version of this package."""
    try:
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
    except TIMEOUTS as error:
        raise ClusterError(f"{name}: no worker has come: {_one_line(error)}. Start some.") from error
    answers = client.run(_greet, on_error="return").values()
    for answer in answers:
        if isinstance(answer, ModuleNotFoundError):
            raise ClusterError(
                f"{name}: workers lack a package: {_one_line(answer)}. Install glove-cli there."
            ) from answer
        if isinstance(answer, Exception) and not isinstance(answer, (OSError, *TIMEOUTS)):  # these are lost by now
            raise answer
    others = sorted({answer for answer in answers if isinstance(answer, str)} - {__version__})
    if others:
        raise ClusterError(
            f"{name}: workers have version {', '.join(others)} of glove-cli, here is {__version__}. Install the same."
        )
    limits = [worker["memory_limit"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()]
    least = min((limit for limit in limits if limit), default=_LEAST_LIMIT)
    if least < _LEAST_LIMIT:  # Dask would stop such a worker as soon as it does something, and wait for ever
        raise ClusterError(
            f"{name}: a worker may take {in_words(least)} of memory, {in_words(_LEAST_LIMIT)} are needed. "
            "Start it with a higher --memory-limit, or fewer workers."
        )


def _greet() -> str:
    """Have a worker ready itself for what is to come; return its version of this package."""
    reuse_memory()
    return __version__


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's log from standard error: what matters is said in a line of ours."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _LOGS]
    logs = [logging.getLogger(name) for name in {*names, *_LOGS}]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
