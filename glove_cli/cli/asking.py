"""What the commands that ask vectors share: their options, standard input, and the three forms of an answer.

Answers are tables, JSON, or tab-separated lines without a header. Questions on standard input are answered as they
come, many at a time; JSON is then one object a line (JSON Lines). What can't be answered is counted and reported at the
end.
"""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from glove_cli.cli.options import json_option
from glove_cli.cli.terminal import check_stdin, check_stdout, say
from glove_cli.errors import FormatError, OptionError
from glove_cli.inputs import LONGEST_LINE
from glove_cli.vectors.names import ADD, COSINE, DOT, EUCLIDEAN, METHODS, METRICS
from glove_cli.vocab import word_from_bytes, word_to_bytes

if TYPE_CHECKING:
    from glove_cli.vectors.keyed import Neighbour, WordVectors

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Words = tuple[str, ...]
STDIN = "-"
_READ_BYTES = 1 << 16
_LINES = 1024  # answered at a time
_LISTED = 5  # of what couldn't be answered
_LONGEST_SHOWN = 60
_TITLES = {COSINE: "cosine", DOT: "dot product", EUCLIDEAN: "distance"}
_KEYS = {EUCLIDEAN: "distance"}


def output_options(function: _Function) -> _Function:
    """Add `--json` and `--tsv`."""
    text = "Print tab-separated lines without a header, for awk, cut and sort."
    return json_option(click.option("--tsv", "as_tsv", is_flag=True, help=text)(function))


def search_options(function: _Function) -> _Function:
    """Add `-n` and `--restrict`."""
    text = "Only the N first words, the most frequent ones, can be found."
    function = click.option("--restrict", type=int, metavar="N", help=text)(function)
    return click.option("-n", "--topn", type=int, default=10, show_default=True, help="How many words.")(function)


def metric_option(function: _Function) -> _Function:
    """Add `--metric`."""
    text = "What is near: a large cosine, a large dot product, or a small distance."
    return click.option("--metric", type=click.Choice(METRICS), default=COSINE, show_default=True, help=text)(function)


def method_option(function: _Function) -> _Function:
    """Add `--method`."""
    text = "Add cosines (3CosAdd) or multiply and divide them (3CosMul)."
    return click.option("--method", type=click.Choice(METHODS), default=ADD, show_default=True, help=text)(function)


def title_of(metric: str) -> str:
    """Return what stands above scores."""
    return _TITLES.get(metric, "score")


def key_of(metric: str) -> str:
    """Return the name of a score in JSON."""
    return _KEYS.get(metric, "similarity")


def neighbours_as_json(neighbours: Sequence[Neighbour], key: str = "similarity") -> list[dict[str, object]]:
    """Return neighbours as objects."""
    return [{"word": n.word, key: n.similarity} for n in neighbours]


def neighbour_table(neighbours: Sequence[Neighbour], title: str = "cosine") -> str:
    """Return neighbours as a table."""
    from glove_cli.cli.tables import shown, table

    return table(("word", title), [(shown(n.word), score_text(n.similarity)) for n in neighbours])


def neighbour_fields(asked: _Words, neighbours: Sequence[Neighbour]) -> list[Sequence[object]]:
    """Return a tab-separated line for each neighbour: the words asked about, rank, word, score."""
    return [(*asked, rank, n.word, n.similarity) for rank, n in enumerate(neighbours, 1)]


def score_text(score: float) -> str:
    """Return a score for a table: four decimals, or as many digits where they would show nothing or too much."""
    return f"{score:.4f}" if score == 0 or 1e-3 <= abs(score) < 1e6 else f"{score:.4g}"


def check_form(as_json: bool, as_tsv: bool) -> None:
    """Refuse two forms at once, and a standard output that is closed.

    Raises
    ------
    OptionError, OutputError
    """
    check_stdout()
    if as_json and as_tsv:
        raise OptionError("--tsv: can't be combined with --json. Choose one of them.")


