"""What can be wrong with the lines of a file, what is done about it, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from glove_cli.errors import FormatError, OptionError

ERROR, SKIP = "error", "skip"
KEEP, STRICT, REPLACE = "keep", "strict", "replace"
ON_PROBLEM = (ERROR, SKIP)
ENCODING_ERRORS = (KEEP, STRICT, REPLACE)

RAGGED = "of another length"
NOT_NUMBERS = "that should end in numbers"
NOT_FINITE = "with a number that isn't finite"
NO_WORD = "without a word"
BLANK = "without anything"
TOO_LONG = "that are too long"
REPEATED = "that repeat a word"
NOT_UTF8 = "that are not UTF-8"
HEADER = "that are a wrong header"

_LINES_NAMED = 5
_ENOUGH = 1000  # so many problems are counted before a file is refused
_ADVICE = "Make the file again, or leave such {unit}s out with --skip-bad-lines."


@dataclass(frozen=True)
class LineProblem:
    """What is wrong with some lines of a file.

    Attributes
    ----------
    kind : str
        What they have in common, as "that repeat a word".
    count : int
        How many they are.
    lines : tuple of int
        Numbers of the first five, from 1; of rows where the format has no lines.
    left_out : bool
        Whether they were left out; otherwise what was wrong was replaced.
    """

    kind: str
    count: int
    lines: tuple[int, ...]
    left_out: bool = True


@dataclass(frozen=True)
class ReadReport:
    """How reading went.

    Attributes
    ----------
    problems : tuple of LineProblem
        What was left out or replaced, one for each kind.
    notes : tuple of str
        The same in words, and what else should be known; a sentence each.
    format : str
        Name of the file's format; empty for a model.
    packing : str, optional
        How it is packed: "gzip", "bzip2", "xz", "zstd" or "zip".
    cached : bool
        Whether the vectors came from the cache.
    """

    problems: tuple[LineProblem, ...] = ()
    notes: tuple[str, ...] = ()
    format: str = ""
    packing: str | None = None
    cached: bool = False


@dataclass
class Problems:
    """Collects what is wrong with a file, and decides whether reading may go on.

    Attributes
    ----------
    on_problem : {"error", "skip"}
        Whether a bad line refuses the file or is left out.
    encoding_errors : {"keep", "strict", "replace"}
        What becomes of bytes that are not UTF-8: surrogate escapes, which come out as they went in; a bad line; or
        U+FFFD.
    unit : str
        What the numbers count.
    """

    on_problem: str = ERROR
    encoding_errors: str = KEEP
    unit: str = "line"
    notes: list[str] = field(default_factory=list)
    _first: str = ""
    _found: dict[tuple[str, bool], tuple[int, list[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.on_problem not in ON_PROBLEM:
            raise OptionError(f"on_problem: {self.on_problem!r} is not one of {', '.join(ON_PROBLEM)}. Choose one.")
        if self.encoding_errors not in ENCODING_ERRORS:
            raise OptionError(
                f"encoding_errors: {self.encoding_errors!r} is not one of {', '.join(ENCODING_ERRORS)}. Choose one."
            )

    @property
    def any(self) -> bool:
        """Whether anything is wrong that would refuse the file."""
        return any(left_out for _, left_out in self._found)

    def add(self, path: Path, number: int, kind: str, text: str) -> None:
        """Note that a line is bad; `text` says how, as "has 2 numbers".

        Raises
        ------
        FormatError
            If bad lines refuse the file, and this is the thousandth.
        """
        self._count(number, kind, left_out=True)
        self._first = self._first or f"{self.unit} {number} {text}"
        if self.on_problem == ERROR and self._total >= _ENOUGH:
            self.check(path)

    def replaced(self, number: int) -> None:
        """Note that bytes of a line were replaced."""
        self._count(number, NOT_UTF8, left_out=False)

    def check(self, path: Path) -> None:
        """Refuse a file with bad lines, unless these are left out.

        Raises
        ------
        FormatError
            With the first bad line, and how many more there are of each kind.
        """
        if self.on_problem == SKIP or not self.any:
            return
        others = dict.fromkeys((kind for kind, left_out in self._found if left_out), 0)
        first_kind = next(iter(others))
        for (kind, left_out), (count, _) in self._found.items():
            if left_out:
                others[kind] = count - (kind == first_kind)
        listed = ", ".join(f"{count:,} {kind}" for kind, count in others.items() if count)
        least = "at least " if self._total >= _ENOUGH else ""
        more = f" Other bad {self.unit}s: {least}{listed}." if listed else ""
        raise FormatError(f"{path}: {self._first}.{more} {_ADVICE.format(unit=self.unit)}")

    def mismatch(self, path: Path, text: str) -> None:
        """Note that the file as a whole is not what it says.

        Raises
        ------
        FormatError
            Unless bad lines are left out.
        """
        if self.on_problem == ERROR:
            raise FormatError(f"{path}: {text}. Make the file again.")
        self.notes.append(text)

    def report(self) -> ReadReport:
        """Return what was left out or replaced."""
        problems = [
            LineProblem(kind, count, tuple(lines), left_out) for (kind, left_out), (count, lines) in self._found.items()
        ]
        return ReadReport(tuple(problems), (*(self._sentence(problem) for problem in problems), *self.notes))

    @property
    def _total(self) -> int:
        return sum(count for (_, left_out), (count, _) in self._found.items() if left_out)

    def _count(self, number: int, kind: str, *, left_out: bool) -> None:
        count, lines = self._found.get((kind, left_out), (0, []))
        if len(lines) < _LINES_NAMED:
            lines.append(number)
        self._found[kind, left_out] = (count + 1, lines)

    def _sentence(self, problem: LineProblem) -> str:
        one = problem.count == 1
        which = ", ".join(map(str, problem.lines)) + ", ..." * (problem.count > len(problem.lines))
        what = f"{problem.count:,} {self.unit}{'' if one else 's'} {singular(problem.kind) if one else problem.kind}"
        if problem.left_out:
            return f"left out {what} ({which})"
        return f"put U+FFFD for the bad bytes of {what} ({which})"


def singular(kind: str) -> str:
    """Return the kind of a problem as it is said of one line."""
    one = {REPEATED: "that repeats a word", NOT_UTF8: "that is not UTF-8"}
    return one.get(kind, kind.replace("that are", "that is"))
