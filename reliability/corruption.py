"""Damage every file that a command reads, byte by byte, and see whether it is noticed.

    python reliability/corruption.py              about 300 damages of each file: some minutes
    python reliability/corruption.py --most 20 -k train

A bit is flipped, a byte is set, taken out or doubled, the file is cut, emptied, or has something put after its end.
Each command is run on the damaged file in a child process. It must end with one line that begins with "Error:" and
names the file, or give the very result of the undamaged file. Files of other programs have no checksums: there another
result is only counted (`other`). Those of our own have, and another result is a finding.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import scenarios
from children import Box, difference, in_child, timeless, tree
from readers import READERS, Reader
from scenarios import warm

ENDS = 48  # bytes at the beginning and at the end of a file that are damaged more often
GARBAGE = b"\0garbage \xff\n"


@dataclass(frozen=True)
class Damage:
    """A way to damage a file at a place."""

    name: str
    do: Callable[[bytes, int, random.Random], bytes]


DAMAGES = (
    Damage("bit", lambda data, at, chance: data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]),
    Damage("zero", lambda data, at, chance: data[:at] + b"\0" + data[at + 1 :]),
    Damage("255", lambda data, at, chance: data[:at] + b"\xff" + data[at + 1 :]),
    Damage(
        "blank", lambda data, at, chance: data[:at] + chance.choice((b" ", b"\n", b"\t", b"-", b"9")) + data[at + 1 :]
    ),
    Damage("less", lambda data, at, chance: data[:at] + data[at + 1 :]),
    Damage("twice", lambda data, at, chance: data[: at + 1] + data[max(0, at - chance.randrange(40)) :]),
    Damage("cut", lambda data, at, chance: data[:at]),
    Damage("hole", lambda data, at, chance: data[:at] + bytes(min(len(data) - at, 64)) + data[at + 64 :]),
)
WHOLE = (
    Damage("empty", lambda data, at, chance: b""),
    Damage("longer", lambda data, at, chance: data + GARBAGE),
    Damage("doubled", lambda data, at, chance: data + data),
)


def damages(data: bytes, most: int, chance: random.Random) -> Iterator[tuple[str, int, bytes]]:
    """Yield kinds, places and damaged contents: all that differ from the file, or so many of them."""
    for damage in WHOLE:
        yield damage.name, 0, damage.do(data, 0, chance)
    if not data:
        return
    ends = [*range(min(ENDS, len(data))), *range(max(0, len(data) - ENDS), len(data))]
    for number in range(most):
        at = chance.choice(ends) if number % 3 == 0 else chance.randrange(len(data))
        damage = DAMAGES[number % len(DAMAGES)]
        damaged = damage.do(data, at, chance)
        if damaged != data:
            yield damage.name, at, damaged


class Campaign(Box):
    """All damages of all files."""

    def __init__(self, work: Path, most: int, seed: int) -> None:
        super().__init__(work)
        self.most, self.seed = most, seed
        self.rows: list[tuple[str, str, Counter[str]]] = []
        self.findings: list[str] = []

    def of(self, reader: Reader) -> None:
        """Damage all files that a command reads."""
        template = self.work / f"template-{len(self.rows)}"
        shutil.rmtree(self.box)
        reader.prepare(self.box)  # there, because what an interrupted run leaves knows its place
        shutil.copytree(self.box, template)
        whole = in_child(reader.scenario, self.box, self.said)
        assert whole.code == 0, f"{reader.scenario.name} fails on undamaged files:\n{whole.said}"
        expected, said = timeless(tree(self.box)), reader.visible(whole.said)
        files = [path for pattern in reader.files for path in sorted(template.glob(pattern)) if path.is_file()]
        assert files, f"{reader.scenario.name}: no file is called {reader.files}"
        for path in files:
            name = str(path.relative_to(template))
            chance = random.Random(f"{self.seed} {reader.scenario.name} {name}")
            tally: Counter[str] = Counter()
            for kind, at, damaged in damages(path.read_bytes(), self.most, chance):
                self.fresh(template)
                (self.box / name).write_bytes(damaged)
                outcome = in_child(reader.scenario, self.box, self.said)
                wrong = outcome.problem()
                tally["damages"] += 1
                if outcome.code:
                    tally["refused"] += 1
                    shorter = not reader.checked and "is not among the" in outcome.last_line  # cut at a line's end
                    if not wrong and not shorter and not any(part in outcome.last_line for part in reader.names(name)):
                        wrong = "doesn't name the file"
                elif outcome.code == 0:
                    after = timeless(tree(self.box))
                    if name in after and name in expected:  # it is what was damaged
                        after[name] = expected[name]
                    other = difference(expected, after)
                    if not other and reader.visible(outcome.said) != said:
                        other = "says something else"
                    tally["other" if other else "harmless"] += 1
                    if other and reader.checked:
                        wrong = f"another result ({other})"
                if wrong:
                    tally["findings"] += 1
                    last = outcome.last_line if outcome.code is not None else outcome.said[-1500:]
                    self.findings.append(f"{reader.scenario.name}: {name}, {kind} at {at}: {wrong}\n    {last}")
                    print(self.findings[-1], flush=True)
            self.rows.append((reader.scenario.name, name, tally))
        shutil.rmtree(template)

    def table(self) -> Iterator[str]:
        """Write a line for each command and file."""
        columns = ("damages", "refused", "harmless", "other", "findings")
        yield f"| command | file | {' | '.join(columns)} |"
        yield f"|---|---|{'---|' * len(columns)}"
        total: Counter[str] = Counter()
        for command, name, tally in self.rows:
            total.update(tally)
            yield f"| `{command}` | `{name}` | {' | '.join(f'{tally[column]:,}' for column in columns)} |"
        yield f"| all | | {' | '.join(f'{total[column]:,}' for column in columns)} |"


def main() -> int:
    """Damage the files of all commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=300, help="damages of each file (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-k", default="", metavar="NAME", help="only commands with this in their name")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures and findings there")
    options = parser.parse_args()
    os.environ |= scenarios.ENVIRONMENT
    with tempfile.TemporaryDirectory(prefix="glove-damage-") as folder:
        campaign = Campaign(Path(folder), options.most, options.seed)
        chosen = [reader for reader in READERS if options.k in reader.scenario.name]
        for reader in chosen:
            warm(reader.scenario, Path(folder))
        for reader in chosen:
            campaign.of(reader)
        print(*campaign.table(), sep="\n")
    if options.json:
        rows = [{"command": command, "file": name, **tally} for command, name, tally in campaign.rows]
        options.json.write_text(json.dumps({"rows": rows, "findings": campaign.findings}, indent=1))
    return 1 if campaign.findings else 0


if __name__ == "__main__":
    sys.exit(main())
