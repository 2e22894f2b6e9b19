"""Use the vectors in spaCy, in a pipeline of their own. Needs spaCy.

    python examples/feed_spacy.py                        # vectors of corpora/sample.txt
    python examples/feed_spacy.py vectors.txt --lang en -o pipeline

On the command line it is

    glove export for-spacy --format spacy
    python -m spacy init vectors en for-spacy/vectors.txt pipeline

and in your program spacy.load("pipeline"), or, to train with these vectors, `vectors = "pipeline"` under [initialize]
of spaCy's configuration. spaCy looks a token up as it is written, so texts are lower-cased here as the vectors' text
was; its own option for that, --attr LOWER, is forgotten when spaCy 3.8 saves the pipeline.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from glove_cli import GloveError, GloveModel, build_cooc, export_vectors, train

SAMPLE = Path(__file__).resolve().parents[1] / "corpora" / "sample.txt"
TEXTS = ["The capital of France is old.", "Rome is a large city in Italy.", "She eats cheese with bread."]


def sample_model(folder: str) -> GloveModel:
    """Train a model on the sample."""
    cooc = build_cooc(SAMPLE, f"{folder}/cooc", min_count=3, window=10)
    return train(cooc, dim=50, epochs=50, x_max=10, seed=1)


def main() -> None:
    """Hand vectors to spaCy, and compare some texts there."""
    parser = argparse.ArgumentParser(description="Use vectors in spaCy.")
    parser.add_argument("vectors", nargs="?", help="a file of vectors, a model or a run")
    parser.add_argument("--lang", default="en", help="language of spaCy's tokenizer (default: en; xx for any)")
    parser.add_argument("--texts", nargs="+", default=TEXTS, help="texts to compare with the first one")
    parser.add_argument("-o", "--out", help="folder to keep the pipeline in")
    options = parser.parse_args()
    try:
        import spacy
    except ImportError:
        sys.exit("Error: spaCy: is not installed. Install it with: pip install spacy")
    with tempfile.TemporaryDirectory() as folder:
        try:
            export_vectors(options.vectors or sample_model(folder), f"{folder}/for-spacy", format="spacy")
        except GloveError as error:
            sys.exit(f"Error: {error}")
        pipeline = options.out or f"{folder}/pipeline"
        command = ["-m", "spacy", "init", "vectors", options.lang, f"{folder}/for-spacy/vectors.txt", pipeline]
        done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"Error: spacy init vectors failed: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
        nlp = spacy.load(pipeline)
    print(f"spaCy has {len(nlp.vocab.vectors)} vectors of {nlp.vocab.vectors_length} numbers.")
    first, *others = nlp.pipe(text.lower() for text in options.texts)
    for doc in (first, *others):
        unknown = " ".join(token.text for token in doc if not token.has_vector)
        print(f"{first.similarity(doc):6.3f}  {doc}" + (f"  (without a vector: {unknown})" if unknown else ""))


if __name__ == "__main__":
    main()
