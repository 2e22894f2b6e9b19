"""Measure tiles: how many blocks suit, how a schedule fills many cores, and what reading tiles from disk costs.

Claims on wiki8s with 2 threads: the number of blocks that training takes reaches 85 % of the rate of the best number at
d = 50, 100 and 300; 64 cores would work for 90 % of the time; with a limit of a quarter of the tiles, training from
disk is at most 30 % slower than in memory, takes no more than parameters, limit and 300 MiB, and gives the same model,
byte for byte.
"""

from __future__ import annotations

import filecmp
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import common
import numpy as np
from common import claim

from glove_cli.cooc.store import CoocMatrix
from glove_cli.training import tiling
from glove_cli.training.config import TrainConfig
from glove_cli.training.counts import Counts, find_counts
from glove_cli.training.entries import ENTRY, MemoryEntries
from glove_cli.training.position import Position
from glove_cli.training.schedule import balance
from glove_cli.training.start import draw_parameters
from glove_cli.training.state import State
from glove_cli.training.tiles import TileBuilder, Tiles, check_entries
from glove_cli.training.trainer import Trainer
from glove_cli.training.workers import Workers

BLOCKS = (8, 16, 32, 48, 64, 96, 128, 256)
DIMS = (50, 100, 300)
CORES = (2, 8, 16, 32, 64, 128)
CLAIMED_CORES = 64
ALLOWANCE = 300 << 20  # interpreter and libraries
MODEL_FILES = ("W.npy", "C.npy", "b_w.npy", "b_c.npy", "gradsq_W.npy", "gradsq_C.npy", "vocab.txt")


def main() -> None:
    """Measure all three, print the tables."""
    options = common.parser(__doc__)
    options.add_argument("--cooc", type=Path, help="matrix to train on instead of counting the corpus again")
    options.add_argument("--rounds", type=int, default=3, help="epochs for each number of blocks (default 3)")
    options.add_argument("--plot", type=Path, metavar="FILE", help="draw the curve to this file")
    arguments = options.parse_args()
    with common.work_folder(arguments.work) as work:
        corpus = common.find_corpus(arguments.corpus, work)
        common.print_facts(arguments.threads, corpus)
        cooc = common.training_matrix(arguments.cooc, corpus, work, arguments.threads)
        counts = find_counts(cooc, None, None)
        print(f"matrix     V = {cooc.V:,}, {cooc.nnz:,} entries\n", flush=True)
        rates = curve(counts, arguments.threads, arguments.rounds)
        claims = list(check_curve(rates, counts))
        claims += schedule(counts, arguments.threads)
        claims += from_disk(cooc, work, arguments.threads)
        if arguments.plot is not None:
            draw(rates, counts, arguments.plot)
    common.finish(claims)


def tiles_of(counts: Counts, blocks: int, threads: int) -> Tiles:
    """Return the tiles of a matrix for a number of blocks, in memory."""
    deal = tiling.deal_words(check_entries(counts, threads, 1 << 28), blocks)
    builder = TileBuilder(counts, deal, 0.0, ENTRY, threads, 1 << 30)
    return builder.build(lambda size: MemoryEntries(np.empty(size, ENTRY)))


def curve(counts: Counts, threads: int, epochs: int) -> dict[int, dict[int, float]]:
    """Return entries per second by dimension and number of blocks; the numbers take turns, epoch by epoch."""
    rates: dict[int, dict[int, list[float]]] = {dim: {blocks: [] for blocks in BLOCKS} for dim in DIMS}
    for epoch in range(epochs + 1):
        for blocks in BLOCKS:
            tiles = tiles_of(counts, blocks, threads)
            for dim in DIMS:
                seconds = one_epoch(tiles, counts.V, dim, threads)
                if epoch:  # the first one warms up
                    rates[dim][blocks].append(counts.nnz / seconds)
    medians = {dim: {blocks: median(values) for blocks, values in row.items()} for dim, row in rates.items()}
    rows = []
    for blocks in BLOCKS:
        loads = 2 * counts.V * blocks / counts.nnz
        rows.append([str(blocks), f"{loads:.3f}", *(f"{medians[dim][blocks] / 1e6:.1f}" for dim in DIMS)])
    common.print_table(["blocks", "loads an entry", *(f"d = {dim}, M entries/s" for dim in DIMS)], rows)
    return medians


def one_epoch(tiles: Tiles, V: int, dim: int, threads: int) -> float:
    """Train an epoch from the start; return its seconds."""
    config = TrainConfig(dim=dim, x_max=10.0, epochs=1)
    state = State.empty(
        tiles.deal.place, tiles.deal.rows, dim, eta=config.eta, bias_eta=config.bias_eta, dtype="float32"
    )
    draw_parameters(state, config)
    with Workers(tiles, threads) as workers:
        return Trainer(workers, state, config, Position(first_cost=1.0)).run_epoch().seconds


