"""Draw the pictures of docs/how-it-works.md from a real run.

Without --run, wiki8s is counted and trained (d = 100, x_max 10, 15 epochs, seed 1). A run that is named is only read.
Training starts again for one epoch, to see the parameters before and after it.

Claims: the sum of all entries is what the window and the number of tokens say (of a corpus in one document); the first
epoch costs what the run's history says, to the last bit; no two groups of tiles in a round share a block; no picture
takes more than 150 KB.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import common
import numpy as np
from common import claim
from drawings import (
    Floats,
    draw_biases,
    draw_distance,
    draw_fit,
    draw_matrix,
    draw_rounds,
    draw_tile,
    draw_weights,
    set_up,
)
from numpy.typing import NDArray
from tiles import tiles_of

from glove_cli.cooc.config import CoocConfig
from glove_cli.cooc.store import CoocMatrix, load_cooc
from glove_cli.errors import FormatError
from glove_cli.model import GloveModel
from glove_cli.training import tiling
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import find_counts
from glove_cli.training.position import Position
from glove_cli.training.run import train
from glove_cli.training.schedule import rounds
from glove_cli.training.start import draw_parameters
from glove_cli.training.state import State
from glove_cli.training.tiles import row_ranges
from glove_cli.training.trainer import Trainer
from glove_cli.training.workers import Workers
from glove_cli.vectors.select import load_model

OPTIONS = {"dim": 100, "x_max": 10.0, "epochs": 15, "seed": 1}
MOST_BYTES = 150_000
SAMPLE = 3_000_000  # entries whose fit is drawn
PIECE = 1 << 22  # entries at a time
PAIRS = ("ice", "steam"), ("solid", "gas", "water", "fashion")  # the words of the paper's table 1


@dataclasses.dataclass(frozen=True)
class Run:
    """A matrix and a model of it."""

    cooc: CoocMatrix
    model: GloveModel
    threads: int

    @property
    def config(self) -> TrainConfig:
        """The options of the training."""
        return TrainConfig(**self.model.meta["options"])

    def pieces(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32], Floats, Floats]]:
        """Yield rows, columns and values of stored entries, and for how many entries of the matrix each stands."""
        cooc = self.cooc
        for first, last in row_ranges(cooc.indptr, 0, cooc.V, PIECE):
            span = slice(int(cooc.indptr[first]), int(cooc.indptr[last]))
            row = np.repeat(np.arange(first, last, dtype=np.int32), np.diff(cooc.indptr[first : last + 1]))
            col = np.asarray(cooc.indices[span])
            yield row, col, np.asarray(cooc.data[span]), np.where(cooc.symmetric & (row != col), 2.0, 1.0)

    def entry(self, word: str, context: str) -> float:
        """Return X of two words."""
        i, j = self.cooc.vocab.index[word], self.cooc.vocab.index[context]
        i, j = (max(i, j), min(i, j)) if self.cooc.symmetric else (i, j)
        span = slice(int(self.cooc.indptr[i]), int(self.cooc.indptr[i + 1]))
        found = np.flatnonzero(self.cooc.indices[span] == j)
        return float(self.cooc.data[span][found[0]]) if found.size else 0.0

    @cached_property
    def row_sums(self) -> Floats:
        """How much each word has in all, X_i."""
        sums = np.zeros(self.cooc.V)
        for row, col, x, copies in self.pieces():
            sums += np.bincount(row, x, self.cooc.V)
            sums += np.bincount(col, x * (copies - 1), self.cooc.V)
        return sums

    @cached_property
    def sample(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """Words, contexts and log X of some entries, evenly from the whole matrix."""
        step = max(1, self.cooc.stored // SAMPLE)
        parts = [np.array([row[::step], col[::step], np.log(x[::step])]) for row, col, x, _ in self.pieces()]
        row, col, log_x = np.concatenate(parts, axis=1)
        row[::2], col[::2] = col[::2].copy(), row[::2].copy()  # some from the other half of a symmetric matrix
        return row.astype(np.int64), col.astype(np.int64), log_x

    def predicted(self, parameters: State | GloveModel) -> Floats:
        """Return w . c + b + b' of the sample."""
        row, col, _ = self.sample
        if isinstance(parameters, State):
            ids = np.arange(self.cooc.V)
            (W, b_w, *_), (C, b_c, *_) = parameters.take(0, ids), parameters.take(1, ids)
        else:
            W, b_w, C, b_c = parameters.W, parameters.b_w, parameters.C, parameters.b_c
        result = np.empty(len(row))
        for first in range(0, len(row), PIECE >> 4):
            i, j = row[first : first + (PIECE >> 4)], col[first : first + (PIECE >> 4)]
            result[first : first + len(i)] = np.einsum("nd,nd->n", W[i], C[j]) + b_w[i] + b_c[j]
        return result


