"""A map of words: points in the plane with their words beside them, clusters in colours, pairs as arrows."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glove_cli.errors import OptionError
from glove_cli.plots.choice import choose_words, listed
from glove_cli.plots.clusters import check_clusters, cluster_words
from glove_cli.plots.figure import check_drawing, house_style, save_figure
from glove_cli.plots.fonts import drawable, fonts_for, is_shaped, label_of, needs_shaping, scripts_of
from glove_cli.plots.projection import NAMES, check_method, principal_places, project
from glove_cli.vectors.keyed import WordVectors

if TYPE_CHECKING:
    from glove_cli.plots.map import Map

SIZES = (2.0, 60.0)  # inches
_SMALLEST, _LARGEST = 6.0, 20.0  # inches of a picture whose size is not given
_INCHES_A_WORD = 0.5  # along each side, of the square root of the number of words


@dataclass(frozen=True)
class WordPicture:
    """What was drawn.

    Attributes
    ----------
    words : list of str
        The words whose points are in the picture.
    labelled : list of str
        Those that have a label.
    method : {"pca", "tsne", "umap"}
        How they got their places.
    inches : (float, float)
        Width and height.
    notes : list of str
        What was left out, and why.
    """

    words: list[str]
    labelled: list[str]
    method: str
    inches: tuple[float, float]
    notes: list[str]


def draw_words(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    words: Sequence[str] | None = None,
    *,
    top: int | None = None,
    skip: int | None = None,
    unknown: str = "error",
    pairs: Sequence[tuple[str, str]] | None = None,
    method: str | None = None,
    neighbours: int | None = None,
    seed: int = 0,
    clusters: int | None = None,
    title: str | None = None,
    inches: tuple[float, float] | None = None,
    force: bool = False,
    on_stage: Callable[[str], None] | None = None,
) -> WordPicture:
    """Draw words as points that lie near each other where their vectors do.

    Parameters
    ----------
    vectors : WordVectors
        Most frequent words first.
    path : path-like
        The file to make; its suffix, one of .png, .svg and .pdf, says how.
    words : sequence of str, optional
        The words; the most frequent ones unless these or `pairs` are given.
    top : int, optional
        How many of the most frequent words; 200 unless given.
    skip : int, optional
        How many of the most frequent words are left out before them.
    unknown : {"error", "skip"}
        Whether an unknown word among `words` is refused, or left out with a note.
    pairs : sequence of (str, str), optional
        Pairs of words, each drawn as an arrow from the first to the second.
    method : {"pca", "tsne", "umap"}, optional
        See `project`; t-SNE unless given, PCA with `pairs`.
    neighbours : int, optional
        See `project`.
    seed : int
        Of what is random in t-SNE, UMAP and clusters.
    clusters : int, optional
        Number of clusters (k-means of the vectors at length 1), each with its colour and mark.
    title : str, optional
        What stands above the picture.
    inches : (float, float), optional
        Width and height; unless given, a square that grows with the number of words.
    force : bool
        Whether an existing file may be replaced.
    on_stage : callable, optional
        Called with a text as longer work begins.

    Returns
    -------
    WordPicture

    Raises
    ------
    OptionError
        If an option can't be, there are fewer than three words, or all their vectors are equal.
    UnknownWordError
        If a word is unknown and `unknown` is `error`.
    OutputError
        If a package is not installed, or `path` exists and may not be replaced or can't be written.

    Notes
    -----
    Vectors are scaled to length 1, so that what counts is the cosine. Words come in the order of their rows (of a list,
    in its order), and the first get their labels first; a label that would cover another is left out and counted, its
    point stays. Pairs as arrows in the plane of PCA: Mikolov et al. (2013), "Distributed representations of words and
    phrases and their compositionality", figure 2. The same vectors, options and seed give the same bytes, with the
    same versions of the packages and the same fonts.
    """
    check_drawing(path, force=force)
    method = method if method is not None else "tsne" if pairs is None else "pca"
    check_options(method, unknown, clusters, inches, seed, neighbours)
    choice = choose_words(vectors, words, pairs, top=top, skip=skip, unknown=unknown)
    rows, notes = choice.rows, list(choice.notes)
    matrix = vectors.matrix[rows]
    if method != "pca" and on_stage is not None:
        on_stage(f"Placing {len(rows):,} words by {NAMES[method]} ...")
    axes: tuple[str, str] | None = None
    if method == "pca":
        places, shares = principal_places(matrix)
        axes = _axis("first", shares[0]), _axis("second", shares[1])
    else:
        places = project(matrix, method, seed=seed, neighbours=neighbours)
    cluster, central = cluster_words(matrix, clusters, seed=seed) if clusters is not None else (None, [])
    chosen = [vectors.words[row] for row in rows]
    labels: list[str | None] = [label_of(word) for word in chosen]
    families, missing = fonts_for(label for label in labels if label)
    boxed = [k for k, label in enumerate(labels) if label and missing.intersection(label)]
    if boxed:
        notes.append(_missing_note([chosen[k] for k in boxed], missing, len(rows)))
    for k in boxed:
        labels[k] = None
    loose = [word for word, label in zip(chosen, labels, strict=True) if label and needs_shaping(label)]
    if loose and not is_shaped():
        notes.append(
            f"{len(loose):,} labels are of letters that join, stack or run from right to left, and this matplotlib "
            f"draws them one by one: {listed(loose)}. Install matplotlib 3.11 or newer."
        )
    if title:
        title, more = drawable(" ".join(title.split()))
        families = list(dict.fromkeys([*families, *more]))
    side = float(np.clip(_INCHES_A_WORD * len(rows) ** 0.5, _SMALLEST, _LARGEST))
    inches = inches if inches is not None else (side, side)
    if on_stage is not None and len(rows) > 1000:
        on_stage("Placing the labels ...")
    with house_style(families):
        from glove_cli.plots.map import draw_map

        drawn = draw_map(
            places, labels, inches, axes=axes, title=title, cluster=cluster, pairs=choice.pairs,
            legend=[", ".join(label for k in best if (label := labels[k])) or f"cluster {c + 1}"
                    for c, best in enumerate(central)],
        )  # fmt: skip
        save_figure(drawn.figure, path, force=force)
    notes += _crowded_note(drawn, labels)
    labelled = [word for word, has in zip(chosen, drawn.labelled, strict=True) if has]
    return WordPicture(chosen, labelled, method, inches, notes)


def check_options(
    method: str,
    unknown: str = "error",
    clusters: int | None = None,
    inches: tuple[float, float] | None = None,
    seed: int = 0,
    neighbours: int | None = None,
) -> None:
    """Refuse, before any work, options of `draw_words` that can't be.

    Parameters
    ----------
    method, unknown, clusters, inches, seed, neighbours
        As `draw_words` takes them.

    Raises
    ------
    OptionError
    OutputError
        If a package is not installed.
    """
    check_method(method, seed=seed, neighbours=neighbours)
    if unknown not in ("error", "skip"):
        raise OptionError(f"unknown: {unknown!r} is unknown. Choose error or skip.")
    if clusters is not None:
        check_clusters(clusters)
    if inches is not None and not all(SIZES[0] <= length <= SIZES[1] for length in inches):
        raise OptionError(
            f"--size: {inches[0]:g}x{inches[1]:g} is too small or too large. "
            f"Give inches from {SIZES[0]:g} to {SIZES[1]:g}, as in 8x6."
        )


def _axis(which: str, share: float) -> str:
    return f"{which} principal direction ({100 * share:.1f} % of the variance)"


def _missing_note(words: list[str], missing: set[str], total: int) -> str:
    some = scripts_of(missing)
    scripts = ", ".join(some[:5]) + (f" and {len(some) - 5} more" if len(some) > 5 else "")
    return (
        f"{len(words):,} of {total:,} labels left out, no installed font has their characters "
        f"({scripts or 'unnamed ones'}): {listed(words)}. Install a font of these, such as one of Noto."
    )


def _crowded_note(drawn: Map, labels: Sequence[str | None]) -> list[str]:
    wanted = sum(label is not None for label in labels)
    left = wanted - int(np.sum(drawn.labelled))
    return [f"{left:,} of {wanted:,} labels left out: they would overlap. A larger --size has room for more."] * (
        left > 0
    )
