"""A corpus that was read to the rows of its matrix: in one pass if the memory allows, else part by part.

Every finished part says how far the corpus was translated, so that an interrupted run goes on behind it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.count import count_chunk, most_entries, positions_by_word
from glove_cli.cooc.merge import check_parts, entries_of, merge_groups, merge_parts, part_folder
from glove_cli.cooc.plan import ENTRY_BYTES, Plan, chunk_tokens, estimate_entries, fixed_memory
from glove_cli.cooc.store import RowBlock, write_rows
from glove_cli.corpus.chunks import LEFT_OUT, Chunk, Cursor, Sampling, Translator
from glove_cli.corpus.encoder import EncodedCorpus, reading_state
from glove_cli.errors import OutputError
from glove_cli.folder import FolderWriter
from glove_cli.inputs import parse_json
from glove_cli.memory import check_disk, free_disk
from glove_cli.parallel import Progress
from glove_cli.vocab import Vocab
from glove_cli.workspace import Workspace

_PLAN_VISITS = 1 << 26  # pairs of tokens from which on a plan is worth its time
_CURSOR = "cursor.json"
_DONE = "counted"


@dataclass
class Job:
    """What a call of `build_cooc` was asked for.

    Attributes
    ----------
    config : CoocConfig
    threads : int
    memory : int
        Bytes that the process may take.
    progress : callable, optional
    tell : callable, optional
        Called with what the user should know.
    shard : (int, int), optional
        Which part of how many is counted.
    chunk_tokens : int, optional
        Tokens counted at a time; as many as the memory allows, unless given.
    """

    config: CoocConfig
    threads: int
    memory: int
    progress: Progress | None = None
    tell: Callable[[str], None] | None = None
    shard: tuple[int, int] | None = None
    chunk_tokens: int | None = None

    def note(self, text: str) -> None:
        """Tell the user something."""
        if self.tell is not None:
            self.tell(text)

    def report(self, stage: str, before: int, share: float, whole: int, unit: str) -> Callable[[int], None]:
        """Return what takes the steps of a stage, each worth `share` units, and tells its progress."""
        progress = self.progress
        return (lambda n: progress(stage, before + int(n * share), whole, unit)) if progress else lambda n: None


def found(path: Path) -> str | None:
    """Say what an interrupted run finished in its workspace, or None if nothing.

    Parameters
    ----------
    path : Path
    """
    state = reading_state(path)
    if state is None:
        return None
    read = f"{state['tokens']:,} tokens read"
    if not state["done"]:
        return read
    folder = path / "parts"
    parts = [] if not folder.exists() else [p for p in os.listdir(folder) if p.startswith("part-") and "." not in p]
    if (folder / _DONE).exists():
        return f"{read}, all of them counted"
    return f"{read}, the whole corpus, and {len(parts)} parts of it counted"


def count_corpus(
    job: Job,
    encoded: EncodedCorpus,
    vocab: Vocab,
    final: list[NDArray[np.int32]],
    writer: FolderWriter,
    space: Workspace,
) -> tuple[dict[str, Any], Cursor]:
    """Count a corpus and write the rows.

    Parameters
    ----------
    job : Job
    encoded : EncodedCorpus
    vocab : Vocab
    final : list of int32 arrays
        For each segment of the corpus, the id of each of its words, or LEFT_OUT.
    writer : FolderWriter
        Of the result.
    space : Workspace
        For parts.

    Returns
    -------
    sizes : dict
        From `store.write_rows`.
    cursor : Cursor
        With the numbers of tokens and documents.
    """
    config, V = job.config, len(vocab)
    lower = config.context == "symmetric"
    if config.oov == "hold":
        final = [np.where(ids == LEFT_OUT, np.int32(V + 1), ids) for ids in final]
    sampling = Sampling.of(vocab.counts, config.subsample, config.seed) if config.subsample else None
    types = sum(map(len, final))
    i, n = job.shard or (1, 1)
    own = (encoded.tokens * (i - 1) // n, encoded.tokens * i // n)
    translator = Translator(encoded, final, V, config.window, sampling=sampling, own=own, threads=job.threads)
    folder = space.path / "parts"
    check_parts(folder)
    if (folder / _DONE).exists():
        state = _read_state(folder / _DONE)
        return _merge(job, folder, state["parts"], writer), Cursor(**state["cursor"])
    limit = job.chunk_tokens or chunk_tokens(job.memory, V, types, job.threads)
    parts = _finished_parts(folder)
    if parts:
        translator.go_on(*_state_of(folder / f"part-{parts - 1:05}"))
    single = not parts and encoded.spool.length <= limit
    for chunk in translator.chunks(limit):
        starts, positions = positions_by_word(chunk, V, job.threads)
        tokens = translator.cursor.tokens - translator.before
        if not parts:
            spooled = 0 if translator.trusted else 4 * encoded.spool.length
            fixed = fixed_memory(V, types, job.threads)
            _plan(job, chunk, starts, positions, tokens, own[1] - own[0], fixed, spooled, space)
        share = tokens / max(1, len(positions))
        report = job.report("counting", translator.before, share, own[1] - own[0], "token")
        rows = count_chunk(chunk, starts, positions, config, job.threads, report)
        if single:
            return write_rows(writer, rows, lower=lower), translator.cursor
        with part_folder(folder / f"part-{parts:05}") as part:
            write_rows(part, rows, lower=lower)
            _save_state(part, translator)
        parts += 1
    if not parts:
        nothing = RowBlock(np.zeros(V, np.int64), np.empty(0, np.int32), np.empty(0))
        return write_rows(writer, [nothing], lower=lower), translator.cursor
    with part_folder(folder / _DONE) as done:
        state = {"cursor": translator.cursor.as_dict(), "parts": parts}
        done.text(_CURSOR, json.dumps(state))
    return _merge(job, folder, parts, writer), translator.cursor


def _merge(job: Job, folder: Path, parts: int, writer: FolderWriter) -> dict[str, Any]:
    """Add up all parts."""
    lower = job.config.context == "symmetric"
    names = [folder / f"part-{k:05}" for k in range(parts)]
    how: dict[str, Any] = {"lower": lower, "threads": job.threads, "memory": job.memory}
    whole = sum(entries_of(path) for path in names if path.exists())
    report = job.report("gathering", 0, 1, whole, "entry")
    groups = merge_groups(names, folder, on_rows=lambda n: report(min(n, whole)), disposable=names, **how)
    total = sum(entries_of(path) for path in groups)
    rows = merge_parts(groups, on_rows=job.report("merging", 0, 1, total, "entry"), **how)
    return write_rows(writer, rows, lower=lower)


def _plan(
    job: Job,
    chunk: Chunk,
    starts: NDArray[np.int64],
    positions: NDArray[np.int32],
    tokens: int,
    total: int,
    fixed: int,
    spooled: int,
    space: Workspace,
) -> None:
    """Say what is to come, and refuse what the disk can't hold; `spooled` bytes are there already."""
    config = job.config
    times = max(1.0, total / max(1, tokens))
    visits = len(positions) * config.window * (2 if config.context == "symmetric" else 1)
    long = visits * times >= _PLAN_VISITS
    most = 2 * ENTRY_BYTES * int(most_entries(starts, config).sum() * times)  # as parts and as a result
    if not long and most < min(free_disk(space.path), free_disk(space.result.parent)):
        return
    entries, whole = estimate_entries(chunk, starts, positions, config, times)
    chunks = math.ceil(times - 0.01)
    parts = int(ENTRY_BYTES * entries * times) if chunks > 1 else 0
    plan = Plan(
        tokens=total,
        pairs=2 * whole if config.context == "symmetric" else whole,
        chunks=chunks,
        memory=fixed + 8 * (chunk.end + config.window),
        temporary=spooled + parts,
        final=ENTRY_BYTES * whole + 8 * len(starts),
    )
    if long:
        job.note(str(plan))
    same_disk = os.stat(space.path).st_dev == os.stat(space.result.parent).st_dev
    if same_disk:
        check_disk(space.path, parts + plan.final, "counting")
    else:
        check_disk(space.path, parts, "counting in parts")
        check_disk(space.result.parent, plan.final, "the matrix")


