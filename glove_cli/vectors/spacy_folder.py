"""A folder for `spacy init vectors`: `vectors.txt` in word2vec text, and the words with their log-probabilities.

`lexemes.jsonl` has an object a line, `{"orth": word, "prob": log(count / all counts)}`, where counts are known. spaCy's
option --lexemes-jsonl takes it; spaCy 3 makes a lexeme of each line and leaves `prob` out, earlier ones kept it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glove_cli.errors import FormatError
from glove_cli.vectors import word2vec_text
from glove_cli.vectors.folders import export_folder
from glove_cli.vectors.names import EXPORT_VECTORS, SPACY
from glove_cli.vectors.rows import Rows
from glove_cli.vectors.text import check_text_words, write_text

VECTORS_NAME = EXPORT_VECTORS[SPACY]
LEXEMES_NAME = "lexemes.jsonl"


def write(
    out: str | os.PathLike[str] | BinaryIO,
    words: Sequence[str],
    rows: Rows,
    *,
    header: bool = True,
    threads: int | None = None,
    force: bool = False,
    counts: NDArray[np.int64] | None = None,
) -> None:
    """Write vectors as a folder for `spacy init vectors`.

    The parameters are those of `glove_text.write`; `counts`, int64 (V,), are how often each word occurred. `out` is
    the folder to make.

    Raises
    ------
    OptionError
        If `out` is a stream.
    FormatError
        If a value isn't finite, or spaCy could not read a word: one that is not UTF-8, or holds a line end or a
        carriage return.
    OutputError
        If the folder exists and may not be replaced, or can't be written.
    """
    check_text_words(words, "vectors")
    for word in words:
        if "\r" in word or any("\udc80" <= c <= "\udcff" for c in word):
            what = "a carriage return" if "\r" in word else "bytes that are not UTF-8"
            raise FormatError(
                f"vectors: the word {word!r} holds {what}, which spaCy can't read. Choose another --format."
            )
    with export_folder(out, SPACY, force=force, V=rows.shape[0], dim=rows.shape[1]) as writer:
        with (writer.path / VECTORS_NAME).open("xb") as file:
            write_text(file, words, rows, name="vectors", header=True, threads=threads)
        writer.names.append(VECTORS_NAME)
        if counts is not None:
            probabilities = np.log(counts[counts > 0] / counts.sum())
            known = [word for word, count in zip(words, counts.tolist(), strict=True) if count]
            lines = (
                json.dumps({"orth": word, "prob": round(prob, 6)}, ensure_ascii=False) + "\n"
                for word, prob in zip(known, probabilities.tolist(), strict=True)
            )
            writer.text(LEXEMES_NAME, "".join(lines))


def read(path: str | os.PathLike[str]) -> tuple[list[str], NDArray[np.float32]]:
    """Read the vectors of such a folder.

    The parameters and what is returned are those of `glove_text.read`. `path` is the folder, or its `vectors.txt`.

    Raises
    ------
    FormatError
        If a line isn't what it should be; the message names it.
    """
    path = Path(path)
    return word2vec_text.read(path / VECTORS_NAME if path.is_dir() else path)
