"""Compare GloVe with singular vectors of the same matrix: of the counts, of their logarithm, of positive information.

Claims, on wiki8s with default counting and d = 100: ten words hold most of the sum of squares of the counts, a fourth
at most of that of their logarithms; PCA of the logarithms answers several times as many Google questions as PCA of the
counts; GloVe with --x-max 10 more than both. Positive information, which weighs pairs by how much they tell and not by
how often they occur, is printed, not claimed. The tables of docs/how-it-works.md come from here.
"""

from __future__ import annotations

import time
from pathlib import Path

import common
import numpy as np
from common import claim
from scores import accuracies, correlations, score

from glove_cli import CoocMatrix, GloveModel, build_cooc, factorize, load_cooc, select_vectors, train

DIM = 100
TOPS = (10, 100, 1000)
WORDS = ("france", "frog")
SINGULAR = ("pca", "log-pca", "ppmi-svd")


def main() -> None:
    """Count, train each way, print the tables."""
    options = common.parser(__doc__, reference=False)
    options.add_argument("--reference", type=Path, help="not used: taken so that every benchmark has the same options")
    arguments = options.parse_args()
    with common.work_folder(arguments.work) as work:
        corpus = common.find_corpus(arguments.corpus, work)
        common.print_facts(arguments.threads, corpus)
        place = work / "cooc"
        cooc = load_cooc(place) if place.exists() else build_cooc(corpus, place, threads=arguments.threads)
        held = shares(cooc)
        common.print_table(
            ["share of the sum of squares held by", *(f"{top:,} words" for top in TOPS)],
            [[name, *(f"{100 * share:.1f} %" for share in row)] for name, row in held.items()],
        )
        print()
        rows, scores = [], {}
        for name in (*SINGULAR, "glove", "glove --x-max 10"):
            begin = time.perf_counter()
            model = make(cooc, name, arguments.threads)
            seconds = time.perf_counter() - begin
            scores[name] = score(select_vectors(model))
            rows.append(
                [
                    f"`--method {name}`",
                    f"{seconds:.0f}",
                    *accuracies(scores[name]),
                    *correlations(scores[name]),
                    *neighbours(model),
                ]
            )
            print(f"{name}: {seconds:.0f} s", flush=True)
        names = [result.name.removeprefix("EN-") for result in scores["glove"].similarity]
        common.print_table(["", "s", "total %", "sem %", "syn %", *names, *WORDS], rows)
    right = {name: found.analogies.total.accuracy for name, found in scores.items() if found.analogies is not None}
    common.finish([
        claim(f"ten words hold {held['X'][0]:.0%} of X, {held['log (1 + X)'][0]:.0%} of its logarithms",
              held["X"][0] > 0.5 and held["log (1 + X)"][0] < 0.25),
        claim(f"log-pca {right['log-pca']:.1%}, pca {right['pca']:.1%}", right["log-pca"] > 3 * right["pca"]),
        claim(f"glove --x-max 10 {right['glove --x-max 10']:.1%}", right["glove --x-max 10"] > right["log-pca"]),
    ])  # fmt: skip


def shares(cooc: CoocMatrix) -> dict[str, list[float]]:
    """Return which share of a sum of squares lies in rows and columns of the most frequent words."""
    x = cooc.to_scipy()
    found = {}
    squares = {
        "X": x.data**2,
        "log (1 + X)": np.log1p(x.data) ** 2,
        "log X, weighted by f(X)": np.minimum(1, (x.data / 100) ** 0.75) * np.log(x.data) ** 2,
    }
    for name, data in squares.items():
        x.data = data
        sums = np.asarray(x.sum(axis=1)).ravel() + np.asarray(x.sum(axis=0)).ravel()
        found[name] = [float((sums[:top].sum() - x[:top, :top].sum()) / data.sum()) for top in TOPS]
    return found


def make(cooc: CoocMatrix, name: str, threads: int) -> GloveModel:
    """Make a model."""
    if name in SINGULAR:
        return factorize(cooc, method=name, dim=DIM)
    return train(cooc, dim=DIM, threads=threads, **({"x_max": 10} if "10" in name else {}))


def neighbours(model: GloveModel) -> list[str]:
    """Return the nearest words of some."""
    vectors = select_vectors(model)
    return [", ".join(word for word, _ in vectors.nearest(word, topn=4)) for word in WORDS]


if __name__ == "__main__":
    main()
