"""Where training starts: small random numbers, or vectors that are there already.

Known words take over their vectors; new ones are drawn from the distribution of the known ones, component by component.
A model brings word and context vectors, biases and sums of squared steps, so that training goes on; vectors alone are
shared out, w = c = r / 2, so that w + c = r (Dingwall and Potts 2018, "Mittens").
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError, TrainingError
from glove_cli.model import GloveModel
from glove_cli.training.checkpoint import is_checkpoint, read_checkpoint
from glove_cli.training.config import TrainConfig
from glove_cli.training.state import Rows, State, row_steps
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.load import load_vectors
from glove_cli.vectors.select import load_model

Init = GloveModel | WordVectors


@dataclass(frozen=True)
class Start:
    """Vectors to start from.

    Attributes
    ----------
    name : str
        What errors call it.
    source : GloveModel or WordVectors
    """

    name: str
    source: Init

    @classmethod
    def find(cls, init: Init | Start | str | os.PathLike[str]) -> Start:
        """Open what was given.

        Parameters
        ----------
        init : GloveModel, WordVectors or path-like
            A path of a model, a run, a checkpoint, or a file of vectors in any format.

        Raises
        ------
        FormatError
            If there is nothing, or it can't be understood.
        TypeError
            If it is something else.
        """
        if isinstance(init, (GloveModel, WordVectors)):
            return cls("init", init)._checked()
        if isinstance(init, Start):
            return init
        if not isinstance(init, (str, os.PathLike)):
            raise TypeError(f"init: is a {type(init).__name__}. Give a path, a GloveModel or WordVectors.")
        path = Path(init)
        if not os.path.isdir(path):
            return cls(os.fspath(path), load_vectors(path))._checked()
        return cls(
            os.fspath(path), read_checkpoint(path) if is_checkpoint(path) else load_model(path, verify=None)
        )._checked()

    @property
    def words(self) -> Sequence[str]:
        """The words, in the order of the rows."""
        return self.source.vocab.words if isinstance(self.source, GloveModel) else self.source.words

    @property
    def dim(self) -> int:
        """Number of dimensions."""
        return self.source.dim if isinstance(self.source, GloveModel) else int(self.source.matrix.shape[1])

    def check_dim(self, dim: int) -> None:
        """Refuse another number of dimensions.

        Parameters
        ----------
        dim : int

        Raises
        ------
        OptionError
        """
        if self.dim != dim:
            raise OptionError(f"--init: {self.name} has {self.dim} dimensions, --dim is {dim}. Give --dim {self.dim}.")

    def _checked(self) -> Start:
        """Refuse numbers that aren't finite."""
        source = self.source
        arrays = (source.matrix,) if isinstance(source, WordVectors) else (source.W, source.C, source.b_w, source.b_c)
        for array in arrays:
            for ids in row_steps(len(array), self.dim):
                if not np.isfinite(array[ids]).all():
                    raise TrainingError(f"--init: {self.name} holds numbers that aren't finite. Give other vectors.")
        return self

    def digest(self) -> str:
        """Return a SHA-256 that tells this start from others."""
        digest = hashlib.sha256("\n".join(self.words).encode("utf-8", "surrogateescape"))
        source = self.source
        for array in (source.matrix,) if isinstance(source, WordVectors) else (source.W, source.C, source.gradsq_W):
            for ids in row_steps(len(array), self.dim):
                digest.update(array[ids].data)
        return digest.hexdigest()

    def known(self, words: Sequence[str], config: TrainConfig) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which of some words are known, as indices into `words`, and the row of each here.

        Raises
        ------
        OptionError
            If the dimensions differ.
        TrainingError
            If no word is known.
        """
        self.check_dim(config.dim)
        index = {word: row for row, word in enumerate(self.words)}
        rows = np.array([index.get(word, -1) for word in words], np.int64)
        ids = np.flatnonzero(rows >= 0)
        if not ids.size:
            raise TrainingError(f"--init: {self.name} has none of the words of the matrix. Give vectors of this text.")
        return ids, rows[ids]

    def rows(self, side: int, at: NDArray[np.int64]) -> Rows:
        """Return the parameters of rows as words (side 0) or as contexts (side 1)."""
        source = self.source
        n = len(at)
        if isinstance(source, WordVectors):
            return Rows(source.matrix[at] / 2, np.zeros(n), np.ones(1), np.ones(n))
        names = (("W", "b_w", "gradsq_W", "gradsq_b_w"), ("C", "b_c", "gradsq_C", "gradsq_b_c"))[side]
        return Rows(*(np.asarray(getattr(source, name)[at]) for name in names))

    def sums(self, at: NDArray[np.int64]) -> NDArray[Any]:
        """Return w + c of rows."""
        if isinstance(self.source, WordVectors):
            return np.asarray(self.source.matrix[at])
        return np.add(self.source.W[at], self.source.C[at])


def draw_parameters(state: State, config: TrainConfig) -> None:
    """Fill a state with small random numbers, uniform in +-1/(2 d), as in the reference.

    Parameters
    ----------
    state : State
    config : TrainConfig
    """
    d = config.dim
    rng = np.random.default_rng([config.seed, 0])
    for side in (0, 1):
        for ids in row_steps(len(state.place), d):
            drawn = (rng.random((len(ids), d + 1), np.float32) - np.float32(0.5)) / np.float32(d)
            biases = drawn[:, d] if config.init_biases != "zero" else np.zeros(len(ids), np.float32)
            state.put(side, ids, Rows(drawn[:, :d], biases, np.ones(1), np.ones(len(ids))))


def take_over(state: State, words: Sequence[str], start: Start, config: TrainConfig) -> int:
    """Fill a state with what training starts from; return how many of its words are known there.

    Parameters
    ----------
    state : State
        Has first values already.
    words : sequence of str (V,)
    start : Start
    config : TrainConfig

    Raises
    ------
    OptionError, TrainingError
        As `Start.known`.
    """
    ids, rows = start.known(words, config)
    new = np.setdiff1d(np.arange(len(words)), ids)
    alike = isinstance(start.source, WordVectors)  # both sides get the same vectors
    drawn_biases = config.init_biases in ("zero", "random")
    for side in (0, 1):
        mean, deviation = _distribution(start, side, rows)
        rng = np.random.default_rng([config.seed, 4, 0 if alike else side])
        for part in row_steps(len(new), config.dim):
            drawn = rng.standard_normal((len(part), config.dim + 1)) * deviation + mean
            biases = state.take(side, new[part]).biases if drawn_biases else drawn[:, -1]
            state.put(side, new[part], Rows(drawn[:, :-1], biases, np.ones(1), np.ones(len(part))))
        for part in row_steps(len(ids), config.dim):
            values = start.rows(side, rows[part])
            if drawn_biases:
                biases = state.take(side, ids[part]).biases
                values = values._replace(biases=biases, gradsq_biases=np.ones(len(part)))
            state.put(side, ids[part], values)
    return len(ids)


def _distribution(start: Start, side: int, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each component, the bias last, over rows."""
    total, squares = np.zeros(start.dim + 1), np.zeros(start.dim + 1)
    for part in row_steps(len(rows), start.dim):
        values = start.rows(side, rows[part])
        whole = np.column_stack([values.vectors, values.biases]).astype(np.float64)
        total += whole.sum(axis=0)
        squares += (whole * whole).sum(axis=0)
    mean = total / len(rows)
    deviation = np.sqrt(np.maximum(squares / len(rows) - mean * mean, 0))
    return mean, deviation if len(rows) > 1 else np.full(len(mean), 0.5 / start.dim)
