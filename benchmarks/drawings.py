"""The pictures of pictures.py, each drawn by a function from a run, the numbers of its caption printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.cooc.config import CoocConfig
from glove_cli.training.objective import entry_weights
from glove_cli.training.tiles import ROWS_TOGETHER

if TYPE_CHECKING:
    from pictures import Run

WIDTH = 5.2  # inches: letters stay readable where a page is narrow
BLUE, RED, GREEN, GREY = "#1b6ca8", "#b4452c", "#3f7d3a", "#8a8a8a"
STEPS = "#1b6ca8", "#7fb3d8", "#b4452c", "#e3a58f", "#3f7d3a", "#9cc59a", "#6a6a6a", "#bdbdbd"
DENSITY = "viridis_r"
Floats = NDArray[np.float64]
_LEAST_WORDS = 5  # for a median
_OFTEN = 1000


def set_up() -> None:
    """Make matplotlib draw the same bytes each time."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "pictures",
            "font.size": 9.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "savefig.facecolor": "white",  # so that a dark page shows a white card, not black letters on black
        }
    )


def new_figure(height: float, *shape: int, **options: Any) -> tuple[Any, Any]:
    """Return a figure and its axes."""
    from matplotlib import pyplot

    return pyplot.subplots(*(shape or (1, 1)), figsize=(WIDTH, height), layout="constrained", **options)


def save(figure: Any, target: Path) -> None:
    """Write a picture."""
    from matplotlib import pyplot

    figure.savefig(target, dpi=144, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)


def density(axis: Any, x_edges: Floats, y_edges: Floats, values: Floats) -> Any:
    """Draw the cells of a histogram, x first, as an image; those that are 0 stay white."""
    from matplotlib.colors import LogNorm

    shown = np.ma.masked_equal(values.T, 0)
    return axis.pcolormesh(x_edges, y_edges, shown, norm=LogNorm(), cmap=DENSITY, rasterized=True)


def draw_distance(run: Run, target: Path) -> None:
    """Draw what a neighbour adds, by its distance, and what share of all that makes."""
    options = run.cooc.meta["options"]
    figure, axis = new_figure(2.9)
    distance = np.arange(1, options["window"] + 1)
    for name, colour in (("flat", GREY), ("linear", GREEN)):
        weights = CoocConfig(**{**options, "weighting": name}).weights()[1:]
        axis.plot(distance, weights, ".--", color=colour, linewidth=1, label=f"--weighting {name}")
    weights = CoocConfig(**options).weights()[1:]
    axis.bar(distance, weights, 0.7, color=BLUE, label=f"{options['weighting']} (this run)")
    shares = np.cumsum(weights) / weights.sum()
    for k in sorted({1, 2, 5, 10} & set(distance[:-1].tolist())):
        text = f"{shares[k - 1]:.0%}"
        axis.annotate(text, (k, weights[k - 1]), (0, 3), textcoords="offset points", ha="center", color=BLUE)
    axis.set_xlabel("distance in words (percent: share of all weight up to there)")
    axis.set_ylabel("added to X")
    axis.set_xticks(distance if len(distance) <= 20 else distance[::10])
    axis.set_ylim(0, 1.12 * max(1.0, float(weights.max())))
    axis.legend(loc="upper right", bbox_to_anchor=(1, 0.9))
    save(figure, target)


