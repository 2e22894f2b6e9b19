"""Numbers, words and tables as text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from glove_cli.vocab import word_to_bytes

_UNITS = ("B", "kB", "MB", "GB", "TB")


def size(number: float) -> str:
    """Return a number of bytes in a readable unit."""
    power = 0
    while number >= 999.5 and power < len(_UNITS) - 1:
        number /= 1000
        power += 1
    unit = _UNITS[power]
    return f"{number:.0f} {unit}" if unit == "B" or number >= 99.5 else f"{number:.1f} {unit}"


def duration(seconds: float) -> str:
    """Return a time in words: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def amount(number: float, unit: str) -> str:
    """Return a number of units, large ones in thousands (k), millions (M) or thousands of millions (G)."""
    if unit == "B":
        return size(number)
    for letter, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= factor:
            return f"{number / factor:,.1f} {letter} {plural(unit)}"
    return f"{number:,.0f} {unit if number == 1 else plural(unit)}"


def plural(unit: str) -> str:
    """Return the plural of a unit: entries, tokens."""
    return unit[:-1] + "ies" if unit.endswith("y") else unit + "s"


def shown(word: str) -> str:
    """Return a word as it can be printed: bytes that aren't UTF-8 and control characters escaped."""
    text = word_to_bytes(word).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under a header: the first column to the left, the others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(_width(line[k]) for line in lines) for k in range(len(header))]
    return "\n".join(
        "  ".join(_padded(cell, w, k > 0) for k, (cell, w) in enumerate(zip(line, widths, strict=True))).rstrip()
        for line in lines
    )


def pairs(entries: Sequence[tuple[str, str]], indent: str = "") -> str:
    """Return names and values, the values below each other."""
    widest = max(len(name) for name, _ in entries)
    return "\n".join(f"{indent}{name.ljust(widest)}  {value}" for name, value in entries)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _width(text: str) -> int:
    """Return how many columns of a terminal a text fills."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)
