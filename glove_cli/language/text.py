"""Texts as ids for language models: sentences, their ends, and words that are not in the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus.chunks import Translator
from glove_cli.corpus.config import TextConfig, VocabConfig
from glove_cli.corpus.encoder import EncodedCorpus, encode_corpus
from glove_cli.corpus.sources import CorpusLike, find_sources
from glove_cli.corpus.vocabulary import Wanted, choose_vocab, make_config, source_names
from glove_cli.errors import CorpusError
from glove_cli.parallel import Progress, thread_count
from glove_cli.vocab import word_to_bytes
from glove_cli.workspace import temporary_folder

UNKNOWN = "<unk>"
PIECE_TOKENS = 1000


@dataclass(frozen=True, eq=False)
class Text:
    """A text as outcomes that a language model predicts: words, ends of lines, and <unk>.

    Attributes
    ----------
    ids : int32 array (N,)
        0 to V - 1 for a word, V for the end of a line, V + 1 for a word that is not in the vocabulary.
    starts : int64 array (P + 1,)
        Where each piece begins, and N. A piece is a line with its end, or at most 1,000 tokens of a longer one; no
        model looks across the beginning of a piece.
    V : int
        Words in the vocabulary.
    """

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]
    V: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def pieces(self) -> int:
        """Number of pieces, P."""
        return len(self.starts) - 1

    @property
    def coverage(self) -> float:
        """Share of the tokens, without the ends of lines, that are words of the vocabulary."""
        words, unknown = int((self.ids < self.V).sum()), int((self.ids > self.V).sum())
        return words / (words + unknown) if words + unknown else float("nan")

    def part(self, pieces: NDArray[np.int64]) -> Text:
        """Return some pieces, in the order given.

        Parameters
        ----------
        pieces : int64 array
            Their numbers.
        """
        sizes = np.diff(self.starts)[pieces]
        starts = np.concatenate(([0], np.cumsum(sizes)))
        places = np.arange(starts[-1]) + np.repeat(self.starts[pieces] - starts[:-1], sizes)
        return Text(self.ids[places], starts, self.V)

    def cut(self, tokens: int) -> tuple[Text, Text]:
        """Return the text without its last pieces, and these: as many as hold at least `tokens` tokens.

        Parameters
        ----------
        tokens : int
        """
        first = int(np.searchsorted(self.starts, len(self) - tokens, side="right")) - 1
        every = np.arange(self.pieces)
        return self.part(every[:first]), self.part(every[first:])

    def sample(self, share: float, seed: int) -> Text:
        """Return pieces drawn at random, in the order of the text, that hold about a share of its tokens.

        Parameters
        ----------
        share : float
        seed : int
            What a smaller share draws is part of what a larger one draws with the same seed.
        """
        if share >= 1:
            return self
        order = np.random.default_rng(seed).permutation(self.pieces)
        sums = np.cumsum(np.diff(self.starts)[order])
        enough = int(np.searchsorted(sums, share * len(self))) + 1
        return self.part(np.sort(order[:enough]))


def text_of(ids: NDArray[np.int32], V: int) -> Text:
    """Return a text for its ids; lines of more than 1,000 tokens are cut.

    Parameters
    ----------
    ids : int32 array (N,)
        As in `Text`.
    V : int
    """
    ends = np.flatnonzero(ids == V) + 1
    lines = np.unique(np.concatenate(([0], ends, [len(ids)])))
    inner = [np.arange(a + PIECE_TOKENS, b, PIECE_TOKENS) for a, b in pairwise(lines.tolist()) if b - a > PIECE_TOKENS]
    return Text(ids, np.unique(np.concatenate((lines, *inner))).astype(np.int64), V)


def read_text(
    corpus: CorpusLike,
    words: Sequence[str] | None = None,
    *,
    min_count: int = 1,
    max_vocab: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> tuple[Text, list[str]]:
    """Read a text as ids.

    Parameters
    ----------
    corpus : path-like, binary file, or an iterable of these
        As in `build_cooc`. A line is a sentence; empty ones are left out.
    words : sequence of str, optional
        The vocabulary; otherwise it is made of this text.
    min_count : int
        Words that occur less often don't come into it.
    max_vocab : int, optional
        Nor more than so many words, the most frequent ones.
    threads : int, optional
        All cores that this process may use, unless given. The result doesn't depend on it.
    progress : callable, optional
        Called with ("reading", bytes done, bytes in all or None, "B").
    **options
        The fields of `TextConfig`, without `document`.

    Returns
    -------
    text : Text
    words : list of str, length V
        The vocabulary, the most frequent word first, of equal ones the one whose bytes come first.

    Raises
    ------
    OptionError
        If an option's value cannot work.
    CorpusError
        If the text can't be read, is empty, or no word is left.

    Notes
    -----
    A token <unk>, which some public texts have, is a word that is not in the vocabulary.
    """
    config = make_config(VocabConfig, {**options, "min_count": min_count, "max_vocab": max_vocab})
    sources = find_sources(corpus)
    names = source_names([source.name for source in sources])
    with _encoded(sources, config, thread_count(threads), progress) as encoded:
        every = encoded.words()
        if words is None:
            wanted = Wanted(stop_words=frozenset((UNKNOWN.encode(),)))
            vocab, final = choose_vocab(encoded, every, config, wanted, names)
            words = list(vocab.words)
        else:
            table = every.table
            if not table.words:
                raise CorpusError(f"{names}: is empty: there is no token in it. Give a text.")
            index = {word_to_bytes(word): i for i, word in enumerate(words)}
            listed = [index.get(word, -1) for word in table.listed(range(table.words))]
            ids = np.array([*listed, -1], np.int32)
            final = [ids[numbers] for numbers in every.numbers]
        V = len(words)
        final = [np.where(numbers < 0, np.int32(V + 1), numbers) for numbers in final]
        chunks = Translator(encoded, final, V, 0).chunks(2**62)
        pieces = [chunk.ids[chunk.begin : chunk.end].copy() for chunk in chunks]
    return text_of(np.concatenate(pieces), V), list(words)


@contextmanager
def _encoded(sources: Any, config: TextConfig, threads: int, progress: Progress | None) -> Iterator[EncodedCorpus]:
    with (
        temporary_folder(None) as folder,
        encode_corpus(sources, folder, config, threads=threads, progress=progress) as encoded,
    ):
        yield encoded
