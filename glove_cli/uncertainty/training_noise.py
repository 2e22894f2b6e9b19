"""What another seed, or another text of the kind, would change in cosines, from models that differ in nothing else.

The noise of a word's counts is all there is if contexts are known and training ends in the one best place. But another
seed ends elsewhere, and of frequent words that is the larger part of how cosines differ between two texts of a kind.
Models of the same matrix with other seeds tell how much that is, to be added to the noise of the counts. Models of
matrices that were counted with `--resample`, each with a seed of its own, tell all of it: counts, contexts and seeds.

One cosine in two models says little of its variance, so that many are taken together: with s_a^2 what word a adds,

    var c_ab = (1 - c_ab^2) (s_a^2 + s_b^2)

where 1 - c^2 is how a cosine moves with noise that is alike in all directions. Over probes p, the most frequent words,
t_a = mean_p var c_ap / mean_p (1 - c_ap^2) = s_a^2 + mean_p s_p^2, and the mean of these over the probes themselves is
t = 2 mean_p s_p^2, so that s_a^2 + s_b^2 = t_a + t_b - t. The sizes of noise are not that alike, and for words with
little of it the difference comes out too small: it is taken as (t_a + t_b) / 2 at least.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.model import GloveModel
from glove_cli.uncertainty.checks import check_model
from glove_cli.uncertainty.vectors import UncertainVectors
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.select import select_vectors

PROBES = 500
_MAY_DIFFER = ("seed",)
_OF_WORDS = ("min_count", "max_vocab", "max_doc_share")  # how a vocabulary was chosen, which is compared itself


@dataclass(frozen=True, eq=False)
class TrainingNoise:
    """The vectors of several trainings, on one matrix or on resampled ones.

    Attributes
    ----------
    vectors : tuple of WordVectors
        Those of each model, after the steps; two at least.
    probes : int64 array (n,)
        Rows of words whose cosines with others are compared.
    resampled : bool
        Whether the matrices were resampled, so that what differs holds the noise of the counts already.
    """

    vectors: tuple[WordVectors, ...]
    probes: NDArray[np.int64]
    resampled: bool = False

    @classmethod
    def of(cls, source: UncertainVectors, others: Sequence[GloveModel], process: str | None = None) -> TrainingNoise:
        """Return the noise between a model and others.

        Parameters
        ----------
        source : UncertainVectors
        others : sequence of GloveModel
            Trained with the same options but for the seed: on the same matrix, one or more; or on matrices of the same
            text, counted with `resample` and the same vocabulary, two or more.
        process : str, optional
            What was chosen for `source`.

        Raises
        ------
        OptionError
            If one was trained or counted otherwise, or is the same; if only one is of a resampled matrix.
        FormatError
            If it isn't a model of GloVe's.
        """
        for other in others:
            check_model(other, "--also")
        again = [other.meta["cooc"].get("options") or {} for other in others]
        resampled = any(options.get("resample") is not None for options in again)
        for other in others:
            if resampled:
                _check_resampled(source.model, other)
            elif other.meta["cooc"].get("sha256") != source.model.meta["cooc"].get("sha256"):
                raise OptionError(
                    "--also: was trained on another matrix. Name a model of the same one, or several of matrices that "
                    "were counted with --resample."
                )
            _check_training(source.model, other)
        _check_different("--seed", [model.meta["options"].get("seed") for model in (source.model, *others)])
        process = process if process is not None else source.model.meta.get("process")
        made = [select_vectors(other, source.kind, process or "none") for other in others]
        probes = np.arange(min(PROBES, len(source.vectors)))
        if not resampled:
            return cls((source.vectors, *made), probes)
        _check_different("--resample", [options["resample"] for options in again])
        if len(made) < 2:
            raise OptionError(
                "--also: one resampled matrix says nothing of how they differ. Name models of two or more."
            )
        return cls(tuple(made), probes, resampled=True)

    def variances(self, pairs: Sequence[tuple[str, str]], cosines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what training adds to the variance of cosines, or the whole of it, float64 (pairs,).

        Parameters
        ----------
        pairs : sequence of (str, str)
        cosines : float64 array (pairs,)
        """
        words = list(dict.fromkeys(word for pair in pairs for word in pair))
        rows = np.array([self.vectors[0].row(word) for word in words], np.int64)
        of_words = dict(zip(words, self._totals(rows).tolist(), strict=True))
        all_probes = float(self._totals(self.probes).mean())
        both = np.array([of_words[a] + of_words[b] if a != b else 0.0 for a, b in pairs])
        return np.maximum(both - all_probes, both / 2) * (1 - np.minimum(1.0, cosines**2))

    def cosines(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return the cosines of pairs in each model, float64 (models, pairs).

        Parameters
        ----------
        pairs : sequence of (str, str)
        """
        rows = np.array([[self.vectors[0].row(word) for word in pair] for pair in pairs], np.int64).reshape(-1, 2)
        return np.stack(
            [np.einsum("nd,nd->n", *(v.unit_rows[rows[:, k]] for k in (0, 1)), dtype=np.float64) for v in self.vectors]
        )

    def _totals(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return t_a of each row."""
        found = np.stack([v.unit_rows[rows] @ v.unit_rows[self.probes].T for v in self.vectors]).astype(np.float64)
        own = rows[:, np.newaxis] == self.probes
        spread, room = found.var(axis=0, ddof=1), 1 - np.square(found.mean(axis=0))
        spread[own] = room[own] = 0.0
        return spread.sum(axis=1) / np.maximum(room.sum(axis=1), np.finfo(float).tiny)


def _check_resampled(model: GloveModel, other: GloveModel) -> None:
    """Refuse a model that isn't of a resampled matrix of the same text and words."""
    ours, theirs = model.meta["cooc"], other.meta["cooc"]
    counted, again = ours.get("options") or {}, theirs.get("options") or {}
    if counted.get("resample") is not None:
        raise OptionError("--also: the model itself is of a resampled matrix. Name that of the text as it is.")
    if again.get("resample") is None:
        raise OptionError("--also: is of a matrix that wasn't resampled, beside others that were. Leave one kind out.")
    for key in sorted(set(counted) | set(again)):
        if key not in ("resample", *_OF_WORDS) and counted.get(key) != again.get(key):
            raise _differs(key, "counted", again.get(key), "the model's matrix", counted.get(key))
    if list(map(os.path.basename, ours.get("sources") or [])) != list(
        map(os.path.basename, theirs.get("sources") or [])
    ):
        raise OptionError(f"--also: was counted from {theirs.get('sources')}, the model from {ours.get('sources')}.")
    if other.vocab.words != model.vocab.words:
        raise OptionError(
            "--also: has other words. Count the resampled text with --vocab and the vocab.txt of the model's matrix."
        )


def _check_training(model: GloveModel, other: GloveModel) -> None:
    """Refuse a model that was trained with other options."""
    ours, theirs = model.meta["options"], other.meta["options"]
    for key in sorted(set(ours) | set(theirs)):
        if key not in _MAY_DIFFER and ours.get(key) != theirs.get(key):
            raise _differs(key, "trained", theirs.get(key), "the model", ours.get(key))


def _check_different(option: str, seeds: Sequence[object]) -> None:
    """Refuse a seed that is used twice."""
    for k, seed in enumerate(seeds):
        if seed in seeds[:k]:
            raise OptionError(f"--also: has the {option} {seed}, as another has. Use another {option} for each.")


def _differs(key: str, how: str, theirs: object, other: str, ours: object) -> OptionError:
    option = "--" + key.replace("_", "-")
    return OptionError(
        f"--also: was {how} with {option} {theirs}, {other} with {ours}. Name one that differs in its seeds alone."
    )
