"""Names that the command line needs before anything is loaded."""

from __future__ import annotations

PROTOCOL_NAMES = ("reference", "word2vec", "gensim")
