"""What a user has after so many seconds, from raw text on this machine, whichever tool runs.

Each tool gets settings that fill the time: from its rates on the whole text, measured before, follow the share of the
text that can be counted and trained on at least once, and, when counting has ended, the number of epochs that fit in
the rest. Where that leaves few epochs, a second plan takes less text and five epochs or more. Cutting the text and
measuring the rates isn't counted. The time that it really took stands beside the scores; a run that took a tenth more
than it should is done once more, with less to do.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from proof import gensims, picture
from proof.checks import above_floor, failed
from proof.context import Context
from proof.ours import Ours, start_seconds
from proof.scoring import PROTOCOL, measures, score
from proof.settings import LEAST_EPOCHS, MOST_EPOCHS
from proof.speed import gensim_training, our_training, their_training
from proof.tables import Table, number, seconds, state
from proof.texts import share_of
from proof.theirs import Theirs

# With a share s of the text come about s^0.8 of the pairs and s^0.6 of the words, more rather than less, so that a plan
# doesn't take too long.
PAIRS, WORDS = 0.8, 0.6
STEP, LEAST_SHARE = 0.8, 1 / 256
USED, OVER = 0.97, 1.1  # of the time: to be planned, and too much
ENOUGH = 5  # epochs over the whole text after which vectors must reach the floor
SKIP_GRAM = "skip-gram"
COUNTING = ("vocab_count", "cooccur", "shuffle")


@dataclass(frozen=True)
class Rates:
    """Seconds on the whole text: start of all programs, counting, preparing, an epoch, saving."""

    start: float
    counting: float
    preparing: float
    epoch: float
    saving: float
    pairs: float = PAIRS  # power of the share with which an epoch grows

    def at(self, share: float) -> Rates:
        """Return what is expected of a share of the text."""
        more = share**self.pairs
        return Rates(
            self.start, self.counting * share, self.preparing * more, self.epoch * more, self.saving * share**WORDS
        )

    @property
    def fixed(self) -> float:
        """All but the epochs."""
        return self.start + self.counting + self.preparing + self.saving


def epochs_in(left: float, epoch: float, least: int, most: int) -> int:
    """Return the number of epochs that take so many seconds."""
    return int(min(max(left / max(epoch, 1e-9), least), most))


def largest_share(rates: Rates, budget: float, least: int) -> float | None:
    """Return the share of the text that can be trained on at least so often in the time; None for none."""
    share = 1.0
    while share >= LEAST_SHARE:
        here = rates.at(share)
        if here.fixed + least * here.epoch <= budget:
            return share
        share *= STEP
    return None


@dataclass(frozen=True)
class Tool:
    """A tool: what names its results, its rates, and what runs it on a share of the text for so many seconds."""

    key: str
    rates: Rates
    work: Callable[[float, float, int], dict[str, Any]]  # seconds, share, least number of epochs


def run(context: Context) -> dict[str, Any]:
    """Run every tool with every budget, by one plan or two."""
    options = context.options
    settings = f"d {options.equal_time_dim}, threads {context.threads}, min-count {options.min_count}; of ours and the "
    settings += f"reference window {options.window}, x_max {options.x_max:g}; of gensim window {gensims.GENSIM_WINDOW}"
    rows = []
    found = tools(context)
    for budget in options.budgets:
        for name, tool in found.items():
            planned = []
            for least in LEAST_EPOCHS[:1] if context.quick else LEAST_EPOCHS:
                share = largest_share(tool.rates, USED * budget, least)
                if share in planned or (share is None and planned):
                    continue
                planned.append(share)
                key = f"equal time: {tool.key}, {budget:g} s, {least} epochs at least; {settings}"
                done = context.store.once(key, lambda t=tool, b=budget, n=least: fill(t, b, n))
                row = {"tool": name, "budget": budget, "least_epochs": least, **done}
                rows.append({**row, "checks": _checks(done, options.floor)})
    return {"rows": rows, "settings": settings, "protocol": PROTOCOL}


def tools(context: Context) -> dict[str, Tool]:
    """Return the tools that take part; measuring their rates, where that wasn't done before."""
    found = {}
    for recipe in context.recipes:
        ours = Ours.on(context, recipe)
        rates = our_rates(context, ours)
        found[recipe.name] = Tool(ours.label, rates, _ours(context, ours, rates))
    if context.has("reference"):
        found["reference"] = Tool("reference", reference_rates(context), _reference(context))
    if context.has("gensim"):
        rates = gensim_rates(context)
        found[SKIP_GRAM] = Tool(SKIP_GRAM, rates, _gensim(context, rates))
    return found


def fill(tool: Tool, budget: float, least: int) -> dict[str, Any]:
    """Run a tool; once more with less to do if it took too long."""
    share = largest_share(tool.rates, USED * budget, least)
    if share is None:
        return {"share": None, "epochs": None, "seconds": None, "scores": None}
    done = tool.work(USED * budget, share, least)
    first = done["seconds"]
    if first > OVER * budget:
        less = USED * budget * budget / first
        share = largest_share(tool.rates, less, least)
        again = tool.work(less, share, least) if share is not None else done
        if again["seconds"] < first:
            done = {**again, "first_try_seconds": first}
    return done


