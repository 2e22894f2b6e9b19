"""How counting and an epoch grow with the text: its beginnings, each half as long as the next, and all of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from growth import most_disk

from glove_cli.cooc.store import load_cooc
from proof.checks import Check, check, compare_matrices, failed
from proof.context import Context
from proof.ours import Ours
from proof.settings import RECIPES
from proof.tables import Table, mb, seconds, state
from proof.texts import share_of
from proof.theirs import Theirs

EXACT = 1e-12  # relative, of a sum of float64 whose terms are exact


def run(context: Context) -> dict[str, Any]:
    """Measure each share."""
    options = context.options
    settings = f"d {options.dim}, window {options.window}, min-count {options.min_count}, threads {context.threads}"
    rows = []
    for number, share in enumerate(sorted(options.fractions)):
        text = share_of(context.corpus, share, context.work)
        ours = Ours.on(context, RECIPES[0], text, "-growth")

        def work(ours: Ours = ours, first: bool = number == 0) -> dict[str, Any]:
            matrix, disk = most_disk(ours.matrix, lambda: ours.build(context.threads))
            epoch = ours.train(dim=options.dim, epochs=1, threads=context.threads)
            checks = [_sum(ours, options.window)]
            if first and context.has("reference"):
                reference = Theirs.on(context, ours.corpus)
                reference.tools.vocab_count(), reference.tools.cooccur()
                checks += compare_matrices(load_cooc(ours.matrix), reference.tools)
            ours.remove(matrix=True)
            return {"matrix": matrix, "most_disk": max(disk, matrix["disk"]), "train": epoch, "checks": checks}

        done = context.store.once(f"{ours.label}: growth, {settings}", work)
        rows.append({"share": share, "bytes": text.stat().st_size, **done})
    for before, after in pairwise(rows):
        less, more = before["matrix"]["nnz"], after["matrix"]["nnz"]
        after["checks"].append(check(f"{more:,} pairs, {less:,} in a part of the text", more >= less))
    return {"rows": rows, "settings": settings}


def _sum(ours: Ours, window: int) -> Check:
    """Compare the sum of all entries with that of the weights of all pairs of places, which is known on paper.

    A document of n words has n - k pairs at distance k, and each counts its weight twice. Only where the whole text is
    one document is n known from the matrix alone.
    """
    cooc = load_cooc(ours.matrix)
    if cooc.meta["documents"] != 1 or ours.recipe.build:
        return check(f"{cooc.nnz:,} pairs of {cooc.V:,} words", 0 < cooc.nnz <= cooc.V**2)
    kept, unit = int(cooc.meta["kept_tokens"]), 1 << 24
    paper = sum(2 * round(unit / k) / unit * max(0, kept - k) for k in range(1, window + 1))
    total = float(cooc.to_scipy().sum())
    return check(f"sum of all entries {total:.4f}, {paper:.4f} on paper", abs(total / paper - 1) <= EXACT)


def tables(result: dict[str, Any]) -> list[Table]:
    """Return what the Markdown shows."""
    header = ["share", "text MB", "tokens", "words", "pairs", "counting s", "us/token", "peak MB", "disk MB",
              "result MB", "epoch s", "M pairs/s", "peak MB", "check"]  # fmt: skip
    return [Table("Growth", header, [_cells(row) for row in result["rows"]], f"{result['settings']}.")]


def _cells(row: dict[str, Any]) -> list[object]:
    matrix, train = row["matrix"], row["train"]
    epoch = train["epochs"][0]
    return [
        f"{row['share']:.4g}", mb(row["bytes"]), f"{matrix['tokens']:,}", f"{matrix['words']:,}", f"{matrix['nnz']:,}",
        seconds(matrix["seconds"]), f"{matrix['seconds'] / matrix['tokens'] * 1e6:.2f}", mb(matrix["peak"]),
        mb(row["most_disk"]), mb(matrix["disk"]), seconds(epoch), f"{matrix['nnz'] / epoch / 1e6:.2f}",
        mb(train["peak"]), state(row),
    ]  # fmt: skip


def bad(result: dict[str, Any]) -> list[str]:
    """Return the failed checks."""
    return [text for row in result["rows"] for text in failed(row["checks"])]