def main() -> None:
    """Check, print the numbers that the page quotes, and draw."""
    options = common.parser(__doc__)
    options.add_argument("--run", type=Path, metavar="DIR", help="an existing run with cooc and model; read only")
    options.add_argument("--out", type=Path, metavar="DIR", default=common.REPOSITORY / "docs" / "pictures")
    arguments = options.parse_args()
    with common.work_folder(arguments.work) as work:
        run = find_run(arguments.run, arguments.corpus, work, arguments.threads)
        arguments.out.mkdir(parents=True, exist_ok=True)
        common.finish(draw_all(run, arguments.out))


def find_run(path: Path | None, corpus: Path | None, work: Path, threads: int) -> Run:
    """Open the run that was named, or make one of the corpus in the work folder."""
    if path is not None:
        try:
            return Run(load_cooc(path / "cooc"), load_model(path), threads)
        except FormatError as error:
            raise SystemExit(f"--run: {error}") from error
    cooc = common.training_matrix(None, common.find_corpus(corpus, work), work, threads)
    model = work / "pictures.model"
    if not model.exists():
        train(cooc, out=model, threads=threads, **OPTIONS)
    return Run(cooc, load_model(model), threads)


def draw_all(run: Run, out: Path) -> list[bool]:
    """Draw every picture; return whether the claims hold."""
    set_up()
    print(f"matrix     V = {run.cooc.V:,}, {run.cooc.nnz:,} entries, from {', '.join(run.cooc.meta['sources'])}")
    claims = check_sum(run)
    print_ratios(run)
    draw_distance(run, out / "distance.svg")
    draw_matrix(run, out / "matrix.svg")
    draw_weights(run, out / "weights.svg")
    draw_biases(run, out / "biases.svg")
    claims += draw_training(run, out)
    sizes = {path.name: path.stat().st_size for path in sorted(out.glob("*.svg"))}
    text = f"the largest of {len(sizes)} pictures takes {max(sizes.values()):,} bytes, {MOST_BYTES:,} claimed"
    return [*claims, claim(text, max(sizes.values()) < MOST_BYTES)]


def check_sum(run: Run) -> list[bool]:
    """Compare the sum of all entries with that of the weights of all pairs of tokens; exact, both are."""
    meta = run.cooc.meta
    if meta["documents"] != 1 or meta["options"]["oov"] != "skip" or meta["options"]["subsample"]:
        return []  # nobody knows how many pairs of tokens there were
    total = sum(float(x @ copies) for _, _, x, copies in run.pieces())
    weights = CoocConfig(**meta["options"]).weights()
    sides = 2 if run.cooc.symmetric else 1
    distance = np.arange(len(weights))
    expected = sides * float(weights @ np.maximum(0, meta["kept_tokens"] - distance))
    text = f"the sum of all entries, {total!r}, is that of all pairs of tokens, {expected!r}"
    return [claim(text, total == expected)]


