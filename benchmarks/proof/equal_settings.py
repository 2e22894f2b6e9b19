"""Compare the quality of ours and the reference with the same settings, several seeds each.

For each measure a one-sided Welch test asks whether ours is not worse than the reference by more than a margin.
"""

from __future__ import annotations

import warnings
from statistics import fmean, stdev
from typing import Any

from proof.checks import above_floor, check, failed
from proof.context import Context
from proof.ours import Ours
from proof.scoring import OF_ALL, PROTOCOL, SETS, measures, score
from proof.settings import FINAL_COST_TOLERANCE, LEVEL, MARGIN_RHO, RECIPES
from proof.tables import Table, number, seconds, state
from proof.theirs import Theirs


def run(context: Context) -> dict[str, Any]:
    """Train each side with each seed, score, test."""
    options = context.options
    ours = Ours.on(context, RECIPES[0])
    ours.built(context.threads)
    settings = f"d {options.dim}, {options.epochs} epochs, x_max {options.x_max:g}, window {options.window}, "
    settings += f"min-count {options.min_count}, threads {context.threads}"
    rows = []
    for seed in range(1, options.seeds + 1):

        def our_work(seed: int = seed) -> dict[str, Any]:
            train = ours.train(dim=options.dim, epochs=options.epochs, threads=context.threads, seed=seed, fresh=False)
            return {**train, "scores": score(ours.model)}

        done = context.store.once(f"{ours.label}: equal settings, seed {seed}, {settings}", our_work)
        rows.append(_row("glove", seed, done, options.floor))
        if not context.has("reference"):
            continue
        reference = Theirs.on(context)
        reference.built()

        def their_work(seed: int = seed, reference: Theirs = reference) -> dict[str, Any]:
            train = reference.train(dim=options.dim, epochs=options.epochs, threads=context.threads, seed=seed)
            return {**train, "scores": score(reference.vectors)}

        theirs = context.store.once(f"reference: equal settings, seed {seed}, {settings}", their_work)
        rows.append(_row("reference", seed, theirs, options.floor))
        words = [row["scores"]["words"] for row in rows[-2:]]
        rows[-2]["checks"] += [
            check(f"last cost {rows[-2]['cost']:.5f} against {rows[-1]['cost']:.5f}",
                  rows[-2]["cost"] <= rows[-1]["cost"] * (1 + FINAL_COST_TOLERANCE)),
            check(f"vectors of {words[0]:,} words, the reference's of {words[1]:,}", words[0] == words[1]),
        ]  # fmt: skip
    ours.remove()
    tests = _tests(rows, context)
    return {"settings": settings, "protocol": PROTOCOL, "rows": rows, "tests": tests, "noise": context.quick}


def _row(tool: str, seed: int, done: dict[str, Any], floor: float) -> dict[str, Any]:
    return {
        "tool": tool, "seed": seed, "cost": done["costs"][-1], "seconds": done["seconds"], "scores": done["scores"],
        "checks": above_floor(done["scores"], floor),
    }  # fmt: skip


def _tests(rows: list[dict[str, Any]], context: Context) -> list[dict[str, Any]]:
    result = []
    for name in measures(rows[0]["scores"]):
        values = {tool: [row["scores"][name] for row in rows if row["tool"] == tool] for tool in ("glove", "reference")}
        if any(value is None for group in values.values() for value in group):
            continue
        margin = context.options.margin_accuracy if name in (*SETS, OF_ALL) else context.options.margin_rho
        result.append({"measure": name, **not_worse(values["glove"], values["reference"], margin)})
    return result


def not_worse(ours: list[float], theirs: list[float], margin: float = MARGIN_RHO) -> dict[str, Any]:
    """Test whether ours is not worse than theirs by more than a margin, and whether it is worse by more.

    Welch's t on ours + margin against theirs. "not worse" and "worse" each have p below LEVEL; "undecided" has neither,
    and "not tested" too few seeds or no spread.
    """
    from scipy.stats import ttest_ind

    mean = {"ours": fmean(ours), "theirs": fmean(theirs) if theirs else None}
    spread = {
        "ours_sd": stdev(ours) if len(ours) > 1 else None,
        "theirs_sd": stdev(theirs) if len(theirs) > 1 else None,
    }
    result = {**mean, **spread, "margin": margin, "p": None, "verdict": "not tested"}
    if len(ours) < 2 or len(theirs) < 2 or max(stdev(ours), stdev(theirs)) == 0:
        return result
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of equal numbers on one side
        test = ttest_ind([value + margin for value in ours], theirs, equal_var=False, alternative="greater")
    p = float(test.pvalue)
    verdict = "not worse" if p < LEVEL else "worse" if p > 1 - LEVEL else "undecided"
    return {**result, "t": float(test.statistic), "df": float(test.df), "p": p, "verdict": verdict}


def tables(result: dict[str, Any]) -> list[Table]:
    """Return what the Markdown shows."""
    names = measures(result["rows"][0]["scores"])
    seeds = Table(
        "Equal settings, seed by seed", ["tool", "seed", "cost", "train s", "asked", *names, "check"],
        [[r["tool"], r["seed"], number(r["cost"], 5), seconds(r["seconds"]), f"{r['scores']['seen']:,}",
          *(number(r["scores"][name], 4) for name in names), state(r)] for r in result["rows"]],
        f"{result['settings']}; {result['protocol']}.",
    )  # fmt: skip
    tests = Table(
        "Not worse than the reference?", ["measure", "glove", "sd", "reference", "sd", "margin", "p", "verdict"],
        [[t["measure"], number(t["ours"], 4), number(t["ours_sd"], 4), number(t["theirs"], 4),
          number(t["theirs_sd"], 4), t["margin"], number(t["p"], 5), t["verdict"]] for t in result["tests"]],
        f"Welch's t, one-sided: ours is not worse by more than the margin, at {LEVEL:.0%} for each measure.",
    )  # fmt: skip
    return [table for table in (seeds, tests) if table.rows]


def bad(result: dict[str, Any]) -> list[str]:
    """Return the failed checks, and the measures in which ours is worse, unless everything is kept small."""
    tests = [] if result["noise"] else result["tests"]
    worse = [f"{test['measure']}: worse than the reference" for test in tests if test["verdict"] == "worse"]
    return [*(text for row in result["rows"] for text in failed(row["checks"])), *worse]
