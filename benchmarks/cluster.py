"""Measure what `--cluster` costs on one machine: two workers with a thread each against one process with two threads.

Claim: at most 30 % more time for counting and for an epoch of training with d = 100, and the same bytes. The cluster is
up before the clock starts, and both sides begin with nothing. Rounds alternate, ratios are of each round.
"""

from __future__ import annotations

import filecmp
import functools
import os
import shutil
import statistics
import warnings
from collections.abc import Callable
from pathlib import Path

import common
from common import claim, timed

from glove_cli.cluster.build import build_cooc_on
from glove_cli.cluster.engine import connected
from glove_cli.cluster.training import train_on
from glove_cli.cooc.build import build_cooc
from glove_cli.training.report import EpochReport
from glove_cli.training.run import train

MOST = 1.3
TRAINING = {"dim": 100, "epochs": 4, "x_max": 10.0, "force": True}


def main() -> None:
    """Count and train both ways in turn, print the table."""
    options = common.parser(__doc__)
    options.add_argument("--rounds", type=int, default=8)
    options.add_argument("--workers", type=int, default=2)
    arguments = options.parse_args()
    threads = arguments.threads
    with common.work_folder(arguments.work) as work, connected(f"local:{arguments.workers}", threads=threads) as client:
        corpus = common.find_corpus(arguments.corpus, work)
        common.print_facts(threads, corpus)
        one, many = work / "one", work / "many"
        counting = [
            in_turn(
                [
                    functools.partial(build_cooc, corpus, one / "cooc", threads=threads),
                    functools.partial(build_cooc_on, client, corpus, many / "cooc"),
                ],
                [one, many],
            )
            for _ in range(arguments.rounds + 1)
        ][1:]  # in the first one code is compiled or loaded
        same = equal(one / "cooc", many / "cooc")
        epochs: list[tuple[float, float]] = []
        training: list[list[float]] = []
        for _ in range(max(1, arguments.rounds // 2)):
            reports: tuple[list[EpochReport], list[EpochReport]] = ([], [])
            ways = [
                functools.partial(train, one / "cooc", out=one / "model", threads=threads, on_epoch=reports[0].append),
                functools.partial(train_on, client, many / "cooc", many / "model", on_epoch=reports[1].append),
            ]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # --x-max
                training.append([timed(functools.partial(way, **TRAINING)) for way in ways])
            epochs += [(a.seconds, b.seconds) for a, b in zip(*reports, strict=True)]
        same = same and all(filecmp.cmp(one / "model" / f"{n}.npy", many / "model" / f"{n}.npy", False) for n in "WC")
    rows = [
        row("counting", [tuple(each) for each in counting]),
        row("an epoch, d = 100", epochs),
        row("training, 4 epochs", [tuple(each) for each in training]),
    ]
    common.print_table(["", "one process s", "cluster s", "ratio", "from", "to"], rows)
    common.finish(
        [
            claim(f"counting: {MOST} times at most", float(rows[0][3]) <= MOST),
            claim(f"an epoch: {MOST} times at most", float(rows[1][3]) <= MOST),
            claim("the same bytes", same),
        ]
    )


def in_turn(ways: list[Callable[[], object]], folders: list[Path]) -> list[float]:
    """Return the seconds of both ways, each begun with an empty folder and nothing left to be written."""
    seconds = []
    for way, folder in zip(ways, folders, strict=True):
        shutil.rmtree(folder, ignore_errors=True)
        os.sync()
        seconds.append(timed(way))
    return seconds


def equal(one: Path, other: Path) -> bool:
    """Tell whether two folders hold the same files."""
    names = sorted(path.name for path in one.iterdir())
    return names == sorted(path.name for path in other.iterdir()) and all(
        filecmp.cmp(one / name, other / name, False) for name in names
    )


def row(name: str, pairs: list[tuple[float, ...]]) -> list[str]:
    """Return medians of both sides and of their ratios, and the range of the ratios."""
    ratios = [many / one for one, many in pairs]
    sides = [statistics.median(side) for side in zip(*pairs, strict=True)]
    return [name, *(f"{x:.2f}" for x in (*sides, statistics.median(ratios), min(ratios), max(ratios)))]


if __name__ == "__main__":
    main()
