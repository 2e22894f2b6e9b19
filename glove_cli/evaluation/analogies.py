"""Ask analogy questions (*a* is to *b* as *c* is to which word) and count the right answers.

The rule is 3CosAdd on unit rows in every protocol. Protocols differ in case, in the part of the vocabulary that may
answer, and in what happens to questions with unknown words. Scores of different protocols can't be compared, so a score
says its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.evaluation.questions import PathLike, read_questions, unit_rows

_BLOCK_VALUES = 1 << 23  # scores held at a time: 32 MiB of float32
_SYNTACTIC_PREFIX = "gram"


@dataclass(frozen=True)
class _Protocol:
    upper: bool
    restrict: int | None
    exclude_same_spelling: bool


_PROTOCOLS = {
    "reference": _Protocol(upper=False, restrict=None, exclude_same_spelling=False),
    "word2vec": _Protocol(upper=True, restrict=30_000, exclude_same_spelling=False),
    "gensim": _Protocol(upper=True, restrict=300_000, exclude_same_spelling=True),
}


@dataclass(frozen=True)
class QuestionScore:
    """How many questions were answered right.

    Attributes
    ----------
    name : str
        Category of the questions.
    right, seen, of : int
        Questions answered right, questions counted, questions in the file.
    """

    name: str
    right: int
    seen: int
    of: int

    @property
    def accuracy(self) -> float:
        """Share of the questions counted that were answered right; NaN when none was counted."""
        return self.right / self.seen if self.seen else float("nan")


@dataclass(frozen=True)
class AnalogyScore:
    """Score of a set of analogy questions.

    Attributes
    ----------
    protocol : str
        "reference", "word2vec" or "gensim".
    restrict : int or None
        Only so many words, the first ones, could be asked about and answer; None is all.
    dummy4unknown : bool
        Whether questions with unknown words counted as wrong.
    categories : tuple of QuestionScore
        One for each file (or category of a file).
    """

    protocol: str
    restrict: int | None
    dummy4unknown: bool
    categories: tuple[QuestionScore, ...]

    @property
    def semantic(self) -> QuestionScore:
        """Sum over the categories about meaning: the first five of the Google questions."""
        return _sum("semantic", [c for c in self.categories if not c.name.startswith(_SYNTACTIC_PREFIX)])

    @property
    def syntactic(self) -> QuestionScore:
        """Sum over the categories about grammar, whose names begin with `gram`."""
        return _sum("syntactic", [c for c in self.categories if c.name.startswith(_SYNTACTIC_PREFIX)])

    @property
    def total(self) -> QuestionScore:
        """Sum over all categories."""
        return _sum("total", self.categories)


def evaluate_analogies(
    vectors: NDArray[Any],
    words: Sequence[str],
    folder_or_files: PathLike | Sequence[PathLike],
    *,
    protocol: str = "reference",
    restrict: int | None = None,
    dummy4unknown: bool = False,
) -> AnalogyScore:
    """Answer analogy questions and count the right answers.

    Parameters
    ----------
    vectors : float array (V, d)
        The vectors; the reference scores the sum of word and context vectors.
    words : sequence of str, length V
        Word of each row, most frequent first.
    folder_or_files : path-like or sequence of path-like
        A folder of question files, or files; see `read_questions`.
    protocol : str
        "reference": words as written, the whole vocabulary. "word2vec": upper case, the first 30,000 words.
        "gensim": upper case, the first 300,000 words.
    restrict : int, optional
        Use the first so many words instead of the protocol's number.
    dummy4unknown : bool
        Count questions with unknown words as wrong instead of leaving them out; only gensim has this.

    Returns
    -------
    score : AnalogyScore

    Raises
    ------
    OptionError
        If the protocol or `restrict` is not one of those above, or shapes don't fit.
    FormatError
        If the questions can't be read.
    GloveError
        If a vector is not finite.

    Notes
    -----
    The answer is the word with the largest cosine to b - a + c (of unit rows), other than a, b and c; of equal
    ones the first. Where words are compared in upper case, the first word of a spelling stands for it in a question,
    and an answer is right when its spelling is. The word2vec tool excludes just the three rows of the question, gensim
    all rows of their spellings. (gensim looks no further than the five best rows; this function does.) The reference
    divides a vector of zeros by zero; here its cosine is 0.
    """
    if protocol not in _PROTOCOLS:
        raise OptionError(f"protocol: {protocol!r} is unknown. Choose one of {', '.join(_PROTOCOLS)}.")
    if restrict is not None and restrict < 1:
        raise OptionError(f"restrict: {restrict} words can't answer. Give a number of at least 1.")
    if dummy4unknown and protocol != "gensim":
        raise OptionError(f"dummy4unknown: the protocol {protocol!r} has no such rule. Use it with 'gensim'.")
    rules = _PROTOCOLS[protocol]
    limit = rules.restrict if restrict is None else restrict
    categories = read_questions(folder_or_files)
    unit = unit_rows(vectors, words)[:limit]
    spellings = _Spellings(words[:limit], upper=rules.upper)
    scores = []
    for name, questions in categories:
        found = [[spellings.index.get(spellings.of(word), -1) for word in question] for question in questions]
        ids = np.array(found, np.int64)
        ids = ids[(ids >= 0).all(axis=1)]
        answers = _answer(unit, ids, spellings, exclude_same_spelling=rules.exclude_same_spelling)
        right = int((spellings.first[answers] == ids[:, 3]).sum())
        scores.append(QuestionScore(name, right, len(questions) if dummy4unknown else len(ids), len(questions)))
    return AnalogyScore(protocol, limit, dummy4unknown, tuple(scores))


class _Spellings:
    """Which rows share a spelling; without upper-casing, each has its own."""

    def __init__(self, words: Sequence[str], *, upper: bool) -> None:
        self.upper = upper
        self.index: dict[str, int] = {}
        self.first = np.empty(len(words), np.int64)
        self.others: dict[int, list[int]] = {}
        for row, word in enumerate(words):
            first = self.index.setdefault(self.of(word), row)
            self.first[row] = first
            if first != row:
                self.others.setdefault(first, []).append(row)

    def of(self, word: str) -> str:
        return word.upper() if self.upper else word


def _answer(
    unit: NDArray[np.float32], ids: NDArray[np.int64], spellings: _Spellings, *, exclude_same_spelling: bool
) -> NDArray[np.int64]:
    """Return the row that answers each question; `ids` is (n, 4) of which the first three columns are asked."""
    answers = np.empty(len(ids), np.int64)
    step = max(1, _BLOCK_VALUES // max(1, len(unit)))
    for start in range(0, len(ids), step):
        a, b, c = ids[start : start + step, :3].T
        scores = (unit[b] - unit[a] + unit[c]) @ unit.T  # (questions, V)
        which = np.arange(len(a))
        for given in (a, b, c):
            scores[which, given] = -np.inf
            if exclude_same_spelling and spellings.others:
                for question, row in enumerate(given.tolist()):
                    scores[question, spellings.others.get(row, [])] = -np.inf
        answers[start : start + step] = scores.argmax(axis=1)
    return answers


def _sum(name: str, scores: Sequence[QuestionScore]) -> QuestionScore:
    return QuestionScore(name, sum(s.right for s in scores), sum(s.seen for s in scores), sum(s.of for s in scores))
