"""Measure the approximate index: how long it takes to make, what it finds, and how fast, against exact search.

Claims for 400,000 made vectors of 100 dimensions, in groups, cosine: at least 95 % of the 10 nearest words are found,
and the recall that the index reports is true to 3 points; single questions are answered 4 times faster than by exact
search, 1,000 at a time 1.5 times faster.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import common
import numpy as np
from common import claim

from glove_cli.vectors.index import build_index, load_index
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.names import COSINE, METRICS

TOPN, BATCH, SINGLES = 10, 1000, 50
RECALL, OFF, SINGLE_RATIO, BATCH_RATIO = 0.95, 0.03, 4, 1.5


def main() -> None:
    """Make the vectors and the index, ask both ways, print the table and what is claimed."""
    arguments = parse()
    with common.work_folder(arguments.work) as work:
        file = work / f"made-{arguments.words}-{arguments.dim}.npy"
        if not file.exists():
            np.save(file, made(arguments.words, arguments.dim))
        common.print_facts(arguments.threads, file)
        vectors = WordVectors([f"w{i}" for i in range(arguments.words)], np.load(file))
        path, metric, threads = work / f"index-{arguments.words}-{arguments.dim}", arguments.metric, arguments.threads
        seconds = common.timed(lambda: build_index(vectors, path, metric=metric, threads=threads, force=True))
        size = sum(part.stat().st_size for part in path.iterdir())
        begin = time.perf_counter()
        index = load_index(path, vectors, metric=metric)
        opening = time.perf_counter() - begin
        rows = np.random.default_rng(2).choice(len(vectors), BATCH, replace=False)
        words = [vectors.words[row] for row in rows]
        vectors.nearest(words[0], TOPN, metric=metric)  # measures the lengths
        times = {
            "exact, one at a time": per_second(
                lambda: [vectors.nearest(w, TOPN, metric=metric) for w in words[:SINGLES]], SINGLES
            ),
            "index, one at a time": per_second(
                lambda: [index.nearest_many([w], TOPN, threads=threads) for w in words], BATCH
            ),
            "exact, 1,000 at a time": per_second(lambda: vectors.nearest_many(words, TOPN, metric=metric), BATCH),
            "index, 1,000 at a time": per_second(lambda: index.nearest_many(words, TOPN, threads=threads), BATCH),
        }
        exact = vectors.nearest_many(words, TOPN, metric=metric)
        found = index.nearest_many(words, TOPN, threads=threads)
    recall = float(np.mean([len(set(a) & set(b)) / TOPN for a, b in zip(exact, found, strict=True)]))
    print(f"made in {seconds:.0f} s, {common.mib(size)}, opened and checked in {opening:.2f} s")
    print(f"recall@{TOPN} {recall:.3f} of {BATCH:,} words; reported {index.recall:.3f}; expansion {index.expansion}\n")
    common.print_table(["", "questions/s"], [[name, f"{rate:,.0f}"] for name, rate in times.items()])
    single = times["index, one at a time"] / times["exact, one at a time"]
    batch = times["index, 1,000 at a time"] / times["exact, 1,000 at a time"]
    common.finish(
        [
            claim(f"recall@{TOPN} at least {RECALL}: {recall:.3f}", recall >= RECALL),
            claim(f"true to {OFF}: reported {index.recall:.3f}", abs(recall - index.recall) <= OFF),
            claim(f"one at a time {SINGLE_RATIO} times faster: {single:.1f}", single >= SINGLE_RATIO),
            claim(f"1,000 at a time {BATCH_RATIO} times faster: {batch:.1f}", batch >= BATCH_RATIO),
        ]
    )


def parse() -> argparse.Namespace:
    """Read the options."""
    options = common.parser(__doc__, reference=False)
    options.add_argument("--reference", type=Path, help="not used: taken so that every benchmark has the same options")
    options.add_argument("--words", type=int, default=400_000, metavar="V", help="such as 1000000 (default 400000)")
    options.add_argument("--dim", type=int, default=100)
    options.add_argument("--metric", choices=METRICS, default=COSINE)
    return options.parse_args()


def made(V: int, dim: int) -> np.ndarray:
    """Return float32 (V, dim): groups of words, large and small, that spread less and less from axis to axis."""
    rng = np.random.default_rng(1)
    spread = np.arange(1, dim + 1) ** -0.5
    centres = rng.normal(size=(max(1, V // 200), dim)) * spread
    rows = np.empty((V, dim), np.float32)
    for begin in range(0, V, 1 << 14):
        end = min(V, begin + (1 << 14))
        group = (len(centres) * rng.random(end - begin) ** 2).astype(np.int64)
        rows[begin:end] = centres[group] + rng.normal(size=(end - begin, dim)) * spread
    return rows


def per_second(ask: Callable[[], object], questions: int) -> float:
    """Return the questions answered in a second."""
    return questions / common.timed(ask)


if __name__ == "__main__":
    main()
