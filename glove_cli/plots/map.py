"""How a map of words looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.plots.figure import FAINT, INK
from glove_cli.plots.labels import place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

# Okabe and Ito's (2008) colours without yellow, which white swallows; 7 colours and 8 marks meet in 56 ways.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4d4d4d")
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "p")
_ONE, _OTHER = _COLOURS[0], _COLOURS[1]
_DARK = 0.62  # of a colour, in a label
_LABEL, _SMALL, _TITLE = 8.0, 8.5, 12.0  # points, as all type
_TITLE_LENGTH = 100
_LINE = 0.21  # inches of a line of the legend
_EDGE = 0.12  # inches around everything
_ROOM = 0.05  # share of the width and height that stays free around the points
_POINTS_AN_INCH = 72.0


class Map(NamedTuple):
    """A picture that is made but not saved.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    labelled : bool array (n,)
        Whether a label stands beside each point.
    texts : list of matplotlib.text.Text
        The labels.
    """

    figure: Figure
    labelled: NDArray[np.bool_]
    texts: list[Text]


def draw_map(
    places: NDArray[np.float64],
    labels: Sequence[str | None],
    inches: tuple[float, float],
    *,
    axes: tuple[str, str] | None = None,
    title: str | None = None,
    cluster: NDArray[np.int32] | None = None,
    legend: Sequence[str] = (),
    pairs: Sequence[tuple[int, int]] = (),
) -> Map:
    """Draw points with labels beside them.

    Parameters
    ----------
    places : float64 array (n, 2)
        The points; those before others get their labels first.
    labels : sequence of str or None, length n
        None for a point without a label.
    inches : (float, float)
        Width and height of the picture.
    axes : (str, str), optional
        What the axes are, which are left out otherwise.
    title : str, optional
        What stands above.
    cluster : int32 array (n,), optional
        Cluster of each point.
    legend : sequence of str
        Name of each cluster.
    pairs : sequence of (int, int)
        Points to be joined by an arrow from the first to the second.

    Returns
    -------
    Map
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=_POINTS_AN_INCH)
    renderer = FigureCanvasAgg(figure).get_renderer()
    below = _legend_room(figure, legend, inches)
    left, low = (0.42, 0.36) if axes else (_EDGE, _EDGE)
    top = 0.42 if title else _EDGE
    width, height = inches[0] - left - _EDGE, inches[1] - low - top - below
    area = figure.add_axes(
        (left / inches[0], (low + below) / inches[1], width / inches[0], max(0.1, height / inches[1]))
    )
    _frame(area, places, width, max(0.1, height), axes)
    if title:
        title = title if len(title) <= _TITLE_LENGTH else f"{title[: _TITLE_LENGTH - 1]}\u2026"
        figure.text(left / inches[0], 1 - 0.3 / inches[1], title, fontsize=_TITLE, fontweight="bold", va="baseline")
    size = float(np.clip(5.2 - 0.6 * np.log10(len(places)), 2.6, 4.5))
    colours = _points(area, places, cluster, pairs, legend, size)
    lines = _arrows(area, places, pairs, size)
    dots = area.transData.transform(places)
    texts = [
        area.text(0, 0, label, fontsize=_LABEL, color=colour, va="bottom", ha="left", zorder=4) if label else None
        for label, colour in zip(labels, colours, strict=True)
    ]
    boxes = [text.get_window_extent(renderer) if text is not None else None for text in texts]
    sizes = np.array([(box.width, box.height) if box is not None else (np.nan, np.nan) for box in boxes])
    frame = area.bbox
    found = place_labels(
        dots, sizes, (frame.x0, frame.y0, frame.x1, frame.y1), reach=size / 2 + 1.5, lines=lines if len(pairs) else None
    )
    back = area.transData.inverted()
    kept = []
    for k, text in enumerate(texts):
        if text is None:
            continue
        if np.isnan(found.corners[k, 0]):
            text.remove()
            continue
        text.set_position(tuple(back.transform(found.corners[k])))
        kept.append(text)
        if found.far[k]:
            ends = np.array([places[k], back.transform(found.ends[k])])
            area.plot(ends[:, 0], ends[:, 1], color=FAINT, linewidth=0.4, zorder=1)
    return Map(figure, ~np.isnan(found.corners[:, 0]), kept)


