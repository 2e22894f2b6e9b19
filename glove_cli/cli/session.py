"""What the lines of `glove shell` mean, and their answers."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from glove_cli.cli.asking import neighbour_table, score_text, title_of
from glove_cli.cli.tables import shown
from glove_cli.errors import OptionError
from glove_cli.vectors.names import ADD, COSINE, METHODS, METRICS

if TYPE_CHECKING:
    from glove_cli.vectors.keyed import Neighbour, WordVectors

HELP = """\
paris                            the words nearest to it; several words: each in turn
paris - france + italy           the words nearest to a sum
paris : france :: rome : ?       the same as: analogy paris france rome
similarity paris rome            how near two words are
odd paris rome river             the word that doesn't go with the others
nearest help                     neighbours of a word that is a command
:n 20  :restrict 50000  :metric dot  :method mul    settings; :restrict all lifts it; : shows them
help, quit                       (Ctrl-D leaves, too; Ctrl-C clears the line)"""
COMMANDS = ("analogy", "help", "nearest", "odd", "quit", "similarity")
SETTINGS = {":n": (), ":restrict": ("all",), ":metric": METRICS, ":method": METHODS}
_LEAVE = ("quit", "exit")


class Session:
    """Vectors, and how they are asked."""

    def __init__(self, vectors: WordVectors) -> None:
        self.vectors = vectors
        self.n, self.restrict, self.metric, self.method = 10, None, COSINE, ADD  # type: int, int | None, str, str
        self.left = False

    @cached_property
    def sorted_rows(self) -> list[int]:
        """Rows of the words in their alphabetical order, in which words that begin alike stand together."""
        return sorted(range(len(self.vectors)), key=self.vectors.words.__getitem__)

    def answer(self, line: str) -> str:
        """Return the answer to a line.

        Raises
        ------
        GloveError
            If there is none.
        """
        tokens = [token for token in line.replace("\t", " ").strip().split(" ") if token]
        if not tokens:
            return ""
        head, rest = tokens[0], tokens[1:]
        if len(tokens) == 1 and head in _LEAVE:
            self.left = True
            return ""
        if tokens == ["help"]:
            return HELP
        if head == ":" or head in SETTINGS:
            return self._set(head, rest)
        if "::" in tokens:
            return self._proportion(tokens)
        if any(token in ("+", "-") for token in tokens) and len(tokens) > 2:
            return self._expression(tokens)
        if head == "analogy" and rest:
            return self._analogy(self._counted(head, rest, 3))
        if head == "similarity" and rest:
            a, b = self._counted(head, rest, 2)
            return score_text(self.vectors.similarity(a, b, metric=self.metric))
        if head == "odd" and rest:
            ranked = self.vectors.odd_one_out(rest)
            return f"odd one out: {shown(ranked[0].word)}\n{neighbour_table(ranked, 'cosine with the mean')}"
        words = rest if head == "nearest" and rest else tokens
        found = self.vectors.nearest_many(words, self.n, metric=self.metric, restrict=self.restrict)
        tables = [neighbour_table(best, title_of(self.metric)) for best in found]
        if len(words) == 1:
            return tables[0]
        return "\n\n".join(f"nearest to {shown(w)}\n{text}" for w, text in zip(words, tables, strict=True))

    def _set(self, name: str, values: list[str]) -> str:
        if name != ":":
            value = self._counted(name, values, 1)[0]
            if name in (":n", ":restrict"):
                number = None if (name, value) == (":restrict", "all") else _positive(name, value)
                setattr(self, name[1:], number)
            elif value not in SETTINGS[name]:
                raise OptionError(f"{name}: {value!r} is none. Give {', '.join(SETTINGS[name])}.")
            else:
                setattr(self, name[1:], value)
        return f":n {self.n}  :restrict {self.restrict or 'all'}  :metric {self.metric}  :method {self.method}"

    def _proportion(self, tokens: list[str]) -> str:
        words = [token for token in tokens if token not in (":", "::", "?")]
        if len(words) != 3 or tokens[1::2][:2] != [":", "::"]:
            raise OptionError("a : b :: c : ? is the form of an analogy. Give three words in it.")
        return self._analogy(words)

    def _expression(self, tokens: list[str]) -> str:
        signs = tokens if tokens[0] in ("+", "-") else ["+", *tokens]
        words = {"+": list[str](), "-": list[str]()}
        for sign, word in zip(signs[::2], [*signs[1::2], ""], strict=False):
            if sign not in words or not word:
                raise OptionError(f"{' '.join(tokens)}: is no sum. Write a + or - between words, with spaces.")
            words[sign].append(word)
        best = self.vectors.most_similar(words["+"], words["-"], self.n, method=self.method, restrict=self.restrict)
        return self._best(best)

    def _analogy(self, words: list[str]) -> str:
        a, b, c = words
        return self._best(self.vectors.analogy(a, b, c, self.n, method=self.method, restrict=self.restrict))

    def _best(self, best: list[Neighbour]) -> str:
        return neighbour_table(best, "cosine" if self.method == ADD else "score")

    def _counted(self, name: str, given: list[str], number: int) -> list[str]:
        if len(given) != number:
            raise OptionError(f"{name}: has {len(given)} words after it, {number} were expected. See help.")
        return given


def _positive(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 2**31):
        raise OptionError(f"{name}: {value!r} is not a positive integer. Give 1 or more.")
    return int(value)
