"""Suggestions for unknown words: the distance is the textbook's, the order is what a typist would want."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glove_cli.vectors.spelling import edit_distances, similar_words


def textbook_distance(a: str, b: str) -> int:
    """Return the optimal string alignment distance, a cell at a time."""
    table = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


LETTERS = st.text("ab\u00e9\U0001f600\udcff\0", max_size=9)


@given(LETTERS, st.lists(LETTERS, min_size=1, max_size=9))
def test_distances_are_the_textbooks(word: str, others: list[str]) -> None:
    found = edit_distances(word, others).tolist()
    for distance, other in zip(found, others, strict=True):
        right = textbook_distance(word, other)
        assert distance == right or min(distance, right) > 3


def suggest(word: str, words: list[str]) -> list[str]:
    return similar_words(word, words, {w: i for i, w in enumerate(words)})


@pytest.mark.parametrize(
    ("word", "words", "expected"),
    [
        ("teh", ["ten", "the", "tea"], ["ten", "the", "tea"]),  # one change each: the most frequent first
        ("becuase", ["because", "became"], ["because"]),  # a swap is one change, and hides what needs more
        ("Zurich", ["Z\u00fcrich", "rich"], ["Z\u00fcrich"]),
        ("z\u00fcrich", ["zurich", "Zurich"], ["zurich", "Zurich"]),
        ("straSSe", ["stra\u00dfe"], ["stra\u00dfe"]),
        (
            "\u041c\u043e\u0441\u043a\u0432\u0430",
            ["\u043c\u043e\u0441\u043a\u0432\u0430"],
            ["\u043c\u043e\u0441\u043a\u0432\u0430"],
        ),
        ("new-york", ["new_york", "newyork"], ["new_york", "newyork"]),
        ("dragon", ["wagon", "flagon"], ["wagon", "flagon"]),
        ("internatoinal", ["international", "internal"], ["international"]),
        ("pariss", ["Paris", "paris", "pariah"], ["paris", "Paris"]),
        ("xyzzy", ["apple", "pear"], []),
        ("x", ["y", "X"], ["X"]),
        ("", ["a"], []),
        ("a" * 1_000_000, ["a" * 1_000_001], []),
        ("paris", [], []),
    ],
)
def test_what_was_meant_is_suggested(word: str, words: list[str], expected: list[str]) -> None:
    assert suggest(word, words) == expected


def test_what_begins_alike_comes_first() -> None:
    assert suggest("parise", ["marise", "parist", "parisx"]) == ["parist", "parisx", "marise"]


def test_no_more_than_three_are_suggested() -> None:
    assert len(suggest("aaaaa", [f"aaaa{c}" for c in "bcdefg"])) == 3
