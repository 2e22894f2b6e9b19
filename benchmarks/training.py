"""Measure training: entries per second at d = 50, 100 and 300, against the reference's `glove`.

Claims: at least 30 times the reference's at d = 50, 35 times at d = 100 and 40 times at d = 300; at least 80 % of what
the same kernel reaches when all its state lies in the L1 or L2 cache; tiles are prepared in the time of two epochs at
d = 100. Both sides train on the same counts with the same settings (x_max 10, biases without a learning rate, as the
reference does); an epoch's time leaves out start-up and saving.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import common
import in_cache
import numpy as np
from common import claim
from reference import Reference, train_epochs
from scipy.sparse import csr_array, random_array

from glove_cli.cooc.store import CoocMatrix
from glove_cli.training.objective import objective
from glove_cli.training.report import EpochReport
from glove_cli.training.run import train

CLAIMED = {50: 30.0, 100: 35.0, 300: 40.0}  # times the reference's entries per second
SETTINGS = {"x_max": 10.0, "alpha": 0.75, "eta": 0.05, "bias_eta": 1.0}
CLAIMED_SHARE = 0.8  # of the rate in the cache
CLAIMED_EPOCHS = {100: 2.0}  # that preparing takes at most
# Starting values and the order of entries differ, so the costs of the first epoch differ a little.
COST_TOLERANCE = 0.05


def main() -> None:
    """Train both sides at each dimension, compare the first epoch's cost, print the table."""
    options = common.parser(__doc__)
    options.add_argument("--dims", default="50,100,300", help="dimensions (default 50,100,300)")
    options.add_argument("--epochs", type=int, default=3, help="epochs of ours (default 3)")
    options.add_argument("--reference-epochs", type=int, default=1, help="epochs of the reference (default 1)")
    options.add_argument("--cooc", type=Path, help="matrix to train on instead of counting the corpus again")
    arguments = options.parse_args()
    tools = common.check_reference(arguments.reference)
    dims = [int(dim) for dim in arguments.dims.split(",")]
    claims: list[bool] = []
    rows = []
    with common.work_folder(arguments.work) as work:
        corpus = common.find_corpus(arguments.corpus, work)
        common.print_facts(arguments.threads, corpus)
        cooc = common.training_matrix(arguments.cooc, corpus, work, arguments.threads)
        print(f"matrix     V = {cooc.V:,}, {cooc.nnz:,} entries\n", flush=True)
        if tools is not None:
            reference = Reference(tools, work, corpus)
            reference.make_shuffled()
        for dim in dims:
            claims.append(check(dim, arguments.threads))
            before = in_cache.rate(dim, arguments.threads)
            reports, preparing = run_ours(cooc, dim, arguments.epochs, arguments.threads)
            # A machine that others share is not always as fast: before and after.
            bound = (before + in_cache.rate(dim, arguments.threads)) / 2
            ours = median(report.entries_per_second for report in reports)
            line = [str(dim), f"{ours / 1e6:.1f}", f"{reports[0].cost:.4f}"]
            line += [f"{bound / 1e6:.1f}", f"{ours / bound:.0%}", f"{preparing:.2f}"]
            text = f"d = {dim}: {ours / bound:.0%} of the rate with all state in the cache, {CLAIMED_SHARE:.0%} claimed"
            claims.append(claim(text, ours >= CLAIMED_SHARE * bound))
            if dim in CLAIMED_EPOCHS:
                epochs = preparing / median(report.seconds for report in reports)
                text = (
                    f"d = {dim}: tiles are prepared in the time of {epochs:.1f} epochs, {CLAIMED_EPOCHS[dim]:g} claimed"
                )
                claims.append(claim(text, epochs <= CLAIMED_EPOCHS[dim]))
            if tools is not None:
                command = reference.train_command(
                    dim=dim, epochs=arguments.reference_epochs, x_max=10, threads=arguments.threads, binary=1
                )
                seconds, costs = train_epochs(command)
                theirs = cooc.nnz / median(seconds)
                line += [f"{theirs / 1e6:.2f}", f"{costs[0]:.4f}", f"{ours / theirs:.1f}"]
                difference = reports[0].cost / costs[0] - 1
                good = abs(difference) <= COST_TOLERANCE
                claims.append(claim(f"d = {dim}: cost of the first epoch differs by {difference:+.1%}", good))
                if dim in CLAIMED:
                    text = f"d = {dim}: at least {CLAIMED[dim]:.0f} times faster: {ours / theirs:.1f} times"
                    claims.append(claim(text, ours / theirs >= CLAIMED[dim]))
            rows.append(line)
    print()
    header = ["d", "glove, M entries/s", "cost 1", "in the cache", "share", "preparing, s"]
    header += ["reference, M entries/s", "cost 1", "ratio"] if tools is not None else []
    common.print_table(header, rows)
    common.finish(claims)


def check(dim: int, threads: int) -> bool:
    """Compare the cost that training reports with the objective, where steps are so small that nothing moves.

    It also has the kernels compiled before anything is timed.
    """
    rng = np.random.default_rng(dim)
    counts = csr_array(
        random_array((300, 300), density=0.2, rng=rng, data_sampler=lambda size: rng.exponential(10, size))
    )
    still = {**SETTINGS, "eta": 1e-12, "bias_eta": 1e-12}
    reports: list[EpochReport] = []
    words = [f"w{i}" for i in range(300)]
    model = train(counts, words, dim=dim, epochs=1, threads=threads, on_epoch=reports.append, **still)
    entries = counts.tocoo()
    parameters = (model.W, model.C, model.b_w, model.b_c, entries.row, entries.col, entries.data)
    expected = 0.5 * objective(*parameters, x_max=SETTINGS["x_max"], alpha=SETTINGS["alpha"]) / counts.nnz
    difference = abs(reports[0].cost / expected - 1)
    return claim(f"d = {dim}: cost reported and objective differ by {difference:.1g}", difference < 1e-5)


def run_ours(cooc: CoocMatrix, dim: int, epochs: int, threads: int) -> tuple[list[EpochReport], float]:
    """Train; return the reports, and the seconds from the start to the first round of tiles."""
    reports: list[EpochReport] = []
    times: list[float] = []
    begin = time.perf_counter()

    def progress(stage: str, done: int, total: int | None, unit: str) -> None:
        if stage == "preparing":
            times.append(time.perf_counter() - begin)

    settings = {"dim": dim, "epochs": epochs, "seed": 1, **SETTINGS}
    train(cooc, threads=threads, on_epoch=reports.append, progress=progress, **settings)
    return reports, times[-1]


if __name__ == "__main__":
    main()
