"""`glove completion`: the script that completes a command line in a shell; and what it offers for words and files.

The script calls `glove` at every Tab, so nothing here loads more than click.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from glove_cli.cli.options import MODEL_NAME, example
from glove_cli.cli.terminal import check_stdout

SHELLS = ("bash", "zsh", "fish")
_VOCAB_NAME = "vocab.txt"
_WORDS_READ = 100_000
_WORDS_OFFERED = 100
# A shell would take these apart, and bash those of the second line as ends of a word.
_SPECIAL = frozenset(" \t\n!\"#$&'()*;<>?[\\]^`{|}~:=@,")


_SET_UP = """\b
Set-up, for every shell that is opened from then on:
  echo 'eval "$(glove completion bash)"' >> ~/.bashrc
  echo 'eval "$(glove completion zsh)"' >> ~/.zshrc
  glove completion fish > ~/.config/fish/completions/glove.fish

"""


@click.command("completion", epilog=_SET_UP + example("glove completion bash"))
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that lets SHELL (bash, zsh or fish) complete commands, options, files and words at Tab."""
    check_stdout()
    completion = get_completion_class(shell)
    assert completion is not None
    click.echo(completion(ctx.find_root().command, {}, "glove", "_GLOVE_COMPLETE").source(), nl=False)


def complete_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer files: the `shell_complete` of a parameter that may be a path but isn't a `click.Path`."""
    return [CompletionItem(incomplete, type="file")]


def complete_words(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer words of the model, most frequent first: the `shell_complete` of a parameter that is a word.

    Only of the first 100,000 words; none that a shell would need quoted, and none of a file, which takes too long to
    read. Where very many begin so, the most frequent of them.
    """
    try:
        found = [word for word in _words(_model_folder(ctx) / _VOCAB_NAME) if word.startswith(incomplete)]
    except (OSError, RuntimeError):  # no such file, or no such home
        return []
    offered = found[:_WORDS_OFFERED]
    # The shell types what all of them begin with, so that must not be more than all that were found begin with.
    common = os.path.commonprefix(offered)  # noqa: RUF071 (letters are meant)
    return offered + list(islice((word for word in found if not word.startswith(common)), 1))


def _model_folder(ctx: click.Context) -> Path:
    """Return the model that the options typed so far name, as a shell would understand them."""
    model = ctx.params.get("model")
    if model is None:
        return Path(ctx.params.get("run") or "glove-run").expanduser() / MODEL_NAME
    folder = Path(model).expanduser()
    return folder / MODEL_NAME if (folder / MODEL_NAME).is_dir() else folder


def _words(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for line in islice(file, _WORDS_READ):
            word = line.rpartition(b" ")[0].decode("utf-8", "replace")
            if word.isprintable() and "\ufffd" not in word and _SPECIAL.isdisjoint(word) and word[:1] not in ("", "-"):
                yield word
