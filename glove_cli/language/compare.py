"""Vectors judged by the language models that they help: perplexity on the same tokens, by size of the training text."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus.sources import CorpusLike
from glove_cli.corpus.vocabulary import make_config
from glove_cli.language.config import LanguageConfig
from glove_cli.language.network import FROZEN, RANDOM, TUNED, check_memory, require_torch, train_network
from glove_cli.language.ngrams import KneserNey, NgramCounts, perplexity
from glove_cli.language.overlap import Overlap, find_overlap
from glove_cli.language.prepare import prepare_texts
from glove_cli.language.report import LanguageReport, LanguageScore
from glove_cli.language.text import Text
from glove_cli.parallel import Progress, thread_count
from glove_cli.vectors.keyed import WordVectors

NGRAM = "n-gram"
_SECONDS_BETWEEN_LOOKS = 0.2


class _Job(NamedTuple):
    """One run."""

    kind: str
    model: str | None
    size: int
    share: float
    seed: int


class _Run(NamedTuple):
    tokens: int
    perplexity: float
    epoch: int | None
    seconds: float


def evaluate_language(
    models: Mapping[str, WordVectors],
    train: CorpusLike,
    *,
    valid: CorpusLike | None = None,
    test: CorpusLike | None = None,
    lowercase: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
    note: Callable[[str], None] = lambda text: None,
    **options: Any,
) -> LanguageReport:
    """Compare vectors by how well language models that use them predict a text.

    Parameters
    ----------
    models : mapping of str to WordVectors
        Vectors by the names that the report gives them; none compares n-grams only.
    train : path-like, binary file, or an iterable of these
        The text to learn from, as in `build_cooc`. A line is a sentence.
    valid : path-like, binary file, or an iterable of these, optional
        The text that says when to stop; unless given, the last tenth of `train`, at most 10,000 tokens, is cut off.
    test : path-like, binary file, or an iterable of these, optional
        The text that is scored; unless given, likewise, before `valid`, at most 30,000 tokens.
    lowercase : bool
        Turn the texts to lower case first.
    threads : int, optional
        How many networks are trained side by side; all cores that this process may use, unless given. The result
        doesn't depend on it.
    progress : callable, optional
        Called with ("reading", bytes, bytes in all, "B") and ("learning", tokens done, tokens at most, "token").
    note : callable, optional
        Called with what a user should know before it takes long.
    **options
        The fields of `LanguageConfig`.

    Returns
    -------
    LanguageReport

    Raises
    ------
    OptionError
        If an option's value cannot work.
    CorpusError
        If a text can't be read, is too short, or too little of the test text is in the vocabulary.
    TrainingError
        If PyTorch is not installed, or a network can't be trained.

    Notes
    -----
    The vocabulary are the most frequent words of the training text that occur twice or more and that all models have
    vectors for. It is the same for all models, shares and seeds, so that all predict the same tokens out of the same
    outcomes.
    """
    config: LanguageConfig = make_config(LanguageConfig, options)
    threads = thread_count(threads)
    if models:
        require_torch("--lm")
    texts = prepare_texts(
        models, train, valid=valid, test=test, config=config, lowercase=lowercase, threads=threads, progress=progress
    )
    learned, judged, scored = texts.train, texts.valid, texts.test
    overlap = find_overlap(learned, scored)
    for text in _notes(texts.cut, learned, judged, scored, overlap):
        note(text)
    vectors = {name: _rows(source, texts.words) for name, source in models.items()}
    jobs = list(_jobs(config, vectors))
    if vectors:
        networks = min(threads, sum(job.kind != NGRAM for job in jobs))
        check_memory(len(texts.words), max(rows.shape[1] for rows in vectors.values()), config, networks)
    parts = {(share, seed): learned.sample(share, seed) for _, _, _, share, seed in jobs}
    runs = _work(jobs, parts, judged, scored, vectors, config, threads, progress)
    return LanguageReport(
        config,
        len(texts.words),
        {"train": len(learned), "valid": len(judged), "test": len(scored)},
        texts.cut,
        {"train": learned.coverage, "valid": judged.coverage, "test": scored.coverage},
        texts.known,
        overlap,
        _gathered(runs),
    )


def _rows(source: WordVectors, words: Sequence[str]) -> NDArray[np.float32]:
    """Return the vectors of some words."""
    rows: NDArray[np.float32] = np.asarray(source.matrix)[[source.index[word] for word in words]]
    return rows


def _notes(cut: Sequence[str], train: Text, valid: Text, test: Text, overlap: Overlap) -> Iterator[str]:
    """Yield what a user should know."""
    lengths = {"valid": len(valid), "test": len(test)}
    for name in cut:
        what = "what says when to stop" if name == "valid" else "the test text"
        yield f"Note: --{name} isn't given: {what} is the end of the training text, {lengths[name]:,} tokens, cut off."
    if overlap.is_large:
        yield (
            f"Warning: {overlap.lines:.0%} of the test text's lines and {overlap.runs:.0%} of its runs of 8 tokens "
            "stand in the training text too: the score says how well models remember. Take a text that they don't know."
        )


def _jobs(config: LanguageConfig, vectors: Mapping[str, NDArray[Any]]) -> Iterator[_Job]:
    """Yield all runs: random vectors once for each size, n-grams of the whole text once."""
    sizes = {name: matrix.shape[1] for name, matrix in vectors.items()}
    for share in config.shares:
        for seed in config.seeds:
            if share < 1 or seed == config.seeds[0]:
                for order in config.orders:
                    yield _Job(NGRAM, None, order, share, seed)
            for size in dict.fromkeys(sizes.values()):
                yield _Job(RANDOM, None, size, share, seed)
            for name, size in sizes.items():
                yield _Job(FROZEN, name, size, share, seed)
                yield _Job(TUNED, name, size, share, seed)


def _work(
    jobs: list[_Job],
    parts: Mapping[tuple[float, int], Text],
    valid: Text,
    test: Text,
    vectors: Mapping[str, NDArray[Any]],
    config: LanguageConfig,
    threads: int,
    progress: Progress | None,
) -> dict[_Job, _Run]:
    """Do all runs, several side by side; the long ones come first."""
    stop, lock = threading.Event(), threading.Lock()
    sizes = {job: len(parts[job.share, job.seed]) for job in jobs}
    most = {job: size * (1 if job.kind == NGRAM else config.passes(size)) for job, size in sizes.items()}
    done = dict.fromkeys(jobs, 0)

    def run(job: _Job) -> _Run:
        began = time.perf_counter()
        part = parts[job.share, job.seed]
        if job.kind == NGRAM:
            p, epoch = KneserNey.of(NgramCounts.of(part, job.size), job.size).probabilities(test), None
        else:

            def tick(tokens: int) -> None:
                with lock:
                    done[job] += tokens

            rows = vectors[job.model] if job.model is not None else _any_of(vectors, job.size)
            network = train_network(
                part, valid, rows, start=job.kind, seed=job.seed, config=config, on_tokens=tick, stop=stop
            )
            p, epoch = network.probabilities(test), network.best_epoch
        return _Run(len(part), perplexity(p), epoch, time.perf_counter() - began)

    with ThreadPoolExecutor(threads) as pool:
        waiting = {pool.submit(run, job): job for job in sorted(jobs, key=lambda job: -most[job])}
        futures = dict(waiting)
        try:
            while waiting:
                finished, _ = wait(waiting, timeout=_SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    job = waiting.pop(future)
                    done[job] = most[job]  # what it left out by stopping early is done, too
                if progress:
                    progress("learning", sum(done.values()), sum(most.values()), "token")
        except BaseException:
            stop.set()
            for future in waiting:
                future.cancel()
            raise
    results = {job: future.result() for future, job in futures.items()}
    return {job: results[job] for job in jobs}


def _any_of(vectors: Mapping[str, NDArray[Any]], size: int) -> NDArray[Any]:
    """Return vectors of a size, for which random ones are to stand."""
    return next(rows for rows in vectors.values() if rows.shape[1] == size)


def _gathered(runs: Mapping[_Job, _Run]) -> list[LanguageScore]:
    """Return the runs of all seeds together, the largest share first."""
    groups: dict[tuple[str, str | None, int, float], list[_Run]] = {}
    for job, run in runs.items():
        groups.setdefault(job[:4], []).append(run)
    return [
        LanguageScore(
            *key,
            tuple(run.tokens for run in group),
            tuple(run.perplexity for run in group),
            tuple(run.epoch for run in group if run.epoch is not None),
            tuple(run.seconds for run in group),
        )
        for key, group in groups.items()
    ]
