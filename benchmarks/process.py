"""Measure what post-processing does to scores: Google questions and similarity sets, for each step and kind of vectors.

Claims on wiki8s, after 15 epochs with x_max 10 (window 15, min-count 5), reference protocol, means over the seeds: unit
length changes no score; all principal directions together are a rotation, which changes none either. Subtracting the
mean of the 10,000 most frequent words raises the mean of rho by 2 points at least and costs 1.5 points of the questions
at most. All-but-the-top raises the mean of rho by 2 points at least.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean
from typing import Any

import common
import numpy as np
from common import claim

from glove_cli.evaluation import Scores, evaluate
from glove_cli.model import GloveModel
from glove_cli.training.run import train
from glove_cli.vectors.names import KINDS
from glove_cli.vectors.process import process_vectors
from glove_cli.vectors.select import select_vectors

EPOCHS, X_MAX = 15, 10.0
PLAIN = "none"
WITH_EVERY_KIND = (PLAIN, "unit,mean", "mean:10000", "top:2")
COLUMNS = ("questions", "semantic", "syntactic", "MEN", "SimLex", "mean rho")


def main() -> None:
    """Train or load each model, score it after each step, print the tables and what is claimed."""
    arguments = parse()
    claims: list[bool] = []
    with common.work_folder(arguments.work) as work:
        corpus = common.find_corpus(arguments.corpus, work)
        common.print_facts(arguments.threads, corpus)
        matrix = common.training_matrix(arguments.matrix, corpus, work, arguments.threads)
        for dim in map(int, arguments.dims.split(",")):
            found: dict[tuple[str, str], list[dict[str, float]]] = {}
            for seed in range(1, arguments.seeds + 1):
                model = trained(matrix, work / f"model-d{dim}-s{seed}", arguments.threads, dim, seed)
                kept = work / f"process-d{dim}-s{seed}.json"
                for (kind, steps), score in scored(model, kept).items():
                    found.setdefault((kind, steps), []).append(score)
            print_scores(dim, arguments.seeds, found)
            claims += check(dim, found)
    common.finish(claims)


def parse() -> argparse.Namespace:
    """Read the options."""
    options = common.parser(__doc__, reference=False)
    options.add_argument("--reference", type=Path, help="not used: taken so that every benchmark has the same options")
    options.add_argument("--matrix", type=Path, metavar="DIR", help="train on this matrix (default: the corpus's)")
    options.add_argument("--dims", default="100,300", help="dimensions (default 100,300)")
    options.add_argument("--seeds", type=int, default=3, help="seeds for each dimension (default 3)")
    return options.parse_args()


def steps_to_try(dim: int) -> list[tuple[str, str]]:
    """Return kinds of vectors and the steps to try on each."""
    every = [PLAIN, "unit", "mean", "mean:100", "mean:1000", "mean:10000", "unit,mean", "unit,mean:10000"]
    every += [f"top:{number}" for number in (1, 2, 3, 4, 5, 10)]
    every += [f"pca:{dim}", f"pca:{dim // 2}", f"pca:{dim // 4}", f"top:2,pca:{dim // 2},top:2"]
    others = [(kind, steps) for kind in KINDS if kind != "sum" for steps in WITH_EVERY_KIND]
    return [("sum", steps) for steps in every] + others


def trained(matrix: Any, path: Path, threads: int, dim: int, seed: int) -> GloveModel:
    """Return the model at `path`, trained now if it isn't there."""
    if not path.exists():
        train(matrix, out=path, dim=dim, epochs=EPOCHS, x_max=X_MAX, seed=seed, threads=threads)
    return GloveModel.load(path)


def scored(model: GloveModel, kept: Path) -> dict[tuple[str, str], dict[str, float]]:
    """Score a model after each of the steps; what `kept` has of an earlier run is not scored again."""
    questions = common.shared_data() / "eval" / "analogies"
    pairs = sorted((common.shared_data() / "eval" / "similarity").glob("*.txt"))
    known: dict[str, dict[str, float]] = json.loads(kept.read_text()) if kept.exists() else {}
    for kind, steps in steps_to_try(model.dim):
        if f"{kind} {steps}" not in known:
            vectors = select_vectors(model, kind)
            if steps != PLAIN:
                vectors = process_vectors(vectors, steps)
            scores = evaluate(vectors.matrix, vectors.words, analogies=questions, similarity=pairs)
            known[f"{kind} {steps}"] = numbers(scores)
            print(kept.stem, kind, steps, *(f"{value:.2f}" for value in numbers(scores).values()), flush=True)
            kept.write_text(json.dumps(known, indent=1))
    return {(kind, steps): known[f"{kind} {steps}"] for kind, steps in steps_to_try(model.dim)}


def numbers(scores: Scores) -> dict[str, float]:
    """Return the scores by their columns, all times 100."""
    assert scores.analogies is not None
    parts = (scores.analogies.total, scores.analogies.semantic, scores.analogies.syntactic)
    rho = {score.name: score.rho for score in scores.similarity}
    sets = [next(value for name, value in rho.items() if part in name) for part in ("MEN", "SIMLEX")]
    values = [*(part.accuracy for part in parts), *sets, mean(rho.values())]
    return dict(zip(COLUMNS, (100 * float(value) for value in values), strict=True))


def print_scores(dim: int, seeds: int, found: dict[tuple[str, str], list[dict[str, float]]]) -> None:
    """Print the means over the seeds as a table of Markdown."""
    print(f"\nd = {dim}, means of {seeds} seeds; in brackets the largest deviation of a seed from the mean\n")
    print(f"| vectors | steps | {' | '.join(COLUMNS)} |")
    print(f"|---|---|{'---|' * len(COLUMNS)}")
    for (kind, steps), scores in found.items():
        cells = []
        for column in COLUMNS:
            values = np.array([score[column] for score in scores])
            spread = f" ({abs(values - values.mean()).max():.1f})" if seeds > 1 else ""
            cells.append(f"{values.mean():.1f}{spread}")
        print(f"| {kind} | {steps if steps == PLAIN else f'`{steps}`'} | {' | '.join(cells)} |")
    print(flush=True)


def check(dim: int, found: dict[tuple[str, str], list[dict[str, float]]]) -> list[bool]:
    """Print what is claimed for a dimension."""

    def apart(one: str, other: str) -> float:
        both = zip(found["sum", one], found["sum", other], strict=True)
        return max(abs(a[column] - b[column]) for a, b in both for column in COLUMNS)

    def gain(steps: str, column: str) -> float:
        return mean(s[column] for s in found["sum", steps]) - mean(s[column] for s in found["sum", PLAIN])

    unit, rotation = apart("unit", PLAIN), apart(f"pca:{dim}", "mean")
    frequent, questions, top = (
        gain("mean:10000", "mean rho"),
        gain("mean:10000", "questions"),
        gain("top:2", "mean rho"),
    )
    return [
        claim(f"d = {dim}: unit length changes no score: {unit:.3f} apart", unit < 0.02),
        claim(f"d = {dim}: nor does rotation by pca:{dim} after mean: {rotation:.3f} apart", rotation < 0.05),
        claim(f"d = {dim}: mean:10000 raises the mean of rho by 2 points: {frequent:+.1f}", frequent >= 2),
        claim(f"d = {dim}: mean:10000 costs 1.5 points of the questions at most: {questions:+.1f}", questions >= -1.5),
        claim(f"d = {dim}: top:2 raises the mean of rho by 2 points: {top:+.1f}", top >= 2),
    ]


if __name__ == "__main__":
    main()
