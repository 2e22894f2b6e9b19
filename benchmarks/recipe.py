"""Measure a recipe against gensim's skip-gram, both from raw text to a file of vectors, in one run.

Claims for `--recipe wide`, d = 100, on wiki8s (skip-gram: window 5, 5 epochs) and, with --gensim-epochs 3, on 78
million tokens of Wikipedia: a fifth of the time; more Google questions right (reference protocol, whole vocabulary);
larger rho on WordSim-353 and MEN. SimLex-999, where skip-gram is ahead on wiki8s, is printed, not claimed.
"""

from __future__ import annotations

from pathlib import Path

import common
from common import GLOVE, Run, claim, measure, mib
from proof import gensims
from scores import accuracies, correlations, score

from glove_cli.evaluation import Scores
from glove_cli.vectors.load import load_vectors

DIM = 100
CLAIMED = ("EN-WS-353-ALL", "EN-MEN-TR-3k")


def main() -> None:
    """Run both sides, score what they wrote, print the table."""
    options = common.parser(__doc__, reference=False)
    options.add_argument("--reference", type=Path, help="not used: taken so that every benchmark has the same options")
    options.add_argument("--recipe", default="wide")
    options.add_argument("--gensim-epochs", type=int, default=5, help="0 leaves gensim out (default 5)")
    arguments = options.parse_args()
    rows, claims = [], []
    with common.work_folder(arguments.work) as work:
        corpus = common.find_corpus(arguments.corpus, work)
        common.print_facts(arguments.threads, corpus)
        warm_up(work, arguments.recipe, arguments.threads)
        ours = run_ours(corpus, work, arguments.recipe, arguments.threads)
        seconds = sum(run.seconds for run in ours.values())
        peak = max(run.peak for run in ours.values())
        stages = ", ".join(f"{name} {run.seconds:.1f} s" for name, run in ours.items())
        print(f"{stages}\n", flush=True)
        found = score(load_vectors(work / "recipe.txt", cache=False))
        rows.append([f"--recipe {arguments.recipe}", f"{seconds:.1f}", mib(peak), *cells(found)])
        if arguments.gensim_epochs:
            out = work / "skip-gram.txt"
            theirs = run_gensim(corpus, work, out, arguments.gensim_epochs, arguments.threads)
            other = score(load_vectors(out, cache=False))
            rows.append(["gensim skip-gram", f"{theirs.seconds:.1f}", mib(theirs.peak), *cells(other)])
            claims = compare(seconds, found, theirs.seconds, other)
        print()
        names = [result.name.removeprefix("EN-") for result in found.similarity]
        common.print_table(["", "s", "peak", "total %", "sem %", "syn %", "seen", *names], rows)
    common.finish(claims)


def run_ours(corpus: Path, work: Path, recipe: str, threads: int) -> dict[str, Run]:
    """Run the three commands and measure each."""
    run, how = ["--run", work / "recipe-run"], ["--recipe", recipe, "--threads", str(threads), "--force"]
    return {
        "build-cooc": measure([*GLOVE, "build-cooc", corpus, *run, *how]),
        "train": measure([*GLOVE, "train", "--dim", str(DIM), *run, *how]),
        "export": measure([*GLOVE, "export", work / "recipe.txt", *run, "--no-unk", "--force"]),
    }


def run_gensim(corpus: Path, work: Path, out: Path, epochs: int, threads: int) -> Run:
    """Train skip-gram with gensim's defaults, from text to a text file of vectors; lines are cut for it before."""
    run, _ = gensims.run("skip-gram", corpus, out, work, epochs=epochs, threads=threads, dim=DIM, min_count=5)
    return run


def warm_up(work: Path, recipe: str, threads: int) -> None:
    """Have everything compiled and cached."""
    text = work / "warm-up.txt"
    text.write_text(" ".join(f"w{i % 700} w{i % 11}" for i in range(20_000)))
    run_ours(text, work, recipe, threads)


def cells(scores: Scores) -> list[str]:
    """Return scores as cells of the table."""
    assert scores.analogies is not None
    return [*accuracies(scores), f"{scores.analogies.total.seen:,}", *correlations(scores)]


def compare(seconds: float, ours: Scores, their_seconds: float, theirs: Scores) -> list[bool]:
    """Print what is claimed, and what is not."""
    assert ours.analogies is not None
    assert theirs.analogies is not None
    ratio = their_seconds / seconds
    right, their_right = ours.analogies.total.accuracy, theirs.analogies.total.accuracy
    claims = [
        claim(f"a fifth of the time: {seconds:.1f} s and {their_seconds:.1f} s, {ratio:.1f} times", ratio >= 5),
        claim(f"more questions right: {right:.1%} and {their_right:.1%}", right > their_right),
    ]
    for one, other in zip(ours.similarity, theirs.similarity, strict=True):
        text = f"{one.name}: {one.rho:.3f} and {other.rho:.3f}"
        if one.name in CLAIMED:
            claims.append(claim(text, one.rho > other.rho))
        else:
            print(f"not claimed: {text}", flush=True)
    return claims


if __name__ == "__main__":
    main()
