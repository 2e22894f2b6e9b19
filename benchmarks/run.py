"""Measure everything on given texts: speed, growth, quality, and what the machine would allow, beside other programs.

One command for a whole table: each text gets `DATE-CORPUS.json` and `DATE-CORPUS.md` in the folder of `--out`, with the
machine, the versions and the commit. What is timed is checked first; a failed check stands in its row, and makes the
exit code 1. Competitors that are absent are named, with the way to get them. Every step's result is written to `--work`
as it comes, so that the same command goes on after an interruption.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import common
from proof import competitors, equal_settings, equal_time, growth, hardware, machine, report, settings, speed
from proof.context import Context
from proof.ours import warm_up
from proof.store import Store, write_json
from proof.texts import beginning

PARTS: dict[str, ModuleType] = {
    "hardware": hardware,
    "speed": speed,
    "growth": growth,
    "equal-settings": equal_settings,
    "equal-time": equal_time,
}
# What --quick changes, unless it is said otherwise on the command line.
QUICK: dict[str, Any] = {
    "dims": [50], "epochs": 2, "seeds": 2, "gensim_epochs": 1, "mittens_words": 300, "mittens_epochs": 5, "floor": 0.0,
    "budgets": [4.0, 7.0], "equal_time_dim": 50, "fractions": [0.25, 0.5, 1.0],
}  # fmt: skip
FULL: dict[str, Any] = {
    "dims": [50, 100, 300], "epochs": 15, "seeds": 5, "gensim_epochs": 5, "mittens_words": 1000, "mittens_epochs": 20,
    "floor": settings.FLOOR, "budgets": [10.0, 30.0, 100.0, 300.0], "equal_time_dim": 100,
    "fractions": [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0],
}  # fmt: skip
QUICK_BYTES = 2_000_000


def main() -> None:
    """Run the parts on each text."""
    options = parse()
    found = competitors.find(options.reference, set(options.without))
    good = True
    with common.work_folder(options.work) as work:
        for corpus in options.corpus or [common.find_corpus(None, work)]:
            good &= measure_corpus(common.find_corpus(corpus, work), work, options, found)
    sys.exit(0 if good else 1)


def measure_corpus(
    corpus: Path, work: Path, options: argparse.Namespace, found: dict[str, competitors.Competitor]
) -> bool:
    """Run the parts on one text, write both files after each part, and return whether all checks hold."""
    folder = work / corpus.stem
    folder.mkdir(exist_ok=True)
    text = beginning(corpus, QUICK_BYTES, folder) if options.quick else corpus
    facts, commit = machine.facts(), machine.commit()
    digest = sha256(text)
    identity = {"text": digest, "program": commit["program"], "processor": facts["processor"]}
    store = Store(folder / "results.json", identity)
    context = Context(text, folder, store, options, found)
    result: dict[str, Any] = {
        "date": date.today().isoformat(),
        "command": shlex.join(["python", "benchmarks/run.py", *map(bare, sys.argv[1:])]),
        "machine": facts,
        "versions": machine.versions(),
        "commit": commit,
        "corpus": {"name": corpus.name, "bytes": text.stat().st_size, "sha256": digest},
        "options": {name: value.name if isinstance(value, Path) else value for name, value in vars(options).items()},
        "settings": settings.describe(),
        "competitors": {name: competitor.as_json() for name, competitor in found.items()},
        "failed": [],
        "parts": {},
    }
    result["options"]["corpus"] = corpus.name
    print(f"{corpus.name}, {text.stat().st_size:,} bytes; load {os.getloadavg()[0]:.1f}", flush=True)
    store.before = lambda: warm_up(context)
    for name in options.parts:
        print(f"{name}, load {os.getloadavg()[0]:.1f}", flush=True)
        try:
            part = PARTS[name].run(context)
        except SystemExit as error:  # a command failed; what other parts say is worth having
            result["parts"][name] = {**store.circumstances(), "error": str(error)}
            result["failed"].append(f"{name}: {error}")
        else:
            result["parts"][name] = {**store.circumstances(), "result": part}
            result["failed"] += [f"{name}: {text}" for text in dict.fromkeys(PARTS[name].bad(part))]
            write_json(folder / f"{name}.json", part)
        paths = report.write(result, PARTS, options.out)
    for failed in result["failed"]:
        print(f"FAILS: {failed}")
    for name, competitor in found.items():
        if not competitor.present:
            print(f"absent: {name} ({competitor.why}). {competitor.how}.")
    print(f"{store.kept} steps were there already" if store.kept else "all steps were measured now")
    print(*paths, sep="\n", flush=True)
    return not result["failed"]


def bare(argument: str) -> str:
    """Return an argument without the folders of a path: a table is for others, who have other folders."""
    return Path(argument).name if Path(argument).is_absolute() else argument


def sha256(path: Path) -> str:
    """Return the digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 22):
            digest.update(piece)
    return digest.hexdigest()


def parse() -> argparse.Namespace:
    """Read the options."""
    options = common.parser(__doc__)
    options.set_defaults(corpus=None)
    for action in options._actions:
        if action.dest == "corpus":
            action.nargs, action.help = "+", "texts (default: wiki8s of the shared data)"
    names = ",".join(PARTS)
    options.add_argument("--parts", type=_names, default=list(PARTS), metavar="A,B", help=f"of {names} (default: all)")
    options.add_argument(
        "--without",
        type=_names,
        default=[],
        metavar="A,B",
        help=f"competitors to leave out, of {','.join(competitors.HOW)}",
    )
    options.add_argument(
        "--out", type=Path, default=Path(__file__).with_name("results"), metavar="DIR", help="where the tables go"
    )
    options.add_argument("--quick", action="store_true", help="keep everything small: a look whether all works")
    options.add_argument("--min-count", type=int, default=5)
    options.add_argument("--window", type=int, default=15, help="of ours and the reference (default 15)")
    options.add_argument("--x-max", type=float, default=10.0)
    options.add_argument("--dim", type=int, default=50, help="of equal-settings, and of the small matrix (default 50)")
    options.add_argument("--dims", type=_integers, metavar="50,100,300", help="of speed")
    options.add_argument("--epochs", type=int, help="of ours and the reference (default 15)")
    options.add_argument("--reference-epochs", type=int, default=1, help="that speed measures of it (default 1)")
    options.add_argument("--gensim-epochs", type=int, help="that speed measures of gensim (default 5)")
    options.add_argument("--mittens-words", type=int, help="words of the small matrix (default 1000)")
    options.add_argument("--mittens-epochs", type=int, help="passes over the small matrix (default 20)")
    options.add_argument("--seeds", type=int, help="of equal-settings (default 5)")
    options.add_argument(
        "--margin-accuracy", type=float, default=settings.MARGIN_ACCURACY, help="(default %(default)s)"
    )
    options.add_argument("--margin-rho", type=float, default=settings.MARGIN_RHO, help="(default %(default)s)")
    options.add_argument("--floor", type=float, help=f"share of questions to answer (default {settings.FLOOR})")
    options.add_argument(
        "--budgets", type=_numbers, metavar="S,S", help="seconds of equal-time (default 10,30,100,300)"
    )
    options.add_argument("--equal-time-dim", type=int, help="(default 100)")
    options.add_argument("--fractions", type=_numbers, metavar="X,Y", help="of growth (default 1/16 to 1)")
    arguments = options.parse_args()
    unknown = [name for name in arguments.parts if name not in PARTS]
    if unknown:
        options.error(f"--parts: there is no {', '.join(unknown)}; name some of {names}")
    for name, value in (QUICK if arguments.quick else FULL).items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    return arguments


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _integers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
