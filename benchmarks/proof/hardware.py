"""What the machine allows, and how much of it counting, training and export use.

What a stage has to move and to compute is counted from its algorithm, not measured:

Training, an entry at dimension d; a row of state holds 2 h numbers, h = d + 2 rounded up to whole registers:

    entry     row and column of 2 bytes each, and log x of 4, read in order from memory:        8 bytes
    context   its values and its sums, read and written, from wherever the cache has them:      2 x 2h x 4 = 16 h bytes
    word      the same, but 16 words at a time stay in the first cache:                         not counted
    compute   product w . c: 2;  s_w = step c, s_c = step w: 2;  w += s_w / sqrt(G_w), c alike: 2 x 2;
              G += s^2, for both: 2 x 2;  that is 12 operations for each number, and 2 inverse roots, which count as
              one each:                                                                         14 h operations

Counting, a token of the vocabulary, window n, symmetric, of which half is stored: of its 2 n neighbours those in the
stored half, n on average, are added up:

    text      its bytes, once:                                                                  about 6 bytes
    ids       written once and read once in order, 4 bytes each:                                8 bytes
    addition  a neighbour's id, 4 bytes, and its sum, 8 bytes read and written, in the cache:   20 n bytes, n operations

Export: the bytes of vectors.txt, written once.
"""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from glove_cli.training.entries import ENTRY
from glove_cli.training.state import row_width
from proof import bounds
from proof.checks import failed
from proof.context import Context
from proof.machine import caches, facts
from proof.ours import Ours, start_seconds
from proof.settings import RECIPES
from proof.speed import our_training
from proof.tables import Table, state

Row = dict[str, Any]
UNKNOWN_CACHE = 32 << 20  # bytes, where the system doesn't say
OPERATIONS = 14
LITTLE = 0.2  # of the seconds: what must be left without the start


def run(context: Context) -> dict[str, Any]:
    """Measure the machine, then set our stages against it."""
    last = max((cache["bytes"] for cache in caches()), default=UNKNOWN_CACHE)
    large = min((4 if context.quick else 24) * last, facts()["memory_bytes"] // 8)
    # A quarter of the last cache: several times what the caches before it hold, and other programs leave room for it.
    small = last // 4
    measured: list[Row] = []
    for threads in context.counts:
        for name, work in (
            ("memory", lambda threads=threads: bounds.bandwidth(large, threads)),
            ("last cache", lambda threads=threads: bounds.bandwidth(small, threads)),
            ("arithmetic", lambda threads=threads: bounds.arithmetic(threads)),
        ):
            row = context.store.once(f"machine: {name}, threads {threads}, {large}, {small}", work)
            measured.append({"what": name, **row})
    size = (64 if context.quick else 1024) << 20
    written, read = context.store.once(f"machine: disk, {size}", lambda: {"rows": bounds.disk(context.work, size)})[
        "rows"
    ]
    measured += [{"what": "disk, writing", **written}, {"what": "disk, reading", **read}]
    return {"machine": measured, "stages": _stages(context, measured)}


def _stages(context: Context, measured: list[Row]) -> list[Row]:
    limits = {row["what"]: row["value"] for row in measured if row["threads"] in (context.threads, 1)}
    ours = Ours.on(context, RECIPES[0])
    built, start = ours.built(context.threads), start_seconds(context)
    seconds = _without(built["seconds"], start["build"])
    text, tokens, window = context.corpus.stat().st_size, built["kept_tokens"], context.options.window
    rows = [
        _row("counting", f"{tokens / seconds / 1e6:.2f} M tokens/s", limits, {
            "disk, reading": text / seconds,
            "memory": (text + 8 * built["tokens"]) / seconds,
            "last cache": 20 * window * tokens / seconds,
            "arithmetic": window * tokens / seconds,
        }),
    ]  # fmt: skip
    for dim in context.options.dims:
        done = our_training(context, ours, dim, context.threads)
        rate, half = built["nnz"] / median(done["train"]["epochs"]), row_width(dim) // 2
        rows.append(
            _row(f"training, d = {dim}", f"{rate / 1e6:.2f} M entries/s", limits, {
                "memory": ENTRY.itemsize * rate,
                "last cache": 16 * half * rate,
                "arithmetic": OPERATIONS * half * rate,
            })
        )  # fmt: skip
        pace = done["export"]["disk"] / _without(done["export"]["seconds"], start["export"])
        rows.append(_row(f"export, d = {dim}", f"{pace / 1e6:.0f} MB/s", limits, {"disk, writing": pace}))
    return rows


def _without(seconds: float, start: float) -> float:
    """Return the seconds without those of the start; not a number where the start is nearly all."""
    return seconds - start if seconds - start > LITTLE * seconds else float("nan")


def _row(stage: str, rate: str, limits: dict[str, float], use: dict[str, float]) -> Row:
    known = {name: value for name, value in use.items() if not math.isnan(value)}
    used = {name: {"value": value, "share": value / limits[name]} for name, value in known.items()}
    return {"stage": stage, "rate": rate if used else "mostly the start", "use": used}


def tables(result: dict[str, Any]) -> list[Table]:
    """Return what the Markdown shows."""
    names = ["disk, reading", "memory", "last cache", "arithmetic", "disk, writing"]
    machine = Table(
        "The machine", ["", "threads", "G/s", "unit", "how", "check"],
        [[r["what"], r["threads"], f"{r['value'] / 1e9:.2f}", r["unit"].replace("/s", ""), r["about"], state(r)]
         for r in result["machine"]],
    )  # fmt: skip
    stages = Table(
        "What our stages use of it, with all threads", ["stage", "rate", *names],
        [[r["stage"], r["rate"], *(_use(r["use"].get(name)) for name in names)] for r in result["stages"]],
        "G bytes or operations a second, and their share of what was measured. Bytes and operations are counted from "
        "the algorithm (see `proof/hardware.py`). The start of Python is subtracted from counting and export; where "
        "little is left, nothing is said.",
    )  # fmt: skip
    return [machine, stages]


def _use(use: dict[str, float] | None) -> str:
    return "" if use is None else f"{use['value'] / 1e9:.2f} ({use['share']:.0%})"


def bad(result: dict[str, Any]) -> list[str]:
    """Return the failed checks."""
    return [text for row in result["machine"] for text in failed(row["checks"])]
