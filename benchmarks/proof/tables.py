"""Tables of the Markdown, and how numbers look in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from proof.checks import failed


@dataclass(frozen=True)
class Table:
    """A table with a title and, below it, what a reader must know."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""

    def markdown(self) -> str:
        """Return it as Markdown."""
        lines = [f"### {self.title}", "", _line(self.header), _line("---" for _ in self.header)]
        lines += [_line(row) for row in self.rows]
        return "\n".join([*lines, "", *([self.note, ""] if self.note else [])])


def _line(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def seconds(value: float | None) -> str:
    """Return seconds."""
    return "" if value is None else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def mb(size: float | None) -> str:
    """Return bytes as MB (10^6)."""
    return "" if size is None else f"{size / 1e6:,.0f}" if size >= 10e6 else f"{size / 1e6:.1f}"


def rate(value: float) -> str:
    """Return a rate in millions a second."""
    return f"{value / 1e6:.2f}"


def times(value: float | None) -> str:
    """Return a ratio."""
    return "" if value is None else f"{value:.1f}"


def number(value: float | None, digits: int) -> str:
    """Return a number, or a dash for one that doesn't exist."""
    return "-" if value is None else f"{value:.{digits}f}"


def state(row: dict[str, Any]) -> str:
    """Return what the checks of a row say."""
    texts = failed(row["checks"])
    if texts:
        return "**FAILS**: " + "; ".join(texts)
    return "ok" if row["checks"] else ""
