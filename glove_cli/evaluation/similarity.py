"""Compare the cosines of word pairs with what people say about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.evaluation.protocols import Spellings, find_protocol
from glove_cli.evaluation.questions import PathLike, check_shape, read_pairs, unit_rows


@dataclass(frozen=True)
class SimilarityScore:
    """Agreement with one similarity file.

    Attributes
    ----------
    name : str
        The file's name without its ending.
    rho : float
        Spearman's rank correlation over the pairs seen; NaN for fewer than two, or when all are equal.
    pairs, of : int
        Pairs with both words known, pairs in the file.
    cosines : float64 array (of,)
        The cosine of each pair's vectors; NaN where a word is unknown.
    people : float64 array (of,)
        What the file says of each pair.
    asked : int
        Different words in the pairs.
    unknown : tuple of str
        Those of them that have no vector, in the order of the alphabet.
    """

    name: str
    rho: float
    pairs: int
    of: int
    cosines: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), compare=False, repr=False)
    people: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), compare=False, repr=False)
    asked: int = 0
    unknown: tuple[str, ...] = field(default=(), repr=False)


def evaluate_similarity(
    vectors: NDArray[Any],
    words: Sequence[str],
    file: PathLike,
    *,
    protocol: str = "reference",
    restrict: int | None = None,
    lowercase: bool = True,
    dummy4unknown: bool = False,
) -> SimilarityScore:
    """Correlate cosines with the scores of a file of word pairs.

    Parameters
    ----------
    vectors : float array (V, d)
        The vectors; the reference scores the sum of word and context vectors.
    words : sequence of str, length V
        Word of each row, most frequent first.
    file : path-like
        Two words and a score a line.
    protocol : str
        "reference": the whole vocabulary, words as written. "word2vec": upper case, the first 30,000 words. "gensim":
        upper case, the first 300,000 words.
    restrict : int, optional
        Use the first so many words instead of the protocol's number.
    lowercase : bool
        With the reference's protocol, look the file's words up in lower case, as most corpora are written; otherwise as
        they stand.
    dummy4unknown : bool
        Take 0 for the cosine of a pair with an unknown word instead of leaving it out; only gensim has this.

    Returns
    -------
    score : SimilarityScore
        Pairs with an unknown word are left out, not guessed; `pairs` says how many were left.

    Raises
    ------
    OptionError
        If the protocol or `restrict` is not one of those above, or shapes don't fit.
    FormatError
        If the file can't be read.
    GloveError
        If a vector is not finite.

    Notes
    -----
    With the protocol "gensim" rho is that of its `evaluate_word_pairs`. The original GloVe and word2vec tools score no
    pairs: for those protocols, words are found by the rules of their analogy scores.
    """
    if dummy4unknown and protocol != "gensim":
        find_protocol(protocol, restrict)
        raise OptionError(f"dummy4unknown: the protocol {protocol!r} has no such rule. Use it with 'gensim'.")
    rows, people, folded, spellings = pair_rows(words, file, protocol, restrict, lowercase=lowercase)
    check_shape(np.asarray(vectors), words)
    known = (rows >= 0).all(axis=1)
    asked, places = np.unique(rows[known], return_inverse=True)
    unit = unit_rows(np.asarray(vectors)[asked], [words[row] for row in asked.tolist()])
    places = places.reshape(-1, 2)
    cosines = np.full(len(rows), np.nan)
    cosines[known] = np.einsum("ij,ij->i", unit[places[:, 0]], unit[places[:, 1]], dtype=np.float64)
    if dummy4unknown:
        cosines[~known], known = 0.0, np.ones_like(known)
    rho = spearman(cosines[known], people[known])
    different = {word for pair in folded for word in pair}
    unknown = tuple(sorted(word for word in different if spellings.row(word) < 0))
    return SimilarityScore(Path(file).stem, rho, int(known.sum()), len(rows), cosines, people, len(different), unknown)


def pair_rows(
    words: Sequence[str], file: PathLike, protocol: str, restrict: int | None, *, lowercase: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.float64], list[list[str]], Spellings]:
    """Return the rows of the words of each pair of a file, and what people say of it.

    Parameters
    ----------
    words : sequence of str, length V
    file : path-like
    protocol : str
    restrict : int, optional
    lowercase : bool
        See `evaluate_similarity`.

    Returns
    -------
    rows : int64 array (pairs, 2)
        -1 for an unknown word.
    people : float64 array (pairs,)
    folded : list of [str, str]
        The words as they were looked up.
    spellings : Spellings
        By what they were.
    """
    rules, limit = find_protocol(protocol, restrict)
    pairs = read_pairs(file)
    spellings = Spellings(words[:limit], rules)
    folded = [[word.lower() if lowercase else word for word in pair[:2]] for pair in pairs]
    rows = np.array([[spellings.row(word) for word in pair] for pair in folded], np.int64)
    return rows, np.array([pair[2] for pair in pairs]), folded, spellings


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return Spearman's rho with average ranks for ties; NaN for fewer than two pairs, or when one side is constant.

    Parameters
    ----------
    a, b : float64 arrays (n,)
    """
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    from scipy.stats import spearmanr  # takes half a second to import, and only this function needs it

    return float(spearmanr(a, b).statistic)
