"""Word vectors that know how uncertain they are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.model import GloveModel
from glove_cli.parallel import Progress, ordered_map, thread_count
from glove_cli.training.counts import Counts, find_counts
from glove_cli.uncertainty.checks import check_model, check_same_matrix
from glove_cli.uncertainty.contexts import Entries, column_sizes, columns_entries, groups, row_entries, without_held_out
from glove_cli.uncertainty.solve import Matrix, Sums, add_up, covariance
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.process import Changes, chosen_steps, trace_steps
from glove_cli.vectors.rows import ModelRows
from glove_cli.vectors.select import load_model, select_vectors

if TYPE_CHECKING:
    from glove_cli.training.counts import CountsLike

_SIDES = {"word": "w", "context": "c", "sum": "wc", "concat": "wc"}


@dataclass(frozen=True)
class WordUncertainty:
    """How uncertain the vector of a word is.

    Attributes
    ----------
    word : str
    count : int
        How often it occurs.
    contexts : int
        Entries that its vector was fitted to; of the two sides of W + C, the fewer.
    noise : float
        s^2, the variance of log X at weight 1: the mean of both sides for W + C; NaN where it is unknown.
    shared : float
        Correlation of the noise of both sides; 0 where there is but one, or where their counts differ.
    vector : float64 array (d,)
        As `nearest` sees it.
    covariance : float64 array (d, d) or None
        Of `vector`. None for a word with no more contexts than dimensions: they can't tell noise from vector.
    """

    word: str
    count: int
    contexts: int
    noise: float
    shared: float
    vector: NDArray[np.float64]
    covariance: NDArray[np.float64] | None

    @property
    def size(self) -> float:
        """Length of the typical error by that of the vector, sqrt(trace of the covariance) / |v|; NaN if unknown."""
        length = float(np.linalg.norm(self.vector))
        if self.covariance is None or not length:
            return float("nan")
        return float(np.sqrt(np.maximum(0.0, np.trace(self.covariance)))) / length


@dataclass(frozen=True, eq=False)
class UncertainVectors:
    """The vectors of a model with the matrix that they come from.

    Attributes
    ----------
    model : GloveModel
    counts : Counts
    kind : {"sum", "word", "context", "concat"}
    x_max, alpha : float
        Of the model's training.
    vectors : WordVectors
        After the steps.
    changes : Changes
        The steps.
    rare : dict
        Its keys are the words met so far that have too few contexts.
    """

    model: GloveModel
    counts: Counts
    kind: str
    x_max: float
    alpha: float
    vectors: WordVectors
    changes: Changes
    rare: dict[str, None] = field(default_factory=dict)

    def plain(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return vectors before the steps, float64 (n, d).

        Parameters
        ----------
        rows : int64 array (n,)
        """
        source = ModelRows(self.model, self.kind)
        return np.concatenate([source[row : row + 1] for row in rows.tolist()])

    def each(
        self,
        words: Sequence[str],
        *,
        changed: bool = True,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Iterator[WordUncertainty]:
        """Find how uncertain the vectors of words are, one after the other, so that few are in memory.

        Parameters
        ----------
        words : sequence of str
        changed : bool
            Whether vector and covariance are those after the steps.
        threads : int, optional
            All cores unless given; the result is the same.
        progress : callable, optional
            Called with ("solving", words done, words, "word").

        Yields
        ------
        WordUncertainty
            In the order of the words.

        Raises
        ------
        UnknownWordError
            If a word has no vector.
        """
        rows = np.array([self.vectors.row(word) for word in words], np.int64)
        return self._solved(rows, changed, thread_count(threads), progress or (lambda *step: None))

    def _solved(
        self, rows: NDArray[np.int64], changed: bool, threads: int, progress: Progress
    ) -> Iterator[WordUncertainty]:
        unique, places = np.unique(rows, return_inverse=True)
        if len(unique) < len(rows):  # a word that is asked for twice
            found = list(self._solved(unique, changed, threads, progress))
            yield from (found[place] for place in places.tolist())
            return
        done = 0
        for part in groups(self._sizes[rows]):
            for solved in ordered_map(
                lambda _, item: self._word(*item, changed), self._entries(rows[part]), range(threads)
            ):
                done += 1
                if solved.covariance is None:
                    self.rare[solved.word] = None
                progress("solving", done, len(rows), "word")
                yield solved

    @cached_property
    def _sizes(self) -> NDArray[np.int64]:
        """Entries that are read for each word."""
        sizes = np.zeros(len(self.vectors), np.int64)
        if self.counts.symmetric or "w" in _SIDES[self.kind]:
            sizes += np.diff(self.counts.indptr)
        if self.counts.symmetric or "c" in _SIDES[self.kind]:
            sizes += column_sizes(self.counts)
        return sizes

    def _entries(self, rows: NDArray[np.int64]) -> Iterator[tuple[int, list[tuple[str, Entries]]]]:
        """Yield for each word the entries of each regression."""
        counts, sides = self.counts, _SIDES[self.kind]
        if counts.symmetric:
            for row, above in zip(rows.tolist(), columns_entries(counts, rows, diagonal=False), strict=True):
                below = row_entries(counts, row)
                whole = Entries(np.concatenate((below.other, above.other)), np.concatenate((below.x, above.x)))
                yield row, [(sides, whole)]
            return
        columns = columns_entries(counts, rows, diagonal=True) if "c" in sides else [None] * len(rows)
        for row, column in zip(rows.tolist(), columns, strict=True):
            parts = [("w", row_entries(counts, row))] if "w" in sides else []
            yield row, [*parts, ("c", column)] if column is not None else parts

    def _word(self, row: int, parts: list[tuple[str, Entries]], changed: bool) -> WordUncertainty:
        model, d = self.model, self.model.dim
        options, holdout = (self.x_max, self.alpha), float(model.meta["options"].get("holdout") or 0)
        trained = [(sides, without_held_out(row, entries, holdout)) for sides, entries in parts]
        sums = [add_up(model, row, entries, sides, *options) for sides, entries in trained]
        vector = self.plain(np.array([row]))[0]
        found, noise, shared = _joined(sums, d)
        if found is not None:
            if self.kind == "sum":
                found = found[:d, :d] + found[:d, d:] + found[d:, :d] + found[d:, d:]
            if changed and self.changes.works:
                jacobian = self.changes.jacobian(vector)
                found = jacobian.T @ found @ jacobian
        if changed and self.changes.works:
            vector = self.changes.apply(vector[np.newaxis])[0]
        n = min(part.n for part in sums)
        return WordUncertainty(model.vocab.words[row], int(model.vocab.counts[row]), n, noise, shared, vector, found)


def uncertain_vectors(
    model: GloveModel | str | os.PathLike[str],
    matrix: CountsLike,
    *,
    vectors: str = "sum",
    process: str | None = None,
    words: Sequence[str] | None = None,
    counts: Sequence[int] | NDArray[np.int64] | None = None,
) -> UncertainVectors:
    """Return the vectors of a model with the matrix that it was trained on, which together say how uncertain they are.

    Parameters
    ----------
    model : GloveModel or path-like
    matrix : CoocMatrix, path-like, or SciPy sparse matrix (V, V)
        As in `train`.
    vectors : {"sum", "word", "context", "concat"}
        See `select_vectors`.
    process : str, optional
        See `select_vectors`. Means, directions and scales of the steps count as fixed.
    words : sequence of str, length V, optional
        The words of a SciPy matrix.
    counts : sequence of int, length V, optional
        How often each word of a SciPy matrix occurs, if training was told.

    Returns
    -------
    UncertainVectors

    Raises
    ------
    FormatError
        If the model wasn't trained by GloVe's objective alone, or model or matrix can't be opened or were changed.
    OptionError
        If the model was trained on another matrix, or there is no such kind or step.

    Notes
    -----
    Vallebueno, Handan-Nader, Manning and Ho 2024, "Statistical Uncertainty in Word Embeddings: GloVe-V", who have it
    for W alone; see `glove_cli.uncertainty.solve` for W + C.
    """
    name = "model"
    if not isinstance(model, GloveModel):
        name, model = os.fspath(model), load_model(model, verify=("W", "C", "b_w", "b_c"))
    x_max, alpha = check_model(model, name)
    found = find_counts(matrix, words, counts)
    check_same_matrix(model, found, name)
    found.verify()
    for array in ("W", "C", "b_w", "b_c"):
        if not np.isfinite(getattr(model, array)).all():
            raise FormatError(f"{name}: {array} has numbers that aren't finite. Train it again.")
    plain = select_vectors(model, vectors, "none")
    made, changes = trace_steps(plain, chosen_steps(process, model.meta.get("process")))
    return UncertainVectors(model, found, vectors, x_max, alpha, made, changes)


def word_uncertainty(
    model: GloveModel | str | os.PathLike[str],
    matrix: CountsLike,
    words: Sequence[str],
    *,
    vectors: str = "sum",
    process: str | None = None,
    threads: int | None = None,
) -> list[WordUncertainty]:
    """Return how uncertain the vectors of words are.

    Parameters
    ----------
    model : GloveModel or path-like
    matrix : CoocMatrix or path-like
        That it was trained on.
    words : sequence of str
    vectors : {"sum", "word", "context", "concat"}
    process : str, optional
    threads : int, optional

    Returns
    -------
    list of WordUncertainty

    Raises
    ------
    GloveError
        As `uncertain_vectors` and `UncertainVectors.each`.

    Examples
    --------
    >>> from glove_cli import word_uncertainty  # doctest: +SKIP
    >>> word_uncertainty("glove-run/model", "glove-run/cooc", ["paris"])[0].size  # doctest: +SKIP
    """
    return list(uncertain_vectors(model, matrix, vectors=vectors, process=process).each(words, threads=threads))


def _joined(sums: list[Sums], d: int) -> tuple[Matrix | None, float, float]:
    """Return the covariance of both sides together, the mean of their noise, and its correlation."""
    solved = [covariance(part, d) for part in sums]
    known = [part for part in solved if part is not None]
    if len(known) < len(solved):
        return None, float("nan"), 0.0
    if len(known) == 1:
        found, noise = known[0]
        scale = float(np.sqrt(noise[0, 0] * noise[-1, -1]))
        shared = float(noise[0, 1]) / scale if len(noise) == 2 and scale else 0.0
        return found, float(np.diag(noise).mean()), shared
    found = np.zeros((2 * d, 2 * d))
    found[:d, :d], found[d:, d:] = known[0][0], known[1][0]
    return found, float(np.mean([noise[0, 0] for _, noise in known])), 0.0
