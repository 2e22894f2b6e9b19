"""What the terminal is and shows: its width, colours, and messages on standard error."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any, TextIO

import click

_HEADS: dict[str, dict[str, Any]] = {
    "Error:": {"fg": "red", "bold": True},
    "Warning:": {"fg": "yellow"},
    "Note:": {"fg": "yellow"},
}


def terminal_width() -> int | None:
    """Return how many columns the terminal has that standard output goes to; None if it goes elsewhere."""
    return shutil.get_terminal_size().columns if _is_terminal(sys.stdout) else None


def colour_choice() -> bool | None:
    """Return whether the environment asks for colours or forbids them; None if it leaves that to the terminal.

    NO_COLOR forbids them (https://no-color.org), FORCE_COLOR and CLICOLOR_FORCE ask for them also where there is no
    terminal, CLICOLOR=0 and TERM=dumb forbid them again; the first of these decides.
    """
    names = os.environ.get
    if names("NO_COLOR"):
        return False
    if any(names(name, "") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return False if names("CLICOLOR") == "0" or names("TERM") == "dumb" else None


def styled(text: str, stream: TextIO | None, **style: Any) -> str:
    """Return a text with a style of `click.style`, or without where `stream` doesn't show any."""
    choice = colour_choice()
    return click.style(text, **style) if (choice if choice is not None else _is_terminal(stream)) else text


def say(text: str) -> None:
    """Print a message on standard error; what it begins with, such as `Error:`, in its colour.

    What names and words hold besides letters, such as a terminal's commands, is escaped.
    """
    text = "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)
    for head, style in _HEADS.items():
        if text.startswith(head):
            text = styled(head, sys.stderr, **style) + text.removeprefix(head)
    click.echo(text, err=True, color=colour_choice())


def _escaped(character: str) -> str:
    """Return a character that isn't to be printed, or a byte that is no character, as it would be typed in Python."""
    byte = ord(character) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else character.encode("unicode_escape").decode("ascii")


def check_stdin() -> None:
    """Refuse a command that is to read a standard input that is closed.

    Raises
    ------
    FormatError
    """
    from glove_cli.errors import FormatError

    if sys.stdin is None:
        raise FormatError("standard input: is closed. Give questions by a pipe, or as arguments.")


def check_stdout() -> None:
    """Refuse, before any work, a command whose whole result would go to a standard output that is closed.

    Raises
    ------
    OutputError
    """
    from glove_cli.errors import OutputError

    if sys.stdout is None:
        raise OutputError("standard output: is closed, so there is no place for the answer. Open it, or name a file.")


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()
