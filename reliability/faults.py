"""Let each call on files, memory and threads fail once, in every command, and see what becomes of it.

    python reliability/faults.py                     all points: hours
    python reliability/faults.py --most 5 -k train    five points of each kind, commands with "train" in the name

Needs Linux with the GNU C library and a C compiler: `faults.c` is preloaded. Each point is a process of its own, forked
from one that has loaded everything. After the fault the command must have ended well, with the right result, or with
one line that begins with "Error:" and a code other than 0. What was finished before must be as it was, nothing else may
have stayed behind, and the same command must work when called again.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import scenarios
from children import Box, Outcome, difference, in_child, timeless, tree
from scenarios import SCENARIOS, Scenario

SOURCE = Path(__file__).with_name("faults.c")
KINDS = ("open to write", "open to read", "write", "read", "sync", "rename", "make folder", "remove", "map", "truncate",
         "close", "list folder", "lock", "stat", "allocate", "start thread")  # fmt: skip
SHORT = -1
# What fails, by which error, and whether it goes on failing.
FAULTS = (
    ("open to write", errno.ENOSPC, False),
    ("open to write", errno.EACCES, False),
    ("open to read", errno.EIO, False),
    ("open to read", errno.EMFILE, False),
    ("write", errno.ENOSPC, False),
    ("write", errno.ENOSPC, True),
    ("write", errno.EIO, False),
    ("write", SHORT, True),
    ("read", errno.EIO, False),
    ("read", SHORT, True),
    ("sync", errno.EIO, False),
    ("sync", errno.ENOSPC, True),
    ("rename", errno.EIO, False),
    ("rename", errno.EXDEV, False),
    ("make folder", errno.ENOSPC, False),
    ("make folder", errno.EACCES, False),
    ("remove", errno.EIO, False),
    ("map", errno.ENOMEM, False),
    ("map", errno.ENODEV, True),
    ("truncate", errno.ENOSPC, False),
    ("close", errno.EIO, False),
    ("list folder", errno.EIO, False),
    ("lock", errno.ENOLCK, False),
    ("stat", errno.EIO, False),
    ("allocate", errno.ENOMEM, False),
    ("start thread", errno.EAGAIN, True),
)
LEAST_BYTES = 1 << 15  # of an allocation that fails; smaller ones are the interpreter's own
HARMLESS = frozenset({SHORT})  # must not even be noticed


def fault_name(kind: str, error: int, lasting: bool) -> str:
    """Return what stands in tables."""
    name = "half" if error == SHORT else errno.errorcode[error]
    return f"{kind}: {name}{', lasting' if lasting else ''}"


@dataclass
class Tally:
    """Points of one command and one kind of fault."""

    points: int = 0
    refused: int = 0
    succeeded: int = 0
    complete: int = 0
    findings: list[str] = field(default_factory=list)


class Faults:
    """The preloaded library."""

    def __init__(self, watched: Path) -> None:
        self.library = ctypes.CDLL(os.environ["LD_PRELOAD"])
        self.library.faults_place.restype = ctypes.c_char_p
        self.library.faults_count.restype = ctypes.c_long
        self.watched = os.fsencode(watched)

    def arm(self, kinds: tuple[str, ...], at: int, error: int = 0, lasting: bool = False) -> None:
        """Let the call of this number fail; -1 for none, which only counts."""
        bits = sum(1 << KINDS.index(kind) for kind in kinds)
        self.library.faults_arm(
            self.watched, bits, ctypes.c_long(at), error, int(lasting), ctypes.c_size_t(LEAST_BYTES)
        )

    def disarm(self) -> dict[str, Any]:
        """Stop, and return what happened."""
        self.library.faults_disarm()
        calls = {kind: self.library.faults_count(1 << bit) for bit, kind in enumerate(KINDS)}
        place = os.fsdecode(self.library.faults_place())
        return {"fired": bool(self.library.faults_fired()), "place": place, "calls": calls}


def run(
    scenario: Scenario, faults: Faults, folder: Path, said: Path, *, kinds: tuple[str, ...] = KINDS, at: int = -1,
    error: int = 0, lasting: bool = False,
) -> Outcome:  # fmt: skip
    """Run a command in a child process, in `folder`, with or without a fault."""

    @contextlib.contextmanager
    def armed(report: dict[str, Any]) -> Iterator[None]:
        faults.arm(kinds, at, error, lasting)
        try:
            yield
        finally:
            report |= faults.disarm()

    return in_child(scenario, folder, said, armed)


class Campaign(Box):
    """All points of all commands."""

    def __init__(self, work: Path, most: int) -> None:
        super().__init__(work)
        self.most = most
        self.faults = Faults(self.box)
        self.tallies: dict[tuple[str, str], Tally] = {}

    def of(self, scenario: Scenario) -> None:
        """Try all points of a command."""
        template = self.work / f"template-{scenario.name}".replace(" ", "-")
        scenario.prepare(template)
        self.fresh(template)
        before = tree(self.box)
        whole = run(scenario, self.faults, self.box, self.said)
        assert whole.code == 0, f"{scenario.name} fails without any fault:\n{whole.said}"
        expected = timeless(tree(self.box))
        for fault in FAULTS:
            calls = whole.report["calls"][fault[0]]
            tally = self.tallies[scenario.name, fault_name(*fault)] = Tally()
            for at in points(calls, self.most):
                self.fresh(template)
                problem = self.point(scenario, fault, at, before, expected, tally)
                if problem:
                    tally.findings.append(f"{scenario.name}, {fault_name(*fault)}, call {at} of {calls}: {problem}")
                    print(tally.findings[-1], flush=True)
        shutil.rmtree(template)

    def point(
        self, scenario: Scenario, fault: tuple[str, int, bool], at: int, before: dict[str, str],
        expected: dict[str, str], tally: Tally,
    ) -> str:  # fmt: skip
        """Let one call fail; return what is wrong with what became of it."""
        kind, error, lasting = fault
        outcome = run(scenario, self.faults, self.box, self.said, kinds=(kind,), at=at, error=error, lasting=lasting)
        if outcome.report and not outcome.report["fired"]:
            return ""
        tally.points += 1
        where = f"at {outcome.report.get('place', '?').replace(str(self.box), '.')}"
        problem = outcome.problem()
        if outcome.code is None:
            return f"{problem} {where}\n{outcome.said[-2000:]}"
        wrong = [problem] if problem else []
        after = tree(self.box)
        changed = difference(scenario.without_work(before), scenario.without_work(kept(after, before, kind)))
        if outcome.code == 0:
            tally.succeeded += 1
            other = self.other(scenario, expected, kept(after, expected, kind))
            if other:
                wrong.append(f"another result ({other})")
        elif changed and not self.other(scenario, expected, after):
            tally.complete += 1
        else:
            tally.refused += 1
            if error in HARMLESS:
                wrong.append("a failure for no reason")
            if changed:
                wrong.append(f"not as before ({changed})")
        if after == before:  # the same command finds what it found the first time
            return self._said(wrong, where, outcome)
        complete = not self.other(scenario, expected, kept(after, expected, kind))
        again = run(scenario.again(complete), self.faults, self.box, self.said)
        if again.code != 0:
            wrong.append(f"the next run fails ({again.last_line})")
        else:
            other = self.other(scenario, expected, kept(tree(self.box), expected, kind))
            if other:
                wrong.append(f"the next run gives another result ({other})")
        return self._said(wrong, where, outcome)

    def other(self, scenario: Scenario, expected: dict[str, str], found: dict[str, str]) -> str:
        """Say in what a result differs from the undisturbed one; what may stay, may also be missing."""
        return difference(scenario.without_work(expected), scenario.without_work(timeless(found)))

    def _said(self, wrong: list[str], where: str, outcome: Outcome) -> str:
        return f"{'; '.join(wrong)} {where}\n    {outcome.last_line}" if wrong else ""

    def table(self) -> Iterator[str]:
        """Write what was tried and what became of it, a command a line, and a kind of fault a line."""
        names = list(dict.fromkeys(name for name, _ in self.tallies))
        groups = [(f"`{name}`", [t for (command, _), t in self.tallies.items() if command == name]) for name in names]
        yield from _table("command", [*groups, ("all", list(self.tallies.values()))])
        yield ""
        kinds = [fault_name(*fault) for fault in FAULTS]
        yield from _table(
            "fault", [(kind, [t for (_, fault), t in self.tallies.items() if fault == kind]) for kind in kinds]
        )


def _table(what: str, groups: list[tuple[str, list[Tally]]]) -> Iterator[str]:
    yield f"| {what} | points | refused in one line | ended well | complete, with an error | findings |"
    yield "|---|---|---|---|---|---|"
    for name, tallies in groups:
        numbers = [(t.points, t.refused, t.succeeded, t.complete, len(t.findings)) for t in tallies]
        yield f"| {name} | {' | '.join(f'{sum(column):,}' for column in zip(*numbers, strict=True))} |"


def kept(after: dict[str, str], wanted: dict[str, str], kind: str) -> dict[str, str]:
    """Return what must be as it should; where removing fails, what could not be removed may stay."""
    if kind != "remove":
        return after
    return {name: digest for name, digest in after.items() if name in wanted}


def points(calls: int, most: int) -> list[int]:
    """Return which calls fail: all, or so many, spread evenly, with the first and the last."""
    if calls <= most or not most:
        return list(range(calls))
    return sorted({round(i * (calls - 1) / (most - 1)) for i in range(most)}) if most > 1 else [0]


def build(folder: Path) -> Path:
    """Compile the library."""
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None or not sys.platform.startswith("linux"):
        raise SystemExit("faults.py: needs Linux and a C compiler (cc, gcc or clang).")
    library = folder / "faults.so"
    subprocess.run([compiler, "-O2", "-Wall", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def main() -> int:
    """Preload the library, load everything, try all points."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--most", type=int, default=0, help="points of each kind of fault in each command (default all)"
    )
    parser.add_argument(
        "-k", default="", metavar="PATTERN", help="only commands with this regular expression in their names"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures and findings there")
    options = parser.parse_args()
    if not os.environ.get("LD_PRELOAD", "").endswith("faults.so"):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "LD_PRELOAD": str(build(Path(folder))), **scenarios.ENVIRONMENT}
            return subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="glove-faults-")))
        campaign = Campaign(work, options.most)
        chosen = [scenario for scenario in SCENARIOS if re.search(options.k, scenario.name)]
        for scenario in chosen:
            scenarios.warm(scenario, work)
        for scenario in chosen:
            campaign.of(scenario)
            mine = [tally for (name, _), tally in campaign.tallies.items() if name == scenario.name]
            print(f"{scenario.name}: {sum(t.points for t in mine):,} points, "
                  f"{sum(len(t.findings) for t in mine)} findings", flush=True)  # fmt: skip
        print(*campaign.table(), sep="\n")
    findings = [text for tally in campaign.tallies.values() for text in tally.findings]
    if options.json:
        rows = [{"command": name, "fault": fault, **asdict(t)} for (name, fault), t in campaign.tallies.items()]
        options.json.write_text(json.dumps(rows, indent=1))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
