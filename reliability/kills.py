"""Interrupt commands at random moments, go on with them, and compare the result with an undisturbed one.

    python reliability/kills.py                   40 times each command: some minutes
    python reliability/kills.py --times 5 -k train

Each time the command is ended by SIGKILL, SIGTERM or SIGINT at a random moment, once to three times in a row, then left
to end. The result must be the undisturbed one, byte for byte (but for the times in `meta.json` and `history.jsonl`),
and nothing else may have stayed behind. SIGTERM and SIGINT must end a command with one line and the code 143 or 130.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import scenarios
from children import Box, difference, in_child, timeless, tree
from scenarios import COUNT, MATRIX, MODEL, SHARDS, TRAIN, Scenario, from_disk, in_chunks, warm

from glove_cli import temporary

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
STARTING = 0.02  # seconds in which a command has not begun to take care of signals
LONG = [*TRAIN[:3], "--epochs", "60", *TRAIN[5:], "--run", "old", "--resume"]
JOBS = [
    Scenario("build-cooc", [*COUNT, "--run", "new"]),
    Scenario("build-cooc --resume", [*COUNT, "--run", "new", "--resume"], prepare_child=in_chunks),
    Scenario("merge-cooc", ["merge-cooc", "half1", "half2", "-o", "sum"], SHARDS),
    Scenario("import-cooc", ["import-cooc", "in.bin", "-o", "new"],
             [MATRIX, ["export-cooc", "in.bin", "--run", "old"]]),
    Scenario("train", [*MODEL], [MATRIX]),
    Scenario("train --resume", [*LONG, "--checkpoint-every", "0.001s"], [MATRIX]),
    Scenario("train from disk", [*LONG, "--checkpoint-every", "1 epochs"], [MATRIX], prepare_child=from_disk),
    Scenario("train --force", [*MODEL, "--force"], [MATRIX, MODEL]),
    Scenario("export", ["export", "out.txt", "--run", "old"], [MATRIX, MODEL]),
    Scenario("export --force", ["export", "out.vec", "--run", "old", "--force"],
             [MATRIX, MODEL, ["export", "out.vec", "--run", "old"]]),
    Scenario("export-cooc", ["export-cooc", "out.bin", "--run", "old"], [MATRIX]),
]  # fmt: skip


class Campaign(Box):
    """All commands, interrupted so many times."""

    def __init__(self, work: Path, times: int, seed: int) -> None:
        super().__init__(work)
        self.times, self.seed = times, seed
        self.rows: list[tuple[str, float, Counter[str]]] = []
        self.findings: list[str] = []

    def of(self, job: Scenario) -> None:
        """Interrupt a command."""
        template = self.work / f"template-{len(self.rows)}"
        job.prepare(template)
        seconds = []
        for _ in range(3):
            self.fresh(template)
            begin = time.perf_counter()
            outcome = in_child(job, self.box, self.said)
            seconds.append(time.perf_counter() - begin)
            assert outcome.code == 0, outcome.said
        expected = timeless(tree(self.box))
        chance = random.Random(f"{self.seed} {job.name}")
        tally: Counter[str] = Counter()
        for number in range(self.times):
            self.fresh(template)
            problem = self.one(job, median(seconds), expected, chance, tally)
            if problem:
                tally["findings"] += 1
                self.findings.append(f"{job.name}, time {number}: {problem}")
                print(self.findings[-1], flush=True)
        self.rows.append((job.name, median(seconds), tally))
        shutil.rmtree(template)

    def one(
        self, job: Scenario, seconds: float, expected: dict[str, str], chance: random.Random, tally: Counter[str]
    ) -> str:
        """Interrupt a command once or more, let it end, and say what is wrong with the result."""
        sent = []
        for _ in range(chance.choice((1, 1, 2, 3))):
            number, after = chance.choice(SIGNALS), chance.uniform(0, 1.05) * seconds
            outcome = in_child(job, self.box, self.said, interrupt=(number, after))
            sent.append(number.name)
            if (outcome.code == 99 and outcome.last_line == "KeyboardInterrupt") or outcome.signal == number != SIGNALS[
                0
            ]:
                # before the command began to take care of signals, or after it had ended: the interpreter's own way
                if STARTING < after < 0.5 * seconds:
                    return f"isn't caught: {outcome.said[-500:]}"
                tally["came too early" if after <= STARTING else "came too late"] += 1
            elif outcome.code is None:
                if outcome.signal != signal.SIGKILL:
                    return f"dies of signal {outcome.signal} after {', '.join(sent)}"
            elif outcome.code == 128 + number:
                if outcome.problem() not in ("", "not one line") or not outcome.last_line.startswith("Interrupted."):
                    return f"says {outcome.last_line!r} after {', '.join(sent)}"
            elif outcome.code != 0:
                if len(sent) == 1 or not job_is_refused(outcome.last_line):
                    return f"ends with {outcome.code} after {', '.join(sent)}: {outcome.last_line}"
                break
            if outcome.code == 0:
                tally["came too late"] += 1
                break
            tally[number.name] += 1
        last = in_child(job, self.box, self.said)
        if last.code and job_is_refused(last.last_line):
            last = in_child(replace(job, arguments=[*job.arguments, "--force"]), self.box, self.said)
        if last.code != 0:
            return f"can't go on after {', '.join(sent)}: {last.last_line}"
        if "Going on with" in last.said:
            tally["gone on with"] += 1
        other = difference(expected, timeless(tree(self.box)))
        return f"another result after {', '.join(sent)} ({other})" if other else ""

    def table(self) -> Iterator[str]:
        """Write a line for each command."""
        columns = (*(n.name for n in SIGNALS), "came too early", "came too late", "gone on with", "findings")
        yield f"| command | undisturbed, s | times | {' | '.join(columns)} |"
        yield f"|---|---|---|{'---|' * len(columns)}"
        total: Counter[str] = Counter()
        for name, seconds, tally in self.rows:
            total.update(tally)
            yield f"| `{name}` | {seconds:.2f} | {self.times} | {' | '.join(str(tally[c]) for c in columns)} |"
        yield f"| all | | {self.times * len(self.rows)} | {' | '.join(str(total[c]) for c in columns)} |"


def job_is_refused(line: str) -> bool:
    """Tell whether a command only wants to know what to do with what an interrupted one left."""
    return line.startswith("Error: ") and ("an interrupted run left" in line or "already exists" in line)


def main() -> int:
    """Interrupt all commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=40, help="of each command (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-k", default="", metavar="NAME", help="only commands with this in their name")
    options = parser.parse_args()
    os.environ |= scenarios.ENVIRONMENT
    temporary._YOUNGEST = 0.0
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
    with tempfile.TemporaryDirectory(prefix="glove-kills-") as folder:
        campaign = Campaign(Path(folder), options.times, options.seed)
        chosen = [job for job in JOBS if options.k in job.name]
        for job in chosen:
            warm(job, Path(folder))
        for job in chosen:
            campaign.of(job)
        print(*campaign.table(), sep="\n")
    return 1 if campaign.findings else 0


if __name__ == "__main__":
    sys.exit(main())
