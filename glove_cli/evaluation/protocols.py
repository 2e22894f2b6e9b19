"""The rules under which scores are made, and which rows a word stands for under them.

Scores of different protocols can't be compared, so a score says its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glove_cli.errors import OptionError
from glove_cli.evaluation.names import PROTOCOL_NAMES
from glove_cli.vectors.names import UNK


@dataclass(frozen=True)
class Protocol:
    """The rules of one tool.

    Attributes
    ----------
    name : {"reference", "word2vec", "gensim"}
    upper : bool
        Whether words are compared in upper case; otherwise as written.
    restrict : int or None
        Only so many words, the first ones, can be asked about and answer; None is all.
    exclude_same_spelling : bool
        Whether no row spelled as a given word may answer, and none beyond the five nearest.
    unk : bool
        Whether a row `<unk>` may answer as any other.
    positive_only : bool
        Whether a word whose cosine isn't above 0 can't answer.
    """

    name: str
    upper: bool
    restrict: int | None
    exclude_same_spelling: bool
    unk: bool
    positive_only: bool = False


_PROTOCOLS = {
    "reference": Protocol("reference", upper=False, restrict=None, exclude_same_spelling=False, unk=False),
    "word2vec": Protocol(
        "word2vec", upper=True, restrict=30_000, exclude_same_spelling=False, unk=True, positive_only=True
    ),
    "gensim": Protocol("gensim", upper=True, restrict=300_000, exclude_same_spelling=True, unk=True),
}


def find_protocol(name: str, restrict: int | None = None) -> tuple[Protocol, int | None]:
    """Return a protocol and the number of words that it allows.

    Parameters
    ----------
    name : str
    restrict : int, optional
        Instead of the protocol's own number.

    Returns
    -------
    protocol : Protocol
    limit : int or None

    Raises
    ------
    OptionError
        If there is no such protocol, or `restrict` isn't positive.
    """
    if name not in _PROTOCOLS:
        raise OptionError(f"protocol: {name!r} is unknown. Choose one of {', '.join(PROTOCOL_NAMES)}.")
    if restrict is not None and restrict < 1:
        raise OptionError(f"restrict: {restrict} words can't answer. Give a number of at least 1.")
    protocol = _PROTOCOLS[name]
    return protocol, protocol.restrict if restrict is None else restrict


class Spellings:
    """The rows that words stand for.

    Parameters
    ----------
    words : sequence of str
        Word of each row.
    protocol : Protocol
        Where words are compared in upper case, the first row of a spelling stands for it.

    Attributes
    ----------
    index : dict
        First row of each spelling.
    first : int64 array (V,)
        For each row, the first one of its spelling.
    others : dict
        For a first row, the further ones of its spelling.
    barred : list of int
        Rows that may not answer.
    """

    def __init__(self, words: Sequence[str], protocol: Protocol) -> None:
        self._upper = protocol.upper
        self.index: dict[str, int] = {}
        self.first = np.arange(len(words))
        self.others: dict[int, list[int]] = {}
        for row, word in enumerate(words):
            first = self.index.setdefault(self.of(word), row)
            if first != row:
                self.first[row] = first
                self.others.setdefault(first, []).append(row)
        unk = self.index.pop(UNK, None) if not protocol.unk else None
        self.barred = [] if unk is None else [unk, *self.others.get(unk, [])]

    def of(self, word: str) -> str:
        """Return a word as it is compared."""
        return word.upper() if self._upper else word

    def row(self, word: str) -> int:
        """Return the row that a word stands for, -1 if there is none."""
        return self.index.get(self.of(word), -1)
