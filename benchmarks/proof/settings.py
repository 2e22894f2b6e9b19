"""What each tool is given: the one table of settings that the parts of `run.py` use.

A recipe of ours is a list of further arguments to `glove build-cooc` and `glove train`, and of steps of `--process`.
The first one adds nothing, and is what the reference is compared with; the package's own follow. To measure another
one, add it to RECIPES; `speed` and `equal-time` run all of them, with --quick the first one. The parts themselves give
`--dim`, `--epochs`, `--seed` and `--threads`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from glove_cli import recipes


@dataclass(frozen=True)
class Recipe:
    """A way to use our commands: what is added to the common settings."""

    name: str
    build: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    process: str = ""
    epochs: int | None = None  # of speed; as of the reference, unless given

    @property
    def label(self) -> str:
        """The name, and a digest of what is added, so that results of another recipe of this name don't count."""
        if not (self.build or self.train or self.process):
            return self.name
        return f"{self.name}-{hashlib.sha256(repr(self).encode()).hexdigest()[:6]}"


def arguments(options: Mapping[str, object]) -> tuple[str, ...]:
    """Return options as they are typed, apart from the epochs."""
    typed = ((f"--{name.replace('_', '-')}", str(value)) for name, value in options.items() if name != "epochs")
    return tuple(part for pair in typed for part in pair)


RECIPES = (
    Recipe("glove"),
    *(
        Recipe(name, arguments(recipe.counting), arguments(recipe.training), epochs=recipe.training["epochs"])
        for name, recipe in recipes.RECIPES.items()
    ),
)

# gensim's, by the name of the row: the class, and the arguments beside vector_size, window, min_count, epochs, workers.
GENSIM: dict[str, tuple[str, dict[str, int]]] = {
    "skip-gram": ("Word2Vec", {"sg": 1}),
    "CBOW": ("Word2Vec", {"sg": 0}),
    "fastText": ("FastText", {"sg": 1}),
}
GENSIM_DIM, GENSIM_WINDOW = 100, 5  # gensim's own defaults
GENSIM_LINE = 1_000  # words; gensim gives whole lines to its threads, and cuts them at 10,000 words

# What equal-time plans: the largest share of the text on which so many epochs fit into the time, by each of the plans
# (the first one leaves out a share only where not even one epoch fits), and no more epochs than this.
LEAST_EPOCHS = (1, 5)
MOST_EPOCHS = {"glove": 100, "reference": 100, "skip-gram": 30}

COST_TOLERANCE = 0.05  # relative, of an epoch; starting values and the order of entries differ
FINAL_COST_TOLERANCE = 0.02  # relative, of the last epoch, by which ours may be higher
WORDS_TOLERANCE = 0.01  # relative; gensim takes every Unicode blank for the end of a word
FLOOR = 0.1  # share of the analogy questions that vectors of a whole corpus must answer
MARGIN_ACCURACY, MARGIN_RHO = 0.005, 0.01  # by how much worse is still "not worse"
LEVEL = 0.05  # of the one-sided tests


def describe() -> dict[str, object]:
    """Return the table as JSON can hold it."""
    recipes = {recipe.name: {"build": recipe.build, "train": recipe.train, "process": recipe.process}
               for recipe in RECIPES}  # fmt: skip
    gensim = {name: {"class": kind, **extra} for name, (kind, extra) in GENSIM.items()}
    return {"recipes": recipes, "gensim": gensim, "least_epochs": LEAST_EPOCHS, "most_epochs": MOST_EPOCHS}
