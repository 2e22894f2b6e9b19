"""How a training went, as a picture: cost by epoch, and held-out cost, accuracy and events where there are any."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glove_cli.errors import OptionError
from glove_cli.plots.figure import FAINT, INK, check_drawing, house_style, save_figure
from glove_cli.plots.fonts import drawable
from glove_cli.training.history import standing_epochs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES = (7.0, 4.2)
_LINE_INCHES = 0.19  # of a line of the notes below the picture
_MARKS = 25  # more than so many marks on a line would hide it
_NOTES = 6
_NOTE_LENGTH = 100
_TITLE_LENGTH = 70
# Colour, line and mark of each: told apart also without colour. The colours are Okabe and Ito's (2008).
_COST = {"color": "#0072B2", "linestyle": "-", "marker": "o"}
_HOLDOUT = {"color": "#D55E00", "linestyle": "--", "marker": "s"}
_ACCURACY = {"color": "#007a5e", "linestyle": ":", "marker": "^"}


def draw_history(
    history: Sequence[dict[str, Any]], path: str | os.PathLike[str], *, title: str | None = None, force: bool = False
) -> None:
    """Draw how a training went.

    Parameters
    ----------
    history : sequence of dict
        What `read_history` returns.
    path : path-like
        The file to make; its suffix, one of .png, .svg and .pdf, says how.
    title : str, optional
        What stands above the picture.
    force : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OptionError
        If the suffix is another one, or no epoch has a cost.
    OutputError
        If matplotlib is not installed, or `path` exists and may not be replaced or can't be written.

    Notes
    -----
    Epochs that were rolled back or done again are left out of the lines; events are thin upright lines, and are told
    below the picture. The same history gives the same bytes, with the same version of matplotlib.
    """
    path = Path(path)
    check_drawing(path, force=force)
    epochs = standing_epochs(history)
    if not epochs:
        raise OptionError(f"{path}: nothing to draw, no epoch of this history has a cost. Train a model first.")
    title, families = drawable(title or "")
    with house_style(families):
        save_figure(_figure(epochs, history, title), path, force=force)


def _figure(epochs: list[dict[str, Any]], history: Sequence[dict[str, Any]], title: str | None) -> Figure:
    """Return the picture: the axes, and below them the notes, for which it grows."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    notes = _notes(history)
    width, height = _INCHES[0], _INCHES[1] + len(notes) * _LINE_INCHES
    figure = Figure(figsize=(width, height))
    noted = (len(notes) + 0.5) * _LINE_INCHES / height if notes else 0.0
    figure.set_layout_engine("constrained", rect=(0.005, noted, 0.985, 0.99 - noted))
    axes = figure.add_subplot()
    lines = [_line(axes, epochs, "cost", "cost", _COST)]
    if any("holdout_cost" in epoch for epoch in epochs):
        lines.append(_line(axes, epochs, "holdout_cost", "held-out cost", _HOLDOUT))
    axes.set_xlabel("epoch (passes over all pairs)")
    axes.set_ylabel("cost (mean per pair)")
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    first, last = epochs[0]["epoch"], epochs[-1]["epoch"]
    margin = max(0.5, (last - first) * 0.02)
    axes.set_xlim(first - margin, last + margin)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    right = any("accuracy" in epoch for epoch in epochs)
    if right:
        second = axes.twinx()
        lines.append(_line(second, epochs, "accuracy", "accuracy (right)", _ACCURACY, factor=100))
        second.set_ylabel("accuracy (% of analogy questions)")
        most = max(1.0, *(100 * epoch["accuracy"] for epoch in epochs if "accuracy" in epoch))
        second.set_ylim(-0.04 * most, 1.08 * most)
    axes.spines["right"].set_visible(right)
    for epoch in {e["epoch"] for e in history if "event" in e}:
        axes.axvline(epoch, color=FAINT, linewidth=0.9, zorder=1)
    if title:
        title = title if len(title) <= _TITLE_LENGTH else f"\u2026{title[1 - _TITLE_LENGTH :]}"
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=26 if len(lines) > 1 else 10)
    if len(lines) > 1:
        axes.legend(
            handles=lines, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, borderaxespad=0.2,
            handlelength=3, borderpad=0.2,
        )  # fmt: skip
    for number, note in enumerate(notes):
        below = (len(notes) - number - 0.2) * _LINE_INCHES / height
        figure.text(0.02, below, note, fontsize=8.5, color=INK, va="center")
    return figure


def _line(axes: Axes, epochs: list[dict[str, Any]], key: str, label: str, look: dict[str, Any], factor: int = 1) -> Any:
    """Draw one value by epoch, over the epochs that have it."""
    points = [(epoch["epoch"], factor * epoch[key]) for epoch in epochs if key in epoch]
    step = -(-len(points) // _MARKS)
    marked = {0, *range(len(points) - 1, 0, -step)}  # the last one always
    x, y = zip(*points, strict=True)
    (line,) = axes.plot(x, y, label=label, linewidth=1.6, markersize=5, markevery=sorted(marked), **look)
    return line


def _notes(history: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line for each event; of many, the last is how many more there are."""
    notes = [f"epoch {epoch['epoch']}: {' '.join(epoch['event'].split())}" for epoch in history if "event" in epoch]
    notes = [note if len(note) <= _NOTE_LENGTH else f"{note[: _NOTE_LENGTH - 1]}\u2026" for note in notes]
    return notes if len(notes) <= _NOTES else [*notes[: _NOTES - 1], f"and {len(notes) - _NOTES + 1} more"]
