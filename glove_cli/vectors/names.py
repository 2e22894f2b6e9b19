"""Names that the command line needs before anything is loaded."""

from __future__ import annotations

GLOVE, WORD2VEC, WORD2VEC_BINARY, NPY = "glove", "word2vec", "word2vec-binary", "npy"
GENSIM, SAFETENSORS, PARQUET = "gensim", "safetensors", "parquet"
PROJECTOR, SPACY, REFERENCE = "projector", "spacy", "reference"
FORMAT_NAMES = (GLOVE, WORD2VEC, WORD2VEC_BINARY, NPY, GENSIM, SAFETENSORS, PARQUET)
FOLDER_NAMES = (PROJECTOR, SPACY, REFERENCE)
SAME_FORMATS = {"fasttext": WORD2VEC}  # other names by which a format is known
EXPORT_NAMES = (*FORMAT_NAMES, *SAME_FORMATS, *FOLDER_NAMES)
EXPORT_FORMAT, EXPORT_VERSION = "glove-export", 1  # of the `meta.json` in a folder for another program
EXPORT_VECTORS = {PROJECTOR: "vectors.tsv", SPACY: "vectors.txt", REFERENCE: "vectors.bin"}  # the file in such a folder
KINDS = ("sum", "word", "context", "concat")
UNK = "<unk>"
COSINE, DOT, EUCLIDEAN = "cosine", "dot", "euclidean"
METRICS = (COSINE, DOT, EUCLIDEAN)
ADD, MUL = "add", "mul"
METHODS = (ADD, MUL)
