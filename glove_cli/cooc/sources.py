"""Where entries to import come from: batches of a file, each checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError

Report = Callable[[str, int, "int | None"], None]


@dataclass(frozen=True)
class EntrySource:
    """The entries of a file, in any order, to be read several times.

    Attributes
    ----------
    name : str
        What errors call the file.
    count : int, optional
        Number of entries, None where the whole file must be read to know it.
    first_id : int
        The number that the file gives to the first row and column: 0 or 1. Batches always begin with 0.
    batches : callable
        Called with a limit, yields record arrays of ENTRY of at most so many entries, checked by `check_entries`.
    """

    name: str
    count: int | None
    first_id: int
    batches: Callable[[int], Iterator[NDArray[np.void]]]


def check_entries(
    row: NDArray[Any],
    col: NDArray[Any],
    x: NDArray[Any],
    V: int,
    name: str,
    *,
    first_id: int = 0,
    number: int | None = None,
) -> None:
    """Refuse entries that can't belong to a matrix of V words.

    Parameters
    ----------
    row, col : integer arrays (entries,)
        Ids that begin with `first_id`; of any width, so that none is cut before it is checked.
    x : array (entries,) of real numbers
        Counts.
    V : int
        Number of words.
    name : str
        The file, and what it calls an entry.
    first_id : int
        What the first word is called.
    number : int, optional
        The number of the first entry, where entries are counted.

    Raises
    ------
    FormatError
        If a row or column isn't one of V, or a value isn't positive and finite.
    """
    last_id = V - 1 + first_id
    outside = (row < first_id) | (row > last_id) | (col < first_id) | (col > last_id)
    bad = outside | ~((x > 0) & (x < np.inf))
    if not bad.any():
        return
    k = int(bad.argmax())
    where = name if number is None else f"{name} {number + k:,}"
    said = f"{where} (row {row[k]}, column {col[k]}, value {x[k]:g})"
    if outside[k]:
        raise FormatError(
            f"{said} names a word beyond the {V:,} of the vocabulary, which are {first_id} to {last_id}. "
            "Give the vocabulary that belongs to it with --vocab."
        )
    raise FormatError(f"{said} is not a count: counts are positive and finite. Leave such entries out.")


def check_shape(path: Path, shape: tuple[int, ...], V: int) -> None:
    """Refuse a matrix that isn't square, or not of V words.

    Raises
    ------
    FormatError
    """
    said = " x ".join(f"{length:,}" for length in shape)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise FormatError(f"{path}: is a matrix of {said}, not square. Give a row and a column for each word.")
    if shape[0] != V:
        raise FormatError(
            f"{path}: is a matrix of {said}, its vocabulary has {V:,} words. "
            "Give the vocabulary that belongs to it with --vocab."
        )
