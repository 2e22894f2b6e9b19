"""Ask analogy questions (*a* is to *b* as *c* is to which word) and count the right answers.

The rule is 3CosAdd on unit rows in every protocol. Protocols differ in case, in the part of the vocabulary that may
answer, and in what happens to questions with unknown words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.evaluation.protocols import Spellings, find_protocol
from glove_cli.evaluation.questions import PathLike, Question, read_questions, unit_rows

_BLOCK_VALUES = 1 << 23  # scores held at a time: 32 MiB of float32
_SYNTACTIC_PREFIX = "gram"
_GENSIM_LOOKS_AT = 5
RIGHT, WRONG, UNKNOWN = 1, 0, -1


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

    @property
    def accuracy_of_all(self) -> float:
        """Share of all questions that were answered right: one with an unknown word is wrong."""
        return self.right / self.of if self.of else float("nan")


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
    questions : tuple of lists of four-word tuples
        For each category, its questions.
    outcomes : tuple of int8 arrays
        For each category, what came of each of its questions: RIGHT (1), WRONG (0) or UNKNOWN (-1).
    answers : tuple of int64 arrays
        For each category, the row that answers each question; -1 where a word is unknown.
    """

    protocol: str
    restrict: int | None
    dummy4unknown: bool
    categories: tuple[QuestionScore, ...]
    questions: tuple[list[Question], ...] = field(default=(), compare=False, repr=False)
    outcomes: tuple[NDArray[np.int8], ...] = field(default=(), compare=False, repr=False)
    answers: tuple[NDArray[np.int64], ...] = field(default=(), compare=False, repr=False)

    @property
    def semantic(self) -> QuestionScore:
        """Sum over the categories about meaning: the first five of the Google questions."""
        return _sum("semantic", [c for c in self.categories if not is_syntactic(c.name)])

    @property
    def syntactic(self) -> QuestionScore:
        """Sum over the categories about grammar, whose names begin with `gram`."""
        return _sum("syntactic", [c for c in self.categories if is_syntactic(c.name)])

    @property
    def total(self) -> QuestionScore:
        """Sum over all categories."""
        return _sum("total", self.categories)

    @property
    def macro(self) -> float:
        """Mean of the accuracies of the categories of which a question was counted; NaN if there are none."""
        seen = [category.accuracy for category in self.categories if category.seen]
        return fmean(seen) if seen else float("nan")


def is_syntactic(name: str) -> bool:
    """Tell whether a category is about grammar.

    Parameters
    ----------
    name : str
        Of the category.
    """
    return name.startswith(_SYNTACTIC_PREFIX)


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
        "reference": words as written, the whole vocabulary but for `<unk>`. "word2vec": upper case, the first 30,000
        words. "gensim": upper case, the first 300,000 words.
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
    and an answer is right when its spelling is. The word2vec tool excludes just the three rows of the question; gensim
    takes the first of the five nearest other rows that isn't spelled as one of the three, or else the fifth. The
    reference divides a vector of zeros by zero; here its cosine is 0.
    """
    rules, limit = find_protocol(protocol, restrict)
    if dummy4unknown and protocol != "gensim":
        raise OptionError(f"dummy4unknown: the protocol {protocol!r} has no such rule. Use it with 'gensim'.")
    categories = read_questions(folder_or_files)
    unit = unit_rows(vectors, words)[:limit]
    spellings = Spellings(words[:limit], rules)
    look = _GENSIM_LOOKS_AT if rules.exclude_same_spelling and spellings.others else 1
    scores, outcomes, answered = [], [], []
    for name, questions in categories:
        rows = np.array([[spellings.row(word) for word in question] for question in questions], np.int64)
        known = (rows >= 0).all(axis=1)
        answers = np.full(len(rows), -1, np.int64)
        answers[known] = _answer(unit, rows[known], spellings, look=look)
        outcome = np.full(len(rows), UNKNOWN, np.int8)
        outcome[known] = spellings.first[answers[known]] == rows[known, 3]
        outcomes.append(outcome)
        answered.append(answers)
        right, seen = int((outcome == RIGHT).sum()), int(known.sum())
        scores.append(QuestionScore(name, right, len(rows) if dummy4unknown else seen, len(rows)))
    asked = tuple(questions for _, questions in categories)
    return AnalogyScore(protocol, limit, dummy4unknown, tuple(scores), asked, tuple(outcomes), tuple(answered))


def _answer(
    unit: NDArray[np.float32], rows: NDArray[np.int64], spellings: Spellings, *, look: int
) -> NDArray[np.int64]:
    """Return the row that answers each question; `rows` is (n, 4), of which the first three columns are asked.

    With `look` above 1, it is the first of so many whose spelling isn't given.
    """
    answers = np.empty(len(rows), np.int64)
    step = max(1, _BLOCK_VALUES // max(1, len(unit)))
    for start in range(0, len(rows), step):
        a, b, c = rows[start : start + step, :3].T
        scores = (unit[b] - unit[a] + unit[c]) @ unit.T  # (questions, V)
        which = np.arange(len(a))
        for given in (a, b, c):
            scores[which, given] = -np.inf
        scores[:, spellings.barred] = -np.inf
        if look == 1:
            answers[start : start + step] = scores.argmax(axis=1)
            continue
        for question, (line, given) in enumerate(zip(scores, rows[start : start + step, :3].tolist(), strict=True)):
            nearest = _nearest(line, min(look, len(line)))
            taken = [row for row in nearest.tolist() if int(spellings.first[row]) not in given]
            answers[start + question] = taken[0] if taken else nearest[-1]
    return answers


def _nearest(scores: NDArray[np.float32], number: int) -> NDArray[np.int64]:
    """Return the rows of the largest scores, largest first; of equal ones the first rows."""
    least = np.partition(scores, len(scores) - number)[len(scores) - number]
    rows = np.flatnonzero(scores >= least)
    order: NDArray[np.int64] = rows[np.lexsort((rows, -scores[rows]))][:number]
    return order


def _sum(name: str, scores: Sequence[QuestionScore]) -> QuestionScore:
    return QuestionScore(name, sum(s.right for s in scores), sum(s.seen for s in scores), sum(s.of for s in scores))
