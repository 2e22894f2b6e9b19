"""Measure the whole job: text to vectors.txt with the settings of the reference's demo, everything included.

Claim: at least 20 times faster than the reference's four tools. Settings: min-count 5, window 15, d = 50, x_max 10, 15
epochs. Our side is three commands, so three starts of Python; compiled code is cached.
"""

from __future__ import annotations

import re
from pathlib import Path

import common
from common import GLOVE, Run, claim, measure, mib
from reference import Reference

DIM, X_MAX, EPOCHS = 50, 10, 15
COST_TOLERANCE = 0.02  # relative, last epoch; ours may be lower by any amount


def main() -> None:
    """Run both sides once, check what they wrote, print the table."""
    options = common.parser(__doc__)
    arguments = options.parse_args()
    tools = common.check_reference(arguments.reference)
    claims: list[bool] = []
    with common.work_folder(arguments.work) as work:
        corpus = common.find_corpus(arguments.corpus, work)
        common.print_facts(arguments.threads, corpus)
        warm_up(work, arguments.threads)
        vectors = work / "vectors.txt"
        ours = run_ours(corpus, work, vectors, arguments.threads)
        rows = lines(ours)
        total = sum(run.seconds for run in ours.values())
        if tools is not None:
            reference = Reference(tools, work, corpus)
            theirs = {"vocab_count": reference.vocab_count(), "cooccur": reference.cooccur()}
            theirs["shuffle"] = reference.shuffle()
            command = reference.train_command(dim=DIM, epochs=EPOCHS, x_max=X_MAX, threads=arguments.threads, binary=2)
            theirs["glove"] = measure(command)
            claims += check(vectors, work / "reference.vectors.txt", ours["train"], theirs["glove"])
            rows += lines(theirs)
            ratio = sum(run.seconds for run in theirs.values()) / total
            claims.append(claim(f"at least 20 times faster: {ratio:.1f} times", ratio >= 20))
        print()
        common.print_table(["", "s", "peak"], rows)
    common.finish(claims)


def run_ours(corpus: Path, work: Path, vectors: Path, threads: int) -> dict[str, Run]:
    """Run the three commands and measure each."""
    run, how = ["--run", work / "pipeline-run"], ["--threads", str(threads), "--force"]
    settings = ["--dim", str(DIM), "--x-max", str(X_MAX), "--epochs", str(EPOCHS)]
    return {
        "build-cooc": measure([*GLOVE, "build-cooc", corpus, *run, *how]),
        "train": measure([*GLOVE, "train", *run, *how, *settings]),
        "export": measure([*GLOVE, "export", vectors, *run, "--force"]),
    }


def warm_up(work: Path, threads: int) -> None:
    """Run the three commands on a few words, so that compiling isn't measured."""
    text = work / "warm-up.txt"
    text.write_text("a b c d e f\n" * 10)
    folder = work / "warm-up"
    folder.mkdir(exist_ok=True)
    run_ours(text, folder, folder / "vectors.txt", threads)


def check(ours: Path, theirs: Path, our_training: Run, their_training: Run) -> list[bool]:
    """Compare the words and sizes of the vectors, and the last costs."""
    shapes = []
    for path in (ours, theirs):
        with path.open("rb") as file:
            rows = [(line[: line.index(b" ")], line.count(b" ")) for line in file]
        shapes.append(rows)
    same = sorted(shapes[0]) == sorted(shapes[1])
    costs = [last_cost(run.stderr) for run in (our_training, their_training)]
    return [
        claim(f"vectors for the same {len(shapes[0]):,} words, {DIM} numbers each", same),
        claim(f"last cost {costs[0]:.4f} against {costs[1]:.4f}", costs[0] <= costs[1] * (1 + COST_TOLERANCE)),
    ]


def last_cost(stderr: str) -> float:
    """Return the cost that a training reported last."""
    found = re.findall(r"cost:? ([0-9.]+)", stderr)
    if not found:
        raise SystemExit(f"no cost in what the training said:\n{stderr[-500:]}")
    return float(found[-1].rstrip("."))


def lines(runs: dict[str, Run]) -> list[list[str]]:
    """Return the lines of the table: one for each command, and their sum."""
    rows = [[name, f"{run.seconds:.2f}", mib(run.peak)] for name, run in runs.items()]
    total = sum(run.seconds for run in runs.values())
    return [*rows, ["together", f"{total:.2f}", mib(max(run.peak for run in runs.values()))], ["", "", ""]]


if __name__ == "__main__":
    main()
