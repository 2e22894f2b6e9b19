"""A folder for the TensorFlow Embedding Projector: `vectors.tsv`, and `metadata.tsv` with the words.

Either file can be loaded at projector.tensorflow.org; `tensorboard --logdir FOLDER` finds both by
`projector_config.pbtxt`. `vectors.tsv` has no header, `metadata.tsv` has one, because it has more than one column:
`word`, `rank`, and `count` where counts are known.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.inputs import read_lines
from glove_cli.vectors.checks import check_unique, check_words, named_errors
from glove_cli.vectors.folders import export_folder
from glove_cli.vectors.matrices import float32_rows
from glove_cli.vectors.names import EXPORT_VECTORS, PROJECTOR
from glove_cli.vectors.rows import Rows
from glove_cli.vectors.text import write_text
from glove_cli.vocab import word_from_bytes, word_to_bytes

VECTORS_NAME = EXPORT_VECTORS[PROJECTOR]
WORDS_NAME = "metadata.tsv"
CONFIG_NAME = "projector_config.pbtxt"
_CONFIG = (
    f'embeddings {{\n  tensor_name: "vectors"\n  tensor_path: "{VECTORS_NAME}"\n  metadata_path: "{WORDS_NAME}"\n}}\n'
)


def write(
    out: str | os.PathLike[str] | BinaryIO,
    words: Sequence[str],
    rows: Rows,
    *,
    header: bool = False,
    threads: int | None = None,
    force: bool = False,
    counts: NDArray[np.int64] | None = None,
) -> None:
    """Write vectors as a folder for the Embedding Projector.

    The parameters are those of `glove_text.write`; `counts`, int64 (V,), are how often each word occurred. `out` is
    the folder to make.

    Raises
    ------
    OptionError
        If `out` is a stream.
    FormatError
        If a value isn't finite, or a word can't be written.
    OutputError
        If the folder exists and may not be replaced, or can't be written.
    """
    check_words(words, "vectors", forbidden="\t\n\r")
    with export_folder(out, PROJECTOR, force=force, V=rows.shape[0], dim=rows.shape[1]) as writer:
        with (writer.path / VECTORS_NAME).open("xb") as file:
            lines = cast(BinaryIO, _NumbersAlone(file))
            write_text(lines, [""] * len(words), rows, name="vectors", header=False, threads=threads)
        columns = [map(word_to_bytes, words), (b"%d" % rank for rank in range(1, len(words) + 1))]
        names = [b"word", b"rank"]
        if counts is not None:
            columns.append(b"%d" % count for count in counts.tolist())
            names.append(b"count")
        with (writer.path / WORDS_NAME).open("xb") as file:
            file.write(b"\t".join(names) + b"\n")
            file.writelines(b"\t".join(fields) + b"\n" for fields in zip(*columns, strict=True))
        writer.names += [VECTORS_NAME, WORDS_NAME]
        writer.text(CONFIG_NAME, _CONFIG)


def read(path: str | os.PathLike[str]) -> tuple[list[str], NDArray[np.float32]]:
    """Read the vectors of such a folder.

    The parameters and what is returned are those of `glove_text.read`. `path` is the folder, or its `vectors.tsv`;
    `metadata.tsv` stands beside it. Without a header that has but one column.

    Raises
    ------
    FormatError
        If a file can't be read, or the two don't have as many lines; if a word stands twice, or a value isn't finite.
    """
    path = Path(path)
    path = path / VECTORS_NAME if path.is_dir() else path
    listed = path.with_name(WORDS_NAME)
    lines = read_lines(listed, "Make the folder again.").removesuffix(b"\n").split(b"\n")
    with named_errors(path):
        array = np.loadtxt(path, np.float64, delimiter="\t", comments=None, ndmin=2)
    headed = b"\t" in lines[0]
    words = [line.rstrip(b"\r").split(b"\t")[0] for line in lines[headed:]]
    if len(words) != len(array) or not array.size:
        raise FormatError(f"{listed}: holds {len(words):,} words, {path} {len(array):,} vectors. Make both again.")
    check_unique(words, listed, first=1 + headed)
    return [word_from_bytes(word) for word in words], float32_rows(array, words, path)


class _NumbersAlone:
    """Takes lines of an empty word and its numbers, and writes the numbers with tabs between."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._last = b"\n"  # byte before the next piece; a space after the end of a line is no place for a tab

    def write(self, data: bytes | memoryview) -> int:
        """Write a part of the lines, cut anywhere."""
        piece = self._last + bytes(data)
        self._last = piece[-1:]
        self._file.write(piece.replace(b"\n ", b"\n").replace(b" ", b"\t")[1:])
        return len(data)


def is_vectors(path: Path, head: bytes) -> bool:
    """Tell whether a file that begins so holds numbers alone, with tabs between, and its words stand beside it."""
    first = head.partition(b"\n")[0].rstrip(b"\r")
    if not path.with_name(WORDS_NAME).is_file():
        return False
    try:
        return all(np.isfinite(float(field)) for field in first.split(b"\t"))
    except ValueError:
        return False