def draw_matrix(run: Run, target: Path) -> None:
    """Draw the matrix by ranks of frequency: how many of the pairs occur, and how often those that do."""
    from matplotlib.ticker import LogLocator

    V = run.cooc.V
    edges = np.unique(np.rint(np.geomspace(1, V + 1, 49)))  # ranks from 1
    cell = np.searchsorted(edges, np.arange(1, V + 1), side="right") - 1
    n = len(edges) - 1
    filled, logs = np.zeros((n, n)), np.zeros((n, n))
    for row, col, x, copies in run.pieces():
        for i, j, weight in ((row, col, np.ones(len(x))), (col, row, copies - 1)):
            place = cell[i] * n + cell[j]
            filled += np.bincount(place, weight, n * n).reshape(n, n)
            logs += np.bincount(place, weight * np.log10(x), n * n).reshape(n, n)
    size = np.diff(edges)
    shares = filled / np.outer(size, size)
    means = 10 ** (logs / np.maximum(filled, 1)) * (filled > 0)
    figure, axes = new_figure(3.5, 1, 2, sharex=True, sharey=True)
    labels = "share of pairs that occur", "mean X of those"
    for axis, values, label in zip(axes, (shares, means), labels, strict=True):
        image = density(axis, edges, edges, values.T)  # rows are drawn from top to bottom
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_aspect("equal")
        axis.set_xlabel("rank of the context")
        bar = figure.colorbar(image, ax=axis, location="top", label=label, aspect=18)
        bar.ax.xaxis.set_major_locator(LogLocator(numticks=4))
        bar.ax.minorticks_off()
    axes[0].set_ylim(edges[-1], edges[0])
    axes[0].set_ylabel("rank of the word")
    save(figure, target)
    stored = [(edges[k], edges[k + 1] - 1, shares[k, k]) for k in (n // 2, n - 1)]
    print(f"zeros      {1 - run.cooc.nnz / V**2:.2%} of V x V; pairs of words of ranks", end=" ")
    print("; ".join(f"{int(a):,} to {int(b):,}: {share:.2%} occur" for a, b, share in stored), "\n")


def draw_weights(run: Run, target: Path) -> None:
    """Draw f(x) over the counts that there are, and over the weight that they get."""
    config = run.config
    edges = np.linspace(np.log10(1 / 20), 7, 60)
    pairs, weighted = np.zeros(59), np.zeros(59)
    below = dict.fromkeys((config.x_max, 1.0), 0.0)
    for _, _, x, copies in run.pieces():
        log_x = np.log10(x)
        f = entry_weights(x, config.x_max, config.alpha)
        pairs += np.histogram(log_x, edges, weights=copies)[0]
        weighted += np.histogram(log_x, edges, weights=copies * f)[0]
        for limit in below:
            below[limit] += float(copies[x < limit].sum())
    used = np.flatnonzero(pairs)
    figure, axis = new_figure(3.6)
    centre, width = 10 ** ((edges[1:] + edges[:-1]) / 2), np.diff(10**edges)
    axis.bar(centre, pairs / pairs.sum(), width, color="#c9c9c9", label="share of the pairs")
    axis.stairs(weighted / weighted.sum(), 10**edges, color=BLUE, linewidth=1.4, label="share of all f(x)")
    axis.set_xscale("log")
    axis.set_xlim(10 ** edges[used[0]], 10 ** edges[used[-1] + 1])
    axis.set_xlabel("count x of a pair")
    axis.set_ylabel("share in a step of the histogram")
    other = axis.twinx()
    other.spines["right"].set_visible(True)
    x = 10 ** np.linspace(edges[0], edges[-1], 400)
    for x_max, style in ((config.x_max, "-"), (10 * config.x_max, "--")):
        label = f"f(x), x_max {x_max:g}"
        other.plot(x, entry_weights(x, x_max, config.alpha), style, color=RED, linewidth=1.4, label=label)
    other.set_ylim(0, 1.05)
    other.set_ylabel("f(x)", color=RED)
    handles = [*axis.get_legend_handles_labels()[0], *other.get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    save(figure, target)
    shares = ", ".join(f"{count / run.cooc.nnz:.1%} below {limit:g}" for limit, count in below.items())
    print(f"counts     {shares}; mean f {weighted.sum() / pairs.sum():.3f}\n")


def draw_biases(run: Run, target: Path) -> None:
    """Draw where biases end, over the frequency of the word."""
    vocab, bias = run.cooc.vocab, np.asarray(run.model.b_w, np.float64)
    log_count = np.log(np.asarray(vocab.counts, np.float64))
    values, x_edges, y_edges = np.histogram2d(log_count / np.log(10), bias, (90, 70))
    figure, axis = new_figure(3.3)
    image = density(axis, 10**x_edges, y_edges, values)
    axis.set_xscale("log")
    figure.colorbar(image, ax=axis, label="words", aspect=25)
    steps = np.geomspace(vocab.counts.min(), vocab.counts.max() + 1, 19)
    step = np.searchsorted(steps, vocab.counts, side="right") - 1
    held = np.flatnonzero(np.bincount(step, minlength=18) >= _LEAST_WORDS)
    medians = [float(np.median(bias[step == k])) for k in held]
    axis.plot(np.sqrt(steps[held] * steps[held + 1]), medians, color=RED, linewidth=1.4, label="median")
    for rank in (0, 9, 99, 999):
        if rank < run.cooc.V:
            at = (int(vocab.counts[rank]), float(bias[rank]))
            axis.plot(*at, "o", color="black", markersize=3)
            axis.annotate(vocab.words[rank], at, (-5, 4), textcoords="offset points", ha="right")
    axis.set_xlabel("occurrences of the word")
    axis.set_ylabel("its bias b")
    axis.set_xlim(right=2 * float(vocab.counts.max()))
    axis.set_ylim(top=bias.max() + 0.08 * np.ptp(bias))
    axis.legend(loc="lower right")
    save(figure, target)
    often = log_count > np.log(_OFTEN)
    for name, which in ((f"more than {_OFTEN:,}", often), ("no more than that", ~often)):
        if which.sum() > 2:
            slope = np.polyfit(log_count[which], bias[which], 1)[0]
            text = f"median {np.median(bias[which]):.2f}, {slope:.2f} more for each 1 in the logarithm of the count"
            print(f"biases     occurrences {name}: {text}")
    print()


def draw_rounds(sizes: NDArray[np.int64], tiles: NDArray[np.int64], group: int, target: Path) -> None:
    """Draw all tiles with one round among them, and a group of it."""
    from matplotlib.patches import Rectangle

    blocks = len(sizes)
    figure, axes = new_figure(3.3, 1, 2, width_ratios=(1.12, 1))
    axis = axes[0]
    axis.imshow(sizes, cmap="Greys", vmin=0.8 * sizes.min(), vmax=1.3 * sizes.max(), interpolation="none")
    for number, of_group in enumerate(tiles):
        row, col = of_group.min() // blocks, (of_group % blocks).min()
        chosen = number == len(tiles) // 2
        colour = RED if chosen else BLUE
        axis.add_patch(Rectangle((col - 0.5, row - 0.5), group, group, facecolor=colour, edgecolor="white", alpha=0.85))
    axis.set_xlabel("block of contexts")
    axis.set_ylabel("block of words")
    axis.set_title(f"a round: {len(tiles)} groups", fontsize=9.5)
    ticks = np.arange(0, blocks + 1, max(1, blocks // 4))
    axis.set_xticks(ticks - 0.5, ticks)
    axis.set_yticks(ticks - 0.5, ticks)
    axis = axes[1]
    for step, of_step in enumerate(tiles[len(tiles) // 2]):
        for tile in of_step.tolist():
            row, col = divmod(tile, blocks)
            face = STEPS[step % len(STEPS)]
            axis.add_patch(Rectangle((col - 0.5, row - 0.5), 1, 1, facecolor=face, edgecolor="white"))
            dark = step % 2 == 0
            text = f"{step + 1}\n{sizes[row, col]:,}"
            axis.text(col, row, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    rows, cols = np.unique(tiles[len(tiles) // 2] // blocks), np.unique(tiles[len(tiles) // 2] % blocks)
    axis.set_xlim(cols[0] - 0.5, cols[-1] + 0.5)
    axis.set_ylim(rows[-1] + 0.5, rows[0] - 0.5)
    axis.set_xticks(cols)
    axis.set_yticks(rows)
    axis.set_aspect("equal")
    axis.set_title("the red one: steps, pairs a tile", fontsize=9.5)
    axis.set_xlabel("block of contexts")
    for axis in axes:
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
    save(figure, target)


def draw_tile(row: NDArray[np.int64], col: NDArray[np.int64], target: Path) -> None:
    """Draw the order of a tile's entries: groups of rows from top to bottom, contexts here and there."""
    figure, axes = new_figure(3.6, 2, 1, sharex=True)
    number = np.arange(1, len(row) + 1)
    for axis, values, colour, label in ((axes[0], row, BLUE, "word"), (axes[1], col, GREEN, "context")):
        axis.plot(number, values, ",", color=colour, rasterized=True)
        axis.set_ylabel(f"{label}, its row\nin the block")
        axis.invert_yaxis()
    axes[1].set_xlabel("entries of the tile, in the order of training")
    axes[1].xaxis.set_major_formatter("{x:,.0f}")
    axes[0].text(0.03, 0.2, f"{ROWS_TOGETHER} words at a time", transform=axes[0].transAxes, color=BLUE)
    save(figure, target)


def draw_fit(run: Run, fits: dict[str, Floats], costs: list[float], target: Path) -> None:
    """Draw w . c + b + b' over log X at three times, and the cost of every epoch."""
    log_x = run.sample[2]
    low, high = float(np.floor(log_x.min())), float(np.ceil(np.quantile(log_x, 0.99999)))
    edges = np.linspace(low, high, 81)
    weights = entry_weights(np.exp(log_x), run.config.x_max, run.config.alpha)
    figure, axes = new_figure(5.0, 2, 2)
    panels = axes.ravel()
    for axis, (name, fitted) in zip(panels, fits.items(), strict=False):
        values, _, _ = np.histogram2d(log_x, np.clip(fitted, low, high), (edges, edges))
        density(axis, edges, edges, values)
        axis.plot([low, high], [low, high], color=RED, linewidth=1)
        axis.set_title(name, fontsize=9.5)
        axis.set_aspect("equal")
        ticks = np.arange(np.ceil(low / 5) * 5, high + 1, 5)
        axis.set_xticks(ticks)
        axis.set_yticks(ticks)
        off = np.sqrt(np.average((fitted - log_x) ** 2, weights=weights))
        print(f"fit        {name}: off by {off:.3f} (root of the weighted mean square)")
    for axis in (panels[0], panels[2]):
        axis.set_ylabel("w·c + b + b'")
    for axis in panels[:3]:
        axis.set_xlabel("log X")
    axis = panels[3]
    axis.plot(np.arange(1, len(costs) + 1), costs, ".-", color=BLUE)
    axis.set_ylim(bottom=0)
    axis.set_title("cost", fontsize=9.5)
    axis.set_xlabel("epoch")
    axis.set_xticks([1, *range(5, len(costs) + 1, max(5, len(costs) // 15 * 5))])
    save(figure, target)
