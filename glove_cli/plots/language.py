"""Perplexity by the size of the training text, as a picture."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glove_cli.plots.figure import check_drawing, house_style, save_figure
from glove_cli.plots.fonts import drawable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from glove_cli.language.report import LanguageReport, LanguageScore

_INCHES = (7.0, 4.6)
_NAME_LENGTH = 40
_LOOKS: dict[str, dict[str, Any]] = {
    "n-gram": {"linestyle": "-", "marker": "o"},
    "random": {"linestyle": ":", "marker": "^"},
    "frozen": {"linestyle": "--", "marker": "s"},
    "tuned": {"linestyle": "-.", "marker": "D"},
}
# Okabe and Ito's (2008): those of what has no vectors, and one for each model in turn.
_PLAIN = {"n-gram": "#333333", "random": "#8a8a8a"}
_COLOURS = ("#0072B2", "#D55E00", "#007a5e", "#CC79A7", "#56B4E9", "#E69F00")


def draw_language(
    report: LanguageReport, path: str | os.PathLike[str], *, title: str | None = None, force: bool = False
) -> None:
    """Draw how perplexity falls as the training text grows, a line for each kind of model.

    Parameters
    ----------
    report : LanguageReport
    path : path-like
        The file to make; its suffix, one of .png, .svg and .pdf, says how.
    title : str, optional
        What stands above the picture.
    force : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OptionError
        If the suffix is another one.
    OutputError
        If matplotlib is not installed, or `path` exists and may not be replaced or can't be written.

    Notes
    -----
    Both axes are logarithmic; bars are the 95 % intervals over seeds. The same report gives the same bytes, with the
    same version of matplotlib.
    """
    path = Path(path)
    check_drawing(path, force=force)
    found = [drawable(text) for text in (" ".join((title or "").split()), *map(_name, report.scores))]
    first, *labels = [text for text, _ in found]
    with house_style(list(dict.fromkeys(family for _, families in found for family in families))):
        save_figure(_figure(report, labels, first), path, force=force)


def _name(score: LanguageScore) -> str:
    """Return what the legend calls a line."""
    if score.model is None:
        return f"{score.size}-gram" if score.kind == "n-gram" else f"{score.kind}, d={score.size}"
    name = " ".join(score.model.split())
    return f"{name if len(name) <= _NAME_LENGTH else chr(0x2026) + name[1 - _NAME_LENGTH :]}, {score.kind}"


def _figure(report: LanguageReport, labels: list[str], title: str) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, NullLocator

    lines: dict[tuple[str, str | None, int], list[LanguageScore]] = {}
    names: dict[tuple[str, str | None, int], str] = {}
    for score, label in zip(report.scores, labels, strict=True):
        lines.setdefault((score.kind, score.model, score.size), []).append(score)
        names[score.kind, score.model, score.size] = label
    models = list(dict.fromkeys(model for _, model, _ in lines if model is not None))
    figure = Figure(figsize=(_INCHES[0], _INCHES[1] + 0.2 * len(lines)))
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    for (kind, model, size), scores in lines.items():
        x = [sum(score.tokens) / len(score.tokens) for score in scores]
        y = [score.perplexity for score in scores]
        colour = _PLAIN[kind] if model is None else _COLOURS[models.index(model) % len(_COLOURS)]
        limits = [score.interval or (value, value) for score, value in zip(scores, y, strict=True)]
        bars = [
            [value - low for value, (low, _) in zip(y, limits, strict=True)],
            [high - value for value, (_, high) in zip(y, limits, strict=True)],
        ]
        axes.errorbar(
            x, y, bars, label=names[kind, model, size], color=colour, capsize=2.5, elinewidth=0.9, linewidth=1.5,
            markersize=4.5, **_LOOKS[kind],
        )  # fmt: skip
    sizes = sorted({round(sum(score.tokens) / len(score.tokens)) for score in report.scores})
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:.0f}")
    axes.yaxis.set_minor_formatter("{x:.0f}")
    axes.tick_params(axis="y", which="minor", labelsize=8)
    axes.set_xlabel("tokens of the training text")
    axes.set_ylabel("perplexity of the test text")
    axes.grid(which="both", axis="y", color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["right"].set_visible(False)
    if title:
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    figure.legend(loc="outside lower left", ncols=1, frameon=False, handlelength=4)
    return figure
