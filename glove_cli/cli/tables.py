"""Numbers, words and tables as text."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

from glove_cli.cli.terminal import styled, terminal_width
from glove_cli.cli.widths import cut, display_width, wrapped
from glove_cli.vocab import word_to_bytes

INEXACT = "a count is beyond 2**29: its last bits may depend on the order of adding"
_UNITS = ("B", "kB", "MB", "GB", "TB")
_GAP = "  "
_WIDEST = 1000  # columns of a text, wherever it goes; JSON and tab-separated lines have it whole
_LEAST_TEXT = 10  # columns of a terminal to which a text may be cut


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


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str] | str],
    *,
    indent: str = "",
    text_columns: Collection[int] = (0,),
) -> str:
    """Return rows under a header: columns of text to the left, numbers to the right.

    On a terminal it is no wider than that: texts are cut short, numbers never; columns that don't fit even so follow
    in a table of their own, which begins with the first column again.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequence of str, or of str
        Cells as they can be printed (see `shown`). A str is a line between the rows.
    indent : str
        What each line begins with.
    text_columns : collection of int
        Columns that are texts.
    """
    lists = [row for row in rows if not isinstance(row, str)]
    columns = list(zip(header, *lists, strict=True))
    widths = [min(max(map(display_width, column)), _WIDEST) for column in columns]
    groups = [list(range(len(columns)))]
    width = terminal_width()
    if width is not None:
        widths, groups = _fitted(columns, widths, text_columns, width - len(indent))

    def line(row: Sequence[str] | str, group: Sequence[int]) -> str:
        if isinstance(row, str):
            return indent + row
        padded = [_padded(cut(row[k], widths[k]), widths[k], k not in text_columns) for k in group]
        return (indent + _GAP.join(padded)).rstrip()

    def block(group: Sequence[int], rows: Sequence[Sequence[str] | str]) -> str:
        return "\n".join([styled(line(header, group), sys.stdout, bold=True), *(line(row, group) for row in rows)])

    return "\n\n".join(block(group, rows if group is groups[0] else lists) for group in groups)


def pairs(entries: Sequence[tuple[str, str]], indent: str = "") -> str:
    """Return names and values, the values below each other; long ones broken at spaces on a terminal."""
    widest = max(len(name) for name, _ in entries)
    width = terminal_width()
    lines = []
    for name, value in entries:
        room = max(_LEAST_TEXT, width - len(indent) - widest - 2) if width is not None else None
        first, *others = wrapped(value, room) if room is not None else [value]
        lines.append(f"{indent}{name.ljust(widest)}  {first}")
        lines += [f"{indent}{'':{widest}}  {line}" for line in others]
    return "\n".join(lines)


def _fitted(
    columns: Sequence[Sequence[str]], widths: Sequence[int], text_columns: Collection[int], room: int
) -> tuple[list[int], list[list[int]]]:
    """Return the columns' widths, texts cut as far as it has to be, and the groups of columns that then fit."""
    narrow, least = list(widths), [_least(column) for column in columns]
    while sum(narrow) + len(_GAP) * (len(narrow) - 1) > room:
        wide = [k for k in text_columns if narrow[k] > least[k]]
        if not wide:
            break
        narrow[max(wide, key=narrow.__getitem__)] -= 1
    groups = [[0]]
    for k in range(1, len(narrow)):
        fits = sum(narrow[j] + len(_GAP) for j in groups[-1]) + narrow[k] <= room
        if fits or groups[-1] == [0]:
            groups[-1].append(k)
        else:
            groups.append([0, k])
    free = room - max(sum(narrow[k] + len(_GAP) for k in group[1:]) for group in groups)
    narrow[0] = max(narrow[0], min(widths[0], free))  # what is not needed goes back to the first column
    return narrow, groups


def _least(cells: Sequence[str]) -> int:
    """Return the width to which a column of text can be cut: numbers in it stay whole."""
    numbers = [cell for cell in cells if any(map(str.isdigit, cell)) and not any(map(str.isalpha, cell))]
    widest = max(map(display_width, cells))
    return min(widest, max([_LEAST_TEXT, *map(display_width, numbers)]))


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - display_width(text))
    return space + text if right else text + space
