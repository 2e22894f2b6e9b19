"""`glove shell`: ask one model again and again."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from glove_cli.cli.options import example, source_options


@click.command("shell", epilog=example("echo 'paris - france + italy' | glove shell"))
@source_options
def command(run: Path, model: Path | None, vectors: str, process: str | None) -> None:
    """Ask for neighbours, analogies and similarities at a prompt; `help` there says how.

    The tab key completes words. What was typed is kept in the file that GLOVE_HISTORY names, or else in
    glove/history in XDG_STATE_HOME (~/.local/state); an empty GLOVE_HISTORY keeps nothing.

    From a pipe each line is answered without a prompt; if one could not be, the exit code is 1.
    """
    from glove_cli.cli import sources
    from glove_cli.cli.prompt import read_lines
    from glove_cli.cli.session import Session
    from glove_cli.cli.terminal import check_stdin, check_stdout

    check_stdin()
    check_stdout()
    session = Session(sources.open_vectors(run, model, vectors, process))
    if not read_lines(session, interactive=sys.stdin.isatty() and sys.stdout.isatty()):
        sys.exit(1)