def from_stdin(given: Sequence[str | None], missing: str) -> bool:
    """Tell whether questions come from standard input: for a single `-`, or for nothing where it isn't a terminal.

    Parameters
    ----------
    given : sequence of str or None
        The arguments.
    missing : str
        Name of the argument that is missing if standard input is a terminal.

    Raises
    ------
    click.MissingParameter
        If there is no question anywhere.
    """
    words = [word for word in given if word is not None]
    if words == [STDIN]:
        return True
    if words:
        return False
    if sys.stdin is None or sys.stdin.isatty() or not _something_comes():
        raise missing_argument(missing)
    return True


def missing_argument(name: str) -> click.MissingParameter:
    """Return the error for an argument that is missing."""
    context = click.get_current_context()
    parameter = next(p for p in context.command.params if p.name == name)
    return click.MissingParameter(ctx=context, param=parameter)


@dataclass(frozen=True)
class Form:
    """The forms of an answer of one command.

    Attributes
    ----------
    table : function of words and an answer
        Returns text for people.
    as_object : function of words and an answer
        Returns what becomes JSON; the answer is None where there is none.
    fields : function of words and an answer
        Returns the fields of each tab-separated line.
    as_json, as_tsv : bool
        Which one is wanted; neither means the table.
    """

    table: Callable[[_Words, Any], str]
    as_object: Callable[[_Words, Any], dict[str, Any]]
    fields: Callable[[_Words, Any], Sequence[Sequence[object]]]
    as_json: bool
    as_tsv: bool
    gap: str = "\n"  # an empty line between tables of several lines

    def print_all(self, asked: Sequence[_Words], answers: Sequence[Any], *, single: bool = False) -> None:
        """Print all answers: JSON as one array, or as one object where there can be only one."""
        if self.as_json:
            objects = [self.as_object(words, answer) for words, answer in zip(asked, answers, strict=True)]
            click.echo(json.dumps(objects[0] if single else objects, indent=2))
            return
        pieces = [self.text(words, answer) for words, answer in zip(asked, answers, strict=True)]
        click.echo((b"" if self.as_tsv else self.gap.encode()).join(pieces), nl=False)

    def text(self, words: _Words, answer: Any) -> bytes:
        """Return one answer as a table or as tab-separated lines."""
        if self.as_tsv:
            return b"".join(map(tsv_line, self.fields(words, answer)))
        return self.table(words, answer).encode("utf-8", "backslashreplace") + b"\n"


@dataclass
class Lines:
    """Answers questions from standard input, a line each.

    Attributes
    ----------
    vectors : WordVectors
    form : Form
    answer : function of a sequence of questions
        Returns the answer to each; all words are known.
    problem : function of the words of a line
        Says what is wrong with them, or nothing.
    whole : bool
        Whether a line is one word, which may contain spaces.
    directed : bool
        Whether a vector of zeros is worth a note.
    """

    vectors: WordVectors
    form: Form
    answer: Callable[[Sequence[_Words]], Sequence[Any]]
    problem: Callable[[_Words], str | None] = lambda words: None
    whole: bool = False
    directed: bool = True
    asked: int = 0
    without: int = 0
    listed: list[str] = field(default_factory=list)
    zeros: dict[str, None] = field(default_factory=dict)
    printed: bool = False

    def run(self) -> None:
        """Answer all lines as they come.

        Raises
        ------
        FormatError
            At the end, if some could not be answered: how many, and what was wrong with the first ones.
        """
        number = 0
        check_stdin()
        for lines in _batches(sys.stdin.buffer):
            questions = []
            for line in lines:
                number += 1
                text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
                words = (text.strip(b" \t"),) if self.whole else _split(text)
                if any(words):
                    questions.append((number, tuple(map(word_from_bytes, words))))
            self._answer(questions)
        note_zeros(list(self.zeros))
        if self.without:
            more = f"; and {self.without - _LISTED:,} more" if self.without > _LISTED else ""
            raise FormatError(
                f"standard input: {self.without:,} of {self.asked:,} lines could not be answered: "
                f"{'; '.join(self.listed)}{more}. Mend these lines; the others were answered."
            )

    def _answer(self, questions: list[tuple[int, _Words]]) -> None:
        good = [words for number, words in questions if self._is_good(number, words)]
        answers = dict(zip(good, self.answer(good), strict=True))
        if self.directed:
            self.zeros.update(dict.fromkeys(self.vectors.without_direction([w for words in answers for w in words])))
        pieces = []
        for _, words in questions:
            if self.form.as_json:
                pieces.append(json.dumps(self.form.as_object(words, answers.get(words))).encode() + b"\n")
            elif words in answers:
                if self.printed and not self.form.as_tsv:
                    pieces.append(self.form.gap.encode())
                pieces.append(self.form.text(words, answers[words]))
                self.printed = True
        click.echo(b"".join(pieces), nl=False)

    def _is_good(self, number: int, words: _Words) -> bool:
        self.asked += 1
        unknown = next((word for word in words if word not in self.vectors), None)
        problem = self.problem(words)
        if unknown is None and problem is None:
            return True
        self.without += 1
        if len(self.listed) < _LISTED:
            if problem is None and unknown is not None:
                similar = self.vectors.suggestions(unknown)
                hint = f" (did you mean {' or '.join(similar)}?)" if similar else ""
                problem = f"{_cut(unknown)} is not among the {len(self.vectors):,} words{hint}"
            self.listed.append(f"line {number:,}: {problem}")
        return False