def _finished_parts(folder: Path) -> int:
    """Return how many parts an interrupted run finished."""
    parts = 0
    while (folder / f"part-{parts:05}").exists():
        parts += 1
    return parts


def _save_state(part: FolderWriter, translator: Translator) -> None:
    state: dict[str, Any] = {"cursor": translator.cursor.as_dict(), "finished": translator.finished}
    part.text(_CURSOR, json.dumps(state))
    if translator.carried is not None and not translator.finished:
        part.array("carried", translator.carried)


def _state_of(part: Path) -> tuple[Cursor, NDArray[np.int32] | None, bool]:
    """Return how far the corpus was translated when a part was finished."""
    state = _read_state(part)
    with _named_damage(part):
        carried = None if state["finished"] else np.load(part / "carried.npy", allow_pickle=False)
        return Cursor(**state["cursor"]), carried, state["finished"]


def _read_state(part: Path) -> dict[str, Any]:
    """Return what was written beside a part."""
    with _named_damage(part):
        state: dict[str, Any] = parse_json((part / _CURSOR).read_bytes())
        Cursor(**state["cursor"])
        return state


@contextlib.contextmanager
def _named_damage(part: Path) -> Iterator[None]:
    """Turn what a damaged file ends in into an error that names the part."""
    try:
        yield
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"{part}: an interrupted run's part is damaged: {error}. Begin again with --force."
        ) from error
