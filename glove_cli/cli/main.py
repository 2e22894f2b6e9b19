"""`glove`: the group of commands, and the one place where an error becomes a line and an exit code.

A command's file is loaded when the command is called, so that `glove --help` starts at once.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from glove_cli.cli.caching import check_compiler_settings, find_room_for_compiled_code
from glove_cli.cli.errors import EndedError, exit_code_of, interruptible, survive_any_word
from glove_cli.cli.terminal import colour_choice
from glove_cli.version import __version__

_COMMANDS = {
    "build-cooc": ("build_cooc", "Count which words of a text stand near each other."),
    "vocab": ("vocab", "Count the words of a text."),
    "merge-vocab": ("merge_vocab", "Add up vocabularies."),
    "merge-cooc": ("merge_cooc", "Add up matrices: shards, or several texts."),
    "train": ("train", "Train word vectors on the counts."),
    "history": ("history", "Show how a training went, as a table or a picture."),
    "export": ("export", "Write the vectors to a file."),
    "info": ("info", "Say what a run, matrix, model or vector file is."),
    "nearest": ("nearest", "Find the words nearest to a word."),
    "analogy": ("analogy", "Find the word that is to C as B is to A."),
    "similarity": ("similarity", "Say how near two words are."),
    "uncertainty": ("uncertainty", "Say how uncertain the vectors of words are."),
    "odd-one-out": ("odd_one_out", "Find the word that doesn't go with the others."),
    "shell": ("shell", "Ask again and again at a prompt."),
    "evaluate": ("evaluate", "Score vectors on analogy questions and word similarity."),
    "compare": ("compare", "Find words that two corpora use in different ways."),
    "plot": ("plot", "Draw words: a map, clusters, pairs as arrows."),
    "explore": ("explore", "Write a page to explore the words in a browser."),
    "sample": ("sample", "Draw text from n-gram models of a text."),
    "export-cooc": ("export_cooc", "Write the counts to a file of other programs."),
    "import-cooc": ("import_cooc", "Take counts from a file of other programs."),
    "import-model": ("import_model", "Take a model from the original tools' binary files."),
    "completion": ("completion", "Print the script that completes commands in a shell."),
}
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
_EXAMPLE = """\b
Example:
  glove build-cooc corpus.txt
  glove train --dim 100
  glove export vectors.txt"""


class LazyCommands(MutableMapping[str, click.Command]):
    """The commands by name, each imported when it is asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            self._loaded[name] = import_module(f"glove_cli.cli.{_COMMANDS[name][0]}").command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*_COMMANDS, *self._loaded)))

    def __len__(self) -> int:
        return len(list(iter(self)))


class GloveGroup(click.Group):
    """A group whose errors are one line, whose help loads no command, and which stops cleanly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they are used."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line for each command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Offer the commands, or the group's own options."""
        commands = [CompletionItem(name, help=text) for name, (_, text) in _COMMANDS.items()]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [item for item in commands if item.value.startswith(incomplete)] + options

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was called; keep what ends it from click, which has its own words for it."""
        ctx.color = colour_choice()
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, OSError, EOFError) as error:  # click would take an EOFError for Ctrl-C
            raise EndedError(error) from error

    def main(self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **extra: Any) -> Any:  # type: ignore[override]
        """Run a command and leave with its exit code."""
        extra["prog_name"] = extra.get("prog_name") or "glove"
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **extra)
        # The collector would look through Numba's many objects again and again, the last time as the process ends.
        atexit.register(gc.freeze)
        before = gc.get_threshold()
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        find_room_for_compiled_code()
        try:
            with interruptible(), survive_any_word():
                try:
                    check_compiler_settings()
                    result = super().main(args, standalone_mode=False, **extra)
                    code = result if isinstance(result, int) else 0
                except (Exception, KeyboardInterrupt) as error:
                    code = exit_code_of(error)
                finally:
                    gc.set_threshold(*before)
        except KeyboardInterrupt as error:  # just before the command began, or just after it had ended
            code = exit_code_of(error)
        sys.exit(code)


@click.group(
    "glove",
    cls=GloveGroup,
    commands=LazyCommands(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXAMPLE,
)
@click.version_option(__version__, "--version", prog_name="glove", message="%(prog)s %(version)s")
def main() -> None:
    """Make GloVe word vectors from your own text.

    A run lives in the folder glove-run, unless --run or the variable GLOVE_RUN names another; so the commands find
    each other's results. Nothing that exists is overwritten without --force.
    """
