"""Approximate search among very many words: an index, made once and kept, finds candidates; their scores are exact.

The index is usearch's (an extra: `pip install 'glove-cli[index]'`), a graph of near neighbours in layers (Malkov and
Yashunin 2018, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small World
graphs"). See `glove_cli.vectors.index_folder` for what is kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError, OptionError, OutputError
from glove_cli.files import check_folder, output_folder
from glove_cli.folder import FolderWriter
from glove_cli.parallel import thread_count
from glove_cli.vectors.index_folder import (
    GRAPH_NAME,
    INDEX_FORMAT,
    INDEX_VERSION,
    REMEDY,
    check_index,
    open_folder,
    save_graph,
    usearch_index,
    vectors_digest,
)
from glove_cli.vectors.keyed import Neighbour, WordVectors
from glove_cli.vectors.names import COSINE, EUCLIDEAN
from glove_cli.vectors.scores import Lengths, exact_keys, scaled
from glove_cli.vectors.search import check_topn, measure_of, scores_of, search

RECALL_AT = 10
_SAMPLE = 200
_SEED = 1
_CONNECTIVITY, _EXPANSION_ADD = 16, 64  # a word's links, and how widely they are looked for
_EXPANSIONS = (64, 128, 256, 512, 1024)  # how widely a question is looked for: the first that finds enough
_ENOUGH = 0.98
_NUMBERS = "bf16"  # two bytes keep the range of float32; rounding only touches which words are candidates
_ROWS = 1 << 12  # added at a time
_CANDIDATES = 1 << 18  # scored at a time
_PART = 16  # a question with more candidates than this part of all words is answered exactly, which is faster
_FARTHEST = 1e9  # of a question from the longest vector, in its lengths: float32 has to hold the square


@dataclass(frozen=True, eq=False)
class Index:
    """An index of V words that answers approximately.

    Attributes
    ----------
    vectors : WordVectors
        The words.
    path : Path
        Its folder.
    metric : {"cosine", "dot", "euclidean"}
        What is near.
    recall : float
        Which part of the 10 nearest words it found, exact search being right, over `sample` words drawn at random.
    sample : int
        Number of these words.
    expansion : int
        How many words are kept in sight while one is looked for.
    scale : float
        Length of the longest vector, by which all are divided in the graph unless `metric` is "cosine".
    graph : usearch.index.Index
        The graph; its keys are the rows.
    """

    vectors: WordVectors
    path: Path
    metric: str
    recall: float
    sample: int
    expansion: int
    scale: float
    graph: Any

    def nearest_many(
        self, queries: Sequence[str | NDArray[Any]], topn: int = 10, *, threads: int | None = None
    ) -> list[list[Neighbour]]:
        """Find words near to each of many words or vectors: nearly always the nearest ones.

        Parameters
        ----------
        queries : sequence of str or float array (d,)
            Words, which are not their own neighbours, or vectors.
        topn : int
            How many words for each.
        threads : int, optional
            All cores that this process may use unless given. The answers are the same.

        Returns
        -------
        list of list of Neighbour
            As many for each query as `WordVectors.nearest_many` returns, with exact scores, nearest first; of equally
            near ones the word that stands first.

        Raises
        ------
        UnknownWordError
            If a word has no vector.
        OptionError
            If `topn` or `threads` isn't positive, or a vector has another length.

        Notes
        -----
        What a graph is no help for is searched exactly: a vector of zeros under a cosine or product, so many neighbours
        that most words would be candidates, and queries for which the graph has too few.
        """
        check_topn(topn)
        threads = thread_count(threads)
        vectors = self.vectors
        own = np.array([vectors.row(query) if isinstance(query, str) else -1 for query in queries], np.int64)
        targets = np.empty((len(own), vectors.dim))
        for number, (row, query) in enumerate(zip(own, queries, strict=True)):
            targets[number] = vectors.matrix[row] if row >= 0 else vectors.check_query(query)
        rows, keys = self._search(targets, own, topn, threads)
        return [
            [Neighbour(vectors.words[row], score) for row, score in zip(*pair, strict=True) if row >= 0]
            for pair in zip(rows.tolist(), scores_of(self.metric, keys).tolist(), strict=True)
        ]

    def _search(
        self, targets: NDArray[np.float64], own: NDArray[np.int64], topn: int, threads: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return rows and keys as `search`, for float64 (n, d); `own` is the row that can't answer, or -1."""
        V = len(self.vectors)
        width = min(topn, V)
        wanted = 2 * topn + 16  # more than asked for: rounded numbers bring them in nearly the right order
        found, keys = np.full((len(own), width), -1, np.int64), np.full((len(own), width), np.nan)
        left = np.ones(len(own), bool)
        if wanted * _PART <= V:
            questions, usual = self._questions(targets)
            step = max(1, _CANDIDATES // wanted)
            for begin in range(0, len(usual), step):
                some = usual[begin : begin + step]
                rows = self._candidates(questions[some], wanted, threads)
                found[some], keys[some] = self._best(targets[some], rows, own[some], width)
            left = found[:, -1] < 0
        rest = np.flatnonzero(left)
        if len(rest):
            measure, vectors = measure_of(self.metric), self.vectors
            rows, exact = search(
                vectors,
                lambda begin, end: measure(vectors.matrix, vectors.lengths, targets[rest[begin:end]]),
                [[row] if row >= 0 else [] for row in own[rest]],
                topn,
            )
            found[rest, : rows.shape[1]], keys[rest, : rows.shape[1]] = rows, exact
        return found, keys

    def _questions(self, targets: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return float32 (n, d) to ask the graph, and which of them can be asked."""
        prepared = targets / self.scale if self.metric == EUCLIDEAN else scaled(targets)
        lengths = np.sqrt((prepared * prepared).sum(axis=1))
        usual = lengths < _FARTHEST
        if self.metric != EUCLIDEAN:
            usual &= lengths > 0
        with np.errstate(over="ignore"):
            return prepared.astype(np.float32), np.flatnonzero(usual)

    def _candidates(self, questions: NDArray[np.float32], count: int, threads: int) -> NDArray[np.int64]:
        """Return rows (n, count), -1 where the graph has no more."""
        matches = self.graph.search(questions, count, threads=threads)
        rows = np.asarray(matches.keys).astype(np.int64).reshape(len(questions), -1)
        if len(questions) > 1:  # for one question only what was found comes back
            rows[np.arange(rows.shape[1]) >= np.asarray(matches.counts)[:, np.newaxis]] = -1
        return rows

    def _best(
        self, targets: NDArray[np.float64], rows: NDArray[np.int64], own: NDArray[np.int64], width: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the best of the candidates by their exact keys."""
        question, place = np.nonzero((rows >= 0) & (rows != own[:, np.newaxis]))
        row = rows[question, place]
        chosen = self.vectors.matrix[row]
        nothing = Lengths(np.ones(len(row), np.float32), np.empty(0, np.int64))  # keys don't need them
        measure = measure_of(self.metric)(chosen, nothing, targets)
        key = exact_keys(measure, question, np.arange(len(row)), self.vectors.dim)
        order = np.lexsort((row, -key, question))
        question, row, key = question[order], row[order], key[order]
        place = np.arange(len(row)) - np.searchsorted(question, question)
        kept = place < width
        found, keys = np.full((len(targets), width), -1, np.int64), np.full((len(targets), width), np.nan)
        found[question[kept], place[kept]], keys[question[kept], place[kept]] = row[kept], key[kept]
        return found, keys

    def _with_recall(self, threads: int) -> Index:
        """Return this index with the least expansion that finds enough, and the recall that it then has."""
        vectors, V = self.vectors, len(self.vectors)
        own = np.sort(np.random.default_rng(_SEED).choice(V, self.sample, replace=False))
        targets = np.asarray(vectors.matrix[own], np.float64)
        measure = measure_of(self.metric)
        true = search(
            vectors,
            lambda begin, end: measure(vectors.matrix, vectors.lengths, targets[begin:end]),
            own[:, np.newaxis],
            RECALL_AT,
        )[1]
        # A word is a true neighbour if it is as near as the last of them: of equally near ones any will do.
        total, least = max(1, true.size), true.min(axis=1, initial=np.inf, keepdims=True)
        for expansion in _EXPANSIONS:
            self.graph.expansion_search = expansion
            keys = self._search(targets, own, RECALL_AT, threads)[1]
            recall = float((keys >= least).sum() / total) if true.size else 1.0
            if recall >= _ENOUGH:
                break
        return replace(self, expansion=expansion, recall=recall)


def build_index(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    metric: str = COSINE,
    threads: int | None = None,
    force: bool = False,
    progress: Callable[[str, int, int | None, str], None] | None = None,
) -> Index:
    """Make an index of all words, measure its recall, and keep it.

    Parameters
    ----------
    vectors : WordVectors
        V words of d dimensions.
    path : path-like
        The folder to make.
    metric : {"cosine", "dot", "euclidean"}
        What is near.
    threads : int, optional
        All cores that this process may use unless given. One thread makes the same index each time; several insert
        words in the order in which they come to it, which changes which candidates are missed, not how many.
    force : bool
        Whether an index that stands there may be replaced.
    progress : callable, optional
        Called with the stage, and how many of how many words are done.

    Returns
    -------
    Index

    Raises
    ------
    OptionError
        If `metric` or `threads` can't be.
    OutputError
        If usearch is not installed, or `path` exists and may not be replaced, or can't be written.
    FormatError
        If there are no vectors.

    Notes
    -----
    The graph holds the vectors as bfloat16, of length 1 for cosines, otherwise divided by the longest one's length.
    """
    path = Path(path)
    measure_of(metric)
    threads = thread_count(threads)
    if os.path.lexists(path) and not force:
        check_folder(path)
    check_index(path, force=force)
    V, d = vectors.matrix.shape
    if not V or not d:
        raise FormatError(f"vectors: there are none, {V:,} of {d} dimensions. Give some.")
    graph = usearch_index(path).Index(
        ndim=d,
        metric="l2sq" if metric == EUCLIDEAN else "ip",
        dtype=_NUMBERS,
        connectivity=_CONNECTIVITY,
        expansion_add=_EXPANSION_ADD,
        enable_key_lookups=False,
    )
    scale = 1.0 if metric == COSINE else _longest(vectors)
    for begin in range(0, V, _ROWS):
        end = min(V, begin + _ROWS)
        rows = np.asarray(vectors.matrix[begin:end], np.float64)
        prepared = scaled(rows) if metric == COSINE else rows / scale
        try:
            graph.add(np.arange(begin, end, dtype=np.uint64), prepared.astype(np.float32), threads=threads)
        except (ValueError, RuntimeError) as error:  # its words for memory or threads that are refused
            raise OutputError(
                f"{path}: the index can't be made: {error} Free memory, or give fewer --threads."
            ) from error
        if progress is not None:
            progress("indexing", end, V, "word")
    made = Index(vectors, path, metric, 0.0, min(_SAMPLE, V), _EXPANSIONS[0], scale, graph)._with_recall(threads)
    with output_folder(path, force=force) as temporary:
        writer = FolderWriter(temporary)
        save_graph(graph, temporary / GRAPH_NAME, path)
        writer.names.append(GRAPH_NAME)
        recall = {"at": RECALL_AT, "words": made.sample, "value": made.recall}
        writer.finish(
            INDEX_FORMAT, INDEX_VERSION, V=V, dim=d, metric=metric, vectors_sha256=vectors_digest(vectors, threads),
            recall=recall, expansion=made.expansion, scale=scale,
        )  # fmt: skip
    return made


def load_index(path: str | os.PathLike[str], vectors: WordVectors, *, metric: str | None = None) -> Index:
    """Open an index after checking that it is whole and was made for these vectors.

    Parameters
    ----------
    path : path-like
        Its folder.
    vectors : WordVectors
        The words and vectors that it was made for.
    metric : {"cosine", "dot", "euclidean"}, optional
        The measure that it has to be for; any unless given.

    Returns
    -------
    Index
        Its graph is mapped into memory.

    Raises
    ------
    FormatError
        If there is no index, it is damaged, or it was made for other vectors.
    OptionError
        If it is for another measure.
    OutputError
        If usearch is not installed.
    """
    path = Path(path)
    usearch = usearch_index(path)
    folder = open_folder(path)
    meta = folder.meta
    if metric is not None and metric != meta["metric"]:
        raise OptionError(
            f"--metric: {metric} is asked for, but the index {path} is for {meta['metric']}. "
            f"Give --metric {meta['metric']}, or name another folder."
        )
    threads = thread_count(None)
    shape = (meta["V"], meta["dim"])
    if shape != vectors.matrix.shape:
        theirs, ours = (f"{V:,} vectors of {d} dimensions" for V, d in (shape, vectors.matrix.shape))
        raise FormatError(f"{path}: is an index of {theirs}, not of these {ours}. {REMEDY}")
    if vectors_digest(vectors, threads) != meta["vectors_sha256"]:
        raise FormatError(f"{path}: is an index of other words or vectors than these. {REMEDY}")
    folder.verify()  # a graph with a wrong bit would lead out of its memory
    try:
        graph = usearch.Index.restore(path / GRAPH_NAME, view=True, enable_key_lookups=False)
    except (RuntimeError, ValueError) as error:
        raise FormatError(f"{path / GRAPH_NAME}: can't be read by usearch: {error}. {REMEDY}") from error
    if graph is None or (len(graph), graph.ndim) != shape:
        raise FormatError(f"{path / GRAPH_NAME}: doesn't hold the words that its meta.json says. {REMEDY}")
    graph.expansion_search = meta["expansion"]
    recall = meta["recall"]
    return Index(
        vectors, path, meta["metric"], recall["value"], recall["words"], meta["expansion"], meta["scale"], graph
    )


def _longest(vectors: WordVectors) -> float:
    """Return the length of the longest vector, 1 if all are zeros."""
    longest = 0.0
    for begin in range(0, len(vectors), _ROWS):
        rows = np.asarray(vectors.matrix[begin : begin + _ROWS], np.float64)
        longest = max(longest, float((rows * rows).sum(axis=1).max()))
    return longest**0.5 or 1.0