def _ours(context: Context, ours: Ours, rates: Rates) -> Callable[[float, float, int], dict[str, Any]]:
    dim, threads = context.options.equal_time_dim, context.threads

    def work(budget: float, share: float, least: int) -> dict[str, Any]:
        built, start = ours.built(threads), start_seconds(context)
        text = share_of(context.corpus, share, context.work)
        here = Ours.on(context, ours.recipe, text, "-timed")
        counted = here.build(threads)
        scale = counted["nnz"] / built["nnz"]
        left = budget - counted["seconds"] - start["train"] - start["export"]
        left -= rates.preparing * scale + rates.saving * counted["words"] / built["words"]
        epochs = epochs_in(left, rates.epoch * scale, least, MOST_EPOCHS["glove"])
        trained, exported = here.train(dim=dim, epochs=epochs, threads=threads), here.export()
        here.remove(matrix=True)
        return _result(share, epochs, counted["seconds"] + trained["seconds"] + exported["seconds"], here.vectors)

    return work


def our_rates(context: Context, ours: Ours) -> Rates:
    """Return the rates of ours on the whole text."""
    done = our_training(context, ours, context.options.equal_time_dim, context.threads)
    start, built, train = start_seconds(context), ours.built(context.threads), done["train"]
    return Rates(
        start=start["build"] + start["train"] + start["export"],
        counting=max(0, built["seconds"] - start["build"]),
        preparing=max(0, train["seconds"] - sum(train["epochs"]) - start["train"]),
        epoch=median(train["epochs"]),
        saving=max(0, done["export"]["seconds"] - start["export"]),
    )


def reference_rates(context: Context) -> Rates:
    """Return the rates of the reference on the whole text; its start takes no time."""
    whole = Theirs.on(context)
    built, train = whole.built(), their_training(context, whole, context.options.equal_time_dim, context.threads)
    saving = max(0, train["seconds"] - sum(train["epochs"]))
    return Rates(0, sum(built[name]["seconds"] for name in COUNTING), 0, median(train["epochs"]), saving)


def _reference(context: Context) -> Callable[[float, float, int], dict[str, Any]]:
    def work(budget: float, share: float, least: int) -> dict[str, Any]:
        rates, built = reference_rates(context), Theirs.on(context).built()
        here = Theirs.on(context, share_of(context.corpus, share, context.work), "-timed")
        counted = here.build()
        spent = sum(counted[name]["seconds"] for name in COUNTING)
        left = budget - spent - rates.saving * counted["words"] / built["words"]
        epoch = rates.epoch * counted["nnz"] / built["nnz"]
        epochs = epochs_in(left, epoch, least, MOST_EPOCHS["reference"])
        trained = here.train(dim=context.options.equal_time_dim, epochs=epochs, threads=context.threads)
        for path in (here.tools.matrix, here.tools.shuffled):
            path.unlink()
        return _result(share, epochs, spent + trained["seconds"], here.vectors)

    return work


def gensim_rates(context: Context) -> Rates:
    """Return the rates of gensim's skip-gram on the whole text."""
    epochs = context.options.gensim_epochs
    done = gensim_training(context, SKIP_GRAM, epochs)
    start = done["seconds"] - done["scan"] - done["train"] - done["save"]
    return Rates(start, done["scan"], 0, done["train"] / epochs, done["save"], pairs=1)


def _gensim(context: Context, rates: Rates) -> Callable[[float, float, int], dict[str, Any]]:
    def work(budget: float, share: float, least: int) -> dict[str, Any]:
        here = rates.at(share)
        epochs = epochs_in(budget - here.fixed, here.epoch, least, MOST_EPOCHS[SKIP_GRAM])
        text, dim = share_of(context.corpus, share, context.work), context.options.equal_time_dim
        found = gensims.train(context, SKIP_GRAM, epochs=epochs, dim=dim, corpus=text)
        return _result(share, epochs, found["seconds"], gensims.vectors_of(context, SKIP_GRAM))

    return work


def _result(share: float, epochs: int, seconds: float, vectors: Path) -> dict[str, Any]:
    return {"share": share, "epochs": epochs, "seconds": seconds, "scores": score(vectors)}


def _checks(done: dict[str, Any], floor: float) -> list[dict[str, Any]]:
    enough = done["share"] == 1 and done["epochs"] >= ENOUGH
    return above_floor(done["scores"], floor) if enough else []


def tables(result: dict[str, Any]) -> list[Table]:
    """Return what the Markdown shows."""
    scored = next((row["scores"] for row in result["rows"] if row["scores"]), {})
    names = measures(scored)
    header = ["s given", "tool", "s taken", "share of the text", "epochs", "words", *names, "check"]
    rows = []
    for row in result["rows"]:
        if row["scores"] is None:
            rows.append([f"{row['budget']:g}", row["tool"], "doesn't fit", *[""] * (len(header) - 3)])
            continue
        scores = row["scores"]
        rows.append(
            [f"{row['budget']:g}", row["tool"],
             _taken(row), f"{row['share']:.2g}", row["epochs"],
             f"{scores['words']:,}", *(number(scores[name], 3) for name in names), state(row)]
        )  # fmt: skip
    note = (
        f"{result['settings']}; {result['protocol']}. Questions with unknown words are skipped, but in *of all* they "
    )
    note += "count as wrong: a share of the text has fewer words, so that only *of all* compares shares."
    return [Table("The same time for each", header, rows, note)]


def _taken(row: dict[str, Any]) -> str:
    return seconds(row["seconds"]) + (" (over)" if row["seconds"] > OVER * row["budget"] else "")


def draw(result: dict[str, Any], stem: Path) -> list[Path]:
    """Draw the scores over the time; nothing without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        return []
    return [picture.scores_over_time(result["rows"], stem.with_name(f"{stem.name}-equal-time.svg"))]


def bad(result: dict[str, Any]) -> list[str]:
    """Return the failed checks."""
    return [text for row in result["rows"] for text in failed(row["checks"])]
