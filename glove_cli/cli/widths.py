"""How much room a text takes on a terminal, and texts that are made to fit it."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator

_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(width for _, width in _clusters(text))


def cut(text: str, width: int) -> str:
    """Return a text that takes at most `width` columns: itself, or its beginning and an ellipsis."""
    if display_width(text) <= width:
        return text
    kept, room = "", width - 1
    for cluster, taken in _clusters(text):
        if taken > room:
            break
        kept, room = kept + cluster, room - taken
    return kept + _ellipsis()


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text broken at its spaces; a word longer than `width` is left whole."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and display_width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _ellipsis() -> str:
    try:
        "…".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return "~"
    return "…"


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """Yield the pieces of a text that are drawn as one, such as a letter and its accents, and the columns of each.

    East Asian wide characters take two columns, marks that combine and invisible characters none. Emoji joined by
    U+200D are one, as are a flag's two letters and a hand and the colour of its skin.
    """
    cluster, width, joined = "", 0, False
    for character in text:
        own = _columns(character)
        together = joined or own == 0 or _is_flag(cluster, character) or (_is_skin(character) and width == 2)
        if cluster and not together:
            yield cluster, width
            cluster, width = "", 0
        flag = _is_flag(cluster, character)
        cluster += character
        width = 2 if flag or (character == _EMOJI_STYLE and width == 1) else width if together and width else own
        joined = character == _JOINER and width == 2  # in scripts such as Devanagari it joins no wide characters
    if cluster:
        yield cluster, width


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf") and character != "\u00ad":
        return 0
    # Korean vowels and final consonants are drawn into the syllable.
    if "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_flag(cluster: str, character: str) -> bool:
    """Tell whether a character is the second letter of a flag."""
    return len(cluster) == 1 and all("\U0001f1e6" <= c <= "\U0001f1ff" for c in cluster + character)


def _is_skin(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"
