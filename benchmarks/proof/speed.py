"""Time each stage and the whole, from raw text to vectors.txt: ours, the reference, gensim, Mittens on few words."""

from __future__ import annotations

from statistics import median
from typing import Any

from proof import gensims, small
from proof.checks import Check, above_floor, check, compare_matrices, failed, near
from proof.context import Context
from proof.ours import Ours
from proof.scoring import score
from proof.settings import COST_TOLERANCE, GENSIM, RECIPES, WORDS_TOLERANCE
from proof.tables import Table, mb, number, rate, seconds, state, times
from proof.theirs import Theirs

Row = dict[str, Any]
TOGETHER = "all three"


def run(context: Context) -> dict[str, Any]:
    """Measure all sides."""
    reference = Theirs.on(context) if context.has("reference") else None
    stages, wholes = [], []
    matrix_checks: list[Check] = []
    for recipe in context.recipes:
        ours = Ours.on(context, recipe)
        for threads in context.counts:
            stages += ours_counting(context, ours, threads)
        if reference is not None and not recipe.build:
            matrix_checks = compare(context, ours, reference)
            for row in stages:
                if (row["tool"], row["stage"]) == (recipe.name, "build-cooc"):
                    row["checks"] = matrix_checks
    if reference is not None:
        stages += their_counting(context, reference, matrix_checks)
        add_ratios(stages, context.threads)
    for dim in context.options.dims:
        for threads in context.counts:
            for recipe in context.recipes:
                wholes.append(our_whole(context, Ours.on(context, recipe), dim, threads))
            if reference is not None:
                wholes.append(their_whole(context, reference, dim, threads, wholes))
    others = [of_gensim(context, name, wholes) for name in GENSIM] if context.has("gensim") else []
    smalls = small.rows(context, Ours.on(context, RECIPES[0])) if context.has("mittens") else []
    return {"stages": stages, "training": wholes, "gensim": others, "small": smalls}


def ours_counting(context: Context, ours: Ours, threads: int) -> list[Row]:
    """Count words alone, and words and pairs."""
    key = f"{ours.label}: vocab, threads {threads}"
    vocab = context.store.once(key, lambda: ours.count_words(threads))
    about = {"tool": ours.recipe.name, "threads": threads}
    return [
        {**about, "stage": "count words", **vocab, "checks": []},
        {**about, "stage": "build-cooc", **ours.built(threads), "checks": []},
    ]


def their_counting(context: Context, reference: Theirs, checks: list[Check]) -> list[Row]:
    """Return the reference's stages before training; its tools for them have one thread."""
    built = reference.built()
    names = {"vocab_count": "count words", "cooccur": "pairs", "shuffle": "shuffle"}
    about = {"tool": "reference", "threads": 1}
    rows = [{**about, "stage": stage, **built[name], "checks": checks if name == "cooccur" else []}
            for name, stage in names.items()]  # fmt: skip
    parts = [built[name] for name in names]
    together = {"seconds": sum(part["seconds"] for part in parts), "peak": max(part["peak"] for part in parts)}
    return [*rows, {**about, "stage": TOGETHER, **together, "disk": sum(part["disk"] for part in parts), "checks": []}]


def add_ratios(rows: list[Row], threads: int) -> None:
    """Put into the reference's rows how many times longer they took than ours with all threads."""
    ours = {row["stage"]: row["seconds"] for row in rows if (row["tool"], row["threads"]) == (RECIPES[0].name, threads)}
    for row in rows:
        stage = "build-cooc" if row["stage"] == TOGETHER else row["stage"]
        if row["tool"] == "reference" and stage in ours:
            row["ratio"] = row["seconds"] / ours[stage]


def compare(context: Context, ours: Ours, reference: Theirs) -> list[Check]:
    """Compare the matrices of both sides."""
    from glove_cli.cooc.store import load_cooc

    ours.built(context.threads)
    reference.built()
    key = f"{ours.label}: compared with the reference's"
    found = context.store.once(key, lambda: {"checks": compare_matrices(load_cooc(ours.matrix), reference.tools)})
    return found["checks"]


