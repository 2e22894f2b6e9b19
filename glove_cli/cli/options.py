"""Options that commands share, and options that take their defaults from a dataclass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from glove_cli.vectors.names import KINDS

COOC_NAME = "cooc"
MODEL_NAME = "model"
READING = "glove.reading"  # where a command's context keeps how files of vectors are to be read
_Function = TypeVar("_Function", bound=Callable[..., Any])
_Decorator = Callable[[_Function], _Function]


class PathName(click.Path):
    """A path, not the empty one: that would be the current folder, which an unset variable of a script doesn't mean."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            self.fail("is empty. Give the name of a file or folder; that of the current folder is a dot.", param, ctx)
        return super().convert(value, param, ctx)


class Numbers(click.ParamType):
    """A number, or several with commas between them, each once."""

    def __init__(self, kind: type[int] | type[float]) -> None:
        self.kind = kind
        self.name = "integer" if kind is int else "float"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a tuple of numbers."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(dict.fromkeys(self.kind(part) for part in str(value).split(",")))
        except ValueError:
            several = " or several with commas between them" if "," in str(value) else ""
            self.fail(f"{value!r} is not a valid {self.name}{several}.", param, ctx)


PATH = PathName(path_type=Path)


def config_option(config: type, name: str, help: str, **extra: Any) -> Callable[[_Function], _Function]:
    """Return the option for one field of an options dataclass; its default is the field's."""
    default = getattr(config, name)
    if isinstance(default, bool):
        extra["is_flag"] = True
    elif default is not None and "type" not in extra:
        extra["type"] = type(default)
    shown = default is not None and not isinstance(default, bool)
    return click.option("--" + name.replace("_", "-"), name, default=default, show_default=shown, help=help, **extra)


def run_option(function: _Function) -> _Function:
    """Add `--run`."""
    return click.option(
        "--run",
        type=PATH,
        default="glove-run",
        show_default=True,
        envvar="GLOVE_RUN",
        show_envvar=True,
        metavar="DIR",
        help="Folder of the run.",
    )(function)


def threads_option(function: _Function) -> _Function:
    """Add `--threads`."""
    text = "Threads; the result is the same.  [default: all cores that this process may use]"
    return click.option("--threads", type=int, help=text)(function)


def cluster_option(function: _Function) -> _Function:
    """Add `--cluster`."""
    text = (
        "Work on a Dask cluster: local:4 for four processes here, an address such as tcp://host:8786, or the file of a "
        "scheduler; the result is the same."
    )
    return click.option("--cluster", metavar="WHERE", help=text)(function)


def force_option(function: _Function) -> _Function:
    """Add `--force`."""
    return click.option("--force", is_flag=True, help="Replace a result that exists.")(function)


def json_option(function: _Function) -> _Function:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)


def source_options(function: _Function) -> _Function:
    """Add the options that say whose vectors are looked at, which, and how a file of them is read."""
    function = reading_options(function)
    process = "Change them first, in order: unit, mean[:WORDS], top[:DIRECTIONS], whiten:POWER[:WORDS], pca:DIMENSIONS."
    function = click.option("--process", metavar="STEP,...", help=process)(function)
    function = run_option(function)
    function = kind_option(function)
    text = "A model, a run, or a file of vectors of any format.  [default: RUN/model]"
    return click.option("--model", type=PATH, metavar="PATH", help=text)(function)


def reading_options(function: _Function) -> _Function:
    """Add the options that say how a file of vectors is read; `sources.read_file` finds them in the context."""

    def keep(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        context.meta.setdefault(READING, {})[parameter.name] = value
        return value

    skip = "Leave out bad lines of a file of vectors, and count them."
    function = click.option("--skip-bad-lines", is_flag=True, expose_value=False, callback=keep, help=skip)(function)
    errors = "Bytes of such a file that are not UTF-8: kept, an error, or U+FFFD."
    return click.option(
        "--encoding-errors",
        type=click.Choice(("keep", "strict", "replace")),
        default="keep",
        show_default=True,
        expose_value=False,
        callback=keep,
        help=errors,
    )(function)


def kind_option(function: _Function) -> _Function:
    """Add `--vectors`."""
    text = "Which vectors of a model: word + context, one of them, or both side by side."
    return click.option("--vectors", type=click.Choice(KINDS), default="sum", show_default=True, help=text)(function)


def example(*commands: str) -> str:
    """Return the end of a help text: an example, not to be wrapped."""
    return "\b\nExample:\n" + "\n".join(f"  {command}" for command in commands)
