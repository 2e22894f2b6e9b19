"""The texts of a comparison: read, cut, and brought to the words that all models know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus.sources import CorpusLike, find_sources
from glove_cli.errors import CorpusError, OptionError
from glove_cli.language.config import LEAST_COVERAGE, LanguageConfig
from glove_cli.language.text import Text, read_text
from glove_cli.parallel import Progress
from glove_cli.vectors.keyed import WordVectors

MOST_CUT = {"valid": 10_000, "test": 30_000}
_CUT_SHARE = 10  # the last tenth, but no more tokens than these
_MIN_COUNT = 2  # so that <unk> occurs in the training text
_LEAST_TOKENS = 100  # of a training text


class Texts(NamedTuple):
    """Three texts in one vocabulary.

    Attributes
    ----------
    words : list of str, length V
        The vocabulary.
    train, valid, test : Text
    cut : tuple of str
        Which of `valid` and `test` were cut off from the training text.
    known : dict of str to float
        Of each model, the share of the test text's tokens that it has vectors for, of words of the training text.
    """

    words: list[str]
    train: Text
    valid: Text
    test: Text
    cut: tuple[str, ...]
    known: dict[str, float]


def prepare_texts(
    models: Mapping[str, WordVectors],
    train: CorpusLike,
    *,
    valid: CorpusLike | None = None,
    test: CorpusLike | None = None,
    config: LanguageConfig,
    lowercase: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> Texts:
    """Read the texts of a comparison in one vocabulary, and refuse those that are of no use.

    Parameters
    ----------
    models : mapping of str to WordVectors
    train : path-like, binary file, or an iterable of these
    valid, test : path-like, binary file, or an iterable of these, optional
        Unless given, the last tenth of `train`, at most 10,000 and 30,000 tokens, is cut off for each.
    config : LanguageConfig
    lowercase : bool
        Turn the texts to lower case first.
    threads : int
        Threads that read.
    progress : callable, optional
        Called with ("reading", bytes done, bytes in all or None, "B").

    Raises
    ------
    CorpusError
        If a text can't be read, is too short, or too little of the test text is in the vocabulary.
    """
    how: dict[str, Any] = {"threads": threads, "progress": progress, "lowercase": lowercase}
    try:
        learned, every = read_text(train, min_count=_MIN_COUNT, **how)
    except OptionError as error:
        raise CorpusError("--lm: no word of the training text occurs twice. Give a longer text.") from error
    given = {
        name: read_text(path, every, **how)[0] for name, path in (("test", test), ("valid", valid)) if path is not None
    }
    whole = len(learned)
    cut = tuple(name for name in ("valid", "test") if name not in given)
    for name in cut:
        learned, given[name] = learned.cut(min(MOST_CUT[name], whole // _CUT_SHARE))
    least = int(min(config.shares) * len(learned))
    if least < _LEAST_TOKENS or not learned.pieces:
        raise CorpusError(
            f"--lm: {min(config.shares):g} of the training text are {least:,} tokens, at least {_LEAST_TOKENS} are "
            "needed. Give a longer text, or larger shares by --lm-share."
        )
    has = {name: np.array([word in source for word in every], bool) for name, source in models.items()}
    ids = given["test"].ids
    ids = ids[ids != len(every)]
    if not len(ids) or not len(given["valid"]):
        raise CorpusError(f"--{'valid' if len(ids) else 'test'}: holds no word. Give a text.")
    known = {name: float(np.append(mask, [False, False])[ids].mean()) for name, mask in has.items()}
    counts = np.bincount(learned.ids, minlength=len(every) + 2)[:-2]
    good = np.flatnonzero(np.logical_and.reduce([counts >= _MIN_COUNT, *has.values()]))
    shared = good[np.argsort(-counts[good], kind="stable")][: config.max_vocab]
    learned, judged, scored = (_restricted(text, shared) for text in (learned, given["valid"], given["test"]))
    share = scored.coverage
    if share < LEAST_COVERAGE:
        each = "".join(f"; {name} knows {value:.0%}" for name, value in known.items())
        raise CorpusError(
            f"--lm: only {share:.0%} of the test text's {len(ids):,} words are among the {len(shared):,} that the "
            f"training text and all vectors have, at least {LEAST_COVERAGE:.0%} are needed{each}. Give texts that are "
            "written as those of the vectors were (--lm-lowercase), or a larger --lm-vocab."
        )
    return Texts([every[i] for i in shared.tolist()], learned, judged, scored, cut, known)


def _restricted(text: Text, kept: NDArray[np.int64]) -> Text:
    """Return a text of which only some words are told apart."""
    new = np.full(text.V + 2, len(kept) + 1, np.int32)
    new[kept] = np.arange(len(kept))
    new[text.V] = len(kept)
    return Text(new[text.ids], text.starts, len(kept))


def check_texts(**texts: CorpusLike | None) -> None:
    """Refuse, before vectors are read, texts that aren't there.

    Parameters
    ----------
    **texts : path-like, optional
        By the options that name them.

    Raises
    ------
    CorpusError
    OptionError
        If one is standard input, which the others would take, too.
    """
    for name, text in texts.items():
        if str(text) == "-":
            raise OptionError(f"--{name}: can't come from standard input. Save it as a file and name that.")
        if text is not None:
            find_sources(text)
