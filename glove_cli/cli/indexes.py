"""The approximate index of `glove nearest`: its options, and what is said when it is made and used."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from glove_cli.cli.options import PATH
from glove_cli.cli.terminal import say
from glove_cli.errors import OptionError

if TYPE_CHECKING:
    from glove_cli.vectors.index import Index
    from glove_cli.vectors.keyed import WordVectors

_Function = TypeVar("_Function", bound=Callable[..., Any])


def index_options(function: _Function) -> _Function:
    """Add `--index`, `--threads` and `--force`."""
    function = click.option("--force", is_flag=True, help="Make the index again.")(function)
    text = "Threads for the index; one makes the same index each time.  [default: all cores that this process may use]"
    function = click.option("--threads", type=int, help=text)(function)
    text = "Search approximately, by the index in this folder; it is made if it isn't there."
    return click.option("--index", type=PATH, metavar="DIR", help=text)(function)


def check_index_options(index: Path | None, restrict: int | None, threads: int | None, force: bool) -> bool:
    """Refuse what doesn't go together; tell whether an index is to be made.

    Raises
    ------
    OptionError, OutputError, FormatError
    """
    if index is None:
        for name, given in (("--force", force), ("--threads", threads is not None)):
            if given:
                raise OptionError(f"{name}: is for an index, and none is named. Give --index DIR, too.")
        return False
    if restrict is not None:
        raise OptionError(
            f"--restrict: {restrict} can't be combined with --index, which looks at all words. Leave out one of them."
        )
    from glove_cli.parallel import thread_count
    from glove_cli.vectors.index_folder import check_index

    thread_count(threads)
    return check_index(index, force=force)


def open_index(
    vectors: WordVectors, path: Path, metric: str, threads: int | None, *, force: bool, making: bool
) -> Index:
    """Return an index, made now or before, and say how good it is.

    Raises
    ------
    OptionError, OutputError, FormatError
    """
    from glove_cli.cli.progress import Progress
    from glove_cli.cli.tables import duration, shown
    from glove_cli.vectors.index import RECALL_AT, build_index, load_index

    if making:
        say(f"Making an index of {len(vectors):,} words, once: {shown(str(path))}")
        began = time.monotonic()
        with Progress() as progress:
            found = build_index(vectors, path, metric=metric, threads=threads, force=force, progress=progress)
        say(f"Made in {duration(time.monotonic() - began)}.")
    else:
        found = load_index(path, vectors, metric=metric)
    say(
        f"Note: the answers are approximate: {100 * found.recall:.1f} % of the {RECALL_AT} nearest words are found "
        f"(recall@{RECALL_AT} of {found.sample:,} words, measured when the index was made). Scores are exact."
    )
    return found
