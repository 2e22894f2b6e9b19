"""The picture of equal-time: the share of all questions that were answered right, over the time taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLOURS = ("#1b6ca8", "#b4452c", "#3f7d3a", "#8a5fa8", "#7a6a3a", "#555555")
MARKS = "os^Dvx"
NAMES = {
    "glove": "glove",
    "wide": "glove --recipe wide",
    "reference": "original tools",
    "skip-gram": "gensim skip-gram",
}
SETS = {"of all": "share of all questions", "MEN-TR-3k": "MEN (rho)"}


def best_plans(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, for each tool and time, the row with the largest share of all questions."""
    best: dict[tuple[str, float], dict[str, Any]] = {}
    for row in rows:
        key = (row["tool"], row["budget"])
        if row["scores"] and (key not in best or (row["scores"]["of all"] or 0) > (best[key]["scores"]["of all"] or 0)):
            best[key] = row
    return list(best.values())


def scores_over_time(rows: list[dict[str, Any]], target: Path) -> Path:
    """Draw a line for each tool; the same rows give the same bytes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    done = best_plans(rows)
    names = [name for name in SETS if any(row["scores"].get(name) is not None for row in done)] or ["of all"]
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "glove", "font.family": "sans-serif"}):
        figure, axes = pyplot.subplots(
            1, len(names), figsize=(4.6 * len(names), 3.6), layout="constrained", squeeze=False
        )
        for axis, name in zip(axes[0], names, strict=True):
            for number, tool in enumerate(dict.fromkeys(row["tool"] for row in rows)):
                points = [(row["seconds"], row["scores"].get(name)) for row in done if row["tool"] == tool]
                points = [point for point in points if point[1] is not None]
                style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKS[number % len(MARKS)]}
                axis.plot([x for x, _ in points], [y for _, y in points], label=NAMES.get(tool, tool), **style)
            axis.set_xscale("log")
            ticks = sorted({row["budget"] for row in rows})
            axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axis.minorticks_off()
            axis.set_ylim(bottom=0)
            axis.set_xlabel("seconds from the raw text")
            axis.set_ylabel(SETS[name])
            axis.spines[["top", "right"]].set_visible(False)
        axes[0, 0].legend(frameon=False)
        figure.savefig(target, metadata={"Date": None})
        pyplot.close(figure)
    return target