def check_curve(rates: dict[int, dict[int, float]], counts: Counts) -> Iterator[bool]:
    """Compare the number of blocks that training takes with the best one."""
    for dim, row in rates.items():
        taken = tiling.block_count(counts.V, dim, counts.nnz)
        best = max(row, key=lambda blocks: row[blocks])
        share = row[taken] / row[best]
        text = f"d = {dim}: {taken} blocks reach {share:.0%} of the rate of {best} blocks, the fastest; 85 % claimed"
        yield claim(text, share >= 0.85)


def schedule(counts: Counts, threads: int) -> list[bool]:
    """Simulate an epoch on many cores."""
    rows, claims = [], []
    for blocks in sorted({tiling.block_count(counts.V, dim, counts.nnz) for dim in DIMS} | {128}):
        tiles = tiles_of(counts, blocks, threads)
        sizes = tiles.sizes(np.arange(blocks**2))
        group = tiling.group_size(counts.V, 100, blocks)
        shares = [balance(sizes, blocks, group, cores) for cores in CORES]
        rows.append([str(blocks), f"{sizes.max() / sizes.mean():.2f}", *(f"{share:.1%}" for share in shares)])
        if blocks == tiling.block_count(counts.V, 100, counts.nnz):
            share = shares[CORES.index(CLAIMED_CORES)]
            text = f"{blocks} blocks: {CLAIMED_CORES} cores work for {share:.1%} of the time, 90 % claimed"
            claims.append(claim(text, share > 0.9))
    common.print_table(["blocks", "largest tile / mean", *(f"{cores} cores" for cores in CORES)], rows)
    return claims


def from_disk(cooc: CoocMatrix, work: Path, threads: int) -> list[bool]:
    """Train with all tiles in memory, and with a limit of a quarter of them; in turns, each twice."""
    size = ENTRY.itemsize * cooc.nnz
    limit = size // 4
    dim, epochs = 100, 3
    runs: dict[str, list[tuple[float, int]]] = {"memory": [], "disk": []}
    for name in ("warm-up", "memory", "disk", "memory", "disk"):
        out = work / f"tiles-{name}.model"
        shutil.rmtree(out, ignore_errors=True)
        command = [*common.GLOVE, "train", "--cooc", cooc.path, "-o", out, "--tiles", work / "tiles", "--dim", str(dim)]
        command += ["--epochs", str(epochs), "--x-max", "10", "--threads", str(threads)]
        run = common.measure([*command, *(["--memory", str(limit)] if name == "disk" else [])])
        if name == "warm-up":
            continue
        assert ("read from disk" in run.stderr) == (name == "disk"), run.stderr
        history = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
        runs[name].append((median(entry["seconds"] for entry in history), run.peak))
        parameters = re.search(r"Memory: ([\d.]+) MiB for parameters", run.stderr)
        assert parameters is not None
    same = all(
        filecmp.cmp(work / "tiles-memory.model" / name, work / "tiles-disk.model" / name, shallow=False)
        for name in MODEL_FILES
    )
    seconds = {name: min(second for second, _ in measured) for name, measured in runs.items()}
    peak = max(peak for _, peak in runs["disk"])
    allowed = float(parameters[1]) * 2**20 + limit + ALLOWANCE
    rows = [
        [name, f"{seconds[name]:.2f}", common.mib(max(peak for _, peak in measured))] for name, measured in runs.items()
    ]
    common.print_table([f"tiles ({common.mib(size)})", "seconds an epoch", "peak"], rows)
    slower = seconds["disk"] / seconds["memory"] - 1
    return [
        claim(f"from disk with a limit of {common.mib(limit)}: {slower:+.1%} of the time, 30 % claimed", slower <= 0.3),
        claim(f"peak {common.mib(peak)}, parameters + limit + 300 MiB are {common.mib(allowed)}", peak <= allowed),
        claim("the same model, byte for byte", same),
    ]


def draw(rates: dict[int, dict[int, float]], counts: Counts, target: Path) -> None:
    """Draw the rate over the number of blocks, as a share of the best one."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.fonttype"] = "none"
    matplotlib.rcParams["svg.hashsalt"] = "tiles"
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7, 3.8), layout="constrained")
    for (dim, row), mark, colour in zip(rates.items(), "os^", ("#1b6ca8", "#b4452c", "#3f7d3a"), strict=True):
        values = [value / 1e6 for value in row.values()]
        axis.plot(list(row), values, f"{mark}-", color=colour)
        axis.annotate(f"d = {dim}", (BLOCKS[-1], values[-1]), (8, -3), textcoords="offset points", color=colour)
    taken = tiling.block_count(counts.V, 100, counts.nnz)
    axis.axvline(taken, color="0.6", linewidth=0.8)
    axis.annotate(f"taken: {taken}", (taken, 0), (4, 6), textcoords="offset points", color="0.4")
    axis.set_xscale("log", base=2)
    axis.set_xticks(list(BLOCKS), [str(blocks) for blocks in BLOCKS])
    axis.set_xlabel("blocks of words")
    axis.set_ylabel("million entries a second")
    axis.set_xlim(right=1.5 * BLOCKS[-1])
    axis.set_ylim(bottom=0)
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, metadata={"Date": None} if target.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
