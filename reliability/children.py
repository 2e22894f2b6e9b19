"""A command in a child process, forked from one that has loaded everything, and what became of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios import TIMED, Scenario, call

SECONDS = 120


@dataclass
class Outcome:
    """What became of a command.

    Attributes
    ----------
    code : int or None
        Exit code; None if it was ended by a signal.
    said : str
        All that it printed.
    signal : int
        What ended it: SIGKILL after SECONDS.
    report : dict
        What was noted in the child.
    """

    code: int | None
    said: str
    signal: int
    report: dict[str, Any]

    @property
    def last_line(self) -> str:
        """What it said last."""
        return (self.said.splitlines() or ["silent"])[-1]

    def problem(self) -> str:
        """Say what is wrong with the way in which it ended; nothing for a success, or one line that says an error."""
        if self.code is None:
            return "hangs" if self.signal == signal.SIGKILL else f"dies of signal {self.signal}"
        if "Traceback" in self.said:
            return "a traceback"
        if self.code != 0 and (not self.last_line.startswith("Error: ") or self.said.count("Error: ") > 1):
            return "not one line"
        return ""


@contextlib.contextmanager
def undisturbed(report: dict[str, Any]) -> Iterator[None]:
    """Let a command run as it is."""
    yield


def in_child(
    scenario: Scenario,
    folder: Path,
    said: Path,
    around: Callable[[dict[str, Any]], AbstractContextManager[None]] = undisturbed,
    *,
    interrupt: tuple[signal.Signals, float] | None = None,
) -> Outcome:
    """Run a command in a child process.

    Parameters
    ----------
    scenario : Scenario
    folder : Path
        Where it runs.
    said : Path
        File for what it prints.
    around : callable
        Given a dict to note in; what it returns is entered around the command.
    interrupt : (signal, seconds), optional
        Sent to it after so many seconds.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        report: dict[str, Any] = {"code": 99}
        try:
            os.close(reader)
            os.chdir(folder)
            output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            scenario.prepare_child()
            with around(report):
                report["code"] = call(scenario.arguments)
                sys.stdout.flush()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os.write(writer, json.dumps(report).encode("utf-8", "surrogateescape"))
            os._exit(0)
    os.close(writer)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(SECONDS)
    if interrupt is not None and not select.select([reader], [], [], interrupt[1])[0]:
        os.kill(child, interrupt[0])
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    words = said.read_bytes().decode("utf-8", "replace") if said.exists() else ""
    report = json.loads(text) if text else {}
    return Outcome(report.get("code"), words, -os.waitstatus_to_exitcode(status), report)


class Box:
    """The folder in which commands run, each time as they find it first.

    Attributes
    ----------
    work : Path
        Holds all that a campaign makes.
    box : Path
        Where commands run.
    said : Path
        File for what they print.
    """

    def __init__(self, work: Path) -> None:
        self.work, self.box, self.said = work, work / "box", work / "said.txt"
        self.box.mkdir()

    def fresh(self, template: Path) -> None:
        """Put the folder back into the state in which a command finds it."""
        shutil.rmtree(self.box)
        shutil.copytree(template, self.box, symlinks=True)


def tree(folder: Path) -> dict[str, str]:
    """Return every file's digest, and every folder's name."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def timeless(files: dict[str, str]) -> dict[str, str]:
    """Return the same without the digests of files that hold times."""
    return {name: "" if Path(name).name in TIMED else digest for name, digest in files.items()}


def difference(before: dict[str, str], after: dict[str, str]) -> str:
    """Say in which files two folders differ."""
    gone = [f"without {name}" for name in before if name not in after]
    more = [f"with {name}" for name in after if name not in before]
    other = [f"other {name}" for name in before if name in after and before[name] != after[name]]
    return ", ".join([*gone, *more, *other][:4])
