"""A picture of words that changed: each with its neighbours in one corpus and in the other, and an arrow between."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glove_cli.comparison.result import Change, Comparison
from glove_cli.errors import OptionError
from glove_cli.plots.figure import FAINT, INK, check_drawing, house_style, save_figure
from glove_cli.plots.fonts import drawable, label_of
from glove_cli.plots.labels import place_labels
from glove_cli.plots.projection import principal_places
from glove_cli.vectors.scores import scaled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_WORDS = 12
DRAWN = 6  # words, unless they are chosen
NEAR = 7  # neighbours on each side
_COLOURS = ("#0072B2", "#C44E00", "#5a5a5a")  # near in A, in B, in both
_MARKS = ("o", "s", "D")
_PANEL = (4.4, 3.5)  # inches
_COLUMNS = 3
_ABOVE, _BETWEEN, _EDGE = 0.5, 0.3, 0.1  # inches
_NAME = 40  # characters of what A and B are called; the end of a path says more than its beginning
_LINE = 0.21  # inches of a line of the legend
_POINTS_AN_INCH = 72.0
_LABEL, _WORD, _TITLE, _SMALL = 8.5, 10.5, 12.5, 9.0  # points, as all type
_DOT = 4.0
_ROOM = 0.12  # share of a panel that stays free around its points
_BOTH = 2


class Panel(NamedTuple):
    """What is drawn of one word.

    Attributes
    ----------
    labels : list of str
        The word twice, as A and as B have it, then its neighbours.
    kinds : int64 array (n,)
        Whose each point is: 0 of A, 1 of B, 2 of both.
    places : float64 array (n, 2)
    """

    labels: list[str]
    kinds: NDArray[np.int64]
    places: NDArray[np.float64]


@dataclass(frozen=True)
class ChangePicture:
    """What was drawn.

    Attributes
    ----------
    words : list of str
        The words that have a panel each.
    inches : (float, float)
        Width and height.
    notes : list of str
        What was left out, and why.
    """

    words: list[str]
    inches: tuple[float, float]
    notes: list[str]


def draw_changes(
    comparison: Comparison,
    path: str | os.PathLike[str],
    changes: Sequence[Change] | None = None,
    *,
    names: tuple[str, str] = ("A", "B"),
    title: str | None = None,
    near: int = NEAR,
    force: bool = False,
) -> ChangePicture:
    """Draw words that changed, a panel each: the word in A and in B with its neighbours, and an arrow from A to B.

    Parameters
    ----------
    comparison : Comparison
    path : path-like
        The file to make; its suffix, one of .png, .svg and .pdf, says how.
    changes : sequence of Change, optional
        The words, as `comparison.changes` returns them; the six that changed most unless given.
    names : (str, str)
        What the legend calls A and B.
    title : str, optional
        What stands above the picture.
    near : int
        How many neighbours in A, and in B.
    force : bool
        Whether an existing file may be replaced.

    Returns
    -------
    ChangePicture

    Raises
    ------
    OptionError
        If there are more than twelve words or none, or A and B differ in the number of dimensions.
    OutputError
        If matplotlib is not installed, or `path` exists and may not be replaced or can't be written.

    Notes
    -----
    A panel is the plane of the two strongest principal directions of its own vectors: those of A, and those of B turned
    onto A's. A neighbour in A stands where A has it, one in B where B has it, one in both in the middle.
    """
    check_drawing(path, force=force)
    changes = comparison.changes(DRAWN) if changes is None else list(changes)
    check_words(len(changes))
    panels = [_panel(comparison, change, near) for change in changes]
    called = [name if len(name) <= _NAME else f"\u2026{name[1 - _NAME :]}" for name in names]
    texts = [drawable(text) for text in (title or "", *called, *(label for panel in panels for label in panel.labels))]
    families = list(dict.fromkeys(family for _, some in texts for family in some))
    columns = _columns(len(panels))
    lines = -(-len(panels) // columns)
    above = _ABOVE if title else _EDGE
    rows = 3 if columns == 1 else 1  # of the legend
    inches = (
        columns * (_PANEL[0] + _BETWEEN) - _BETWEEN + 2 * _EDGE,
        lines * (_PANEL[1] + _BETWEEN) - _BETWEEN + above + rows * _LINE + 2 * _EDGE,
    )
    left_out = 0
    with house_style(families):
        from matplotlib.figure import Figure

        figure = Figure(figsize=inches, dpi=_POINTS_AN_INCH)
        for number, panel in enumerate(panels):
            line, column = divmod(number, columns)
            left = _EDGE + column * (_PANEL[0] + _BETWEEN)
            low = inches[1] - above - (line + 1) * _PANEL[1] - line * _BETWEEN
            area = figure.add_axes((left / inches[0], low / inches[1], _PANEL[0] / inches[0], _PANEL[1] / inches[1]))
            left_out += _draw_panel(area, panel)
        if title:
            figure.text(_EDGE / inches[0], 1 - 0.32 / inches[1], texts[0][0], fontsize=_TITLE, fontweight="bold")
        _draw_legend(figure, [text for text, _ in texts[1:3]], rows)
        save_figure(figure, path, force=force)
    some = "1 label" if left_out == 1 else f"{left_out:,} labels"
    notes = [f"{some} left out: they would overlap."] * (left_out > 0)
    return ChangePicture([change.word for change in changes], inches, notes)


def check_words(number: int) -> None:
    """Refuse more words than a picture has room for, or none.

    Parameters
    ----------
    number : int

    Raises
    ------
    OptionError
    """
    if not 1 <= number <= MOST_WORDS:
        raise OptionError(f"words: a picture has room for 1 to {MOST_WORDS}, not {number:,}. Name other words.")


def _columns(number: int) -> int:
    """Return how many panels stand side by side."""
    return 2 if number == 4 else min(number, _COLUMNS)


def _panel(comparison: Comparison, change: Change, near: int) -> Panel:
    """Return points and labels of a word, and their places."""
    word, *_ = comparison.shared.find([change.word])
    near_a, near_b = change.neighbours_a[:near], change.neighbours_b[:near]
    in_both = [name for name in near_a if name in near_b]
    only_a, only_b = ([name for name in some if name not in in_both] for some in (near_a, near_b))
    rows_a, rows_b, rows_both = map(comparison.shared.find, (only_a, only_b, in_both))
    A = comparison.shared.vectors[0].matrix
    middle = scaled(scaled(A[rows_both]) + comparison.turned_b(rows_both))
    points = np.concatenate(
        (
            scaled(A[[word]]), comparison.turned_b(np.array([word])), scaled(A[rows_a]), comparison.turned_b(rows_b),
            middle,
        )
    )  # fmt: skip
    kinds = np.repeat([0, 1, 0, 1, _BOTH], [1, 1, len(only_a), len(only_b), len(in_both)])
    names = [change.word, change.word, *only_a, *only_b, *in_both]
    labels = [drawable(label_of(name))[0] for name in names]
    places = principal_places(points)[0]
    places[:, 0] *= -1 if places[0, 0] > places[1, 0] else 1  # A to the left in all panels
    return Panel(labels, kinds, places)


def _draw_panel(area: Axes, panel: Panel) -> int:
    """Draw one word; return how many labels found no room."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.patches import FancyArrowPatch

    low, high = panel.places.min(axis=0), panel.places.max(axis=0)
    half = np.maximum((high - low) / 2, np.finfo(np.float64).tiny) * (1 + 2 * _ROOM)
    half = np.maximum(half, max(half / _PANEL) * np.array(_PANEL) * 0.7)
    middle = (low + high) / 2
    area.set_xlim(middle[0] - half[0], middle[0] + half[0])
    area.set_ylim(middle[1] - half[1], middle[1] + half[1])
    area.set_xticks([])
    area.set_yticks([])
    for spine in area.spines.values():
        spine.set_visible(True)
        spine.set_color("#d8d8d8")
    for kind, (colour, mark) in enumerate(zip(_COLOURS, _MARKS, strict=True)):
        x, y = panel.places[2:][panel.kinds[2:] == kind].T
        area.plot(x, y, color=colour, marker=mark, linestyle="", markersize=_DOT, markeredgewidth=0, zorder=3)
    for kind in (0, 1):
        area.plot(
            *panel.places[kind], color=_COLOURS[kind], marker=_MARKS[kind], markersize=_DOT * 1.8, zorder=4,
            markeredgecolor="white", markeredgewidth=0.6,
        )  # fmt: skip
    area.add_patch(
        FancyArrowPatch(
            tuple(panel.places[0]), tuple(panel.places[1]), arrowstyle="-|>,head_length=5,head_width=2.4", shrinkA=5,
            shrinkB=5, color=INK, linewidth=1.1, zorder=2, mutation_scale=1,
        )
    )  # fmt: skip
    renderer = FigureCanvasAgg(area.figure).get_renderer()  # type: ignore[arg-type]
    dots = area.transData.transform(panel.places)
    texts = [
        area.text(
            0, 0, label, color=_COLOURS[kind], va="bottom", ha="left", zorder=5,
            fontsize=_WORD if number < 2 else _LABEL, fontweight="bold" if number < 2 else "normal",
        )
        for number, (label, kind) in enumerate(zip(panel.labels, panel.kinds, strict=True))
    ]  # fmt: skip
    boxes = [text.get_window_extent(renderer) for text in texts]
    way = dots[0] + (dots[1] - dots[0]) * np.linspace(0, 1, 60)[:, np.newaxis]
    frame = area.bbox
    found = place_labels(
        dots, np.array([(box.width, box.height) for box in boxes]), (frame.x0, frame.y0, frame.x1, frame.y1),
        reach=_DOT + 2, lines=way,
    )  # fmt: skip
    back = area.transData.inverted()
    missing = 0
    for number, text in enumerate(texts):
        if np.isnan(found.corners[number, 0]):
            text.remove()
            missing += 1
            continue
        text.set_position(tuple(back.transform(found.corners[number])))
        if found.far[number]:
            ends = np.array([panel.places[number], back.transform(found.ends[number])])
            area.plot(ends[:, 0], ends[:, 1], color=FAINT, linewidth=0.4, zorder=1)
    return missing


def _draw_legend(figure: Figure, names: Sequence[str], rows: int) -> None:
    """Say below what the colours are."""
    from matplotlib.lines import Line2D

    texts = (f"near in {names[0]}", f"near in {names[1]}", "near in both")
    handles = [
        Line2D([], [], color=colour, marker=mark, linestyle="", markersize=_DOT + 1, label=text)
        for colour, mark, text in zip(_COLOURS, _MARKS, texts, strict=True)
    ]
    figure.legend(
        handles=handles, loc="lower left", ncols=3 // rows, fontsize=_SMALL, frameon=False, bbox_to_anchor=(0, 0),
        borderaxespad=0.5, handletextpad=0.2, columnspacing=1.6,
    )  # fmt: skip
