"""Call commands with random options, sensible and not, and see that each call ends well or in one line.

    python reliability/options.py                 2,000 calls: some minutes
    python reliability/options.py --calls 100 --seed 7 -k train

The options are read from the commands themselves. A value is one that an option of this kind might be given by mistake:
of another type, negative, huge, not a number, empty, a path that is missing, a folder, a device. A call that is refused
must say so in one line that begins with "Error:", and leave all files as they were, but for what may be gone on with.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import children
import click
import scenarios
from children import difference, in_child, tree
from scenarios import MATRIX, MODEL, REFERENCE, VECTORS, Scenario

from glove_cli.cli.main import main as group

PATHS = (
    "text.txt", "missing.txt", "old", "old/model", "old/cooc", "matrix.bin", "vectors.txt", "reference/vectors.bin",
    "new.txt", "new", "more.txt.gz", "questions.txt", "pairs.txt", ".", "..", "", "/dev/null", "/dev/full", "-",
    "a/b/c", "x" * 300,
)  # fmt: skip
NUMBERS = (
    "0", "1", "2", "3", "-1", "64", "1e9", "9223372036854775808", "nan", "inf", "-inf", "1e-300", "0.5", "1.5", "x", "",
)  # fmt: skip
TEXTS = (
    "", "x", "1G", "1K", "0", "-5M", "10m", "5 epochs", "never", "1/2", "3/2", "0/0", "mean", "unit,whiten:0.3",
    "pca:2", "top:x", "\udcff", "a,b", "1,0.5,0.25", "[", "(a+)+b", "9" * 400, "NFC", "text", "word", "8x6",
    "red\nblue",
)  # fmt: skip
SENSIBLE = ("1", "2", "3", "5", "10", "0.5", "0.75", "1")
# Options whose values decide how long a command takes.
SHORT = {
    "epochs": ("0", "1", "2", "-1", "x"), "dim": ("0", "1", "5", "2000000000", "3,x", "2,3", "-1"),
    "resamples": ("0", "1", "50", "-3"), "n": ("0", "1", "20", "-1", "x"),
}  # fmt: skip
RUN = ["--run", "old"]
PCA = ["--method", "pca", "-n", "20"]
BASE: dict[str, list[str]] = {
    "build-cooc": ["text.txt"],
    "vocab": ["text.txt"],
    "merge-vocab": ["old/cooc/vocab.txt"],
    "merge-cooc": ["old/cooc"],
    "train": [*RUN, "--epochs", "1", "--dim", "4"],
    "history": ["old"],
    "export": ["new.txt", *RUN],
    "info": ["old"],
    "nearest": ["w1", *RUN],
    "analogy": ["w1", "w2", "w3", *RUN],
    "similarity": ["w1", "w2", *RUN],
    "odd-one-out": ["w1", "w2", "w3", *RUN],
    "evaluate": ["old", "--analogies", "questions.txt"],
    "plot": ["new.svg", *RUN, *PCA],
    "explore": ["new.html", *RUN, *PCA],
    "export-cooc": ["new.bin", *RUN],
    "import-cooc": ["matrix.bin", "-o", "new"],
    "import-model": ["reference/vectors.bin", "-o", "new"],
    "completion": ["bash"],
}
EXPORTED = ["export-cooc", "matrix.bin", "--run", "old"]
SLOW = ("umap",)  # compiles for half a minute, in each process
SECONDS = 120


def value(option: click.Option, chance: random.Random) -> list[str]:
    """Return an option with a value that it might be given."""
    name = chance.choice([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return [name]
    if option.name in SHORT:
        return [name, chance.choice(SHORT[option.name])]
    kind: Any = option.type
    if isinstance(kind, click.Choice) and chance.random() < 0.9:
        return [name, str(chance.choice([choice for choice in kind.choices if choice not in SLOW]))]
    if chance.random() < 0.5:
        default = option.default if isinstance(option.default, (str, int, float)) else None
        number = isinstance(kind, (click.types.IntParamType, click.types.FloatParamType))
        if default is not None or number:
            return [name, str(default) if default is not None else chance.choice(SENSIBLE)]
    if isinstance(kind, click.Path):
        return [name, chance.choice(PATHS)]
    if isinstance(kind, (click.types.IntParamType, click.types.FloatParamType)) and chance.random() < 0.9:
        return [name, chance.choice(NUMBERS)]
    return [name, chance.choice((*TEXTS, *NUMBERS, *PATHS))]


def call(chance: random.Random, only: str) -> list[str]:
    """Return a call of a command with up to four random options, and now and then other arguments."""
    name = chance.choice([name for name in BASE if only in name])
    command = group.commands[name]
    options = [param for param in command.params if isinstance(param, click.Option) and param.name != "help"]
    arguments = list(BASE[name])
    if chance.random() < 0.2:
        arguments[chance.randrange(len(arguments))] = chance.choice((*PATHS, *TEXTS))
    for option in chance.sample(options, min(len(options), chance.randrange(5))):
        arguments += value(option, chance)
    return [name, *arguments]


def main() -> int:
    """Make random calls."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000, help="(default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-k", default="", metavar="NAME", help="only commands with this in their name")
    options = parser.parse_args()
    os.environ |= scenarios.ENVIRONMENT
    children.SECONDS = SECONDS
    tally: Counter[str] = Counter()
    findings = 0
    with tempfile.TemporaryDirectory(prefix="glove-options-") as folder:
        work = Path(folder)
        template, outer = work / "template", work / "outer"
        Scenario("", [], [MATRIX, MODEL, VECTORS, REFERENCE, EXPORTED]).prepare(template)
        outer.mkdir()
        box, said = outer / "box", work / "said.txt"
        before = tree(template)
        for number in range(options.calls):
            chance = random.Random(f"{options.seed} {number}")
            arguments = call(chance, options.k)
            shutil.rmtree(box, ignore_errors=True)
            shutil.copytree(template, box)
            scenario = Scenario(arguments[0], arguments, resumes="--resume" in arguments)
            outcome = in_child(scenario, box, said)
            wrong = outcome.problem()
            tally[f"{arguments[0]}: {'ended well' if outcome.code == 0 else 'refused'}"] += 1
            if not wrong and outcome.code:
                other = difference(scenario.without_work(before), scenario.without_work(tree(box)))
                wrong = f"not as before ({other})" if other else ""
            left = sorted(path.name for path in outer.iterdir() if path != box)
            for name in left:  # beside the folder: `..` was named
                shutil.rmtree(outer / name) if (outer / name).is_dir() else (outer / name).unlink()
            if wrong:
                findings += 1
                print(
                    f"call {number}: {' '.join(map(ascii, arguments))}: {wrong}\n    {outcome.said[-1500:]}", flush=True
                )
    names = [name for name in BASE if options.k in name]
    print("| command | ended well | refused in one line |\n|---|---|---|")
    for name in names:
        print(f"| `{name}` | {tally[f'{name}: ended well']:,} | {tally[f'{name}: refused']:,} |")
    well, refused = (sum(tally[f"{name}: {what}"] for name in names) for what in ("ended well", "refused"))
    print(f"| all | {well:,} | {refused:,} |\n\n{findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
