"""Measure quality: Google questions and similarity sets, over several seeds, and the cost.

Claims on wiki8s, after 15 epochs with x_max 10 (window 15, min-count 5), reference protocol, sum of word and context
vectors: d = 50, mean over 3 seeds: at least 19.4 % of all questions, cost at most 0.0348. d = 100: at least 28 %.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean
from typing import Any

import common
import numpy as np
from common import claim

from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.store import load_cooc
from glove_cli.evaluation import Scores, evaluate
from glove_cli.training.report import EpochReport
from glove_cli.training.run import train

EPOCHS, X_MAX = 15, 10.0
CLAIMED_ACCURACY = {50: 0.194, 100: 0.28}
CLAIMED_COST = {50: 0.0348}


def main() -> None:
    """Train with several seeds and dimensions, score each, print the table."""
    arguments = parse()
    questions = common.shared_data() / "eval" / "analogies"
    pairs = sorted((common.shared_data() / "eval" / "similarity").glob("*.txt"))
    extra: dict[str, Any] = {} if arguments.bias_eta is None else {"bias_eta": arguments.bias_eta}
    rows, claims = [], []
    with common.work_folder(arguments.work) as work:
        corpus = common.find_corpus(arguments.corpus, work)
        common.print_facts(arguments.threads, corpus)
        made = work / "quality.cooc"
        cooc = load_cooc(made) if made.exists() else build_cooc(corpus, made, threads=arguments.threads)
        for dim in map(int, arguments.dims.split(",")):
            accuracies, costs = [], []
            for seed in range(1, arguments.seeds + 1):
                reports: list[EpochReport] = []
                settings = {"dim": dim, "epochs": EPOCHS, "x_max": X_MAX, "seed": seed, **extra}
                model = train(cooc, threads=arguments.threads, on_epoch=reports.append, **settings)
                vectors = np.asarray(model.W) + np.asarray(model.C)
                scores = evaluate(vectors, model.vocab.words, analogies=questions, similarity=pairs)
                costs.append(reports[-1].cost)
                assert scores.analogies is not None
                accuracies.append(scores.analogies.total.accuracy)
                seconds = sum(report.seconds for report in reports)
                rows.append([f"d = {dim}, seed {seed}", *cells(scores), f"{costs[-1]:.5f}", f"{seconds:.1f}"])
                print(*rows[-1], sep="  ", flush=True)
            claims += check(dim, mean(accuracies), max(costs), arguments.seeds)
        if arguments.vectors is not None:
            rows.append([arguments.vectors.name, *cells(score_file(arguments.vectors, questions, pairs)), "", ""])
    print()
    names = [path.stem.removeprefix("EN-") for path in pairs]
    common.print_table(["", "total %", "sem %", "syn %", "seen", *names, "cost", "train s"], rows)
    common.finish(claims)


def parse() -> argparse.Namespace:
    """Read the options."""
    options = common.parser(__doc__, reference=False)
    options.add_argument("--reference", type=Path, help="not used: taken so that every benchmark has the same options")
    options.add_argument("--dims", default="50,100", help="dimensions (default 50,100)")
    options.add_argument("--seeds", type=int, default=3, help="seeds for each dimension (default 3)")
    options.add_argument("--bias-eta", type=float, help="learning rate of the biases (default: the program's own)")
    options.add_argument("--vectors", type=Path, metavar="FILE", help="score this text file of vectors as well")
    return options.parse_args()


def check(dim: int, accuracy: float, cost: float, seeds: int) -> list[bool]:
    """Print what is claimed for a dimension."""
    claims = []
    if dim in CLAIMED_ACCURACY:
        least = CLAIMED_ACCURACY[dim]
        text = f"d = {dim}: at least {least:.1%} of the questions: {accuracy:.2%} (mean of {seeds} seeds)"
        claims.append(claim(text, accuracy >= least))
    if dim in CLAIMED_COST:
        most = CLAIMED_COST[dim]
        claims.append(claim(f"d = {dim}: cost at most {most}: {cost:.5f} (largest of {seeds} seeds)", cost <= most))
    return claims


def cells(scores: Scores) -> list[str]:
    """Return the scores as cells of the table."""
    assert scores.analogies is not None
    parts = (scores.analogies.total, scores.analogies.semantic, scores.analogies.syntactic)
    percent = [f"{100 * part.accuracy:.2f}" for part in parts]
    return [*percent, f"{scores.analogies.total.seen:,}", *(f"{score.rho:.3f}" for score in scores.similarity)]


def score_file(path: Path, questions: Path, pairs: list[Path]) -> Scores:
    """Score a GloVe text file, such as the reference's."""
    words, vectors = [], []
    with path.open("rb") as file:
        for line in file:
            word, *numbers = line.rstrip(b"\n").split(b" ")
            if word != b"<unk>":
                words.append(word.decode("utf-8", "surrogateescape"))
                vectors.append(np.array(numbers, np.float32))
    return evaluate(np.array(vectors), words, analogies=questions, similarity=pairs)


if __name__ == "__main__":
    main()
