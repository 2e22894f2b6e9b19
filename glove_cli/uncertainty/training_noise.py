"""What another seed would change in cosines, from models of the same matrix that differ in nothing else.

The noise of a word's counts is all there is if contexts are known and training ends in the one best place. But another
seed ends elsewhere, and of frequent words that is the larger part of how cosines differ between two texts of a kind.
One cosine in two models says little of its variance, so that many are taken together: with s_a^2 what word a adds,

    var c_ab = (1 - c_ab^2) (s_a^2 + s_b^2)

where 1 - c^2 is how a cosine moves with noise that is alike in all directions. Over probes p, the most frequent words,
t_a = mean_p var c_ap / mean_p (1 - c_ap^2) = s_a^2 + mean_p s_p^2, and the mean of these over the probes themselves is
t = 2 mean_p s_p^2, so that s_a^2 + s_b^2 = t_a + t_b - t. The sizes of noise are not that alike, and for words with
little of it the difference comes out too small: it is taken as (t_a + t_b) / 2 at least.
"""

from __future__ import annotations

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


@dataclass(frozen=True, eq=False)
class TrainingNoise:
    """The vectors of several trainings on one matrix.

    Attributes
    ----------
    vectors : tuple of WordVectors
        Those of each model, after the steps; two at least.
    probes : int64 array (n,)
        Rows of words whose cosines with others are compared.
    """

    vectors: tuple[WordVectors, ...]
    probes: NDArray[np.int64]

    @classmethod
    def of(cls, source: UncertainVectors, others: Sequence[GloveModel], process: str | None = None) -> TrainingNoise:
        """Return the noise between a model and others.

        Parameters
        ----------
        source : UncertainVectors
        others : sequence of GloveModel
            Trained on the same matrix, with the same options but for the seed.
        process : str, optional
            What was chosen for `source`.

        Raises
        ------
        OptionError
            If one was trained otherwise, or is the same.
        FormatError
            If it isn't a model of GloVe's.
        """
        seeds = [source.model.meta["options"].get("seed")]
        for other in others:
            check_model(other, "--also")
            if other.meta["cooc"].get("sha256") != source.model.meta["cooc"].get("sha256"):
                raise OptionError("--also: was trained on another matrix. Name a model of the same one.")
            ours, theirs = source.model.meta["options"], other.meta["options"]
            keys = sorted(set(ours) | set(theirs))
            for key in keys:
                if key not in _MAY_DIFFER and ours.get(key) != theirs.get(key):
                    option = "--" + key.replace("_", "-")
                    raise OptionError(
                        f"--also: was trained with {option} {theirs.get(key)}, the model with {ours.get(key)}. "
                        "Name one that differs in its --seed alone."
                    )
            seeds.append(theirs.get("seed"))
        if len(set(seeds)) < len(seeds):
            raise OptionError(f"--also: has the seed {seeds[-1]}, as another has. Train one with another --seed.")
        process = process if process is not None else source.model.meta.get("process")
        made = [select_vectors(other, source.kind, process or "none") for other in others]
        return cls((source.vectors, *made), np.arange(min(PROBES, len(source.vectors))))

    def variances(self, pairs: Sequence[tuple[str, str]], cosines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what training adds to the variance of cosines, float64 (pairs,).

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

    def _totals(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return t_a of each row."""
        found = np.stack([v.unit_rows[rows] @ v.unit_rows[self.probes].T for v in self.vectors]).astype(np.float64)
        own = rows[:, np.newaxis] == self.probes
        spread, room = found.var(axis=0, ddof=1), 1 - np.square(found.mean(axis=0))
        spread[own] = room[own] = 0.0
        return spread.sum(axis=1) / np.maximum(room.sum(axis=1), np.finfo(float).tiny)
