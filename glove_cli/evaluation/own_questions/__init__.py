"""The package's own analogy questions, 2,645 in 13 sections, written from facts.

They need no download, and are lower-case single English words. Scores on them can't be compared with those on other
sets. `own_questions` is the folder of question files, each with its source of facts on top; `own_pairs` is that of the
pairs that `make.py` made them from.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def own_questions() -> Path:
    """Return the folder of the package's own question files, which `read_questions` reads as any other.

    Returns
    -------
    folder : Path
        `.txt` files of four words a line; those about grammar have names that begin with `gram`.
    """
    return _HERE / "questions"


def own_pairs() -> Path:
    """Return the folder of the pairs that the questions were made from, such as a country and its capital.

    Returns
    -------
    folder : Path
        `.txt` files with the names of the question files, two words a line; lines that begin with `#` say what they
        hold.
    """
    return _HERE / "pairs"
