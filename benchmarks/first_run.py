"""Measure the first run after an install, when Numba compiles, against later ones.

Claim: it costs at most 20 s more, all three commands together. A small text is used, so that nearly all of the time is
start-up.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import common
from common import GLOVE, Run, claim, measure

MOST_SECONDS = 20.0
WORDS = "the a of cat dog house sees likes knows small large old"


def main() -> None:
    """Run the three commands with an empty cache and twice with a full one, print the table."""
    options = common.parser(__doc__)
    arguments = options.parse_args()
    with common.work_folder(arguments.work) as work, tempfile.TemporaryDirectory() as cache:
        corpus = arguments.corpus or small_text(work)
        common.print_facts(arguments.threads, corpus)
        os.environ["NUMBA_CACHE_DIR"] = cache  # new and empty; the commands inherit it
        first, second, third = (run(corpus, work / "first-run", arguments.threads) for _ in range(3))
    rows = []
    for name in first:
        warm = min(second[name].seconds, third[name].seconds)
        rows.append([name, f"{first[name].seconds:.2f}", f"{warm:.2f}", f"{first[name].seconds - warm:.2f}"])
    more = sum(float(row[3]) for row in rows)
    common.print_table(["", "first s", "later s", "more s"], [*rows, ["together", "", "", f"{more:.2f}"]])
    told = any("ompiling" in each.stderr for each in first.values())
    silent = not any("ompiling" in each.stderr for each in (*second.values(), *third.values()))
    claims = [
        claim(f"at most {MOST_SECONDS:.0f} s more: {more:.1f} s", more <= MOST_SECONDS),
        claim("the first run says that it is compiling, later ones don't", told and silent),
    ]
    common.finish(claims)


def small_text(work: Path) -> Path:
    """Write a text of a few sentences."""
    words = WORDS.split()
    path = work / "small.txt"
    path.write_text("".join(" ".join(words[k:] + words[:k]) + "\n" for k in range(len(words))))
    return path


def run(corpus: Path, folder: Path, threads: int) -> dict[str, Run]:
    """Run the three commands and measure each."""
    where, how = ["--run", folder], ["--threads", str(threads), "--force"]
    return {
        "build-cooc": measure([*GLOVE, "build-cooc", corpus, *where, *how]),
        "train": measure([*GLOVE, "train", *where, *how, "--dim", "50", "--epochs", "2"]),
        "export": measure([*GLOVE, "export", folder / "vectors.txt", *where, "--force"]),
    }


if __name__ == "__main__":
    main()
