"""Shares of a corpus, and its lines cut for tools that can't do with long ones."""

from __future__ import annotations

import re
from pathlib import Path

SEPARATORS = re.compile(rb"[ \t\n]")
PIECE = 1 << 24


def share_of(corpus: Path, share: float, folder: Path) -> Path:
    """Return the beginning of a corpus, up to the end of a word, as a file; the corpus itself for all of it."""
    return beginning(corpus, int(share * corpus.stat().st_size), folder)


def beginning(corpus: Path, size: int, folder: Path) -> Path:
    """Return the first bytes of a corpus, up to the end of a word, as a file; the corpus itself for all of it."""
    if size >= corpus.stat().st_size:
        return corpus
    target = folder / f"{corpus.stem}-{size}.txt"
    if not target.exists():
        part = target.with_suffix(".part")
        with corpus.open("rb") as source, part.open("wb") as file:
            left = size
            while left and (piece := source.read(min(left, PIECE))):
                file.write(piece)
                left -= len(piece)
            while (byte := source.read(1)) and not SEPARATORS.match(byte):
                file.write(byte)
            file.write(b"\n")
        part.replace(target)
    return target


def cut_lines(corpus: Path, words: int, folder: Path) -> Path:
    """Return a text without lines of more words than that: a copy in which they are cut, or the text itself."""
    target = folder / f"{corpus.stem}-lines.txt"
    if target.exists():
        return target
    changed = False
    part = target.with_suffix(".part")
    with corpus.open("rb") as source, part.open("wb") as file:
        for line in source:
            tokens = [token for token in SEPARATORS.split(line) if token]
            changed |= len(tokens) > words
            for first in range(0, len(tokens), words):
                file.write(b" ".join(tokens[first : first + words]) + b"\n")
    if not changed:
        part.unlink()
        return corpus
    part.replace(target)
    return target
