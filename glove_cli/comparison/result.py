"""What a comparison found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.comparison.names import BEYOND_CHANCE
from glove_cli.comparison.rotation import turned
from glove_cli.comparison.shared import SharedWords
from glove_cli.errors import OptionError
from glove_cli.vectors.search import nearest_rows

SHOWN = 10  # neighbours of a word
_CERTAIN = 9  # decimals of a cosine that don't depend on how many processors multiply


class Change(NamedTuple):
    """How one word differs between two sets of vectors, A and B.

    Attributes
    ----------
    word : str
    kept : float
        Share of its k nearest neighbours that is the same, from 0 to 1.
    cosine : float or None
        Of its two vectors, B's turned onto A's.
    kept_in_control : float or None
        Like `kept`, between A and the control.
    chance : float or None
        Share of the words of similar frequency that kept as little, or less, in the control.
    excess : float or None
        Distance of its two vectors at length 1, by what their errors let expect of a word that didn't move; NaN where
        an error is unknown. See `with_errors`.
    counts : tuple of int or None
        How often it occurs in A and in B.
    neighbours_a, neighbours_b : list of str
        Its nearest neighbours among the shared words.
    """

    word: str
    kept: float
    cosine: float | None
    kept_in_control: float | None
    chance: float | None
    excess: float | None
    counts: tuple[int | None, int | None]
    neighbours_a: list[str]
    neighbours_b: list[str]


@dataclass(frozen=True, eq=False)
class Comparison:
    """How words differ between two sets of vectors, A and B; r words were compared.

    Attributes
    ----------
    words : list of str
        The r words.
    rows : int64 array (r,)
        Their places among the shared words.
    kept : float64 array (r,)
        See `Change`, as the following ones.
    kept_in_control, chance : float64 array (r,) or None
    cosine : float64 array (r,) or None
    rotation : float64 array (d, d) or None
        What turns the vectors of B onto those of A: b @ rotation.
    neighbours : int
        k.
    min_count : int or None
        How often a word had to occur; None where no counts are known.
    shared : SharedWords
        All n shared words, among which neighbours are.
    """

    words: list[str]
    rows: NDArray[np.int64]
    kept: NDArray[np.float64]
    kept_in_control: NDArray[np.float64] | None
    chance: NDArray[np.float64] | None
    cosine: NDArray[np.float64] | None
    rotation: NDArray[np.float64] | None
    neighbours: int
    min_count: int | None
    shared: SharedWords

    def __len__(self) -> int:
        return len(self.words)

    @property
    def same(self) -> bool:
        """Whether the shared words have the same vectors in both."""
        a, b = self.shared.vectors[:2]
        return np.array_equal(a.matrix, b.matrix)

    @property
    def beyond_chance(self) -> int | None:
        """Number of words whose `chance` is 0.01 or less; a hundredth of all would be if nothing had changed."""
        return None if self.chance is None else int(np.count_nonzero(self.chance <= BEYOND_CHANCE))

    def order(self) -> NDArray[np.int64]:
        """Return the places of the words, int64 array (r,), the one that changed most first.

        By the share of neighbours kept, then by the cosine; with a control by chance first, then by the share that is
        kept less than there. Of equal words that comes first which stands first in A.
        """
        keys: list[NDArray[Any]] = [self.rows]
        if self.cosine is not None:
            keys.append(np.round(self.cosine, _CERTAIN))
        if self.kept_in_control is None or self.chance is None:
            keys.append(self.kept)
        else:
            keys += [self.kept - self.kept_in_control, self.chance]
        return np.lexsort(keys)

    def changes(self, limit: int | None = None, *, shown: int = SHOWN) -> list[Change]:
        """Return the words that changed most.

        Parameters
        ----------
        limit : int, optional
            How many; all unless given.
        shown : int
            How many neighbours of each are named.

        Returns
        -------
        list of Change
            The one that changed most first.

        Raises
        ------
        OptionError
            If `limit` or `shown` isn't positive.
        """
        for name, value in (("--limit", limit), ("shown", shown)):
            wrong = isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1
            if value is not None and wrong:
                raise OptionError(f"{name}: {value!r} is not a positive integer. Give 1 or more.")
        order = self.order()[:limit]
        near = [self._named(source, order, shown) for source in (0, 1)]
        found = []
        for number, place in enumerate(order.tolist()):
            row = int(self.rows[place])
            count_a, count_b = (int(given[row]) if given is not None else None for given in self.shared.counts[:2])
            cosine, in_control, chance = (
                float(values[place]) if values is not None else None
                for values in (self.cosine, self.kept_in_control, self.chance)
            )
            found.append(
                Change(
                    self.words[place], float(self.kept[place]), cosine, in_control, chance, None, (count_a, count_b),
                    near[0][number], near[1][number],
                )
            )  # fmt: skip
        return found

    def turned_b(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return vectors of B at length 1, turned onto those of A.

        Parameters
        ----------
        rows : int64 array (m,)
            Places among the shared words.

        Returns
        -------
        float64 array (m, d)

        Raises
        ------
        OptionError
            If A and B differ in the number of dimensions.
        """
        a, b = self.shared.vectors[:2]
        if self.rotation is None:
            raise OptionError(f"vectors: have {a.dim} and {b.dim} numbers, so they can't be turned onto each other.")
        return turned(b.matrix[rows], self.rotation)

    def _named(self, source: int, order: NDArray[np.int64], shown: int) -> list[list[str]]:
        """Return the nearest neighbours of some of the words in A (0) or B (1)."""
        found = nearest_rows(self.shared.vectors[source], self.rows[order], shown)[0]
        return [[self.shared.words[row] for row in rows if row >= 0] for rows in found.tolist()]


def with_errors(changes: Sequence[Change], errors_a: Sequence[float], errors_b: Sequence[float]) -> list[Change]:
    """Say of each word how far it moved beyond what the noise of its counts explains.

    Parameters
    ----------
    changes : sequence of n Change
    errors_a, errors_b : sequences of n float
        Standard error of each word's vector in A and in B, by its length: `WordUncertainty.size`. NaN where unknown.

    Returns
    -------
    list of Change
        With `excess`; without where there is no cosine.

    Raises
    ------
    OptionError
        If there isn't an error for each word.

    Notes
    -----
    At length 1 the squared distance of two vectors is 2 - 2 cos; of a word that didn't move it is expected to be the
    sum of both variances.
    """
    if not len(changes) == len(errors_a) == len(errors_b):
        raise OptionError(f"errors: {len(errors_a)} and {len(errors_b)} for {len(changes)} words. Give one a word.")
    found = []
    for change, error_a, error_b in zip(changes, errors_a, errors_b, strict=True):
        expected = error_a**2 + error_b**2
        if change.cosine is None:
            found.append(change)
            continue
        distance = max(0.0, 2 - 2 * change.cosine)
        found.append(change._replace(excess=math.sqrt(distance / expected) if expected > 0 else math.nan))
    return found
