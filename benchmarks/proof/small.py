"""Ours and Mittens on the same small matrix, that of the most frequent words."""

from __future__ import annotations

import json
from typing import Any

from common import measure
from scipy.sparse import csr_array, save_npz

from glove_cli.cooc.store import load_cooc
from proof.checks import Check, check, near
from proof.context import Context
from proof.ours import Ours, numbers, python

SIDES = ("ours", "mittens")
AGREEMENT = 1e-6  # relative, of the same cost counted by two programs in float64


def rows(context: Context, ours: Ours) -> list[dict[str, Any]]:
    """Train both, check that they mean the same by cost and that it falls, and return a row each."""
    options = context.options
    words, dim, epochs = options.mittens_words, options.dim, options.mittens_epochs
    ours.built(context.threads)
    results = {}
    for side in SIDES:
        key = f"{ours.label}, {side}: {words} words, d {dim}, {epochs} passes, "
        key += f"x_max {options.x_max:g}, threads {context.threads}"

        def work(side: str = side) -> dict[str, Any]:
            matrix, report = context.work / "small.npz", context.work / "small.json"
            save_npz(matrix, csr_array(load_cooc(ours.matrix).to_scipy()[:words, :words]))
            order = {"side": side, "matrix": str(matrix), "report": str(report), "dim": dim, "epochs": epochs}
            order |= {"x_max": options.x_max, "threads": context.threads}
            run = measure(python("small_worker.py", json.dumps(order)))
            return {"process": numbers(run), **json.loads(report.read_text())}

        results[side] = context.store.once(key, work)
    return [_row(side, results, epochs) for side in SIDES]


def seconds_to(cost: float, result: dict[str, Any]) -> float | None:
    """Return the seconds of the passes until a cost was reached; None if it never was.

    What n passes have reached is the cost that the next pass meets: Mittens' own, and for ours no less than it is.
    """
    reached = (number for number, value in enumerate([*result["costs"][1:], result["end"]], 1) if value <= cost)
    number = next(reached, None)
    return None if number is None else number * result["pass"]


def _row(side: str, results: dict[str, dict[str, Any]], epochs: int) -> dict[str, Any]:
    result, ours, target = results[side], results["ours"], results["mittens"]["end"]
    checks: list[Check] = [check(f"cost falls: {result['costs'][0]:.4g} to {result['end']:.4g}",
                                 result["end"] < result["costs"][0])]  # fmt: skip
    if "start" in result:
        checks.append(near("its first cost, by it and by us:", result["costs"][0], result["start"], AGREEMENT))
    rate = result["nnz"] / result["pass"]
    return {
        "tool": side,
        "words": result["words"],
        "nnz": result["nnz"],
        "epochs": epochs,
        "seconds": result["seconds"],
        "entries_per_second": rate,
        "ratio": (ours["nnz"] / ours["pass"]) / rate,
        "peak": result["process"]["peak"],
        "cost": result["end"],
        "target": target,
        "seconds_to_target": seconds_to(target, result),
        "checks": checks,
    }
