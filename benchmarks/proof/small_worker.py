"""Train on a small matrix by our library or by Mittens, and write the time and the cost of the passes as JSON.

Both get the same matrix, x_max and learning rate. Ours changes the vectors entry by entry, Mittens once a pass by all,
so that their costs after as many passes differ; what must agree is how a cost is counted.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from scipy.sparse import load_npz

from glove_cli.training.objective import objective
from glove_cli.training.run import train

ALPHA, ETA = 0.75, 0.05


def main() -> None:
    """Read the order from the command line: a JSON object."""
    order = json.loads(sys.argv[1])
    counts = load_npz(order["matrix"])
    result = {"ours": ours, "mittens": mittens}[order["side"]](counts, order)
    Path(order["report"]).write_text(json.dumps({**result, "nnz": int(counts.nnz), "words": counts.shape[0]}))


def ours(counts: Any, order: dict[str, Any]) -> dict[str, Any]:
    """Train with our library, after a short training that loads the compiled code."""
    reports: list[Any] = []
    words = [f"w{k}" for k in range(counts.shape[0])]
    settings = {"dim": order["dim"], "x_max": order["x_max"], "alpha": ALPHA, "eta": ETA, "threads": order["threads"]}
    train(counts, words, epochs=1, **settings)
    begin = time.perf_counter()
    model = train(counts, words, epochs=order["epochs"], on_epoch=reports.append, **settings)
    seconds = time.perf_counter() - begin
    end = cost(counts, model.W, model.C, model.b_w, model.b_c, order["x_max"])
    passes = median(report.seconds for report in reports)
    return {"seconds": seconds, "pass": passes, "costs": [report.cost for report in reports], "end": end}


def mittens(counts: Any, order: dict[str, Any]) -> dict[str, Any]:
    """Train with Mittens, on the dense matrix that it wants."""
    warnings.simplefilter("ignore")
    from mittens import GloVe

    dense = counts.toarray()
    model = GloVe(
        n=order["dim"], xmax=order["x_max"], alpha=ALPHA, learning_rate=ETA, max_iter=order["epochs"],
        display_progress=0, test_mode=True,
    )  # fmt: skip
    begin = time.perf_counter()
    model.fit(dense)
    seconds = time.perf_counter() - begin
    start = (model.W_start, model.C_start, model.bw_start[:, 0], model.bc_start[:, 0])
    end = cost(counts, model.W, model.C, model.bw[:, 0], model.bc[:, 0], order["x_max"])
    costs = [float(error) / counts.nnz for error in model.errors]
    start_cost = cost(counts, *start, order["x_max"])
    return {"seconds": seconds, "pass": seconds / order["epochs"], "costs": costs, "start": start_cost, "end": end}


def cost(counts: Any, W: Any, C: Any, b_w: Any, b_c: Any, x_max: float) -> float:
    """Return the mean of 1/2 f diff^2 over the entries."""
    entries = counts.tocoo()
    parameters = [np.asarray(part, np.float64) for part in (W, C, b_w, b_c)]
    return 0.5 * objective(*parameters, entries.row, entries.col, entries.data, x_max=x_max, alpha=ALPHA) / counts.nnz


if __name__ == "__main__":
    main()
