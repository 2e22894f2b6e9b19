"""The exchange formats: which one a file has, by its name when writing and by its content when reading."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.corpus.content import TEXT_HEAD, check_text
from glove_cli.errors import FormatError, OptionError
from glove_cli.vectors import (
    gensim_native,
    glove_text,
    npy,
    parquet_file,
    projector_folder,
    reference_folder,
    safetensors_file,
    spacy_folder,
    word2vec_binary,
    word2vec_text,
)
from glove_cli.vectors.checks import named_errors
from glove_cli.vectors.names import (
    EXPORT_NAMES,
    GENSIM,
    GLOVE,
    NPY,
    PARQUET,
    PROJECTOR,
    REFERENCE,
    SAFETENSORS,
    SAME_FORMATS,
    SPACY,
    WORD2VEC,
    WORD2VEC_BINARY,
)
from glove_cli.vectors.outputs import packed_suffix
from glove_cli.vectors.packed import format_errors
from glove_cli.vectors.reference_model import is_text
from glove_cli.vectors.text import fits_header, header_shape, read_head
from glove_cli.vectors.word2vec_binary import looks_binary

_NPY_MAGIC = b"\x93NUMPY"
_PARQUET_MAGIC = b"PAR1"
_FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")
_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf)", re.IGNORECASE)
_LOOKED_AT = 4096
_ROWS_LOOKED_AT = 20
_LEAST_OF_NUMBER = 3  # characters; random bytes end like a shorter one too often
_PICKLE = b"\x80"
_PICKLE_VERSIONS = range(2, 6)


@dataclass(frozen=True)
class Format:
    """A way to keep word vectors in a file, in two files, or in a folder.

    Attributes
    ----------
    name, title : str
        What `--format` and what messages call it.
    write, read : callable
        See `glove_text`; `write` of a whole model takes the model in place of words and rows.
    beside : callable, optional
        For a format of two files: the second one's path for that of the first.
    folder : bool
        Whether it is a folder.
    counted : bool
        Whether `write` takes the words' counts.
    whole : bool
        Whether it holds a whole model, so that `write` takes that, and `read` a kind of vectors.
    check : callable, optional
        Raises an error if what the format needs isn't installed.
    packable : bool
        Whether it is written packed where the name ends in .gz, .bz2 or .xz.
    """

    name: str
    title: str
    write: Callable[..., None]
    read: Callable[..., tuple[list[str], NDArray[np.float32]]]
    beside: Callable[[str | os.PathLike[str]], Path] | None = None
    folder: bool = False
    counted: bool = False
    whole: bool = False
    check: Callable[[Any], None] | None = None
    packable: bool = False

    def files(self, out: str | os.PathLike[str]) -> list[Path]:
        """Return the files, or the folder, that writing to `out` makes."""
        return [Path(out)] + ([self.beside(out)] if self.beside else [])


FORMATS = {
    found.name: found
    for found in (
        Format(GLOVE, "GloVe text", glove_text.write, glove_text.read, packable=True),
        Format(WORD2VEC, "word2vec text", word2vec_text.write, word2vec_text.read, packable=True),
        Format(WORD2VEC_BINARY, "word2vec binary", word2vec_binary.write, word2vec_binary.read, packable=True),
        Format(NPY, "NumPy array and words", npy.write, npy.read, beside=npy.words_path),
        Format(
            GENSIM, "gensim", gensim_native.write, gensim_native.read, beside=gensim_native.vectors_path, counted=True
        ),
        Format(SAFETENSORS, "safetensors", safetensors_file.write, safetensors_file.read, counted=True),
        Format(PARQUET, "Parquet", parquet_file.write, parquet_file.read, counted=True, check=parquet_file.check_arrow),
        Format(
            PROJECTOR,
            "tables for the Embedding Projector",
            projector_folder.write,
            projector_folder.read,
            folder=True,
            counted=True,
        ),
        Format(SPACY, "text for spaCy", spacy_folder.write, spacy_folder.read, folder=True, counted=True),
        Format(
            REFERENCE,
            "parameters for the original tools",
            reference_folder.write_model,
            reference_folder.read,
            folder=True,
            whole=True,
        ),
    )
}
_SUFFIXES = {
    ".npy": NPY,
    ".bin": WORD2VEC_BINARY,
    ".vec": WORD2VEC,
    ".w2v": WORD2VEC,
    ".kv": GENSIM,
    ".safetensors": SAFETENSORS,
    ".parquet": PARQUET,
}
_OTHER_KINDS = (".csv", ".h5", ".json", ".jsonl", ".npz", ".pickle", ".pkl", ".pt", ".tsv")  # not written here


def find_format(name: str) -> Format:
    """Return the format of a name.

    Raises
    ------
    OptionError
        If there is no such format.
    """
    name = SAME_FORMATS.get(name, name)
    if name not in FORMATS:
        raise OptionError(f"--format: {name!r} is not one of {', '.join(EXPORT_NAMES)}. Choose one of them.")
    return FORMATS[name]


def format_of_name(out: str | os.PathLike[str] | BinaryIO) -> Format:
    """Return the format in which a file of this name is written: GloVe text, unless its ending says another.

    That is the ending before one that says how the file is packed.

    Raises
    ------
    OptionError
        If the ending is that of another kind of file.
    """
    name = Path(out) if isinstance(out, (str, os.PathLike)) else Path()
    suffix = Path(name.stem).suffix if packed_suffix(name) else name.suffix
    if suffix.lower() in _OTHER_KINDS:
        endings = ", ".join(_SUFFIXES)
        raise OptionError(
            f"{out}: no format that ends in {suffix} is written. Choose .txt, {endings}, or name a --format."
        )
    return FORMATS[_SUFFIXES.get(suffix.lower(), GLOVE)]


def format_of_content(path: str | os.PathLike[str]) -> Format:
    """Return the format of an existing file by its first bytes.

    Raises
    ------
    FormatError
        If the file can't be read, or is a pipe or a device; if it is a kind of file that can't be read here.

    Notes
    -----
    A word of a text may hold any byte, also those by which another format begins. So where such a mark is short, a
    first line that is a word and numbers makes the file a text.
    """
    path = Path(path)
    # What was looked at in a pipe would be missing when the whole is read, and a second opening may wait for ever.
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise FormatError(f"{path}: is not a file that can be read twice. Save it as a file and name that.")
    with named_errors(path), path.open("rb", buffering=0) as file:
        head = read_head(file)
        size = os.fstat(file.fileno()).st_size
    return FORMATS[_name_of_content(path, head, size)]


def _name_of_content(path: Path, head: bytes, size: int) -> str:
    if head.startswith(_NPY_MAGIC):
        return NPY
    if safetensors_file.parse_header(head) is not None:
        return SAFETENSORS
    if projector_folder.is_vectors(path, head):
        return PROJECTOR
    shape = header_shape(head)
    if shape:
        if not head.partition(b"\n")[2] or fits_header(head):  # a header alone is a file cut short
            return WORD2VEC
        return WORD2VEC_BINARY if looks_binary(head, shape) else GLOVE
    textual = is_text(head[:_LOOKED_AT])
    if head and not textual and reference_folder.fits(path, size):
        return REFERENCE
    if _is_row(head.partition(b"\n")[0], 1 if textual else _LEAST_OF_NUMBER):
        return GLOVE
    if head.startswith(_PARQUET_MAGIC):
        return PARQUET
    if head.startswith(_PICKLE) and head[1:2] and head[1] in _PICKLE_VERSIONS:
        return GENSIM
    if safetensors_file.looks_cut(head):
        return SAFETENSORS
    if head.startswith(_FASTTEXT_MAGIC):
        raise FormatError(
            f"{path}: is a model of fastText, which keeps parts of words, not their vectors. Name the .vec file that "
            "fastText writes beside it."
        )
    if not head or textual or _are_rows(head):
        return GLOVE
    with format_errors():
        check_text(os.fspath(path), head[:TEXT_HEAD], nul=False)  # names archives and other encodings
    if path.with_name("vocab.txt").is_file():
        reference_folder.read(path)  # says what doesn't fit
    raise FormatError(
        f"{path}: holds binary data in no format that is known. If it is a vectors.bin of the original tools, put "
        "their vocab.txt beside it."
    )


def _are_rows(head: bytes) -> bool:
    """Tell whether the first lines are all a word and numbers; two of them aren't so by chance."""
    lines = head.split(b"\n")[:-1][:_ROWS_LOOKED_AT]
    return len(lines) > 1 and all(_is_row(line, 0) for line in lines)


def _is_row(line: bytes, least: int) -> bool:
    """Tell whether a line is a word and at least one number, the last one written with so many characters."""
    line = line.rstrip(b" \t\r")
    place = max(line.rfind(b" "), line.rfind(b"\t"))
    return 0 < place < len(line) - least and _NUMBER.fullmatch(line, place + 1) is not None
