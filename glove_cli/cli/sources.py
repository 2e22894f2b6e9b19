"""The vectors that `nearest` and `analogy` look at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glove_cli.cli.options import MODEL_NAME
from glove_cli.errors import OptionError

if TYPE_CHECKING:
    from glove_cli.vectors.keyed import Neighbour, WordVectors


def open_vectors(run: Path, model: Path | None, vectors: Path | None) -> WordVectors:
    """Return the vectors of a file, or the sums of word and context vectors of a model.

    Raises
    ------
    OptionError
        If both a file and a model are named.
    FormatError
        If there is nothing, or it can't be understood.
    """
    if model is not None and vectors is not None:
        raise OptionError("--vectors: stands beside --model. Name one of them.")
    if vectors is not None and not os.path.isdir(vectors):
        from glove_cli.cli.compiling import announced
        from glove_cli.vectors.load import load_vectors

        with announced(lambda text: click.echo(text, err=True)):
            return load_vectors(vectors)
    from glove_cli.vectors.select import load_model, select_vectors

    return select_vectors(load_model(vectors or model or run / MODEL_NAME))


def as_json(neighbours: list[Neighbour]) -> list[dict[str, object]]:
    """Return neighbours as objects."""
    return [{"word": n.word, "similarity": n.similarity} for n in neighbours]


def neighbour_table(neighbours: list[Neighbour]) -> str:
    """Return neighbours as a table."""
    from glove_cli.cli.tables import shown, table

    return table(("word", "cosine"), [(shown(n.word), f"{n.similarity:.4f}") for n in neighbours])
