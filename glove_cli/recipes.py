"""Settings that work together, from counting to the use of the vectors.

cooc = build_cooc("corpus.txt", **RECIPES["wide"].counting)
model = train(cooc, **RECIPES["wide"].training)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """Options of `build_cooc` and of `train`, by name.

    Attributes
    ----------
    about : str
        What it is good for.
    counting : mapping
        Of `CoocConfig`.
    training : mapping
        Of `TrainConfig`, and `process`.
    """

    about: str
    counting: Mapping[str, Any]
    training: Mapping[str, Any]


# Found on Wikipedia with questions and word pairs that its scores are not told on; see docs/guide.md.
RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "wide": Recipe(
            "Wide windows without most of the function words: better scores than the defaults, in little time.",
            MappingProxyType({"window": 60, "subsample": 1e-4}),
            MappingProxyType({"x_max": "auto", "epochs": 10, "min_weight": 0.1, "process": "unit,whiten:0.3"}),
        ),
    }
)
