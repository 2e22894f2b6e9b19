"""Whether a model was trained by GloVe's objective alone, and from this matrix."""

from __future__ import annotations

from typing import Any

from glove_cli.errors import FormatError, OptionError
from glove_cli.model import GloveModel
from glove_cli.training.counts import Counts

_AGAIN = "Train one with `glove train`."


def check_model(model: GloveModel, name: str = "model") -> tuple[float, float]:
    """Return x_max and alpha of a model's training.

    Parameters
    ----------
    model : GloveModel
    name : str
        What errors call it.

    Returns
    -------
    x_max, alpha : float

    Raises
    ------
    FormatError
        If it wasn't trained on a matrix, or made something else small than GloVe's objective.
    """
    meta = model.meta
    method = meta.get("method", "glove")
    if method != "glove":
        raise FormatError(
            f"{name}: was made by {str(method)[:60]}, which fits no vector by weighted least squares. {_AGAIN}"
        )
    options = meta.get("options")
    if not isinstance(options, dict) or not isinstance(meta.get("cooc"), dict):
        raise FormatError(f"{name}: doesn't say which matrix it was trained on: it was imported. {_AGAIN}")
    strength = options.get("anchor_strength")
    if strength:
        raise FormatError(
            f"{name}: is held to other vectors (--anchor-strength {strength}). Train one without --anchor-strength."
        )
    numbers = [options.get("x_max"), options.get("alpha"), options.get("holdout", 0.0)]
    if not all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in numbers):
        raise FormatError(f"{name}: doesn't say with which --x-max, --alpha and --holdout it was trained. {_AGAIN}")
    return float(options["x_max"]), float(options["alpha"])


def check_same_matrix(model: GloveModel, counts: Counts, name: str = "model") -> None:
    """Refuse another matrix than the one that a model was trained on.

    Parameters
    ----------
    model : GloveModel
    counts : Counts
    name : str
        What errors call the model.

    Raises
    ------
    OptionError
        If the matrices' checksums differ.
    FormatError
        If the model has none: it was trained on a SciPy matrix, by an older version.
    """
    trained: dict[str, Any] = model.meta["cooc"]
    expected = trained.get("sha256")
    if not isinstance(expected, dict):
        raise FormatError(f"{name}: has no checksum of the matrix it was trained on. {_AGAIN}")
    if expected != counts.hashes():
        place = f" It was trained on {trained['path']}." if trained.get("path") else ""
        raise OptionError(
            f"--cooc: {counts.name} is not the matrix that {name} was trained on (SHA-256 differs).{place} "
            "Name that one, or train again."
        )
