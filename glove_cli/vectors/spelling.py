"""Known words that look like an unknown one.

Looked alike are words in another case or with other accents, then words few changes away: letters put in, left out,
replaced, or two neighbours swapped (the optimal string alignment distance). All words of about the same length are
compared at once, so that hundreds of thousands take a fraction of a second.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

MOST = 3
_LONGEST = 64  # characters; what is longer is no slip of the fingers
_LENGTHS = (1, 4, 9)  # in longer words than each of these, one more change is allowed
_COMPARED = 1 << 17  # words compared at a time


def similar_words(word: str, words: Sequence[str], index: Mapping[str, int]) -> list[str]:
    """Return up to three words that look like another one.

    Parameters
    ----------
    word : str
        One that need not be known.
    words : sequence of str
        The known words, most frequent first.
    index : mapping of str to int
        Their places.

    Returns
    -------
    list of str
        In another case or with other accents; if there are none, those with the fewest changes, of these first those
        that begin alike and are in the same case, and the most frequent first. Never `word` itself.

    Notes
    -----
    One change is allowed in words of 2 to 4 letters, two up to 9, three in longer ones.
    """
    if not word or len(word) > _LONGEST:
        return []
    other_case = [w for w in (word.lower(), word.capitalize(), word.upper()) if w in index]
    folded = _folded(word)
    most = sum(len(folded) > shorter for shorter in _LENGTHS)
    near = [place for place, w in enumerate(words) if -most <= len(w) - len(word) <= most]
    ranked: list[tuple[int, bool, bool, int]] = []
    for begin in range(0, len(near), _COMPARED):
        places = near[begin : begin + _COMPARED]
        others = [_folded(words[place]) for place in places]
        distances = edit_distances(folded, others)
        for k in np.flatnonzero(distances <= most).tolist():
            case_differs = _case(words[places[k]]) != _case(word)
            ranked.append((int(distances[k]), others[k][:1] != folded[:1], case_differs, places[k]))
    ranked.sort()
    alike = [words[place] for distance, _, _, place in ranked if distance == ranked[0][0]]
    return [w for w in dict.fromkeys((*other_case, *alike)) if w != word][:MOST]


def edit_distances(word: str, others: Sequence[str]) -> NDArray[np.uint8]:
    """Return the optimal string alignment distance between one word and each of many.

    Parameters
    ----------
    word : str
        At most 100 characters.
    others : sequence of str
        What is longer than `word` by more than 3 characters is cut there; its distance is then too small, but still
        greater than 3.

    Returns
    -------
    uint8 array (n,)
        The least number of letters put in, left out, replaced, or swapped with the next, each place touched once.

    Notes
    -----
    The table of Wagner and Fischer 1974, "The String-to-String Correction Problem", a row at a time, for all words
    at once; swaps as Damerau 1964 counts them.
    """
    width = len(word) + 4
    lengths = np.minimum([len(w) for w in others], width).astype(np.int64)
    letters = np.array(others, f"U{width}").view(np.uint32).reshape(len(lengths), width).T
    letters = np.ascontiguousarray(letters)
    before = np.zeros((width + 1, len(lengths)), np.uint8)
    above = before.copy() + np.arange(width + 1, dtype=np.uint8)[:, np.newaxis]
    codes = [ord(c) for c in word]
    for i, code in enumerate(codes):
        equal = letters == code
        row = np.empty_like(above)
        row[0] = i + 1
        np.minimum(above[:-1] + ~equal, above[1:] + 1, out=row[1:], casting="unsafe")
        if i:
            swapped = equal[:-1] & (letters[1:] == codes[i - 1])
            np.minimum(row[2:], np.where(swapped, before[:-2] + 1, 255), out=row[2:], casting="unsafe")
        for j in range(1, width + 1):
            np.minimum(row[j], row[j - 1] + 1, out=row[j], casting="unsafe")
        before, above = above, row
    return above[lengths, np.arange(len(lengths))]


def _folded(word: str) -> str:
    """Return a word in small letters without accents."""
    word = word.casefold()
    if word.isascii() or unicodedata.is_normalized("NFD", word):
        return word
    return unicodedata.normalize(
        "NFC", "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    )


def _case(word: str) -> tuple[bool, bool]:
    return word.islower(), word.isupper()
