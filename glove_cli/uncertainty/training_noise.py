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

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glove_cli.model import GloveModel
from glove_cli.uncertainty.trainings import check_trainings
from glove_cli.uncertainty.vectors import UncertainVectors
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.select import select_vectors

PROBES = 500


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
    unseen : frozenset of int
        Rows of words that one of the resampled texts lacks, so that their vectors there say nothing.
    asked : dict with str keys
        Those of them that intervals were asked for.
    """

    vectors: tuple[WordVectors, ...]
    probes: NDArray[np.int64]
    resampled: bool = False
    unseen: frozenset[int] = frozenset()
    asked: dict[str, None] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        source: UncertainVectors,
        others: Sequence[GloveModel],
        process: str | None = None,
        *,
        names: Sequence[str] | None = None,
    ) -> TrainingNoise:
        """Return the noise between a model and others.

        Parameters
        ----------
        source : UncertainVectors
        others : sequence of GloveModel
            Trained with the same options but for the seed: on the same matrix, one or more; or on matrices of the same
            text, counted with `resample` and the same vocabulary, two or more.
        process : str, optional
            What was chosen for `source`.
        names : sequence of str, optional
            What errors call the others.

        Raises
        ------
        OptionError, FormatError
            As `check_trainings`.
        """
        names = names if names is not None else [f"model {k}" for k in range(1, len(others) + 1)]
        resampled = check_trainings(source.model, others, names)
        process = process if process is not None else source.model.meta.get("process")
        made = [select_vectors(other, source.kind, process or "none") for other in others]
        probes = np.arange(min(PROBES, len(source.vectors)))
        if not resampled:
            return cls((source.vectors, *made), probes)
        unmoved = np.zeros(len(source.vectors), bool)
        for other in others:
            unmoved[: len(other.vocab)] |= (other.gradsq_W == 1).all(axis=1)
        return cls(tuple(made), probes, resampled=True, unseen=frozenset(np.flatnonzero(unmoved).tolist()))

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
