"""The noise of vectors in a rho, for `glove evaluate --intervals`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glove_cli.cli.intervals import note_rare, open_training, open_uncertain
from glove_cli.cli.progress import Progress
from glove_cli.cli.terminal import say
from glove_cli.evaluation.together import similarity_files
from glove_cli.evaluation.uncertain import uncertain_similarity

if TYPE_CHECKING:
    from glove_cli.cli.evaluate import Choice


_ENOUGH = 4  # other trainings from which on the interval of a rho is hardly wider for their small number


def add_noise(
    chosen: list[Choice],
    models: list[dict[str, Any]],
    files: list[Path],
    rules: dict[str, Any],
    draw: dict[str, int],
    cooc: Path | None,
    level: float,
    also: Sequence[Path] = (),
) -> None:
    """Add to each model's results how much of each rho is noise of its vectors.

    Parameters
    ----------
    chosen : list of Choice
    models : list of dict
        Changed.
    files : list of Path
        Files of pairs, or folders of them.
    rules : dict
        "protocol" and "restrict".
    draw : dict
        "resamples" and "seed".
    cooc : Path, optional
        The matrix.
    level : float
    also : sequence of Path
        Other trainings of the one model.

    Raises
    ------
    FormatError, OptionError
        As `open_uncertain`.
    """
    how: dict[str, Any] = {"protocol": rules["protocol"], "restrict": rules["restrict"], "level": level}
    how |= {"draws": draw["resamples"], "seed": draw["seed"]}
    for choice, model in zip(chosen, models, strict=True):
        source = open_uncertain(choice.path.parent, choice.path, choice.vectors, choice.process, cooc)
        how["training"] = open_training(source, also, choice.process)
        found = []
        for file in similarity_files(files):
            with Progress() as progress:
                found.append(uncertain_similarity(source, file, **how, progress=progress))
        model["noise"] = [
            {
                "name": each.name,
                "rho": _number(each.rho),
                "error": _number(each.se),
                "interval": None if math.isnan(each.low) else [each.low, each.high],
                "pairs": each.pairs,
                "of": each.of,
                "rare_words": list(each.rare),
            }
            for each in found
        ]
        if how["training"] is None or not how["training"].resampled:
            note_rare(source)
        if 0 < len(also) < _ENOUGH:
            say(
                f"Note: the noise of rho is judged by {len(also)} other model{'s' if len(also) > 1 else ''}, so its "
                f"interval is wide. Name {_ENOUGH} or more with --also."
            )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
