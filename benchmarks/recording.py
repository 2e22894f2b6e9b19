"""Record the commands from a text to neighbours on a terminal, and write what it showed as an animated picture (SVG).

The commands run in a pseudo-terminal, whose screen is looked at some times a second; every line of it stands in the
picture for as long as it stood there. Needs pyte: `python -m pip install pyte`. Claims nothing.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shlex
import shutil
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import common

COLUMNS, LINES = 96, 30
A_SECOND = 4  # looks at the screen
PAUSE, END = 0.8, 6.0  # seconds before a command begins, and of the last screen
CELL, LINE, EDGE = 7.8, 18, 14  # of the picture, in pixels; letters are 13 high
COMMANDS = (
    "glove build-cooc {corpus} --recipe wide",
    "glove train --recipe wide",
    "glove export vectors.txt",
    "glove nearest physics -n 5",
    "glove analogy man king woman -n 3",
)


class Shown(NamedTuple):
    """A line of text that stood in a row of the screen from one second to another."""

    row: int
    text: str
    begin: float
    end: float


def main() -> None:
    """Record and draw."""
    options = common.parser(__doc__, reference=False)
    options.add_argument("--reference", type=Path, help="not used: taken so that every benchmark has the same options")
    options.add_argument("--out", type=Path, help="the picture (default: run.svg in --work)")
    options.add_argument("--speed", type=float, default=1.0, help="show it so many times as fast (default 1)")
    arguments = options.parse_args()
    with common.work_folder(arguments.work) as work:
        corpus = common.find_corpus(arguments.corpus, work)
        common.print_facts(arguments.threads, corpus)
        folder = work / "recording"
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier recording
        folder.mkdir()
        (folder / corpus.name).symlink_to(corpus.absolute())
        screens = list(record([command.format(corpus=corpus.name) for command in COMMANDS], folder))
        target = arguments.out or work / "run.svg"
        target.write_text(drawn(screens, arguments.speed), encoding="utf-8")
        print(f"{screens[-1][0]:.1f} s, {len(screens)} screens, {target.stat().st_size:,} bytes: {target}")
        print(*screens[-1][1], sep="\n")


def record(commands: list[str], folder: Path) -> Iterator[tuple[float, list[str]]]:
    """Run the commands one after the other; yield the screen whenever it has changed, and the seconds since the start.

    Parameters
    ----------
    commands : list of str
        Each begins with `glove`, which becomes this repository's.
    folder : Path
        Where they run.
    """
    try:
        import pyte
    except ImportError:
        raise SystemExit("recording.py needs pyte, a terminal in memory: python -m pip install pyte") from None
    screen: Any = pyte.Screen(COLUMNS, LINES)
    stream = pyte.Stream(screen)
    begin, last = time.perf_counter(), [""]
    for command in commands:
        stream.feed(f"$ {command}\r\n")
        yield time.perf_counter() - begin, _lines(screen)
        time.sleep(PAUSE)
        for text in _output([*common.GLOVE, *shlex.split(command)[1:]], folder):
            stream.feed(text)
            now = _lines(screen)
            if now != last:
                yield time.perf_counter() - begin, now
                last = now
        stream.feed("\r\n")
    yield time.perf_counter() - begin, _lines(screen)


def _lines(screen: Any) -> list[str]:
    return [line.rstrip() for line in screen.display]


def _output(command: list[str], folder: Path) -> Iterator[str]:
    """Run a command in a pseudo-terminal; yield what it writes, some times a second."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {**common.child_environment(), "TERM": "xterm", "COLUMNS": str(COLUMNS)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=its, stdout=its, stderr=its)
    os.close(its)
    waiting, due = b"", time.perf_counter()
    while True:
        ready, _, _ = select.select([ours], [], [], 1 / A_SECOND)
        try:
            piece = os.read(ours, 1 << 16) if ready else b""
        except OSError:  # nobody has the other end open any more
            break
        if ready and not piece:
            break
        waiting += piece
        if waiting and time.perf_counter() >= due:
            yield waiting.decode(errors="replace")
            waiting, due = b"", time.perf_counter() + 1 / A_SECOND
    os.close(ours)
    if process.wait():
        raise SystemExit(f"{shlex.join(command)}: ended with {process.returncode}\n{waiting.decode(errors='replace')}")
    yield waiting.decode(errors="replace")


def intervals(screens: list[tuple[float, list[str]]], end: float) -> list[Shown]:
    """Return each line of each row with the time that it stood there, the last screen until `end`."""
    found: list[Shown] = []
    standing: dict[int, tuple[str, float]] = {}
    for moment, lines in [*screens, (end, [""] * LINES)]:
        for row, text in enumerate(lines):
            before, since = standing.get(row, ("", 0.0))
            if text == before:
                continue
            if before:
                found.append(Shown(row, before, since, moment))
            standing[row] = (text, moment)
    return found


def drawn(screens: list[tuple[float, list[str]]], speed: float) -> str:
    """Return the picture; what can't move shows the last screen."""
    last = screens[-1][0]
    whole = last + END * speed
    width, height = COLUMNS * CELL + 2 * EDGE, LINES * LINE + 2 * EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" '
        f'height="{height}" role="img" aria-label="A terminal in which the three commands run">',
        "<style>text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#d7dde4;"
        "white-space:pre}.c{fill:#8fd18a}</style>",
        f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#14181d"/>',
    ]
    for row, text, begin, end in intervals(screens, whole):
        style = ' class="c"' if text.startswith("$ ") else ""
        shown = "" if end >= whole else ' visibility="hidden"'
        place = f'x="{EDGE}" y="{EDGE + (row + 0.75) * LINE:.0f}" textLength="{len(text) * CELL:.0f}"'
        values = "hidden;visible;hidden" if begin else "visible;visible;hidden"
        times = f"0;{max(begin / whole, 1e-5):.5f};{min(end / whole, 1):.5f}"
        if end >= whole:
            values, times = values.rpartition(";")[0], times.rpartition(";")[0]
        parts.append(
            f'<text {place}{style}{shown}>{escape(text)}<animate attributeName="visibility" calcMode="discrete" '
            f'values="{values}" keyTimes="{times}" dur="{whole / speed:.1f}s" repeatCount="indefinite"/></text>'
        )
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    main()
