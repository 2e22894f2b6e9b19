"""Counting on a cluster: the same matrix as `glove_cli.cooc.build.build_cooc` makes, to the last byte.

    cut the files into parts                                              read.find_texts, cut_texts
    for each part: words and provisional ids                              read.read_part
    merge the words, 16 tables at a time, and choose the vocabulary       read.gather_words, choose_words
    put the whole corpus together on one worker, for all                  count.hold_corpus
    for each range of rows: count them in it                              count.count_rows
    or, if a worker can't hold it,
        for each part: count pairs into sorted rows                       count.count_part
        for each range of rows: add them up                               gather.merge_range
    for each range: write the rows behind those before them               ranges.write_range

Every step is tasks of Dask's that read files in a folder which all machines see, and leave new ones there: a task whose
worker was lost is done again by another, and a run that was interrupted goes on with what is there. The client sees
names and numbers only.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glove_cli.cluster import count, gather, read
from glove_cli.cluster.engine import check_folder, connected, least_memory, name_of, named_errors
from glove_cli.cluster.parts import LostPartError, part_of
from glove_cli.cluster.ranges import written_ranges
from glove_cli.cluster.tasks import remove_unfinished, results_of, submit, submit_each
from glove_cli.cooc.build import is_finished, read_wanted, signature
from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.passes import Job
from glove_cli.cooc.store import COOC_FORMAT, CoocMatrix, open_cooc
from glove_cli.corpus.sources import Source
from glove_cli.corpus.vocabulary import Wanted, WordList, make_config, source_names
from glove_cli.errors import CorpusError
from glove_cli.files import check_apart, check_output, output_folder
from glove_cli.folder import VOCAB_NAME
from glove_cli.memory import memory_limit
from glove_cli.parallel import Progress
from glove_cli.vocab import Vocab
from glove_cli.workspace import Workspace, workspace

if TYPE_CHECKING:
    from distributed import Client

LEAST_SPAN = 4 << 20  # bytes of text that are worth a task
_READINGS = 3


def build_cooc_on(
    cluster: str | os.PathLike[str] | Client,
    corpus: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    vocab: Vocab | str | os.PathLike[str] | None = None,
    words: WordList | None = None,
    stop_words: WordList | None = None,
    json_field: str | None = None,
    column: str | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    tmp: str | os.PathLike[str] | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
    **options: Any,
) -> CoocMatrix:
    """Count how often words of a corpus stand near each other, on a cluster.

    Parameters
    ----------
    cluster : str, path-like or distributed.Client
        "local:4", an address, the scheduler's file, or a client, see `engine.connected`.
    corpus : path-like or sequence of path-like
        Files, folders, patterns and addresses that all workers see, under the same names.
    out : path-like
        The folder to make; in a folder that the workers see, too.
    vocab, words, stop_words, json_field, column
        As in `build_cooc`.
    threads : int, optional
        Of all workers of a "local:" cluster together.
    memory : int or str, optional
        Bytes that the words of the corpus may take, twice. Other memory is a share of the workers' own limits.
    tmp, resume, force
        As in `build_cooc`; the workers see `tmp`, too.
    progress : callable, optional
        Called with ("reading", bytes done, bytes in all, "B"), then, if the corpus is counted part by part,
        ("counting", parts, parts in all, "part"), and ("gathering", ..., "part") if there are many; then
        ("counting" or "adding", ranges of rows, all, "range").
    note : callable, optional
        Called with the address of the dashboard, and other things that a user should know.
    **options
        The fields of `CoocConfig`.

    Returns
    -------
    CoocMatrix
        The same bytes as `build_cooc` makes, whatever the number of workers.

    Raises
    ------
    ClusterError
        If the cluster can't be reached, or fails again and again.
    OptionError, CorpusError, FormatError, OutputError
        As `build_cooc`; also if an option can't be used part by part.
    """
    config: CoocConfig = make_config(CoocConfig, options)
    read.check_options(config)
    job = Job(config, 1, memory_limit(memory), progress, note)
    wanted = read_wanted(config, vocab, words, stop_words)
    out = Path(out).absolute()
    if not resume:
        check_output(out, force=force)
    names = [os.fspath(corpus)] if isinstance(corpus, (str, os.PathLike)) else [os.fspath(name) for name in corpus]
    with connected(cluster, threads=threads, note=job.note) as client:
        slots, tasks = _slots(client)
        how = (json_field, column, config.resample)
        sources = client.submit(read.find_texts, names, os.getcwd(), *how, pure=False).result()
        check_apart(out, [source.place or source.name for source in sources if source.mtime_ns is not None])
        described = {**signature(job, wanted, sources, json_field, column), "cluster": True}
        if resume and not force and is_finished(out, job, sources, (vocab, words, stop_words)):
            job.note(f"{out} was finished already.")
            with workspace(out, described, tmp=tmp, force=True):
                return open_cooc(out)
        check_output(out, force=force)
        useless: list[CorpusError] = []  # what was read of a text that can't be counted
        with contextlib.ExitStack() as stack:
            space = stack.enter_context(
                workspace(
                    out, described, tmp=tmp, resume=resume, force=force, keep=True, note=job.note,
                    found=lambda path: None if useless else found(path),
                    kept=lambda done: job.note(f"Kept: {done}. The same command with --resume goes on from there."),
                )
            )  # fmt: skip
            folder = stack.enter_context(output_folder(out, force=force, temporary=space.result, format=COOC_FORMAT))
            check_folder(client, space.path.absolute())
            counting = _Counting(client, job, space, folder, slots, tasks)
            try:
                with named_errors(name_of(cluster)):  # before it is taken for a disk that fails
                    chosen = counting.run(sources, wanted)
            except CorpusError as error:
                useless.append(error)
                raise
    return open_cooc(out, chosen)


def found(path: Path) -> str | None:
    """Say what an interrupted run finished in its workspace, or None if nothing.

    Parameters
    ----------
    path : Path
    """
    numbers = [len([p for p in _entries(path / name) if p.suffix != ".new"]) for name in ("read", "counted")]
    return f"{numbers[0]:,} parts read, {numbers[1]:,} counted" if numbers[0] else None


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _slots(client: Client) -> tuple[int, int]:
    """Return how many tasks can be done at a time, and how many by one worker."""
    threads = [worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()]
    return max(1, sum(threads)), max(threads, default=1)


class _Counting:
    """One counting on a cluster."""

    def __init__(self, client: Client, job: Job, space: Workspace, folder: Path, slots: int, tasks: int) -> None:
        self.client, self.job, self.folder, self.slots, self.tasks = client, job, folder, slots, tasks
        self.work = space.path.absolute()
        self.config = job.config
        self.lower = job.config.context == "symmetric"
        if space.resumed:
            remove_unfinished(self.work)

    def run(self, sources: list[Source], wanted: Wanted) -> Vocab:
        """Count, and make the result; return its words. What is lost of the parts meanwhile is read again."""
        for _ in range(_READINGS - 1):
            try:
                return self._run(sources, wanted)
            except LostPartError:
                self.job.note("A part of what was read was lost, and is read again.")
        return self._run(sources, wanted)

    def _run(self, sources: list[Source], wanted: Wanted) -> Vocab:
        parts = self._submit(read.cut_texts, sources, self._first_slots(), LEAST_SPAN).result()
        names = [source.name for source in sources]
        weights = [(p.span[1] - p.span[0]) if p.span is not None else p.size or 1 for p in parts]
        shared = (self.work, len(parts), self.config)
        memory = least_memory(self.client, self.tasks)
        # Each of these begins when what it needs is there, without a word to the client in between.
        reading = self._each("reading", read.read_part, list(enumerate(parts)), self.work, self.config, self.tasks)
        chosen = self._words(reading, wanted, names)
        planned = self._submit(count.plan_rows, chosen, *shared, self.slots, memory)
        held = self._submit(count.hold_corpus, planned, *shared)
        read_parts = self._results(reading, "reading", "B", weights)
        del reading
        V, types = chosen.result()
        ranges = planned.result()
        if ranges is not None:
            found = self._submit(count.counted_of_held, held)
            stage, tasks = "counting", [(count.count_rows, each, held, self.config) for each in ranges]
        else:
            numbers = [(k,) for k in range(len(parts))]
            counting = self._each("counting", count.count_part, numbers, *shared, self.tasks, types)
            counted = self._results(counting, "counting", "part")
            folders = [count.counted_of(self.work, k) / n for k, each in enumerate(counted) for n in each.parts]
            stage, tasks = "adding", self._merged(folders)
        del held
        with written_ranges(self.client, tasks, self.folder, self.lower, self._on_range(stage)) as written:
            if not written.stored:
                raise CorpusError(
                    f"{source_names(names)}: no two words of the vocabulary stand in one document. "
                    "Give longer lines of text."
                )
            if ranges is not None:
                counted = [found.result()]
            meta = {
                "V": V,
                "stored": written.stored,
                "nnz": 2 * written.stored - written.diagonal if self.lower else written.stored,
                "largest": written.largest,
                "symmetric": self.lower,
                "tokens": sum(each.tokens for each in counted),
                "kept_tokens": sum(each.kept for each in counted),
                "sampled_tokens": sum(each.sampled for each in counted),
                "invalid_tokens": sum(each.invalid for each in read_parts),
                "documents": sum(each.documents for each in counted),
                "types": types,
                "vocabulary": "given" if wanted.vocab is not None else "counted",
                "shard": None,
                "options": asdict(self.config),
                "sources": names,
            }
            finished = self._submit(gather.finish_matrix, self.folder, self.work, meta)
            vocab = Vocab.load(read.vocabulary_of(self.work) / VOCAB_NAME)  # meanwhile
            finished.result()
        return vocab

    def _first_slots(self) -> int:
        """Return how many tasks could be done at a time when this began: the parts hang on it."""
        path = self.work / "slots"
        if not path.exists():
            path.write_text(str(self.slots))
        return int(path.read_text())

    def _words(self, reading: list[Any], wanted: Wanted, names: list[str]) -> Any:
        """Merge the words by tree, choose the vocabulary: a future of how many words it and the corpus have."""
        paths, level, made = [part_of(self.work, k) for k in range(len(reading))], 0, reading
        memory = self.job.memory // 2
        while groups := read.groups_of_tables(self.work, paths, level):
            waits = [made[k : k + read.WORDS_TOGETHER] for k in range(0, len(made), read.WORDS_TOGETHER)]
            items = [(*group, wait) for group, wait in zip(groups, waits, strict=True)]
            made = self._each("gathering", read.gather_words, items, memory)
            paths, level = [target for target, _ in groups], level + 1
        return self._submit(read.choose_words, paths, made, self.work, self.config, wanted, names, memory)

    def _submit(self, work: Callable[..., Any], *given: Any) -> Any:
        return submit(self.client, work, *given)

    def _each(self, stage: str, work: Callable[..., Any], items: Sequence[tuple[Any, ...]], *shared: Any) -> list[Any]:
        return submit_each(self.client, stage, work, items, *shared)

    def _results(self, futures: list[Any], stage: str, unit: str, sizes: list[int] | None = None) -> list[Any]:
        return results_of(self.client, futures, stage=stage, unit=unit, progress=self.job.progress, sizes=sizes)

    def _merged(self, parts: list[Path]) -> list[Any]:
        """Have parts added up: tasks for `written_ranges`."""
        level = 0
        while groups := gather.groups_of(parts, self.work / "merged", level):
            merging = self._each("gathering", gather.merge_group, groups, self.lower, self.tasks)
            parts, level = self._results(merging, "gathering", "part"), level + 1
        if not parts:
            return []
        ranges = self._submit(gather.ranges_of, parts, self.slots, least_memory(self.client, self.tasks)).result()
        return [(gather.merge_range, each, parts, self.lower, self.tasks) for each in ranges]

    def _on_range(self, stage: str) -> Callable[[int, int], None]:
        """Return what tells the user of ranges that were written."""
        progress = self.job.progress or (lambda *told: None)
        return lambda done, total: progress(stage, done, total, "range")
