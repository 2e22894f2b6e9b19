"""Go on from public vectors with a text of your own, and see what moved.

    python examples/fine_tune.py my.txt --vectors glove.6B.100d.txt --words python cell -o tuned.txt

Words of the text that have a public vector start from it, and the anchor pulls them back to it (Dingwall and Potts
2018, "Mittens"): 0.1 is hardly felt, 10 is strong. Words that are new find their place among them. Only words of the
text are trained; --out writes the public vectors with these in their places, and the new ones at the end.

The text is lower-cased, because the words of most public vectors are.

Without --vectors, every other line of corpora/sample.txt stands in for the public text, and without a text of yours the
other lines stand in for that. So few words say next to nothing: look at what is done with them.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from glove_cli import GloveError, WordVectors, build_cooc, export_vectors, load_vectors, train

SAMPLE = Path(__file__).resolve().parents[1] / "corpora" / "sample.txt"


def half_of_the_sample(first: int) -> io.BytesIO:
    """Return every other line of the sample."""
    return io.BytesIO(b"".join(SAMPLE.read_bytes().splitlines(keepends=True)[first::2]))


def train_on(text: Path | io.BytesIO, **options: Any) -> WordVectors:
    """Train vectors on a text, a document a line."""
    with tempfile.TemporaryDirectory() as folder:
        cooc = build_cooc(text, f"{folder}/cooc", min_count=3, window=10, lowercase=True, tokenizer="words")
        model = train(cooc, epochs=50, x_max=10, seed=1, **options)
    return WordVectors(model.vocab.words, (model.W + model.C).astype(np.float32))


def some(vectors: WordVectors, words: list[str]) -> WordVectors:
    """Return the vectors of some words only."""
    return WordVectors(words, vectors.matrix[[vectors.row(word) for word in words]])


def show(vectors: WordVectors, word: str) -> str:
    """Return the words nearest to a word."""
    return " ".join(near.word for near in vectors.nearest(word, 5))


def main() -> None:
    """Tune vectors as the command line says; print what moved."""
    parser = argparse.ArgumentParser(description="Go on from public vectors with a text of your own.")
    parser.add_argument("text", nargs="?", type=Path, metavar="TEXT", help="your text, a document a line")
    parser.add_argument("--vectors", type=Path, help="a file of vectors in any format")
    parser.add_argument("--anchor", type=float, default=1.0, help="strength of the anchor (default: 1)")
    parser.add_argument("--words", nargs="+", help="show these words, not those that moved most")
    parser.add_argument("-o", "--out", help="file to write all vectors to, replaced if it exists")
    options = parser.parse_args()
    try:
        public = load_vectors(options.vectors) if options.vectors else train_on(half_of_the_sample(0), dim=50)
        text = options.text or half_of_the_sample(1)
        tuned = train_on(text, dim=public.dim, init=public, anchor_strength=options.anchor)
        if options.out:
            rows = {word: vectors[word] for vectors in (public, tuned) for word in vectors.words}
            export_vectors(WordVectors(list(rows), np.array(list(rows.values()))), options.out, force=True)
        known = [word for word in tuned.words if word in public]
        new = [word for word in tuned.words if word not in public]
        before, after = some(public, known), some(tuned, known)
        kept = (before.unit_rows * after.unit_rows).sum(axis=1)  # the cosine of each word's old and new vector
        asked = options.words or [known[row] for row in np.argsort(kept, kind="stable")[:8]] + new[:5]
        some(tuned, asked)  # a word without a vector is an error before anything is printed
        print(f"{len(tuned)} words of the text: {len(known)} have a public vector, {len(new)} are new.")
        print(f"With anchor {options.anchor:g} the known ones keep a cosine of {kept.mean():.3f} with it on average.\n")
        print(f"{'known word':12}  cosine  nearest before | after, among the known words")
        for word in [word for word in asked if word in before]:
            print(f"{word:12}  {kept[before.row(word)]:6.3f}  {show(before, word)} | {show(after, word)}")
        print(f"\n{'new word':12}  nearest, among all words of the text")
        for word in [word for word in asked if word not in before]:
            print(f"{word:12}  {show(tuned, word)}")
    except GloveError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
