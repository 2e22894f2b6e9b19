"""Find the words that two texts use differently, and tell how much of that is chance.

    python examples/compare_corpora.py before.txt after.txt
    python examples/compare_corpora.py before.txt after.txt --words river mother

The axes of two trainings have nothing to do with each other, so what is compared is how near a word is to those words
that are among its nearest in one text or the other: the shift is 1 minus the cosine of both lists of cosines (Hamilton,
Leskovec and Jurafsky 2016, "Cultural Shift or Linguistic Drift?"), 0 where nothing has changed, at most 2.

It is never quite 0. Another seed shifts words, and another sample of the same language shifts them much more. Both are
measured, the latter by dealing out the lines of both texts at random to two of the same sizes, several times. A word
says something if it shifts more than in every deal; even that happens by chance to one word in (deals + 1).

Without files, corpora/sample.txt is compared with itself, "river" and "mother" having changed places.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

from glove_cli import GloveError, WordVectors, build_cooc, train

MIN_COUNT, TOPN, DEALS = 5, 10, 5
SAMPLE = Path(__file__).resolve().parents[1] / "corpora" / "sample.txt"
SWAP = {b"river": b"mother", b"mother": b"river"}


def vectors_of(lines: list[bytes], seed: int = 1) -> WordVectors:
    """Train vectors on a text whose lines are documents."""
    text = io.BytesIO(b"\n".join(lines))
    with tempfile.TemporaryDirectory() as folder:
        cooc = build_cooc(text, f"{folder}/cooc", min_count=MIN_COUNT, window=10, lowercase=True, tokenizer="words")
        model = train(cooc, dim=50, epochs=50, x_max=10, seed=seed)
    return WordVectors(model.vocab.words, (model.W + model.C).astype(np.float32))


def shifts(first: WordVectors, second: WordVectors, words: list[str]) -> dict[str, float]:
    """Return how far each word shifts, seen from the words given, which both have."""
    a, b = (WordVectors(words, v.matrix[[v.row(word) for word in words]]) for v in (first, second))
    found = {}
    for word, in_a, in_b in zip(words, a.nearest_many(words, TOPN), b.nearest_many(words, TOPN), strict=True):
        near = [a.row(other) for other in sorted({n.word for n in in_a + in_b})]
        u, v = (vectors.unit_rows[near] @ vectors.unit_rows[vectors.row(word)] for vectors in (a, b))
        found[word] = 1 - float(u @ v / np.linalg.norm(u) / np.linalg.norm(v))
    return found


def compare(first: list[bytes], second: list[bytes], asked: list[str] | None) -> None:
    """Train on both texts, on one of them with another seed, and on the deals; print what shifts."""
    a, b, again = vectors_of(first), vectors_of(second), vectors_of(first, seed=2)
    deals = []
    for seed in range(DEALS):
        lines = first + second
        random.Random(seed).shuffle(lines)
        deals.append((vectors_of(lines[: len(first)]), vectors_of(lines[len(first) :])))
    words = [word for word in a.words if word in b and all(word in x and word in y for x, y in deals)]
    if missing := [word for word in asked or () if word not in words]:
        sys.exit(f"Error: {missing[0]}: is not {MIN_COUNT} times in both texts and every deal. Ask for another word.")
    found, seeds, chance = shifts(a, b, words), shifts(a, again, words), [shifts(x, y, words) for x, y in deals]
    most = {word: max(deal[word] for deal in chance) for word in words}
    print(f"{len(words)} words stand {MIN_COUNT} times in both texts and every deal. On average they shift by")
    print(f"  {np.mean(list(found.values())):.3f} from one text to the other,")
    print(f"  {np.mean(list(seeds.values())):.3f} from one seed to another, in the first text,")
    print(f"  {np.mean([list(deal.values()) for deal in chance]):.3f} from one deal of all lines to the other.")
    print(f"{sum(found[word] > most[word] for word in words)} words shift more than in each of {DEALS} deals;", end=" ")
    print(f"if the texts were of one kind, about {len(words) / (DEALS + 1):.0f} would.\n")
    print(f"{'word':12}  shift  seeds  deals  nearest in the first | in the second text")
    for word in asked or sorted(words, key=lambda word: most[word] - found[word])[:TOPN]:
        near = " | ".join(" ".join(n.word for n in vectors.nearest(word, 5)) for vectors in (a, b))
        print(f"{word:12}  {found[word]:.3f}  {seeds[word]:.3f}  {most[word]:.3f}  {near}")


def main() -> None:
    """Read the texts that the command line names."""
    parser = argparse.ArgumentParser(description="Find the words that two texts use differently.")
    parser.add_argument("texts", nargs="*", type=Path, metavar="TEXT", help="two texts, a document a line")
    parser.add_argument("--words", nargs="+", help="show these words, not those that shift the most")
    options = parser.parse_args()
    if len(options.texts) not in (0, 2):
        sys.exit(f"Error: TEXT: {len(options.texts)} given. Name two texts, or none for an example.")
    try:
        first, second = [path.read_bytes().splitlines() for path in options.texts or (SAMPLE, SAMPLE)]
    except OSError as error:
        sys.exit(f"Error: {error.filename}: can't be read: {error.strerror}. Name a text file.")
    if not options.texts:
        second = [re.sub(rb"\w+", lambda word: SWAP.get(word[0], word[0]), line) for line in second]
    try:
        compare(first, second, options.words)
    except GloveError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
