"""Measure how often the intervals of cosines hold what they claim: on simulated counts, and on halves of a text.

Simulated: a model's own vectors and biases give log X, noise of the model's size is added, each vector is fitted anew,
and its 90 % interval is asked whether it holds the cosine that the counts were made from.

Halves: the lines of a text are dealt at random into two halves, which are counted and trained on their own, with
different seeds. Both estimate the same cosine, so their difference is noise alone, and should lie within
z sqrt(se1^2 + se2^2) as often as the level says. Cosines don't change when all vectors are rotated, as they are from
one training to another. The same half trained with another seed says how much comes from the training itself, and is
what `--also` adds; or each half is resampled twice, which tells all of its noise.

Claims: the simulation holds 90 % within three of its standard errors, and intervals from resampled halves hold 85 to
99 % in every band. What others hold is printed, not claimed.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import common
import numpy as np
from common import claim
from numpy.typing import NDArray

from glove_cli.cooc.build import build_cooc
from glove_cli.cooc.store import load_cooc
from glove_cli.model import GloveModel
from glove_cli.training.run import train
from glove_cli.uncertainty.cosines import limits, similarity_intervals
from glove_cli.uncertainty.training_noise import TrainingNoise
from glove_cli.uncertainty.vectors import UncertainVectors, uncertain_vectors

BANDS = ((50, 150), (150, 500), (500, 1500), (1500, 5000), (5000, 10**9))
KINDS = ("word", "sum")
Z = 1.6448536269514722  # of 90 %
LEVEL = 0.9


def main() -> None:
    """Train on halves, print coverage by frequency, and check the simulation."""
    arguments = parse()
    claims: list[bool] = []
    with common.work_folder(arguments.work) as work:
        corpus = common.find_corpus(arguments.corpus, work)
        common.print_facts(arguments.threads, corpus)
        found: dict[str, list[dict[str, NDArray[np.float64]]]] = {}
        for split in range(1, arguments.splits + 1):
            halves = list(models(corpus, work, split, arguments))
            if split == 1:
                claims.append(simulated(halves[0], arguments.draws))
            for kind in KINDS:
                sources = [uncertain_vectors(m, c, vectors=kind, process="none") for m, c in halves]
                others = [[GloveModel.load(halves[k][0])] for k in (2, 3)]
                again = [[GloveModel.load(path) for path in resampled(work, split, k, arguments)] for k in (0, 1)]
                noises = [[TrainingNoise.of(sources[k], those[k], "none") for k in (0, 1)] for those in (others, again)]
                for name, other, training in (
                    ("another half", sources[1], noises),
                    ("another seed", sources[2], []),
                ):
                    made = compare(sources[0], other, arguments.pairs, training)
                    found.setdefault(f"{kind}: {name}", []).append(made)
        claims += print_coverage(found)
    common.finish(claims)


def parse() -> argparse.Namespace:
    """Read the options."""
    options = common.parser(__doc__, reference=False)
    options.add_argument("--reference", type=Path, help="not used: taken so that every benchmark has the same options")
    options.add_argument("--lines", type=int, help="the first lines of the text only")
    options.add_argument("--line-words", type=int, help="cut the text into lines of so many words first")
    options.add_argument("--splits", type=int, default=3, help="random halves (default 3)")
    options.add_argument("--pairs", type=int, default=500, help="pairs of words in each band (default 500)")
    options.add_argument("--resamples", type=int, default=2, help="resampled texts of each half (default 2)")
    options.add_argument("--draws", type=int, default=200, help="simulated refits of a pair (default 200)")
    options.add_argument("--dim", type=int, default=50)
    options.add_argument("--epochs", type=int, default=25)
    options.add_argument("--x-max", type=float, default=10.0)
    return options.parse_args()


def models(corpus: Path, work: Path, split: int, arguments: argparse.Namespace) -> Iterator[tuple[Path, Path]]:
    """Yield model and matrix of both halves, and of both with another seed; what is there is used again."""
    halves = [work / f"split{split}-{half}.txt" for half in "ab"]
    if not all(path.exists() for path in halves):
        deal(corpus, halves, split, arguments)
    for half, (path, seed) in enumerate([(halves[0], 1), (halves[1], 2), (halves[0], 3), (halves[1], 4)]):
        matrix, model = path.with_suffix(".cooc"), work / f"split{split}-{half}.model"
        make(path, matrix, model, seed, arguments)
        yield model, matrix


def resampled(work: Path, split: int, half: int, arguments: argparse.Namespace) -> Iterator[Path]:
    """Yield models of a resampled half."""
    path = work / f"split{split}-{'ab'[half]}.txt"
    vocab = path.with_suffix(".cooc") / "vocab.txt"
    for seed in range(1, arguments.resamples + 1):
        name = f"{path.stem}-resampled{seed}"
        matrix, model = work / f"{name}.cooc", work / f"{name}.model"
        make(path, matrix, model, 10 * (half + 1) + seed, arguments, vocab=vocab, resample=seed)
        yield model


def make(path: Path, matrix: Path, model: Path, seed: int, arguments: argparse.Namespace, **count: Any) -> None:
    """Count and train, unless that was done."""
    if not matrix.exists():
        build_cooc(path, matrix, threads=arguments.threads, **count)
    if not model.exists():
        how = {"dim": arguments.dim, "epochs": arguments.epochs, "x_max": arguments.x_max}
        train(load_cooc(matrix), out=model, seed=seed, threads=arguments.threads, **how)


def deal(corpus: Path, halves: Sequence[Path], split: int, arguments: argparse.Namespace) -> None:
    """Deal the lines of a text at random into two files."""
    lines = corpus.read_bytes().split(b"\n")
    if arguments.line_words:
        words = b" ".join(lines).split()
        lines = [b" ".join(words[k : k + arguments.line_words]) for k in range(0, len(words), arguments.line_words)]
    lines = [line for line in lines if line][: arguments.lines]
    random.Random(split).shuffle(lines)
    for path, part in zip(halves, (lines[::2], lines[1::2]), strict=True):
        path.write_bytes(b"\n".join(part) + b"\n")


def chosen_pairs(first: UncertainVectors, second: UncertainVectors, number: int) -> Iterator[tuple[int, str, Any]]:
    """Yield for each band random pairs of words that both know, and words with their neighbours in the mean of both."""
    counts = first.model.vocab.counts
    rng = np.random.default_rng(1)
    for band, (least, most) in enumerate(BANDS):
        rows = np.flatnonzero((counts >= least) & (counts < most)).tolist()
        words = [first.vectors.words[row] for row in rows]
        words = [word for word in words if word in second.vectors]
        if len(words) < 30:
            continue
        random_pairs = [tuple(rng.choice(words, 2, replace=False).tolist()) for _ in range(number)]
        yield band, "random", random_pairs
        units = [s.vectors.unit_rows[[s.vectors.row(word) for word in words]] for s in (first, second)]
        asked = rng.permutation(len(words))[: max(1, number // 3)]
        near = (units[0][asked] @ units[0].T + units[1][asked] @ units[1].T) / 2
        near[np.arange(len(asked)), asked] = -2
        best = np.argsort(-near, axis=1)[:, :3]
        yield band, "near", [(words[a], words[b]) for a, row in zip(asked, best, strict=True) for b in row]


def compare(
    first: UncertainVectors, second: UncertainVectors, number: int, training: Sequence[Sequence[TrainingNoise]]
) -> dict[str, NDArray[np.float64]]:
    """Return for each pair its band, whether it is near, cosines, standard errors, and what trainings say."""
    rows = []
    for band, how, pairs in chosen_pairs(first, second, number):
        both = [similarity_intervals(source, pairs, level=LEVEL) for source in (first, second)]
        cosines = [np.array([each.cosine for each in found]) for found in both]
        told = np.full((2, len(pairs)), np.nan)
        for k, noises in enumerate(training):
            told[k] = sum(noise.variances(pairs, c) for noise, c in zip(noises, cosines, strict=True))
        for a, b, seeds, texts in zip(*both, *told, strict=True):
            rows.append((band, how == "near", a.cosine, b.cosine, a.se, b.se, seeds, texts))
    columns = np.array(rows, float).T
    return dict(zip(("band", "near", "a", "b", "se_a", "se_b", "seeds", "texts"), columns, strict=True))


def print_coverage(found: dict[str, list[dict[str, NDArray[np.float64]]]]) -> list[bool]:
    """Print coverage by kind of vectors, band and kind of pair; return whether it is as claimed."""
    rows, claims = [], []
    for name, parts in found.items():
        whole = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        for near in (0, 1):
            for band, (least, most) in enumerate(BANDS):
                chosen = (whole["band"] == band) & (whole["near"] == near) & np.isfinite(whole["se_a"] + whole["se_b"])
                if not chosen.any():
                    continue
                a, b, se_a, se_b = (whole[key][chosen] for key in ("a", "b", "se_a", "se_b"))
                se = np.hypot(se_a, se_b)
                ratio = np.abs(a - b) / se
                held = ratio <= Z
                other = {"seeds": se**2 + whole["seeds"][chosen], "texts": whole["texts"][chosen]}
                told = {key: np.mean(np.abs(a - b) <= Z * np.sqrt(v)) for key, v in other.items() if v[0] == v[0]}
                if "texts" in told:
                    claims.append(0.85 <= told["texts"] <= 0.99)
                rows.append(
                    (
                        name,
                        f"{least:,} to {most:,}" if most < 10**9 else f"{least:,} and more",
                        "near" if near else "random",
                        len(a),
                        f"{np.sqrt(np.mean(se**2) / 2):.3f}",
                        f"{np.sqrt(np.mean((a - b) ** 2) / 2):.3f}",
                        f"{100 * held.mean():.0f} %",
                        f"{np.quantile(ratio, LEVEL) / Z:.2f}",
                        *(f"{100 * told[key]:.0f} %" if key in told else "" for key in other),
                    )
                )
    header = (
        "compared with",
        "count",
        "pairs",
        "n",
        "se claimed",
        "se seen",
        "held (of 90 %)",
        "factor needed",
        "another seed",
        "resampled",
    )
    common.print_table(header, rows)
    good = sum(claims)
    return [claim(f"resampled: {good} of {len(claims)} bands hold 85 to 99 %", good == len(claims) > 0)]


def simulated(half: tuple[Path, Path], draws: int) -> bool:
    """Fit vectors anew to simulated counts; return whether intervals hold the true cosine as often as they should."""
    source = uncertain_vectors(*half, vectors="word", process="none")
    rng = np.random.default_rng(1)
    counts = source.model.vocab.counts
    rows = rng.choice(np.flatnonzero(counts >= BANDS[0][0]), 2 * draws, replace=False)
    words = [source.vectors.words[row] for row in rows.tolist()]
    refitted = {}
    for word, row, (vector, covariance) in zip(words, rows, refit(source, rows, rng), strict=True):
        refitted[word] = (row, vector, covariance)
    held = []
    for a, b in zip(words[::2], words[1::2], strict=True):
        true = source.vectors.similarity(a, b)
        low, high = interval(refitted[a][1:], refitted[b][1:])
        held.append(low <= true <= high)
    share = float(np.mean(held))
    spread = 3 * np.sqrt(LEVEL * (1 - LEVEL) / len(held))
    return claim(
        f"simulated counts: {share:.1%} of {len(held)} intervals hold the true cosine, due {LEVEL:.0%} +- {spread:.1%}",
        abs(share - LEVEL) <= spread,
    )


def refit(source: UncertainVectors, rows: NDArray[np.int64], rng: np.random.Generator) -> Iterator[tuple[Any, Any]]:
    """Yield each word's vector fitted to simulated entries by plain normal equations, and its covariance."""
    X = load_cooc(source.counts.name).to_scipy()
    W, C = source.model.W.astype(float), source.model.C.astype(float)
    for row, each in zip(rows.tolist(), source.each([source.vectors.words[r] for r in rows.tolist()]), strict=True):
        others, x = X.indices[X.indptr[row] : X.indptr[row + 1]], X.data[X.indptr[row] : X.indptr[row + 1]]
        f = np.minimum(1, (x / source.x_max) ** source.alpha)
        c = C[others]
        y = c @ W[row] + rng.standard_normal(len(x)) * np.sqrt(each.noise / f)
        gram = (c * f[:, np.newaxis]).T @ c
        vector = np.linalg.solve(gram, c.T @ (f * y))
        noise = float(f @ np.square(y - c @ vector)) / (len(x) - len(vector))
        yield vector, noise * np.linalg.inv(gram)


def interval(a: tuple[Any, Any], b: tuple[Any, Any]) -> tuple[float, float]:
    """Return the interval of a cosine by the delta method, by finite differences."""
    (v, cov_v), (w, cov_w) = a, b

    def cosine(v: NDArray[np.float64], w: NDArray[np.float64]) -> float:
        return float(v @ w / np.linalg.norm(v) / np.linalg.norm(w))

    step = 1e-6 * np.eye(len(v))
    by_v = np.array([(cosine(v + e, w) - cosine(v - e, w)) / 2e-6 for e in step])
    by_w = np.array([(cosine(v, w + e) - cosine(v, w - e)) / 2e-6 for e in step])
    return limits(cosine(v, w), float(np.sqrt(by_v @ cov_v @ by_v + by_w @ cov_w @ by_w)), LEVEL)


if __name__ == "__main__":
    main()
