"""Make analogy questions from pairs of words: how the package's own question files were made.

A file of pairs is the source of truth: lines `word other` that stand in one relation, below lines that begin with `#`,
the first of which is the title and the second the source of facts. From a checkout,
`python -m glove_cli.evaluation.own_questions.make` writes the package's question files again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from glove_cli.errors import FormatError, OptionError
from glove_cli.evaluation.questions import PathLike, Question

Pair = tuple[str, str]

_HERE = Path(__file__).parent
_QUESTIONS_A_FILE = 200


def read_relation(path: PathLike) -> tuple[list[str], list[Pair]]:
    """Read the pairs of words of one relation.

    Parameters
    ----------
    path : path-like
        Two words a line. Lines that begin with `#` are comments.

    Returns
    -------
    comments : list of str
        The comments as they stand.
    pairs : list of (str, str)

    Raises
    ------
    FormatError
        If the file can't be read, a line doesn't hold two words, or a word stands twice: a question could then have
        two right answers, or its answer among the words that it gives.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: can't be read: {error}. Name a UTF-8 file of two words a line.") from error
    comments = [line for line in lines if line.startswith("#")]
    pairs: list[Pair] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if line.startswith("#") or not words:
            continue
        if len(words) != 2:
            raise FormatError(f"{path}: line {number} is not a pair of words: {line[:60]!r}. Mend the line.")
        pairs.append((words[0], words[1]))
    again = [word for word, times in Counter(word for pair in pairs for word in pair).items() if times > 1]
    if again:
        raise FormatError(f"{path}: {again[0]!r} stands more than once. Keep one pair with it.")
    return comments, pairs


def make_questions(pairs: Sequence[Pair], *, about: int = _QUESTIONS_A_FILE) -> list[Question]:
    """Make analogy questions from the pairs of one relation.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Pairs in the same relation, at least three.
    about : int
        How many questions are wanted; there are as many as the nearest multiple of the number of pairs, but no more
        than let each two pairs meet once.

    Returns
    -------
    questions : list of four-word tuples
        `(a, b, c, d)` where (a, b) and (c, d) are pairs. Each pair is given as often as it is asked for.

    Raises
    ------
    OptionError
        If there are fewer than three pairs.

    Notes
    -----
    Pairs are put in the order of the SHA-256 of "word other", so that neither their order in a file nor a random number
    generator matters. Each is then asked with the k that follow it, the last ones with the first. k stays below half of
    the pairs, so that no question comes the other way round as well.
    """
    arranged = sorted(set(pairs), key=lambda pair: hashlib.sha256(" ".join(pair).encode()).digest())
    n = len(arranged)
    if n < 3:
        raise OptionError(f"pairs: {n} make no questions. Give at least three.")
    following = min(max(1, round(about / n)), (n - 1) // 2)
    return [arranged[i] + arranged[(i + step) % n] for i in range(n) for step in range(1, following + 1)]


def question_file(path: PathLike) -> str:
    """Return the text of the question file that belongs to a file of pairs: its comments, and four words a line.

    Parameters
    ----------
    path : path-like
        See `read_relation`.

    Returns
    -------
    text : str

    Raises
    ------
    FormatError
        If the pairs can't be read.
    OptionError
        If there are fewer than three.
    """
    comments, pairs = read_relation(path)
    lines = [*comments, f"# Made from pairs/{Path(path).name} by make.py: change the pairs, not the questions."]
    return "\n".join([*lines, *(" ".join(question) for question in make_questions(pairs))]) + "\n"


if __name__ == "__main__":
    for source in sorted((_HERE / "pairs").glob("*.txt")):
        (_HERE / "questions" / source.name).write_text(question_file(source), encoding="utf-8")
