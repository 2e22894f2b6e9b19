"""Names that the command line needs before anything is loaded."""

from __future__ import annotations

GLOVE, WORD2VEC, WORD2VEC_BINARY, NPY = "glove", "word2vec", "word2vec-binary", "npy"
FORMAT_NAMES = (GLOVE, WORD2VEC, WORD2VEC_BINARY, NPY)
KINDS = ("sum", "word", "context", "concat")
UNK = "<unk>"
