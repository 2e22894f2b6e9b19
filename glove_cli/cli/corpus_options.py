"""Options of the commands that read a corpus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from glove_cli.cli.options import PATH, config_option
from glove_cli.corpus.config import DOCUMENTS, ENCODING_ERRORS, NORMAL_FORMS, TOKENIZERS, VocabConfig

_Function = TypeVar("_Function", bound=Callable[..., Any])


_OPTIONS = (
    click.option("--json-field", metavar="NAME", help="The files are JSON Lines; read this field of each."),
    click.option("--column", metavar="NAME", help="The files are Parquet; read this column."),
    config_option(
        VocabConfig,
        "tokenizer",
        "Tokens stand between blanks, or are the Unicode words within that.",
        type=click.Choice(TOKENIZERS),
    ),
    config_option(
        VocabConfig, "token_pattern", "Tokens are what this finds between blanks.", type=str, metavar="REGEX"
    ),
    config_option(VocabConfig, "lowercase", "Turn the text to lower case first (Unicode)."),
    config_option(VocabConfig, "normalize", "Unicode normal form to bring it to.", type=click.Choice(NORMAL_FORMS)),
    config_option(VocabConfig, "document", "What windows do not leave.", type=click.Choice(DOCUMENTS)),
    config_option(
        VocabConfig, "encoding_errors", "What becomes of bytes that aren't UTF-8.", type=click.Choice(ENCODING_ERRORS)
    ),
    config_option(VocabConfig, "min_count", "Leave out words that occur less often."),
    config_option(VocabConfig, "max_vocab", "Keep only so many words, the most frequent ones.", type=int),
    config_option(
        VocabConfig, "max_doc_share", "Leave out words that more of the documents hold, such as 0.5.", type=float
    ),
    click.option("--words", type=PATH, metavar="FILE", help="Keep no other words than these, one a line."),
    click.option("--stop-words", type=PATH, metavar="FILE", help="Keep none of these words, one a line."),
)


def corpus_options(function: _Function) -> _Function:
    """Add the options that say how a corpus is read and which words are kept."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def tmp_option(function: _Function) -> _Function:
    """Add `--tmp`."""
    return click.option("--tmp", type=PATH, metavar="DIR", help="Folder for temporary files.  [default: the result's]")(
        function
    )


def invalid_note(invalid: int, way: str) -> str | None:
    """Say how many tokens were not UTF-8 and what became of them, if there were any."""
    done = {"keep": "kept as they are", "replace": "replaced by U+FFFD", "skip-token": "left out"}
    return f"{invalid:,} tokens were not UTF-8, {done[way]}" if invalid else None