def _frame(area: Axes, places: NDArray[np.float64], width: float, height: float, names: tuple[str, str] | None) -> None:
    """Set bounds with the same scale along both axes, and name the axes or hide them."""
    low, high = places.min(axis=0), places.max(axis=0)
    span = max(*((high - low) / (width, height)), np.finfo(np.float64).tiny) * (1 + 2 * _ROOM)
    middle, half = (low + high) / 2, np.array([width, height]) * span / 2
    area.set_xlim(middle[0] - half[0], middle[0] + half[0])
    area.set_ylim(middle[1] - half[1], middle[1] + half[1])
    area.set_xticks([])
    area.set_yticks([])
    area.spines[["top", "right"]].set_visible(False)
    if names is None:
        area.set_axis_off()
        return
    area.spines[["left", "bottom"]].set_color("#c8c8c8")
    area.set_xlabel(names[0], fontsize=_SMALL)
    area.set_ylabel(names[1], fontsize=_SMALL)


def _points(
    area: Axes, places: NDArray[np.float64], cluster: NDArray[np.int32] | None, pairs: Sequence[tuple[int, int]],
    legend: Sequence[str], size: float,
) -> list[str]:  # fmt: skip
    """Draw the points; return the colour of each label."""
    from matplotlib.lines import Line2D

    n = len(places)
    if cluster is not None:
        kind = cluster
    else:
        kind = np.zeros(n, np.int32)
        kind[[b for _, b in pairs]] = 1
        kind[[a for a, _ in pairs]] = 0
    for c in range(int(kind.max()) + 1):
        x, y = places[kind == c].T
        area.plot(x, y, **_look(c), linestyle="", markersize=size, zorder=3)
    if cluster is None:
        return [INK] * n
    handles = [Line2D([], [], label=name, linestyle="", markersize=5, **_look(c)) for c, name in enumerate(legend)]
    figure: Any = area.get_figure()
    figure.legend(
        handles=handles, loc="lower left", ncols=_columns(figure.get_figwidth(), legend), fontsize=_SMALL,
        frameon=False, bbox_to_anchor=(0, 0), borderaxespad=0.5, handletextpad=0.2, columnspacing=1.4,
        labelspacing=0.45,
    )  # fmt: skip
    return [_darker(_COLOURS[c % len(_COLOURS)]) for c in kind]


def _look(c: int) -> dict[str, Any]:
    """Return colour and mark of a cluster, different for each two of 56."""
    return {
        "color": _COLOURS[c % len(_COLOURS)],
        "marker": _MARKS[c % len(_MARKS)],
        "markeredgecolor": "white",
        "markeredgewidth": 0.3,
    }


def _columns(width: float, legend: Sequence[str]) -> int:
    longest = max(map(len, legend), default=1)
    return max(1, min(len(legend), int((width - 2 * _EDGE) / (0.35 + 0.078 * longest))))


def _legend_room(figure: Figure, legend: Sequence[str], inches: tuple[float, float]) -> float:
    """Return the inches that the legend takes below."""
    return -(-len(legend) // _columns(inches[0], legend)) * _LINE + 0.08 if legend else 0.0


def _arrows(
    area: Axes, places: NDArray[np.float64], pairs: Sequence[tuple[int, int]], size: float
) -> NDArray[np.float64]:
    """Draw an arrow for each pair; return dots (m, 2) along them."""
    from matplotlib.patches import FancyArrowPatch

    dots = [np.empty((0, 2))]
    for a, b in pairs:
        area.add_patch(
            FancyArrowPatch(
                tuple(places[a]), tuple(places[b]), arrowstyle="-|>,head_length=3,head_width=1.5", shrinkA=size / 2 + 1,
                shrinkB=size / 2 + 1, color="#9a9a9a", linewidth=0.7, zorder=2, mutation_scale=1,
            )
        )  # fmt: skip
        ends = area.transData.transform(places[[a, b]])
        number = max(2, int(np.hypot(*(ends[1] - ends[0])) / 3) + 1)
        dots.append(ends[0] + (ends[1] - ends[0]) * np.linspace(0, 1, number)[:, np.newaxis])
    return np.concatenate(dots)


def _darker(colour: str) -> str:
    return "#" + "".join(f"{round(int(colour[k : k + 2], 16) * _DARK):02x}" for k in (1, 3, 5))
