"""`glove history`: how a training went, also one that still runs."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glove_cli.cli.options import PATH, example, force_option, json_option, run_option
from glove_cli.cli.terminal import say

if TYPE_CHECKING:
    from glove_cli.training.history import History


@click.command("history", epilog=example("glove history", "glove history --plot history.svg"))
@click.argument("path", required=False, type=PATH)
@click.option("--plot", type=PATH, metavar="FILE", help="Draw it to this file, too: .png, .svg or .pdf.")
@force_option
@run_option
@json_option
def command(path: Path | None, plot: Path | None, force: bool, run: Path, as_json: bool) -> None:
    """Show how the training of PATH, a run or a model, went: the cost of each epoch.

    Also of a training that runs or was interrupted. Without PATH, of the run.
    """
    from glove_cli.cli.terminal import check_stdout
    from glove_cli.training.history import find_history

    check_stdout()

    if plot is not None:
        from glove_cli.plots.figure import check_drawing
        from glove_cli.plots.history import draw_history

        check_drawing(plot, force=force)
    found = find_history(path if path is not None else run)
    if plot is not None:
        from glove_cli.cli.tables import shown

        draw_history(found.epochs, plot, title=shown(str(found.model)), force=force)
    for note in _notes(found):
        say(note)
    click.echo(json.dumps(found.epochs, indent=2) if as_json else history_table(found.epochs))


def history_table(history: list[dict[str, Any]]) -> str:
    """Return a history as a table, with a line for each event.

    Parameters
    ----------
    history : list of dict
        What `read_history` returns. An epoch that was rolled back is its event alone.
    """
    from glove_cli.cli.tables import duration, shown, table
    from glove_cli.training.history import standing_epochs

    kept = standing_epochs(history)
    width = max((len(str(epoch["epoch"])) for epoch in kept), default=0)
    changes = [""] + [_change(a["cost"], b["cost"]) for a, b in pairwise(kept)]
    columns = {
        "epoch": [f"{epoch['epoch']:{max(width, len('epoch'))}}" for epoch in kept],
        "cost": [f"{epoch['cost']:.6f}" for epoch in kept],
        "change": changes,
        "held-out cost": [f"{epoch['holdout_cost']:.6f}" if "holdout_cost" in epoch else "" for epoch in kept],
        "accuracy": [f"{100 * epoch['accuracy']:.1f} %" if "accuracy" in epoch else "" for epoch in kept],
        "eta": [f"{epoch['eta']:g}" if "eta" in epoch else "" for epoch in kept],
        "time": [duration(epoch["seconds"]) if "seconds" in epoch else "" for epoch in kept],
    }
    if len({epoch["eta"] for epoch in history if "eta" in epoch}) < 2:
        del columns["eta"]
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    cells = {id(epoch): row for epoch, row in zip(kept, zip(*columns.values(), strict=True), strict=True)}
    rows: list[tuple[str, ...] | str] = []
    for epoch in history:
        if id(epoch) in cells:
            rows.append(cells[id(epoch)])
        if "event" in epoch:
            rows.append(f"{epoch['epoch']:5}  {shown(epoch['event'])}")
    return table(list(columns), rows) if kept else "\n".join(map(str, rows))


def _change(before: float, cost: float) -> str:
    return f"{100 * (cost / before - 1):+.2f} %" if before else ""


def _notes(found: History) -> list[str]:
    """Return what has to be said about a training that has not ended."""
    if not found.ended:
        text = f"Training of {found.model} has not ended: epoch {found.epochs[-1]['epoch']} so far."
        return [f"{text} This is its history, not that of the finished model." if found.other else text]
    if found.other:
        return [
            f"A new training of {found.model} has finished no epoch yet. This is the history of the finished model."
        ]
    return []