def print_ratios(run: Run) -> None:
    """Print the table of ratios of the paper for this text, if it has the words."""
    (a, b), probes = PAIRS
    index = run.cooc.vocab.index
    if not all(word in index for word in (a, b, *probes)):
        return
    rows = []
    for k in probes:
        x, y = run.entry(a, k), run.entry(b, k)
        p, q = x / run.row_sums[index[a]], y / run.row_sums[index[b]]
        fitted = [model_value(run.model, index[word], index[k]) for word in (a, b)]
        cells = [f"{value:.3g}" for value in (x, y, p, q)] + [f"{p / q:.3g}" if q else "-"]
        logs = [f"{np.log(value):.2f}" if value else "-" for value in (x, y)]
        rows.append([k, *cells, *logs, *(f"{value:.2f}" for value in fitted)])
    header = ["k", f"X({a},k)", f"X({b},k)", f"P(k|{a})", f"P(k|{b})", "ratio", "log X", "log X'", "model", "model'"]
    print(f"row sums   {a} {run.row_sums[index[a]]:,.1f}, {b} {run.row_sums[index[b]]:,.1f}\n")
    common.print_table(header, rows)


def model_value(model: GloveModel, i: int, j: int) -> float:
    """Return w . c + b + b' of two words."""
    return float(model.W[i] @ model.C[j] + model.b_w[i] + model.b_c[j])


def draw_training(run: Run, out: Path) -> list[bool]:
    """Train an epoch from the start; draw tiles, a round of them, and the fit before, after it, and at the end."""
    config, counts = run.config, find_counts(run.cooc, None, None)
    blocks = tiling.block_count(run.cooc.V, config.dim, run.cooc.nnz)
    tiles = tiles_of(counts, blocks, run.threads)
    deal = tiles.deal
    state = State.empty(deal.place, deal.rows, config.dim, eta=config.eta, bias_eta=config.bias_eta, dtype="float32")
    draw_parameters(state, config)
    group = tiling.group_size(run.cooc.V, config.dim, blocks)
    first_round = next(iter(rounds(blocks, group, config.seed, 1)))
    sizes = tiles.sizes(np.arange(blocks**2)).reshape(blocks, blocks)
    draw_rounds(sizes, first_round, group, out / "rounds.svg")
    tile = int(first_round[0, 0, 0])
    first, last = int(tiles.starts[2 * tile]), int(tiles.starts[2 * tile + 1])
    part = tiles.entries.read(first, last, np.empty(last - first, tiles.entries.dtype))
    draw_tile(np.asarray(part["row"]), np.asarray(part["col"]), out / "tile.svg")
    print(f"tiles      {blocks} x {blocks} of {deal.block_size:,} words, {sizes.min():,} to {sizes.max():,} entries;")
    print(f"           the one that is drawn has {last - first:,}\n")
    fits = {"before": run.predicted(state)}
    with Workers(tiles, run.threads) as workers:
        cost = Trainer(workers, state, config, Position(first_cost=1.0)).run_epoch().cost
    fits["after 1 epoch"] = run.predicted(state)
    history = [report for report in run.model.meta["history"] if "event" not in report]
    fits[f"after {len(history)} epochs"] = run.predicted(run.model)
    draw_fit(run, fits, [report["cost"] for report in history], out / "fit.svg")
    row_blocks, col_blocks = first_round // blocks, first_round % blocks
    own = [(np.unique(r).tolist(), np.unique(c).tolist()) for r, c in zip(row_blocks, col_blocks, strict=True)]
    apart = all(len({b for group_ in own for b in group_[side]}) == group * len(own) for side in (0, 1))
    return [
        claim(f"no two of the {len(own)} groups of the first round share a block", apart),
        claim(f"the first epoch costs {cost:.6f}, in the run {history[0]['cost']:.6f}", cost == history[0]["cost"]),
    ]


if __name__ == "__main__":
    main()
