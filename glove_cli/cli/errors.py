"""What ends a command early: errors, signals, closed pipes. Each becomes one line and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TextIO

import click

from glove_cli.cli.terminal import say
from glove_cli.errors import GloveError

_WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_NO_THREAD = "can't start new thread"  # Python's words
_INTERRUPTED = "Interrupted. Nothing was left half-written."


class Terminated(KeyboardInterrupt):
    """The process was asked to end by another signal than Ctrl-C."""


class EndedError(Exception):
    """Carries an interruption or a failed write through click."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__(reason)
        self.reason = reason


def exit_code_of(error: BaseException) -> int:
    """Say in one line on standard error what ended a command, and return its exit code.

    Parameters
    ----------
    error : exception
        One that nobody foresaw is raised again: it is a bug, and its traceback says where.
    """
    if isinstance(error, EndedError):
        error = error.reason
    # click's word for what came before the command, and Python's for what came within a function of its own
    if isinstance(error, (click.Abort, SystemError)) and isinstance(error.__cause__, KeyboardInterrupt):
        error = error.__cause__
    if isinstance(error, Terminated):
        return _say(_INTERRUPTED, 128 + signal.SIGTERM)
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return _say(_INTERRUPTED, 128 + signal.SIGINT)
    if isinstance(error, GloveError):
        return _say(f"Error: {error}", error.exit_code)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if isinstance(error, click.UsageError):
        return _say(f"Error: {_usage(error)}", error.exit_code)
    if isinstance(error, click.ClickException):
        return _say(f"Error: {error.format_message()}", error.exit_code)
    if isinstance(error, BrokenPipeError):
        _close_stdout()
        return 1
    if isinstance(error, OSError) and error.filename is not None:  # a disk or a folder that fails where none should
        name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else str(error.filename)
        return _say(f"Error: {name}: {error.strerror or error}. Look whether its disk and folder are sound.", 1)
    if isinstance(error, FileNotFoundError) and not os.path.exists(os.curdir):
        return _say("Error: the folder you are in is gone. Go to another one, or give whole paths.", 1)
    if isinstance(error, OSError) and error.errno in _WRITE_ERRORS:
        _close_stdout()
        return _say(f"Error: standard output: can't be written: {error.strerror}. Free space there.", 1)
    if isinstance(error, MemoryError):
        return _say(
            "Error: memory: there is not enough for this. Ask for fewer words (--max-vocab) or a smaller --dim.", 1
        )
    if isinstance(error, RuntimeError) and str(error).startswith(_NO_THREAD):
        return _say("Error: --threads: the system lets no further thread begin. Give fewer, or raise its limit.", 1)
    raise error


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let the first Ctrl-C, SIGTERM or SIGHUP end the work tidily; what follows it can't disturb the tidying."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, object] = {}
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # A signal that is ignored already stays so: nohup, or a job in the background.
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        # After a signal the process ends; until then further ones stay ignored.
        for number, handler in before.items() if not stopped else ():
            signal.signal(number, handler)  # type: ignore[arg-type]


@contextlib.contextmanager
def survive_any_word() -> Iterator[None]:
    """Let standard output escape the characters that it can't encode instead of failing on them."""
    stream = sys.stdout
    errors = getattr(stream, "errors", None)
    if not hasattr(stream, "reconfigure") or errors is None:
        yield
        return
    stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        if not stream.closed:
            stream.reconfigure(errors=errors)


def _say(text: str, code: int) -> int:
    with contextlib.suppress(OSError):
        say(text.replace("\n", "\\n"))
    return code


def _usage(error: click.UsageError) -> str:
    """Return a usage error in our shape: option, what is wrong, what to do."""
    advice = f"See {error.ctx.command_path} -h." if error.ctx is not None else "See its help with -h."
    if isinstance(error, click.BadOptionUsage):
        return f"{error.option_name}: {error.message.removeprefix(f'Option {error.option_name!r} ')} {advice}"
    if error.ctx is None:
        return f"{error.format_message()} {advice}"
    if isinstance(error, click.BadParameter) and error.param is not None:
        name = error.param.opts[-1] if isinstance(error.param, click.Option) else error.param.make_metavar(error.ctx)
        missing = isinstance(error, click.MissingParameter)
        return f"{name}: {'is missing.' if missing else error.message} {advice}"
    if isinstance(error, click.NoSuchOption):
        similar = f" Did you mean {' or '.join(error.possibilities)}?" if error.possibilities else ""
        return f"{error.option_name}: no such option.{similar} {advice}"
    return f"{error.format_message()} {advice}"


def _close_stdout() -> None:
    """Point standard output to nowhere, so that the interpreter's last flush can't fail again."""
    stream: TextIO | None = sys.stdout
    if stream is None:  # closed from the beginning
        return
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
