"""Checks that come before a time counts: each says what it found, and whether that is right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from reference import Reference

from glove_cli.cooc.store import CoocMatrix

RECORD = np.dtype([("row", "<i4"), ("col", "<i4"), ("x", "<f8")])
RECORDS = 1 << 21  # records compared at a time
TOLERANCE = 1e-6  # relative; the weights' rounding to multiples of 2^-24 alone takes 4.5e-7

Check = dict[str, Any]  # text, good


def check(text: str, good: bool) -> Check:
    """Return a check as JSON can hold it."""
    return {"text": text, "good": bool(good)}


def failed(checks: Iterable[Check]) -> list[str]:
    """Return the texts of those that failed."""
    return [one["text"] for one in checks if not one["good"]]


def compare_matrices(cooc: CoocMatrix, reference: Reference) -> list[Check]:
    """Compare vocabulary, number of entries, entries and values with the reference's files."""
    theirs = reference.vocab.read_bytes()
    same_words = sorted(cooc.vocab.to_bytes().split(b"\n")) == sorted(theirs.split(b"\n"))
    size = reference.matrix.stat().st_size // RECORD.itemsize
    checks = [
        check(f"{cooc.V:,} words and their counts equal the reference's", same_words),
        check(f"{cooc.nnz:,} entries, the reference has {size:,}", cooc.nnz == size),
    ]
    if failed(checks):
        return checks
    if cooc.vocab.to_bytes() != theirs:
        return [*checks, *_compare_other_ids(cooc, reference)]
    whole = cooc.to_scipy()  # both halves, in the order of the reference's file: row, then column
    position, worst, same = 0, 0.0, True
    with reference.matrix.open("rb") as file:
        while same and len(records := np.fromfile(file, RECORD, RECORDS)):
            here = slice(position, position + len(records))
            rows = np.searchsorted(whole.indptr, np.arange(here.start, here.stop), side="right")
            same = np.array_equal(whole.indices[here], records["col"] - 1) and np.array_equal(rows, records["row"])
            worst = max(worst, float(np.abs(whole.data[here] / records["x"] - 1).max()))
            position = here.stop
    return [
        *checks,
        check("the same rows and columns", same and position == cooc.nnz),
        check(f"values within {TOLERANCE} relative (largest difference {worst:.2g})", worst <= TOLERANCE),
    ]


def _compare_other_ids(cooc: CoocMatrix, reference: Reference) -> list[Check]:
    """Compare entries and values where words of equal count come in another order, so that ids differ.

    Each of the reference's records is looked up. As many entries on both sides, no record twice, and none that is
    missing here: so they are the same entries.
    """
    lines = (cooc.vocab.to_bytes().split(b"\n"), reference.vocab.read_bytes().split(b"\n"))
    ours, theirs = ([line.rpartition(b" ")[0] for line in side if line] for side in lines)
    place = {word: k for k, word in enumerate(ours)}
    ids = np.array([place[word] for word in theirs], np.int32)
    whole = cooc.to_scipy()
    last, worst, missing, in_order = -1, 0.0, 0, True
    with reference.matrix.open("rb") as file:
        while len(records := np.fromfile(file, RECORD, RECORDS)):
            keys = records["row"].astype(np.int64) * (len(ids) + 1) + records["col"]
            in_order &= bool(keys[0] > last and (np.diff(keys) > 0).all())
            last = int(keys[-1])
            found = np.asarray(whole[ids[records["row"] - 1], ids[records["col"] - 1]]).ravel()
            missing += int((found == 0).sum())
            worst = max(worst, float(np.abs(found / records["x"] - 1).max()))
    return [
        check(f"the same pairs of words, {missing} missing", in_order and not missing),
        check(f"values within {TOLERANCE} relative (largest difference {worst:.2g})", worst <= TOLERANCE),
    ]


def above_floor(scores: dict[str, Any], floor: float) -> list[Check]:
    """Check that vectors answer more than a share of the questions; a floor of 0 asks for nothing."""
    if floor <= 0:
        return []
    total = scores["total"]
    said = "no question could be asked" if total is None else f"{total:.1%} of {scores['seen']:,} questions"
    return [check(f"{said}, at least {floor:.0%} wanted", total is not None and total >= floor)]


def near(what: str, ours: float, theirs: float, tolerance: float) -> Check:
    """Check that two numbers differ by a share at most."""
    difference = ours / theirs - 1
    return check(f"{what} {ours:.5g} against {theirs:.5g}: {difference:+.1%}", abs(difference) <= tolerance)
