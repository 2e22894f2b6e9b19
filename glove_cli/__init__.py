"""GloVe word vectors from your own text: exact, reproducible, fast.

>>> from glove_cli import build_cooc, train
>>> cooc = build_cooc("corpus.txt", "corpus.cooc")  # doctest: +SKIP
>>> model = train(cooc, dim=100)  # doctest: +SKIP

Names are imported when they are first used, so that `import glove_cli` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from glove_cli.version import __version__

if TYPE_CHECKING:
    from glove_cli.comparison.compare import compare
    from glove_cli.comparison.result import Comparison
    from glove_cli.cooc.build import build_cooc
    from glove_cli.cooc.combine import merge_cooc
    from glove_cli.cooc.config import CoocConfig
    from glove_cli.cooc.exchange import export_cooc, import_cooc
    from glove_cli.cooc.store import CoocMatrix, load_cooc
    from glove_cli.corpus.vocabulary import build_vocab
    from glove_cli.errors import (
        CorpusError,
        FormatError,
        GloveError,
        OptionError,
        OutputError,
        TrainingError,
        UnknownWordError,
    )
    from glove_cli.language.compare import evaluate_language
    from glove_cli.language.config import LanguageConfig
    from glove_cli.language.ngrams import KneserNey
    from glove_cli.language.report import LanguageReport
    from glove_cli.language.sample import sample_text
    from glove_cli.model import GloveModel
    from glove_cli.plots.changes import draw_changes
    from glove_cli.plots.explore import write_page
    from glove_cli.plots.history import draw_history
    from glove_cli.plots.language import draw_language
    from glove_cli.plots.words import draw_words
    from glove_cli.spectral.config import SpectralConfig
    from glove_cli.spectral.factorize import factorize
    from glove_cli.training.config import TrainConfig
    from glove_cli.training.history import read_history
    from glove_cli.training.report import EpochReport
    from glove_cli.training.run import train
    from glove_cli.uncertainty.cosines import similarity_intervals
    from glove_cli.uncertainty.training_noise import TrainingNoise
    from glove_cli.uncertainty.vectors import uncertain_vectors, word_uncertainty
    from glove_cli.vectors.export import export_vectors
    from glove_cli.vectors.keyed import WordVectors
    from glove_cli.vectors.load import load_vectors
    from glove_cli.vectors.reference_model import import_model
    from glove_cli.vectors.select import load_model, select_vectors
    from glove_cli.vocab import Vocab, merge_vocabs

__all__ = [
    "Comparison",
    "CoocConfig",
    "CoocMatrix",
    "CorpusError",
    "EpochReport",
    "FormatError",
    "GloveError",
    "GloveModel",
    "KneserNey",
    "LanguageConfig",
    "LanguageReport",
    "OptionError",
    "OutputError",
    "SpectralConfig",
    "TrainConfig",
    "TrainingError",
    "TrainingNoise",
    "UnknownWordError",
    "Vocab",
    "WordVectors",
    "__version__",
    "build_cooc",
    "build_vocab",
    "compare",
    "draw_changes",
    "draw_history",
    "draw_language",
    "draw_words",
    "evaluate_language",
    "export_cooc",
    "export_vectors",
    "factorize",
    "import_cooc",
    "import_model",
    "load_cooc",
    "load_model",
    "load_vectors",
    "merge_cooc",
    "merge_vocabs",
    "read_history",
    "sample_text",
    "select_vectors",
    "similarity_intervals",
    "train",
    "uncertain_vectors",
    "word_uncertainty",
    "write_page",
]

_MODULES = {
    "comparison.compare": ("compare",),
    "comparison.result": ("Comparison",),
    "cooc.build": ("build_cooc",),
    "cooc.combine": ("merge_cooc",),
    "cooc.config": ("CoocConfig",),
    "cooc.exchange": ("export_cooc", "import_cooc"),
    "cooc.store": ("CoocMatrix", "load_cooc"),
    "corpus.vocabulary": ("build_vocab",),
    "errors": (
        "CorpusError",
        "FormatError",
        "GloveError",
        "OptionError",
        "OutputError",
        "TrainingError",
        "UnknownWordError",
    ),
    "language.compare": ("evaluate_language",),
    "language.config": ("LanguageConfig",),
    "language.ngrams": ("KneserNey",),
    "language.report": ("LanguageReport",),
    "language.sample": ("sample_text",),
    "model": ("GloveModel",),
    "plots.changes": ("draw_changes",),
    "plots.explore": ("write_page",),
    "plots.history": ("draw_history",),
    "plots.language": ("draw_language",),
    "plots.words": ("draw_words",),
    "spectral.config": ("SpectralConfig",),
    "spectral.factorize": ("factorize",),
    "training.config": ("TrainConfig",),
    "training.history": ("read_history",),
    "training.report": ("EpochReport",),
    "training.run": ("train",),
    "uncertainty.cosines": ("similarity_intervals",),
    "uncertainty.training_noise": ("TrainingNoise",),
    "uncertainty.vectors": ("uncertain_vectors", "word_uncertainty"),
    "vectors.export": ("export_vectors",),
    "vectors.keyed": ("WordVectors",),
    "vectors.load": ("load_vectors",),
    "vectors.reference_model": ("import_model",),
    "vectors.select": ("load_model", "select_vectors"),
    "vocab": ("Vocab", "merge_vocabs"),
}
_HOMES = {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
