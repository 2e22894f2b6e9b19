"""The options of reading: what a text is, what a token is, which words are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from glove_cli.errors import OptionError

TOKENIZERS = ("whitespace", "words")
NORMAL_FORMS = ("NFC", "NFKC")
DOCUMENTS = ("line", "paragraph", "file", "none")
ENCODING_ERRORS = ("keep", "strict", "replace", "skip-token")


@dataclass(frozen=True)
class TextConfig:
    """How a text becomes documents of tokens.

    Attributes
    ----------
    tokenizer : {"whitespace", "words"}
        Tokens are what stands between spaces, tabs and line ends, byte for byte as the reference reads them; or the
        Unicode words within that: letters, marks and digits, with apostrophes between letters, and points and commas
        between digits. A script that is written without spaces is left as it is.
    token_pattern : str, optional
        Tokens are instead what this regular expression finds in each stretch of text between spaces, tabs and line
        ends: all matches, from left to right, or their first group if the pattern has one.
    lowercase : bool
        Turn the text to lower case first (Unicode).
    normalize : {"NFC", "NFKC"}, optional
        Bring the text to this Unicode normal form first.
    document : {"line", "paragraph", "file", "none"}
        What a document is: a line; what stands between blank lines; a file (or record); or the whole corpus. Windows
        do not cross the end of a document.
    encoding_errors : {"keep", "strict", "replace", "skip-token"}
        What becomes of bytes that are not UTF-8: they stay as they are; they are an error; each becomes U+FFFD; or
        the token (between spaces, tabs and line ends) that holds them is left out, before distances are measured.
    """

    tokenizer: str = "whitespace"
    token_pattern: str | None = None
    lowercase: bool = False
    normalize: str | None = None
    document: str = "line"
    encoding_errors: str = "keep"

    def __post_init__(self) -> None:
        self._choice("tokenizer", TOKENIZERS)
        if self.normalize is not None:
            self._choice("normalize", NORMAL_FORMS)
        self._choice("document", DOCUMENTS)
        self._choice("encoding_errors", ENCODING_ERRORS)
        if not isinstance(self.lowercase, bool):
            raise OptionError(f"--lowercase: {self.lowercase!r} is neither True nor False. Give one of them.")
        if self.token_pattern is not None:
            self._check_pattern(self.token_pattern)

    def _choice(self, name: str, choices: tuple[str, ...]) -> None:
        """Refuse a field whose value is not one of the choices."""
        value = getattr(self, name)
        if value not in choices:
            raise OptionError(f"{flag(name)}: {value!r} is not one of {', '.join(choices)}. Choose one of them.")

    def _check_pattern(self, pattern: object) -> None:
        if self.tokenizer != "whitespace":
            raise OptionError(f"--token-pattern: stands beside --tokenizer {self.tokenizer}. Leave one of them out.")
        try:
            groups = re.compile(pattern).groups if isinstance(pattern, str) else None
        except (re.error, OverflowError, RecursionError) as error:
            raise OptionError(f"--token-pattern: {pattern!r} is no regular expression: {error}. Mend it.") from error
        if not pattern or groups is None:
            raise OptionError(f"--token-pattern: {pattern!r} is no regular expression. Give one.")
        if groups > 1:
            raise OptionError(f"--token-pattern: {pattern!r} has {groups} groups. Give at most one; others as (?:...).")


@dataclass(frozen=True)
class VocabConfig(TextConfig):
    """How a text becomes documents of tokens, and which words are kept.

    Attributes
    ----------
    min_count : int
        Words that occur less often are left out.
    max_vocab : int, optional
        Keep only so many words, the most frequent ones; ties are decided by the words' bytes.
    max_doc_share : float, optional
        Words that occur in a larger share of the documents than this are left out, 0 < share <= 1.
    """

    min_count: int = 5
    max_vocab: int | None = None
    max_doc_share: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "min_count", positive("--min-count", self.min_count))
        if self.max_vocab is not None:
            object.__setattr__(self, "max_vocab", positive("--max-vocab", self.max_vocab))
        if self.max_doc_share is not None:
            share = real("--max-doc-share", self.max_doc_share)
            if not 0 < share <= 1:
                raise OptionError(f"--max-doc-share: {share:g} is not a share. Give more than 0 and at most 1.")
            object.__setattr__(self, "max_doc_share", share)


def flag(name: str) -> str:
    """Return the option of the command line that sets a field."""
    return "--" + name.replace("_", "-")


def positive(option: str, value: object) -> int:
    """Return an integer of Python, whatever kind of integer is given.

    Raises
    ------
    OptionError
        If the value is no integer, or less than 1.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise OptionError(f"{option}: {value!r} is not a positive integer. Give 1 or more.")
    return int(value)


def real(option: str, value: object) -> float:
    """Return a finite number of Python, whatever kind of number is given.

    Raises
    ------
    OptionError
        If the value is no finite number.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.integer, np.floating))
        or not np.isfinite(value)
    ):
        raise OptionError(f"{option}: {value!r} is not a finite number. Give one.")
    return float(value)