def expects(number: int) -> Callable[[_Words], str | None]:
    """Return a check that a line has so many words."""

    def problem(words: _Words) -> str | None:
        return None if len(words) == number else f"has {len(words)} words, {number} were expected"

    return problem


def note_zeros(words: Sequence[str]) -> None:
    """Say on standard error which words have no direction."""
    from glove_cli.cli.tables import shown

    if len(words) == 1:
        say(f"Note: {shown(words[0])}: has a vector of zeros, so it has no direction: its cosines are 0.")
    elif words:
        listed = ", ".join(map(shown, words[:_LISTED])) + (", ..." if len(words) > _LISTED else "")
        what = f"{len(words):,} words have vectors of zeros, so they have no direction: their cosines are 0"
        say(f"Note: {what}: {listed}")


def _something_comes() -> bool:
    """Tell whether standard input holds anything, after waiting for it."""
    stream = sys.stdin.buffer
    peek = getattr(stream, "peek", None)
    if peek is not None:
        return bool(peek(1))
    position = stream.tell()
    try:
        return bool(stream.read(1))
    finally:
        stream.seek(position)


def _batches(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Yield the lines that have come, so that whoever writes one and waits gets its answer."""
    read = getattr(stream, "read1", stream.read)
    rest = b""
    while piece := read(_READ_BYTES):
        *lines, rest = (rest + piece).split(b"\n") if b"\n" in piece else (rest + piece,)
        if len(rest) > LONGEST_LINE:
            raise FormatError("standard input: has a line of more than 16 MiB. Give words, a question a line.")
        for begin in range(0, len(lines), _LINES):
            yield [line.rstrip(b"\r") for line in lines[begin : begin + _LINES]]
    if rest:
        yield [rest.rstrip(b"\r")]


def _split(line: bytes) -> tuple[bytes, ...]:
    """Return the words of a line: between tabs, if there are any, or else between spaces."""
    separator = b"\t" if b"\t" in line else b" "
    return tuple(word for word in (part.strip(b" ") for part in line.split(separator)) if word)


def tsv_line(fields: Sequence[object]) -> bytes:
    """Return a tab-separated line."""
    return b"\t".join(map(_field, fields)) + b"\n"


def _field(value: object) -> bytes:
    """Return a field of a tab-separated line; what would end it is escaped."""
    if isinstance(value, float):
        return f"{value:.6f}".encode()
    data = word_to_bytes(str(value))
    return data.replace(b"\t", b"\\t").replace(b"\n", b"\\n").replace(b"\r", b"\\r")


def _cut(word: str) -> str:
    from glove_cli.cli.tables import shown

    word = shown(word)
    return word if len(word) <= _LONGEST_SHOWN else word[:_LONGEST_SHOWN] + "..."
