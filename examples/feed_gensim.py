"""Use the vectors in gensim, as its KeyedVectors. Needs gensim.

    python examples/feed_gensim.py                       # vectors of corpora/sample.txt
    python examples/feed_gensim.py vectors.txt --words paris rome bread

What export_vectors does here, `glove export vectors.kv` does on the command line. gensim maps such a file into memory:
it opens at once, and processes share it. Of a model it has the counts as well. The last word is <unk>, the mean of
the rarest ones; unk=False leaves it out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from glove_cli import GloveError, GloveModel, build_cooc, export_vectors, train

SAMPLE = Path(__file__).resolve().parents[1] / "corpora" / "sample.txt"


def sample_model(folder: str) -> GloveModel:
    """Train a model on the sample."""
    cooc = build_cooc(SAMPLE, f"{folder}/cooc", min_count=3, window=10)
    return train(cooc, dim=50, epochs=50, x_max=10, seed=1)


def main() -> None:
    """Hand vectors to gensim, and ask it about words."""
    parser = argparse.ArgumentParser(description="Use vectors in gensim.")
    parser.add_argument("vectors", nargs="?", help="a file of vectors, a model or a run")
    parser.add_argument("--words", nargs="+", help="at least three words; frequent ones, unless given")
    options = parser.parse_args()
    try:
        from gensim.models import KeyedVectors
    except ImportError:
        sys.exit("Error: gensim: is not installed. Install it with: pip install gensim")
    with tempfile.TemporaryDirectory() as folder:
        try:
            export_vectors(options.vectors or sample_model(folder), f"{folder}/vectors.kv")
        except GloveError as error:
            sys.exit(f"Error: {error}")
        keyed = KeyedVectors.load(f"{folder}/vectors.kv", mmap="r")
        print(f"gensim has {len(keyed)} words of {keyed.vector_size} numbers; the last is {keyed.index_to_key[-1]}.")
        words = options.words or [word for word in keyed.index_to_key if len(word) > 4][:4]
        if missing := [word for word in words if word not in keyed]:
            sys.exit(f"Error: {missing[0]}: is not among the words. Ask for another one.")
        for word in words:
            count = keyed.get_vecattr(word, "count") if "count" in keyed.expandos else "unknown"
            near = "  ".join(f"{other} {cosine:.3f}" for other, cosine in keyed.most_similar(word, topn=5))
            print(f"{word:12}  count {count}  nearest: {near}")
        print("the word that doesn't match the others:", keyed.doesnt_match(words))


if __name__ == "__main__":
    main()
