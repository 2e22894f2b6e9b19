"""What every part is given: the text, the folder to work in, the options, the competitors and the store."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from proof.competitors import Competitor
from proof.settings import RECIPES, Recipe
from proof.store import Store


@dataclass(frozen=True)
class Context:
    """One corpus of a run of `run.py`."""

    corpus: Path
    work: Path
    store: Store
    options: argparse.Namespace
    competitors: dict[str, Competitor]

    @property
    def threads(self) -> int:
        """Most threads of each tool."""
        return self.options.threads

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """Ways to use our commands that are compared with each other."""
        return RECIPES[:1] if self.quick else RECIPES

    @property
    def quick(self) -> bool:
        """Whether all is kept small."""
        return self.options.quick

    @property
    def counts(self) -> list[int]:
        """Numbers of threads to measure."""
        return sorted({1, self.options.threads})

    @property
    def counting(self) -> str:
        """What a matrix depends on beside the text, short enough for names of files."""
        return f"w{self.options.window}-m{self.options.min_count}"

    def has(self, name: str) -> bool:
        """Return whether a competitor takes part."""
        return self.competitors[name].present
