"""A page to explore word vectors in a browser: one HTML file that needs no network.

It is put together from the files in `page`: HTML, CSS and JavaScript of our own. The data stand in it as JSON and as
base64 of little-endian arrays.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import OptionError
from glove_cli.files import check_output, output_file
from glove_cli.plots.choice import known_pairs
from glove_cli.plots.clusters import check_clusters, cluster_words
from glove_cli.plots.fonts import readable
from glove_cli.plots.projection import LEAST_WORDS, NAMES, check_method, project
from glove_cli.vectors.keyed import WordVectors
from glove_cli.vectors.search import nearest_rows

TOP = 10_000
METHOD = "tsne"
MOST_WORDS = 200_000
NEIGHBOURS = 20
_FLOATS = 1 << 22  # more numbers than these are rounded to 16 bits: 16 MiB of float32 are 22 MB of page
_LARGEST = 32_767
_SUFFIXES = (".html", ".htm")
_PARTS = Path(__file__).with_name("page")
_SCRIPTS = ("data.js", "map.js", "combobox.js", "main.js")
_SLOT = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class Page:
    """What was written.

    Attributes
    ----------
    words : int
        Words on the page.
    method : {"pca", "tsne", "umap"}
        How they got their places.
    rounded : bool
        Whether the vectors in the page are rounded to 16 bits.
    notes : list of str
        What was left out, and why.
    """

    words: int
    method: str
    rounded: bool
    notes: list[str]


def write_page(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    top: int | None = None,
    method: str = METHOD,
    neighbours: int | None = None,
    seed: int = 0,
    pairs: Sequence[tuple[str, str]] = (),
    clusters: int | None = None,
    counts: NDArray[np.int64] | None = None,
    title: str = "Word vectors",
    force: bool = False,
    on_stage: Callable[[str], None] | None = None,
) -> Page:
    """Write a page with a map of words, a search, nearest words, analogies and pairs.

    Parameters
    ----------
    vectors : WordVectors
        Most frequent words first.
    path : path-like
        The file to make, .html or .htm.
    top : int, optional
        How many of the most frequent words; 10,000 unless given, or all where there are fewer.
    method : {"tsne", "umap", "pca"}
        How words get their places on the map, see `project`.
    neighbours : int, optional
        See `project`.
    seed : int
        Of what is random in the places and clusters.
    pairs : sequence of (str, str)
        Shown as arrows. Their words are on the page, too. Pairs with an unknown word are left out and counted.
    clusters : int, optional
        Colour so many clusters.
    counts : int64 array (V,), optional
        How often each word occurs in the corpus.
    title : str
        What stands above the page.
    force : bool
        Whether an existing file may be replaced.
    on_stage : callable, optional
        Called with a line before each long step.

    Returns
    -------
    Page

    Raises
    ------
    OptionError
        If an option can't be, there are fewer than three words, or all vectors are equal.
    OutputError
        If a package is missing, or the file exists and may not be replaced, or can't be written.

    Notes
    -----
    Nearest words are found here, exactly, by the cosine of the whole vectors, among the words of the page; the page
    only lists them. Analogies are computed in the page (3CosAdd), from vectors of length 1 in float32; beyond four
    million numbers they are rounded to 16 bits, and a cosine is off by less than d / 32767. The same vectors, options
    and seed give the same bytes.
    """
    check_page(path, top=top, method=method, seed=seed, neighbours=neighbours, clusters=clusters, force=force)
    stage = on_stage if on_stage is not None else lambda text: None
    rows, pair_rows, notes = _choose(vectors, top, pairs)
    shown = WordVectors([vectors.words[row] for row in rows], np.ascontiguousarray(vectors.matrix[rows], np.float32))
    n = len(rows)
    if not np.isfinite(shown.matrix).all():
        raise OptionError("vectors: some numbers aren't finite, so there is no map of them. Train again.")
    if method != "pca":
        stage(f"Placing {n:,} words by {NAMES[method]} ...")
    places = _within_one(project(shown.matrix, method, seed=seed, neighbours=neighbours))
    stage(f"Finding the nearest words of {n:,} ...")
    zeros = ~shown.matrix.any(axis=1)
    if zeros.any():
        notes.append(f"{int(zeros.sum()):,} of {n:,} words have vectors of zeros, and so no nearest words.")
    found, cosines = nearest_rows(shown, np.arange(n), NEIGHBOURS)
    found[zeros] = -1
    unit = shown.unit_rows
    rounded = unit.size > _FLOATS
    facts: dict[str, Any] = {
        "n": n,
        "d": shown.dim,
        "k": found.shape[1],
        "words": [readable(word) for word in shown.words],
        "counts": counts[rows].tolist() if counts is not None else None,
        "pairs": pair_rows,
        "rounded": rounded,
        "clusters": None,
    }
    if clusters is not None:
        groups, central = cluster_words(shown.matrix, clusters, seed=seed)
        facts["clusters"] = groups.tolist()
        facts["clusterNames"] = [", ".join(facts["words"][row] for row in group) for group in central]
    parts = {
        "title": html.escape(readable(title)),
        "n": f"{n:,}",
        "summary": f"{n:,} words, {shown.dim:,} dimensions, placed by {NAMES[method]}",
        "about": _about(n, shown.dim, method, rounded),
        "css": _part("page.css"),
        "script": "\n".join(_part(name) for name in _SCRIPTS),
        "facts": json.dumps(facts, separators=(",", ":")).replace("<", "\\u003c"),
        "places": _base64(places, "<f4"),
        "nearest": _base64(found, "<i4"),
        "cosines": _base64(cosines, "<f4"),
        "vectors": _base64(np.rint(unit * _LARGEST), "<i2") if rounded else _base64(unit, "<f4"),
    }
    page = _SLOT.sub(lambda slot: parts[slot[1]], _part("page.html"))
    with output_file(path, force=force) as file:
        file.write(page.encode("utf-8"))
    return Page(n, method, rounded, notes)


def check_page(
    path: str | os.PathLike[str],
    *,
    top: int | None = None,
    method: str = METHOD,
    seed: int = 0,
    neighbours: int | None = None,
    clusters: int | None = None,
    force: bool = False,
) -> None:
    """Refuse, before any work, a page that could not be made.

    Parameters
    ----------
    path : path-like
    top, method, seed, neighbours, clusters, force
        See `write_page`.

    Raises
    ------
    OptionError
        If the suffix is another one, or an option can't be.
    OutputError
        If a package is missing, or the file exists and may not be replaced, or can't be written.
    """
    path = Path(path)
    if path.suffix.lower() not in _SUFFIXES:
        what = f"ends in {path.suffix}" if path.suffix else "has no suffix"
        raise OptionError(f"{path}: {what}, but a page is made. Choose a name that ends in .html.")
    if top is not None and (isinstance(top, bool) or not isinstance(top, int) or not LEAST_WORDS <= top <= MOST_WORDS):
        raise OptionError(f"--top: {top!r} is not an integer from {LEAST_WORDS} to {MOST_WORDS:,}. Give one.")
    check_method(method, seed=seed, neighbours=neighbours)
    if clusters is not None:
        check_clusters(clusters)
    check_output(path, force=force)


def _choose(
    vectors: WordVectors, top: int | None, pairs: Sequence[tuple[str, str]]
) -> tuple[list[int], list[tuple[int, int]], list[str]]:
    """Return the rows of the words, the pairs as places among them, and notes."""
    notes: list[str] = []
    wanted = TOP if top is None else top
    rows = list(range(min(wanted, len(vectors))))
    if top is not None and len(rows) < top:
        notes.append(f"There are {len(rows):,} words, fewer than the {top:,} asked for: all of them are used.")
    if len(rows) < LEAST_WORDS:
        raise OptionError(f"vectors: {len(rows)} words, but a map needs {LEAST_WORDS} or more. Name other vectors.")
    kept = known_pairs(vectors, pairs, notes) if pairs else []
    drawn = [(vectors.index[a], vectors.index[b]) for a, b in kept]
    rows = list(dict.fromkeys((*rows, *(row for pair in drawn for row in pair))))
    place = {row: number for number, row in enumerate(rows)}
    return rows, [(place[a], place[b]) for a, b in drawn], notes


def _within_one(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places moved and scaled to -1 ... 1, the same scale both ways."""
    low, high = places.min(axis=0), places.max(axis=0)
    return (places - (low + high) / 2) / (float((high - low).max()) / 2)


def _about(n: int, dim: int, method: str, rounded: bool) -> str:
    far = "" if method == "pca" else " Distances between groups mean little."
    precise = "vectors rounded to 16 bits" if rounded else "the same vectors"
    return (
        f"The map shows {dim:,} dimensions in two, by {NAMES[method]}.{far} Nearest words are those of largest cosine "
        f"in all {dim:,} dimensions, among the {n:,} words of this page. Analogies (3CosAdd) use {precise}."
    )


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8").rstrip("\n")


def _base64(array: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode("ascii")
