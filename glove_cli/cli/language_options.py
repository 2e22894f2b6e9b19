"""Options of the commands that make language models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from glove_cli.cli.options import PATH, Numbers, config_option, threads_option
from glove_cli.corpus.config import NORMAL_FORMS, TOKENIZERS, TextConfig
from glove_cli.language.config import LanguageConfig

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _listed(values: tuple[float, ...]) -> str:
    return ",".join(f"{value:g}" for value in values)


def text_options(function: _Function) -> _Function:
    """Add the options that say how a text becomes tokens."""
    for option in reversed(_TEXT_OPTIONS):
        function = option(function)
    return function


def language_options(function: _Function) -> _Function:
    """Add the options of `glove evaluate --lm`."""
    for option in reversed(_LANGUAGE_OPTIONS):
        function = option(function)
    return function


_TEXT_OPTIONS = (
    config_option(
        TextConfig,
        "tokenizer",
        "Tokens stand between blanks, or are the Unicode words within that.",
        type=click.Choice(TOKENIZERS),
    ),
    config_option(TextConfig, "lowercase", "Turn the text to lower case first (Unicode)."),
    config_option(TextConfig, "normalize", "Unicode normal form to bring it to.", type=click.Choice(NORMAL_FORMS)),
)
_LANGUAGE_OPTIONS = (
    click.option("--lm", type=PATH, metavar="TRAIN", help="Score by language models that learn from this text."),
    click.option(
        "--valid", type=PATH, metavar="FILE", help="With --lm: says when to stop.  [default: cut off from TRAIN]"
    ),
    click.option(
        "--test", type=PATH, metavar="FILE", help="With --lm: the text to score.  [default: cut off from TRAIN]"
    ),
    click.option("--lm-order", "orders", type=Numbers(int), default=_listed(LanguageConfig.orders), show_default=True,
                 help="Of the n-gram models, up to 5."),
    click.option("--lm-share", "shares", type=Numbers(float), default=_listed(LanguageConfig.shares),
                 show_default=True, help="Shares of TRAIN to learn from."),
    click.option("--lm-seed", "seeds", type=Numbers(int), default=_listed(LanguageConfig.seeds), show_default=True,
                 help="Of the networks and of the lines of a share; intervals come from several."),
    click.option("--lm-vocab", "max_vocab", type=int, default=LanguageConfig.max_vocab, show_default=True,
                 help="Words that are told apart, the most frequent ones."),
    click.option("--lm-context", "context", type=int, default=LanguageConfig.context, show_default=True,
                 help="Words that a network sees."),
    click.option("--lm-hidden", "hidden", type=int, default=LanguageConfig.hidden, show_default=True,
                 help="Units of its hidden layer."),
    click.option("--lm-direct", "direct", is_flag=True, help="Lead vectors to its output also directly."),
    click.option("--lm-epochs", "epochs", type=int, default=LanguageConfig.epochs, show_default=True,
                 help="Passes over TRAIN, at most."),
    click.option("--lm-tokens", "most_tokens", type=int, default=LanguageConfig.most_tokens, show_default=True,
                 help="Tokens of all passes together, at most; the first pass is always whole."),
    click.option("--lm-lowercase", "lowercase", is_flag=True, help="Turn the texts to lower case first."),
    click.option("--lm-plot", type=PATH, metavar="FILE", help="Draw perplexity by the size of the training text."),
    threads_option,
)  # fmt: skip