def our_training(context: Context, ours: Ours, dim: int, threads: int) -> dict[str, Any]:
    """Train and export, and score the vectors."""
    epochs, x_max = ours.recipe.epochs or context.options.epochs, context.options.x_max
    ours.built(context.threads)

    def work() -> dict[str, Any]:
        result = {"train": ours.train(dim=dim, epochs=epochs, threads=threads), "export": ours.export()}
        ours.remove()
        return {**result, "scores": score(ours.vectors)}

    return context.store.once(
        f"{ours.label}: train, d {dim}, {epochs} epochs, x_max {x_max:g}, threads {threads}", work
    )


def their_training(context: Context, reference: Theirs, dim: int, threads: int) -> dict[str, Any]:
    """Train the reference for as many epochs as it is given."""
    epochs, x_max = context.options.reference_epochs, context.options.x_max
    reference.built()
    key = f"{reference.tools.work.name}: train, d {dim}, {epochs} epochs, x_max {x_max:g}, threads {threads}"
    return context.store.once(key, lambda: reference.train(dim=dim, epochs=epochs, threads=threads))


def our_whole(context: Context, ours: Ours, dim: int, threads: int) -> Row:
    """Return the row of ours for a dimension: an epoch, and the whole from text to vectors."""
    done, built = our_training(context, ours, dim, threads), ours.built(threads)
    train, export = done["train"], done["export"]
    words = done["scores"]["words"]
    checks = [check(f"vectors of {words:,} words, the matrix has {built['words']:,}", words == built["words"])]
    checks += above_floor(done["scores"], context.options.floor)
    epoch = median(train["epochs"])
    return {
        "tool": ours.recipe.name, "dim": dim, "threads": threads, "nnz": built["nnz"],
        "epoch": epoch, "entries_per_second": built["nnz"] / epoch,
        "preparing": train["seconds"] - sum(train["epochs"]), "export": export["seconds"],
        "whole": built["seconds"] + train["seconds"] + export["seconds"],
        "epochs": len(train["epochs"]), "measured_epochs": len(train["epochs"]),
        "peak": max(part["peak"] for part in (built, train, export)),
        "disk": sum(part["disk"] for part in (built, train, export)),
        "costs": train["costs"], "scores": done["scores"], "checks": checks,
    }  # fmt: skip


def their_whole(context: Context, reference: Theirs, dim: int, threads: int, before: list[Row]) -> Row:
    """Return the reference's row; its whole is extrapolated where it ran fewer epochs than ours."""
    train, built = their_training(context, reference, dim, threads), reference.built()
    ours = next(row for row in before if (row["tool"], row["dim"], row["threads"]) == (RECIPES[0].name, dim, threads))
    epochs, measured = context.options.epochs, len(train["epochs"])
    counting = [built[name] for name in ("vocab_count", "cooccur", "shuffle")]
    epoch = median(train["epochs"])
    rest = train["seconds"] - sum(train["epochs"])
    last = min(measured, len(ours["costs"])) - 1
    text = f"cost of epoch {last + 1}"
    whole = sum(part["seconds"] for part in counting) + rest + sum(train["epochs"][:epochs])
    whole += max(0, epochs - measured) * epoch
    return {
        "tool": "reference", "dim": dim, "threads": threads, "nnz": built["nnz"],
        "epoch": epoch, "entries_per_second": built["nnz"] / epoch, "preparing": rest, "export": None,
        "whole": whole, "epochs": epochs, "measured_epochs": measured,
        "peak": max(part["peak"] for part in (*counting, train)),
        "disk": sum(part["disk"] for part in (*counting, train)), "costs": train["costs"],
        "ratio_epoch": epoch / ours["epoch"], "ratio_whole": whole / ours["whole"],
        "checks": [near(text, ours["costs"][last], train["costs"][last], COST_TOLERANCE)],
    }  # fmt: skip


