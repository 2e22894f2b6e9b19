"""The prompt of `glove shell`: lines with history and completion on a terminal, plain lines from a pipe."""

from __future__ import annotations

import bisect
import contextlib
import heapq
import os
import signal
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import click

from glove_cli.cli.errors import Terminated
from glove_cli.cli.session import COMMANDS, SETTINGS, Session
from glove_cli.cli.terminal import say
from glove_cli.errors import GloveError

_PROMPT = "glove> "
_OFFERED = 50  # words that a tab offers, the most frequent ones
_KEPT_LINES = 1000


def read_lines(session: Session, *, interactive: bool) -> bool:
    """Answer lines until they end; tell whether all could be answered."""
    if not interactive:
        lines = sys.stdin.buffer
        answered = [_answered(session, line.decode("utf-8", "surrogateescape")) for line in _until_left(session, lines)]
        return all(answered)
    click.echo(f"{len(session.vectors):,} words; help says what can be typed, quit leaves.", err=True)
    with _interruptible_line(), _editing(session):
        while not session.left:
            try:
                _answered(session, input(_PROMPT))
            except EOFError:
                click.echo()
                break
            except Terminated:
                raise
            except KeyboardInterrupt:
                click.echo()
    return True


def completions(session: Session, line: str, text: str) -> list[str]:
    """Return what the last word of a line may become, most frequent words first.

    Parameters
    ----------
    session : Session
    line : str
        What stands before the word.
    text : str
        The word so far.

    Notes
    -----
    Of very many, the most frequent are returned, and the two that differ most: what all have in common is then also
    common to those returned.
    """
    before = line.split()
    if before and before[-1] in SETTINGS:
        return [value for value in SETTINGS[before[-1]] if value.startswith(text)]
    first = [name for name in (*COMMANDS, *SETTINGS) if name.startswith(text)] if not before and text else []
    if not text:
        return _without_controls(session.vectors.words[:_OFFERED])
    words, rows = session.vectors.words, session.sorted_rows
    begin = bisect.bisect_left(rows, text, key=words.__getitem__)
    end = bisect.bisect_left(rows, True, begin, key=lambda row: not words[row].startswith(text))
    found = [words[row] for row in heapq.nsmallest(_OFFERED, rows[begin:end])]
    if end - begin > _OFFERED:
        found += [words[rows[begin]], words[rows[end - 1]]]
    return _without_controls(dict.fromkeys([*first, *found]))


def _without_controls(words: Iterable[str]) -> list[str]:
    """Return words but those that a terminal, which lists them as they are, would obey."""
    return [word for word in words if not any(unicodedata.category(c) == "Cc" for c in word)]


def history_path() -> Path | None:
    """Return the file that keeps what was typed, or None if nothing is to be kept."""
    named = os.environ.get("GLOVE_HISTORY")
    if named is not None:
        return Path(named) if named else None
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(state, "glove", "history")


def _until_left(session: Session, lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield line.rstrip(b"\r\n")
        if session.left:
            return


def _answered(session: Session, line: str) -> bool:
    try:
        text = session.answer(line)
    except GloveError as error:
        say(f"Error: {error}")
        return False
    if text:
        click.echo(text)
    return True


@contextlib.contextmanager
def _interruptible_line() -> Iterator[None]:
    """Let every Ctrl-C clear a line; elsewhere the first one ends the work."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _editing(session: Session) -> Iterator[None]:
    """Give lines a history and completion, where Python has readline."""
    try:
        import readline
    except ImportError:  # Windows
        yield
        return
    offered: list[str] = []

    def complete(text: str, state: int) -> str | None:
        if state == 0:
            offered[:] = completions(session, readline.get_line_buffer()[: readline.get_begidx()], text)
        return offered[state] if state < len(offered) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" \t\n")
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
    path = history_path()
    with contextlib.suppress(OSError):
        if path is not None:
            readline.read_history_file(path)
    known = readline.get_current_history_length()
    try:
        yield
    finally:
        readline.set_completer(None)
        if path is not None:
            _keep(readline, path, readline.get_current_history_length() - known)


def _keep(readline: ModuleType, path: Path, lines: int) -> None:
    """Add the last lines to the file, where another shell may have added its own meanwhile."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        readline.set_history_length(_KEPT_LINES)
        if hasattr(readline, "append_history_file"):
            path.touch(0o600)
            readline.append_history_file(lines, path)
        else:  # an editor that can't: of two shells the last one's lines are kept
            readline.write_history_file(path)
    except OSError as error:
        click.echo(f"{path}: the history can't be kept: {error.strerror}.", err=True)
