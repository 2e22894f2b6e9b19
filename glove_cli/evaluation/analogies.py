"""Ask analogy questions (*a* is to *b* as *c* is to which word) and count the right answers.

The rule is 3CosAdd on unit rows in every protocol. Protocols differ in case, in the part of the vocabulary that may
answer, and in what happens to questions with unknown words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.evaluation.answering import NO_ANSWER, answer
from glove_cli.evaluation.protocols import Spellings, find_protocol
from glove_cli.evaluation.questions import PathLike, Question, read_questions, unit_rows

_SYNTACTIC_PREFIX = "gram"
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
        For each category, the row that answers each question; -1 where a word is unknown, or no word can answer.
    asked : int
        Different words in the questions.
    unknown : tuple of str
        Those of them that have no vector, in the order of the alphabet.
    """

    protocol: str
    restrict: int | None
    dummy4unknown: bool
    categories: tuple[QuestionScore, ...]
    questions: tuple[list[Question], ...] = field(default=(), compare=False, repr=False)
    outcomes: tuple[NDArray[np.int8], ...] = field(default=(), compare=False, repr=False)
    answers: tuple[NDArray[np.int64], ...] = field(default=(), compare=False, repr=False)
    asked: int = 0
    unknown: tuple[str, ...] = field(default=(), repr=False)

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
    progress: Callable[[str, int, int | None, str], None] | None = None,
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
    progress : callable, optional
        Told of the stage, the questions answered, all questions, and the unit "question".

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
    takes the first of the five nearest other rows that isn't spelled as one of the three, or else the fifth. With
    word2vec a word whose cosine isn't above 0 can't answer, in the reference the row `<unk>` can't. The reference
    divides a vector of zeros by zero; here its cosine is 0.
    """
    rules, limit = find_protocol(protocol, restrict)
    if dummy4unknown and protocol != "gensim":
        raise OptionError(f"dummy4unknown: the protocol {protocol!r} has no such rule. Use it with 'gensim'.")
    categories = read_questions(folder_or_files)
    unit = unit_rows(vectors, words)[:limit]
    spellings = Spellings(words[:limit], rules)
    asked = [
        np.array([[spellings.row(w) for w in question] for question in group], np.int64) for _, group in categories
    ]
    rows = np.concatenate(asked)
    known = (rows >= 0).all(axis=1)
    total = int(known.sum())
    tell = None if progress is None else lambda done: progress("answering", done, total, "question")
    answers = np.full(len(rows), NO_ANSWER, np.int64)
    answers[known] = answer(np.asarray(vectors)[:limit], unit, rows[known, :3], spellings, rules, progress=tell)
    outcomes = np.full(len(rows), UNKNOWN, np.int8)
    answered = answers[known]
    outcomes[known] = (answered != NO_ANSWER) & (spellings.first[answered] == rows[known, 3])
    ends = np.cumsum([len(group) for group in asked])[:-1]
    by_category = np.split(outcomes, ends)
    scores = []
    for (name, _), outcome in zip(categories, by_category, strict=True):
        seen = len(outcome) if dummy4unknown else int((outcome != UNKNOWN).sum())
        scores.append(QuestionScore(name, int((outcome == RIGHT).sum()), seen, len(outcome)))
    different = {word for _, group in categories for question in group for word in question}
    return AnalogyScore(
        protocol,
        limit,
        dummy4unknown,
        tuple(scores),
        tuple(group for _, group in categories),
        tuple(by_category),
        tuple(np.split(answers, ends)),
        len(different),
        tuple(sorted(word for word in different if spellings.row(word) < 0)),
    )


def _sum(name: str, scores: Sequence[QuestionScore]) -> QuestionScore:
    return QuestionScore(name, sum(s.right for s in scores), sum(s.seen for s in scores), sum(s.of for s in scores))