def of_gensim(context: Context, name: str, wholes: list[Row]) -> Row:
    """Train a model of gensim; compare its time with ours at the same dimension, if there is one."""
    epochs = context.options.gensim_epochs
    done = gensim_training(context, name, epochs)
    dim = gensims.GENSIM_DIM
    ours = next((row for row in wholes if (row["dim"], row["threads"]) == (dim, context.threads)), None)
    built = Ours.on(context, RECIPES[0]).built(context.threads)
    return {
        "tool": name, "dim": dim, "threads": context.threads, "epochs": epochs, "whole": done["seconds"],
        "ratio_whole": done["seconds"] / ours["whole"] if ours else None,
        "words_per_second": done["corpus_words"] * epochs / done["train"],
        "peak": done["peak"], "disk": done["disk"], "scores": done["scores"],
        "checks": [near("words", done["words"], built["words"], WORDS_TOLERANCE),
                   *above_floor(done["scores"], context.options.floor)],
    }  # fmt: skip


def gensim_training(context: Context, name: str, epochs: int) -> dict[str, Any]:
    """Train a model of gensim on the whole corpus, and score it."""

    def work() -> dict[str, Any]:
        done = gensims.train(context, name, epochs=epochs)
        return {**done, "scores": score(gensims.vectors_of(context, name))}

    return context.store.once(
        f"gensim {name}: min-count {context.options.min_count}, {epochs} epochs, threads {context.threads}", work
    )


def tables(result: dict[str, Any]) -> list[Table]:
    """Return what the Markdown shows."""
    first = Table(
        "Counting", ["stage", "tool", "threads", "s", "ratio", "peak MB", "disk MB", "check"],
        [[r["stage"], r["tool"], r["threads"], seconds(r["seconds"]), times(r.get("ratio")), mb(r["peak"]),
          mb(r["disk"]), state(r)] for r in result["stages"]],
        "Our build-cooc counts words and pairs, and needs no shuffling: its ratio stands at the reference's three "
        "stages together. Ratios are to ours with all threads.",
    )  # fmt: skip
    training = result["training"]
    short = [r["measured_epochs"] for r in training if r["measured_epochs"] < r["epochs"]]
    second = Table(
        "Training, and the whole from text to vectors.txt",
        ["d", "threads", "tool", "M entries/s", "epoch s", "ratio", "whole s", "epochs", "ratio", "peak MB", "disk MB",
         "check"],
        [[r["dim"], r["threads"], r["tool"], rate(r["entries_per_second"]), seconds(r["epoch"]),
          times(r.get("ratio_epoch")), seconds(r["whole"]) + ("\\*" if r["measured_epochs"] < r["epochs"] else ""),
          r["epochs"], times(r.get("ratio_whole")), mb(r["peak"]), mb(r["disk"]), state(r)] for r in training],
        f"\\* extrapolated; measured: counting, {min(short)} epoch(s), saving." if short else "",
    )  # fmt: skip
    third = Table(
        "gensim, from text to vectors",
        ["model", "d", "epochs", "threads", "whole s", "times ours", "peak MB", "questions", "check"],
        [[r["tool"], r["dim"], r["epochs"], r["threads"], seconds(r["whole"]), times(r["ratio_whole"]), mb(r["peak"]),
          number(r["scores"]["total"], 3), state(r)] for r in result["gensim"]],
        "Lines of more than 1,000 words are cut for gensim before the clock starts. Times ours: the whole of ours at "
        "the same d and threads, with its own epochs.",
    )  # fmt: skip
    target = number(result["small"][0]["target"], 4) if result["small"] else ""
    fourth = Table(
        "A small matrix, ours and Mittens",
        ["tool", "words", "entries", "passes", "s", "M entries/s", "ratio", "peak MB", "cost", f"s to cost {target}",
         "check"],
        [[r["tool"], f"{r['words']:,}", f"{r['nnz']:,}", r["epochs"], seconds(r["seconds"]),
          rate(r["entries_per_second"]), times(r["ratio"]), mb(r["peak"]), number(r["cost"], 4),
          seconds(r["seconds_to_target"]), state(r)] for r in result["small"]],
        "M entries/s without preparing; the ratio is how many times faster ours is. Mittens multiplies dense matrices.",
    )  # fmt: skip
    return [table for table in (first, second, third, fourth) if table.rows]


def bad(result: dict[str, Any]) -> list[str]:
    """Return the failed checks."""
    return [text for rows in result.values() for row in rows for text in failed(row["checks"])]
