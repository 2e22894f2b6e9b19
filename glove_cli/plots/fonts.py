"""Words as they can be drawn: which fonts have their characters, and what no font has."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from glove_cli.plots.figure import FONT, quiet_fonts
from glove_cli.vocab import word_to_bytes

LONGEST = 28  # characters of a label
_JOINERS = "\u200c\u200d"  # not to be seen, but words of some languages are spelled with them
_BOXES = "Last Resort"  # a font of boxes that matplotlib brings
# Of fonts that have as many of the missing characters, one whose name begins like this is taken.
_PREFERRED = ("Noto Sans CJK", "Noto Sans", "Source Han Sans", "DejaVu", "Liberation")


def label_of(word: str) -> str:
    """Return a word as it is drawn: control characters and bytes that aren't UTF-8 escaped, a long one cut.

    Parameters
    ----------
    word : str

    Returns
    -------
    str
        Of `LONGEST` characters or fewer; an ellipsis stands for what was cut.
    """
    text = readable(word)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}\u2026"


def readable(word: str) -> str:
    """Return a word with control characters and bytes that aren't UTF-8 escaped.

    Parameters
    ----------
    word : str
    """
    text = word_to_bytes(word).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape").decode("ascii") for c in text)


def fonts_for(texts: Iterable[str]) -> tuple[list[str], set[str]]:
    """Find installed fonts for the characters that the usual font lacks.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    families : list of str
        As few as have all that can be had, to be asked in this order.
    missing : set of str
        Characters that no font has.
    """
    missing = set("".join(texts))
    missing -= {c for c in missing if ord(c) in _characters(FONT)}
    families: list[str] = []
    if missing:
        having = {family: {c for c in missing if ord(c) in _characters(family)} for family in _families()}
        while True:
            best = max(having, key=lambda family: len(having[family] & missing), default="")
            if not best or not having[best] & missing:
                break
            families.append(best)
            missing -= having[best]
    return families, missing


def drawable(text: str) -> tuple[str, list[str]]:
    """Return a line of text with what no font has escaped, and the fonts that it needs besides the usual one.

    Parameters
    ----------
    text : str

    Returns
    -------
    text : str
    families : list of str
    """
    families, missing = fonts_for([text])
    return "".join(c.encode("unicode_escape").decode("ascii") if c in missing else c for c in text), families


def is_shaped() -> bool:
    """Tell whether this matplotlib joins letters and orders them from right to left where a script asks for it."""
    from matplotlib import ft2font

    return hasattr(ft2font, "__libraqm_version__")  # from 3.11 on


def needs_shaping(text: str) -> bool:
    """Tell whether a text is of letters that run from right to left, or join or stack.

    Parameters
    ----------
    text : str
    """
    return any(unicodedata.bidirectional(c) in ("R", "AL") or unicodedata.category(c) in ("Mn", "Mc") for c in text)


def scripts_of(characters: Iterable[str]) -> list[str]:
    """Return the scripts of characters, by the first word of their Unicode names: HANGUL, CJK, DEVANAGARI.

    Parameters
    ----------
    characters : iterable of str
    """
    names = (unicodedata.name(c, "").split() for c in sorted(characters))
    return list(dict.fromkeys(name[0].capitalize() if name[0] != "CJK" else "CJK" for name in names if name))


def _families() -> Iterator[str]:
    """Yield the installed families, the preferred ones first."""
    from matplotlib.font_manager import fontManager

    names = {entry.name for entry in fontManager.ttflist}
    order = {name: [name.startswith(start) for start in _PREFERRED] for name in names}
    yield from sorted(names, key=lambda name: ([not is_so for is_so in order[name]], name))


@lru_cache(maxsize=1024)
def _characters(family: str) -> frozenset[int]:
    """Return the characters that a family has, in the font that would be drawn; none of one that can't be drawn."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    try:
        with quiet_fonts():
            path: Any = findfont(FontProperties(family=[family]), fallback_to_default=False)
        font = get_font(path)
        boxes = font.family_name.startswith(_BOXES) or not font.scalable
        return frozenset() if boxes else frozenset(font.get_charmap())
    except (OSError, RuntimeError, ValueError):  # removed since matplotlib made its list, or damaged
        return frozenset()
