"""Train vectors on the texts of your own domain: text files, and a column of CSV files.

    python examples/domain_corpus.py manual.txt tickets.csv --column text --words pump valve -o domain.txt

In a text each line is a document; pdf_text.py makes such a text of PDFs. In a CSV file each cell of the column is one,
and the file is read row by row, however long it is. (JSON Lines and Parquet need no more than build_cooc's json_field
and column.)

The settings are for a small text. Words that stand three times are kept; above a million words, 5 is better. x_max is
10, because with 100 hardly a pair of a small text would count in full. Expect little below a million words: to start
from vectors that know more, see fine_tune.py.

Without files it reads corpora/sample.txt, and the neighbours are as poor as 4,000 words make them.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from glove_cli import CorpusError, GloveError, WordVectors, build_cooc, export_vectors, train

SAMPLE = Path(__file__).resolve().parents[1] / "corpora" / "sample.txt"


class Documents(io.RawIOBase):
    """Texts as an open binary file of a text a line, which build_cooc reads; one text is in memory at a time."""

    def __init__(self, name: str, texts: Iterable[str]) -> None:
        self.name, self.texts, self.rest = name, iter(texts), b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with the next bytes; return how many, 0 at the end."""
        if not self.rest and (text := next(self.texts, None)) is not None:
            self.rest = " ".join(text.split()).encode() + b"\n"
        n = min(len(buffer), len(self.rest))
        buffer[:n], self.rest = self.rest[:n], self.rest[n:]
        return n


def cells(path: Path, column: str) -> Iterator[str]:
    """Yield the cells of a column of a CSV file, whose first line has the names of the columns."""
    csv.field_size_limit(1 << 30)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if column not in (rows.fieldnames or ()):
            there = ", ".join(rows.fieldnames or ["none"])
            raise CorpusError(f"{path}: has no column {column!r}, but {there}. Name one of them with --column.")
        yield from (row[column] or "" for row in rows)


def main() -> None:
    """Train on the files that the command line names, and show neighbours."""
    parser = argparse.ArgumentParser(description="Train vectors on text files and a column of CSV files.")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="*.csv, or text with a document a line")
    parser.add_argument("--column", default="text", help="column of the CSV files (default: text)")
    parser.add_argument("--min-count", type=int, default=3, help="leave out rarer words (default: 3)")
    parser.add_argument("--words", nargs="+", help="whose neighbours to show; frequent ones, unless given")
    parser.add_argument("-o", "--out", help="file to write the vectors to, replaced if it exists")
    options = parser.parse_args()
    corpus = [
        io.BufferedReader(Documents(str(path), cells(path, options.column))) if path.suffix.lower() == ".csv" else path
        for path in options.files or [SAMPLE]
    ]
    reading = {"lowercase": True, "tokenizer": "words", "normalize": "NFKC", "min_count": options.min_count}
    try:
        with tempfile.TemporaryDirectory() as folder:
            cooc = build_cooc(corpus, f"{folder}/cooc", window=10, **reading)
            model = train(cooc, dim=50, epochs=50, x_max=10, seed=1)
        if options.out:
            export_vectors(model, options.out, force=True)
        vectors = WordVectors(model.vocab.words, (model.W + model.C).astype(np.float32))
        print(f"{cooc.meta['documents']} documents, {cooc.meta['tokens']} words; vectors of {len(vectors)} words")
        for word in options.words or [word for word in vectors.words if len(word) > 4][:6]:
            print(f"{word:12}", *(f"{near.word} {near.similarity:.2f} " for near in vectors.nearest(word, 6)))
    except GloveError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
